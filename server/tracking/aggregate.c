/* aggregate.c: see aggregate.h. One statement: within, a row a run with its keys k0… and its
 * metrics v0…; around it the groups. Names are looked up as a filter's are, so nothing of a
 * client's becomes SQL here either. */
#include "tracking/aggregate.h"

#include "base/buf.h"
#include "tracking/search_private.h"

const char *const AGGREGATE_OF_NAMES[] = {"last", "min", "max", NULL};

static const struct field RUN_GROUP_FIELDS[] = {FIELD(JSON, struct run_group, keys),
                                                FIELD(INT, struct run_group, runs),
                                                FIELD(JSON, struct run_group, metrics)};
static SHAPE(RUN_GROUP_ROW, "RunGroupRow", struct run_group, RUN_GROUP_FIELDS);

/* A statement's parts while they grow. */
struct grouping {
    struct ctx *cx;
    struct search_sql sql;
    struct buf columns, joins; /* within */
    struct buf metrics;        /* around */
    size_t joined;
};

/* Adds the name's value as a column of each run. */
static void add_column(struct grouping *g, const struct search_name *name, const char *column) {
    const struct search_source *source = name->field->source;
    if (!source) {
        buf_printf(&g->columns, ", %s as %s", search_expression(name), column);
        return;
    }
    size_t n = g->joined++;
    buf_printf(&g->columns, ", g%zu.value as %s", n, column);
    buf_printf(&g->joins,
               " left join (select %s as owner, %s as value from %s where %s) g%zu"
               " on g%zu.owner = %s",
               source->owner, search_expression(name), source->from,
               search_source_where(g->cx, &g->sql, name), n, n, RUN_ENTITY.id);
}

/* A group is made of what each run has once: of a source without a key it may have many rows. */
static enum err parse_key(struct ctx *cx, const char *text, struct search_name *ret) {
    struct parser p;
    parser_init(&p, cx, &RUN_ENTITY, SEARCH_NATIVE, text, "group_by");
    struct token token = p.token;
    TRY(parse_name(&p, ret));
    if (p.token.kind != TOKEN_END)
        return parser_expected(&p, "the end");
    const struct search_field *field = ret->field;
    if ((field->type == SEARCH_TEXT || field->type == SEARCH_ID) &&
        (!field->source || field->source->key))
        return OK;
    return parser_fail(&p, &token, "groups are made of parameters, tags and attributes with a text",
                       "");
}

/* "k0, k1"; "" for none. */
static enum err add_keys(struct grouping *g, const struct list *names, const char **ret) {
    const char *const *text = (const char *const *)names->items;
    *ret = "";
    for (size_t i = 0; i < names->count; i++) {
        struct search_name name;
        TRY(parse_key(g->cx, text[i], &name));
        const char *column = arena_printf(g->cx->arena, "k%zu", i);
        add_column(g, &name, column);
        *ret = arena_printf(g->cx->arena, "%s%s%s", *ret, i ? ", " : "", column);
    }
    return OK;
}

/* Infinity is above every number and NaN above infinity: one range leaves all three out. */
static void add_statistic(struct grouping *g, const char *name, const char *function, size_t i) {
    buf_printf(&g->metrics,
               ", '%s', %s(v%zu) filter (where v%zu > '-Infinity' and v%zu < 'Infinity')", name,
               function, i, i, i);
}

static void add_metrics(struct grouping *g, const struct list *metrics) {
    static const enum search_part PARTS[] = {SEARCH_LAST, SEARCH_MIN, SEARCH_MAX};
    const struct aggregate_metric *metric = metrics->items;
    const struct search_field *field = search_field_of(&RUN_ENTITY, "metrics");
    for (size_t i = 0; i < metrics->count; i++) {
        const struct search_name name = {field, metric[i].key, PARTS[metric[i].of]};
        add_column(g, &name, arena_printf(g->cx->arena, "v%zu", i));
        buf_printf(&g->metrics,
                   "%sjson_build_object('key', $%d::text, 'of', '%s', 'count', count(v%zu)",
                   i ? ", " : "", search_arg(g->cx, &g->sql, metric[i].key),
                   AGGREGATE_OF_NAMES[metric[i].of], i);
        add_statistic(g, "mean", "avg", i);
        add_statistic(g, "min", "min", i);
        add_statistic(g, "max", "max", i);
        add_statistic(g, "stddev", "stddev_samp", i);
        buf_text(&g->metrics, ")");
    }
}

static enum err run_grouping(struct grouping *g, const struct search *search,
                             const struct run_aggregate *aggregate, struct list *ret) {
    const char *keys;
    TRY(search_compile(g->cx, &RUN_ENTITY, search, &g->sql));
    TRY(add_keys(g, &aggregate->group_by, &keys));
    add_metrics(g, &aggregate->metrics);
    const char *text = arena_printf(
        g->cx->arena,
        "select json_build_array(%s) as keys, count(*) as runs, json_build_array(%s) as metrics"
        " from (select %s as id%s from %s%s where %s) found%s%s order by count(*) desc%s%s limit "
        "%d",
        keys, g->metrics.data ? g->metrics.data : "", RUN_ENTITY.id,
        g->columns.data ? g->columns.data : "", RUN_ENTITY.from, g->joins.data ? g->joins.data : "",
        g->sql.where, *keys ? " group by " : "", keys, *keys ? ", " : "", keys,
        AGGREGATE_GROUPS_MAX);
    return search_rows(g->cx, &RUN_ENTITY, text, &g->sql, &RUN_GROUP_ROW, ret);
}

enum err runs_aggregate(struct ctx *cx, const struct run_search *search,
                        const struct run_aggregate *aggregate, struct list *ret) {
    struct search prepared;
    struct grouping g = {.cx = cx};
    TRY(run_search_prepare(cx, search, &prepared));
    enum err err = run_grouping(&g, &prepared, aggregate, ret);
    buf_done(&g.columns);
    buf_done(&g.joins);
    buf_done(&g.metrics);
    return err;
}
