/* Traces on MLflow's wire: told, read, searched, tagged, judged, linked and deleted. */
#include "tests/mlflow/wire.h"
#include "traces/traces.h"

#define V3 "/api/3.0/mlflow/traces"
#define V2 "/api/2.0/mlflow/traces"
#define ID(tail) "tr-000000000000000000000000000000" tail

static json_t *ask(struct domains *d, int status, const char *method, const char *path,
                   const char *json) {
    return send_json(d, status, &d->editor, method, path, json)->json;
}

/* Tells one; members are further ones of its info, each with a comma before it. */
static json_t *told(struct domains *d, const char *id, const char *seconds, const char *members) {
    json_t *reply =
        ask(d, 200, "POST", V3,
            arena_printf(
                d->arena,
                "{\"trace\":{\"trace_info\":{\"trace_id\":\"%s\",\"request_time\":"
                "\"2026-01-01T00:00:%sZ\",\"execution_duration\":\"1.062s\",\"trace_location\":"
                "{\"type\":\"MLFLOW_EXPERIMENT\",\"mlflow_experiment\":{\"experiment_id\":\"0\"}}"
                "%s}}}",
                id, seconds, members));
    return at(at(reply, "trace"), "trace_info");
}

static void test_trace__is_told_and_told_anew(void **state) {
    struct domains *d = *state;
    json_t *info = told(d, ID("01"), "01",
                        ",\"state\":\"IN_PROGRESS\",\"client_request_id\":\"mine\","
                        "\"request_preview\":\"q\",\"tags\":{\"a\":\"1\"},"
                        "\"trace_metadata\":{\"m\":\"x\"}");
    assert_string_equal(text_at(info, "state"), "IN_PROGRESS");
    info = told(d, ID("01"), "01",
                ",\"state\":\"OK\",\"response_preview\":\"r\",\"tags\":{\"b\":\"2\"}");
    assert_string_equal(text_at(info, "trace_id"), ID("01"));
    assert_string_equal(text_at(info, "state"), "OK");
    assert_string_equal(text_at(info, "client_request_id"), "mine");
    assert_string_equal(text_at(info, "request_preview"), "q");
    assert_string_equal(text_at(info, "response_preview"), "r");
    assert_string_equal(text_at(info, "request_time"), "2026-01-01T00:00:01.000000Z");
    assert_string_equal(text_at(info, "execution_duration"), "1.062s");
    json_t *location = at(at(info, "trace_location"), "mlflow_experiment");
    assert_string_equal(text_at(location, "experiment_id"), "0");
    json_t *tags = at(info, "tags");
    assert_string_equal(text_at(tags, "a"), "1");
    assert_string_equal(text_at(tags, "b"), "2");
    assert_string_equal(text_at(tags, "mlflow.trace.spansLocation"), "TRACKING_STORE");
    assert_string_equal(text_at(at(info, "trace_metadata"), "m"), "x");
    info = at(at(ask(d, 200, "GET", V3 "/" ID("01"), NULL), "trace"), "trace_info");
    assert_string_equal(text_at(info, "state"), "OK");
}

static void test_trace__wrong_ones_are_refused(void **state) {
    struct domains *d = *state;
    static const char *const INFOS[] = {
        "{}",
        "{\"trace_id\":\"tr-1\"}",
        "{\"trace_id\":\"tr-1\",\"request_time\":\"yesterday\"}",
        "{\"trace_id\":\"tr 1\",\"request_time\":\"2026-01-01T00:00:00Z\"}",
        "{\"trace_id\":\"tr-1\",\"request_time\":\"2026-01-01T00:00:00Z\",\"state\":\"DONE\"}",
        "{\"trace_id\":\"tr-1\",\"request_time\":\"2026-01-01T00:00:00Z\",\"tags\":[]}",
        "{\"trace_id\":\"tr-1\",\"request_time\":\"2026-01-01T00:00:00Z\",\"tags\":{\"a\":1}}",
        "{\"trace_id\":\"tr-1\",\"request_time\":\"2026-01-01T00:00:00Z\",\"assessments\":[1]}",
        "{\"trace_id\":\"tr-1\",\"request_time\":\"2026-01-01T00:00:00Z\",\"assessments\":[{}]}",
        "{\"trace_id\":\"tr-1\",\"request_time\":\"2026-01-01T00:00:00Z\","
        "\"execution_duration\":\"long\"}",
        "{\"trace_id\":\"tr-1\",\"request_time\":\"2026-01-01T00:00:00Z\","
        "\"execution_duration\":\"-1s\"}"};
    for (size_t i = 0; i < sizeof(INFOS) / sizeof(INFOS[0]); i++)
        refused(d, 400, INVALID, V3, "{\"trace\":{\"trace_info\":%s}}", INFOS[i]);
    refused(d, 400, INVALID, V3, "{}");
    refused(d, 404, MISSING, V3,
            "{\"trace\":{\"trace_info\":{\"trace_id\":\"tr-1\",\"request_time\":"
            "\"2026-01-01T00:00:00Z\",\"trace_location\":{\"mlflow_experiment\":"
            "{\"experiment_id\":\"4711\"}}}}}");
    assert_string_equal(look_refused(d, 404, MISSING, V3 "/tr-1"),
                        "Trace with ID 'tr-1' not found.");
}

static size_t count_of(json_t *json, const char *member) {
    return json_array_size(at(json, member));
}

static void test_trace__are_read_by_ids(void **state) {
    struct domains *d = *state;
    told(d, ID("11"), "01", "");
    told(d, ID("12"), "02", "");
    json_t *trace = at(look(d, V3 "/get?trace_id=" ID("11") "&allow_partial=False"), "trace");
    assert_string_equal(text_at(at(trace, "trace_info"), "trace_id"), ID("11"));
    assert_int_equal(count_of(trace, "spans"), 0);
    look_refused(d, 404, MISSING, V3 "/get?trace_id=tr-none");
    json_t *batch =
        look(d, V3 "/batchGet?trace_ids=" ID("12") "&trace_ids=none&trace_ids=" ID("11"));
    assert_int_equal(count_of(batch, "traces"), 2);
    json_t *first = at(json_array_get(at(batch, "traces"), 0), "trace_info");
    assert_string_equal(text_at(first, "trace_id"), ID("12"));
    batch = look(d, V3 "/batchGet?experiment_ids=99&trace_ids=" ID("12"));
    assert_int_equal(count_of(batch, "traces"), 0);
    json_t *infos = call(d, V3 "/batchGetInfos",
                         "{\"trace_ids\":[\"" ID("12") "\"],"
                                                       "\"experiment_ids\":[\"0\"]}");
    assert_int_equal(count_of(infos, "trace_infos"), 1);
    const char *ids = "\"x\"";
    for (int i = 0; i < 100; i++)
        ids = arena_printf(d->arena, "%s,\"x\"", ids);
    refused(d, 400, INVALID, V3 "/batchGetInfos", "{\"trace_ids\":[%s]}", ids);
    refused(d, 400, INVALID, V2 "/delete-traces", "{\"experiment_id\":\"0\",\"request_ids\":[%s]}",
            ids);
}

/* How many the filter finds in experiment 0. */
static size_t found(struct domains *d, const char *filter) {
    return count_of(call(d, V3 "/search",
                         "{\"locations\":[{\"mlflow_experiment\":{\"experiment_id\":\"0\"}}],"
                         "\"filter\":\"%s\"}",
                         filter),
                    "traces");
}

static void test_trace__are_searched(void **state) {
    struct domains *d = *state;
    told(d, ID("21"), "21",
         ",\"state\":\"OK\",\"tags\":{\"mlflow.traceName\":\"seek\",\"stage\":\"live\"}");
    told(d, ID("22"), "22",
         ",\"state\":\"ERROR\",\"tags\":{\"mlflow.traceName\":\"seek\"},"
         "\"trace_metadata\":{\"user\":\"ada\"}");
    assert_int_equal(found(d, "name = 'seek'"), 2);
    assert_int_equal(found(d, "name = 'seek' AND status = 'ERROR'"), 1);
    assert_int_equal(found(d, "name LIKE 'se%' AND tag.stage = 'live'"), 1);
    assert_int_equal(found(d, "name = 'seek' AND tag.stage IS NULL"), 1);
    assert_int_equal(found(d, "name RLIKE '^s.*k$'"), 2);
    assert_int_equal(found(d, "request_metadata.user = 'ada'"), 1);
    assert_int_equal(found(d, "name = 'seek' AND execution_time_ms = 1062"), 2);
    assert_int_equal(found(d, "name = 'seek' AND timestamp_ms > 1767225621000"), 1);
    json_t *page = call(d, V3 "/search",
                        "{\"locations\":[{\"mlflow_experiment\":{\"experiment_id\":\"0\"}}],"
                        "\"filter\":\"name = 'seek'\",\"max_results\":1,"
                        "\"order_by\":[\"timestamp_ms ASC\"]}");
    assert_string_equal(text_at(json_array_get(at(page, "traces"), 0), "trace_id"), ID("21"));
    page = call(d, V3 "/search",
                "{\"locations\":[{\"mlflow_experiment\":{\"experiment_id\":\"0\"}}],"
                "\"filter\":\"name = 'seek'\",\"max_results\":1,"
                "\"order_by\":[\"timestamp_ms ASC\"],\"page_token\":\"%s\"}",
                text_at(page, "next_page_token"));
    assert_string_equal(text_at(json_array_get(at(page, "traces"), 0), "trace_id"), ID("22"));
    assert_null(json_object_get(page, "next_page_token"));
    assert_int_equal(count_of(call(d, V3 "/search", "{}"), "traces"), 0);
    refused(d, 400, INVALID, V3 "/search", "{\"filter\":\"nonsense ~ 1\"}");
    refused(d, 400, INVALID, V3 "/search", "{\"max_results\":501}");
    refused(d, 400, INVALID, V3 "/search", "{\"max_results\":0}");
}

static void test_trace__has_tags(void **state) {
    struct domains *d = *state;
    static const char *const ROOTS[] = {V2, V3};
    told(d, ID("31"), "01", "");
    for (int i = 0; i < 2; i++) {
        const char *path = arena_printf(d->arena, "%s/" ID("31") "/tags", ROOTS[i]);
        ask(d, 200, "PATCH", path, "{\"key\":\"k\",\"value\":\"v\"}");
        json_t *info = at(at(look(d, V3 "/" ID("31")), "trace"), "trace_info");
        assert_string_equal(text_at(at(info, "tags"), "k"), "v");
        ask(d, 200, "DELETE", path, "{\"key\":\"k\"}");
        ask(d, 404, "DELETE", path, "{\"key\":\"k\"}");
        ask(d, 400, "PATCH", path, "{\"value\":\"v\"}");
    }
    const char *name = arena_printf(d->arena, "%0300d", 7);
    ask(d, 400, "PATCH", V3 "/" ID("31") "/tags",
        arena_printf(d->arena, "{\"key\":\"%s\",\"value\":\"v\"}", name));
    const char *value = arena_printf(d->arena, "%09000d", 7);
    ask(d, 200, "PATCH", V3 "/" ID("31") "/tags",
        arena_printf(d->arena, "{\"key\":\"long\",\"value\":\"%s\"}", value));
    json_t *info = at(at(look(d, V3 "/" ID("31")), "trace"), "trace_info");
    assert_int_equal(strlen(text_at(at(info, "tags"), "long")), 8000);
    ask(d, 404, "PATCH", V3 "/tr-none/tags", "{\"key\":\"k\"}");
    send_json(d, 404, &d->stranger, "PATCH", V3 "/" ID("31") "/tags", "{\"key\":\"k\"}");
    send_json(d, 403, &d->viewer, "PATCH", V3 "/" ID("31") "/tags", "{\"key\":\"k\"}");
}

#define JUDGED V3 "/" ID("41") "/assessments"

static json_t *judged(struct domains *d, const char *members) {
    return at(call(d, JUDGED, "{\"assessment\":{\"assessment_name\":\"good\",%s}}", members),
              "assessment");
}

static json_t *judgement(struct domains *d, const char *id) {
    return at(look(d, JUDGED "/%s", id), "assessment");
}

static void test_trace__is_judged(void **state) {
    struct domains *d = *state;
    told(d, ID("41"), "01",
         ",\"assessments\":[{\"assessment_id\":\"a-first\","
         "\"assessment_name\":\"length\",\"feedback\":{\"value\":3}}]");
    json_t *made = judged(d, "\"feedback\":{\"value\":true},\"rationale\":\"it is\"");
    const char *id = text_at(made, "assessment_id");
    assert_string_equal(text_at(made, "trace_id"), ID("41"));
    assert_true(json_is_true(at(made, "valid")));
    text_at(made, "create_time");
    assert_int_equal(found(d, "feedback.good = 'true'"), 1);
    assert_int_equal(found(d, "feedback.length = '3'"), 1);
    made = judged(
        d, arena_printf(d->arena, "\"feedback\":{\"value\":false},\"overrides\":\"%s\"", id));
    assert_true(json_is_false(at(judgement(d, id), "valid")));
    ask(d, 200, "DELETE", arena_printf(d->arena, JUDGED "/%s", text_at(made, "assessment_id")),
        NULL);
    assert_true(json_is_true(at(judgement(d, id), "valid")));
    json_t *info = at(at(look(d, V3 "/" ID("41")), "trace"), "trace_info");
    assert_int_equal(count_of(info, "assessments"), 2);
    made = judged(d, "\"expectation\":{\"value\":\"because\"}");
    assert_int_equal(found(d, "expectation.good = 'because'"), 1);
    look_refused(d, 404, MISSING, JUDGED "/none");
    refused(d, 400, INVALID, JUDGED, "{\"assessment\":{\"assessment_name\":\"x\"}}");
    refused(d, 400, INVALID, JUDGED, "{\"assessment\":{\"feedback\":{\"value\":1}}}");
    refused(d, 400, INVALID, JUDGED, "{\"assessment\":1}");
    refused(d, 404, MISSING, V3 "/tr-none/assessments", "{\"assessment\":{}}");
}

static void test_trace__judgements_change(void **state) {
    struct domains *d = *state;
    told(d, ID("41"), "01", "");
    const char *id = text_at(
        judged(d, "\"feedback\":{\"value\":\"a\"},\"rationale\":\"r\",\"metadata\":{\"a\":\"1\"}"),
        "assessment_id");
    const char *path = arena_printf(d->arena, JUDGED "/%s", id);
    ask(d, 200, "PATCH", path,
        "{\"assessment\":{\"metadata\":{\"b\":\"2\"}},\"update_mask\":\"metadata\"}");
    assert_string_equal(text_at(at(judgement(d, id), "metadata"), "a"), "1");
    assert_string_equal(text_at(at(judgement(d, id), "metadata"), "b"), "2");
    ask(d, 200, "PATCH", path,
        "{\"assessment\":{\"assessment_name\":\"fine\",\"feedback\":{\"value\":\"b\"},"
        "\"rationale\":\"not named\"},\"update_mask\":\"assessmentName,feedback\"}");
    json_t *now = judgement(d, id);
    assert_string_equal(text_at(now, "assessment_name"), "fine");
    assert_string_equal(text_at(at(now, "feedback"), "value"), "b");
    assert_string_equal(text_at(now, "rationale"), "r");
    ask(d, 200, "PATCH", path,
        "{\"assessment\":{\"rationale\":\"s\"},\"update_mask\":{\"paths\":[\"rationale\"]}}");
    assert_string_equal(text_at(judgement(d, id), "rationale"), "s");
    assert_int_equal(found(d, "feedback.fine = 'b'"), 1);
    ask(d, 404, "PATCH", JUDGED "/none", "{\"assessment\":{\"rationale\":\"s\"}}");
}

static void test_trace__has_so_many_judgements_at_most(void **state) {
    struct domains *d = *state;
    told(d, ID("42"), "01", "");
    const char *each = "{\"assessment_name\":\"n\",\"feedback\":{\"value\":1}}", *all = each;
    for (int i = 1; i < TRACE_ASSESSMENTS_MAX; i++)
        all = arena_printf(d->arena, "%s,%s", all, each);
    told(d, ID("42"), "01", arena_printf(d->arena, ",\"assessments\":[%s]", all));
    refused(d, 400, INVALID, V3 "/" ID("42") "/assessments", "{\"assessment\":%s}", each);
}

static void test_trace__belongs_to_runs(void **state) {
    struct domains *d = *state;
    const char *run = run_opened(d, "0", "traced"), *other = run_opened(d, "0", "linked");
    told(d, ID("51"), "01",
         arena_printf(d->arena, ",\"trace_metadata\":{\"mlflow.sourceRun\":\"%s\"}", run));
    assert_int_equal(found(d, arena_printf(d->arena, "run_id = '%s'", run)), 1);
    call(d, V2 "/link-to-run", "{\"trace_ids\":[\"" ID("51") "\",\"none\"],\"run_id\":\"%s\"}",
         other);
    call(d, V2 "/link-to-run", "{\"trace_ids\":[\"" ID("51") "\"],\"run_id\":\"%s\"}", other);
    assert_int_equal(found(d, arena_printf(d->arena, "run_id = '%s'", other)), 1);
    refused(d, 400, INVALID, V2 "/link-to-run", "{\"trace_ids\":[],\"run_id\":\"%s\"}", run);
    refused(d, 404, MISSING, V2 "/link-to-run",
            "{\"trace_ids\":[\"" ID("51") "\"],\"run_id\":\""
                                          "00000000000000000000000000000000\"}");
    told(d, ID("52"), "01", ",\"trace_metadata\":{\"mlflow.sourceRun\":\"no run\"}");
}

static int64_t deleted(struct domains *d, const char *path, const char *members) {
    return int_at(call(d, path, "{\"experiment_id\":\"0\",%s}", members), "traces_deleted");
}

static void test_trace__are_deleted(void **state) {
    struct domains *d = *state;
    told(d, ID("61"), "01", ",\"tags\":{\"x\":\"y\"}");
    assert_int_equal(deleted(d, V2 "/delete-traces", "\"request_ids\":[\"" ID("61") "\",\"x\"]"),
                     1);
    look_refused(d, 404, MISSING, V3 "/" ID("61"));
    deleted(d, V3 "/delete-traces", "\"max_timestamp_millis\":4102444800000");
    for (int i = 2; i < 5; i++)
        told(d, arena_printf(d->arena, ID("6%d"), i), arena_printf(d->arena, "0%d", i), "");
    assert_int_equal(
        deleted(d, V3 "/delete-traces", "\"max_timestamp_millis\":1767225603000,\"max_traces\":1"),
        1);
    look_refused(d, 404, MISSING, V3 "/" ID("62"));
    assert_int_equal(deleted(d, V3 "/delete-traces", "\"max_timestamp_millis\":1767225603000"), 1);
    look(d, V3 "/" ID("64"));
    static const char *const WRONG[] = {
        "\"max_traces\":1", "\"max_timestamp_millis\":1,\"request_ids\":[\"x\"]",
        "\"max_timestamp_millis\":1,\"max_traces\":0", "\"request_ids\":[\"x\"],\"max_traces\":1",
        "\"max_timestamp_millis\":-1"};
    for (size_t i = 0; i < sizeof(WRONG) / sizeof(WRONG[0]); i++)
        refused(d, 400, INVALID, V3 "/delete-traces", "{\"experiment_id\":\"0\",%s}", WRONG[i]);
    refused(d, 404, MISSING, V3 "/delete-traces",
            "{\"experiment_id\":\"4711\",\"max_timestamp_millis\":1}");
}

static void test_trace__older_clients_are_understood(void **state) {
    struct domains *d = *state;
    json_t *info = at(call(d, V2,
                           "{\"experiment_id\":\"0\",\"timestamp_ms\":1000,"
                           "\"request_metadata\":[{\"key\":\"m\",\"value\":\"n\"}],"
                           "\"tags\":[{\"key\":\"old\",\"value\":\"yes\"}]}"),
                      "trace_info");
    const char *id = text_at(info, "request_id");
    assert_string_equal(text_at(info, "status"), "IN_PROGRESS");
    assert_null(json_object_get(info, "execution_time_ms"));
    const char *path = arena_printf(d->arena, V2 "/%s", id);
    info =
        at(ask(d, 200, "PATCH", path, "{\"timestamp_ms\":1500,\"status\":\"OK\"}"), "trace_info");
    assert_int_equal(int_at(info, "execution_time_ms"), 500);
    info = at(look(d, V2 "/%s/info", id), "trace_info");
    assert_string_equal(text_at(info, "status"), "OK");
    assert_int_equal(int_at(info, "timestamp_ms"), 1000);
    assert_string_equal(text_at(json_array_get(at(info, "tags"), 0), "value"), "yes");
    json_t *page =
        look(d, V2 "?experiment_ids=0&filter=tags.old%%20%%3D%%20%%27yes%%27&max_results=1");
    assert_string_equal(text_at(json_array_get(at(page, "traces"), 0), "request_id"), id);
    ask(d, 400, "PATCH", path, "{\"timestamp_ms\":-1,\"status\":\"OK\"}");
    refused(d, 400, INVALID, V2, "{\"experiment_id\":\"0\",\"timestamp_ms\":-1}");
    call(d, V2, "{\"experiment_id\":\"0\",\"timestamp_ms\":0}");
    refused(d, 404, MISSING, V2, "{\"experiment_id\":\"4711\",\"timestamp_ms\":1}");
    look_refused(d, 404, MISSING, V2 "/none/info");
    look_refused(d, 400, INVALID, V2 "?experiment_ids=0&max_results=0");
}

static void test_trace__of_others_is_none(void **state) {
    struct domains *d = *state;
    told(d, ID("71"), "01", "");
    static const char *const PATHS[] = {V3 "/" ID("71"), V2 "/" ID("71") "/info",
                                        V3 "/get?trace_id=" ID("71"),
                                        V3 "/" ID("71") "/assessments/a"};
    for (size_t i = 0; i < sizeof(PATHS) / sizeof(PATHS[0]); i++)
        send_json(d, 404, &d->stranger, "GET", PATHS[i], NULL);
    send_json(d, 201, &d->admin, "POST", "/api/v1/projects", "{\"slug\":\"side\",\"name\":\"S\"}");
    look_refused(d, 404, MISSING, "/p/side" V3 "/" ID("71"));
    json_t *none = look(d, "/p/side" V3 "/batchGet?trace_ids=" ID("71"));
    assert_int_equal(count_of(none, "traces"), 0);
    static const char *const LATER[] = {"/api/3.0/mlflow/gateway/endpoints/list",
                                        "/api/3.0/mlflow/scorers/list"};
    for (size_t i = 0; i < sizeof(LATER) / sizeof(LATER[0]); i++)
        refused(d, 404, "ENDPOINT_NOT_FOUND", LATER[i], "{}");
    refused(d, 405, "ENDPOINT_NOT_FOUND", V3 "/metrics", "{}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_trace__is_told_and_told_anew),
        cmocka_unit_test(test_trace__wrong_ones_are_refused),
        cmocka_unit_test(test_trace__are_read_by_ids),
        cmocka_unit_test(test_trace__are_searched),
        cmocka_unit_test(test_trace__has_tags),
        cmocka_unit_test(test_trace__is_judged),
        cmocka_unit_test(test_trace__judgements_change),
        cmocka_unit_test(test_trace__has_so_many_judgements_at_most),
        cmocka_unit_test(test_trace__belongs_to_runs),
        cmocka_unit_test(test_trace__are_deleted),
        cmocka_unit_test(test_trace__older_clients_are_understood),
        cmocka_unit_test(test_trace__of_others_is_none),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
