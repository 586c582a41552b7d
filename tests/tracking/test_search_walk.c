/* Walks: whatever is asked, a page read by walking along an index is the page that the statement
 * for everything gives, token for token; and walks are what reads pages where few are left out.
 *
 * Six hundred runs of one experiment with what makes orders hard: metrics that are missing, NaN,
 * infinite, minus zero or the same in all runs, starts that are the same, archived runs. Pages are
 * so short that windows end among them. */
#include "tests/support/domains.h"

#include "tracking/experiments.h"
#include "tracking/search.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define E1 "01a00000-0000-7000-8000-0000000000e1"

/* h(salt) is a number of the run that looks like chance. */
static const char SETUP[] =
    "create temp table ids as select id as team, (select id from projects where slug = 'ours') as"
    " project from teams where slug = 'ours';"
    "create function pg_temp.h(n int, salt text) returns int language sql immutable as"
    " $$select abs(hashtext(salt || n)::bigint)::int$$;"
    "insert into experiments (id, team_id, project_id, name)"
    " select '" E1 "', team, project, 'walked' from ids;"
    "create temp table made as select n, md5('run' || n)::uuid as id, team, project from ids,"
    " generate_series(1, 600) n;"
    "insert into runs (id, team_id, project_id, experiment_id, name, state, created_at, started_at,"
    " finished_at, created_by, archived_at, source) select id, team, project, '" E1
    "', 'run-' || n,"
    " (array['succeeded', 'failed', 'running'])[1 + pg_temp.h(n, 'state') % 3],"
    " timestamptz 'epoch' + n * 7919 % 601 * interval '1 s',"
    " case when n % 7 > 0 then timestamptz 'epoch' + pg_temp.h(n, 'started') % 150 * interval '1 s'"
    " end, case when pg_temp.h(n, 'state') % 3 < 2 then now() end, 'x@y', case when n % 11 = 0 "
    "then now() end, 'native' from made;"
    "insert into run_params (team_id, run_id, key, value) select team, id, key,"
    " case key when 'p' then (pg_temp.h(n, key) % 5)::text"
    " else (array['0.5', '1e1', 'ten', '7', ''])[1 + pg_temp.h(n, key) % 5] end"
    " from made, (values ('p'), ('q')) k (key) where pg_temp.h(n, key || 'lacks') % 9 > 0;"
    "insert into run_tags (team_id, run_id, key, value) select team, id, 't',"
    " 'v' || pg_temp.h(n, 't') % 3 from made where n % 4 > 0;"
    "insert into run_metrics (team_id, run_id, experiment_id, key, points, first_step, last_step,"
    " last_at, last_value, least, greatest)"
    " select team, id, '" E1 "', key, 1, 1, 1, now(), v, v, v from made,"
    " (values ('m'), ('n'), ('same')) k (key), lateral (select case"
    " when key = 'same' then 1 when key = 'n' then pg_temp.h(n, key) % 1000"
    " when n % 13 = 0 then 'NaN' when n % 17 = 0 then 'Infinity' when n % 19 = 0 then '-Infinity'"
    " when n % 5 = 0 then '-0' else (pg_temp.h(n, key) % 40 - 20) / 8.0 end::float8 as v) w"
    " where key = 'same' or n % 12 > 0;"
    "drop table made; drop table ids; analyze runs, run_metrics, run_params, run_tags;";

static int walk_setup(void **state) {
    int failed = domains_setup(state);
    struct domains *d = *state;
    if (failed == 0)
        test_sql(d->db, SETUP);
    return failed;
}

static void ctx_ours(struct domains *d, struct ctx *cx) {
    test_ctx_user(cx, d->db, &d->ours, ROLE_VIEWER);
    cx->app = d->app;
}

static struct run_search asking(const struct domains *d, const char *filter,
                                const char *const *order, int64_t limit, bool mlflow) {
    static const char *const ONE[] = {E1};
    return (struct run_search){.project_id = d->ours.project_id,
                               .experiment_ids = ONE,
                               .experiment_count = 1,
                               .filter = filter,
                               .order_by = order,
                               .order_count = *order ? 1 : 0,
                               .limit = limit,
                               .mlflow = mlflow};
}

/* The same page by the statement for everything. */
static void read_everything(struct ctx *cx, const struct run_search *search,
                            struct search_page *ret) {
    struct search prepared;
    assert_ok(run_search_prepare(cx, search, &prepared), &cx->err);
    assert_true(prepared.one);
    prepared.one = false;
    assert_ok(search_page(cx, &RUN_ENTITY, &prepared, ret), &cx->err);
}

static void assert_same(const struct run_search *search, int number, const struct search_page *walk,
                        const struct search_page *all) {
    const char *const *a = walk->ids.items, *const *b = all->ids.items;
    bool same = walk->ids.count == all->ids.count && !walk->next == !all->next;
    for (size_t i = 0; same && i < walk->ids.count; i++)
        same = strcmp(a[i], b[i]) == 0;
    if (!same)
        fail_msg("%s by %s, page %d of %d: %zu and %zu runs", search->filter,
                 search->order_count ? search->order_by[0] : "-", number, (int)search->limit,
                 walk->ids.count, all->ids.count);
}

/* Either kind's token leads on in both. */
static void compare_pages(struct domains *d, struct run_search search) {
    for (int number = 1; number <= 6; number++) {
        struct ctx cx;
        struct search_page walk, all;
        ctx_ours(d, &cx);
        assert_ok(run_search(&cx, &search, &walk), &cx.err);
        read_everything(&cx, &search, &all);
        assert_same(&search, number, &walk, &all);
        search.token = arena_strdup(d->arena, number % 2 ? walk.next : all.next);
        ctx_done(&cx);
        if (!search.token)
            return;
    }
}

static void test_search_walk__reads_the_same_pages(void **state) {
    static const struct {
        bool mlflow;
        const char *filter;
    } FILTERS[] = {
        {false, ""},
        {false, "metrics.n > 300 AND params.p = '3'"},
        {false, "params.q < 8 OR (tags.t != 'v1' AND NOT metrics.m >= 0)"},
        {false, "metrics.m IS NULL AND state IN ('failed', 'running')"},
        {false, "NOT (params.p IS NULL OR tags.t LIKE 'v%') OR min(metrics.m) = 0"},
        {false, "metrics.n = 5000"},
        {true, "metrics.n > 100 and params.p != '0' and tags.t LIKE 'v%'"},
        {true, "attributes.status = 'FINISHED' and metrics.m <= 0"},
    };
    static const char *const ORDERS[][2] = {
        {"metrics.m", "metrics.m ASC"},
        {"metrics.m DESC", "metrics.m DESC"},
        {"metrics.n DESC", "metrics.n DESC"},
        {"metrics.same", "metrics.same DESC"},
        {"created_at DESC", "start_time DESC"},
        {"created_at", "start_time ASC"},
        {NULL, NULL},
    };
    static const int64_t LIMITS[] = {3, 40};
    struct domains *d = *state;
    for (size_t i = 0; i < COUNT(FILTERS); i++)
        for (size_t k = 0; k < COUNT(ORDERS); k++)
            for (size_t l = 0; l < COUNT(LIMITS); l++)
                compare_pages(d, asking(d, FILTERS[i].filter, &ORDERS[k][FILTERS[i].mlflow],
                                        LIMITS[l], FILTERS[i].mlflow));
}

/* Pages of which only so many are shown, one after the other, against the ids in one page. */
static void compare_cut_pages(struct domains *d, struct run_search search) {
    struct ctx cx;
    struct search_page all, page;
    size_t at = 0;
    ctx_ours(d, &cx);
    search.limit = 700;
    assert_ok(run_search(&cx, &search, &all), &cx.err);
    assert_null(all.next);
    for (search.limit = 40; at < all.ids.count; search.token = page.next) {
        assert_ok(run_search(&cx, &search, &page), &cx.err);
        search_page_cut(&cx, &page, 23);
        assert_true(page.ids.count <= 23 && at + page.ids.count <= all.ids.count);
        for (size_t i = 0; i < page.ids.count; i++)
            assert_string_equal(((const char *const *)page.ids.items)[i],
                                ((const char *const *)all.ids.items)[at + i]);
        at += page.ids.count;
        assert_true((at < all.ids.count) == (page.next != NULL));
    }
    ctx_done(&cx);
}

static void test_search_walk__leads_on_from_where_a_page_was_cut(void **state) {
    static const char *const ORDERS[] = {"metrics.m", "metrics.m DESC",  "metrics.same",
                                         "tags.t",    "created_at DESC", NULL};
    static const char *const FILTERS[] = {"", "metrics.n > 300 OR params.p = '3'"};
    struct domains *d = *state;
    for (size_t i = 0; i < COUNT(ORDERS); i++)
        for (size_t k = 0; k < COUNT(FILTERS); k++)
            compare_cut_pages(d, asking(d, FILTERS[k], &ORDERS[i], 40, false));
    compare_cut_pages(d, asking(d, "", &(const char *){"start_time ASC"}, 40, true));
}

/* A search whose statement for everything could not be run. */
static enum err walk_alone(struct domains *d, const char *filter, const char *order,
                           int64_t limit) {
    struct search_entity entity = RUN_ENTITY;
    const struct run_search search = asking(d, filter, &order, limit, false);
    struct search prepared;
    struct search_page page;
    struct ctx cx;
    entity.crowd = "nowhere";
    ctx_ours(d, &cx);
    assert_ok(run_search_prepare(&cx, &search, &prepared), &cx.err);
    enum err err = search_page(&cx, &entity, &prepared, &page);
    ctx_done(&cx);
    return err;
}

static void test_search_walk__ends_with_the_page(void **state) {
    struct domains *d = *state;
    assert_int_equal(walk_alone(d, "metrics.n > 100", "metrics.n DESC", 10), OK);
    assert_int_equal(walk_alone(d, "metrics.n > 100", "metrics.m", 5), OK);
    assert_int_equal(walk_alone(d, "NOT params.p = '1' AND tags.t != 'x'", NULL, 1), OK);
}

static void test_search_walk__gives_up_where_it_cannot_know(void **state) {
    struct domains *d = *state;
    /* one value in more runs than the window has; too few found in it; no index in that order */
    assert_int_not_equal(walk_alone(d, "metrics.n >= 0", "metrics.same DESC", 3), OK);
    assert_int_not_equal(walk_alone(d, "metrics.n = 5000 OR params.p > 'x'", "metrics.n", 3), OK);
    assert_int_not_equal(walk_alone(d, "metrics.n > 100", "max(metrics.n)", 3), OK);
    assert_int_not_equal(walk_alone(d, "metrics.n > 100", "name", 3), OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_search_walk__reads_the_same_pages),
        cmocka_unit_test(test_search_walk__leads_on_from_where_a_page_was_cut),
        cmocka_unit_test(test_search_walk__ends_with_the_page),
        cmocka_unit_test(test_search_walk__gives_up_where_it_cannot_know),
    };
    return cmocka_run_group_tests(tests, walk_setup, domains_teardown);
}
