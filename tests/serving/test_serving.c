/* Serving: endpoints that start with the first request, bodies passed through untouched, runners
 * that die, refuse or rest, and the Open Inference Protocol. */
#include "tests/serving/fake_runner.h"

#include "serving/internal.h"

static struct test_reply *infer(struct domains *d, int status, const char *path, const char *body,
                                const char *content_type) {
    return test_expect(d->app, d->arena, status,
                       &(struct test_request){.method = "POST",
                                              .path = path,
                                              .body = body,
                                              .size = strlen(body),
                                              .content_type = content_type,
                                              .who = &d->viewer});
}

static const char *infer_path(struct domains *d, const char *model) {
    return arena_printf(d->arena, "/v2/models/%s/infer", model);
}

static json_t *endpoint_of(struct domains *d, json_t *version) {
    return at(get_ok(d, "/api/v1/model-versions/%s", text_at(version, "id")), "endpoint");
}

static void test_infer__first_request_starts_the_runner(void **state) {
    struct domains *d = *state;
    struct fake_runner r = {0};
    json_t *version = model_version_make(d, "first");
    fake_runner_start(&r, d, "first");
    /* a client that sends a query and no content type */
    struct test_reply *reply =
        infer(d, 200, "/v2/models/first/infer?test_1=1", "{\"inputs\":[]}", NULL);
    assert_string_equal(text_at(reply->json, "begins"), "{\"inputs\":[]}");
    assert_string_equal(text_at(reply->json, "content"), "json");
    infer(d, 200, "/v2/models/first/versions/1/infer", "{}", "application/json");
    assert_string_equal(text_at(endpoint_of(d, version), "state"), "ready");
    const char *sql =
        arena_printf(d->arena,
                     "select string_agg(from_kind || ' ' || relation, ', ' order by from_kind)"
                     " from lineage_edges where to_kind = 'endpoint' and to_id = '%s'",
                     text_at(endpoint_of(d, version), "id"));
    assert_string_equal(test_sql_value(d->db, sql), "job runs, model_version served_by");
    fake_runner_kill(&r);
}

static void test_infer__bodies_pass_untouched(void **state) {
    struct domains *d = *state;
    struct fake_runner r = {0};
    json_t *version = model_version_make(d, "bodies");
    fake_runner_start(&r, d, "bodies");
    const char *path =
        arena_printf(d->arena, "/api/v1/model-versions/%s/predict", text_at(version, "id"));
    assert_string_equal(text_at(infer(d, 200, path, "PNG…", "image/png")->json, "content"),
                        "image");
    /* what is no JSON at all is the runner's to judge */
    assert_string_equal(text_at(infer(d, 200, path, "[[[", "application/json")->json, "begins"),
                        "[[[");
    struct test_reply *reply =
        test_expect(d->app, d->arena, 200,
                    &(struct test_request){.method = "POST",
                                           .path = path,
                                           .body = "{}\1\2\3\4",
                                           .size = 6,
                                           .content_type = "application/octet-stream",
                                           .headers = {{"Inference-Header-Content-Length", "2"}},
                                           .who = &d->viewer});
    assert_string_equal(test_header(d->arena, reply, "Inference-Header-Content-Length"), "9");
    assert_non_null(strstr(reply->body, "\"json_length\":2"));
    assert_int_equal(r.connections, 1); /* kept and used again */
    fake_runner_kill(&r);
}

/* That somebody else just reached the model opens it for nobody who may not know of it. */
static void test_infer__a_hidden_projects_model_is_not_found(void **state) {
    struct domains *d = *state;
    struct fake_runner r = {0};
    struct principal hidden = d->viewer;
    hidden.by_project = true;
    model_version_make(d, "secluded");
    fake_runner_start(&r, d, "secluded");
    test_sql(d->db, arena_printf(d->arena,
                                 "insert into project_roles (team_id, project_id, user_id, role)"
                                 " values ('%s', '%s', '%s', 'none')",
                                 d->ours.team_id, d->ours.project_id, hidden.user_id));
    infer(d, 200, "/v2/models/secluded/infer", "{}", "application/json");
    struct test_request rq = {
        .method = "POST", .path = "/v2/models/secluded/infer", .json = "{}", .who = &hidden};
    test_expect(d->app, d->arena, 404, &rq);
    infer(d, 200, "/v2/models/secluded/infer", "{}", "application/json");
    test_expect(d->app, d->arena, 404, &rq);
    test_sql(d->db, "delete from project_roles");
    fake_runner_kill(&r);
}

static void test_infer__bad_lengths_and_types(void **state) {
    static const char *const LENGTHS[] = {"99999999999", "7", "-1", "x", "", "1 ", "0x1"};
    struct domains *d = *state;
    model_version_make(d, "lengths");
    for (size_t i = 0; i < sizeof(LENGTHS) / sizeof(LENGTHS[0]); i++)
        test_expect(
            d->app, d->arena, 400,
            &(struct test_request){.method = "POST",
                                   .path = infer_path(d, "lengths"),
                                   .body = "{}abcd",
                                   .size = 6,
                                   .headers = {{"Inference-Header-Content-Length", LENGTHS[i]}},
                                   .who = &d->viewer});
    infer(d, 400, infer_path(d, "lengths"), "GIF", "image/gif");
    assert_string_equal(
        test_sql_value(d->db, "select count(*) from jobs where name like 'serve lengths%'"), "0");
}

static void test_infer__refusals_keep_their_form(void **state) {
    struct domains *d = *state;
    struct fake_runner r = {0};
    json_t *version = model_version_make(d, "refusing");
    fake_runner_start(&r, d, "refusing");
    struct test_reply *reply = infer(d, 400, infer_path(d, "refusing"), "refuse", NULL);
    assert_string_equal(text_at(reply->json, "error"), "the shape is wrong");
    const char *path =
        arena_printf(d->arena, "/api/v1/model-versions/%s/predict", text_at(version, "id"));
    reply = infer(d, 422, path, "refuse", NULL);
    assert_string_equal(text_at(reply->json, "detail"), "the shape is wrong");
    fake_runner_kill(&r);
}

static void test_infer__an_idle_connection_that_closed_is_replaced(void **state) {
    struct domains *d = *state;
    struct fake_runner r = {.hangs_up = true};
    model_version_make(d, "hangs-up");
    fake_runner_start(&r, d, "hangs-up");
    for (int i = 0; i < 5; i++)
        infer(d, 200, infer_path(d, "hangs-up"), "{}", NULL);
    assert_int_equal(r.connections, 5);
    fake_runner_kill(&r);
}

static void test_infer__a_lost_runner_is_503_until_it_is_back(void **state) {
    struct domains *d = *state;
    struct fake_runner r = {0};
    json_t *version = model_version_make(d, "lost");
    fake_runner_start(&r, d, "lost");
    infer(d, 200, infer_path(d, "lost"), "{}", NULL);
    struct test_reply *reply = infer(d, 503, infer_path(d, "lost"), "die", NULL);
    assert_string_equal(test_header(d->arena, reply, "Retry-After"), "1");
    fake_runner_kill(&r);
    infer(d, 503, infer_path(d, "lost"), "{}", NULL);

    char job_id[ID_SIZE];
    memcpy(job_id, r.job_id, sizeof(job_id));
    job_changes(d, job_id, JOB_RUNNING, JOB_QUEUED); /* the worker told that it died */
    assert_string_equal(text_at(endpoint_of(d, version), "state"), "starting");
    fake_runner_start(&r, d, "lost");
    infer(d, 200, infer_path(d, "lost"), "{}", NULL);
    assert_string_equal(r.job_id, job_id); /* the same job, run again */
    fake_runner_kill(&r);
}

static void test_endpoint__losing_contact_alone_changes_nothing(void **state) {
    struct domains *d = *state;
    struct fake_runner r = {0};
    json_t *version = model_version_make(d, "contact");
    fake_runner_start(&r, d, "contact");
    infer(d, 200, infer_path(d, "contact"), "{}", NULL);
    job_changes(d, r.job_id, JOB_RUNNING, JOB_LOST_CONTACT);
    infer(d, 200, infer_path(d, "contact"), "{}", NULL);
    job_changes(d, r.job_id, JOB_LOST_CONTACT, JOB_RUNNING); /* the same attempt came back */
    assert_string_equal(text_at(endpoint_of(d, version), "state"), "ready");
    test_sql(d->db, arena_printf(d->arena, "update jobs set attempt = attempt + 1 where id = '%s'",
                                 r.job_id));
    job_changes(d, r.job_id, JOB_LOST_CONTACT, JOB_RUNNING); /* another worker has it */
    assert_string_equal(text_at(endpoint_of(d, version), "state"), "starting");
    fake_runner_kill(&r);
}

static void test_endpoint__stopped_by_hand_starts_with_another_job(void **state) {
    struct domains *d = *state;
    struct fake_runner r = {0};
    json_t *version = model_version_make(d, "stopped");
    fake_runner_start(&r, d, "stopped");
    infer(d, 200, infer_path(d, "stopped"), "{}", NULL);
    fake_runner_kill(&r);
    char job_id[ID_SIZE];
    memcpy(job_id, r.job_id, sizeof(job_id));
    const char *path =
        arena_printf(d->arena, "/api/v1/endpoints/%s/stop", text_at(endpoint_of(d, version), "id"));
    send_json(d, 403, &d->viewer, "POST", path, NULL);
    send_json(d, 404, &d->stranger, "POST", path, NULL);
    json_t *endpoint = send_json(d, 200, &d->editor, "POST", path, NULL)->json;
    assert_string_equal(text_at(endpoint, "state"), "stopped");
    send_json(d, 200, &d->editor, "POST", path, NULL); /* again is fine */
    assert_string_equal(
        test_sql_value(d->db,
                       arena_printf(d->arena, "select state from jobs where id = '%s'", job_id)),
        "cancelled");
    fake_runner_start(&r, d, "stopped");
    infer(d, 200, infer_path(d, "stopped"), "{}", NULL);
    assert_string_not_equal(r.job_id, job_id);
    fake_runner_kill(&r);
}

/* Fails the job as soon as a request has queued it. */
static void *fail_job(void *arg) {
    struct fake_runner *r = arg;
    char sql[200];
    snprintf(sql, sizeof(sql),
             "select e.job_id from endpoints e join jobs j on j.id = e.job_id"
             " where j.name like 'serve %s v%%' and e.state = 'starting'",
             r->model);
    while (!r->job_id[0])
        snprintf(r->job_id, sizeof(r->job_id), "%s", test_sql_value(r->d->db, sql));
    job_fails(r->d, r->job_id, JOB_FAILED,
              "{\"code\":\"unsupported\",\"message\":\"the weights do not fit\"}");
    return NULL;
}

static void test_endpoint__that_cannot_start_says_why_and_tries_again(void **state) {
    struct domains *d = *state;
    struct fake_runner r = {.d = d, .model = "failing"};
    json_t *version = model_version_make(d, "failing");
    assert_int_equal(pthread_create(&r.thread, NULL, fail_job, &r), 0);
    struct test_reply *reply = infer(d, 503, infer_path(d, "failing"), "{}", NULL);
    pthread_join(r.thread, NULL);
    assert_non_null(strstr(text_at(reply->json, "error"), "the weights do not fit"));
    assert_string_equal(text_at(endpoint_of(d, version), "state"), "failed");
    send_json(d, 503, &d->viewer, "GET", "/v2/models/failing/ready", NULL);
    fake_runner_start(&r, d, "failing");
    infer(d, 200, infer_path(d, "failing"), "{}", NULL);
    fake_runner_kill(&r);
}

static void test_endpoint__retried_and_ended_jobs_are_followed(void **state) {
    struct domains *d = *state;
    struct fake_runner r = {0};
    json_t *version = model_version_make(d, "ended");
    fake_runner_start(&r, d, "ended");
    infer(d, 200, infer_path(d, "ended"), "{}", NULL);
    job_succeeds(d, r.job_id, "{}", NULL, 0);
    assert_string_equal(text_at(endpoint_of(d, version), "state"), "stopped");
    job_changes(d, r.job_id, JOB_FAILED, JOB_QUEUED); /* a person's retry */
    assert_string_equal(text_at(endpoint_of(d, version), "state"), "starting");
    job_changes(d, r.job_id, JOB_RUNNING, JOB_CANCELLING);
    assert_string_equal(text_at(endpoint_of(d, version), "state"), "stopped");
    job_says(d, r.job_id, "{\"type\":\"state\",\"state\":\"ready\"}"); /* too late */
    assert_string_equal(text_at(endpoint_of(d, version), "state"), "stopped");
    fake_runner_kill(&r);
}

static void test_endpoint__counts_and_rests(void **state) {
    struct domains *d = *state;
    struct fake_runner r = {0};
    json_t *version = model_version_make(d, "counted");
    fake_runner_start(&r, d, "counted");
    for (int i = 0; i < 5; i++)
        infer(d, 200, infer_path(d, "counted"), "{}", NULL);
    infer(d, 400, infer_path(d, "counted"), "refuse", NULL);
    serving_round(d->app, 1000001, 600);
    json_t *endpoint = endpoint_of(d, version);
    assert_int_equal(int_at(endpoint, "requests"), 6);
    assert_int_equal(int_at(endpoint, "errors"), 1);
    assert_true(int_at(endpoint, "p50_us") > 0);
    assert_string_equal(text_at(endpoint, "state"), "ready");
    serving_round(d->app, 1000002, 0); /* idle for more than nothing */
    endpoint = endpoint_of(d, version);
    assert_string_equal(text_at(endpoint, "state"), "stopped");
    assert_int_equal(int_at(endpoint, "requests"), 6);
    json_t *page = get_ok(d, "/api/v1/projects/ours/endpoints?limit=1");
    assert_string_equal(text_at(item_at(page, 0), "model_name"), "counted");
    get_fails(d, 404, &d->stranger, "/api/v1/projects/ours/endpoints");
    fake_runner_kill(&r);
}

static void test_endpoint__rested_longest_makes_room_for_a_waiting_model(void **state) {
    struct domains *d = *state;
    struct fake_runner rested = {0}, waiting = {0};
    test_sql(d->db, "update jobs set run_at = now() + interval '1 hour' where state = 'queued'");
    json_t *version = model_version_make(d, "rested");
    model_version_make(d, "waiting");
    fake_runner_start(&rested, d, "rested");
    fake_runner_start(&waiting, d, "waiting");
    infer(d, 200, infer_path(d, "rested"), "{}", NULL);
    infer(d, 200, infer_path(d, "waiting"), "{}", NULL);
    serving_round(d->app, 1000002, 600);
    test_sql(d->db, "update endpoints set last_used_at = now() - interval '1 minute'"
                    " where state = 'ready' and id in (select e.id from endpoints e join jobs j on"
                    " j.id = e.job_id where j.name like 'serve rested%')");
    serving_round(d->app, 1000003, 600);
    assert_string_equal(text_at(endpoint_of(d, version), "state"), "ready"); /* nobody waits */
    test_sql(d->db, arena_printf(d->arena,
                                 "update jobs set state = 'queued', lease_until = null,"
                                 " created_at = now() - interval '1 minute',"
                                 " run_at = now() - interval '1 minute' where id = '%s'",
                                 waiting.job_id));
    serving_round(d->app, 1000004, 600);
    assert_string_equal(text_at(endpoint_of(d, version), "state"), "stopped");
    fake_runner_kill(&rested);
    fake_runner_kill(&waiting);
}

struct caller {
    struct domains *d;
    pthread_t thread;
    int status;
};

static void *call(void *arg) {
    struct caller *caller = arg;
    struct arena *arena = arena_new();
    caller->status = test_send(caller->d->app, arena,
                               &(struct test_request){.method = "POST",
                                                      .path = "/v2/models/crowd/infer",
                                                      .body = "{}",
                                                      .size = 2,
                                                      .who = &caller->d->viewer})
                         ->status;
    arena_free(arena);
    return NULL;
}

static void test_infer__a_crowd_starts_one_runner(void **state) {
    struct domains *d = *state;
    enum { CALLERS = 6 };
    struct caller callers[CALLERS];
    struct fake_runner r = {0};
    model_version_make(d, "crowd");
    for (size_t i = 0; i < CALLERS; i++) {
        callers[i] = (struct caller){.d = d};
        assert_int_equal(pthread_create(&callers[i].thread, NULL, call, &callers[i]), 0);
    }
    fake_runner_start(&r, d, "crowd");
    for (size_t i = 0; i < CALLERS; i++) {
        pthread_join(callers[i].thread, NULL);
        assert_int_equal(callers[i].status, 200);
    }
    assert_string_equal(
        test_sql_value(d->db, "select count(*) from jobs where name like 'serve crowd%'"), "1");
    fake_runner_kill(&r);
}

/* ---- Open Inference Protocol */

static json_t *v2(struct domains *d, int status, const struct principal *who, const char *path) {
    return send_json(d, status, who, "GET", path, NULL)->json;
}

static void test_v2__server_and_health_need_no_sign_in(void **state) {
    struct domains *d = *state;
    json_t *server = v2(d, 200, NULL, "/v2");
    assert_string_equal(text_at(server, "name"), "slipway");
    assert_true(json_is_array(at(server, "extensions")));
    assert_true(json_is_true(at(v2(d, 200, NULL, "/v2/health/live?x=1"), "live")));
    assert_true(json_is_true(at(v2(d, 200, NULL, "/v2/health/ready"), "ready")));
}

static void test_v2__model_metadata(void **state) {
    struct domains *d = *state;
    model_version_make(d, "described");
    json_t *model = v2(d, 200, &d->viewer, "/v2/models/described");
    assert_string_equal(text_at(model, "name"), "described");
    assert_string_equal(json_string_value(json_array_get(at(model, "versions"), 0)), "1");
    json_t *input = json_array_get(at(model, "inputs"), 0);
    assert_string_equal(text_at(input, "datatype"), "FP32");
    assert_int_equal(json_integer_value(json_array_get(at(input, "shape"), 0)), -1);
    v2(d, 200, &d->viewer, "/v2/models/described/versions/1");
    json_t *ready = v2(d, 200, &d->viewer, "/v2/models/described/versions/1/ready");
    assert_true(json_is_true(at(ready, "ready")));
    v2(d, 200, &d->viewer, "/v2/models/described/ready");
}

static void test_v2__unknown_models(void **state) {
    static const char *const PATHS[] = {
        "/v2/models/none", "/v2/models/none/ready", "/v2/models/known/versions/2",
        "/v2/models/known/versions/x", "/v2/models/known/versions/99999999999999999999"};
    struct domains *d = *state;
    model_version_make(d, "known");
    for (size_t i = 0; i < sizeof(PATHS) / sizeof(PATHS[0]); i++) {
        const char *error = text_at(v2(d, 404, &d->viewer, PATHS[i]), "error");
        assert_int_equal(strncmp(error, "Request for unknown model", 25), 0);
    }
    infer(d, 404, "/v2/models/none/infer", "{}", NULL);
    v2(d, 404, &d->stranger, "/v2/models/known");
    v2(d, 401, NULL, "/v2/models/known");
    get_fails(d, 404, &d->viewer, "/v2/models/known/versions/2/ready");
}

static void test_serving__wall(void **state) {
    assert_wall(*state, "endpoints");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_infer__first_request_starts_the_runner),
        cmocka_unit_test(test_infer__bodies_pass_untouched),
        cmocka_unit_test(test_infer__a_hidden_projects_model_is_not_found),
        cmocka_unit_test(test_infer__bad_lengths_and_types),
        cmocka_unit_test(test_infer__refusals_keep_their_form),
        cmocka_unit_test(test_infer__an_idle_connection_that_closed_is_replaced),
        cmocka_unit_test(test_infer__a_lost_runner_is_503_until_it_is_back),
        cmocka_unit_test(test_endpoint__losing_contact_alone_changes_nothing),
        cmocka_unit_test(test_endpoint__stopped_by_hand_starts_with_another_job),
        cmocka_unit_test(test_endpoint__that_cannot_start_says_why_and_tries_again),
        cmocka_unit_test(test_endpoint__retried_and_ended_jobs_are_followed),
        cmocka_unit_test(test_endpoint__counts_and_rests),
        cmocka_unit_test(test_endpoint__rested_longest_makes_room_for_a_waiting_model),
        cmocka_unit_test(test_infer__a_crowd_starts_one_runner),
        cmocka_unit_test(test_v2__server_and_health_need_no_sign_in),
        cmocka_unit_test(test_v2__model_metadata),
        cmocka_unit_test(test_v2__unknown_models),
        cmocka_unit_test(test_serving__wall),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
