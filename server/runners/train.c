/* train.c: slipway-run-train.
 *
 *   slipway-run-train JOB_DIRECTORY             trains; the contract is in runner.h
 *   slipway-run-train --check SPEC MANIFEST     prints the shape of every layer, or what is wrong
 *   slipway-run-train --self-check              prints the library, its speed and the devices */
#include "runners/event.h"
#include "runners/torch_runtime.h"
#include "runners/train_job.h"

#include <stdio.h>
#include <string.h>

static enum run train(struct runner *rn) {
    event_progress(0, -1, "loading the data set");
    struct train_job auto_train_job tj = {0};
    TRY(train_job_open(rn, &tj));
    TRY(train_job_run(rn, &tj));
    return train_report_write(rn, &tj);
}

/* Owned text of a JSON file, NULL when it cannot be read. */
static char *read_text(const char *path) {
    auto_json *json = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    return json ? json_dumps(json, JSON_COMPACT) : NULL;
}

static int check(const char *spec_path, const char *manifest_path) {
    auto_free char *spec = read_text(spec_path);
    auto_free char *manifest = read_text(manifest_path);
    auto_free char *report = NULL;
    tsh_error err;
    if (tsh_spec_check(spec, manifest, &report, &err) == TSH_OK) {
        puts(report);
        return RUN_DONE;
    }
    auto_json *error = json_pack("{s:s, s:s, s:s?}", "code", "invalid_spec", "message", err.message,
                                 "field", err.field[0] ? err.field : NULL);
    json_dumpf(error, stdout, JSON_COMPACT);
    putchar('\n');
    return RUN_REFUSED;
}

static int self_check(void) {
    const char *threads = getenv("SLIPWAY_THREADS");
    tsh_ctx_options options = {.threads = threads ? atoi(threads) : 1};
    tsh_ctx *ctx = NULL;
    tsh_error err;
    double gflops = 0;
    if (tsh_ctx_new(&options, &ctx, &err) != TSH_OK ||
        tsh_gemm_gflops(ctx, &gflops, &err) != TSH_OK) {
        fprintf(stderr, "%s\n", err.message);
        tsh_ctx_free(ctx);
        return RUN_CRASHED;
    }
    tsh_device device;
    tsh_device_get(ctx, &device);
    tsh_ctx_free(ctx);
    printf("{\"torch\":\"%s\",\"gemm_gflops\":%.1f,\"threads\":%d,\"cuda\":%s}\n", device.torch,
           gflops, device.threads, device.cuda_devices > 0 ? "true" : "false");
    return RUN_DONE;
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "--check") == 0)
        return check(argv[2], argv[3]);
    torch_runtime_prepare(argv);
    if (argc == 2 && strcmp(argv[1], "--self-check") == 0)
        return self_check();
    torch_runtime_keep_memory();
    return runner_main(argc, argv, "train", train);
}
