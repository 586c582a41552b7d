/* Runs of clients: opened, reported to, changed, ended, lost. Those of jobs: test_tracking.c. */
#include "tests/support/domains.h"

#include "base/clock.h"
#include "base/ident.h"
#include "tracking/internal.h"

#include <pthread.h>

static const char RUNS[] = "/api/v1/projects/ours/runs";

static json_t *open_with(struct domains *d, const char *body) {
    return send_json(d, 201, &d->editor, "POST", RUNS, body)->json;
}

static json_t *open_named(struct domains *d, const char *name) {
    return open_with(d, arena_printf(d->arena, "{\"name\":\"%s\"}", name));
}

static const char *path_of(struct domains *d, json_t *run, const char *rest) {
    return arena_printf(d->arena, "/api/v1/runs/%s%s", text_at(run, "id"), rest);
}

static json_t *again(struct domains *d, json_t *run) {
    return get_ok(d, "%s", path_of(d, run, ""));
}

static json_t *report_state(struct domains *d, json_t *run, const char *state) {
    return send_json(d, 200, &d->editor, "POST", path_of(d, run, "/state"),
                     arena_printf(d->arena, "{\"state\":\"%s\"}", state))
        ->json;
}

static void ctx_ours(struct domains *d, struct ctx *cx) {
    test_ctx_user(cx, d->db, &d->ours, ROLE_OWNER);
    cx->app = d->app;
}

static const char *lineage_of(struct domains *d, json_t *run) {
    return test_sql_value(
        d->db,
        arena_printf(d->arena, "select name || ' ' || state from lineage_nodes where ref_id = '%s'",
                     text_at(run, "id")));
}

/* ---- opening */

static void test_run_open__answers_what_is_then_read(void **state) {
    struct domains *d = *state;
    json_t *run = open_with(d, "{\"name\":\"first\",\"user\":\"ada\",\"source\":\"script\","
                               "\"started_at\":\"2026-01-02T03:04:05Z\",\"experiment\":\"new one\","
                               "\"tags\":{\"a\":\"1\"},\"params\":{\"lr\":\"0.1\",\"n\":\"é\"}}");
    assert_string_equal(text_at(run, "state"), "running");
    assert_string_equal(text_at(run, "user_name"), "ada");
    assert_string_equal(text_at(run, "source"), "script");
    assert_string_equal(text_at(run, "experiment_name"), "new one");
    assert_string_equal(text_at(at(run, "params"), "n"), "é");
    assert_non_null(strstr(text_at(run, "started_at"), "2026-01-02T03:04:05"));
    json_t *read = again(d, run);
    if (!json_equal(run, read))
        fail_msg("%s\nis not\n%s", json_dumps(run, JSON_SORT_KEYS),
                 json_dumps(read, JSON_SORT_KEYS));
    assert_string_equal(lineage_of(d, run), "first running");
}

static void test_run_open__in_an_experiment_by_its_id(void **state) {
    struct domains *d = *state;
    json_t *experiment = send_json(d, 201, &d->editor, "POST", "/api/v1/projects/ours/experiments",
                                   "{\"name\":\"by id\"}")
                             ->json;
    const char *path = arena_printf(d->arena, "/api/v1/projects/ours/experiments/%s/runs",
                                    text_at(experiment, "id"));
    json_t *run = send_json(d, 201, &d->editor, "POST", path, "{}")->json;
    assert_int_equal(int_at(run, "experiment_number"), int_at(experiment, "number"));
    assert_true(strlen(text_at(run, "name")) > 8); /* two words and a number */
    send_json(d, 403, &d->viewer, "POST", path, "{}");
    send_json(d, 404, &d->stranger, "POST", path, "{}");
    send_json(d, 404, &d->editor, "POST", "/api/v1/projects/ours/experiments/none/runs", "{}");
    send_json(d, 422, &d->editor, "POST", path, "{\"state\":\"lost_contact\"}");
    send_json(d, 422, &d->editor, "POST", path, "{\"params\":{\"a\":1}}");
}

static void test_run_open__in_another_projects_experiment_is_refused(void **state) {
    struct domains *d = *state;
    char project[UUID_TEXT_SIZE];
    struct experiment theirs;
    struct ctx cx;
    struct run run;
    bool found;
    uuid_new(project);
    test_sql(d->db, arena_printf(d->arena,
                                 "insert into projects (id, team_id, slug, name)"
                                 " values ('%s', '%s', 'second', 'Second')",
                                 project, d->ours.team_id));
    ctx_ours(d, &cx);
    assert_ok(experiment_find(&cx, project, 0, &theirs, &found), &cx.err);
    const struct run_open options = {
        .project_id = d->ours.project_id, .experiment_id = theirs.id, .state = RUN_RUNNING};
    assert_err(ERR_NOT_FOUND, run_open(&cx, &options, &run));
    ctx_done(&cx);
}

static void test_run_open__knows_its_parent(void **state) {
    struct domains *d = *state;
    json_t *parent = open_named(d, "parent");
    const char *id = text_at(parent, "id");
    json_t *child = open_with(d, arena_printf(d->arena, "{\"parent_id\":\"%s\"}", id));
    assert_string_equal(text_at(child, "parent_id"), id);
    char hex[33];
    uuid_to_hex(id, hex);
    json_t *tagged =
        open_with(d, arena_printf(d->arena, "{\"tags\":{\"mlflow.parentRunId\":\"%s\"}}", hex));
    assert_string_equal(text_at(tagged, "parent_id"), id);
    tagged = open_with(d, "{\"tags\":{\"mlflow.parentRunId\":\"no such run\"}}");
    assert_true(json_is_null(at(tagged, "parent_id")));
    const char *missing = "{\"parent_id\":\"01920000-0000-7000-8000-0000000000ff\"}";
    assert_string_equal(field_of(send_json(d, 404, &d->editor, "POST", RUNS, missing)),
                        "parent_id");

    json_t *page = get_ok(d, "%s?limit=1", path_of(d, parent, "/children"));
    assert_int_equal(json_array_size(at(page, "items")), 1);
    page = get_ok(d, "%s?cursor=%s", path_of(d, parent, "/children"), text_at(page, "next_cursor"));
    assert_string_equal(text_at(item_at(page, 0), "id"), text_at(child, "id"));
    get_fails(d, 404, &d->stranger, "%s", path_of(d, parent, "/children"));
}

static void test_run_open__counts_against_the_quota(void **state) {
    struct domains *d = *state;
    test_sql(d->db,
             arena_printf(d->arena,
                          "insert into quotas (team_id, name, max)"
                          " select '%s', 'runs', count(*) + 1 from runs where team_id = '%s'",
                          d->ours.team_id, d->ours.team_id));
    open_named(d, "the last one");
    send_json(d, 403, &d->editor, "POST", RUNS, "{}");
    test_sql(d->db, "delete from quotas");
}

/* ---- states */

static void test_run_state__of_a_client_goes_anywhere_and_back(void **state) {
    struct domains *d = *state;
    static const char *const STATES[] = {"succeeded", "running",   "failed",    "queued",
                                         "cancelled", "succeeded", "cancelled", "running"};
    json_t *run = open_named(d, "resumed");
    for (size_t i = 0; i < sizeof(STATES) / sizeof(STATES[0]); i++) {
        run = report_state(d, run, STATES[i]);
        bool ended = strcmp(STATES[i], "running") != 0 && strcmp(STATES[i], "queued") != 0;
        assert_string_equal(text_at(run, "state"), STATES[i]);
        assert_int_equal(json_is_string(at(run, "finished_at")), ended);
        assert_string_equal(lineage_of(d, run), arena_printf(d->arena, "resumed %s", STATES[i]));
    }
    send_json(d, 422, &d->editor, "POST", path_of(d, run, "/state"),
              "{\"state\":\"lost_contact\"}");
    send_json(d, 403, &d->viewer, "POST", path_of(d, run, "/state"), "{\"state\":\"failed\"}");
    send_json(d, 404, &d->stranger, "POST", path_of(d, run, "/state"), "{\"state\":\"failed\"}");
}

static void test_run_state__keeps_the_end_it_is_told(void **state) {
    struct domains *d = *state;
    json_t *run = open_named(d, "ended at noon");
    run = send_json(d, 200, &d->editor, "POST", path_of(d, run, "/state"),
                    "{\"state\":\"succeeded\",\"finished_at\":\"2026-05-06T12:00:00Z\"}")
              ->json;
    assert_non_null(strstr(text_at(run, "finished_at"), "2026-05-06T12:00:00"));
    run = report_state(d, run, "succeeded"); /* again, without a time: as it was */
    assert_non_null(strstr(text_at(run, "finished_at"), "2026-05-06T12:00:00"));
}

static void test_run_state__of_a_job_is_not_the_clients(void **state) {
    struct domains *d = *state;
    json_t *run = run_make(d, "of a job");
    struct test_reply *reply = send_json(d, 409, &d->editor, "POST", path_of(d, run, "/state"),
                                         "{\"state\":\"succeeded\"}");
    assert_string_equal(field_of(reply), "state");
    run =
        send_json(d, 200, &d->editor, "PATCH", path_of(d, run, ""), "{\"name\":\"renamed\"}")->json;
    assert_string_equal(text_at(run, "name"), "renamed");
}

/* ---- parameters and tags */

static void test_run_params__keep_their_first_value(void **state) {
    struct domains *d = *state;
    json_t *run = open_named(d, "params");
    const char *path = path_of(d, run, "/params");
    send_json(d, 204, &d->editor, "POST", path, "{\"params\":{\"lr\":\"0.1\",\"n\":\"3\"}}");
    send_json(d, 204, &d->editor, "POST", path, "{\"params\":{\"lr\":\"0.1\",\"m\":\"4\"}}");
    struct test_reply *reply =
        send_json(d, 409, &d->editor, "POST", path, "{\"params\":{\"z\":\"1\",\"lr\":\"0.2\"}}");
    const char *message = text_at(reply->json, "detail");
    assert_non_null(strstr(message, "\"lr\""));
    assert_non_null(strstr(message, "\"0.1\""));
    assert_non_null(strstr(message, "\"0.2\""));
    json_t *params = at(again(d, run), "params");
    assert_int_equal(json_object_size(params), 3); /* nothing of the refused batch */
    send_json(d, 403, &d->viewer, "POST", path, "{\"params\":{\"a\":\"b\"}}");
    send_json(d, 404, &d->stranger, "POST", path, "{\"params\":{\"a\":\"b\"}}");
}

static void test_run_params__have_limits_in_characters(void **state) {
    struct domains *d = *state;
    const char *path = path_of(d, open_named(d, "long params"), "/params");
    auto_buf value = {0};
    for (int i = 0; i < 6000; i++)
        buf_text(&value, "é");
    send_json(d, 204, &d->editor, "POST", path,
              arena_printf(d->arena, "{\"params\":{\"fits\":\"%s\"}}", value.data));
    send_json(d, 422, &d->editor, "POST", path,
              arena_printf(d->arena, "{\"params\":{\"does not\":\"x%s\"}}", value.data));
    send_json(d, 422, &d->editor, "POST", path,
              arena_printf(d->arena, "{\"params\":{\"%.502s\":\"\"}}", value.data));
}

static void test_run_params__given_twice_must_agree(void **state) {
    struct domains *d = *state;
    const char *id = text_at(open_named(d, "given twice"), "id");
    const char *keys[] = {"a", "b", "a"}, *same[] = {"1", "2", "1"}, *other[] = {"1", "2", "3"};
    struct ctx cx;
    ctx_ours(d, &cx);
    assert_ok(run_log_params(&cx, id, keys, same, 3, NULL, NULL), &cx.err);
    assert_err(ERR_INVALID, run_log_params(&cx, id, keys, other, 3, NULL, NULL));
    const char *key = NULL, *old = NULL;
    assert_err(ERR_CONFLICT, run_log_params(&cx, id, keys, other + 2, 1, &key, &old));
    assert_string_equal(key, "a");
    assert_string_equal(old, "1");
    ctx_done(&cx);
}

struct logger {
    struct domains *d;
    const char *run_id, *value;
    int kept, refused;
};

static void *log_params(void *arg) {
    struct logger *l = arg;
    for (int i = 0; i < 30; i++) {
        struct ctx cx;
        ctx_ours(l->d, &cx);
        const char *keys[] = {arena_printf(cx.arena, "b%d", i), arena_printf(cx.arena, "a%d", i)};
        const char *values[] = {l->value, l->value};
        enum err err = run_log_params(&cx, l->run_id, keys, values, 2, NULL, NULL);
        if (err == OK)
            err = db_commit(&cx);
        l->kept += err == OK;
        l->refused += err == ERR_CONFLICT;
        ctx_done(&cx);
    }
    return NULL;
}

static void test_run_params__logged_at_once_have_one_winner(void **state) {
    struct domains *d = *state;
    json_t *run = open_named(d, "contested");
    struct logger loggers[2] = {{d, text_at(run, "id"), "left", 0, 0},
                                {d, text_at(run, "id"), "right", 0, 0}};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, log_params, &loggers[i]), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(loggers[0].kept + loggers[1].kept, 30);
    assert_int_equal(loggers[0].refused + loggers[1].refused, 30);
    assert_int_equal(json_object_size(at(again(d, run), "params")), 60);
}

static void test_run_tags__are_set_and_taken_away(void **state) {
    struct domains *d = *state;
    json_t *run = open_with(d, "{\"name\":\"tagged\",\"tags\":{\"a\":\"1\",\"b\":\"2\"}}");
    const char *path = path_of(d, run, "/tags");
    send_json(d, 204, &d->editor, "PATCH", path,
              "{\"tags\":{\"a\":\"9\",\"b\":null,\"c\":\"3\",\"never\":null}}");
    json_t *tags = at(again(d, run), "tags");
    assert_int_equal(json_object_size(tags), 2);
    assert_string_equal(text_at(tags, "a"), "9");
    send_json(d, 422, &d->editor, "PATCH", path, "{\"tags\":{\"a\":[]}}");
    send_json(d, 422, &d->editor, "PATCH", path, "{\"tags\":[]}");
    auto_buf many = {0};
    for (int i = 0; i < 1001; i++)
        buf_printf(&many, "%s\"t%d\":null", i ? "," : "", i);
    send_json(d, 422, &d->editor, "PATCH", path,
              arena_printf(d->arena, "{\"tags\":{%s}}", many.data));
    send_json(d, 403, &d->viewer, "PATCH", path, "{\"tags\":{}}");
    send_json(d, 404, &d->stranger, "PATCH", path, "{\"tags\":{}}");
}

static void test_run_tags__of_mlflow_keep_name_and_parent_in_step(void **state) {
    struct domains *d = *state;
    json_t *parent = open_named(d, "above");
    json_t *run = open_with(d, "{\"name\":\"x\",\"tags\":{\"mlflow.runName\":\"x\"}}");
    send_json(d, 204, &d->editor, "PATCH", path_of(d, run, "/tags"),
              arena_printf(d->arena,
                           "{\"tags\":{\"mlflow.runName\":\"y\",\"mlflow.parentRunId\":\"%s\"}}",
                           text_at(parent, "id")));
    json_t *now = again(d, run);
    assert_string_equal(text_at(now, "name"), "y");
    assert_string_equal(text_at(now, "parent_id"), text_at(parent, "id"));
    now = send_json(d, 200, &d->editor, "PATCH", path_of(d, run, ""), "{\"name\":\"z\"}")->json;
    assert_string_equal(text_at(at(now, "tags"), "mlflow.runName"), "z");
    assert_string_equal(lineage_of(d, run), "z running");
}

/* ---- finding */

static void test_run_find__takes_hex_and_stays_in_the_project(void **state) {
    struct domains *d = *state;
    const char *id = text_at(open_named(d, "found by hex"), "id"), *found;
    char hex[33];
    struct run run;
    struct ctx cx;
    uuid_to_hex(id, hex);
    ctx_ours(d, &cx);
    assert_ok(run_find(&cx, d->ours.project_id, hex, &run), &cx.err);
    assert_string_equal(run.id, id);
    assert_ok(run_require(&cx, d->ours.project_id, hex, &found), &cx.err);
    assert_string_equal(found, id);
    assert_err(ERR_NOT_FOUND, run_find(&cx, d->theirs.project_id, hex, &run));
    assert_err(ERR_NOT_FOUND, run_require(&cx, d->theirs.project_id, hex, &found));
    hex[31] = 'g';
    assert_err(ERR_NOT_FOUND, run_find(&cx, d->ours.project_id, hex, &run));
    ctx_done(&cx);
}

/* ---- ends */

static void test_run__archived_takes_no_reports(void **state) {
    struct domains *d = *state;
    json_t *run = open_named(d, "archived");
    json_t *now = send_json(d, 200, &d->editor, "POST", path_of(d, run, "/archive"), NULL)->json;
    assert_true(json_is_string(at(now, "archived_at")));
    send_json(d, 200, &d->editor, "POST", path_of(d, run, "/archive"), NULL);
    static const struct {
        const char *method, *rest, *body;
    } REPORTS[] = {{"POST", "/state", "{\"state\":\"failed\"}"},
                   {"POST", "/params", "{\"params\":{\"a\":\"b\"}}"},
                   {"PATCH", "/tags", "{\"tags\":{\"a\":\"b\"}}"},
                   {"PATCH", "/tags", "{\"tags\":{\"a\":null}}"},
                   {"PATCH", "", "{\"notes\":\"x\"}"},
                   {"POST", "/outputs", "{\"models\":[]}"}};
    for (size_t i = 0; i < sizeof(REPORTS) / sizeof(REPORTS[0]); i++)
        send_json(d, 409, &d->editor, REPORTS[i].method, path_of(d, run, REPORTS[i].rest),
                  REPORTS[i].body);
    json_t *page = get_ok(d, "%s?q=archived", RUNS);
    for (size_t i = 0; i < json_array_size(at(page, "items")); i++)
        assert_string_not_equal(text_at(item_at(page, i), "id"), text_at(run, "id"));
    now = send_json(d, 200, &d->editor, "POST", path_of(d, run, "/restore"), NULL)->json;
    assert_true(json_is_null(at(now, "archived_at")));
    send_json(d, 204, &d->editor, "POST", path_of(d, run, "/params"), "{\"params\":{\"a\":\"b\"}}");
    send_json(d, 403, &d->viewer, "POST", path_of(d, run, "/archive"), NULL);
    send_json(d, 404, &d->stranger, "POST", path_of(d, run, "/archive"), NULL);
    send_json(d, 404, &d->stranger, "POST", path_of(d, run, "/restore"), NULL);
}

static void test_run__is_deleted_only_when_archived_and_at_rest(void **state) {
    struct domains *d = *state;
    json_t *run = run_make(d, "with a queued job"), *child;
    child = open_with(d, arena_printf(d->arena, "{\"parent_id\":\"%s\"}", text_at(run, "id")));
    send_json(d, 409, &d->editor, "DELETE", path_of(d, run, ""), NULL);
    send_json(d, 200, &d->editor, "POST", path_of(d, run, "/archive"), NULL);
    send_json(d, 409, &d->editor, "DELETE", path_of(d, run, ""), NULL); /* its job is queued */
    test_sql(d->db, arena_printf(d->arena,
                                 "update jobs set state = 'cancelled', finished_at = now()"
                                 " where id = '%s'",
                                 text_at(run, "job_id")));
    send_json(d, 403, &d->viewer, "DELETE", path_of(d, run, ""), NULL);
    send_json(d, 404, &d->stranger, "DELETE", path_of(d, run, ""), NULL);
    send_json(d, 204, &d->editor, "DELETE", path_of(d, run, ""), NULL);
    get_fails(d, 404, &d->editor, "%s", path_of(d, run, ""));
    assert_true(json_is_null(at(again(d, child), "parent_id")));
}

static const char *files_of(struct domains *d, json_t *run) {
    const char *sql =
        arena_printf(d->arena,
                     "select (select count(*) from run_artifacts where run_id = '%s') || ' '"
                     " || (select count(*) from job_outputs where job_id = '%s') || ' '"
                     " || (select count(*) from job_inputs where job_id = '%s')",
                     text_at(run, "id"), text_at(run, "job_id"), text_at(run, "job_id"));
    return test_sql_value(d->db, sql);
}

static void test_run__deleted_leaves_its_job_but_no_file(void **state) {
    struct domains *d = *state;
    json_t *run = run_done_make(d, "with files");
    const char *job = text_at(run, "job_id");
    test_sql(d->db,
             arena_printf(d->arena,
                          "update jobs set state = 'succeeded', finished_at = now()"
                          " where id = '%s';"
                          "insert into job_outputs (team_id, job_id, name, media_type, sha256)"
                          " select team_id, '%s', name, media_type, sha256"
                          " from run_artifacts where run_id = '%s'",
                          job, job, text_at(run, "id")));
    assert_string_equal(files_of(d, run), "3 3 2");
    send_json(d, 200, &d->editor, "POST", path_of(d, run, "/archive"), NULL);
    send_json(d, 204, &d->editor, "DELETE", path_of(d, run, ""), NULL);
    assert_string_equal(files_of(d, run), "0 0 0");
    get_ok(d, "/api/v1/jobs/%s", job);
}

/* ---- lost contact */

static void sweep(struct domains *d) {
    struct ctx cx;
    test_ctx_system(&cx, d->db);
    cx.app = d->app;
    assert_ok(runs_sweep(&cx), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    ctx_done(&cx);
}

static void silence(struct domains *d, json_t *run, const char *interval) {
    test_sql(d->db, arena_printf(d->arena,
                                 "update runs set heard_at = now() - interval '%s' where id = '%s'",
                                 interval, text_at(run, "id")));
}

static const char *state_of(struct domains *d, json_t *run) {
    return text_at(again(d, run), "state");
}

static void test_run__silent_for_a_day_is_lost_until_it_reports(void **state) {
    struct domains *d = *state;
    json_t *silent = open_named(d, "silent"), *recent = open_named(d, "recent");
    json_t *of_job = run_make(d, "of a silent job");
    job_changes(d, text_at(of_job, "job_id"), JOB_QUEUED, JOB_RUNNING);
    silence(d, silent, "25 hours");
    silence(d, recent, "23 hours");
    silence(d, of_job, "25 hours");
    sweep(d);
    assert_string_equal(state_of(d, silent), "lost_contact");
    assert_string_equal(lineage_of(d, silent), "silent lost_contact");
    assert_string_equal(state_of(d, recent), "running");
    assert_string_equal(state_of(d, of_job), "running");

    static const struct {
        const char *method, *rest, *body;
    } REPORTS[] = {{"POST", "/params", "{\"params\":{\"a\":\"b\"}}"},
                   {"PATCH", "/tags", "{\"tags\":{\"a\":\"b\"}}"}};
    for (size_t i = 0; i < sizeof(REPORTS) / sizeof(REPORTS[0]); i++) {
        send_json(d, 204, &d->editor, REPORTS[i].method, path_of(d, silent, REPORTS[i].rest),
                  REPORTS[i].body);
        assert_string_equal(state_of(d, silent), "running");
        silence(d, silent, "25 hours");
        sweep(d);
        assert_string_equal(state_of(d, silent), "lost_contact");
    }
    assert_string_equal(text_at(report_state(d, silent, "succeeded"), "state"), "succeeded");
}

static void test_run__is_heard_of_by_its_metrics(void **state) {
    struct domains *d = *state;
    json_t *run = open_named(d, "only metrics");
    silence(d, run, "25 hours");
    sweep(d);
    struct ctx cx;
    const char *id = text_at(run, "id");
    ctx_ours(d, &cx);
    assert_ok(runs_heard(&cx, &id, 1), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    ctx_done(&cx);
    assert_string_equal(state_of(d, run), "running");
    assert_string_equal(lineage_of(d, run), "only metrics running");
}

static void test_sweep__of_zero_hours_loses_nothing(void **state) {
    struct domains *d = *state;
    json_t *run = open_named(d, "never lost");
    silence(d, run, "1000 hours");
    int64_t hours = d->service->config.run_silent_hours;
    assert_int_equal(hours, 24);
    d->service->config.run_silent_hours = 0;
    sweep(d);
    d->service->config.run_silent_hours = hours;
    assert_string_equal(state_of(d, run), "running");
}

static void test_runs__walls(void **state) {
    struct domains *d = *state;
    json_t *run = open_with(d, "{\"tags\":{\"a\":\"b\"},\"params\":{\"c\":\"d\"}}");
    const char *sql = arena_printf(d->arena,
                                   "insert into project_roles (team_id, project_id, user_id, role)"
                                   " values ('%s', '%s', '%s', 'none')",
                                   d->ours.team_id, d->ours.project_id, d->viewer.user_id);
    test_sql(d->db, sql);
    struct principal hidden = d->viewer;
    hidden.by_project = true;
    get_fails(d, 404, &hidden, "%s", path_of(d, run, ""));
    get_fails(d, 404, &hidden, "%s", path_of(d, run, "/children"));
    get_fails(d, 404, &hidden, "%s", RUNS);
    test_sql(d->db, "delete from project_roles");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run_open__answers_what_is_then_read),
        cmocka_unit_test(test_run_open__in_an_experiment_by_its_id),
        cmocka_unit_test(test_run_open__in_another_projects_experiment_is_refused),
        cmocka_unit_test(test_run_open__knows_its_parent),
        cmocka_unit_test(test_run_open__counts_against_the_quota),
        cmocka_unit_test(test_run_state__of_a_client_goes_anywhere_and_back),
        cmocka_unit_test(test_run_state__keeps_the_end_it_is_told),
        cmocka_unit_test(test_run_state__of_a_job_is_not_the_clients),
        cmocka_unit_test(test_run_params__keep_their_first_value),
        cmocka_unit_test(test_run_params__have_limits_in_characters),
        cmocka_unit_test(test_run_params__given_twice_must_agree),
        cmocka_unit_test(test_run_params__logged_at_once_have_one_winner),
        cmocka_unit_test(test_run_tags__are_set_and_taken_away),
        cmocka_unit_test(test_run_tags__of_mlflow_keep_name_and_parent_in_step),
        cmocka_unit_test(test_run_find__takes_hex_and_stays_in_the_project),
        cmocka_unit_test(test_run__archived_takes_no_reports),
        cmocka_unit_test(test_run__is_deleted_only_when_archived_and_at_rest),
        cmocka_unit_test(test_run__deleted_leaves_its_job_but_no_file),
        cmocka_unit_test(test_run__silent_for_a_day_is_lost_until_it_reports),
        cmocka_unit_test(test_run__is_heard_of_by_its_metrics),
        cmocka_unit_test(test_sweep__of_zero_hours_loses_nothing),
        cmocka_unit_test(test_runs__walls),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
