/* trace_routes.c: traces over HTTP, to read; clients write them through MLflow's surface and OTLP
 * (mlflow/traces.c). */
#include "traces/internal.h"

#include "base/ident.h"
#include "projects/projects.h"

struct trace_query {
    struct page_query page;
    const char *experiment, *filter, *order_by;
};
static const struct field TRACE_QUERY_FIELDS[] = {
    PAGE_QUERY_FIELDS(struct trace_query),
    FIELD(UUID, struct trace_query, experiment, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct trace_query, filter, .flags = FIELD_NULLABLE, .max = 8192,
          .doc = "state = 'error' and tags.stage = 'live'"),
    FIELD(STRING, struct trace_query, order_by, .flags = FIELD_NULLABLE, .max = 600,
          .doc = "duration_ms DESC; newest first by default"),
};
static SHAPE(TRACE_QUERY, "TraceQuery", struct trace_query, TRACE_QUERY_FIELDS);

static enum err get_traces(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct trace_query *query = rq->query;
    struct project project;
    struct list items;
    const char *next;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    TRY(trace_search(
        cx,
        &(struct trace_search){.project_id = project.id,
                               .experiment_ids = query->experiment ? &query->experiment : NULL,
                               .experiment_count = 1,
                               .filter = query->filter,
                               .order_by = &query->order_by,
                               .order_count = query->order_by ? 1 : 0,
                               .limit = page_limit(&query->page),
                               .token = query->page.cursor},
        &items, &next));
    reply_page(rp, items, next);
    return OK;
}

/* A trace and its spans, the earliest first. */
struct trace_detail {
    const struct trace *trace;
    struct list spans;
};
static const struct field TRACE_DETAIL_FIELDS[] = {
    FIELD(OBJECT, struct trace_detail, trace, .nested = &TRACE_SHAPE),
    FIELD(LIST, struct trace_detail, spans, .nested = &TRACE_SPAN_SHAPE),
};
static SHAPE(TRACE_DETAIL, "TraceDetail", struct trace_detail, TRACE_DETAIL_FIELDS);

static enum err get_trace(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct trace_detail *detail = arena_new_struct(cx->arena, struct trace_detail);
    const char *id = req_param(rq, "trace");
    struct list traces = {0};
    if (uuid_is_valid(id))
        TRY(traces_load(cx, &(struct list){&id, 1}, &traces));
    if (traces.count == 0)
        return fail(cx, ERR_NOT_FOUND, "there is no such trace");
    detail->trace = traces.items;
    TRY(trace_spans_show(cx, id, &detail->spans));
    reply_object(rp, detail);
    return OK;
}

const struct route TRACE_ROUTES[] = {
    {GET, "/api/v1/projects/{project}/traces", SCOPE_RUN_READ, .query = &TRACE_QUERY,
     .reply = &TRACE_SHAPE, .handle = get_traces, .flags = ROUTE_LIST, .rate = RATE_SEARCH,
     .doc = "List a project's traces, filtered and ordered."},
    {GET, "/api/v1/traces/{trace}", SCOPE_RUN_READ, .reply = &TRACE_DETAIL, .handle = get_trace,
     .doc = "Get a trace with its spans, tags and assessments."},
};
const size_t TRACE_ROUTE_COUNT = ROUTES_COUNT(TRACE_ROUTES);
