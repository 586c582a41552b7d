/* trace_search.c: what can be asked of traces. Scope: $1 team, $2 project, $3 experiments or null.
 */
#include "traces/internal.h"

#include "tracking/search.h"

static const struct search_source TAGS = {
    .from = "trace_tags g", .owner = "g.trace", .key = "g.key", .where = "g.team_id = $1::uuid"};
static const struct search_source NAME = {
    .from = "trace_tags n",
    .owner = "n.trace",
    .where = "n.team_id = $1::uuid and n.key = 'mlflow.traceName'"};
static const struct search_source METADATA = {.from = "trace_metadata m",
                                              .owner = "m.trace",
                                              .key = "m.key",
                                              .where = "m.team_id = $1::uuid"};
static const struct search_source RUNS = {
    .from = "trace_runs r", .owner = "r.trace", .where = "r.team_id = $1::uuid"};
static const struct search_source SPANS = {
    .together = true, .from = "trace_spans s", .owner = "s.trace", .where = "s.team_id = $1::uuid"};
static const struct search_source PROMPTS = {
    .from = "trace_prompts p", .owner = "p.trace", .where = "p.team_id = $1::uuid"};
/* What another judgement took the place of does not count. */
#define VALID(row) " and " row ".body::json ->> 'valid' is distinct from 'false'"
static const struct search_source FEEDBACK = {
    .from = "trace_assessments f",
    .owner = "f.trace",
    .key = "f.name",
    .where = "f.team_id = $1::uuid and f.kind = 'feedback'" VALID("f")};
static const struct search_source EXPECTATIONS = {
    .from = "trace_assessments x",
    .owner = "x.trace",
    .key = "x.name",
    .where = "x.team_id = $1::uuid and x.kind = 'expectation'" VALID("x")};

/* What a span says, without the names of OTLP's members: nobody looks for those. Quotes within its
 * own texts are escaped, and so stay. */
#define SPAN_TEXT "regexp_replace(s.body, '\"[a-z_]+\": ?', '', 'g')"
#define BOTH (SEARCH_ORDER | SEARCH_ORDER_MLFLOW)
#define NULL_OPS (SEARCH_NULL | SEARCH_NOT_NULL)
#define MLFLOW_TEXT (SEARCH_MLFLOW_LIST_OPS | SEARCH_RLIKE)
#define NUMBERS (SEARCH_LT | SEARCH_LE | SEARCH_GT | SEARCH_GE)
#define OWN_TEXT (SEARCH_TEXT_OPS | SEARCH_RLIKE)

static const struct search_field TRACE_FIELDS[] = {
    {.name = "id", .type = SEARCH_ID, .sql = "t.id", .ops = SEARCH_SAME_OPS, .not_null = true},
    {.name = "trace_id",
     .aliases = "request_id",
     .type = SEARCH_TEXT,
     .sql = "t.trace_id",
     .ops = OWN_TEXT,
     .mlflow_ops = MLFLOW_TEXT,
     .order = BOTH,
     .not_null = true},
    {.name = "client_request_id",
     .type = SEARCH_TEXT,
     .sql = "t.client_request_id",
     .ops = OWN_TEXT,
     .mlflow_ops = MLFLOW_TEXT | NULL_OPS,
     .order = BOTH},
    {.name = "requested_at",
     .aliases = "timestamp|timestamp_ms|request_time",
     .type = SEARCH_TIME,
     .sql = "t.requested_at",
     .ops = SEARCH_NUMBER_OPS,
     .mlflow_ops = SEARCH_MLFLOW_NUMBER_OPS,
     .order = BOTH,
     .not_null = true},
    {.name = "duration_ms",
     .aliases = "execution_time|execution_time_ms|execution_duration",
     .type = SEARCH_NUMBER,
     .sql = "t.duration_ms",
     .ops = SEARCH_NUMBER_OPS,
     .mlflow_ops = SEARCH_MLFLOW_NUMBER_OPS,
     .order = BOTH},
    {.name = "end_time",
     .aliases = "end_time_ms",
     .type = SEARCH_TIME,
     .sql = "(t.requested_at + t.duration_ms * interval '1 millisecond')",
     .ops = SEARCH_NUMBER_OPS,
     .mlflow_ops = SEARCH_MLFLOW_NUMBER_OPS,
     .order = BOTH},
    {.name = "state",
     .type = SEARCH_TEXT,
     .sql = "t.state",
     .ops = SEARCH_TEXT_OPS,
     .order = SEARCH_ORDER,
     .not_null = true},
    {.name = "status",
     .aliases = "state",
     .type = SEARCH_TEXT,
     .sql = "case t.state when 'unspecified' then 'STATE_UNSPECIFIED' else upper(t.state) end",
     .mlflow_ops = MLFLOW_TEXT,
     .order = SEARCH_ORDER_MLFLOW,
     .not_null = true},
    {.name = "name",
     .aliases = "trace_name",
     .type = SEARCH_TEXT,
     .sql = "n.value",
     .source = &NAME,
     .ops = OWN_TEXT,
     .mlflow_ops = MLFLOW_TEXT | NULL_OPS,
     .order = BOTH},
    {.name = "run_id",
     .type = SEARCH_TEXT,
     .sql = "replace(r.run_id::text, '-', '')",
     .source = &RUNS,
     .ops = SEARCH_SAME_OPS,
     .mlflow_ops = MLFLOW_TEXT | NULL_OPS},
    {.name = "request",
     .type = SEARCH_TEXT,
     .sql = "t.request_preview",
     .ops = OWN_TEXT,
     .order = SEARCH_ORDER},
    {.name = "response",
     .type = SEARCH_TEXT,
     .sql = "t.response_preview",
     .ops = OWN_TEXT,
     .order = SEARCH_ORDER},
    {.name = "prompt",
     .type = SEARCH_TEXT,
     .sql = "(p.name || '/' || p.version)",
     .source = &PROMPTS,
     .ops = OWN_TEXT,
     .mlflow_ops = SEARCH_EQ},
    {.name = "text",
     .type = SEARCH_TEXT,
     .sql = SPAN_TEXT,
     .source = &SPANS,
     .ops = OWN_TEXT,
     .mlflow_ops = MLFLOW_TEXT},
    {.group = "tags",
     .type = SEARCH_TEXT,
     .sql = "g.value",
     .source = &TAGS,
     .ops = OWN_TEXT,
     .mlflow_ops = MLFLOW_TEXT | NULL_OPS,
     .order = BOTH},
    {.group = "metadata",
     .type = SEARCH_TEXT,
     .sql = "m.value",
     .source = &METADATA,
     .ops = OWN_TEXT,
     .mlflow_ops = MLFLOW_TEXT | NULL_OPS,
     .order = BOTH},
    {.group = "span",
     .name = "name",
     .type = SEARCH_TEXT,
     .sql = "s.name",
     .source = &SPANS,
     .ops = OWN_TEXT,
     .mlflow_ops = MLFLOW_TEXT},
    {.group = "span",
     .name = "type",
     .type = SEARCH_TEXT,
     .sql = "s.type",
     .source = &SPANS,
     .ops = OWN_TEXT,
     .mlflow_ops = MLFLOW_TEXT},
    {.group = "span",
     .name = "status",
     .type = SEARCH_TEXT,
     .sql = "s.status",
     .source = &SPANS,
     .ops = OWN_TEXT,
     .mlflow_ops = MLFLOW_TEXT},
    {.group = "span",
     .name = "content",
     .type = SEARCH_TEXT,
     .sql = SPAN_TEXT,
     .source = &SPANS,
     .ops = OWN_TEXT,
     .mlflow_ops = MLFLOW_TEXT},
    {.group = "span",
     .prefix = "attributes.",
     .type = SEARCH_TEXT,
     .sql = "s.attributes ->>",
     .source = &SPANS,
     .ops = OWN_TEXT,
     .mlflow_ops = MLFLOW_TEXT},
    {.group = "feedback",
     .type = SEARCH_TEXT,
     .sql = "f.value",
     .source = &FEEDBACK,
     .ops = OWN_TEXT,
     .mlflow_ops = MLFLOW_TEXT | NULL_OPS | NUMBERS},
    {.group = "expectation",
     .type = SEARCH_TEXT,
     .sql = "x.value",
     .source = &EXPECTATIONS,
     .ops = OWN_TEXT,
     .mlflow_ops = MLFLOW_TEXT | NULL_OPS | NUMBERS},
};

static const struct search_alias TRACE_GROUPS[] = {{"trace", NULL},
                                                   {"traces", NULL},
                                                   {"request_metadata", "metadata"},
                                                   {"trace_metadata", "metadata"},
                                                   {"spans", "span"},
                                                   {"feedbacks", "feedback"},
                                                   {"expectations", "expectation"}};

static const struct search_entity TRACES = {
    .name = "trace",
    .from = "traces t",
    .id = "t.id",
    .where = "t.team_id = $1::uuid and t.project_id = $2::uuid"
             " and ($3::uuid[] is null or t.experiment_id = any ($3::uuid[]))",
    .fields = TRACE_FIELDS,
    .field_count = sizeof(TRACE_FIELDS) / sizeof(TRACE_FIELDS[0]),
    .aliases = TRACE_GROUPS,
    .alias_count = sizeof(TRACE_GROUPS) / sizeof(TRACE_GROUPS[0]),
    .order = "requested_at DESC",
    .newest_first = true,
};

/* Of those that were linked to the run $4. */
#define OF_RUN                                                                                     \
    " and t.id in (select l.trace from trace_runs l"                                               \
    " where l.team_id = $1::uuid and l.run_id = $4::uuid)"

/* scope: as the entity's where and OF_RUN want it. */
static struct search search_of(struct ctx *cx, const struct trace_search *s, const char **scope) {
    scope[0] = s->project_id;
    scope[1] = s->experiment_ids ? db_text_array(cx, s->experiment_ids, s->experiment_count) : NULL;
    scope[2] = s->run_id;
    return (struct search){.dialect = s->mlflow ? SEARCH_MLFLOW : SEARCH_NATIVE,
                           .filter = s->filter,
                           .order_by = s->order_by,
                           .order_count = s->order_count,
                           .scope = scope,
                           .scope_count = s->run_id ? 3 : 2,
                           .within = s->run_id ? OF_RUN : NULL,
                           .limit = s->limit,
                           .token = s->token};
}

enum err trace_search(struct ctx *cx, const struct trace_search *s, struct list *ret,
                      const char **ret_next) {
    const char *scope[3];
    const struct search search = search_of(cx, s, scope);
    struct search_page page;
    TRY(search_page(cx, &TRACES, &search, &page));
    *ret_next = page.next;
    return traces_load_cut(cx, &page.ids, s->mlflow ? TRACE_PREVIEW_MAX : TRACE_LISTED_MAX, ret);
}

static const struct field COUNTS_FIELDS[] = {
    FIELD(INT, struct trace_counts, total),
    FIELD(INT, struct trace_counts, first),
    FIELD(INT, struct trace_counts, second),
    FIELD(INT, struct trace_counts, joint),
};
static SHAPE(COUNTS, "TraceCounts", struct trace_counts, COUNTS_FIELDS);

enum err trace_correlation(struct ctx *cx, const struct trace_search *base, const char *first,
                           const char *second, struct trace_counts *ret) {
    const char *scope[3], *one, *other;
    struct search search = search_of(cx, base, scope);
    struct search_sql sql;
    struct list rows;
    TRY(search_compile(cx, &TRACES, &search, &sql));
    search.filter = first;
    TRY(search_condition(cx, &TRACES, &search, &sql, &one));
    search.filter = second;
    TRY(search_condition(cx, &TRACES, &search, &sql, &other));
    const char *text =
        arena_printf(cx->arena,
                     "select count(*) as total, count(*) filter (where %s) as first, count(*) "
                     "filter (where %s) as second, count(*) filter (where %s and %s) as joint "
                     "from %s where %s",
                     one, other, one, other, TRACES.from, sql.where);
    TRY(search_rows(cx, &TRACES, text, &sql, &COUNTS, &rows));
    *ret = *(const struct trace_counts *)rows.items;
    return OK;
}
