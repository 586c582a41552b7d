/* Reading runs that are being logged to: what was acknowledged is there, whether it waits in the
 * inbox, has been noted or is folded, and nobody waits for the folding. */
#include "tests/mlflow/wire.h"

#include "base/ident.h"
#include "tracking/metrics_private.h"

#include <math.h>
#include <pthread.h>

#define NOON 1790000000000000

static void ctx_ours(struct domains *d, struct ctx *cx) {
    test_ctx_user(cx, d->db, &d->ours, ROLE_OWNER);
    cx->app = d->app;
}

static const char *uuid_of(struct domains *d, const char *run) {
    char *uuid = arena_alloc(d->arena, UUID_TEXT_SIZE);
    assert_true(uuid_from_hex(run, uuid));
    return uuid;
}

static void send(struct domains *d, const char *run, const struct metric_point *points,
                 size_t count) {
    struct ctx cx;
    ctx_ours(d, &cx);
    assert_ok(run_ingest_metrics(&cx, NULL, uuid_of(d, run), points, count), &cx.err);
    ctx_done(&cx);
}

/* Whether any of it has been noted or folded. */
static const char *written(struct domains *d, const char *run) {
    return test_sql_value(
        d->db, arena_printf(d->arena, "select count(*) from run_metrics where run_id = '%s'",
                            uuid_of(d, run)));
}

static json_t *metric_of(struct domains *d, const char *run, const char *key) {
    json_t *metrics = at(at(at(look(d, "runs/get?run_id=%s", run), "run"), "data"), "metrics");
    json_t *metric;
    size_t i;
    json_array_foreach(metrics, i, metric) {
        if (strcmp(text_at(metric, "key"), key) == 0)
            return metric;
    }
    fail_msg("no metric %s", key);
    return NULL;
}

static void test_get_run__takes_the_inbox_along(void **state) {
    struct domains *d = *state;
    const char *run = run_opened(d, "0", "fresh");
    struct metric_point points[100]; /* a digest stands for such a batch */
    for (size_t i = 0; i < 100; i++)
        points[i] = (struct metric_point){i % 2 ? "odd" : "even", (int64_t)(i * 37 % 100),
                                          NOON + (int64_t)i * 1000, (double)i / 8};
    send(d, run, points, 100);
    json_t *even = metric_of(d, run, "even");
    assert_int_equal(int_at(even, "step"), 98); /* 54 * 37 % 100 */
    assert_float_equal(real_at(even, "value"), 6.75, 0);
    assert_int_equal(int_at(even, "timestamp"), NOON / 1000 + 54);
    assert_string_equal(written(d, run), "0"); /* reading wrote nothing */
}

static void test_get_run__merges_summaries_and_inbox(void **state) {
    struct domains *d = *state;
    const char *run = run_opened(d, "0", "merged");
    const struct metric_point before[] = {{"a", 5, NOON, 1}, {"b", 5, NOON, 2}, {"d", 5, NOON, 3}};
    const struct metric_point later[] = {{"b", 4, NOON + 9000, 9}, /* an earlier step */
                                         {"c", 1, NOON, (double)NAN},
                                         {"d", 5, NOON + 2000, 0.25}}; /* a later time */
    struct ctx cx;
    send(d, run, before, 3);
    ctx_ours(d, &cx);
    assert_ok(run_settle(&cx, uuid_of(d, run)), &cx.err);
    ctx_done(&cx);
    send(d, run, later, 3);
    assert_string_equal(logged(d, run, "metrics", "a"), "1");
    assert_string_equal(logged(d, run, "metrics", "b"), "2");
    assert_string_equal(logged(d, run, "metrics", "c"), "\"NaN\"");
    assert_string_equal(logged(d, run, "metrics", "d"), "0.25");
    assert_string_equal(written(d, run), "3");
}

/* Microseconds decide, which summaries have and clients do not see. */
static void test_get_run__tells_points_of_one_millisecond_apart(void **state) {
    struct domains *d = *state;
    const char *run = run_opened(d, "0", "close");
    const struct metric_point first = {"x", 1, NOON + 600, 1}, second = {"x", 1, NOON + 100, 2};
    struct ctx cx;
    send(d, run, &first, 1);
    ctx_ours(d, &cx);
    assert_ok(run_settle(&cx, uuid_of(d, run)), &cx.err);
    ctx_done(&cx);
    send(d, run, &second, 1);
    assert_string_equal(logged(d, run, "metrics", "x"), "1");
}

static void test_get_run__with_more_than_it_takes_along(void **state) {
    struct domains *d = *state;
    const char *run = run_opened(d, "0", "much");
    enum { COUNT = 10000 };
    struct metric_point *points = arena_new_array(d->arena, struct metric_point, COUNT);
    for (size_t i = 0; i < COUNT; i++)
        points[i] = (struct metric_point){arena_printf(d->arena, "layer/%zu", i), 1, NOON, 0.5};
    send(d, run, points, COUNT);
    assert_string_equal(logged(d, run, "metrics", "layer/9999"), "0.5");
    assert_string_equal(written(d, run), "10000");
}

static void test_steps__are_any_of_64_bits(void **state) {
    struct domains *d = *state;
    const char *run = run_opened(d, "0", "steps");
    static const char *const STEPS[] = {"-9223372036854775808", "9223372036854775807"};
    for (size_t i = 0; i < 2; i++) {
        call(d, "runs/log-metric",
             "{\"run_id\":\"%s\",\"key\":\"x\",\"value\":%zu,\"timestamp\":1,\"step\":%s}", run, i,
             STEPS[i]);
        assert_int_equal(int_at(metric_of(d, run, "x"), "step"), i ? INT64_MAX : INT64_MIN);
    }
    json_t *points =
        at(look(d, "metrics/get-history?run_id=%s&metric_key=x&max_results=1", run), "metrics");
    assert_int_equal(int_at(json_array_get(points, 0), "step"), INT64_MIN);
    json_t *sample =
        at(look(d, "metrics/get-history-bulk-interval?run_ids=%s&metric_key=x", run), "metrics");
    assert_int_equal(json_array_size(sample), 2);
    json_t *chart = get_ok(d, "/api/v1/runs/%s/metrics?buckets=2", uuid_of(d, run));
    json_t *buckets = at(item_at(chart, 0), "buckets");
    assert_int_equal(json_array_size(buckets), 2);
    assert_int_equal(int_at(json_array_get(buckets, 1), "step"), INT64_MAX);
}

/* --- many at once --- */

enum { WRITERS = 4, ROUNDS = 60, BATCH = 40 };

struct writer {
    struct domains *d;
    const char *uuid;
    char key[8];
    pthread_t thread;
    int failures;
};

/* The last point as a reader sees it right after it was acknowledged. */
static bool reads_back(struct writer *w, const struct metric_point *sent) {
    struct ctx cx;
    struct list history, lasts;
    bool same = false;
    ctx_ours(w->d, &cx);
    assert_ok(runs_last_metrics(&cx, &w->uuid, 1, &lasts), &cx.err);
    const struct metric_last *last = lasts.items;
    for (size_t i = 0; i < lasts.count; i++)
        same |= strcmp(last[i].key, w->key) == 0 && last[i].step == sent->step;
    const char *next;
    assert_ok(run_history(&cx, w->uuid, w->key, 100000, NULL, &history, &next), &cx.err);
    const struct metric_point *points = history.items;
    same &= history.count > 0 && points[history.count - 1].step == sent->step;
    same &= history.count == (size_t)sent->step + 1;
    ctx_done(&cx);
    return same;
}

static void *write_and_read(void *arg) {
    struct writer *w = arg;
    for (size_t i = 0; i < ROUNDS; i++) {
        struct metric_point points[BATCH];
        struct ctx cx;
        for (size_t k = 0; k < BATCH; k++) {
            int64_t step = (int64_t)(i * BATCH + k);
            points[k] = (struct metric_point){w->key, step, NOON + step * 1000, (double)step};
        }
        ctx_ours(w->d, &cx);
        w->failures += run_ingest_metrics(&cx, NULL, w->uuid, points, BATCH) != OK;
        ctx_done(&cx);
        w->failures += !reads_back(w, &points[BATCH - 1]);
    }
    return NULL;
}

static void *sweep_often(void *arg) {
    struct domains *d = arg;
    for (int i = 0; i < 60; i++) {
        struct ctx cx;
        test_ctx_system(&cx, d->db);
        cx.app = d->app;
        assert_ok(metrics_sweep(&cx), &cx.err);
        ctx_done(&cx);
    }
    return NULL;
}

static void test_readers__see_what_was_acknowledged_while_others_fold(void **state) {
    struct domains *d = *state;
    const char *run = run_opened(d, "0", "busy");
    struct writer writers[WRITERS];
    pthread_t folder;
    for (size_t i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.d = d, .uuid = uuid_of(d, run)};
        snprintf(writers[i].key, sizeof(writers[i].key), "k%zu", i);
    }
    assert_int_equal(pthread_create(&folder, NULL, sweep_often, d), 0);
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_and_read, &writers[i]), 0);
    /* And through the front door, while they are at it. */
    int64_t before = -1;
    for (size_t i = 0; i < 100; i++) {
        json_t *metrics =
            json_object_get(at(at(look(d, "runs/get?run_id=%s", run), "run"), "data"), "metrics");
        json_t *metric;
        size_t k;
        json_array_foreach(metrics, k, metric) {
            if (strcmp(text_at(metric, "key"), "k0") != 0)
                continue;
            assert_true(int_at(metric, "step") >= before); /* never backwards */
            before = int_at(metric, "step");
        }
    }
    for (size_t i = 0; i < WRITERS; i++) {
        pthread_join(writers[i].thread, NULL);
        assert_int_equal(writers[i].failures, 0);
    }
    pthread_join(folder, NULL);
    assert_int_equal(int_at(metric_of(d, run, "k0"), "step"), ROUNDS * BATCH - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_get_run__takes_the_inbox_along),
        cmocka_unit_test(test_get_run__merges_summaries_and_inbox),
        cmocka_unit_test(test_get_run__tells_points_of_one_millisecond_apart),
        cmocka_unit_test(test_get_run__with_more_than_it_takes_along),
        cmocka_unit_test(test_steps__are_any_of_64_bits),
        cmocka_unit_test(test_readers__see_what_was_acknowledged_while_others_fold),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
