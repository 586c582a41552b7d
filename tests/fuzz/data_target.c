/* data_target.c: see data_target.h. The job directory is made once and reused. The process is in it
 * during an import, as the runner's would be, and otherwise where its arguments make sense. */
#include "tests/fuzz/data_target.h"

#include "runners/data.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { FILES_MAX = 4 };

static void must(bool condition, const char *what) {
    if (condition)
        return;
    fprintf(stderr, "broken promise: %s\n", what);
    abort();
}

static char directory[] = "/tmp/slipway-fuzz-XXXXXX";

static int enter_directory(const char *path) {
    int home = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    must(home >= 0 && path && chdir(path) == 0, "the job directory can be entered");
    return home;
}

static void leave_directory(int home) {
    must(fchdir(home) == 0, "the job directory can be left");
    close(home);
}

static void remove_directory(void) {
    static const char *const LEFT[] = {"inputs/0",
                                       "inputs/1",
                                       "inputs/2",
                                       "inputs/3",
                                       "outputs/data.safetensors",
                                       "inputs",
                                       "outputs/spill",
                                       "outputs/samples.png",
                                       "outputs/manifest.json",
                                       "outputs/result.json",
                                       "outputs",
                                       directory};
    int home = enter_directory(directory);
    for (size_t i = 0; i < sizeof LEFT / sizeof *LEFT; i++)
        remove(LEFT[i]);
    leave_directory(home);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    int home = enter_directory(mkdtemp(directory));
    mkdir("inputs", 0700);
    mkdir("outputs", 0700);
    leave_directory(home);
    atexit(remove_directory);
    int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
    char number[16];
    snprintf(number, sizeof number, "%d", quiet);
    setenv("SLIPWAY_EVENTS_FD", number, 1);
    event_open();
    return 0;
}

static void write_input(struct runner *rn, const struct data_file *file) {
    static char paths[FILES_MAX][16];
    size_t i = rn->n_inputs++;
    snprintf(paths[i], sizeof paths[i], "inputs/%zu", i);
    FILE *out = fopen(paths[i], "w");
    must(out && fwrite(file->bytes, 1, file->size, out) == file->size, "an input can be written");
    fclose(out);
    rn->inputs[i] = (struct runner_input){.name = "source",
                                          .path = paths[i],
                                          .file_name = file->name,
                                          .size_bytes = (int64_t)file->size};
}

static void check_outcome(const struct runner *rn, enum run status) {
    const char *message = json_string_value(json_object_get(rn->refusal, "message"));
    bool written = access("outputs/data.safetensors", F_OK) == 0;
    bool half = access("outputs/data.safetensors.part", F_OK) == 0;
    must(status == RUN_DONE || status == RUN_REFUSED, "an input is imported or refused");
    must(status == RUN_DONE || (message && *message), "a refusal has a reason");
    must(written == (status == RUN_DONE) && !half, "tensors are there exactly when imported");
}

void data_target(const char *spec, const struct data_file *files, size_t count) {
    json_t *json = json_loads(spec, 0, NULL);
    struct runner rn = {.spec = json, .memory_bytes = (int64_t)512 << 20, .threads = 1};
    int home = enter_directory(directory);
    for (size_t i = 0; i < count && i < FILES_MAX; i++)
        write_input(&rn, &files[i]);
    check_outcome(&rn, data_import(&rn));
    leave_directory(home);
    json_decref(rn.refusal);
    json_decref(json);
}
