/* Storing metrics: whatever is sent in whatever order, by however many, as often as they like, is
 * there once. */
#include "tests/support/domains.h"

#include "base/ident.h"
#include "tracking/internal.h"
#include "tracking/metrics_private.h"

#include <math.h>
#include <pthread.h>

#define NOON 1790000000000000

static void ctx_ours(struct domains *d, struct ctx *cx) {
    test_ctx_user(cx, d->db, &d->ours, ROLE_OWNER);
    cx->app = d->app;
}

static const char *run_new(struct domains *d) {
    struct ctx cx;
    const char *id;
    ctx_ours(d, &cx);
    const struct run_create options = {.project_id = d->ours.project_id, .name = "ingest"};
    assert_ok(run_create(&cx, &options, &id), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    id = arena_strdup(d->arena, id);
    ctx_done(&cx);
    return id;
}

static enum err ingest(struct domains *d, const char *run_id, const struct metric_point *points,
                       size_t count) {
    struct ctx cx;
    ctx_ours(d, &cx);
    enum err err = run_ingest_metrics(&cx, NULL, run_id, points, count);
    ctx_done(&cx);
    return err;
}

static void sweep(struct domains *d) {
    struct ctx cx;
    test_ctx_system(&cx, d->db);
    cx.app = d->app;
    assert_ok(metrics_sweep(&cx), &cx.err);
    ctx_done(&cx);
}

/* Points of a run as its summaries count them, and as its chunks hold them. */
static int64_t points_of(struct domains *d, const char *run_id) {
    const char *sql = arena_printf(
        d->arena,
        "select case when m.points = c.points then m.points else -1 end"
        "  from (select coalesce(sum(points), 0) as points from run_metrics where run_id = '%s') m,"
        "       (select coalesce(sum(c.points), 0) as points from metric_chunks c"
        "          join run_metrics o using (team_id, series_id) where o.run_id = '%s') c",
        run_id, run_id);
    return strtoll(test_sql_value(d->db, sql), NULL, 10);
}

static void test_retry__of_a_batch_doubles_nothing(void **state) {
    struct domains *d = *state;
    const char *run = run_new(d);
    const struct metric_point points[] = {{"a", 1, NOON, (double)NAN}, {"a", 1, NOON, 0.0},
                                          {"a", 1, NOON, -0.0},        {"b", 1, NOON, 7},
                                          {"a", 1, NOON + 1, 0.0},     {"b", 1, NOON, 7}};
    for (int i = 0; i < 3; i++)
        assert_err(OK, ingest(d, run, points, 6)); /* three in the inbox at once */
    sweep(d);
    assert_int_equal(points_of(d, run), 4);
    assert_err(OK, ingest(d, run, points, 6)); /* and one after they were folded */
    sweep(d);
    assert_int_equal(points_of(d, run), 4);
    assert_string_equal(test_sql_value(d->db, "select count(*) from metric_inbox"), "0");
}

static void test_late_points__find_their_chunks(void **state) {
    struct domains *d = *state;
    const char *run = run_new(d);
    enum { COUNT = 3000 };
    struct metric_point *points = arena_new_array(d->arena, struct metric_point, COUNT);
    for (size_t i = 0; i < COUNT; i++) /* every other one, then those between, from the end */
        points[i] = (struct metric_point){
            "x", i < COUNT / 2 ? (int64_t)(2 * i) : (int64_t)(2 * COUNT - 1 - 2 * i), NOON, 1};
    for (size_t i = 0; i < COUNT; i += 250) {
        assert_err(OK, ingest(d, run, points + i, 250));
        sweep(d);
    }
    const struct metric_point first = {"x", -1000, NOON, 1}; /* before the first chunk */
    assert_err(OK, ingest(d, run, &first, 1));
    for (size_t i = 0; i < COUNT; i += 1000) /* far apart: each looked up on its own */
        assert_err(OK, ingest(d, run, points + i, 1));
    sweep(d);
    assert_int_equal(points_of(d, run), COUNT + 1);
}

static void test_fold__that_is_rolled_back_loses_nothing(void **state) {
    struct domains *d = *state;
    const char *run = run_new(d);
    const struct metric_point before = {"x", 1, NOON, 1}, after = {"x", 2, NOON, 2};
    struct ctx cx;
    assert_err(OK, ingest(d, run, &before, 1));
    ctx_ours(d, &cx);
    assert_ok(run_log_metrics(&cx, run, &after, 1), &cx.err);
    assert_ok(run_fold(&cx, run, 0),
              &cx.err); /* within a transaction that has written: no commit */
    db_rollback(&cx);
    ctx_done(&cx);
    sweep(d);
    assert_int_equal(points_of(d, run), 1);
}

static void test_batch__is_refused_whole_with_the_field_at_fault(void **state) {
    struct domains *d = *state;
    const char *run = run_new(d), *path = arena_printf(d->arena, "/api/v1/runs/%s/metrics", run);
    static const struct {
        int status;
        const char *field, *point;
    } CASES[] = {
        {400, "points[1].key", "{\"key\":\"\",\"value\":1}"},
        {400, "points[1].key", "{\"value\":1}"},
        {400, "points[1].value", "{\"key\":\"b\"}"},
        {400, "points[1].value", "{\"key\":\"b\",\"value\":\"1\"}"},
        {400, "points[1].at", "{\"key\":\"b\",\"value\":1,\"at\":5}"},
        {400, "points[1].step", "{\"key\":\"b\",\"value\":1,\"step\":1.5}"},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        const char *body =
            arena_printf(d->arena, "{\"points\":[{\"key\":\"a\",\"value\":1},%s]}", CASES[i].point);
        struct test_reply *reply = send_json(d, CASES[i].status, &d->editor, "POST", path, body);
        assert_string_equal(field_of(reply), CASES[i].field);
    }
    struct metric_point *many =
        arena_new_array(d->arena, struct metric_point, METRIC_BATCH_MAX + 1);
    for (size_t i = 0; i <= METRIC_BATCH_MAX; i++)
        many[i] = (struct metric_point){"x", (int64_t)i, NOON, 1};
    assert_err(ERR_UNPROCESSABLE, ingest(d, run, many, METRIC_BATCH_MAX + 1));
    many[5000].at_us = INT64_MAX;
    assert_err(ERR_UNPROCESSABLE, ingest(d, run, many, METRIC_BATCH_MAX));
    char *key = arena_alloc(d->arena, 3 * 251 + 1);
    for (size_t i = 0; i < 251; i++)
        memcpy(key + 3 * i, "指", 3);
    const struct metric_point long_key = {key, 0, NOON, 1}, fitting_key = {key + 3, 0, NOON, 1};
    const struct metric_point broken_key = {"\xff", 0, NOON, 1};
    assert_err(ERR_UNPROCESSABLE, ingest(d, run, &long_key, 1));
    assert_err(ERR_UNPROCESSABLE, ingest(d, run, &broken_key, 1));
    sweep(d);
    assert_int_equal(points_of(d, run), 0);
    assert_err(OK, ingest(d, run, &fitting_key, 1));
    sweep(d);
    assert_int_equal(points_of(d, run), 1);
}

static void test_batch__over_http(void **state) {
    struct domains *d = *state;
    const char *run = run_new(d), *path = arena_printf(d->arena, "/api/v1/runs/%s/metrics", run);
    const char *body =
        "{\"points\":[{\"key\":\"a\",\"value\":1.5,\"step\":3,\"at\":\"2026-11-21T09:18:23Z\"},"
        "{\"key\":\"a\",\"value\":\"NaN\"},{\"key\":\"b\",\"value\":\"-Infinity\"}]}";
    struct principal token = d->editor;
    token.kind = PRINCIPAL_TOKEN;
    token.scopes = TOKEN_INGEST;
    send_json(d, 204, &token, "POST", path, body);
    token.scopes = TOKEN_READ;
    send_json(d, 403, &token, "POST", path, body);
    send_json(d, 403, &d->viewer, "POST", path, body);
    send_json(d, 404, &d->stranger, "POST", path, body);
    json_t *metrics = at(get_ok(d, "/api/v1/runs/%s", run), "metrics");
    assert_float_equal(real_at(metrics, "a"), 1.5, 0);
    assert_string_equal(text_at(metrics, "b"), "-Infinity");
}

static void test_batch__for_a_run_that_takes_none(void **state) {
    struct domains *d = *state;
    const char *run = run_new(d);
    const struct metric_point point = {"x", 1, NOON, 1};
    struct ctx cx;
    ctx_ours(d, &cx);
    assert_err(ERR_NOT_FOUND, run_ingest_metrics(&cx, d->theirs.project_id, run, &point, 1));
    assert_ok(run_archive(&cx, run), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    assert_err(ERR_CONFLICT, run_ingest_metrics(&cx, d->ours.project_id, run, &point, 1));
    assert_err(ERR_CONFLICT, run_log_metrics(&cx, run, &point, 1));
    assert_err(ERR_NOT_FOUND, run_ingest_metrics(&cx, NULL, "no-run", &point, 1));
    assert_ok(run_ingest_metrics(&cx, NULL, run, &point, 0), &cx.err);
    ctx_done(&cx);
}

/* --- many at once --- */

enum { WRITERS = 8, ROUNDS = 40, BATCH = 25 };

struct writer {
    struct domains *d;
    const char *run;
    size_t number;
    pthread_t thread;
    int failures;
};

/* Each batch overlaps half of the one before, and every tenth goes to a run that is not there. */
static void *write_batches(void *arg) {
    struct writer *w = arg;
    static const char *const KEYS[] = {"a", "b", "c"};
    for (size_t i = 0; i < ROUNDS; i++) {
        struct metric_point points[BATCH];
        for (size_t k = 0; k < BATCH; k++) {
            size_t at = i * BATCH / 2 + k;
            points[k] = (struct metric_point){KEYS[at % 3], (int64_t)at, NOON + (int64_t)w->number,
                                              (double)w->number};
        }
        bool missing = i % 10 == 9;
        enum err want = missing ? ERR_NOT_FOUND : OK;
        const char *run = missing ? "00000000-0000-7000-8000-000000000000" : w->run;
        w->failures += ingest(w->d, run, points, BATCH) != want;
    }
    return NULL;
}

static void *sweep_often(void *arg) {
    for (int i = 0; i < 30; i++)
        sweep(arg);
    return NULL;
}

static void *read_often(void *arg) {
    struct writer *w = arg;
    for (int i = 0; i < 30; i++) {
        struct ctx cx;
        struct list series;
        const struct series_query query = {
            .buckets = 10, .from_step = FIELD_NO_INT, .to_step = FIELD_NO_INT};
        ctx_ours(w->d, &cx);
        w->failures += run_series(&cx, w->run, &query, &series) != OK;
        ctx_done(&cx);
    }
    return NULL;
}

static void write_at_once(struct domains *d, const char *const *runs, size_t run_count) {
    struct writer writers[WRITERS], reader = {.d = d, .run = runs[0]};
    pthread_t sweepers[2], readers;
    for (size_t i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.d = d, .run = runs[i % run_count], .number = i};
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_batches, &writers[i]), 0);
    }
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&sweepers[i], NULL, sweep_often, d), 0);
    assert_int_equal(pthread_create(&readers, NULL, read_often, &reader), 0);
    for (size_t i = 0; i < WRITERS; i++) {
        pthread_join(writers[i].thread, NULL);
        assert_int_equal(writers[i].failures, 0);
    }
    for (size_t i = 0; i < 2; i++)
        pthread_join(sweepers[i], NULL);
    pthread_join(readers, NULL);
    assert_int_equal(reader.failures, 0);
    sweep(d);
}

/* Of the steps 0 to (ROUNDS - 1) * BATCH / 2 + BATCH - 1, those no batch of a tenth round alone
 * had. */
static int64_t points_of_a_writer(void) {
    bool sent[ROUNDS * BATCH] = {false};
    int64_t count = 0;
    for (size_t i = 0; i < ROUNDS; i++)
        for (size_t k = 0; k < BATCH && i % 10 != 9; k++)
            sent[i * BATCH / 2 + k] = true;
    for (size_t i = 0; i < sizeof(sent); i++)
        count += sent[i];
    return count;
}

static void test_writers__of_one_run(void **state) {
    struct domains *d = *state;
    const char *run = run_new(d);
    write_at_once(d, &run, 1);
    assert_int_equal(points_of(d, run), WRITERS * points_of_a_writer());
}

static void test_writers__of_many_runs(void **state) {
    struct domains *d = *state;
    const char *runs[WRITERS];
    for (size_t i = 0; i < WRITERS; i++)
        runs[i] = run_new(d);
    write_at_once(d, runs, WRITERS);
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(points_of(d, runs[i]), points_of_a_writer());
}

/* Sends each batch again until somebody says it is stored. */
static void *write_stubbornly(void *arg) {
    struct writer *w = arg;
    for (size_t i = 0; i < ROUNDS; i++) {
        struct metric_point points[BATCH];
        for (size_t k = 0; k < BATCH; k++)
            points[k] =
                (struct metric_point){"x", (int64_t)(i * BATCH + k), NOON, (double)w->number};
        int tries = 0;
        while (ingest(w->d, w->run, points, BATCH) != OK && ++tries < 200)
            usleep(1000);
        w->failures += tries == 200;
    }
    return NULL;
}

static void *fold_stubbornly(void *arg) {
    struct domains *d = arg;
    for (int i = 0; i < 40; i++) {
        struct ctx cx;
        test_ctx_system(&cx, d->db);
        cx.app = d->app;
        if (metrics_sweep(&cx) != OK)
            usleep(1000);
        ctx_done(&cx);
    }
    return NULL;
}

/* Commits whose answer is lost, folds that end in the middle: what is acknowledged is there, and
 * what was sent again is there once. */
static void test_writers__whose_connections_are_cut(void **state) {
    struct domains *d = *state;
    const char *run = run_new(d);
    struct writer writers[WRITERS];
    pthread_t folder;
    for (size_t i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.d = d, .run = run, .number = i};
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_stubbornly, &writers[i]),
                         0);
    }
    assert_int_equal(pthread_create(&folder, NULL, fold_stubbornly, d), 0);
    for (int i = 0; i < 25; i++) {
        test_sql(d->db, "select pg_terminate_backend(pid) from pg_stat_activity"
                        " where datname = current_database() and pid <> pg_backend_pid()");
        usleep(10000);
    }
    for (size_t i = 0; i < WRITERS; i++) {
        pthread_join(writers[i].thread, NULL);
        assert_int_equal(writers[i].failures, 0);
    }
    pthread_join(folder, NULL);
    sweep(d);
    assert_int_equal(points_of(d, run), WRITERS * ROUNDS * BATCH);
}

static void test_folder__folds_by_itself(void **state) {
    struct domains *d = *state;
    const char *run = run_new(d);
    const struct metric_point point = {"x", 1, NOON, 1};
    struct err_info err;
    assert_ok(ingest_start(d->app->ingest, &err), &err);
    assert_err(OK, ingest(d, run, &point, 1));
    for (int i = 0; i < 100 && points_of(d, run) != 1; i++)
        usleep(50000);
    ingest_stop(d->app->ingest);
    assert_int_equal(points_of(d, run), 1);
    const char *sql = arena_printf(d->arena,
                                   "select count(*) from feed where topic = 'run:%s'"
                                   " and kind = 'metrics'",
                                   run);
    assert_string_equal(test_sql_value(d->db, sql), "1");
}

static void test_team__that_outruns_the_folder_helps_and_then_waits(void **state) {
    struct domains *d = *state;
    const char *run = run_new(d);
    const struct metric_point points[] = {{"x", 1, NOON, 1}, {"x", 2, NOON, 2}};
    struct ingest *m = d->app->ingest;
    int64_t *unfolded = ingest_unfolded(m, d->ours.team_id);
    m->folding = true; /* but it never comes by */
    assert_err(OK, ingest(d, run, points, 1));
    *unfolded = INGEST_HELP + 1;
    assert_err(OK, ingest(d, run, points + 1, 1));
    assert_int_equal(points_of(d, run), 1); /* the first was folded before the second was stored */
    *unfolded = INGEST_MAX;
    assert_err(ERR_UNAVAILABLE, ingest(d, run, points, 1));
    *unfolded = 0;
    m->folding = false;
    assert_err(OK, ingest(d, run, points, 1));
}

/* --- what follows, and what is damaged --- */

static void test_summaries__follow_their_run_to_another_experiment(void **state) {
    struct domains *d = *state;
    const char *run = run_new(d);
    const struct metric_point point = {"x", 1, NOON, 1};
    assert_err(OK, ingest(d, run, &point, 1));
    sweep(d);
    test_sql(d->db, arena_printf(d->arena,
                                 "insert into experiments (id, team_id, project_id, name)"
                                 " select gen_random_uuid(), team_id, project_id, 'elsewhere'"
                                 " from runs where id = '%s';"
                                 "update runs set experiment_id = (select id from experiments"
                                 " where name = 'elsewhere') where id = '%s'",
                                 run, run));
    const char *sql = arena_printf(
        d->arena,
        "select m.experiment_id = r.experiment_id from run_metrics m join runs r on r.id = m.run_id"
        " where r.id = '%s'",
        run);
    assert_string_equal(test_sql_value(d->db, sql), "t");
}

static void test_experiments__are_settled_alone(void **state) {
    struct domains *d = *state;
    const char *run = run_new(d);
    const struct metric_point point = {"x", 1, NOON, 1};
    struct ctx cx;
    const char *nothing = "00000000-0000-7000-8000-000000000000";
    const char *experiment =
        arena_strdup(d->arena, test_sql_value(d->db, arena_printf(d->arena,
                                                                  "select experiment_id from runs"
                                                                  " where id = '%s'",
                                                                  run)));
    assert_err(OK, ingest(d, run, &point, 1));
    ctx_ours(d, &cx);
    const char *noted = arena_printf(
        d->arena, "select count(*) from run_metrics where run_id = '%s' and last_value = 1", run);
    assert_ok(metrics_settle(&cx, &nothing, 1), &cx.err);
    assert_string_equal(test_sql_value(d->db, noted), "0");
    assert_ok(metrics_settle(&cx, &experiment, 1), &cx.err);
    assert_string_equal(test_sql_value(d->db, noted), "1");
    assert_int_equal(points_of(d, run), 0); /* they are not counted yet */
    ctx_done(&cx);
}

static void test_sweep__notes_what_it_has_no_time_to_fold(void **state) {
    struct domains *d = *state;
    const char *run = run_new(d);
    const struct metric_point point = {"x", 1, NOON, 7};
    const char *sql = arena_printf(d->arena,
                                   "select last_value || ' ' || points from run_metrics"
                                   " where run_id = '%s'",
                                   run);
    struct pace pace = {0};
    struct ctx cx;
    bool more;
    assert_err(OK, ingest(d, run, &point, 1));
    test_ctx_system(&cx, d->db);
    cx.app = d->app;
    assert_ok(sweep_round(&cx, &pace, 0, &more), &cx.err);
    assert_true(more);
    assert_string_equal(test_sql_value(d->db, sql), "7 0");
    assert_ok(sweep_round(&cx, &pace, 1000000, &more), &cx.err);
    assert_false(more);
    assert_string_equal(test_sql_value(d->db, sql), "7 1");
    ctx_done(&cx);
}

/* One run's damage is told, and holds up nobody else. */
static void test_damage__fails_cleanly_and_alone(void **state) {
    struct domains *d = *state;
    const char *bad = run_new(d), *good = run_new(d);
    const struct metric_point points[] = {{"x", 1, NOON, 1}, {"x", 2, NOON, 2}};
    assert_err(OK, ingest(d, bad, points, 1));
    sweep(d);
    test_sql(d->db, arena_printf(d->arena,
                                 "update metric_chunks set body = '\\x00ff' where series_id ="
                                 " (select series_id from run_metrics where run_id = '%s')",
                                 bad));
    get_fails(d, 500, &d->editor, "/api/v1/runs/%s/metrics/history?key=x", bad);
    assert_err(OK, ingest(d, bad, points + 1, 1));
    assert_err(OK, ingest(d, good, points, 2));
    sweep(d);
    assert_int_equal(points_of(d, good), 2);
    test_sql(d->db, "update metric_inbox set body = '\\x0101'");
    sweep(d);
    get_fails(d, 500, &d->editor, "/api/v1/runs/%s", bad);
    test_sql(d->db, arena_printf(d->arena, "delete from runs where id = '%s'", bad));
    assert_string_equal(test_sql_value(d->db, "select count(*) from metric_inbox"), "0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retry__of_a_batch_doubles_nothing),
        cmocka_unit_test(test_late_points__find_their_chunks),
        cmocka_unit_test(test_fold__that_is_rolled_back_loses_nothing),
        cmocka_unit_test(test_batch__is_refused_whole_with_the_field_at_fault),
        cmocka_unit_test(test_batch__over_http),
        cmocka_unit_test(test_batch__for_a_run_that_takes_none),
        cmocka_unit_test(test_writers__of_one_run),
        cmocka_unit_test(test_writers__of_many_runs),
        cmocka_unit_test(test_writers__whose_connections_are_cut),
        cmocka_unit_test(test_folder__folds_by_itself),
        cmocka_unit_test(test_team__that_outruns_the_folder_helps_and_then_waits),
        cmocka_unit_test(test_summaries__follow_their_run_to_another_experiment),
        cmocka_unit_test(test_sweep__notes_what_it_has_no_time_to_fold),
        cmocka_unit_test(test_experiments__are_settled_alone),
        cmocka_unit_test(test_damage__fails_cleanly_and_alone),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
