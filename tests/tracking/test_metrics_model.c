/* Metrics against a plain list of all that was sent: whatever is noted, folded or neither,
 * summaries and histories say what the list says. */
#include "tests/support/domains.h"

#include "tracking/internal.h"
#include "tracking/metrics_private.h"

#include <math.h>

#define NOON 1790000000000000

enum { KEYS = 3, SENT_MAX = 20000 };

static const char *const NAMES[KEYS] = {"a", "b/c", "指标"};

/* All points of a run that were acknowledged, each once. */
struct model {
    struct domains *d;
    const char *run;
    struct metric_point points[KEYS][SENT_MAX];
    size_t counts[KEYS];
};

static uint64_t seed = 271828;

static uint64_t random_below(uint64_t limit) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    return (seed >> 33) % limit;
}

static void ctx_ours(struct domains *d, struct ctx *cx) {
    test_ctx_user(cx, d->db, &d->ours, ROLE_OWNER);
    cx->app = d->app;
}

static struct model *model_new(struct domains *d) {
    struct model *m = arena_new_struct(d->arena, struct model);
    struct ctx cx;
    ctx_ours(d, &cx);
    const struct run_create options = {.project_id = d->ours.project_id, .name = "model"};
    assert_ok(run_create(&cx, &options, &m->run), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    m->run = arena_strdup(d->arena, m->run);
    m->d = d;
    ctx_done(&cx);
    return m;
}

/* --- what is sent --- */

static double random_value(void) {
    static const double ODD[] = {(double)NAN, (double)INFINITY, -(double)INFINITY, -0.0, 0.0, 1};
    return random_below(4) ? (double)random_below(1000) / 7 - 50 : ODD[random_below(6)];
}

/* Steps that rise, wander, or are the same for all. */
static int64_t random_step(const struct model *m) {
    switch (random_below(8)) {
    case 0:
        return -(int64_t)random_below(100);
    case 1:
        return random_below(2) ? INT64_MAX : INT64_MIN;
    case 2:
        return 0;
    default:
        return (int64_t)m->counts[0] + (int64_t)random_below(50);
    }
}

static int compare(const struct metric_point *a, const struct metric_point *b) {
    const struct sample x = {a->step, a->at_us, sample_value(a->value)};
    const struct sample y = {b->step, b->at_us, sample_value(b->value)};
    return sample_compare(&x, &y);
}

static void remember(struct model *m, size_t key, const struct metric_point *point) {
    for (size_t i = 0; i < m->counts[key]; i++)
        if (compare(&m->points[key][i], point) == 0)
            return;
    assert_true(m->counts[key] < SENT_MAX);
    m->points[key][m->counts[key]++] = *point;
}

/* Of one to 200 points of one to three keys, a few of them sent before. */
static void send(struct model *m) {
    struct metric_point points[200];
    size_t owners[200], count = 1 + random_below(random_below(3) ? 5 : 200);
    size_t keys = 1 + random_below(KEYS);
    for (size_t i = 0; i < count; i++) {
        size_t key = owners[i] = random_below(keys);
        bool again = m->counts[key] && random_below(10) == 0;
        points[i] =
            again ? m->points[key][random_below(m->counts[key])]
                  : (struct metric_point){NAMES[key], random_step(m),
                                          NOON + (int64_t)random_below(40) * 250, random_value()};
    }
    struct ctx cx;
    ctx_ours(m->d, &cx);
    assert_ok(run_ingest_metrics(&cx, NULL, m->run, points, count), &cx.err);
    ctx_done(&cx);
    for (size_t i = 0; i < count; i++)
        remember(m, owners[i], &points[i]);
}

/* --- what is read --- */

static void assert_same(const struct metric_point *a, const struct metric_point *b) {
    if (compare(a, b) != 0)
        fail_msg("(%lld, %lld, %g) is not (%lld, %lld, %g)", (long long)a->step,
                 (long long)a->at_us, a->value, (long long)b->step, (long long)b->at_us, b->value);
}

static const struct metric_point *last_of(const struct model *m, size_t key) {
    const struct metric_point *last = &m->points[key][0];
    for (size_t i = 1; i < m->counts[key]; i++)
        if (compare(&m->points[key][i], last) > 0)
            last = &m->points[key][i];
    return last;
}

static void assert_lasts(struct model *m) {
    struct list got;
    struct ctx cx;
    size_t at = 0;
    ctx_ours(m->d, &cx);
    assert_ok(runs_last_metrics(&cx, &m->run, 1, &got), &cx.err);
    const struct metric_last *last = got.items;
    for (size_t key = 0; key < KEYS; key++) {
        if (m->counts[key] == 0)
            continue;
        assert_true(at < got.count);
        assert_string_equal(last[at].key, NAMES[key]);
        const struct metric_point point = {last[at].key, last[at].step, last[at].at_us,
                                           last[at].value};
        assert_same(&point, last_of(m, key));
        at++;
    }
    assert_int_equal(at, got.count);
    ctx_done(&cx);
}

/* Least, greatest, first step, and (folded) how many there are. */
static const char *extremes_of(const struct model *m, size_t key, bool folded) {
    double least = (double)NAN, greatest = (double)NAN;
    int64_t first = INT64_MAX, non_finite = 0;
    for (size_t i = 0; i < m->counts[key]; i++) {
        const struct metric_point *p = &m->points[key][i];
        first = p->step < first ? p->step : first;
        non_finite += !isfinite(p->value);
        least = isfinite(p->value) ? fmin(least, p->value) : least;
        greatest = isfinite(p->value) ? fmax(greatest, p->value) : greatest;
    }
    return arena_printf(m->d->arena, "%lld %.6g %.6g %zu %lld", (long long)first,
                        isnan(least) ? 0 : least, isnan(greatest) ? 0 : greatest,
                        folded ? m->counts[key] : 0, (long long)(folded ? non_finite : 0));
}

static void assert_extremes(struct model *m, bool folded) {
    for (size_t key = 0; key < KEYS; key++) {
        if (m->counts[key] == 0)
            continue;
        const char *sql =
            arena_printf(m->d->arena,
                         "select first_step || ' ' || coalesce(least, 0) || ' ' ||"
                         " coalesce(greatest, 0) || ' ' || %s from run_metrics"
                         " where run_id = '%s' and key = '%s'",
                         folded ? "points || ' ' || non_finite" : "'0 0'", m->run, NAMES[key]);
        long long first[2], points[2], non_finite[2];
        double least[2], greatest[2];
        const char *texts[2] = {test_sql_value(m->d->db, sql), extremes_of(m, key, folded)};
        for (size_t i = 0; i < 2; i++)
            assert_int_equal(sscanf(texts[i], "%lld %lf %lf %lld %lld", &first[i], &least[i],
                                    &greatest[i], &points[i], &non_finite[i]),
                             5);
        assert_int_equal(first[0], first[1]);
        assert_int_equal(points[0], points[1]);
        assert_int_equal(non_finite[0], non_finite[1]);
        assert_float_equal(least[0], least[1], 1e-3);
        assert_float_equal(greatest[0], greatest[1], 1e-3);
    }
}

static int by_time(const void *a, const void *b) {
    const struct metric_point *x = a, *y = b;
    const struct sample s = {x->step, x->at_us, sample_value(x->value)};
    const struct sample t = {y->step, y->at_us, sample_value(y->value)};
    return sample_compare_by_time(&s, &t);
}

static void assert_history(struct model *m, size_t key, int64_t limit) {
    const char *token = NULL;
    size_t seen = 0;
    qsort(m->points[key], m->counts[key], sizeof(m->points[key][0]), by_time);
    do {
        struct list page;
        struct ctx cx;
        ctx_ours(m->d, &cx);
        assert_ok(run_history(&cx, m->run, NAMES[key], limit, token, &page, &token), &cx.err);
        const struct metric_point *got = page.items;
        assert_true(seen + page.count <= m->counts[key]);
        for (size_t i = 0; i < page.count; i++)
            assert_same(&got[i], &m->points[key][seen + i]);
        seen += page.count;
        token = token ? arena_strdup(m->d->arena, token) : NULL;
        ctx_done(&cx);
    } while (token);
    assert_int_equal(seen, m->counts[key]);
}

/* Every count and value of the whole chart, whichever bucket it is in. */
static void assert_chart(struct model *m, int64_t buckets) {
    struct list series;
    struct ctx cx;
    const struct series_query query = {
        .buckets = buckets, .from_step = FIELD_NO_INT, .to_step = FIELD_NO_INT};
    ctx_ours(m->d, &cx);
    assert_ok(run_series(&cx, m->run, &query, &series), &cx.err);
    for (size_t i = 0; i < series.count; i++) {
        const struct metric_series *s = (const struct metric_series *)series.items + i;
        const struct metric_bucket *bucket = s->buckets.items;
        size_t key = 0, count = 0;
        while (strcmp(NAMES[key], s->key) != 0)
            key++;
        for (size_t k = 0; k < s->buckets.count; k++) {
            assert_true(k == 0 || bucket[k].step > bucket[k - 1].last_step);
            count += (size_t)bucket[k].count;
        }
        assert_int_equal(count, m->counts[key]);
        assert_true(s->buckets.count <= (size_t)buckets);
    }
    ctx_done(&cx);
}

/* --- */

static void sweep(struct model *m) {
    struct ctx cx;
    test_ctx_system(&cx, m->d->db);
    cx.app = m->d->app;
    assert_ok(metrics_sweep(&cx), &cx.err);
    ctx_done(&cx);
}

static void settle_team(struct model *m) {
    struct ctx cx;
    ctx_ours(m->d, &cx);
    assert_ok(metrics_settle(&cx, NULL, 0), &cx.err);
    ctx_done(&cx);
}

static void test_reads__are_what_was_sent_at_any_moment(void **state) {
    struct model *m = model_new(*state);
    for (int i = 0; i < 250; i++) {
        send(m);
        switch (random_below(12)) {
        case 0:
            sweep(m);
            assert_extremes(m, true);
            break;
        case 1:
        case 2:
            settle_team(m);
            assert_extremes(m, false);
            break;
        case 3:
            assert_chart(m, 1 + (int64_t)random_below(40));
            break;
        case 4:
        case 5:
            assert_history(m, random_below(KEYS), 1 + (int64_t)random_below(400));
            break;
        case 6:
        case 7:
            assert_lasts(m);
            break;
        default:
            break; /* the next batch joins it in the inbox */
        }
    }
    sweep(m);
    assert_extremes(m, true);
    assert_lasts(m);
    for (size_t key = 0; key < KEYS; key++)
        assert_history(m, key, 1000);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reads__are_what_was_sent_at_any_moment),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
