/* Tracking: runs and their states, lists, tags, logs, artifacts, experiments, walls. */
#include "tests/support/domains.h"

#include "tracking/internal.h"

static void ctx_ours(struct domains *d, struct ctx *cx) {
    test_ctx_user(cx, d->db, &d->ours, ROLE_OWNER);
    cx->app = d->app;
}

static const char *state_of(struct domains *d, json_t *run) {
    return text_at(get_ok(d, "/api/v1/runs/%s", text_at(run, "id")), "state");
}

static void test_run__starts_queued_with_params_from_its_spec(void **state) {
    struct domains *d = *state;
    json_t *run = run_make(d, "first");
    assert_string_equal(text_at(run, "state"), "queued");
    assert_string_equal(text_at(run, "experiment_name"), "Default");
    assert_string_equal(text_at(run, "dataset_name"), "set of first");
    assert_int_equal(int_at(run, "dataset_version"), 1);
    json_t *params = at(run, "params");
    assert_string_equal(text_at(params, "optimizer.lr"), "0.001");
    assert_string_equal(text_at(params, "optimizer.betas"), "[0.9,0.999]");
    assert_string_equal(text_at(params, "epochs"), "3");
    assert_string_equal(text_at(params, "model.layers"),
                        "flatten, linear 16, relu, linear classes");
    assert_true(json_is_null(at(run, "eta_s")));
}

static void test_run__follows_its_job(void **state) {
    struct domains *d = *state;
    json_t *run = run_make(d, "follows");
    const char *job = text_at(run, "job_id");
    job_changes(d, job, JOB_QUEUED, JOB_RUNNING);
    assert_string_equal(state_of(d, run), "running");
    job_changes(d, job, JOB_RUNNING, JOB_LOST_CONTACT);
    assert_string_equal(state_of(d, run), "lost_contact");
    job_changes(d, job, JOB_LOST_CONTACT, JOB_RUNNING);
    job_changes(d, job, JOB_RUNNING, JOB_CANCELLING);
    assert_string_equal(state_of(d, run), "running");
    job_fails(d, job, JOB_CANCELLED, NULL);
    assert_string_equal(state_of(d, run), "cancelled");
    job_changes(d, job, JOB_CANCELLED, JOB_QUEUED);
    json_t *again = get_ok(d, "/api/v1/runs/%s", text_at(run, "id"));
    assert_string_equal(text_at(again, "state"), "queued");
    assert_true(json_is_null(at(again, "finished_at")));
    assert_true(json_is_string(at(again, "started_at")));
}

static void test_run__success_keeps_the_outcome(void **state) {
    struct domains *d = *state;
    json_t *run = run_done_make(d, "outcome");
    assert_string_equal(text_at(run, "state"), "succeeded");
    assert_string_equal(text_at(run, "device"), "cpu");
    assert_true(json_is_string(at(run, "finished_at")));
    json_t *matrix = at(at(at(run, "evaluation"), "confusion"), "matrix");
    assert_int_equal(json_integer_value(json_array_get(json_array_get(matrix, 1), 1)), 49);
    assert_float_equal(real_at(at(run, "metrics"), "test/accuracy"), 0.985, 1e-12);
    json_t *artifacts = get_ok(d, "/api/v1/runs/%s/artifacts", text_at(run, "id"));
    assert_int_equal(json_array_size(at(artifacts, "items")), 3);
}

static void test_run__ends_once(void **state) {
    struct domains *d = *state;
    json_t *run = run_done_make(d, "ended");
    static const enum run_state STATES[] = {RUN_RUNNING, RUN_FAILED,    RUN_CANCELLED,
                                            RUN_QUEUED,  RUN_SUCCEEDED, RUN_LOST_CONTACT};
    for (size_t i = 0; i < sizeof(STATES) / sizeof(STATES[0]); i++) {
        struct ctx cx;
        ctx_ours(d, &cx);
        assert_err(ERR_CONFLICT, run_set_state(&cx, text_at(run, "id"), STATES[i]));
        ctx_done(&cx);
    }
    assert_string_equal(state_of(d, run), "succeeded");
}

static void test_run__is_renamed_noted_and_tagged(void **state) {
    struct domains *d = *state;
    json_t *run = run_make(d, "to change");
    const char *path = arena_printf(d->arena, "/api/v1/runs/%s", text_at(run, "id"));
    run =
        send_json(d, 200, &d->editor, "PATCH", path,
                  "{\"name\":\"changed\",\"notes\":\"# good\",\"tags\":{\"a\":\"1\",\"b\":\"2\"}}")
            ->json;
    assert_string_equal(text_at(run, "name"), "changed");
    assert_string_equal(text_at(run, "notes"), "# good");
    run = send_json(d, 200, &d->editor, "PATCH", path, "{\"tags\":{\"b\":\"3\"}}")->json;
    assert_int_equal(json_object_size(at(run, "tags")), 1);
    assert_string_equal(text_at(at(run, "tags"), "b"), "3");
    assert_string_equal(text_at(run, "name"), "changed");
    send_json(d, 403, &d->viewer, "PATCH", path, "{\"name\":\"x\"}");
    send_json(d, 404, &d->stranger, "PATCH", path, "{\"name\":\"x\"}");
    static const char *const BAD[] = {"{\"tags\":[]}", "{\"tags\":{\"a\":1}}",
                                      "{\"tags\":{\"\":\"x\"}}"};
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++) {
        struct test_reply *reply = send_json(d, 422, &d->editor, "PATCH", path, BAD[i]);
        assert_string_equal(field_of(reply), "tags");
    }
    assert_string_equal(field_of(send_json(d, 400, &d->editor, "PATCH", path, "{\"name\":\"\"}")),
                        "name");
}

/* ---- lists */

static void log_one(struct domains *d, json_t *run, const char *key, const char *value) {
    job_says(d, text_at(run, "job_id"),
             arena_printf(d->arena,
                          "{\"type\":\"metrics\",\"step\":1,\"at_us\":1790000000000000,"
                          "\"values\":{\"%s\":%s}}",
                          key, value));
}

static void assert_order(struct domains *d, const char *sort, const char *expected) {
    auto_buf names = {0};
    const char *cursor = "";
    for (int page = 0; page < 10; page++) {
        json_t *runs =
            get_ok(d, "/api/v1/projects/ours/runs?q=sorted-&limit=2&sort=%s%s", sort, cursor);
        for (size_t i = 0; i < json_array_size(at(runs, "items")); i++)
            buf_text(&names, text_at(item_at(runs, i), "name") + strlen("sorted-"));
        if (json_is_null(at(runs, "next_cursor")))
            break;
        cursor = arena_printf(d->arena, "&cursor=%s", text_at(runs, "next_cursor"));
    }
    assert_string_equal(names.data, expected);
}

static void test_runs__are_sorted_across_pages(void **state) {
    struct domains *d = *state;
    /* created b, a, c, d; b's loss 0.5, a's 0.1, c's NaN, d has none */
    json_t *b = run_make(d, "sorted-b"), *a = run_make(d, "sorted-a"), *c = run_make(d, "sorted-c");
    run_make(d, "sorted-d");
    log_one(d, b, "val/loss", "0.5");
    log_one(d, a, "val/loss", "0.1");
    log_one(d, c, "val/loss", "\"NaN\"");
    assert_order(d, "created_at", "bacd");
    assert_order(d, "-created_at", "dcab");
    assert_order(d, "name", "abcd");
    assert_order(d, "-name", "dcba");
    assert_order(d, "metrics.val/loss", "abcd");
    assert_order(d, "-metrics.val/loss", "bacd");
}

static void test_runs__have_ranges_when_asked(void **state) {
    struct domains *d = *state;
    json_t *run = run_make(d, "ranged");
    log_one(d, run, "loss", "\"NaN\"");
    assert_true(json_is_null(
        at(item_at(get_ok(d, "/api/v1/projects/ours/runs?q=ranged"), 0), "metrics_min")));
    json_t *item = item_at(get_ok(d, "/api/v1/projects/ours/runs?q=ranged&ranges=true"), 0);
    assert_string_equal(text_at(at(item, "metrics"), "loss"), "NaN");
    assert_int_equal(json_object_size(at(item, "metrics_max")), 0);
    log_one(d, run, "acc", "-0.5");
    item = item_at(get_ok(d, "/api/v1/projects/ours/runs?q=ranged&ranges=true"), 0);
    assert_float_equal(real_at(at(item, "metrics_min"), "acc"), -0.5, 0);
    assert_float_equal(real_at(at(item, "metrics_max"), "acc"), -0.5, 0);
}

static void test_runs__bad_sort_names_the_member(void **state) {
    struct domains *d = *state;
    static const char *const SORTS[] = {"id", "name;drop", "--name", "metric.x"};
    for (size_t i = 0; i < sizeof(SORTS) / sizeof(SORTS[0]); i++) {
        struct test_reply *reply =
            send_json(d, 400, &d->editor, "GET",
                      arena_printf(d->arena, "/api/v1/projects/ours/runs?sort=%s", SORTS[i]), NULL);
        assert_string_equal(field_of(reply), "sort");
    }
    /* a metric's key is a parameter, whatever it holds */
    get_ok(d, "/api/v1/projects/ours/runs?sort=metrics.%%27%%29%%3B--");
}

static void test_runs__are_filtered(void **state) {
    struct domains *d = *state;
    json_t *done = run_done_make(d, "filtered DONE");
    run_make(d, "filtered waiting");
    json_t *runs = get_ok(d, "/api/v1/projects/ours/runs?q=FILTERED&state=succeeded");
    assert_int_equal(json_array_size(at(runs, "items")), 1);
    assert_string_equal(text_at(item_at(runs, 0), "id"), text_at(done, "id"));
    assert_true(json_is_null(at(item_at(runs, 0), "evaluation")));
    runs = get_ok(d, "/api/v1/projects/ours/runs?q=%%25");
    assert_int_equal(json_array_size(at(runs, "items")), 0);
    runs = get_ok(d, "/api/v1/projects/ours/runs?q=filtered&experiment=%s",
                  text_at(done, "experiment_id"));
    assert_int_equal(json_array_size(at(runs, "items")), 2);
    get_fails(d, 400, &d->editor, "/api/v1/projects/ours/runs?state=odd");
}

/* ---- experiments, logs, artifacts */

static void test_experiment__is_created_and_counts_its_runs(void **state) {
    struct domains *d = *state;
    const char *path = "/api/v1/projects/ours/experiments";
    send_json(d, 201, &d->editor, "POST", path, "{\"name\":\"sweep\"}");
    assert_string_equal(
        field_of(send_json(d, 409, &d->editor, "POST", path, "{\"name\":\"sweep\"}")), "name");
    send_json(d, 403, &d->viewer, "POST", path, "{\"name\":\"other\"}");
    run_make(d, "in the default one");
    json_t *page = get_ok(d, "%s?limit=1", path);
    assert_string_equal(text_at(item_at(page, 0), "name"), "sweep");
    assert_int_equal(int_at(item_at(page, 0), "runs"), 0);
    page = get_ok(d, "%s?cursor=%s", path, text_at(page, "next_cursor"));
    assert_true(int_at(item_at(page, 0), "runs") >= 1);
}

static void test_run__shows_its_jobs_log(void **state) {
    struct domains *d = *state;
    json_t *run = run_make(d, "logging");
    test_sql(d->db, arena_printf(d->arena,
                                 "insert into job_logs (team_id, job_id, seq, level, message)"
                                 " select '%s', '%s', n, 'info', 'Epoch ' || n"
                                 " from generate_series(1, 5) n",
                                 d->ours.team_id, text_at(run, "job_id")));
    const char *id = text_at(run, "id");
    json_t *page = get_ok(d, "/api/v1/runs/%s/logs?limit=2", id);
    assert_int_equal(json_array_size(at(page, "items")), 2);
    page = get_ok(d, "/api/v1/runs/%s/logs?after=%s", id, text_at(page, "next_cursor"));
    assert_int_equal(json_array_size(at(page, "items")), 3);
    page = get_ok(d, "/api/v1/runs/%s/logs?q=epoch%%204", id);
    assert_int_equal(int_at(item_at(page, 0), "seq"), 4);
    get_fails(d, 404, &d->stranger, "/api/v1/runs/%s/logs", id);
}

static void artifact_leave(struct domains *d, json_t *run, const char *name, const char *text) {
    struct ctx cx;
    struct blob blob;
    ctx_ours(d, &cx);
    assert_ok(blob_put(&cx, text, strlen(text), &blob), &cx.err);
    struct job_output file = {
        .name = name, .media_type = "application/octet-stream", .size_bytes = blob.size_bytes};
    memcpy(file.sha256, blob.sha256, sizeof(file.sha256));
    assert_ok(run_add_artifact(&cx, text_at(run, "id"), &file), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    ctx_done(&cx);
}

static void test_artifact__of_the_same_name_is_replaced(void **state) {
    struct domains *d = *state;
    json_t *run = run_make(d, "checkpoints");
    artifact_leave(d, run, "checkpoint/last", "first");
    json_t *before = get_ok(d, "/api/v1/runs/%s/artifacts", text_at(run, "id"));
    artifact_leave(d, run, "checkpoint/last", "second");
    json_t *after = get_ok(d, "/api/v1/runs/%s/artifacts", text_at(run, "id"));
    assert_int_equal(json_array_size(at(after, "items")), 1);
    assert_string_equal(text_at(item_at(before, 0), "id"), text_at(item_at(after, 0), "id"));
    const char *path =
        arena_printf(d->arena, "/api/v1/artifacts/%s/content", text_at(item_at(after, 0), "id"));
    struct test_reply *reply = send_json(d, 200, &d->viewer, "GET", path, NULL);
    assert_memory_equal(reply->body, "second", 6);
    assert_non_null(strstr(test_header(d->arena, reply, "Content-Disposition"), "last"));
    get_fails(d, 404, &d->stranger, "%s", path);
    get_fails(d, 404, &d->editor, "/api/v1/artifacts/none/content");
}

static void test_artifacts__come_in_pages_by_name(void **state) {
    struct domains *d = *state;
    json_t *run = run_make(d, "files");
    artifact_leave(d, run, "c", "1");
    artifact_leave(d, run, "a", "2");
    artifact_leave(d, run, "b", "3");
    const char *id = text_at(run, "id");
    json_t *first = get_ok(d, "/api/v1/runs/%s/artifacts?limit=2", id);
    assert_string_equal(text_at(item_at(first, 1), "name"), "b");
    json_t *second =
        get_ok(d, "/api/v1/runs/%s/artifacts?limit=2&cursor=%s", id, text_at(first, "next_cursor"));
    assert_string_equal(text_at(item_at(second, 0), "name"), "c");
}

static void test_run__is_in_the_lineage(void **state) {
    struct domains *d = *state;
    json_t *run = run_done_make(d, "traced");
    const char *sql = arena_printf(
        d->arena,
        "select string_agg(distinct from_kind || ' ' || relation || ' ' || to_kind, ', ')"
        " from lineage_edges where to_id = '%s' or from_id = '%s'",
        text_at(run, "id"), text_at(run, "id"));
    assert_string_equal(test_sql_value(d->db, sql),
                        "dataset_version trained_on run, job produced run, run produced artifact");
}

static void test_run__of_another_team_does_not_exist(void **state) {
    struct domains *d = *state;
    const char *id = text_at(run_done_make(d, "secret"), "id");
    static const char *const REST[] = {"", "/metrics", "/logs", "/artifacts"};
    for (size_t i = 0; i < sizeof(REST) / sizeof(REST[0]); i++) {
        get_fails(d, 404, &d->stranger, "/api/v1/runs/%s%s", id, REST[i]);
        get_fails(d, 404, &d->editor, "/api/v1/runs/not-an-id%s", REST[i]);
    }
    get_fails(d, 404, &d->stranger, "/api/v1/projects/ours/runs");
    get_fails(d, 404, &d->stranger, "/api/v1/projects/ours/experiments");
}

static void test_tracking__walls(void **state) {
    struct domains *d = *state;
    struct ctx cx;
    const struct metric_point point = {"loss", 1, 1790000000000000, 1};
    json_t *run = run_make(d, "folded");
    log_one(d, run, "loss", "1");
    get_ok(d, "/api/v1/runs/%s/metrics", text_at(run, "id"));
    run = run_make(d, "unfolded");
    test_ctx_user(&cx, d->db, &d->ours, ROLE_OWNER);
    assert_ok(run_log_metrics(&cx, text_at(run, "id"), &point, 1), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    ctx_done(&cx);
    static const char *const TABLES[] = {"experiments",   "runs",         "run_params",
                                         "run_tags",      "run_metrics",  "metric_inbox",
                                         "metric_chunks", "run_artifacts"};
    for (size_t i = 0; i < sizeof(TABLES) / sizeof(TABLES[0]); i++)
        assert_wall(*state, TABLES[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run__starts_queued_with_params_from_its_spec),
        cmocka_unit_test(test_run__follows_its_job),
        cmocka_unit_test(test_run__success_keeps_the_outcome),
        cmocka_unit_test(test_run__ends_once),
        cmocka_unit_test(test_run__is_renamed_noted_and_tagged),
        cmocka_unit_test(test_runs__are_sorted_across_pages),
        cmocka_unit_test(test_runs__have_ranges_when_asked),
        cmocka_unit_test(test_runs__bad_sort_names_the_member),
        cmocka_unit_test(test_runs__are_filtered),
        cmocka_unit_test(test_experiment__is_created_and_counts_its_runs),
        cmocka_unit_test(test_run__shows_its_jobs_log),
        cmocka_unit_test(test_artifact__of_the_same_name_is_replaced),
        cmocka_unit_test(test_artifacts__come_in_pages_by_name),
        cmocka_unit_test(test_run__is_in_the_lineage),
        cmocka_unit_test(test_run__of_another_team_does_not_exist),
        cmocka_unit_test(test_tracking__walls),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
