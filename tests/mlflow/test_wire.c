/* The frame of MLflow's surface: its paths, messages, refusals, and who may do what. */
#include "tests/mlflow/wire.h"

static int status_of(struct domains *d, const char *method, const char *path) {
    arena_reset(d->arena);
    return test_send(d->app, d->arena,
                     &(struct test_request){.method = method, .path = path, .who = &d->editor})
        ->status;
}

static void test_paths__have_many_names(void **state) {
    static const char *const SAME[] = {
        "/api/2.0/mlflow/experiments/get?experiment_id=0",
        "/ajax-api/2.0/mlflow/experiments/get?experiment_id=0",
        "//api//2.0/mlflow///experiments/get?experiment_id=0",
        "/p/ours/api/2.0/mlflow/experiments/get?experiment_id=0",
        "/p/ours//ajax-api/2.0/mlflow/experiments/get?experiment_id=0",
        "/api/3.0/mlflow/server-info",
        "/p/ours/api/3.0/mlflow/server-info",
        "/health",
        "/p/ours/health",
        "/p/ours//version",
    };
    struct domains *d = *state;
    for (size_t i = 0; i < sizeof(SAME) / sizeof(SAME[0]); i++)
        if (status_of(d, "GET", SAME[i]) != 200)
            fail_msg("%s is not there", SAME[i]);
}

/* The path whose slash MLflow's table forgot, and what its pages call instead. */
static void test_paths__search_datasets_stands_at_both(void **state) {
    struct domains *d = *state;
    call(d, "/api/2.0mlflow/experiments/search-datasets", "{\"experiment_ids\":[\"0\"]}");
    call(d, "/ajax-api/2.0/mlflow/experiments/search-datasets", "{\"experiment_ids\":[\"0\"]}");
    refused(d, 400, INVALID, "experiments/search-datasets", "{}");
}

static void test_paths__unknown_ones_lead_to_older_ones(void **state) {
    static const char *const ABSENT[] = {
        "/api/2.0/mlflow/nothing",        "/api/3.0/mlflow/runs/create",
        "/ajax-api/2.0/mlflow",           "/api/2.0/mlflow/runs/get/",
        "/p/ours/api/2.0/mlflow/nothing", "/p/ours/livez",
        "/p/ours/api/v1/projects",        "/p/ours/nothing"};
    struct domains *d = *state;
    for (size_t i = 0; i < sizeof(ABSENT) / sizeof(ABSENT[0]); i++)
        look_refused(d, 404, "ENDPOINT_NOT_FOUND", "%s", ABSENT[i]);
    look_refused(d, 405, "ENDPOINT_NOT_FOUND", "runs/create");
    look_refused(d, 400, INVALID, "/api/2.0/mlflow/runs/../get");
    assert_int_equal(status_of(d, "OPTIONS", "/api/2.0/mlflow/runs/create"), 204);
}

static void test_paths__elsewhere_stay_exact(void **state) {
    struct domains *d = *state;
    assert_int_equal(status_of(d, "GET", "//api/v1/projects"), 404);
    assert_int_equal(status_of(d, "GET", "/ajax-api/v1/projects"), 404);
    assert_int_equal(status_of(d, "GET", "//livez"), 404);
}

static void test_version__is_one_that_clients_trace_with(void **state) {
    struct domains *d = *state;
    struct test_reply *reply =
        test_expect(d->app, d->arena, 200, &(struct test_request){.path = "/version"});
    int major = 0, minor = 0;
    assert_int_equal(sscanf(reply->body, "%d.%d", &major, &minor), 2);
    assert_true(major > 3 || (major == 3 && minor >= 4));
    reply = test_expect(d->app, d->arena, 200, &(struct test_request){.path = "/health"});
    assert_string_equal(reply->body, "OK");
    assert_string_equal(text_at(look(d, "/api/3.0/mlflow/server-info"), "store_type"), "SqlStore");
}

/* --- who --- */

static void test_access__strangers_are_asked_for_a_password(void **state) {
    struct domains *d = *state;
    struct test_reply *reply = test_expect(
        d->app, d->arena, 401,
        &(struct test_request){.path = "/api/2.0/mlflow/experiments/get?experiment_id=0"});
    assert_string_equal(test_header(d->arena, reply, "WWW-Authenticate"), "Basic realm=\"mlflow\"");
    assert_string_equal(text_at(reply->json, "error_code"), "UNAUTHENTICATED");
    assert_int_equal(strncmp(text_at(reply->json, "message"), "You are not authenticated.", 26), 0);
}

static void test_access__viewers_change_nothing(void **state) {
    struct domains *d = *state;
    struct test_reply *reply = send_json(
        d, 403, &d->viewer, "POST", "/api/2.0/mlflow/experiments/create", "{\"name\":\"viewed\"}");
    assert_string_equal(text_at(reply->json, "error_code"), "PERMISSION_DENIED");
    send_json(d, 200, &d->viewer, "GET", "/api/2.0/mlflow/experiments/get?experiment_id=0", NULL);
}

/* What the other team's people read of our run is what they read of none. */
static void test_access__another_teams_run_is_like_no_run(void **state) {
    static const char *const NOBODYS = "ffffffffffffffffffffffffffffffff";
    struct domains *d = *state;
    const char *run = run_opened(d, "0", "private");
    struct test_reply *replies[2];
    for (int i = 0; i < 2; i++)
        replies[i] = send_json(
            d, 404, &d->stranger, "GET",
            arena_printf(d->arena, "/api/2.0/mlflow/runs/get?run_id=%s", i ? NOBODYS : run), NULL);
    assert_string_equal(text_at(replies[0]->json, "message"),
                        arena_printf(d->arena, "Run with id=%s not found", run));
    assert_string_equal(text_at(replies[0]->json, "error_code"),
                        text_at(replies[1]->json, "error_code"));
}

/* --- projects --- */

static void test_projects__keep_runs_and_numbers_apart(void **state) {
    struct domains *d = *state;
    send_json(d, 201, &d->admin, "POST", "/api/v1/projects",
              "{\"slug\":\"second\",\"name\":\"Second\"}");
    json_t *first = call(d, "/p/second/api/2.0/mlflow/experiments/create", "{\"name\":\"mine\"}");
    assert_string_equal(text_at(first, "experiment_id"), "1");
    json_t *run =
        at(call(d, "/p/second/api/2.0/mlflow/runs/create", "{\"experiment_id\":\"1\"}"), "run");
    const char *id = text_at(at(run, "info"), "run_id");
    look(d, "/p/second/api/2.0/mlflow/runs/get?run_id=%s", id);
    look_refused(d, 404, MISSING, "/p/ours/api/2.0/mlflow/runs/get?run_id=%s", id);
    look_refused(d, 404, MISSING, "runs/get?run_id=%s", id);
    refused(d, 404, MISSING, "runs/log-metric",
            "{\"run_id\":\"%s\",\"key\":\"m\",\"value\":1,\"timestamp\":1}", id);
    refused(d, 404, MISSING, "runs/set-tag", "{\"run_id\":\"%s\",\"key\":\"t\",\"value\":\"1\"}",
            id);
    refused(d, 404, MISSING, "runs/delete", "{\"run_id\":\"%s\"}", id);
}

/* Without a name the project is "default" once there is one. */
static void test_projects__default_goes_first(void **state) {
    struct domains *d = *state;
    struct test_team team;
    test_team_create(d->db, "fresh", &team);
    struct principal other = test_person(&team, ROLE_ADMIN);
    send_json(d, 201, &other, "POST", "/api/v1/projects",
              "{\"slug\":\"default\",\"name\":\"Default\"}");
    struct test_reply *reply = send_json(
        d, 200, &other, "POST", "/api/2.0/mlflow/experiments/create", "{\"name\":\"in default\"}");
    assert_string_equal(text_at(reply->json, "experiment_id"), "1");
    send_json(d, 404, &other, "GET",
              "/p/fresh/api/2.0/mlflow/experiments/get-by-name?experiment_name=in%20default", NULL);
    send_json(d, 200, &other, "GET",
              "/p/default/api/2.0/mlflow/experiments/get-by-name?experiment_name=in%20default",
              NULL);
}

/* Hidden, of another team, or never there: one answer. */
static void test_projects__hidden_ones_are_like_none(void **state) {
    struct domains *d = *state;
    send_json(d, 201, &d->admin, "POST", "/api/v1/projects",
              "{\"slug\":\"hidden\",\"name\":\"Hidden\"}");
    test_sql(d->db, arena_printf(d->arena,
                                 "insert into project_roles (team_id, project_id, user_id, role) "
                                 "select team_id, id, '%s', 'none' from projects "
                                 "where slug = 'hidden'",
                                 d->ours.user_id));
    struct principal outsider = d->editor;
    outsider.by_project = true;
    static const char *const SLUGS[] = {"hidden", "theirs", "nobodys"};
    const char *bodies[3];
    for (int i = 0; i < 3; i++)
        bodies[i] =
            send_json(d, 404, &outsider, "GET",
                      arena_printf(d->arena, "/p/%s/api/2.0/mlflow/experiments/get?experiment_id=0",
                                   SLUGS[i]),
                      NULL)
                ->body;
    assert_string_equal(bodies[0], bodies[1]);
    assert_string_equal(bodies[0], bodies[2]);
    send_json(d, 200, &outsider, "GET", "/api/2.0/mlflow/experiments/get?experiment_id=0", NULL);
}

/* Somebody's role in the project counts, not the one in the team. */
static void test_projects__roles_in_them_count(void **state) {
    struct domains *d = *state;
    send_json(d, 201, &d->admin, "POST", "/api/v1/projects",
              "{\"slug\":\"watched\",\"name\":\"Watched\"}");
    test_sql(d->db, arena_printf(d->arena,
                                 "insert into project_roles (team_id, project_id, user_id, role) "
                                 "select team_id, id, '%s', 'viewer' from projects "
                                 "where slug = 'watched'",
                                 d->ours.user_id));
    struct principal watcher = d->editor;
    watcher.by_project = true;
    send_json(d, 403, &watcher, "POST", "/p/watched/api/2.0/mlflow/runs/create", "{}");
    send_json(d, 200, &watcher, "GET", "/p/watched/api/2.0/mlflow/experiments/get?experiment_id=0",
              NULL);
    send_json(d, 200, &watcher, "POST", "/p/ours/api/2.0/mlflow/runs/create", "{}");
}

/* --- messages --- */

static void test_messages__take_numbers_in_every_form(void **state) {
    struct domains *d = *state;
    const char *run = run_opened(d, "0", "forms");
    call(d, "runs/log-metric",
         "{\"run_uuid\":\"%s\",\"key\":\"a\",\"value\":\"NaN\",\"timestamp\":\"12\","
         "\"step\":\"-3\",\"unknown\":{\"x\":[1]}}",
         run);
    call(d, "runs/log-metric",
         "{\"run_id\":\"%s\",\"key\":\"b\",\"value\":\"-Infinity\",\"timestamp\":12.0}", run);
    call(d, "runs/log-metric",
         "{\"run_id\":\"%s\",\"key\":\"c\",\"value\":\"1e-3\",\"timestamp\":1e3,\"step\":null}",
         run);
    assert_string_equal(logged(d, run, "metrics", "a"), "\"NaN\"");
    assert_string_equal(logged(d, run, "metrics", "b"), "-1.7976931348623157e308");
    assert_string_equal(logged(d, run, "metrics", "c"), "0.001");
}

static void test_messages__may_be_quoted_once_more(void **state) {
    struct domains *d = *state;
    call(d, "experiments/create", "%s", "\"{\\\"name\\\":\\\"quoted twice\\\"}\"");
    look(d, "experiments/get-by-name?experiment_name=quoted+twice");
}

static void test_messages__say_what_is_missing_or_mistyped(void **state) {
    static const struct {
        const char *path, *json, *message;
    } CASES[] = {
        {"experiments/create", "{}",
         "Missing value for required parameter 'name'. See the API docs "
         "for more information about request parameters."},
        {"experiments/create", "{\"name\":\"\"}", "Missing value for required parameter 'name'."},
        {"experiments/create", "{\"name\":null}", "Missing value for required parameter 'name'."},
        {"experiments/create", "{nonsense", "Missing value for required parameter 'name'."},
        {"experiments/create", "[1]", "Missing value for required parameter 'name'."},
        {"runs/log-metric", "{\"run_id\":31}",
         "Invalid value 31 for parameter 'run_id' supplied:  Hint: Value was of type 'int'. See "
         "the "
         "API docs for more information about request parameters."},
        {"runs/set-tag", "{\"run_id\":[\"x\"]}",
         "Invalid value [\"x\"] for parameter 'run_id' supplied:  Hint: Value was of type 'list'."},
        {"runs/update", "{\"run_id\":\"x\",\"end_time\":\"soon\"}",
         "Invalid value \"soon\" for parameter 'end_time' supplied:  Hint: Value was of type "
         "'str'."},
        {"runs/update", "{\"run_id\":\"x\",\"status\":\"DREAMING\"}",
         "Invalid value \"DREAMING\" for parameter 'status' supplied"},
        {"runs/log-batch", "{\"run_id\":\"x\",\"metrics\":[{\"key\":\"m\",\"value\":1}]}",
         "Missing value for required parameter 'metrics[0].timestamp'."},
        {"runs/log-batch", "{\"run_id\":\"x\",\"params\":[{\"key\":\"p\"},{\"value\":\"1\"}]}",
         "Missing value for required parameter 'params[1].key'."},
        {"runs/log-batch", "{\"run_id\":\"x\",\"tags\":{}}",
         "Invalid value {} for parameter 'tags' supplied:  Hint: Value was of type 'dict'."},
        {"runs/log-batch", "{\"run_id\":\"x\",\"tags\":[7]}", "Invalid value [7] for parameter"},
        {"runs/search", "{\"experiment_ids\":[1]}", "Invalid value [1] for parameter"},
        {"runs/search", "nothing", "not valid JSON"},
        {"runs/search", "[]", "the body is not a JSON object"},
    };
    struct domains *d = *state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        const char *message = refused(d, 400, INVALID, CASES[i].path, "%s", CASES[i].json);
        if (strncmp(message, CASES[i].message, strlen(CASES[i].message)) != 0)
            fail_msg("%s with %s says: %s", CASES[i].path, CASES[i].json, message);
    }
    assert_string_equal(look_refused(d, 400, INVALID, "runs/get"),
                        "Missing value for required parameter 'run_id'. See the API docs for more "
                        "information about request parameters.");
}

static void test_messages__name_their_type(void **state) {
    struct domains *d = *state;
    struct test_request rq = {.method = "POST",
                              .path = "/api/2.0/mlflow/experiments/create",
                              .body = "{\"name\":\"typed\"}",
                              .size = 16,
                              .who = &d->editor};
    struct test_reply *reply = test_expect(d->app, d->arena, 400, &rq);
    assert_string_equal(text_at(reply->json, "message"),
                        "Bad Request. Content-Type header is missing.");
    static const char *const WRONG[] = {"text/plain", "application/json; charset=utf-16",
                                        "application/x-www-form-urlencoded"};
    for (size_t i = 0; i < 3; i++) {
        rq.content_type = WRONG[i];
        reply = test_expect(d->app, d->arena, 400, &rq);
        assert_string_equal(text_at(reply->json, "message"),
                            "Bad Request. Content-Type must be one of ['application/json'].");
    }
    rq.content_type = "application/json; charset=utf-8";
    test_expect(d->app, d->arena, 200, &rq);
}

/* --- B18: hostile JSON, and nothing of it is stored --- */

static const char *repeated(struct domains *d, const char *piece, size_t count, const char *end) {
    auto_buf text = {0};
    for (size_t i = 0; i < count; i++)
        buf_text(&text, piece);
    buf_text(&text, end);
    return arena_strdup(d->arena, text.data);
}

static void test_b18__hostile_json_is_the_senders_fault(void **state) {
    struct domains *d = *state;
    const char *run = run_opened(d, "0", "b18");
    const char *deep = repeated(d, "[", 33, "");
    struct {
        int status;
        const char *value;
    } cases[] = {
        {400, deep},
        {400, repeated(d, "[", 100000, "")},
        {400, repeated(d, "{},", 300000, "1")},
        {400, "1,\"value\":2"},
        {400, "1e400"},
        {400, "NaN"},
        {400, "Infinity"},
        {400, "\"\\ud800\""},
        {400, "\"\\u0000\""},
        {400, "\"1\" 2"},
        {400, "[]"},
        {400, "{}"},
        {400, "true"},
        {400, "\"one\""},
        {400, "\"0x10\""},
        {400, "\"nan\""},
        {400, "\" 1\""},
        {400, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct test_reply *reply =
            test_send(d->app, d->arena,
                      &(struct test_request){
                          .method = "POST",
                          .path = "/api/2.0/mlflow/runs/log-metric",
                          .json = arena_printf(d->arena,
                                               "{\"run_id\":\"%s\",\"key\":\"k\",\"timestamp\":1,"
                                               "\"value\":%s}",
                                               run, cases[i].value),
                          .who = &d->editor});
        if (reply->status != cases[i].status)
            fail_msg("case %zu gave %d: %.200s", i, reply->status, reply->body);
    }
    refused(d, 400, INVALID, "runs/log-metric",
            "{\"run_id\":\"%s\",\"key\":\"k\",\"value\":1,\"timestamp\":9223372036854775808}", run);
    refused(d, 400, INVALID, "runs/log-metric",
            "{\"run_id\":\"%s\",\"key\":\"k\",\"value\":1,\"timestamp\":\"9223372036854775808\"}",
            run);
    refused(d, 400, INVALID, "runs/log-metric", "\xef\xbb\xbf{\"run_id\":\"%s\"}", run);
    assert_null(logged(d, run, "metrics", "k"));
}

static void test_b18__bodies_have_an_end_and_no_coding(void **state) {
    struct domains *d = *state;
    struct test_request rq = {.method = "POST",
                              .path = "/api/2.0/mlflow/runs/log-metric",
                              .json = repeated(d, " ", (1 << 20) + 1, "{}"),
                              .who = &d->editor};
    struct test_reply *reply = test_expect(d->app, d->arena, 413, &rq);
    assert_string_equal(text_at(reply->json, "error_code"), INVALID);
    rq.json = "{}";
    rq.headers[0] = (struct http_header){"Content-Encoding", "gzip"};
    test_expect(d->app, d->arena, 400, &rq);
    rq.headers[0] = (struct http_header){NULL, NULL};
    rq.json = NULL;
    rq.content_type = "application/json";
    rq.body = "{}";
    rq.size = 2;
    rq.chunked = true;
    test_expect(d->app, d->arena, 400, &rq);
}

/* A batch at all limits is larger than other bodies may be, and passes. */
static void test_messages__may_be_large_where_the_limits_are(void **state) {
    struct domains *d = *state;
    const char *run = run_opened(d, "0", "large");
    const char *value = repeated(d, "\\u00e9", 6000, "");
    auto_buf json = {0};
    buf_printf(&json, "{\"run_id\":\"%s\",\"params\":[", run);
    for (int i = 0; i < 100; i++)
        buf_printf(&json, "%s{\"key\":\"p%d\",\"value\":\"%s\"}", i ? "," : "", i, value);
    buf_text(&json, "]}");
    assert_true(json.size > 3 << 20);
    call(d, "runs/log-batch", "%s", json.data);
    assert_int_equal(strlen(logged(d, run, "params", "p99")), 2 * 6000 + 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths__have_many_names),
        cmocka_unit_test(test_paths__search_datasets_stands_at_both),
        cmocka_unit_test(test_paths__unknown_ones_lead_to_older_ones),
        cmocka_unit_test(test_paths__elsewhere_stay_exact),
        cmocka_unit_test(test_version__is_one_that_clients_trace_with),
        cmocka_unit_test(test_access__strangers_are_asked_for_a_password),
        cmocka_unit_test(test_access__viewers_change_nothing),
        cmocka_unit_test(test_access__another_teams_run_is_like_no_run),
        cmocka_unit_test(test_projects__keep_runs_and_numbers_apart),
        cmocka_unit_test(test_projects__default_goes_first),
        cmocka_unit_test(test_projects__hidden_ones_are_like_none),
        cmocka_unit_test(test_projects__roles_in_them_count),
        cmocka_unit_test(test_messages__take_numbers_in_every_form),
        cmocka_unit_test(test_messages__may_be_quoted_once_more),
        cmocka_unit_test(test_messages__say_what_is_missing_or_mistyped),
        cmocka_unit_test(test_messages__name_their_type),
        cmocka_unit_test(test_messages__may_be_large_where_the_limits_are),
        cmocka_unit_test(test_b18__hostile_json_is_the_senders_fault),
        cmocka_unit_test(test_b18__bodies_have_an_end_and_no_coding),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
