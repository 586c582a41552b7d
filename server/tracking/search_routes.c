/* search_routes.c: lists of runs over HTTP: filtered, grouped, and what can be asked for. */
#include "http/page.h"
#include "projects/projects.h"
#include "tracking/aggregate.h"
#include "tracking/experiments.h"
#include "tracking/internal.h"
#include "tracking/run_list.h"
#include "tracking/search_private.h"

#include "sql/tracking.h"

#include <string.h>

#define EXPERIMENTS_MAX 200 /* named in one request */
#define KEYS_MAX 500        /* of each kind in the catalogue */

/* Which runs: shared by the list and its groups. */
struct run_scope {
    const char *filter, *q, *experiment;
    struct list experiments; /* const char * */
    int state;               /* enum run_state or FIELD_NO_ENUM */
    int lifecycle;           /* enum lifecycle */
};

/* What it says, as run_search() is asked; `experiments` have been looked at already. */
static void search_of(const struct run_scope *scope, const char *project_id,
                      struct run_search *ret) {
    ret->project_id = project_id;
    ret->experiment_ids = scope->experiment ? &scope->experiment : scope->experiments.items;
    ret->experiment_count = scope->experiment ? 1 : scope->experiments.count;
    ret->filter = scope->filter;
    ret->lifecycle = scope->lifecycle;
    ret->state = scope->state == FIELD_NO_ENUM ? NULL : RUN_STATE_NAMES[scope->state];
    ret->text = scope->q;
}

/* "id,id" as a list; NULL is none. */
static enum err split_ids(struct ctx *cx, const char *text, struct list *ret) {
    char *rest = text ? arena_strdup(cx->arena, text) : NULL;
    const char **ids = arena_new_array(cx->arena, const char *, EXPERIMENTS_MAX);
    size_t count = 0;
    for (char *id; (id = strsep(&rest, ","));) {
        if (count == EXPERIMENTS_MAX)
            return fail_field(cx, ERR_INVALID, "experiments", "at most %d experiments are searched",
                              EXPERIMENTS_MAX);
        ids[count++] = id;
    }
    *ret = (struct list){ids, count};
    return OK;
}

/* ---- the list */

struct run_list_query {
    const char *cursor, *order_by, *sort, *experiments;
    int64_t limit;
    bool ranges;
    struct run_scope scope;
};
#define SCOPE_FIELD(kind, owner, member, ...)                                                      \
    {                                                                                              \
        .name = #member, .type = FIELD_TYPE_##kind, .offset = offsetof(owner, scope.member),       \
        __VA_ARGS__                                                                                \
    }
#define SCOPE_FIELDS(owner)                                                                        \
    SCOPE_FIELD(STRING, owner, filter, .flags = FIELD_NULLABLE, .max = SEARCH_TEXT_MAX,            \
                .doc = "metrics.loss < 0.2 AND (params.lr = '0.1' OR NOT tags.stage = 'draft')"),  \
        SCOPE_FIELD(STRING, owner, q, .flags = FIELD_NULLABLE, .max = 250,                         \
                    .doc = "part of the name"),                                                    \
        SCOPE_FIELD(UUID, owner, experiment, .flags = FIELD_NULLABLE),                             \
        SCOPE_FIELD(ENUM, owner, state, .flags = FIELD_NULLABLE, .names = RUN_STATE_NAMES),        \
        SCOPE_FIELD(ENUM, owner, lifecycle, .names = LIFECYCLE_NAMES, .doc = "active by default")
static const struct field RUN_LIST_QUERY_FIELDS[] = {
    FIELD(STRING, struct run_list_query, cursor, .flags = FIELD_NULLABLE, .max = 6000,
          .doc = "next_cursor of the page before"),
    FIELD(INT, struct run_list_query, limit, .min = 1, .max = 1000,
          .doc = "items a page; 50 by default"),
    FIELD(STRING, struct run_list_query, order_by, .flags = FIELD_NULLABLE, .max = SEARCH_TEXT_MAX,
          .doc = "min(metrics.loss) ASC, created_at DESC; the newest first by default"),
    FIELD(STRING, struct run_list_query, sort, .flags = FIELD_NULLABLE, .max = 300,
          .doc = "created_at, name or metrics.KEY; a leading - turns it round; see order_by"),
    FIELD(STRING, struct run_list_query, experiments, .flags = FIELD_NULLABLE, .max = 8000,
          .doc = "ids separated by commas; all by default"),
    FIELD(BOOL, struct run_list_query, ranges, .doc = "with metrics_min and metrics_max"),
    SCOPE_FIELDS(struct run_list_query),
};
static SHAPE(RUN_LIST_QUERY, "RunListQuery", struct run_list_query, RUN_LIST_QUERY_FIELDS);

/* A key in quotes, whatever it holds. */
static const char *quoted(struct ctx *cx, const char *key) {
    char *text = arena_alloc(cx->arena, strlen(key) * 2 + 3), *to = text;
    *to++ = '"';
    for (const char *p = key; *p; p++) {
        if (*p == '"')
            *to++ = '"';
        *to++ = *p;
    }
    *to = '"';
    return text;
}

/* ?sort= as an order clause. */
static enum err order_of_sort(struct ctx *cx, const char *sort, const char **ret) {
    bool descending = *sort == '-';
    const char *name = sort + descending;
    if (strncmp(name, "metrics.", 8) == 0 && name[8])
        name = arena_printf(cx->arena, "metrics.%s", quoted(cx, name + 8));
    else if (strcmp(name, "created_at") != 0 && strcmp(name, "name") != 0)
        return fail_field(cx, ERR_INVALID, "sort",
                          "runs are sorted by created_at, name or metrics.KEY; see order_by");
    *ret = arena_printf(cx->arena, "%s%s", name, descending ? " DESC" : "");
    return OK;
}

static enum err get_runs(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct run_list_query query = *(const struct run_list_query *)rq->query;
    struct project project;
    struct search_page page;
    struct list runs;
    size_t taken;
    struct run_search search = {.order_by = &query.order_by,
                                .limit = query.limit ? query.limit : 50,
                                .token = query.cursor};
    if (!query.order_by && query.sort)
        TRY(order_of_sort(cx, query.sort, &query.order_by));
    search.order_count = query.order_by ? 1 : 0;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    TRY(split_ids(cx, query.experiments, &query.scope.experiments));
    search_of(&query.scope, project.id, &search);
    TRY(run_search(cx, &search, &page));
    TRY(runs_load(cx, (const char *const *)page.ids.items, page.ids.count,
                  RUN_WITH_PARAMS | RUN_WITH_TAGS | RUN_WITH_METRICS | RUN_WITH_SPEC |
                      (query.ranges ? RUN_WITH_RANGES : 0),
                  &runs, &taken));
    search_page_cut(cx, &page, taken);
    reply_runs(cx, rp, &runs, page.next);
    return OK;
}

/* ---- groups */

struct run_aggregate_body {
    struct run_scope scope;
    struct run_aggregate aggregate;
};
static const struct field AGGREGATE_METRIC_FIELDS[] = {
    FIELD(STRING, struct aggregate_metric, key, .flags = FIELD_REQUIRED, .min = 1),
    FIELD(ENUM, struct aggregate_metric, of, .names = AGGREGATE_OF_NAMES,
          .doc = "which value of each run: last by default"),
};
static SHAPE(AGGREGATE_METRIC, "AggregateMetric", struct aggregate_metric, AGGREGATE_METRIC_FIELDS);

static const struct field RUN_AGGREGATE_FIELDS[] = {
    SCOPE_FIELDS(struct run_aggregate_body),
    SCOPE_FIELD(STRINGS, struct run_aggregate_body, experiments, .flags = FIELD_NULLABLE,
                .max = EXPERIMENTS_MAX, .doc = "ids; all by default"),
    {.name = "group_by",
     .type = FIELD_TYPE_STRINGS,
     .offset = offsetof(struct run_aggregate_body, aggregate.group_by),
     .max = AGGREGATE_KEYS_MAX,
     .doc = "params.x, tags.x or an attribute that is a text; nothing = one group"},
    {.name = "metrics",
     .type = FIELD_TYPE_LIST,
     .offset = offsetof(struct run_aggregate_body, aggregate.metrics),
     .nested = &AGGREGATE_METRIC,
     .max = AGGREGATE_METRICS_MAX},
};
static SHAPE(RUN_AGGREGATE, "RunAggregate", struct run_aggregate_body, RUN_AGGREGATE_FIELDS);

static const struct field RUN_GROUP_FIELDS[] = {
    FIELD(JSON, struct run_group, keys, .typescript = "(string | null)[]",
          .doc = "as group_by; null = runs without it"),
    FIELD(INT, struct run_group, runs),
    FIELD(JSON, struct run_group, metrics,
          .typescript = "{ key: string; of: string; count: number; mean: number | null; "
                        "min: number | null; max: number | null; stddev: number | null }[]",
          .doc = "count is of every value, the rest of the finite ones"),
};
static SHAPE(RUN_GROUP, "RunGroup", struct run_group, RUN_GROUP_FIELDS);

static enum err post_aggregate(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct run_aggregate_body *body = rq->body;
    struct run_search search = {0};
    struct project project;
    struct list groups;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    search_of(&body->scope, project.id, &search);
    TRY(runs_aggregate(cx, &search, &body->aggregate, &groups));
    reply_page(rp, groups, NULL);
    return OK;
}

/* ---- what can be asked for */

struct run_fields_query {
    const char *prefix, *experiments;
    struct run_scope scope; /* only experiment */
};
static const struct field RUN_FIELDS_QUERY_FIELDS[] = {
    FIELD(STRING, struct run_fields_query, prefix, .flags = FIELD_NULLABLE, .max = 250,
          .doc = "what keys begin with, without their group"),
    FIELD(STRING, struct run_fields_query, experiments, .flags = FIELD_NULLABLE, .max = 8000,
          .doc = "ids separated by commas; all by default"),
    SCOPE_FIELD(UUID, struct run_fields_query, experiment, .flags = FIELD_NULLABLE),
};
static SHAPE(RUN_FIELDS_QUERY, "RunFieldsQuery", struct run_fields_query, RUN_FIELDS_QUERY_FIELDS);

struct run_field {
    const char *name; /* as a filter writes it: metrics.loss */
    int type;         /* enum search_type */
};
static const char *const FIELD_TYPE_NAMES[] = {"text", "number", "time", "id", NULL};
static const struct field RUN_FIELD_FIELDS[] = {
    FIELD(STRING, struct run_field, name, .doc = "as a filter writes it: metrics.loss"),
    FIELD(ENUM, struct run_field, type, .names = FIELD_TYPE_NAMES),
};
static SHAPE(RUN_FIELD, "RunField", struct run_field, RUN_FIELD_FIELDS);

struct key_row {
    const char *kind, *key;
};
static const struct field KEY_ROW_FIELDS[] = {FIELD(STRING, struct key_row, kind),
                                              FIELD(STRING, struct key_row, key)};
static SHAPE(KEY_ROW_SHAPE, "KeyRow", struct key_row, KEY_ROW_FIELDS);

/* A key needs quotes where a filter would read it as something else. */
static const char *field_name(struct ctx *cx, const char *group, const char *key) {
    struct token token;
    const char *plain = arena_printf(cx->arena, "%s.%s", group, key);
    int at = 0;
    search_lex(cx->arena, plain, &at, &token);
    if (token.kind == TOKEN_NAME && token.key && strcmp(token.key, key) == 0 && !plain[at])
        return plain;
    return arena_printf(cx->arena, "%s.%s", group, quoted(cx, key));
}

static size_t add_attributes(const char *prefix, struct run_field *ret) {
    size_t count = 0;
    for (size_t i = 0; i < RUN_ENTITY.field_count; i++) {
        const struct search_field *field = &RUN_ENTITY.fields[i];
        if (field->ops && !field->group && strncmp(field->name, prefix, strlen(prefix)) == 0)
            ret[count++] = (struct run_field){field->name, (int)field->type};
    }
    return count;
}

static enum err read_keys(struct ctx *cx, const struct search *search, const char *prefix,
                          struct list *ret_metrics, struct list *ret_texts) {
    const char *team = cx->who.team_id, *experiments = search->scope[1];
    TRY(db_many(cx, &SQL_search_metric_keys, ARGS(team, experiments, prefix, db_int(cx, KEYS_MAX)),
                &KEY_ROW_SHAPE, ret_metrics));
    return db_many(cx, &SQL_search_text_keys, ARGS(team, experiments, prefix, db_int(cx, KEYS_MAX)),
                   &KEY_ROW_SHAPE, ret_texts);
}

static enum err get_fields(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct run_fields_query query = *(const struct run_fields_query *)rq->query;
    const char *prefix = query.prefix ? query.prefix : "";
    struct run_search scope = {.lifecycle = LIFECYCLE_ALL};
    struct project project;
    struct search search;
    struct list metrics, texts;
    query.scope.state = FIELD_NO_ENUM;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    TRY(split_ids(cx, query.experiments, &query.scope.experiments));
    search_of(&query.scope, project.id, &scope);
    TRY(run_search_prepare(cx, &scope, &search));
    TRY(read_keys(cx, &search, prefix, &metrics, &texts));
    struct run_field *fields = arena_new_array(
        cx->arena, struct run_field, RUN_ENTITY.field_count + metrics.count + texts.count);
    size_t count = add_attributes(prefix, fields);
    const struct key_row *metric = metrics.items, *text = texts.items;
    for (size_t i = 0; i < metrics.count; i++)
        fields[count++] =
            (struct run_field){field_name(cx, "metrics", metric[i].key), SEARCH_NUMBER};
    for (size_t i = 0; i < texts.count; i++)
        fields[count++] =
            (struct run_field){field_name(cx, text[i].kind, text[i].key), SEARCH_TEXT};
    reply_page(rp, (struct list){fields, count}, NULL);
    return OK;
}

const struct route SEARCH_ROUTES[] = {
    {GET, "/api/v1/projects/{project}/runs", SCOPE_RUN_READ, .query = &RUN_LIST_QUERY,
     .reply = &RUN_SHAPE, .handle = get_runs, .flags = ROUTE_LIST, .rate = RATE_SEARCH,
     .doc = "List a project's runs, filtered and ordered."},
    {POST, "/api/v1/projects/{project}/runs/aggregate", SCOPE_RUN_READ, .body = &RUN_AGGREGATE,
     .reply = &RUN_GROUP, .handle = post_aggregate, .flags = ROUTE_LIST, .rate = RATE_SEARCH,
     .doc =
         "Count a project's runs in groups, the 1,000 largest first, and sum up metrics of each."},
    {GET, "/api/v1/projects/{project}/runs/fields", SCOPE_RUN_READ, .query = &RUN_FIELDS_QUERY,
     .reply = &RUN_FIELD, .handle = get_fields, .flags = ROUTE_LIST, .rate = RATE_SEARCH,
     .doc =
         "List what runs can be filtered and ordered by: attributes, and keys that were logged."},
};
const size_t SEARCH_ROUTE_COUNT = ROUTES_COUNT(SEARCH_ROUTES);
