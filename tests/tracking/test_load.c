/* Loading what a page shows: in the order asked for, whole, in as many statements for one run as
 * for many. */
#include "tests/support/domains.h"

#include "tracking/load.h"
#include "tracking/search.h"

#include <math.h>

#define RUN(n) "01b00000-0000-7000-8000-00000000000" #n
#define NOBODY "01b00000-0000-7000-8000-0000000000ff"

static const char SETUP[] =
    "insert into experiments (id, team_id, project_id, name) select"
    " '01b00000-0000-7000-8000-0000000000e1', t.id, p.id, 'loaded' from teams t join projects p"
    " on p.team_id = t.id where t.slug = 'ours';"
    "insert into runs (id, team_id, project_id, experiment_id, name, state, created_by, started_at,"
    " spec, user_name) select ('01b00000-0000-7000-8000-00000000000' || n)::uuid, team_id,"
    " project_id, id, 'run ' || n, 'running', 'x', timestamptz 'epoch' + interval '1 s',"
    " '{\"a\":1}', 'ada' from experiments, generate_series(1, 3) n where name = 'loaded';"
    "insert into run_params (team_id, run_id, key, value) select team_id, id, key, name || key"
    " from runs, unnest(array['b', 'a']) key where name in ('run 1', 'run 3');"
    "insert into run_tags (team_id, run_id, key, value) select team_id, id, 'tag', 'é \"x\"'"
    " from runs where name = 'run 2';"
    "insert into run_metrics (team_id, run_id, experiment_id, key, points, first_step, last_step,"
    " last_at, last_value) select team_id, id, experiment_id, key, 1, 7, 7,"
    " timestamptz '2026-11-21 10:00:00.123456+00', value from runs, (values ('m', 1.5), ('inf',"
    " 'Infinity'), ('nan', 'NaN'), ('least', -5e-324), ('most', 1.7976931348623157e308)) v"
    " (key, value) where name in ('run 1', 'run 2');"
    "insert into run_metrics (team_id, run_id, experiment_id, key) select team_id, id,"
    " experiment_id, 'without points' from runs where name = 'run 3';"
    "insert into logged_datasets (id, team_id, project_id, experiment_id, name, digest,"
    " source_type, source, schema) select '01b00000-0000-7000-8000-0000000000d1', team_id,"
    " project_id, id, 'train', 'd1', 'local', '{}', '[1]' from experiments where name = 'loaded';"
    "insert into run_inputs (team_id, run_id, logged_dataset_id, tags) select team_id, id,"
    " '01b00000-0000-7000-8000-0000000000d1', '{\"mlflow.data.context\":\"eval\"}' from runs"
    " where name in ('run 1', 'run 2');"
    "insert into logged_models (id, team_id, project_id, experiment_id, name, created_by) select"
    " ('01b00000-0000-7000-8000-0000000000c' || n)::uuid, team_id, project_id, id, 'm', 'x' from"
    " experiments, generate_series(1, 3) n where name = 'loaded';"
    "insert into run_model_inputs (team_id, run_id, logged_model_id) select team_id, id,"
    " '01b00000-0000-7000-8000-0000000000c1' from runs where name = 'run 1';"
    "insert into run_model_outputs (team_id, run_id, logged_model_id, step) select team_id, id,"
    " ('01b00000-0000-7000-8000-0000000000c' || n)::uuid, 10 - n from runs, generate_series(2, 3) n"
    " where name = 'run 1';";

static int load_setup(void **state) {
    int failed = domains_setup(state);
    struct domains *d = *state;
    if (failed == 0)
        test_sql(d->db, SETUP);
    return failed;
}

static const struct run_details *load(struct domains *d, struct ctx *cx, const char *const *ids,
                                      size_t count, unsigned what, size_t expected) {
    struct list runs;
    size_t taken;
    test_ctx_user(cx, d->db, &d->ours, ROLE_VIEWER);
    cx->app = d->app;
    assert_ok(runs_load(cx, ids, count, what, &runs, &taken), &cx->err);
    assert_int_equal(taken, count);
    assert_int_equal(runs.count, expected);
    return runs.items;
}

static void test_load__keeps_the_order_and_skips_the_absent(void **state) {
    static const char *const IDS[] = {RUN(3), NOBODY, RUN(1), RUN(2)};
    struct ctx cx;
    const struct run_details *runs = load(*state, &cx, IDS, 4, RUN_WITH_ALL, 3);
    assert_string_equal(runs[0].run.name, "run 3");
    assert_string_equal(runs[1].run.name, "run 1");
    assert_string_equal(runs[2].run.name, "run 2");
    assert_string_equal(runs[1].run.user_name, "ada");
    assert_string_equal(runs[1].run.experiment_name, "loaded");
    assert_int_equal(runs[1].run.started_at, 1000000);
    assert_null(runs[1].run.spec);
    assert_int_equal(runs[0].metrics.count, 0);
    assert_int_equal(runs[0].datasets.count, 0);
    ctx_done(&cx);
    load(*state, &cx, IDS, 0, RUN_WITH_ALL, 0);
    ctx_done(&cx);
}

static void test_load__texts_by_key(void **state) {
    static const char *const IDS[] = {RUN(1), RUN(2), RUN(3)};
    struct ctx cx;
    const struct run_details *runs = load(*state, &cx, IDS, 3, RUN_WITH_ALL | RUN_WITH_SPEC, 3);
    const struct run_text *params = runs[2].params.items, *tags = runs[1].tags.items;
    assert_int_equal(runs[2].params.count, 2);
    assert_string_equal(params[0].key, "a");
    assert_string_equal(params[0].value, "run 3a");
    assert_string_equal(params[1].value, "run 3b");
    assert_int_equal(runs[1].params.count, 0);
    assert_int_equal(runs[0].tags.count, 0);
    assert_string_equal(tags[0].value, "é \"x\"");
    assert_int_equal(json_integer_value(json_object_get(runs[0].run.spec, "a")), 1);
    ctx_done(&cx);
}

static void test_load__last_values_are_exact(void **state) {
    static const char *const IDS[] = {RUN(2), RUN(1)};
    struct ctx cx;
    const struct run_details *runs =
        load(*state, &cx, IDS, 2, RUN_WITH_METRICS | RUN_WITH_TIMES, 2);
    for (int i = 0; i < 2; i++) {
        const struct run_value *values = runs[i].metrics.items;
        assert_int_equal(runs[i].metrics.count, 5);
        assert_string_equal(values[0].key, "inf");
        assert_true(isinf(run_value_real(&values[0])));
        assert_true(run_value_real(&values[1]) == -5e-324);
        assert_true(run_value_real(&values[2]) == 1.5);
        assert_true(run_value_real(&values[3]) == 1.7976931348623157e308);
        assert_true(isnan(run_value_real(&values[4])));
        assert_int_equal(values[2].step, 7);
        assert_int_equal(values[2].at_us, 1795255200123456);
    }
    assert_int_equal(runs[0].params.count, 0);
    ctx_done(&cx);
}

static void test_load__inputs_and_outputs(void **state) {
    static const char *const IDS[] = {RUN(3), RUN(2), RUN(1)};
    struct ctx cx;
    const struct run_details *runs = load(*state, &cx, IDS, 3, RUN_WITH_INPUTS, 3);
    for (int i = 1; i < 3; i++) {
        const struct run_dataset *set = runs[i].datasets.items;
        assert_int_equal(runs[i].datasets.count, 1);
        assert_string_equal(set->name, "train");
        assert_string_equal(set->schema, "[1]");
        assert_null(set->profile);
        assert_string_equal(((const struct run_text *)set->tags.items)->value, "eval");
    }
    const struct run_model *made = runs[2].model_outputs.items;
    assert_int_equal(runs[2].model_inputs.count, 1);
    assert_int_equal(runs[2].model_outputs.count, 2);
    assert_int_equal(made[0].step, 7);
    assert_string_equal(made[0].id, "01b00000-0000-7000-8000-0000000000c3");
    assert_int_equal(runs[1].model_outputs.count, 0);
    ctx_done(&cx);
}

/* ---- runs with much in them */

/* Twelve runs with 5 MB of tags each, and one behind them with more metrics than a piece has. */
static const char FAT[] =
    "insert into experiments (id, team_id, project_id, name) select"
    " '01b00000-0000-7000-8000-0000000000e2', team_id, project_id, 'fat' from experiments"
    " where name = 'loaded';"
    "insert into runs (id, team_id, project_id, experiment_id, name, state, created_by, source)"
    " select ('01b00000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, team_id, project_id, id,"
    " 'fat ' || n, 'running', 'x', 'native' from experiments, generate_series(101, 113) n"
    " where name = 'fat';"
    "insert into run_tags (team_id, run_id, key, value) select team_id, id, 'tag ' || n,"
    " repeat('x', 7990) || n from runs, generate_series(1, 650) n"
    " where name like 'fat %' and name <> 'fat 113';"
    "insert into run_metrics (team_id, run_id, experiment_id, key, points, first_step, last_step,"
    " last_at, last_value) select team_id, id, experiment_id, 'm' || n, 1, 7, 7, now(), n"
    " from runs, generate_series(1, 50010) n where name = 'fat 113';"
    "insert into run_metrics (team_id, run_id, experiment_id, key, points, first_step, last_step,"
    " last_at, last_value) select team_id, id, experiment_id, 'm', 1, 7, 7, now(), 1"
    " from runs where name = 'fat 112'";

/* The next page: how many of the ids it took. */
static size_t load_page(struct domains *d, const char *const *ids, size_t count, int first) {
    struct list runs;
    struct ctx cx;
    size_t taken;
    test_ctx_user(&cx, d->db, &d->ours, ROLE_VIEWER);
    cx.app = d->app;
    assert_ok(runs_load(&cx, ids, count, RUN_WITH_TAGS | RUN_WITH_METRICS, &runs, &taken), &cx.err);
    const struct run_details *run = runs.items;
    for (int i = 0, n = first; i < (int)runs.count; i++, n++) {
        assert_string_equal(run[i].run.name, arena_printf(cx.arena, "fat %d", n));
        assert_int_equal(run[i].tags.count, n == 113 ? 0 : 650);
        assert_int_equal(run[i].metrics.count, n == 113 ? 50010 : n == 112 ? 1 : 0);
    }
    assert_int_equal(runs.count, taken);
    assert_true(arena_used(cx.arena) < LOAD_PAGE_BYTES + 4 * LOAD_PIECE_BYTES);
    ctx_done(&cx);
    return taken;
}

static void test_load__ends_a_page_that_has_become_large(void **state) {
    struct domains *d = *state;
    const char *ids[13];
    size_t at = 0, pages = 0;
    test_sql(d->db, FAT);
    for (int i = 0; i < 13; i++)
        ids[i] = arena_printf(d->arena, "01b00000-0000-7000-8000-%012d", i + 101);
    for (; at < 13; pages++)
        at += load_page(d, ids + at, 13 - at, (int)at + 101);
    assert_in_range(pages, 2, 4);
    assert_int_equal(load_page(d, ids + 11, 2, 112), 2);
    test_sql(d->db, "delete from runs where name like 'fat %'");
}

static int statements;

static void count_statement(const struct db_stmt *st) {
    (void)st;
    statements++;
}

static void test_load__asks_as_often_for_one_as_for_many(void **state) {
    struct domains *d = *state;
    const char *ids[LOAD_PIECE_RUNS];
    struct ctx cx;
    for (int i = 0; i < LOAD_PIECE_RUNS; i++)
        ids[i] = i % 3 == 0 ? RUN(1) : i % 3 == 1 ? RUN(2) : RUN(3);
    db_observe(count_statement);
    statements = 0;
    load(d, &cx, ids, 1, RUN_WITH_ALL, 1);
    ctx_done(&cx);
    int for_one = statements;
    const struct run_details *runs =
        load(d, &cx, ids, LOAD_PIECE_RUNS, RUN_WITH_ALL, LOAD_PIECE_RUNS);
    db_observe(NULL);
    assert_int_equal(statements, 2 * for_one);
    assert_in_range(for_one, 1, 6);
    assert_int_equal(runs[LOAD_PIECE_RUNS - 3].metrics.count, 5);
    ctx_done(&cx);
}

static void test_load__stays_within_the_team(void **state) {
    static const char *const IDS[] = {RUN(1)};
    struct domains *d = *state;
    struct list runs;
    struct ctx cx;
    size_t taken;
    test_ctx_user(&cx, d->db, &d->theirs, ROLE_OWNER);
    cx.app = d->app;
    assert_ok(runs_load(&cx, IDS, 1, RUN_WITH_ALL, &runs, &taken), &cx.err);
    assert_int_equal(runs.count, 0);
    ctx_done(&cx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_load__keeps_the_order_and_skips_the_absent),
        cmocka_unit_test(test_load__texts_by_key),
        cmocka_unit_test(test_load__last_values_are_exact),
        cmocka_unit_test(test_load__inputs_and_outputs),
        cmocka_unit_test(test_load__stays_within_the_team),
        cmocka_unit_test(test_load__ends_a_page_that_has_become_large),
        cmocka_unit_test(
            test_load__asks_as_often_for_one_as_for_many), /* last: takes the observer */
    };
    return cmocka_run_group_tests(tests, load_setup, domains_teardown);
}
