/* Reading metrics: pages of a history, samples and charts, against plain sorted arrays. */
#include "tests/support/domains.h"

#include "tracking/internal.h"
#include "tracking/metrics_private.h"

#include <math.h>

#define NOON 1790000000000000

enum { COUNT = 2000 };

/* All points of one series, in the order they are sent. */
struct sent {
    const char *run;
    struct metric_point points[COUNT];
};

static uint64_t seed = 4711;

static uint64_t random_below(uint64_t limit) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    return (seed >> 33) % limit;
}

static void ctx_ours(struct domains *d, struct ctx *cx) {
    test_ctx_user(cx, d->db, &d->ours, ROLE_OWNER);
    cx->app = d->app;
}

static const char *run_new(struct domains *d) {
    struct ctx cx;
    const char *id;
    ctx_ours(d, &cx);
    const struct run_create options = {.project_id = d->ours.project_id, .name = "history"};
    assert_ok(run_create(&cx, &options, &id), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    id = arena_strdup(d->arena, id);
    ctx_done(&cx);
    return id;
}

static void send_points(struct domains *d, const char *run, const struct metric_point *points,
                        size_t count) {
    struct ctx cx;
    ctx_ours(d, &cx);
    assert_ok(run_ingest_metrics(&cx, NULL, run, points, count), &cx.err);
    ctx_done(&cx);
}

/* Different points whose times rise with the steps, fall with them, or have nothing to do with
 * them; sent in small batches, out of order, and folded now and then. */
static struct sent *send_series(struct domains *d, const char *kind) {
    struct sent *s = arena_new_struct(d->arena, struct sent);
    s->run = run_new(d);
    for (size_t i = 0; i < COUNT; i++) {
        int64_t step = (int64_t)(i * 3 % COUNT) / 2, at = NOON + step * 1000 + (int64_t)i % 2;
        if (strcmp(kind, "falling") == 0)
            at = NOON - step * 1000 + (int64_t)i % 2;
        else if (strcmp(kind, "random") == 0)
            at = NOON + (int64_t)random_below(50) * 100000 + (int64_t)i;
        double value = i % 97 == 0 ? (double)NAN : i % 89 == 0 ? (double)INFINITY : sin((double)i);
        s->points[i] = (struct metric_point){"m", step, at, value};
    }
    for (size_t i = 0; i < COUNT; i += 100) {
        struct ctx cx;
        send_points(d, s->run, s->points + i, 100);
        ctx_ours(d, &cx);
        if (i % 400 == 0)
            assert_ok(run_fold(&cx, s->run, 0), &cx.err);
        ctx_done(&cx);
    }
    return s;
}

static int compare_values(double a, double b) {
    return isnan(a) || isnan(b) ? isnan(a) - isnan(b) : (a > b) - (a < b);
}

static int by_time(const void *a, const void *b) {
    const struct metric_point *x = a, *y = b;
    if (x->at_us != y->at_us)
        return x->at_us < y->at_us ? -1 : 1;
    if (x->step != y->step)
        return x->step < y->step ? -1 : 1;
    return compare_values(x->value, y->value);
}

static int by_step(const void *a, const void *b) {
    const struct metric_point *x = a, *y = b;
    if (x->step != y->step)
        return x->step < y->step ? -1 : 1;
    return by_time(a, b);
}

static void assert_points(const struct metric_point *got, const struct metric_point *want,
                          size_t count) {
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(got[i].key, "m");
        assert_int_equal(by_time(&got[i], &want[i]), 0);
    }
}

static const char *const KINDS[] = {"rising", "falling", "random"};

static void test_history__pages_are_the_points_by_time(void **state) {
    struct domains *d = *state;
    static const int64_t LIMITS[] = {7, 333, COUNT - 1, COUNT, 25000};
    for (size_t kind = 0; kind < 3; kind++) {
        struct sent *s = send_series(d, KINDS[kind]);
        qsort(s->points, COUNT, sizeof(s->points[0]), by_time);
        for (size_t i = 0; i < sizeof(LIMITS) / sizeof(LIMITS[0]); i++) {
            const char *token = NULL;
            struct list page;
            struct ctx cx;
            size_t seen = 0;
            ctx_ours(d, &cx);
            do {
                assert_ok(run_history(&cx, s->run, "m", LIMITS[i], token, &page, &token), &cx.err);
                assert_true(seen + page.count <= COUNT);
                assert_points(page.items, s->points + seen, page.count);
                seen += page.count;
                assert_true(page.count == (size_t)LIMITS[i] || !token);
            } while (token);
            assert_int_equal(seen, COUNT);
            ctx_done(&cx);
        }
    }
}

static void test_history__over_http(void **state) {
    struct domains *d = *state;
    const char *run = run_new(d);
    const struct metric_point points[] = {{"m", 2, NOON, 1}, {"m", 1, NOON + 1, (double)NAN}};
    send_points(d, run, points, 2);
    json_t *page = get_ok(d, "/api/v1/runs/%s/metrics/history?key=m&limit=1", run);
    assert_int_equal(int_at(item_at(page, 0), "step"), 2);
    assert_string_equal(text_at(item_at(page, 0), "at"), "2026-09-21T14:13:20.000000Z");
    page = get_ok(d, "/api/v1/runs/%s/metrics/history?key=m&limit=1&cursor=%s", run,
                  text_at(page, "next_cursor"));
    assert_string_equal(text_at(item_at(page, 0), "value"), "NaN");
    assert_true(json_is_null(at(page, "next_cursor")));
    page = get_ok(d, "/api/v1/runs/%s/metrics/history?key=none", run);
    assert_int_equal(json_array_size(at(page, "items")), 0);
    get_fails(d, 400, &d->editor, "/api/v1/runs/%s/metrics/history", run);
    get_fails(d, 400, &d->editor, "/api/v1/runs/%s/metrics/history?key=m&cursor=made-up", run);
    get_fails(d, 404, &d->stranger, "/api/v1/runs/%s/metrics/history?key=m", run);
}

/* --- samples --- */

static void assert_sample(struct domains *d, const struct sent *s, int64_t from, int64_t to,
                          int64_t max) {
    struct list got;
    struct ctx cx;
    size_t first = 0, count = 0, steps = 0;
    ctx_ours(d, &cx);
    assert_ok(run_history_sample(&cx, s->run, "m", from, to, max, &got), &cx.err);
    const struct metric_point *points = got.items;
    for (size_t i = 0; i < COUNT; i++) {
        bool inside = s->points[i].step >= from && s->points[i].step <= to;
        first = inside && count == 0 ? i : first;
        count += inside;
    }
    for (size_t i = 0; i < got.count; i++) {
        steps += i == 0 || points[i].step != points[i - 1].step;
        assert_true(i == 0 || by_step(&points[i - 1], &points[i]) < 0);
    }
    assert_true(steps <= (size_t)max + 1);
    assert_int_equal(by_step(&points[0], &s->points[first]), 0);
    assert_int_equal(by_step(&points[got.count - 1], &s->points[first + count - 1]), 0);
    int64_t width = points[got.count - 1].step - points[0].step;
    for (size_t i = 1; i < got.count; i++) /* even: each step has two points here */
        assert_true(points[i].step - points[i - 1].step <= width / max + 2);
    ctx_done(&cx);
}

static void test_sample__is_even_and_has_both_ends(void **state) {
    struct domains *d = *state;
    struct sent *s = send_series(d, "random");
    qsort(s->points, COUNT, sizeof(s->points[0]), by_step);
    assert_sample(d, s, 0, COUNT, 10);
    assert_sample(d, s, 0, COUNT, 320);
    assert_sample(d, s, 0, COUNT, 2500);
    assert_sample(d, s, 101, 707, 25);
    struct list none;
    struct ctx cx;
    ctx_ours(d, &cx);
    assert_ok(run_history_sample(&cx, s->run, "m", COUNT, FIELD_NO_INT, 10, &none), &cx.err);
    assert_int_equal(none.count, 0);
    assert_ok(run_history_sample(&cx, s->run, "none", FIELD_NO_INT, FIELD_NO_INT, 10, &none),
              &cx.err);
    assert_int_equal(none.count, 0);
    assert_err(ERR_NOT_FOUND, run_history_sample(&cx, "no-run", "m", 0, 1, 10, &none));
    ctx_done(&cx);
}

static void test_sample__of_a_long_series(void **state) {
    struct domains *d = *state;
    enum { LONG = 60000 };
    const char *run = run_new(d);
    struct metric_point *points = calloc(LONG, sizeof(*points));
    struct list got;
    struct ctx cx;
    for (size_t i = 0; i < LONG; i++)
        points[i] = (struct metric_point){"m", (int64_t)i * 10, NOON + (int64_t)i, (double)i};
    ctx_ours(d, &cx);
    assert_ok(run_log_metrics(&cx, run, points, LONG), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    assert_ok(run_history_sample(&cx, run, "m", FIELD_NO_INT, FIELD_NO_INT, 50, &got), &cx.err);
    const struct metric_point *some = got.items;
    assert_int_equal(got.count, 51);
    assert_int_equal(some[0].step, 0);
    assert_int_equal(some[50].step, (LONG - 1) * 10);
    for (size_t i = 1; i < 50; i++)
        assert_true(some[i].step - some[i - 1].step < 2 * LONG * 10 / 50);
    ctx_done(&cx);
    free(points);
}

/* --- charts --- */

static void assert_bucket(const struct metric_bucket *b, const struct metric_point *points,
                          size_t count) {
    double least = (double)NAN, greatest = (double)NAN;
    int64_t non_finite = 0;
    for (size_t i = 0; i < count; i++) {
        non_finite += !isfinite(points[i].value);
        least = isfinite(points[i].value) ? fmin(least, points[i].value) : least;
        greatest = isfinite(points[i].value) ? fmax(greatest, points[i].value) : greatest;
    }
    assert_int_equal(b->step, points[0].step);
    assert_int_equal(b->at, points[0].at_us);
    assert_int_equal(b->last_step, points[count - 1].step);
    assert_int_equal(b->count, count);
    assert_int_equal(b->non_finite, non_finite);
    assert_int_equal(compare_values(b->first, points[0].value), 0);
    assert_int_equal(compare_values(b->last, points[count - 1].value), 0);
    assert_int_equal(compare_values(b->min, least), 0);
    assert_int_equal(compare_values(b->max, greatest), 0);
}

static void assert_chart(struct domains *d, const struct sent *s, int64_t from, int64_t to,
                         int64_t buckets) {
    struct list series;
    struct ctx cx;
    const struct series_query query = {.buckets = buckets, .from_step = from, .to_step = to};
    ctx_ours(d, &cx);
    assert_ok(run_series(&cx, s->run, &query, &series), &cx.err);
    const struct metric_series *m = series.items;
    const struct metric_bucket *got = m->buckets.items;
    from = from < 0 ? 0 : from;
    to = to > m->last_step ? m->last_step : to;
    int64_t width = (to - from) / buckets + 1;
    size_t at = 0, bucket = 0;
    while (at < COUNT && s->points[at].step < from)
        at++;
    while (at < COUNT && s->points[at].step <= to) {
        size_t first = at;
        while (at < COUNT && s->points[at].step <= to &&
               (s->points[at].step - from) / width == (s->points[first].step - from) / width)
            at++;
        assert_true(bucket < m->buckets.count);
        assert_bucket(&got[bucket++], s->points + first, at - first);
    }
    assert_int_equal(bucket, m->buckets.count);
    ctx_done(&cx);
}

static void test_chart__is_what_the_points_say(void **state) {
    struct domains *d = *state;
    static const int64_t BUCKETS[] = {1, 2, 3, 7, 50, 499, 2000};
    for (size_t kind = 0; kind < 3; kind++) {
        struct sent *s = send_series(d, KINDS[kind]);
        qsort(s->points, COUNT, sizeof(s->points[0]), by_step);
        for (size_t i = 0; i < sizeof(BUCKETS) / sizeof(BUCKETS[0]); i++) {
            assert_chart(d, s, -5, COUNT, BUCKETS[i]);
            assert_chart(d, s, 101, 899, BUCKETS[i]);
            assert_chart(d, s, 500, 500, BUCKETS[i]);
        }
    }
}

static void test_last_metrics__of_several_runs(void **state) {
    struct domains *d = *state;
    const char *runs[2] = {run_new(d), run_new(d)};
    const struct metric_point points[] = {{"b", 5, NOON, 1}, {"b", 5, NOON + 1, 2}, {"a", 9, 0, 3}};
    struct list got;
    struct ctx cx;
    send_points(d, runs[1], points, 3);
    send_points(d, runs[0], points, 1);
    ctx_ours(d, &cx);
    assert_ok(runs_last_metrics(&cx, runs, 2, &got), &cx.err);
    const struct metric_last *last = got.items;
    assert_int_equal(got.count, 3);
    assert_string_equal(last[0].run_id, runs[0]);
    assert_string_equal(last[1].key, "a");
    assert_int_equal(last[1].at_us, 0);
    assert_int_equal(last[2].at_us, NOON + 1);
    assert_float_equal(last[2].value, 2, 0);
    ctx_done(&cx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_history__pages_are_the_points_by_time),
        cmocka_unit_test(test_history__over_http),
        cmocka_unit_test(test_sample__is_even_and_has_both_ends),
        cmocka_unit_test(test_sample__of_a_long_series),
        cmocka_unit_test(test_chart__is_what_the_points_say),
        cmocka_unit_test(test_last_metrics__of_several_runs),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
