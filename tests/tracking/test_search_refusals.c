/* What searches refuse: in each dialect's words, with the bytes at fault. Nothing that is refused
 * reaches the database. */
#include "tests/support/domains.h"

#include "tracking/search.h"

/* The refusal of a filter, or of one order clause; the ctx is the caller's. */
static void refuse(struct domains *d, struct ctx *cx, bool mlflow, const char *filter,
                   const char *order) {
    struct search_page page;
    const struct run_search search = {.project_id = d->ours.project_id,
                                      .filter = filter,
                                      .order_by = &order,
                                      .order_count = order ? 1 : 0,
                                      .limit = 10,
                                      .mlflow = mlflow};
    test_ctx_user(cx, d->db, &d->ours, ROLE_VIEWER);
    cx->app = d->app;
    if (run_search(cx, &search, &page) != ERR_INVALID)
        fail_msg("%.200s%s is not refused as invalid", filter ? filter : "", order ? order : "");
}

struct refusal {
    const char *text;
    int at, length;
    const char *message; /* a part of it */
};

static void assert_refusals(struct domains *d, bool mlflow, bool order,
                            const struct refusal *refusals, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct refusal *r = &refusals[i];
        struct ctx cx;
        refuse(d, &cx, mlflow, order ? NULL : r->text, order ? r->text : NULL);
        assert_string_equal(cx.err.field, order ? "order_by" : "filter");
        if (cx.err.at != r->at || cx.err.length != r->length)
            fail_msg("%s: at %d, %d bytes instead of %d, %d (%s)", r->text, cx.err.at,
                     cx.err.length, r->at, r->length, cx.err.message);
        if (!strstr(cx.err.message, r->message))
            fail_msg("%s: \"%s\" has no \"%s\"", r->text, cx.err.message, r->message);
        ctx_done(&cx);
    }
}
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void test_filter__native_refusals(void **state) {
    static const struct refusal REFUSALS[] = {
        /* the set B17 */
        {"'; DROP", 0, 7, "a quote that is never closed"},
        {"metrics.x > 1 OR 1=1", 17, 1, "expected the name of a field, found \"1\" (byte 17)"},
        {"tags.a = 'b", 9, 2, "a quote that is never closed"},
        {"tags.a = \"b'", 9, 3, "a quote that is never closed"},
        {"params.x = \xe2\x80\x9c"
         "a\xe2\x80\x9d",
         11, 7, "expected a text in quotes"},
        {"user.password LIKE 'a%'", 0, 13, "runs have no \"user\"; known are attributes, metrics"},
        {"attributes.team_id = 2", 0, 18, "unknown attribute \"team_id\""},
        {"attributes.tenant_id = 2", 0, 20, "unknown attribute \"tenant_id\""},
        {"name = 'a'; drop table runs", 10, 1, "\";\" is not part of the language"},
        {"name = 'a' -- b", 11, 2, "neither a number nor a name"},
        {"name = 'a' union select 1", 11, 5, "expected AND, OR or the end, found \"union\""},
        {"(select 1)", 1, 6, "unknown attribute \"select\""},
        {"pg_sleep(9) = 1", 0, 8, "only min, max and last are known"},
        {"r.id = 'x'", 0, 4, "runs have no \"r\""},
        {"1 = 1", 0, 1, "expected the name of a field"},
        /* where something is missing */
        {"metrics.loss", 12, 1, "the text ends where a comparison should stand"},
        {"metrics.loss >", 14, 1, "the text ends where a number should stand"},
        {"metrics.loss > 1 AND", 20, 1, "the text ends where the name of a field should stand"},
        {"(metrics.loss > 1", 17, 1, "the text ends where AND, OR or \")\" should stand"},
        {"metrics.loss > 1)", 16, 1, "expected AND, OR or the end, found \")\""},
        {"metrics. > 1", 0, 8, "a name that ends with a dot"},
        {"metrics.\"\" > 1", 0, 10, "a name that ends with a dot"},
        {"NOT", 3, 1, "the text ends"},
        {"name IN ()", 9, 1, "expected a text in quotes, found \")\""},
        {"name IN ('a'", 12, 1, "the text ends"},
        {"name IN 'a'", 8, 3, "expected a list in parentheses"},
        {"name IN ('a' 'b')", 13, 3, "expected \",\" or \")\""},
        {"name IS 1", 8, 1, "expected NULL"},
        {"name NOT 'a'", 9, 3, "expected LIKE, ILIKE or IN"},
        {"NOT name NOT", 12, 1, "the text ends"},
        /* types and operators */
        {"metrics.loss > 'a'", 15, 3, "expected a number, found \"'a'\""},
        {"metrics.loss > abc", 15, 3, "expected a number"},
        {"metrics.loss LIKE 'a'", 13, 4, "LIKE cannot be used here; possible are =, !="},
        {"metrics.loss = 1.2.3", 15, 5, "neither a number nor a name"},
        {"metrics.loss = 1x", 15, 2, "neither a number nor a name"},
        {"metrics.loss == 1", 13, 2, "no comparison; equality is a single"},
        {"name = a", 7, 1, "expected a text in quotes"},
        {"name RLIKE '.*'", 5, 5, "RLIKE cannot be used here"},
        {"params.lr IN (1, 'a')", 17, 3, "expected a number"},
        {"id > '1'", 3, 1, "> cannot be used here"},
        {"created_at > 'yesterday'", 13, 11, "expected a time like"},
        {"created_at > '2026-13-01'", 13, 12, "expected a time like"},
        {"datasets.source = 'a'", 0, 15, "unknown datasets \"source\"; known are name, digest"},
        {"status = 'a' AND artifact_uri = 'b'", 17, 12, "unknown attribute \"artifact_uri\""},
        {"min(name) = 'a'", 4, 4, "only metrics have a min"},
        {"min(1) = 'a'", 4, 1, "expected a metric"},
        {"min(metrics.a = 1", 14, 1, "expected \")\""},
        {"avg(metrics.a) = 1", 0, 3, "only min, max and last"},
    };
    assert_refusals(*state, false, false, REFUSALS, COUNT(REFUSALS));
}

static void test_filter__mlflow_refusals(void **state) {
    static const struct refusal REFUSALS[] = {
        {"metrics.x > 1 OR params.a = 'b'", 14, 2, "Invalid clause(s) in filter string: 'OR'"},
        {"NOT metrics.x > 1", 0, 3, "Invalid clause(s) in filter string: 'NOT'"},
        {"(metrics.x > 1)", 0, 1, "Invalid clause(s) in filter string: '('"},
        {"metrics.x > 1; metrics.y > 2", 13, 1, "Search filter contained multiple expression"},
        {"metrics.x > 1 params.y = 'a'", 14, 8, "Invalid clause(s) in filter string"},
        {"min(metrics.x) > 1", 0, 3, "Invalid attribute key 'min' specified"},
        {"params.a = 'LR", 11, 3, "Invalid clause(s) in filter string: ''LR'"},
        {"metric.a = LR", 11, 2, "Expected numeric value type for metric. Found LR"},
        {"metrics.a = 'LR'", 12, 4, "Expected numeric value type for metric. Found 'LR'"},
        {"metrics.a = nan", 12, 3, "Expected numeric value type for metric. Found nan"},
        {"metrics.a LIKE 'LR'", 10, 4, "Invalid comparator 'LIKE' not one of"},
        {"params.a = 1", 11, 1, "Expected a quoted string value for parameter (e.g. 'my-value')"},
        {"params.a > '1'", 9, 1, "Invalid comparator '>' not one of"},
        {"params.a IN ('1')", 9, 2, "Invalid comparator 'IN' not one of"},
        {"params.a NOT LIKE '1'", 9, 3, "Invalid comparator 'NOT LIKE' not one of"},
        {"tags.a = LR", 9, 2, "Expected a quoted string value for tag (e.g. 'my-value')"},
        {"acc = 0.1", 0, 3, "Invalid attribute key 'acc' specified. Valid keys are '"},
        {"attributes.team_id = 2", 0, 18, "Invalid attribute key 'team_id' specified"},
        {"model.a = 'b'", 0, 7, "Invalid entity type 'model'. Valid values are ["},
        {"user.password LIKE 'a%'", 0, 13, "Invalid entity type 'user'"},
        {"dataset.source = 'b'", 0, 14, "Invalid dataset key 'source' specified"},
        {"attribute.start_time = '1'", 23, 3,
         "Expected numeric value type for numeric attribute: start_time. Found '1'"},
        {"attribute.end_time LIKE 1", 19, 4, "Invalid comparator 'LIKE'"},
        {"attribute.status = 5", 19, 1, "Expected a quoted string value for attributes"},
        {"attribute.status > 'a'", 17, 1, "Invalid comparator '>'"},
        {"attribute.status IN ('a')", 17, 2,
         "Only the 'run_id' attribute supports comparison with a list of quoted string values."},
        {"attribute.run_id IN (1)", 21, 1, "Expected a quoted string value for attributes"},
        {"attribute.created_at > 5", 0, 20, "Invalid attribute key 'created_at'"},
        {"run.duration > 5", 0, 12, "Invalid attribute key 'duration'"},
        {"metrics.x", 9, 1, "Invalid clause(s)"},
        {"= 1", 0, 1, "Invalid clause(s)"},
    };
    assert_refusals(*state, true, false, REFUSALS, COUNT(REFUSALS));
}

static void test_order__native_refusals(void **state) {
    static const struct refusal REFUSALS[] = {
        {"", 0, 1, "expected"},
        {"team_id", 0, 7, "unknown attribute \"team_id\""},
        {"metrics.loss down", 13, 4, "expected ASC, DESC or the end, found \"down\""},
        {"metrics.loss DESC 1", 18, 1, "found \"1\""},
        {"metrics.loss; drop", 12, 1, "found \";\""},
        {"name, metrics.a, name DESC", 17, 4, "this already orders the list"},
        {"datasets.name", 0, 13, "nothing can be ordered by this"},
        {"notes", 0, 5, "nothing can be ordered by this"},
        {"metrics.a,metrics.b,metrics.c,metrics.d,metrics.e,metrics.f,metrics.g", 60, 9,
         "too many order keys"},
    };
    assert_refusals(*state, false, true, REFUSALS, COUNT(REFUSALS));
}

static void test_order__mlflow_refusals(void **state) {
    static const struct refusal REFUSALS[] = {
        {"metrics.a down", 10, 4, "Invalid ordering key in order_by clause 'metrics.a down'."},
        {"metrics.a DESC x", 15, 1, "order_by clause 'metrics.a DESC x'"},
        {"metrics.a, metrics.b", 9, 1,
         "Invalid order_by clause 'metrics.a, metrics.b'. Could not be parsed."},
        {"", 0, 1, "Invalid order_by clause ''. Could not be parsed."},
        {"acc", 0, 3, "Invalid attribute key 'acc' specified. Valid keys are '"},
        {"datasets.name", 0, 13, "Invalid order_by entity type 'datasets'"},
        {"models.a", 0, 8, "Invalid entity type 'models'"},
    };
    assert_refusals(*state, true, true, REFUSALS, COUNT(REFUSALS));
}

static void test_order__mlflow_names_a_field_once(void **state) {
    struct domains *d = *state;
    static const char *const ORDER[] = {"metrics.a", "param.b DESC", "metric.`a` DESC"};
    struct search_page page;
    struct ctx cx;
    test_ctx_user(&cx, d->db, &d->ours, ROLE_VIEWER);
    cx.app = d->app;
    assert_err(ERR_INVALID, run_search(&cx,
                                       &(struct run_search){.project_id = d->ours.project_id,
                                                            .order_by = ORDER,
                                                            .order_count = 3,
                                                            .limit = 10,
                                                            .mlflow = true},
                                       &page));
    assert_string_equal(cx.err.message, "`order_by` contains duplicate fields: "
                                        "['metrics.a', 'param.b DESC', 'metric.`a` DESC']");
    ctx_done(&cx);
}

/* ---- limits */

static const char *repeated(struct domains *d, const char *first, const char *more, int count) {
    auto_buf text = {0};
    buf_text(&text, first);
    for (int i = 0; i < count; i++)
        buf_text(&text, more);
    return arena_strdup(d->arena, text.data);
}

static void assert_limit(struct domains *d, bool mlflow, const char *filter, const char *message) {
    struct ctx cx;
    refuse(d, &cx, mlflow, filter, NULL);
    if (!strstr(cx.err.message, message))
        fail_msg("\"%s\" has no \"%s\"", cx.err.message, message);
    assert_true(cx.err.length > 0);
    ctx_done(&cx);
}

static void assert_found(struct domains *d, bool mlflow, const char *filter) {
    struct search_page page;
    struct ctx cx;
    test_ctx_user(&cx, d->db, &d->ours, ROLE_VIEWER);
    cx.app = d->app;
    const struct run_search search = {
        .project_id = d->ours.project_id, .filter = filter, .limit = 10, .mlflow = mlflow};
    assert_ok(run_search(&cx, &search, &page), &cx.err);
    ctx_done(&cx);
}

static void test_filter__limits(void **state) {
    struct domains *d = *state;
    const char *at_most = repeated(d, "metrics.m0 > 1", " AND metrics.m1 > 1", 99);
    for (int mlflow = 0; mlflow < 2; mlflow++) {
        assert_found(d, mlflow, at_most);
        assert_limit(d, mlflow, repeated(d, at_most, " AND tags.a = 'b'", 1),
                     "at most 100 comparisons");
        assert_limit(d, mlflow, repeated(d, "metrics.x > 1", " AND metrics.x > 1", 10000),
                     "at most 8192 bytes");
        assert_limit(d, mlflow, repeated(d, "tags.a = '", "0123456789abcdef", 6400),
                     "at most 8192 bytes");
    }
    assert_found(d, false, repeated(d, "name = ''", " OR name LIKE '%%%'", 99));
    assert_found(d, false,
                 repeated(d, repeated(d, "", "(", 20), repeated(d, "name = 'a'", ")", 20), 1));
    assert_limit(d, false, repeated(d, "", "(", 21), "at most 20 deep");
    assert_limit(d, false, repeated(d, "", "NOT ", 21), "at most 20 deep");
    const char *list = repeated(d, "name IN (''", ",''", 999);
    assert_found(d, false, arena_printf(d->arena, "%s)", list));
    assert_limit(d, false, arena_printf(d->arena, "%s,'')", list), "at most 1000 values");
    assert_found(d, false, arena_printf(d->arena, "%s'", repeated(d, "name LIKE '", "%a", 1000)));
}

/* Many patterns over long texts end in time, in a sentence of the search's own. */
static void test_search__that_takes_too_long_says_so(void **state) {
    struct domains *d = *state;
    static const struct search_field FIELDS[] = {
        {.name = "slow", .type = SEARCH_TEXT, .sql = "pg_sleep(3)::text", .ops = SEARCH_TEXT_OPS}};
    static const struct search_entity SLOW = {.name = "project",
                                              .from = "projects p",
                                              .id = "p.id",
                                              .where = "p.team_id = $1::uuid",
                                              .fields = FIELDS,
                                              .field_count = 1};
    struct search_page page;
    struct ctx cx;
    test_ctx_user(&cx, d->db, &d->ours, ROLE_VIEWER);
    cx.app = d->app;
    assert_err(
        ERR_TIMEOUT,
        search_page(&cx, &SLOW, &(struct search){.filter = "slow = 'a'", .limit = 1}, &page));
    assert_string_equal(cx.err.field, "filter");
    assert_non_null(strstr(cx.err.message, "the search took longer than 2 s"));
    ctx_done(&cx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filter__native_refusals),
        cmocka_unit_test(test_filter__mlflow_refusals),
        cmocka_unit_test(test_order__native_refusals),
        cmocka_unit_test(test_order__mlflow_refusals),
        cmocka_unit_test(test_order__mlflow_names_a_field_once),
        cmocka_unit_test(test_filter__limits),
        cmocka_unit_test(test_search__that_takes_too_long_says_so),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
