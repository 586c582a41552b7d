/* Metrics: what was logged is what a chart shows, at every zoom, and a repeated batch is free. */
#include "tests/support/domains.h"

#include "tracking/internal.h"

#include <math.h>
#include <pthread.h>

static void ctx_ours(struct domains *d, struct ctx *cx) {
    test_ctx_user(cx, d->db, &d->ours, ROLE_OWNER);
    cx->app = d->app;
}

static void log_points(struct domains *d, json_t *run, const struct metric_point *points,
                       size_t count) {
    struct ctx cx;
    ctx_ours(d, &cx);
    assert_ok(run_log_metrics(&cx, text_at(run, "id"), points, count), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    ctx_done(&cx);
}

/* count points of "loss" at steps first, first + stride, …; value 1 but where set. */
static struct metric_point *ramp(struct domains *d, size_t count, int64_t first, int64_t stride) {
    struct metric_point *points = arena_new_array(d->arena, struct metric_point, count);
    for (size_t i = 0; i < count; i++)
        points[i] = (struct metric_point){"loss", first + stride * (int64_t)i,
                                          1790000000000000 + (int64_t)i, 1.0};
    return points;
}

static json_t *series_of(struct domains *d, json_t *run, const char *query) {
    json_t *page = get_ok(d, "/api/v1/runs/%s/metrics?%s", text_at(run, "id"), query);
    return item_at(page, 0);
}

static int64_t sum(json_t *series, const char *member) {
    int64_t total = 0;
    size_t i;
    json_t *bucket;
    json_array_foreach(at(series, "buckets"), i, bucket) total += int_at(bucket, member);
    return total;
}

static double extreme(json_t *series, const char *member, double sign) {
    double most = -INFINITY;
    size_t i;
    json_t *bucket;
    json_array_foreach(at(series, "buckets"), i, bucket) most =
        fmax(most, sign * real_at(bucket, member));
    return sign * most;
}

static void test_series__every_zoom_keeps_spikes_and_counts(void **state) {
    struct domains *d = *state;
    json_t *run = run_make(d, "spike");
    struct metric_point *points = ramp(d, 3000, 0, 7);
    points[1234].value = 1000; /* one sample each way */
    points[2345].value = -50;
    log_points(d, run, points, 3000);
    static const int ZOOMS[] = {1, 2, 7, 100, 500, 1999, 2000};
    for (size_t i = 0; i < sizeof(ZOOMS) / sizeof(ZOOMS[0]); i++) {
        json_t *series = series_of(d, run, arena_printf(d->arena, "buckets=%d", ZOOMS[i]));
        assert_true(json_array_size(at(series, "buckets")) <= (size_t)ZOOMS[i]);
        assert_int_equal(sum(series, "count"), 3000);
        assert_float_equal(extreme(series, "max", 1), 1000, 0);
        assert_float_equal(extreme(series, "min", -1), -50, 0);
    }
}

static void test_series__within_a_window_is_exact(void **state) {
    struct domains *d = *state;
    json_t *run = run_make(d, "window");
    struct metric_point *points = ramp(d, 1000, 0, 1);
    for (size_t i = 0; i < 1000; i++)
        points[i].value = (double)i;
    log_points(d, run, points, 1000);
    json_t *series = series_of(d, run, "from_step=100&to_step=199&buckets=10");
    json_t *buckets = at(series, "buckets");
    assert_int_equal(json_array_size(buckets), 10);
    assert_int_equal(int_at(series, "points"), 1000);
    for (size_t i = 0; i < 10; i++) {
        json_t *bucket = json_array_get(buckets, i);
        double base = 100 + 10 * (double)i;
        assert_int_equal(int_at(bucket, "step"), (int64_t)base);
        assert_int_equal(int_at(bucket, "last_step"), (int64_t)base + 9);
        assert_float_equal(real_at(bucket, "first"), base, 0);
        assert_float_equal(real_at(bucket, "last"), base + 9, 0);
        assert_int_equal(int_at(bucket, "count"), 10);
    }
    series = series_of(d, run, "from_step=5000");
    assert_int_equal(json_array_size(at(series, "buckets")), 0);
}

static void test_series__gaps_are_empty_not_filled(void **state) {
    struct domains *d = *state;
    json_t *run = run_make(d, "gap");
    log_points(d, run, ramp(d, 10, 0, 1), 10);
    log_points(d, run, ramp(d, 10, 990, 1), 10);
    json_t *series = series_of(d, run, "buckets=100");
    assert_int_equal(json_array_size(at(series, "buckets")), 2);
    assert_int_equal(int_at(json_array_get(at(series, "buckets"), 0), "last_step"), 9);
    assert_int_equal(int_at(json_array_get(at(series, "buckets"), 1), "step"), 990);
}

static void test_series__values_that_are_not_finite_are_never_lost(void **state) {
    struct domains *d = *state;
    json_t *run = run_make(d, "nan");
    struct metric_point *points = ramp(d, 100, 0, 1);
    points[10].value = NAN;
    points[11].value = INFINITY;
    points[99].value = -INFINITY;
    log_points(d, run, points, 100);
    json_t *series = series_of(d, run, "buckets=1");
    json_t *bucket = json_array_get(at(series, "buckets"), 0);
    assert_int_equal(int_at(bucket, "non_finite"), 3);
    assert_int_equal(int_at(bucket, "count"), 100);
    assert_float_equal(real_at(bucket, "max"), 1, 0);
    assert_string_equal(text_at(bucket, "last"), "-Infinity");
    series = series_of(d, run, "from_step=10&to_step=11&buckets=1");
    bucket = json_array_get(at(series, "buckets"), 0);
    assert_string_equal(text_at(bucket, "min"), "NaN"); /* there is no finite one */
    assert_string_equal(text_at(bucket, "first"), "NaN");
    assert_string_equal(text_at(bucket, "last"), "Infinity");
    run = get_ok(d, "/api/v1/runs/%s", text_at(run, "id"));
    assert_string_equal(text_at(at(run, "metrics"), "loss"), "-Infinity");
}

static void test_series__extreme_steps_do_not_overflow(void **state) {
    struct domains *d = *state;
    json_t *run = run_make(d, "far");
    struct metric_point ends[2] = {{"loss", -((int64_t)1 << 62), 1790000000000000, 1},
                                   {"loss", ((int64_t)1 << 62) - 1, 1790000000000000, 2}};
    log_points(d, run, ends, 2);
    assert_int_equal(sum(series_of(d, run, "buckets=2000"), "count"), 2);
    assert_int_equal(sum(series_of(d, run, "buckets=1"), "count"), 2);
}

static void test_batch__repeated_costs_nothing_and_counts_once(void **state) {
    struct domains *d = *state;
    json_t *run = run_make(d, "repeat");
    struct metric_point *points = ramp(d, 200, 0, 1);
    for (int i = 0; i < 3; i++)
        log_points(d, run, points, 200);
    log_points(d, run, points + 150, 50);
    assert_int_equal(int_at(series_of(d, run, ""), "points"), 200);
    assert_int_equal(sum(series_of(d, run, ""), "count"), 200);
}

static void test_summary__agrees_with_the_points_in_any_order(void **state) {
    struct domains *d = *state;
    json_t *run = run_make(d, "summary");
    struct metric_point *points = ramp(d, 300, -100, 1);
    for (size_t i = 0; i < 300; i++)
        points[i].value = sin((double)i);
    points[42].value = NAN;
    log_points(d, run, points + 200, 100);
    log_points(d, run, points, 120);
    log_points(d, run, points + 100, 120); /* overlaps both */
    json_t *series = series_of(d, run, "buckets=1");
    json_t *bucket = json_array_get(at(series, "buckets"), 0);
    assert_int_equal(int_at(bucket, "count"), 300);
    const char *sql = arena_printf(
        d->arena,
        "select format('%%s %%s %%s %%s %%s %%s %%s', points, non_finite, first_step, last_step,"
        " extract(epoch from last_at)::bigint, least = %.17g and greatest = %.17g,"
        " last_value = %.17g) from run_metrics where run_id = '%s'",
        real_at(bucket, "min"), real_at(bucket, "max"), points[299].value, text_at(run, "id"));
    assert_string_equal(test_sql_value(d->db, sql), "300 1 -100 199 1790000000 t t");
}

static void test_series__asked_by_key(void **state) {
    struct domains *d = *state;
    json_t *run = run_make(d, "keys");
    const struct metric_point points[] = {{"train/loss", 1, 1790000000000000, 1},
                                          {"val/loss", 1, 1790000000000000, 2},
                                          {"lr", 1, 1790000000000000, 3}};
    log_points(d, run, points, 3);
    const char *id = text_at(run, "id");
    json_t *page = get_ok(d, "/api/v1/runs/%s/metrics", id);
    assert_int_equal(json_array_size(at(page, "items")), 3);
    page = get_ok(d, "/api/v1/runs/%s/metrics?keys=val/loss,lr,none", id);
    assert_int_equal(json_array_size(at(page, "items")), 2);
    assert_string_equal(text_at(item_at(page, 1), "key"), "val/loss");
    get_fails(d, 400, &d->editor, "/api/v1/runs/%s/metrics?buckets=2001", id);
    get_fails(d, 400, &d->editor, "/api/v1/runs/%s/metrics?from_step=x", id);
}

static void test_events__impossible_values_are_left_out(void **state) {
    struct domains *d = *state;
    json_t *run = run_make(d, "odd events");
    const char *job = text_at(run, "job_id");
    job_says(d, job,
             "{\"type\":\"metrics\",\"step\":5,\"at_us\":-1,\"values\":{\"good\":1,\"text\":\"x\","
             "\"\":2,\"list\":[],\"inf\":\"Infinity\"}}");
    job_says(d, job, "{\"type\":\"metrics\",\"step\":9000000000000000000,\"values\":{\"good\":7}}");
    json_t *metrics = at(get_ok(d, "/api/v1/runs/%s", text_at(run, "id")), "metrics");
    assert_int_equal(json_object_size(metrics), 2);
    assert_float_equal(real_at(metrics, "good"), 1, 0);
    assert_string_equal(text_at(metrics, "inf"), "Infinity");
}

struct writer {
    struct domains *d;
    json_t *run;
    const struct metric_point *points;
    pthread_t thread;
    enum err err;
};

static void *write_points(void *arg) {
    struct writer *w = arg;
    for (size_t i = 0; i < 20 && w->err == OK; i++) {
        struct ctx cx;
        ctx_ours(w->d, &cx);
        w->err = run_log_metrics(&cx, text_at(w->run, "id"), w->points + 10 * i, 10);
        if (w->err == OK)
            w->err = db_commit(&cx);
        ctx_done(&cx);
    }
    return NULL;
}

static void test_batches__of_many_writers_all_count(void **state) {
    struct domains *d = *state;
    enum { WRITERS = 4 };
    json_t *run = run_make(d, "writers");
    struct metric_point points[WRITERS][200];
    struct writer writers[WRITERS];
    static const char *const KEYS[] = {"a", "b", "c", "d", "e"};
    for (size_t w = 0; w < WRITERS; w++) {
        for (size_t i = 0; i < 200; i++) /* each batch has the keys in another order */
            points[w][i] = (struct metric_point){KEYS[(i * (w + 1)) % 5], (int64_t)i,
                                                 1790000000000000 + (int64_t)w, (double)w};
        writers[w] = (struct writer){.d = d, .run = run, .points = points[w]};
    }
    for (size_t w = 0; w < WRITERS; w++)
        assert_int_equal(pthread_create(&writers[w].thread, NULL, write_points, &writers[w]), 0);
    for (size_t w = 0; w < WRITERS; w++) {
        pthread_join(writers[w].thread, NULL);
        assert_err(OK, writers[w].err);
    }
    series_of(d, run, "");
    const char *sql = arena_printf(
        d->arena, "select sum(points) from run_metrics where run_id = '%s'", text_at(run, "id"));
    assert_string_equal(test_sql_value(d->db, sql), "800");
}

static void test_batch__for_a_missing_run_is_refused(void **state) {
    struct domains *d = *state;
    struct ctx cx;
    ctx_ours(d, &cx);
    const struct metric_point point = {"loss", 1, 1790000000000000, 1};
    assert_err(ERR_NOT_FOUND,
               run_log_metrics(&cx, "00000000-0000-7000-8000-000000000000", &point, 1));
    ctx_done(&cx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_series__every_zoom_keeps_spikes_and_counts),
        cmocka_unit_test(test_series__within_a_window_is_exact),
        cmocka_unit_test(test_series__gaps_are_empty_not_filled),
        cmocka_unit_test(test_series__values_that_are_not_finite_are_never_lost),
        cmocka_unit_test(test_series__extreme_steps_do_not_overflow),
        cmocka_unit_test(test_batch__repeated_costs_nothing_and_counts_once),
        cmocka_unit_test(test_summary__agrees_with_the_points_in_any_order),
        cmocka_unit_test(test_series__asked_by_key),
        cmocka_unit_test(test_events__impossible_values_are_left_out),
        cmocka_unit_test(test_batches__of_many_writers_all_count),
        cmocka_unit_test(test_batch__for_a_missing_run_is_refused),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
