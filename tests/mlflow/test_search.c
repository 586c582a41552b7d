/* runs/search and experiments/search: what is found, in what order, page by page; and what hostile
 * filters come to. */
#include "tests/mlflow/wire.h"

#include "base/clock.h"

/* Ten runs of an experiment of its own: metric m = 0..9, parameter p = "p0".."p9", every third with
 * the tag t. */
static const char *ten_runs(struct domains *d, const char *name) {
    const char *experiment = experiment_made(d, name);
    for (int i = 0; i < 10; i++) {
        const char *run = run_opened(d, experiment, arena_printf(d->arena, "%s run %d", name, i));
        call(d, "runs/log-batch",
             "{\"run_id\":\"%s\",\"metrics\":[{\"key\":\"m\",\"value\":%d,\"timestamp\":1}],"
             "\"params\":[{\"key\":\"p\",\"value\":\"p%d\"}],\"tags\":[%s]}",
             run, i, i, i % 3 ? "" : "{\"key\":\"t\",\"value\":\"third\"}");
    }
    return experiment;
}

static size_t found(struct domains *d, const char *experiment, const char *filter) {
    return json_array_size(
        json_object_get(call(d, "runs/search", "{\"experiment_ids\":[\"%s\"],\"filter\":\"%s\"}",
                             experiment, filter),
                        "runs"));
}

static void test_runs__are_found_by_what_they_logged(void **state) {
    static const struct {
        const char *filter;
        size_t count;
    } CASES[] = {
        {"", 10},
        {"metrics.m > 6", 3},
        {"metrics.m >= 6 and params.p != 'p7'", 3},
        {"params.p LIKE 'p%' AND tags.t = 'third'", 4},
        {"tags.t IS NULL", 6},
        {"attributes.status = 'RUNNING'", 10},
        {"attributes.status = 'FINISHED'", 0},
        {"run_name ILIKE '%RUN 3'", 1},
        {"metrics.other > 0", 0},
    };
    struct domains *d = *state;
    const char *experiment = ten_runs(d, "found");
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        if (found(d, experiment, CASES[i].filter) != CASES[i].count)
            fail_msg("%s finds %zu", CASES[i].filter, found(d, experiment, CASES[i].filter));
}

static void test_runs__come_in_order_page_by_page(void **state) {
    struct domains *d = *state;
    const char *experiment = ten_runs(d, "ordered"), *token = "";
    int next = 9;
    do {
        json_t *page = call(d, "runs/search",
                            "{\"experiment_ids\":[\"%s\"],\"max_results\":4,\"order_by\":"
                            "[\"metrics.m DESC\"],\"page_token\":\"%s\"}",
                            experiment, token);
        size_t i;
        json_t *run;
        json_array_foreach(at(page, "runs"), i, run) {
            json_t *metric = json_array_get(at(at(run, "data"), "metrics"), 0);
            assert_int_equal((int)json_number_value(at(metric, "value")), next--);
        }
        token = json_string_value(json_object_get(page, "next_page_token"));
    } while (token);
    assert_int_equal(next, -1);
}

static void test_runs__are_those_of_the_experiments_named(void **state) {
    struct domains *d = *state;
    const char *a = ten_runs(d, "one"), *b = ten_runs(d, "two");
    json_t *both = call(d, "runs/search", "{\"experiment_ids\":[\"%s\",\"%s\",\"99999\"]}", a, b);
    assert_int_equal(json_array_size(at(both, "runs")), 20);
    assert_int_equal(json_object_size(call(d, "runs/search", "{}")), 0);
    assert_int_equal(json_object_size(call(d, "runs/search", "{\"experiment_ids\":[\"99999\"]}")),
                     0);
    refused(d, 400, INVALID, "runs/search", "{\"experiment_ids\":[\"x\"]}");
}

static void test_runs__are_shown_by_their_life(void **state) {
    struct domains *d = *state;
    const char *experiment = ten_runs(d, "living");
    json_t *run = json_array_get(
        at(call(d, "runs/search", "{\"experiment_ids\":[\"%s\"]}", experiment), "runs"), 0);
    call(d, "runs/delete", "{\"run_id\":\"%s\"}", text_at(at(run, "info"), "run_id"));
    static const struct {
        const char *view;
        size_t count;
    } CASES[] = {{"ACTIVE_ONLY", 9}, {"DELETED_ONLY", 1}, {"ALL", 10}};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(
            json_array_size(
                at(call(d, "runs/search", "{\"experiment_ids\":[\"%s\"],\"run_view_type\":\"%s\"}",
                        experiment, CASES[i].view),
                   "runs")),
            CASES[i].count);
    refused(d, 400, INVALID, "runs/search",
            "{\"experiment_ids\":[\"%s\"],\"run_view_type\":\"SOME\"}", experiment);
}

static void test_runs__have_as_many_results_as_asked(void **state) {
    static const char *const BAD[] = {"0", "-1", "50001", "\"x\"", "1.5"};
    struct domains *d = *state;
    for (size_t i = 0; i < sizeof(BAD) / sizeof(BAD[0]); i++)
        refused(d, 400, INVALID, "runs/search", "{\"experiment_ids\":[\"0\"],\"max_results\":%s}",
                BAD[i]);
    refused(d, 400, INVALID, "runs/search", "{\"experiment_ids\":[\"0\"],\"page_token\":\"x\"}");
}

/* --- pages that would be too large --- */

/* The metrics m of all runs in ascending order, page by page; how many pages that took. */
static int pages_of(struct domains *d, const char *experiment, int count) {
    const char *token = "";
    int pages = 0, next = 0;
    do {
        json_t *page = call(d, "runs/search",
                            "{\"experiment_ids\":[\"%s\"],\"max_results\":50000,\"order_by\":"
                            "[\"metrics.m ASC\"],\"page_token\":\"%s\"}",
                            experiment, token);
        size_t i;
        json_t *run;
        json_array_foreach(at(page, "runs"), i, run) {
            json_t *metric = json_array_get(at(at(run, "data"), "metrics"), 0);
            assert_int_equal((int)json_number_value(at(metric, "value")), next++);
        }
        pages++;
        token = json_string_value(json_object_get(page, "next_page_token"));
    } while (token);
    assert_int_equal(next, count);
    return pages;
}

static void test_runs__come_in_more_pages_where_they_are_large(void **state) {
    struct domains *d = *state;
    const char *experiment = ten_runs(d, "fat tags");
    assert_int_equal(pages_of(d, experiment, 10), 1);
    test_sql(d->db, "insert into run_tags (team_id, run_id, key, value) select team_id, id,"
                    " 'tag ' || n, repeat('x', 7990) || n from runs, generate_series(1, 700) n"
                    " where name like 'fat tags run %'");
    assert_in_range(pages_of(d, experiment, 10), 2, 3);
    test_sql(d->db, "delete from run_tags where key like 'tag %'");
}

/* A profile comes with every run that read the data set. */
static void test_runs__come_in_more_pages_where_data_sets_are_large(void **state) {
    struct domains *d = *state;
    const char *experiment = ten_runs(d, "fat data");
    json_t *run = json_array_get(
        at(call(d, "runs/search", "{\"experiment_ids\":[\"%s\"]}", experiment), "runs"), 0);
    call(d, "runs/log-inputs",
         "{\"run_id\":\"%s\",\"datasets\":[{\"dataset\":{\"name\":\"train\",\"digest\":\"d7\","
         "\"source_type\":\"local\",\"source\":\"{}\"}}]}",
         text_at(at(run, "info"), "run_id"));
    test_sql(d->db,
             "update logged_datasets set profile = repeat('y', 6000000) where digest = 'd7'");
    test_sql(d->db, "insert into run_inputs (team_id, run_id, logged_dataset_id) select r.team_id,"
                    " r.id, d.id from runs r, logged_datasets d where d.digest = 'd7'"
                    " and r.name like 'fat data run %' on conflict do nothing");
    assert_in_range(pages_of(d, experiment, 10), 2, 3);
    test_sql(d->db, "delete from run_inputs");
}

/* --- experiments --- */

static void test_experiments__are_found_in_both_ways(void **state) {
    struct domains *d = *state;
    const char *id = experiment_made(d, "findable one");
    call(d, "experiments/set-experiment-tag",
         "{\"experiment_id\":\"%s\",\"key\":\"kind\",\"value\":\"x\"}", id);
    json_t *page =
        look(d, "experiments/search?max_results=5&filter=name+LIKE+%%27findable%%25%%27");
    assert_int_equal(json_array_size(at(page, "experiments")), 1);
    page = call(d, "experiments/search",
                "{\"max_results\":5,\"filter\":\"tags.kind = 'x'\",\"order_by\":[\"name ASC\"]}");
    assert_string_equal(text_at(json_array_get(at(page, "experiments"), 0), "experiment_id"), id);
    call(d, "experiments/delete", "{\"experiment_id\":\"%s\"}", id);
    page =
        call(d, "experiments/search",
             "{\"max_results\":5,\"view_type\":\"DELETED_ONLY\",\"filter\":\"tags.kind = 'x'\"}");
    assert_int_equal(json_array_size(at(page, "experiments")), 1);
    assert_string_equal(refused(d, 400, INVALID, "experiments/search", "{}"),
                        "Invalid value 0 for parameter 'max_results' supplied. It must be a "
                        "positive integer");
}

static void test_experiments__come_in_pages(void **state) {
    struct domains *d = *state;
    const char *token = "";
    size_t seen = 0, all;
    for (int i = 0; i < 5; i++)
        experiment_made(d, arena_printf(d->arena, "page %d", i));
    all =
        json_array_size(at(call(d, "experiments/search", "{\"max_results\":1000}"), "experiments"));
    do {
        json_t *page =
            call(d, "experiments/search", "{\"max_results\":2,\"page_token\":\"%s\"}", token);
        seen += json_array_size(at(page, "experiments"));
        token = json_string_value(json_object_get(page, "next_page_token"));
    } while (token);
    assert_int_equal(seen, all);
}

/* --- B17: hostile filters --- */

static const char *repeated(struct domains *d, const char *piece, size_t count) {
    auto_buf text = {0};
    for (size_t i = 0; i < count; i++)
        buf_text(&text, piece);
    return arena_strdup(d->arena, text.data);
}

static void test_b17__hostile_filters_are_refused_in_time(void **state) {
    struct domains *d = *state;
    const char *experiment = ten_runs(d, "b17");
    const char *hostile[] = {
        "'; DROP TABLE runs; --",
        "metrics.m > 1 OR 1=1",
        "metrics.m > 1; select 1",
        "(metrics.m > 1)",
        "NOT metrics.m > 1",
        "params.p = 'unbalanced",
        "params.p = \\\"unbalanced",
        "params.`p = 'x'",
        "params.p = \\u2018x\\u2019",
        "user.password LIKE 'a%'",
        "attributes.team_id = 2",
        "attributes.tenant_id = 2",
        "attributes.spec = 'x'",
        "metrics.m > 'text'",
        "metrics.m > 1 AND",
        "metrics.m",
        "= 1",
        "params.p RLIKE '(a+)+$'",
        "run_id IN ('a'",
        repeated(d, "metrics.m > 1 AND ", 10000),
        arena_printf(d->arena, "params.p = '%s'", repeated(d, "x", 100000)),
    };
    for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
        int64_t started_us = clock_mono_us();
        refused(d, 400, INVALID, "runs/search", "{\"experiment_ids\":[\"%s\"],\"filter\":\"%s\"}",
                experiment, hostile[i]);
        assert_true(clock_mono_us() - started_us < 2000000);
    }
    const char *orders[] = {
        "metrics.m; drop table runs", "1",         "user.password", "team_id DESC",
        "metrics.m DESC NULLS FIRST", "(select 1)"};
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
        refused(d, 400, INVALID, "runs/search",
                "{\"experiment_ids\":[\"%s\"],\"order_by\":[\"%s\"]}", experiment, orders[i]);
    assert_int_equal(found(d, experiment, ""), 10);
}

/* Patterns are data: signs of LIKE cost no more than others, quotes end nothing. */
static void test_b17__odd_values_are_only_values(void **state) {
    struct domains *d = *state;
    const char *experiment = ten_runs(d, "odd");
    assert_int_equal(
        found(d, experiment, arena_printf(d->arena, "params.p LIKE '%s'", repeated(d, "%", 1000))),
        10);
    assert_int_equal(
        found(d, experiment, arena_printf(d->arena, "params.p LIKE '%s'", repeated(d, "%x", 500))),
        0);
    assert_int_equal(found(d, experiment, "tags.`a` = 'b'"), 0);
    assert_int_equal(found(d, experiment, "params.p = 'x) or (1=1'"), 0);
    assert_int_equal(found(d, experiment, "params.p = '$1'"), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_runs__are_found_by_what_they_logged),
        cmocka_unit_test(test_runs__come_in_order_page_by_page),
        cmocka_unit_test(test_runs__are_those_of_the_experiments_named),
        cmocka_unit_test(test_runs__are_shown_by_their_life),
        cmocka_unit_test(test_runs__have_as_many_results_as_asked),
        cmocka_unit_test(test_runs__come_in_more_pages_where_they_are_large),
        cmocka_unit_test(test_runs__come_in_more_pages_where_data_sets_are_large),
        cmocka_unit_test(test_experiments__are_found_in_both_ways),
        cmocka_unit_test(test_experiments__come_in_pages),
        cmocka_unit_test(test_b17__hostile_filters_are_refused_in_time),
        cmocka_unit_test(test_b17__odd_values_are_only_values),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
