/* slipway-run-train as the worker runs it: a directory in, a directory out, events between. */
#include "tests/shim/runner_case.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LAYERS                                                                                     \
    "[{\"type\":\"conv2d\",\"out\":4,\"kernel\":3},{\"type\":\"batchnorm\"},{\"type\":\"relu\"},"  \
    "{\"type\":\"maxpool2d\",\"kernel\":2},{\"type\":\"flatten\"},{\"type\":\"dropout\","          \
    "\"p\":0.2},{\"type\":\"linear\",\"out\":\"classes\"}]"
#define SPEC(members) "{\"model\":{\"layers\":" LAYERS "},\"batch_size\":16" members "}"

static int begin(void **state) {
    struct runner_case *r = calloc(1, sizeof *r);
    assert_non_null(r);
    runner_begin(r);
    *state = r;
    return 0;
}

static int end(void **state) {
    runner_end(*state);
    free(*state);
    return 0;
}

static double real_at(const json_t *json, const char *name) {
    const json_t *value = json_object_get(json, name);
    if (!json_is_number(value))
        fail_msg("%s is no number", name);
    return json_number_value(value);
}

static void assert_output_is_there(const struct runner_case *r, const json_t *result,
                                   const char *name) {
    size_t i;
    json_t *output;
    json_array_foreach(json_object_get(result, "outputs"), i, output) {
        if (strcmp(json_string_value(json_object_get(output, "name")), name) != 0)
            continue;
        char path[256];
        struct stat st;
        snprintf(path, sizeof path, "%s/%s", r->dir,
                 json_string_value(json_object_get(output, "path")));
        assert_int_equal(0, stat(path, &st));
        return;
    }
    fail_msg("%s is not among the outputs", name);
}

static void test_train__learns_pictures_and_reports(void **state) {
    struct runner_case *r = *state;
    runner_add_pictures(r, 400, 1);
    runner_job(r, "train", SPEC(",\"epochs\":3,\"optimizer\":{\"lr\":0.01}"), NULL);
    runner_run(r, SLIPWAY_RUN_TRAIN);
    assert_int_equal(0, r->status);
    json_auto_t *result = runner_json(r, "outputs/result.json");
    assert_string_equal("completed", json_string_value(json_object_get(result, "status")));
    assert_int_equal(3, json_integer_value(json_object_get(result, "epochs")));
    assert_int_equal(57, json_integer_value(json_object_get(result, "steps")));
    assert_int_equal(1, json_integer_value(json_object_get(result, "threads")));
    assert_true(real_at(json_object_get(result, "metrics"), "test/accuracy") > 0.95);
    assert_true(real_at(result, "samples_per_s") > 0);
    const json_t *confusion = json_object_get(result, "confusion");
    assert_int_equal(3, json_array_size(json_object_get(confusion, "matrix")));
    assert_int_equal(3, json_array_size(json_object_get(result, "class_metrics")));
    assert_output_is_there(r, result, "model.json");
    assert_output_is_there(r, result, "model.safetensors");
    assert_output_is_there(r, result, "evaluation.json");
    json_auto_t *model = runner_json(r, "outputs/model.json");
    json_auto_t *signature = json_loads(
        "{\"inputs\":[{\"name\":\"input\",\"datatype\":\"FP32\",\"shape\":[-1,1,8,8]}],"
        "\"outputs\":[{\"name\":\"probabilities\",\"datatype\":\"FP32\",\"shape\":[-1,3]},"
        "{\"name\":\"label\",\"datatype\":\"BYTES\",\"shape\":[-1]}]}",
        0, NULL);
    assert_true(json_equal(signature, json_object_get(model, "signature")));
    assert_true(json_equal(signature, json_object_get(result, "signature")));
}

static void test_train__emits_what_the_worker_expects(void **state) {
    struct runner_case *r = *state;
    runner_add_pictures(r, 200, 3);
    runner_job(r, "train", SPEC(",\"epochs\":2"), NULL);
    runner_run(r, SLIPWAY_RUN_TRAIN);
    assert_int_equal(0, r->status);
    json_auto_t *events = runner_events(r);
    const json_t *progress = event_find(events, "type", "progress");
    assert_true(real_at(progress, "fraction") > 0.999);
    size_t i, validations = 0, trainings = 0, tests = 0;
    json_t *event;
    json_array_foreach(events, i, event) {
        const json_t *values = json_object_get(event, "values");
        validations += json_object_get(values, "val/accuracy") != NULL;
        trainings += json_object_get(values, "train/loss") != NULL;
        tests += json_object_get(values, "test/accuracy") != NULL;
    }
    assert_int_equal(2, validations);
    assert_int_equal(1, tests);
    assert_true(trainings >= 1);
    const json_t *metrics = event_find(events, "type", "metrics");
    assert_int_equal(20, json_integer_value(json_object_get(metrics, "step")));
    assert_true(json_integer_value(json_object_get(metrics, "at_us")) > 1700000000000000);
}

static void *read_weights(const struct runner_case *r, size_t *ret_size) {
    char path[160];
    snprintf(path, sizeof path, "%s/outputs/model.safetensors", r->dir);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    char *bytes = malloc(1 << 20);
    assert_non_null(bytes);
    *ret_size = fread(bytes, 1, 1 << 20, file);
    fclose(file);
    return bytes;
}

/* kill -9 between two checkpoints, then a second attempt: byte for byte the model of one attempt.
 */
static void test_train__resumes_after_a_kill_with_the_same_bytes(void **state) {
    struct runner_case *r = *state;
    const char *spec = SPEC(",\"epochs\":60,\"checkpoint_seconds\":0.1,"
                            "\"schedule\":{\"type\":\"one_cycle\"}");
    size_t size, size_again;
    runner_add_pictures(r, 400, 1);
    runner_job(r, "train", spec, NULL);
    runner_run(r, SLIPWAY_RUN_TRAIN);
    assert_int_equal(0, r->status);
    void *whole = read_weights(r, &size);

    runner_start(r, SLIPWAY_RUN_TRAIN, NULL);
    runner_await(r, "checkpoint/last");
    kill(r->pid, SIGKILL);
    runner_wait(r);
    assert_int_equal(-SIGKILL, r->status);
    json_auto_t *events = runner_events(r);
    const char *checkpoint =
        json_string_value(json_object_get(event_find(events, "name", "checkpoint/last"), "path"));
    char path[160];
    snprintf(path, sizeof path, "%s", checkpoint);
    runner_job(r, "train", spec, path);
    runner_run(r, SLIPWAY_RUN_TRAIN);
    assert_int_equal(0, r->status);
    json_auto_t *events_again = runner_events(r);
    assert_non_null(event_find(events_again, "message", "continuing from the last checkpoint"));
    void *resumed = read_weights(r, &size_again);
    assert_int_equal(size, size_again);
    assert_memory_equal(whole, resumed, size);
    free(whole);
    free(resumed);
}

static void test_train__starts_over_from_a_checkpoint_it_cannot_use(void **state) {
    struct runner_case *r = *state;
    runner_add_pictures(r, 100, 1);
    runner_job(r, "train", SPEC(",\"epochs\":1"), "inputs/1");
    runner_run(r, SLIPWAY_RUN_TRAIN);
    assert_int_equal(0, r->status);
    json_auto_t *events = runner_events(r);
    assert_non_null(event_find(events, "level", "warning"));
}

static void test_train__is_cancelled_by_sigterm(void **state) {
    struct runner_case *r = *state;
    runner_add_pictures(r, 400, 1);
    runner_job(r, "train", SPEC(",\"epochs\":100000"), NULL);
    runner_start(r, SLIPWAY_RUN_TRAIN, NULL);
    runner_await(r, "train/loss");
    kill(r->pid, SIGTERM);
    runner_wait(r);
    assert_int_equal(3, r->status);
}

static const struct {
    const char *spec, *code, *field;
} REFUSALS[] = {
    {"{\"model\":{\"layers\":[{\"type\":\"linear\",\"out\":3}]}}", "invalid_spec",
     "model.layers[0]"},
    {SPEC(",\"epoch\":3"), "invalid_spec", "epoch"},
    {SPEC(",\"target\":\"x\""), "invalid_spec", "target"},
    {"{\"model\":{\"layers\":[{\"type\":\"flatten\"},{\"type\":\"linear\",\"out\":8},"
     "{\"type\":\"linear\",\"out\":\"classes\"}]},\"epochs\":500,"
     "\"optimizer\":{\"type\":\"sgd\",\"lr\":1000,\"momentum\":0.99}}",
     "invalid_spec", "optimizer.lr"},
};

static void test_train__refuses_with_the_field(void **state) {
    struct runner_case *r = *state;
    runner_add_pictures(r, 100, 1);
    for (size_t i = 0; i < sizeof REFUSALS / sizeof *REFUSALS; i++) {
        runner_job(r, "train", REFUSALS[i].spec, NULL);
        runner_run(r, SLIPWAY_RUN_TRAIN);
        assert_int_equal(2, r->status);
        json_auto_t *error = runner_json(r, "outputs/error.json");
        assert_string_equal(REFUSALS[i].code, json_string_value(json_object_get(error, "code")));
        assert_string_equal(REFUSALS[i].field, json_string_value(json_object_get(error, "field")));
    }
}

static void test_train__refuses_damaged_data(void **state) {
    struct runner_case *r = *state;
    runner_add_pictures(r, 100, 1);
    runner_job(r, "train", SPEC(""), NULL);
    char path[160];
    snprintf(path, sizeof path, "%s/inputs/0", r->dir);
    assert_int_equal(0, truncate(path, 5000));
    runner_run(r, SLIPWAY_RUN_TRAIN);
    assert_int_equal(2, r->status);
    json_auto_t *error = runner_json(r, "outputs/error.json");
    assert_string_equal("invalid_data", json_string_value(json_object_get(error, "code")));
    assert_string_equal("data.safetensors", json_string_value(json_object_get(error, "file")));
}

static void test_train__stops_early_when_asked(void **state) {
    struct runner_case *r = *state;
    runner_add_pictures(r, 100, 1);
    runner_job(r, "train",
               SPEC(",\"epochs\":50,\"optimizer\":{\"type\":\"sgd\",\"lr\":0},"
                    "\"early_stopping\":{\"metric\":\"val/accuracy\",\"patience\":2}"),
               NULL);
    runner_run(r, SLIPWAY_RUN_TRAIN);
    assert_int_equal(0, r->status);
    json_auto_t *result = runner_json(r, "outputs/result.json");
    assert_string_equal("early_stopped", json_string_value(json_object_get(result, "status")));
    assert_true(json_integer_value(json_object_get(result, "epochs")) < 50);
}

#define TABLE_LAYERS                                                                               \
    "[{\"type\":\"linear\",\"out\":16},{\"type\":\"relu\"},{\"type\":\"linear\","                  \
    "\"out\":\"classes\"}]"

/* The target's unit is thousands; the error must be in it, and far below the spread of the values.
 */
static void test_train__learns_a_value_in_its_own_unit(void **state) {
    struct runner_case *r = *state;
    runner_add_table(r, 600);
    runner_job(r, "train",
               "{\"model\":{\"loss\":\"mse\",\"layers\":" TABLE_LAYERS "},\"target\":\"value\","
               "\"features\":[\"x1\",\"x2\",\"flag\",\"kind\"],\"epochs\":40,\"batch_size\":16,"
               "\"optimizer\":{\"type\":\"adam\",\"lr\":0.01}}",
               NULL);
    runner_run(r, SLIPWAY_RUN_TRAIN);
    assert_int_equal(0, r->status);
    json_auto_t *result = runner_json(r, "outputs/result.json");
    double rmse = real_at(json_object_get(result, "metrics"), "test/rmse");
    assert_true(rmse > 1 && rmse < 60);
    assert_true(json_is_null(json_object_get(result, "confusion")));
    json_auto_t *events = runner_events(r);
    assert_non_null(event_find(events, "message", "1 rows without a target are left out"));
}

static void test_train__learns_the_columns_of_a_table(void **state) {
    struct runner_case *r = *state;
    runner_add_table(r, 600);
    runner_job(r, "train",
               "{\"model\":{\"layers\":" TABLE_LAYERS "},\"features\":[\"x1\",\"flag\",\"kind\"],"
               "\"epochs\":30,\"batch_size\":16,\"optimizer\":{\"lr\":0.01}}",
               NULL);
    runner_run(r, SLIPWAY_RUN_TRAIN);
    assert_int_equal(0, r->status);
    json_auto_t *result = runner_json(r, "outputs/result.json");
    assert_true(real_at(json_object_get(result, "metrics"), "test/accuracy") > 0.93);
    const json_t *inputs = json_object_get(json_object_get(result, "signature"), "inputs");
    assert_int_equal(3, json_array_size(inputs));
    assert_string_equal("BYTES",
                        json_string_value(json_object_get(json_array_get(inputs, 2), "datatype")));
}

static void test_check__prints_the_report_or_the_error(void **state) {
    struct runner_case *r = *state;
    char spec[160], manifest[160], line[1024] = "", command[512];
    runner_add_pictures(r, 10, 1);
    snprintf(spec, sizeof spec, "%s/spec.json", r->dir);
    snprintf(manifest, sizeof manifest, "%s/inputs/1", r->dir);
    json_auto_t *json = json_loads(SPEC(""), 0, NULL);
    assert_int_equal(0, json_dump_file(json, spec, 0));
    snprintf(command, sizeof command, "%s --check %s %s", SLIPWAY_RUN_TRAIN, spec, manifest);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    assert_non_null(fgets(line, sizeof line, out));
    assert_int_equal(0, pclose(out));
    assert_non_null(strstr(line, "\"output\":[4,6,6]"));
    json_object_set_new(json, "epochs", json_integer(0));
    assert_int_equal(0, json_dump_file(json, spec, 0));
    out = popen(command, "r");
    assert_non_null(out);
    assert_non_null(fgets(line, sizeof line, out));
    assert_true(pclose(out) != 0);
    assert_non_null(strstr(line, "\"field\":\"epochs\""));
}

static void test_self_check__measures_the_machine(void **state) {
    (void)state;
    char line[256] = "";
    FILE *out = popen(SLIPWAY_RUN_TRAIN " --self-check", "r");
    assert_non_null(out);
    assert_non_null(fgets(line, sizeof line, out));
    assert_int_equal(0, pclose(out));
    json_auto_t *json = json_loads(line, 0, NULL);
    assert_true(real_at(json, "gemm_gflops") > 0);
    assert_true(json_is_boolean(json_object_get(json, "cuda")));
}

#define WITH_DIRECTORY(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void) {
    const struct CMUnitTest tests[] = {
        WITH_DIRECTORY(test_train__learns_pictures_and_reports),
        WITH_DIRECTORY(test_train__emits_what_the_worker_expects),
        WITH_DIRECTORY(test_train__resumes_after_a_kill_with_the_same_bytes),
        WITH_DIRECTORY(test_train__starts_over_from_a_checkpoint_it_cannot_use),
        WITH_DIRECTORY(test_train__is_cancelled_by_sigterm),
        WITH_DIRECTORY(test_train__refuses_with_the_field),
        WITH_DIRECTORY(test_train__refuses_damaged_data),
        WITH_DIRECTORY(test_train__stops_early_when_asked),
        WITH_DIRECTORY(test_train__learns_a_value_in_its_own_unit),
        WITH_DIRECTORY(test_train__learns_the_columns_of_a_table),
        WITH_DIRECTORY(test_check__prints_the_report_or_the_error),
        WITH_DIRECTORY(test_self_check__measures_the_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
