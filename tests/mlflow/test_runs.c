/* runs/…: opened, named, changed, told of parameters, tags, data sets and models. */
#include "tests/mlflow/wire.h"

static json_t *info_of(struct domains *d, const char *run_id) {
    return at(at(look(d, "runs/get?run_id=%s", run_id), "run"), "info");
}

static const char *letters(struct domains *d, size_t count) {
    char *text = arena_alloc(d->arena, count + 1);
    memset(text, 'v', count);
    return text;
}

static void test_create__answers_with_the_whole_run(void **state) {
    struct domains *d = *state;
    json_t *run =
        at(call(d, "runs/create",
                "{\"experiment_id\":\"0\",\"user_id\":\"ada\",\"start_time\":1700000000123,"
                "\"run_name\":\"first\",\"tags\":[{\"key\":\"t\",\"value\":\"1\"}]}"),
           "run");
    json_t *info = at(run, "info");
    const char *id = text_at(info, "run_id");
    assert_int_equal(strlen(id), 32);
    assert_int_equal(strspn(id, "0123456789abcdef"), 32);
    assert_string_equal(text_at(info, "run_uuid"), id);
    assert_string_equal(text_at(info, "run_name"), "first");
    assert_string_equal(text_at(info, "user_id"), "ada");
    assert_string_equal(text_at(info, "status"), "RUNNING");
    assert_int_equal(int_at(info, "start_time"), INT64_C(1700000000123));
    assert_null(json_object_get(info, "end_time"));
    assert_string_equal(text_at(info, "lifecycle_stage"), "active");
    assert_string_equal(text_at(info, "artifact_uri"),
                        arena_printf(d->arena, "mlflow-artifacts:/0/%s/artifacts", id));
    assert_int_equal(json_array_size(at(at(run, "data"), "tags")), 2);
    assert_int_equal(json_object_size(at(run, "inputs")), 0);
    assert_int_equal(json_object_size(at(run, "outputs")), 0);
    assert_true(json_equal(info, info_of(d, id)));
}

/* Name and tag say the same, whichever was given. */
static void test_name__follows_its_tag_and_back(void **state) {
    struct domains *d = *state;
    json_t *run =
        at(call(d, "runs/create", "{\"tags\":[{\"key\":\"mlflow.runName\",\"value\":\"tagged\"}]}"),
           "run");
    const char *id = text_at(at(run, "info"), "run_id");
    assert_string_equal(text_at(at(run, "info"), "run_name"), "tagged");
    call(d, "runs/set-tag", "{\"run_id\":\"%s\",\"key\":\"mlflow.runName\",\"value\":\"second\"}",
         id);
    assert_string_equal(text_at(info_of(d, id), "run_name"), "second");
    json_t *changed =
        at(call(d, "runs/update", "{\"run_id\":\"%s\",\"run_name\":\"third\"}", id), "run_info");
    assert_string_equal(text_at(changed, "run_name"), "third");
    assert_string_equal(logged(d, id, "tags", "mlflow.runName"), "\"third\"");
    refused(d, 400, INVALID, "runs/create",
            "{\"run_name\":\"a\",\"tags\":[{\"key\":\"mlflow.runName\",\"value\":\"b\"}]}");
    run = at(call(d, "runs/create", "{\"run_name\":\"\"}"), "run");
    assert_true(strlen(text_at(at(run, "info"), "run_name")) > 5);
    id = text_at(at(run, "info"), "run_id");
    assert_non_null(logged(d, id, "tags", "mlflow.runName"));
}

static void test_update__ends_and_resumes(void **state) {
    static const char *const STATES[] = {"FINISHED", "FAILED", "KILLED", "SCHEDULED", "RUNNING"};
    struct domains *d = *state;
    const char *id = run_opened(d, "0", "ends");
    for (size_t i = 0; i < 5; i++) {
        json_t *info = at(call(d, "runs/update",
                               "{\"run_id\":\"%s\",\"status\":\"%s\",\"end_time\":1800000000456}",
                               id, STATES[i]),
                          "run_info");
        assert_string_equal(text_at(info, "status"), STATES[i]);
        if (i < 3)
            assert_int_equal(int_at(info, "end_time"), INT64_C(1800000000456));
    }
    refused(d, 400, INVALID, "runs/update", "{\"run_id\":\"%s\",\"end_time\":-1}", id);
    refused(d, 400, INVALID, "runs/update", "{\"run_id\":\"%s\",\"end_time\":9e18}", id);
    refused(d, 400, INVALID, "runs/create", "{\"start_time\":9223372036854775807}");
}

/* What a job does is not the client's to say. */
static void test_update__leaves_jobs_alone(void **state) {
    struct domains *d = *state;
    json_t *run = run_make(d, "trained");
    char id[33] = "", *to = id;
    for (const char *c = text_at(run, "id"); *c; c++)
        if (*c != '-')
            *to++ = *c;
    refused(d, 409, "RESOURCE_CONFLICT", "runs/update",
            "{\"run_id\":\"%s\",\"status\":\"FINISHED\"}", id);
    call(d, "runs/set-tag", "{\"run_id\":\"%s\",\"key\":\"seen\",\"value\":\"yes\"}", id);
    assert_string_equal(logged(d, id, "tags", "seen"), "\"yes\"");
}

static void test_delete__stops_everything_until_restored(void **state) {
    struct domains *d = *state;
    const char *id = run_opened(d, "0", "mortal");
    const char *sentence = arena_printf(
        d->arena, "The run %s must be in the 'active' state. Current state is deleted.", id);
    call(d, "runs/delete", "{\"run_id\":\"%s\"}", id);
    assert_string_equal(text_at(info_of(d, id), "lifecycle_stage"), "deleted");
    static const struct {
        const char *path, *more;
    } CALLS[] = {
        {"runs/log-metric", "\"key\":\"k\",\"value\":1,\"timestamp\":1"},
        {"runs/log-parameter", "\"key\":\"k\",\"value\":\"1\""},
        {"runs/set-tag", "\"key\":\"k\",\"value\":\"1\""},
        {"runs/delete-tag", "\"key\":\"mlflow.runName\""},
        {"runs/update", "\"run_name\":\"x\""},
        {"runs/log-batch", "\"params\":[{\"key\":\"k\",\"value\":\"1\"}]"},
        {"runs/log-batch", "\"metrics\":[{\"key\":\"k\",\"value\":1,\"timestamp\":1}]"},
    };
    for (size_t i = 0; i < sizeof(CALLS) / sizeof(CALLS[0]); i++)
        assert_string_equal(
            refused(d, 400, INVALID, CALLS[i].path, "{\"run_id\":\"%s\",%s}", id, CALLS[i].more),
            sentence);
    call(d, "runs/delete", "{\"run_id\":\"%s\"}", id);
    call(d, "runs/restore", "{\"run_id\":\"%s\"}", id);
    call(d, "runs/set-tag", "{\"run_id\":\"%s\",\"key\":\"k\",\"value\":\"1\"}", id);
}

static void test_params__are_written_once(void **state) {
    struct domains *d = *state;
    const char *id = run_opened(d, "0", "params");
    call(d, "runs/log-parameter", "{\"run_id\":\"%s\",\"key\":\"p\",\"value\":\"1\"}", id);
    call(d, "runs/log-parameter", "{\"run_id\":\"%s\",\"key\":\"p\",\"value\":\"1\"}", id);
    assert_string_equal(
        refused(d, 400, INVALID, "runs/log-parameter",
                "{\"run_id\":\"%s\",\"key\":\"p\",\"value\":\"2\"}", id),
        arena_printf(d->arena,
                     "Changing param values is not allowed. Param with key='p' was already logged "
                     "with value='1' for run ID='%s'. Attempted logging new value '2'.",
                     id));
    assert_string_equal(logged(d, id, "params", "p"), "\"1\"");
    call(d, "runs/log-parameter", "{\"run_id\":\"%s\",\"key\":\"empty\"}", id);
    assert_string_equal(logged(d, id, "params", "empty"), "\"\"");
}

/* --- B25: lengths and characters, counted as characters --- */

static void test_b25__keys_and_values_of_runs(void **state) {
    static const char *const PATHS[] = {"runs/log-parameter", "runs/set-tag"};
    static const char *const BAD[] = {"a//b", "..", "/a", "a\\u202eb", "a(b)", "a\\nb"};
    struct domains *d = *state;
    const char *id = run_opened(d, "0", "b25");
    for (size_t p = 0; p < 2; p++) {
        for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
            refused(d, 400, INVALID, PATHS[p], "{\"run_id\":\"%s\",\"key\":\"%s\",\"value\":\"x\"}",
                    id, BAD[i]);
        refused(d, 400, INVALID, PATHS[p], "{\"run_id\":\"%s\",\"key\":\"%s\",\"value\":\"x\"}", id,
                letters(d, 251));
        call(d, PATHS[p], "{\"run_id\":\"%s\",\"key\":\"%s\",\"value\":\"x\"}", id,
             letters(d, 250));
        call(d, PATHS[p], "{\"run_id\":\"%s\",\"key\":\"cut\",\"value\":\"\\u00e9%s\"}", id,
             letters(d, 9000));
    }
    assert_int_equal(strlen(logged(d, id, "params", "cut")), 2 + 6000 + 1);
    assert_int_equal(strlen(logged(d, id, "tags", "cut")), 2 + 8000 + 1);
    assert_int_equal(
        json_array_size(at(at(at(look(d, "runs/get?run_id=%s", id), "run"), "data"), "params")), 2);
}

static void test_tags__are_deleted_once(void **state) {
    struct domains *d = *state;
    const char *id = run_opened(d, "0", "tags");
    call(d, "runs/set-tag", "{\"run_id\":\"%s\",\"key\":\"k\",\"value\":\"v\"}", id);
    call(d, "runs/delete-tag", "{\"run_id\":\"%s\",\"key\":\"k\"}", id);
    assert_null(logged(d, id, "tags", "k"));
    assert_string_equal(
        refused(d, 404, MISSING, "runs/delete-tag", "{\"run_id\":\"%s\",\"key\":\"k\"}", id),
        arena_printf(d->arena, "No tag with name: k in run with id %s", id));
}

static void test_find__says_which_there_is_not(void **state) {
    static const char *const NONE[] = {"ffffffffffffffffffffffffffffffff", "abc", "%27",
                                       "01920000-0000-7000-8000-0000000000ff",
                                       "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"};
    struct domains *d = *state;
    for (size_t i = 0; i < sizeof(NONE) / sizeof(NONE[0]); i++)
        look_refused(d, 404, MISSING, "runs/get?run_id=%s", NONE[i]);
    assert_string_equal(look_refused(d, 404, MISSING, "runs/get?run_uuid=abc"),
                        "Run with id=abc not found");
}

/* --- what a run read and made --- */

static void test_inputs__come_back_with_their_tags(void **state) {
    struct domains *d = *state;
    const char *id = run_opened(d, experiment_made(d, "inputs"), "reads");
    const char *body =
        arena_printf(d->arena,
                     "{\"run_id\":\"%s\",\"datasets\":[{\"tags\":[{\"key\":\"mlflow.data.context\","
                     "\"value\":\"training\"}],\"dataset\":{\"name\":\"d\",\"digest\":\"1\","
                     "\"source_type\":\"code\",\"source\":\"s\",\"schema\":\"{}\"}}]}",
                     id);
    call(d, "runs/log-inputs", "%s", body);
    call(d, "runs/log-inputs", "%s", body);
    json_t *run = at(look(d, "runs/get?run_id=%s", id), "run");
    json_t *inputs = at(at(run, "inputs"), "dataset_inputs");
    assert_int_equal(json_array_size(inputs), 1);
    json_t *input = json_array_get(inputs, 0);
    assert_string_equal(text_at(at(input, "dataset"), "name"), "d");
    assert_string_equal(text_at(at(input, "dataset"), "schema"), "{}");
    assert_null(json_object_get(at(input, "dataset"), "profile"));
    assert_string_equal(text_at(json_array_get(at(input, "tags"), 0), "value"), "training");
    json_t *found = at(call(d, "experiments/search-datasets", "{\"experiment_ids\":[\"%s\"]}",
                            text_at(at(run, "info"), "experiment_id")),
                       "dataset_summaries");
    assert_int_equal(json_array_size(found), 1);
    assert_string_equal(text_at(json_array_get(found, 0), "context"), "training");
}

static void test_inputs__have_limits(void **state) {
    struct domains *d = *state;
    const char *id = run_opened(d, "0", "limits");
    static const struct {
        const char *member;
        size_t limit;
    } LIMITS[] = {{"name", 500}, {"digest", 36}, {"source", 65535}, {"schema", 1048575}};
    for (size_t i = 0; i < sizeof(LIMITS) / sizeof(LIMITS[0]); i++)
        assert_string_equal(
            refused(d, 400, INVALID, "runs/log-inputs",
                    "{\"run_id\":\"%s\",\"datasets\":[{\"dataset\":{%s%s\"%s\":\"%s\"}}]}", id,
                    i == 0 ? "" : "\"name\":\"n\",", i == 1 ? "" : "\"digest\":\"d\",",
                    LIMITS[i].member, letters(d, LIMITS[i].limit + 1)),
            arena_printf(d->arena, "'%s' exceeds the maximum length of %zu characters",
                         LIMITS[i].member, LIMITS[i].limit));
    refused(d, 400, INVALID, "runs/log-inputs", "{\"run_id\":\"%s\",\"datasets\":[{}]}", id);
    refused(d, 400, INVALID, "runs/log-inputs",
            "{\"run_id\":\"%s\",\"datasets\":[{\"dataset\":{\"name\":\"n\",\"digest\":\"d\"},"
            "\"tags\":[{\"key\":\"%s\"}]}]}",
            id, letters(d, 256));
}

static void test_outputs__are_models_of_the_project(void **state) {
    struct domains *d = *state;
    const char *id = run_opened(d, "0", "makes");
    json_t *model =
        at(call(d, "logged-models",
                "{\"experiment_id\":\"0\",\"name\":\"m\",\"source_run_id\":\"%s\"}", id),
           "model");
    const char *model_id = text_at(at(model, "info"), "model_id");
    call(d, "runs/outputs", "{\"run_id\":\"%s\",\"models\":[{\"model_id\":\"%s\",\"step\":7}]}", id,
         model_id);
    call(d, "runs/log-inputs", "{\"run_id\":\"%s\",\"models\":[{\"model_id\":\"%s\"}]}", id,
         model_id);
    json_t *run = at(look(d, "runs/get?run_id=%s", id), "run");
    json_t *made = json_array_get(at(at(run, "outputs"), "model_outputs"), 0);
    assert_string_equal(text_at(made, "model_id"), model_id);
    assert_int_equal(int_at(made, "step"), 7);
    json_t *read = json_array_get(at(at(run, "inputs"), "model_inputs"), 0);
    assert_string_equal(text_at(read, "model_id"), model_id);
    assert_string_equal(refused(d, 404, MISSING, "runs/outputs",
                                "{\"run_id\":\"%s\",\"models\":[{\"model_id\":\"m-%032d\"}]}", id,
                                0),
                        "Logged model with ID 'm-00000000000000000000000000000000' not found.");
}

/* What clients before MLflow 3 tell of a model. */
static void test_models__make_a_history(void **state) {
    struct domains *d = *state;
    const char *id = run_opened(d, "0", "old client");
    for (int i = 0; i < 2; i++)
        call(d, "runs/log-model",
             "{\"run_id\":\"%s\",\"model_json\":\"{\\\"artifact_path\\\":\\\"m%d\\\","
             "\\\"flavors\\\":"
             "{\\\"f\\\":{\\\"config\\\":1,\\\"v\\\":2}},\\\"utc_time_created\\\":\\\"now\\\","
             "\\\"run_id\\\":\\\"%s\\\"}\"}",
             id, i, id);
    const char *tag = logged(d, id, "tags", "mlflow.log-model.history");
    auto_json *text = json_loads(tag, JSON_DECODE_ANY, NULL);
    auto_json *history = json_loads(json_string_value(text), 0, NULL);
    assert_int_equal(json_array_size(history), 2);
    json_t *last = json_array_get(history, 1);
    assert_string_equal(text_at(last, "artifact_path"), "m1");
    assert_int_equal(json_object_size(at(at(last, "flavors"), "f")), 1);
    refused(d, 400, INVALID, "runs/log-model", "{\"run_id\":\"%s\",\"model_json\":\"{}\"}", id);
    refused(d, 400, INVALID, "runs/log-model", "{\"run_id\":\"%s\",\"model_json\":\"no\"}", id);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_create__answers_with_the_whole_run),
        cmocka_unit_test(test_name__follows_its_tag_and_back),
        cmocka_unit_test(test_update__ends_and_resumes),
        cmocka_unit_test(test_update__leaves_jobs_alone),
        cmocka_unit_test(test_delete__stops_everything_until_restored),
        cmocka_unit_test(test_params__are_written_once),
        cmocka_unit_test(test_b25__keys_and_values_of_runs),
        cmocka_unit_test(test_tags__are_deleted_once),
        cmocka_unit_test(test_find__says_which_there_is_not),
        cmocka_unit_test(test_inputs__come_back_with_their_tags),
        cmocka_unit_test(test_inputs__have_limits),
        cmocka_unit_test(test_outputs__are_models_of_the_project),
        cmocka_unit_test(test_models__make_a_history),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
