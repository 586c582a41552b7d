/* Figures of the metrics' storage, one line each: what is stored in a second and in a byte, and how
 * long readers wait. A cluster of its own, with fsync on:
 *
 *     cmake --preset release -B build/bench && ninja -C build/bench bench_metrics test_template
 *     cd build/bench && ../../tests/support/pg run sh -c 'bin/test_template && bin/bench_metrics'
 *
 * Arguments: the number of points of the long series, a million by default; and one part alone,
 * storing, reading or keys. */
#include "tests/support/domains.h"

#include "base/clock.h"
#include "tracking/internal.h"
#include "tracking/metrics_private.h"

#include <math.h>
#include <stdatomic.h>

enum { THREADS = 8, KEYS = 4 };

static void line(const char *name, double value, const char *unit) {
    printf("%-52s %14.1f %s\n", name, value, unit);
    fflush(stdout);
}

static void ctx_ours(struct domains *d, struct ctx *cx) {
    test_ctx_user(cx, d->db, &d->ours, ROLE_OWNER);
    cx->app = d->app;
}

static const char *run_new(struct domains *d) {
    struct ctx cx;
    const char *id;
    ctx_ours(d, &cx);
    const struct run_create options = {.project_id = d->ours.project_id, .name = "bench"};
    assert_ok(run_create(&cx, &options, &id), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    id = arena_strdup(d->arena, id);
    ctx_done(&cx);
    return id;
}

/* --- writers ---------------------------------------------------------------------------------- */

struct writer {
    struct domains *d;
    const char *run_id;
    size_t batch, batches; /* points in a batch; batches of all writers */
    atomic_size_t *next;   /* batch, whoever writes it */
    bool single_precision;
    pthread_t thread;
};

/* A noisy loss: the time rises by some milliseconds and a jitter, every key at each step. */
static void fill(struct metric_point *points, size_t count, size_t first, bool single) {
    static const char *const NAMES[KEYS] = {"train/loss", "train/accuracy", "grad_norm", "lr"};
    for (size_t i = 0; i < count; i++) {
        size_t step = (first + i) / KEYS;
        double value = exp(-(double)step / 1e5) + 0.01 * sin((double)(step * 7919 + i));
        points[i] = (struct metric_point){NAMES[(first + i) % KEYS], (int64_t)step,
                                          1790000000000000 + (int64_t)step * 20000 +
                                              (int64_t)(step * 7919 % 3001),
                                          single ? (double)(float)value : value};
    }
}

static void *write_batches(void *arg) {
    struct writer *w = arg;
    struct metric_point *points = calloc(w->batch, sizeof(*points));
    for (size_t i; (i = atomic_fetch_add(w->next, 1)) < w->batches;) {
        struct ctx cx;
        ctx_ours(w->d, &cx);
        fill(points, w->batch, i * w->batch, w->single_precision);
        assert_ok(run_ingest_metrics(&cx, NULL, w->run_id, points, w->batch), &cx.err);
        ctx_done(&cx);
    }
    free(points);
    return NULL;
}

/* All threads into one run; returns the seconds it took. */
static double write_all(struct domains *d, const char *run_id, size_t points, size_t batch,
                        bool single) {
    struct writer writers[THREADS];
    atomic_size_t next = 0;
    int64_t begin = clock_mono_us();
    for (size_t i = 0; i < THREADS; i++) {
        writers[i] = (struct writer){d, run_id, batch, points / batch, &next, single, 0};
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_batches, &writers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(writers[i].thread, NULL);
    return (double)(clock_mono_us() - begin) / 1e6;
}

static double sweep(struct domains *d) {
    struct ctx cx;
    int64_t begin = clock_mono_us();
    test_ctx_system(&cx, d->db);
    assert_ok(metrics_sweep(&cx), &cx.err);
    ctx_done(&cx);
    return (double)(clock_mono_us() - begin) / 1e6;
}

/* --- figures ---------------------------------------------------------------------------------- */

static double stored_bytes(struct domains *d) {
    return strtod(test_sql_value(d->db, "select pg_total_relation_size('metric_chunks')"
                                        " + pg_total_relation_size('run_metrics')"),
                  NULL);
}

static void bench_storing(struct domains *d, size_t points) {
    double before = stored_bytes(d);
    double seconds = write_all(d, run_new(d), points, 100, false);
    line("batches of 100, 8 threads, nobody folds", (double)points / seconds, "points/s");
    line("folding", (double)points / sweep(d), "points/s");
    line("stored, double precision", (stored_bytes(d) - before) / (double)points, "bytes/point");
    before = stored_bytes(d);
    seconds = write_all(d, run_new(d), points, 1000, true);
    line("batches of 1,000, 8 threads, nobody folds", (double)points / seconds, "points/s");
    line("folding", (double)points / sweep(d), "points/s");
    line("stored, single precision", (stored_bytes(d) - before) / (double)points, "bytes/point");
    seconds = write_all(d, run_new(d), 16000, 1, false);
    line("single points, 8 threads", 16000 / seconds, "requests/s");
    line("folding", 16000 / sweep(d), "points/s");
}

static void bench_both(struct domains *d, size_t points) {
    struct err_info err;
    const char *run = run_new(d);
    assert_ok(ingest_start(d->app->ingest, &err), &err);
    int64_t begin = clock_mono_us();
    double seconds = write_all(d, run, points, 100, false);
    line("batches of 100, 8 threads, folding beside", (double)points / seconds, "points/s");
    struct ctx cx;
    ctx_ours(d, &cx);
    assert_ok(run_fold(&cx, run, 0), &cx.err);
    ctx_done(&cx);
    seconds = (double)(clock_mono_us() - begin) / 1e6;
    line("the same until all is folded", (double)points / seconds, "points/s");
    seconds = write_all(d, run_new(d), 16000, 1, false);
    line("single points, 8 threads, folding beside", 16000 / seconds, "requests/s");
    ingest_stop(d->app->ingest);
}

static void bench_reading(struct domains *d, size_t points) {
    const char *run = run_new(d), *token = NULL;
    struct metric_point *all = calloc(points, sizeof(*all));
    fill(all, points, 0, false);
    struct ctx cx;
    ctx_ours(d, &cx);
    for (size_t i = 0; i < points; i++)
        all[i].key = "loss", all[i].step = (int64_t)i, all[i].at_us += (int64_t)i * 5000;
    assert_ok(run_log_metrics(&cx, run, all, points), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    line("folding one long series", (double)points / sweep(d), "points/s");
    struct list series, page;
    for (int64_t buckets = 500; buckets <= 2000; buckets += 1500) {
        int64_t begin = clock_mono_us();
        const struct series_query query = {
            .buckets = buckets, .from_step = FIELD_NO_INT, .to_step = FIELD_NO_INT};
        assert_ok(run_series(&cx, run, &query, &series), &cx.err);
        line(buckets == 500 ? "chart of 500 buckets" : "chart of 2,000 buckets",
             (double)(clock_mono_us() - begin) / 1e3, "ms");
    }
    int64_t begin = clock_mono_us();
    assert_ok(run_history_sample(&cx, run, "loss", FIELD_NO_INT, FIELD_NO_INT, 320, &page),
              &cx.err);
    line("sample of 320 steps", (double)(clock_mono_us() - begin) / 1e3, "ms");
    begin = clock_mono_us();
    size_t pages = 0;
    do {
        assert_ok(run_history(&cx, run, "loss", 25000, token, &page, &token), &cx.err);
        pages++;
    } while (token);
    line("history, a page of 25,000 of it all",
         (double)(clock_mono_us() - begin) / 1e3 / (double)pages, "ms");
    begin = clock_mono_us();
    assert_ok(run_log_metrics(&cx, run, all + points / 2, 100), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    assert_ok(run_fold(&cx, run, 0), &cx.err);
    line("an old batch of 100 again, stored and folded", (double)(clock_mono_us() - begin) / 1e3,
         "ms");
    ctx_done(&cx);
    free(all);
}

static void bench_keys(struct domains *d) {
    enum { COUNT = 100000 };
    const char *run = run_new(d);
    struct metric_point *points = calloc(COUNT, sizeof(*points));
    for (size_t i = 0; i < COUNT; i++)
        points[i] = (struct metric_point){arena_printf(d->arena, "layer/%zu/norm", i), 1,
                                          1790000000000000, (double)i};
    struct ctx cx;
    ctx_ours(d, &cx);
    double before = stored_bytes(d);
    for (size_t i = 0; i < COUNT; i += 10000)
        assert_ok(run_ingest_metrics(&cx, NULL, run, points + i, 10000), &cx.err);
    line("100,000 keys of one run, folding", COUNT / sweep(d), "points/s");
    line("100,000 keys of one run, stored", (stored_bytes(d) - before) / COUNT, "bytes/key");
    for (size_t i = 0; i < COUNT; i++)
        points[i].step = 2;
    for (size_t i = 0; i < COUNT; i += 10000)
        assert_ok(run_ingest_metrics(&cx, NULL, run, points + i, 10000), &cx.err);
    line("100,000 keys of one run, one more point each", COUNT / sweep(d), "points/s");
    ctx_done(&cx);
    free(points);
}

int main(int argc, char **argv) {
    void *state;
    size_t points = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000;
    domains_setup(&state);
    struct domains *d = state;
    db_observe(NULL);
    test_sql(d->db, "alter system set fsync = on");
    test_sql(d->db, "alter system set synchronous_commit = on");
    test_sql(d->db, "alter system set full_page_writes = on");
    test_sql(d->db, "select pg_reload_conf()");
    const char *part = argc > 2 ? argv[2] : "all";
    bool all = strcmp(part, "all") == 0;
    if (all || strcmp(part, "storing") == 0) {
        bench_storing(d, 1000000);
        bench_both(d, 1000000);
    }
    if (all || strcmp(part, "reading") == 0)
        bench_reading(d, points);
    if (all || strcmp(part, "keys") == 0)
        bench_keys(d);
    domains_teardown(&state);
    return 0;
}
