/* experiments/…: numbers, names, life, tags, and what may not become one. */
#include "tests/mlflow/wire.h"

static json_t *experiment_of(struct domains *d, const char *id) {
    return at(look(d, "experiments/get?experiment_id=%s", id), "experiment");
}

static void test_default__is_experiment_zero(void **state) {
    struct domains *d = *state;
    json_t *experiment = experiment_of(d, "0");
    assert_string_equal(text_at(experiment, "name"), "Default");
    assert_string_equal(text_at(experiment, "experiment_id"), "0");
    assert_string_equal(text_at(experiment, "artifact_location"), "mlflow-artifacts:/0");
    assert_string_equal(text_at(experiment, "lifecycle_stage"), "active");
    assert_null(json_object_get(experiment, "tags"));
    json_t *run = at(call(d, "runs/create", "{}"), "run");
    assert_string_equal(text_at(at(run, "info"), "experiment_id"), "0");
}

static void test_create__takes_tags_and_a_location(void **state) {
    struct domains *d = *state;
    json_t *made = call(d, "experiments/create",
                        "{\"name\":\"tagged\",\"artifact_location\":\"mlflow-artifacts:/here/too\","
                        "\"tags\":[{\"key\":\"a\",\"value\":\"1\"},{\"key\":\"b\"}]}");
    json_t *experiment = experiment_of(d, text_at(made, "experiment_id"));
    assert_string_equal(text_at(experiment, "artifact_location"), "mlflow-artifacts:/here/too");
    json_t *tags = at(experiment, "tags");
    assert_int_equal(json_array_size(tags), 2);
    assert_string_equal(text_at(json_array_get(tags, 0), "value"), "1");
    assert_string_equal(text_at(json_array_get(tags, 1), "value"), "");
    assert_true(int_at(experiment, "creation_time") > INT64_C(1700000000000));
    json_t *run =
        at(call(d, "runs/create", "{\"experiment_id\":\"%s\"}", text_at(made, "experiment_id")),
           "run");
    const char *id = text_at(at(run, "info"), "run_id");
    assert_string_equal(text_at(at(run, "info"), "artifact_uri"),
                        arena_printf(d->arena, "mlflow-artifacts:/here/too/%s/artifacts", id));
}

static void test_create__keeps_names_apart(void **state) {
    struct domains *d = *state;
    const char *id = experiment_made(d, "taken");
    assert_string_equal(
        refused(d, 400, "RESOURCE_ALREADY_EXISTS", "experiments/create", "{\"name\":\"taken\"}"),
        "Experiment(name=taken) already exists.");
    call(d, "experiments/delete", "{\"experiment_id\":\"%s\"}", id);
    refused(d, 400, "RESOURCE_ALREADY_EXISTS", "experiments/create", "{\"name\":\"taken\"}");
    assert_string_equal(
        text_at(at(look(d, "experiments/get-by-name?experiment_name=taken"), "experiment"),
                "lifecycle_stage"),
        "deleted");
}

/* --- B01: where an experiment's files may not be --- */

static void test_b01__locations_are_names_of_ours(void **state) {
    static const char *const HOSTILE[] = {
        "file:///etc",
        "/etc",
        "../../etc",
        "http:///#/../../../etc/",
        "http://h/?a=/../../etc",
        "http://h/;/../..",
        "//proc/self/root",
        "ftp://x/",
        "dbfs:/..",
        "s3://..",
        "s3://bucket/x",
        "runs:/x",
        "mlflow-artifacts:/../../x",
        "mlflow-artifacts:/a/../b",
        "mlflow-artifacts:/./x",
        "mlflow-artifacts:/%2e%2e/x",
        "mlflow-artifacts://host/x",
        "mlflow-artifacts:/",
        "mlflow-artifacts:",
        "mlflow-artifacts:/a/",
        "mlflow-artifacts:/a#b",
        "mlflow-artifacts:/a\\\\b",
        "mlflow-artifacts:/a\\n",
        "MLFLOW-ARTIFACTS:/x",
        " mlflow-artifacts:/x",
        "models",
    };
    struct domains *d = *state;
    for (size_t i = 0; i < sizeof(HOSTILE) / sizeof(HOSTILE[0]); i++)
        refused(d, 400, INVALID, "experiments/create",
                "{\"name\":\"b01\",\"artifact_location\":\"%s\"}", HOSTILE[i]);
    look_refused(d, 404, MISSING, "experiments/get-by-name?experiment_name=b01");
}

/* --- B25: names at their limits, and those that look like others --- */

static const char *letters(struct domains *d, size_t count) {
    char *text = arena_alloc(d->arena, count + 1);
    memset(text, 'n', count);
    return text;
}

static void test_b25__names_of_experiments(void **state) {
    struct domains *d = *state;
    static const char *const DISTINCT[] = {"a/b",    "a%2Fb", "a b",         "a b ",
                                           "latest", "v1",    "caf\\u00e9",  "cafe\\u0301",
                                           ".",      "..",    "x\\u202etxt", "A/B"};
    refused(d, 400, INVALID, "experiments/create", "{\"name\":\"%s\"}", letters(d, 501));
    refused(d, 400, INVALID, "experiments/create", "{\"name\":\"  \\t \"}");
    experiment_made(d, letters(d, 500));
    for (size_t i = 0; i < sizeof(DISTINCT) / sizeof(DISTINCT[0]); i++)
        experiment_made(d, DISTINCT[i]);
    for (size_t i = 0; i < sizeof(DISTINCT) / sizeof(DISTINCT[0]); i++)
        refused(d, 400, "RESOURCE_ALREADY_EXISTS", "experiments/create", "{\"name\":\"%s\"}",
                DISTINCT[i]);
}

static void test_b25__keys_of_tags(void **state) {
    static const char *const BAD[] = {"a//b",   "./a",         "..", "../a",      "/a",
                                      "a/../b", "a/",          ".",  "a\\u202eb", "a(b)",
                                      "a%2Fb",  "cafe\\u0301", "a;b"};
    static const char *const GOOD[] = {"a/b",       "a b ",       "latest",        "v1",
                                       "a:b-c_d.e", "caf\\u00e9", "\\u6570\\u636e"};
    struct domains *d = *state;
    const char *id = experiment_made(d, "tag keys");
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        refused(d, 400, INVALID, "experiments/set-experiment-tag",
                "{\"experiment_id\":\"%s\",\"key\":\"%s\",\"value\":\"x\"}", id, BAD[i]);
    refused(d, 400, INVALID, "experiments/set-experiment-tag",
            "{\"experiment_id\":\"%s\",\"key\":\"%s\",\"value\":\"x\"}", id, letters(d, 251));
    refused(d, 400, INVALID, "experiments/set-experiment-tag",
            "{\"experiment_id\":\"%s\",\"key\":\"k\",\"value\":\"%s\"}", id, letters(d, 5001));
    assert_null(json_object_get(experiment_of(d, id), "tags"));
    for (size_t i = 0; i < sizeof(GOOD) / sizeof(GOOD[0]); i++)
        call(d, "experiments/set-experiment-tag",
             "{\"experiment_id\":\"%s\",\"key\":\"%s\",\"value\":\"%s\"}", id, GOOD[i],
             letters(d, 5000));
    assert_int_equal(json_array_size(at(experiment_of(d, id), "tags")),
                     sizeof(GOOD) / sizeof(GOOD[0]));
    assert_non_null(
        strstr(refused(d, 400, INVALID, "experiments/set-experiment-tag",
                       "{\"experiment_id\":\"%s\",\"key\":\"a//b/./c/../d\",\"value\":\"x\"}", id),
               "This name would resolve to 'a/b/d'"));
}

/* --- life --- */

static void test_life__deleted_experiments_take_their_runs_along(void **state) {
    struct domains *d = *state;
    const char *id = experiment_made(d, "mortal");
    const char *run = run_opened(d, id, "r");
    call(d, "experiments/delete", "{\"experiment_id\":\"%s\"}", id);
    assert_string_equal(text_at(experiment_of(d, id), "lifecycle_stage"), "deleted");
    json_t *info = at(at(look(d, "runs/get?run_id=%s", run), "run"), "info");
    assert_string_equal(text_at(info, "lifecycle_stage"), "deleted");
    refused(d, 404, MISSING, "experiments/delete", "{\"experiment_id\":\"%s\"}", id);
    assert_string_equal(
        refused(d, 400, INVALID, "runs/create", "{\"experiment_id\":\"%s\"}", id),
        arena_printf(d->arena,
                     "The experiment %s must be in the 'active' state. Current state is deleted.",
                     id));
    refused(d, 400, "INVALID_STATE", "experiments/update",
            "{\"experiment_id\":\"%s\",\"new_name\":\"x\"}", id);
    refused(d, 400, INVALID, "experiments/set-experiment-tag",
            "{\"experiment_id\":\"%s\",\"key\":\"k\",\"value\":\"v\"}", id);
    call(d, "experiments/restore", "{\"experiment_id\":\"%s\"}", id);
    refused(d, 404, MISSING, "experiments/restore", "{\"experiment_id\":\"%s\"}", id);
    info = at(at(look(d, "runs/get?run_id=%s", run), "run"), "info");
    assert_string_equal(text_at(info, "lifecycle_stage"), "active");
}

static void test_update__renames(void **state) {
    struct domains *d = *state;
    const char *id = experiment_made(d, "before");
    call(d, "experiments/update", "{\"experiment_id\":\"%s\",\"new_name\":\"after\"}", id);
    assert_string_equal(text_at(experiment_of(d, id), "name"), "after");
    look_refused(d, 404, MISSING, "experiments/get-by-name?experiment_name=before");
    experiment_made(d, "before");
    refused(d, 400, "RESOURCE_ALREADY_EXISTS", "experiments/update",
            "{\"experiment_id\":\"%s\",\"new_name\":\"before\"}", id);
}

static void test_tags__are_set_and_deleted(void **state) {
    struct domains *d = *state;
    const char *id = experiment_made(d, "tags");
    call(d, "experiments/set-experiment-tag",
         "{\"experiment_id\":\"%s\",\"key\":\"k\",\"value\":\"1\"}", id);
    call(d, "experiments/set-experiment-tag",
         "{\"experiment_id\":\"%s\",\"key\":\"k\",\"value\":\"2\"}", id);
    assert_string_equal(text_at(json_array_get(at(experiment_of(d, id), "tags"), 0), "value"), "2");
    call(d, "experiments/delete-experiment-tag", "{\"experiment_id\":\"%s\",\"key\":\"k\"}", id);
    assert_string_equal(refused(d, 404, MISSING, "experiments/delete-experiment-tag",
                                "{\"experiment_id\":\"%s\",\"key\":\"k\"}", id),
                        arena_printf(d->arena, "No tag with name: k in experiment with id %s", id));
}

static void test_find__says_which_there_is_not(void **state) {
    struct domains *d = *state;
    assert_string_equal(look_refused(d, 404, MISSING, "experiments/get?experiment_id=987"),
                        "No Experiment with id=987 exists");
    assert_string_equal(look_refused(d, 400, INVALID, "experiments/get?experiment_id=abc"),
                        "Invalid experiment ID 'abc'. Experiment ID must be a valid integer.");
    look_refused(d, 404, MISSING, "experiments/get?experiment_id=-1");
    look_refused(d, 400, INVALID, "experiments/get?experiment_id=99999999999999999999");
    assert_string_equal(
        look_refused(d, 404, MISSING, "experiments/get-by-name?experiment_name=nobody%%27s"),
        "Could not find experiment with name 'nobody's'");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_default__is_experiment_zero),
        cmocka_unit_test(test_create__takes_tags_and_a_location),
        cmocka_unit_test(test_create__keeps_names_apart),
        cmocka_unit_test(test_b01__locations_are_names_of_ours),
        cmocka_unit_test(test_b25__names_of_experiments),
        cmocka_unit_test(test_b25__keys_of_tags),
        cmocka_unit_test(test_life__deleted_experiments_take_their_runs_along),
        cmocka_unit_test(test_update__renames),
        cmocka_unit_test(test_tags__are_set_and_deleted),
        cmocka_unit_test(test_find__says_which_there_is_not),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
