/* The lineage graph: what is reached from where, and how much of it is shown. */

#include "base/ident.h"
#include "lineage/lineage.h"
#include "tests/support/domains.h"

#include <stdio.h>

/* dataset_version → job → run → model_version → endpoint, in our team. */
struct chain {
    char ids[5][UUID_TEXT_SIZE];
};
static const enum node_kind KINDS[] = {NODE_DATASET_VERSION, NODE_JOB, NODE_RUN, NODE_MODEL_VERSION,
                                       NODE_ENDPOINT};
static const char *const NAMES[] = {"dataset_version", "job", "run", "model_version", "endpoint"};

static void act(struct domains *d, struct ctx *cx) {
    ctx_init(cx, d->app);
    cx->who = d->editor;
}

static void chain_make(struct domains *d, struct chain *ret) {
    struct ctx cx;
    act(d, &cx);
    for (int i = 0; i < 5; i++) {
        uuid_new(ret->ids[i]);
        assert_ok(lineage_node(&cx, KINDS[i], ret->ids[i], d->ours.project_id, NAMES[i]), &cx.err);
    }
    for (int i = 1; i < 5; i++)
        assert_ok(
            lineage_edge(&cx, KINDS[i - 1], ret->ids[i - 1], KINDS[i], ret->ids[i], "produced"),
            &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    ctx_done(&cx);
}

static json_t *graph(struct domains *d, const char *kind, const char *id, const char *rest) {
    return get_ok(d, "/api/v1/lineage?node=%s:%s%s", kind, id, rest);
}

static const char *names_of(struct domains *d, json_t *g) {
    const char *text = "";
    size_t i;
    json_t *node;
    json_array_foreach(at(g, "nodes"), i, node) text =
        arena_printf(d->arena, "%s%s%s", text, i ? " " : "", text_at(node, "name"));
    return text;
}

static void test_lineage__walks_up_down_and_both(void **state) {
    struct domains *d = *state;
    struct chain c;
    chain_make(d, &c);
    json_t *both = graph(d, "run", c.ids[2], "");
    assert_int_equal(json_array_size(at(both, "nodes")), 5);
    assert_int_equal(json_array_size(at(both, "edges")), 4);
    assert_true(json_is_false(at(both, "truncated")));
    assert_string_equal(names_of(d, graph(d, "run", c.ids[2], "&direction=up")),
                        "run job dataset_version");
    assert_string_equal(names_of(d, graph(d, "run", c.ids[2], "&direction=down")),
                        "run model_version endpoint");
    assert_string_equal(names_of(d, graph(d, "run", c.ids[2], "&direction=down&depth=1")),
                        "run model_version");
}

static void test_lineage__edges_point_from_used_to_made(void **state) {
    struct domains *d = *state;
    struct chain c;
    chain_make(d, &c);
    json_t *g = graph(d, "job", c.ids[1], "&direction=up");
    json_t *edge = json_array_get(at(g, "edges"), 0);
    assert_string_equal(text_at(edge, "from"),
                        arena_printf(d->arena, "dataset_version:%s", c.ids[0]));
    assert_string_equal(text_at(edge, "to"), arena_printf(d->arena, "job:%s", c.ids[1]));
    assert_string_equal(text_at(edge, "relation"), "produced");
}

static void test_lineage__repeating_changes_nothing(void **state) {
    struct domains *d = *state;
    struct chain c;
    struct ctx cx;
    chain_make(d, &c);
    act(d, &cx);
    assert_ok(lineage_node(&cx, NODE_JOB, c.ids[1], d->ours.project_id, "again"), &cx.err);
    assert_ok(lineage_edge(&cx, NODE_JOB, c.ids[1], NODE_RUN, c.ids[2], "produced"), &cx.err);
    assert_ok(lineage_node_state(&cx, NODE_JOB, c.ids[1], "succeeded"), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    ctx_done(&cx);
    json_t *g = graph(d, "job", c.ids[1], "&direction=down&depth=1");
    assert_int_equal(json_array_size(at(g, "edges")), 1);
    json_t *root = json_array_get(at(g, "nodes"), 0);
    assert_string_equal(text_at(root, "name"), "job");
    assert_string_equal(text_at(root, "state"), "succeeded");
}

static void test_lineage__ends_in_a_circle(void **state) {
    struct domains *d = *state;
    struct chain c;
    struct ctx cx;
    chain_make(d, &c);
    act(d, &cx);
    assert_ok(lineage_edge(&cx, NODE_ENDPOINT, c.ids[4], NODE_DATASET_VERSION, c.ids[0], "fed"),
              &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    ctx_done(&cx);
    json_t *g = graph(d, "run", c.ids[2], "&direction=down&depth=20");
    assert_int_equal(json_array_size(at(g, "nodes")), 5);
    assert_int_equal(json_array_size(at(g, "edges")), 5);
}

static void test_lineage__says_when_there_is_more(void **state) {
    struct domains *d = *state;
    struct chain c;
    chain_make(d, &c);
    const char *sql = arena_printf(
        d->arena,
        "insert into lineage_nodes (team_id, kind, ref_id, project_id, name)"
        " select '%s', 'artifact', gen_random_uuid(), '%s', 'leaf' from generate_series(1, 600);"
        "insert into lineage_edges (team_id, from_kind, from_id, to_kind, to_id, relation)"
        " select team_id, 'run', '%s', kind, ref_id, 'produced' from lineage_nodes"
        " where name = 'leaf'",
        d->ours.team_id, d->ours.project_id, c.ids[2]);
    test_sql(d->db, sql);
    json_t *g = graph(d, "run", c.ids[2], "&direction=down");
    assert_int_equal(json_array_size(at(g, "nodes")), 500);
    assert_true(json_is_true(at(g, "truncated")));
    assert_string_equal(text_at(json_array_get(at(g, "nodes"), 0), "name"), "run");
}

static void test_lineage__refuses_what_is_no_node(void **state) {
    struct domains *d = *state;
    struct chain c;
    chain_make(d, &c);
    static const char *const bad[] = {"",
                                      "?node=run",
                                      "?node=run:x",
                                      "?node=user:%s",
                                      "?node=run:%s&depth=21",
                                      "?node=run:%s&depth=0",
                                      "?node=run:%s&direction=sideways",
                                      "?node=run:%s&team=x"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const char *before = bad[i], *mark = strstr(bad[i], "%s");
        const char *query = mark ? arena_printf(d->arena, "%.*s%s%s", (int)(mark - before), before,
                                                c.ids[2], mark + 2)
                                 : before;
        get_fails(d, 400, &d->viewer, "/api/v1/lineage%s", query);
    }
}

static void test_lineage__other_teams_nodes_are_not_there(void **state) {
    struct domains *d = *state;
    struct chain c;
    char unknown[UUID_TEXT_SIZE];
    chain_make(d, &c);
    uuid_new(unknown);
    get_fails(d, 404, &d->stranger, "/api/v1/lineage?node=run:%s", c.ids[2]);
    get_fails(d, 404, &d->viewer, "/api/v1/lineage?node=run:%s", unknown);
    /* Nor can an edge reach over. */
    struct ctx cx;
    ctx_init(&cx, d->app);
    cx.who = d->stranger;
    assert_ok(lineage_node(&cx, NODE_RUN, unknown, d->theirs.project_id, "theirs"), &cx.err);
    assert_true(lineage_edge(&cx, NODE_RUN, c.ids[2], NODE_RUN, unknown, "used") != OK);
    ctx_done(&cx);
    assert_wall(d, "lineage_nodes");
    assert_wall(d, "lineage_edges");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lineage__walks_up_down_and_both),
        cmocka_unit_test(test_lineage__edges_point_from_used_to_made),
        cmocka_unit_test(test_lineage__repeating_changes_nothing),
        cmocka_unit_test(test_lineage__ends_in_a_circle),
        cmocka_unit_test(test_lineage__says_when_there_is_more),
        cmocka_unit_test(test_lineage__refuses_what_is_no_node),
        cmocka_unit_test(test_lineage__other_teams_nodes_are_not_there),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
