/* Evaluation sets and issues on MLflow's wire. */
#include "tests/mlflow/wire.h"

#define SETS "/api/3.0/mlflow/datasets"
#define ISSUES "/api/3.0/mlflow/issues"
#define NOBODYS "d-00000000000070008000000000000000"

static json_t *ask(struct domains *d, int status, const char *method, const char *path,
                   const char *json) {
    return send_json(d, status, &d->editor, method, path, json)->json;
}

static json_t *set_made(struct domains *d, const char *name, const char *experiment) {
    return at(call(d, SETS "/create",
                   "{\"name\":\"%s\",\"experiment_ids\":[\"%s\"],"
                   "\"tags\":\"{\\\"team\\\":\\\"%s\\\",\\\"mlflow.user\\\":\\\"Ann\\\"}\"}",
                   name, experiment, name),
              "dataset");
}

static const char *path_of(struct domains *d, json_t *set, const char *tail) {
    return arena_printf(d->arena, SETS "/%s%s", text_at(set, "dataset_id"), tail);
}

static json_t *put(struct domains *d, json_t *set, const char *records) {
    return call(d, path_of(d, set, "/records"), "{\"records\":\"%s\"}", records);
}

static void test_set__is_made_found_and_deleted(void **state) {
    struct domains *d = *state;
    const char *a = experiment_made(d, "sets a"), *b = experiment_made(d, "sets b");
    json_t *first = set_made(d, "first", a), *second = set_made(d, "second", b);
    assert_string_equal(text_at(first, "tags"), "{\"mlflow.user\":\"Ann\",\"team\":\"first\"}");
    assert_string_equal(text_at(first, "created_by"), "Ann");
    json_t *again = at(look(d, "%s", path_of(d, first, "")), "dataset");
    assert_true(json_equal(first, again));
    json_t *found = call(d, SETS "/search", "{\"experiment_ids\":[\"%s\"]}", b);
    assert_true(json_equal(json_array_get(at(found, "datasets"), 0), second));
    found = call(d, SETS "/search", "{\"filter_string\":\"tags.team = 'first'\"}");
    assert_int_equal(json_array_size(at(found, "datasets")), 1);
    found = look(d, SETS "/search?order_by=name%%20DESC&max_results=1");
    assert_string_equal(text_at(json_array_get(at(found, "datasets"), 0), "name"), "second");
    found = look(d, SETS "/search?order_by=name%%20DESC&max_results=1&page_token=%s",
                 text_at(found, "next_page_token"));
    assert_string_equal(text_at(json_array_get(at(found, "datasets"), 0), "name"), "first");
    refused(d, 400, INVALID, SETS "/search", "{\"filter_string\":\"colour = 'red'\"}");
    ask(d, 200, "DELETE", path_of(d, first, ""), NULL);
    look_refused(d, 404, MISSING, "%s", path_of(d, first, ""));
    ask(d, 404, "DELETE", path_of(d, first, ""), NULL);
}

static void test_set__has_tags_and_experiments(void **state) {
    struct domains *d = *state;
    const char *a = experiment_made(d, "linked a"), *b = experiment_made(d, "linked b");
    json_t *set = set_made(d, "linked", a);
    json_t *changed = ask(d, 200, "PATCH", path_of(d, set, "/tags"),
                          "{\"tags\":\"{\\\"team\\\":\\\"us\\\",\\\"n\\\":2,\\\"no\\\":null}\"}");
    assert_string_equal(text_at(at(changed, "dataset"), "tags"),
                        "{\"mlflow.user\":\"Ann\",\"n\":\"2\",\"team\":\"us\"}");
    ask(d, 200, "DELETE", path_of(d, set, "/tags/team"), NULL);
    ask(d, 200, "DELETE", path_of(d, set, "/tags/team"), NULL);
    json_t *linked =
        call(d, path_of(d, set, "/add-experiments"), "{\"experiment_ids\":[\"%s\"]}", b);
    assert_string_equal(text_at(at(linked, "dataset"), "tags"),
                        "{\"mlflow.user\":\"Ann\",\"n\":\"2\"}");
    json_t *ids = at(look(d, "%s", path_of(d, set, "/experiment-ids")), "experiment_ids");
    assert_int_equal(json_array_size(ids), 2);
    call(d, path_of(d, set, "/remove-experiments"), "{\"experiment_ids\":[\"%s\",\"%s\"]}", a, b);
    assert_null(
        json_object_get(look(d, "%s", path_of(d, set, "/experiment-ids")), "experiment_ids"));
    refused(d, 404, MISSING, path_of(d, set, "/add-experiments"), "{\"experiment_ids\":[\"999\"]}");
    refused(d, 404, MISSING, SETS "/" NOBODYS "/add-experiments", "{\"experiment_ids\":[]}");
    refused(d, 404, MISSING, SETS "/create", "{\"name\":\"x\",\"experiment_ids\":[\"999\"]}");
    refused(d, 400, INVALID, SETS "/create", "{\"name\":\"x\",\"tags\":\"{\"}");
    ask(d, 404, "DELETE", SETS "/" NOBODYS "/tags/x", NULL);
}

static void test_records__are_known_by_their_inputs(void **state) {
    struct domains *d = *state;
    json_t *set = set_made(d, "recorded", "0");
    json_t *counts =
        put(d, set,
            "[{\\\"inputs\\\":{\\\"q\\\":\\\"one?\\\",\\\"n\\\":1},"
            "\\\"expectations\\\":{\\\"a\\\":\\\"1\\\"},\\\"tags\\\":{\\\"x\\\":\\\"y\\\"}},"
            "{\\\"inputs\\\":{\\\"q\\\":\\\"two?\\\"},\\\"source\\\":{\\\"source_type\\\":"
            "\\\"TRACE\\\",\\\"source_data\\\":{\\\"trace_id\\\":\\\"tr-1\\\"}}}]");
    assert_int_equal(int_at(counts, "inserted_count"), 2);
    counts = put(
        d, set,
        "[{\\\"inputs\\\":{\\\"n\\\":1,\\\"q\\\":\\\"one?\\\"},"
        "\\\"expectations\\\":{\\\"b\\\":[2]},\\\"outputs\\\":\\\"uno\\\"},"
        "{\\\"inputs\\\":{\\\"q\\\":\\\"three?\\\"}},{\\\"inputs\\\":{\\\"q\\\":\\\"three?\\\"}}]");
    assert_int_equal(int_at(counts, "inserted_count"), 1);
    assert_int_equal(int_at(counts, "updated_count"), 2);
    json_t *page = look(d, "%s", path_of(d, set, "/records?max_results=2"));
    json_t *records = json_loads(text_at(page, "records"), 0, NULL);
    json_t *one = json_array_get(records, 0), *two = json_array_get(records, 1);
    assert_string_equal(text_at(at(one, "expectations"), "a"), "1");
    assert_int_equal(json_array_size(at(at(one, "expectations"), "b")), 1);
    assert_string_equal(text_at(one, "outputs"), "uno");
    assert_string_equal(text_at(two, "source_id"), "tr-1");
    json_t *gone = ask(d, 200, "DELETE", path_of(d, set, "/records"),
                       arena_printf(d->arena, "{\"dataset_record_ids\":[\"%s\",\"dr-x\"]}",
                                    text_at(two, "dataset_record_id")));
    assert_int_equal(int_at(gone, "deleted_count"), 1);
    json_decref(records);
    page = look(d, "%s&page_token=%s", path_of(d, set, "/records?max_results=2"),
                text_at(page, "next_page_token"));
    assert_non_null(strstr(text_at(page, "records"), "three?"));
    set = at(look(d, "%s", path_of(d, set, "")), "dataset");
    assert_string_equal(text_at(set, "profile"), "{\"num_records\": 2}");
    assert_string_equal(text_at(set, "schema"),
                        "{\"inputs\":{\"q\":\"string\",\"n\":\"integer\"},"
                        "\"outputs\":\"string\","
                        "\"expectations\":{\"a\":\"string\",\"b\":\"array\"},"
                        "\"version\":\"1.0\"}");
}

static void test_records__that_are_none_are_refused(void **state) {
    struct domains *d = *state;
    json_t *set = set_made(d, "refusing", "0");
    static const char *const BAD[] = {"", "{", "{}", "[1]", "[{}] x"};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        refused(d, 400, INVALID, path_of(d, set, "/records"), "{\"records\":\"%s\"}", BAD[i]);
    refused(d, 404, MISSING, SETS "/" NOBODYS "/records", "{\"records\":\"[]\"}");
    look_refused(d, 404, MISSING, SETS "/" NOBODYS "/records");
    look_refused(d, 400, INVALID, "%s", path_of(d, set, "/records?page_token=x"));
    ask(d, 404, "DELETE", SETS "/x/records", "{\"dataset_record_ids\":[]}");
    send_json(d, 404, &d->stranger, "GET", path_of(d, set, ""), NULL);
    send_json(d, 403, &d->viewer, "DELETE", path_of(d, set, ""), NULL);
}

/* ---- issues */

static json_t *issue_made(struct domains *d, const char *experiment, const char *members) {
    return at(call(d, ISSUES,
                   "{\"experiment_id\":\"%s\",\"name\":\"slow\",\"description\":\"too slow\"%s}",
                   experiment, members),
              "issue");
}

static void test_issue__is_told_and_changed(void **state) {
    struct domains *d = *state;
    json_t *issue = issue_made(d, "0",
                               ",\"root_causes\":[\"a\",\"b\"],\"categories\":[\"c\"],"
                               "\"source_run_id\":\"r1\",\"created_by\":\"Ann\"");
    assert_string_equal(text_at(issue, "status"), "pending");
    assert_string_equal(text_at(issue, "source_run_id"), "r1");
    assert_int_equal(json_array_size(at(issue, "root_causes")), 2);
    const char *path = arena_printf(d->arena, ISSUES "/%s", text_at(issue, "issue_id"));
    assert_true(json_equal(at(look(d, "%s", path), "issue"), issue));
    issue = at(ask(d, 200, "PATCH", path,
                   "{\"name\":\"slower\",\"status\":\"resolved\",\"severity\":\"high\"}"),
               "issue");
    assert_string_equal(text_at(issue, "name"), "slower");
    assert_string_equal(text_at(issue, "description"), "too slow");
    assert_string_equal(text_at(issue, "severity"), "high");
    ask(d, 400, "PATCH", path, "{\"status\":\"gone\"}");
    ask(d, 404, "PATCH", ISSUES "/iss-x", "{}");
    look_refused(d, 404, MISSING, ISSUES "/nonexistent");
    send_json(d, 404, &d->stranger, "GET", path, NULL);
    refused(d, 404, MISSING, ISSUES,
            "{\"experiment_id\":\"999\",\"name\":\"x\",\"description\":\"y\"}");
    refused(d, 400, INVALID, ISSUES, "{\"experiment_id\":\"0\",\"name\":\"x\"}");
}

/* The gravest first, then the newest; each with how many traces have it. */
static void test_issue__is_searched(void **state) {
    struct domains *d = *state;
    const char *experiment = experiment_made(d, "issues");
    json_t *grave = issue_made(d, experiment, ",\"severity\":\"high\"");
    json_t *newest = issue_made(d, experiment, ",\"status\":\"rejected\"");
    call(d, "/api/3.0/mlflow/traces",
         "{\"trace\":{\"trace_info\":{\"trace_id\":\"tr-1\",\"request_time\":\"2026-01-01T00:00:"
         "00Z\","
         "\"trace_location\":{\"mlflow_experiment\":{\"experiment_id\":\"%s\"}}}}}",
         experiment);
    call(d, "/api/3.0/mlflow/traces/tr-1/assessments",
         "{\"assessment\":{\"assessment_name\":\"%s\",\"issue\":{}}}", text_at(grave, "issue_id"));
    json_t *page = call(d, ISSUES "/search",
                        "{\"experiment_id\":\"%s\",\"include_trace_count\":true,\"max_results\":1}",
                        experiment);
    json_t *first = json_array_get(at(page, "issues"), 0);
    assert_string_equal(text_at(first, "issue_id"), text_at(grave, "issue_id"));
    assert_int_equal(int_at(first, "trace_count"), 1);
    page = call(d, ISSUES "/search",
                "{\"experiment_id\":\"%s\",\"max_results\":1,\"page_token\":\"%s\"}", experiment,
                text_at(page, "next_page_token"));
    assert_true(json_equal(json_array_get(at(page, "issues"), 0), newest));
    assert_string_equal(text_at(page, "next_page_token"), "");
    page = call(d, ISSUES "/search", "{\"filter_string\":\"status = 'rejected'\"}");
    assert_int_equal(json_array_size(at(page, "issues")), 1);
    refused(d, 400, INVALID, ISSUES "/search", "{\"filter_string\":\"name = 'x'\"}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set__is_made_found_and_deleted),
        cmocka_unit_test(test_set__has_tags_and_experiments),
        cmocka_unit_test(test_records__are_known_by_their_inputs),
        cmocka_unit_test(test_records__that_are_none_are_refused),
        cmocka_unit_test(test_issue__is_told_and_changed),
        cmocka_unit_test(test_issue__is_searched),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
