/* trace_routes.c: traces over HTTP as people read, tag, judge and delete them; programs tell them
 * through MLflow's surface and OTLP (mlflow/traces.c). */
#include "traces/internal.h"

#include "base/ident.h"
#include "projects/projects.h"

struct trace_query {
    struct page_query page;
    const char *experiment, *run, *filter, *order_by;
};
static const struct field TRACE_QUERY_FIELDS[] = {
    PAGE_QUERY_FIELDS(struct trace_query),
    FIELD(UUID, struct trace_query, experiment, .flags = FIELD_NULLABLE),
    FIELD(UUID, struct trace_query, run, .flags = FIELD_NULLABLE, .doc = "linked to this run"),
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
                               .run_id = query->run,
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

static enum err trace_of_path(struct ctx *cx, const struct req *rq, const struct trace **ret) {
    const char *id = req_param(rq, "trace");
    struct list traces = {0};
    if (uuid_is_valid(id))
        TRY(traces_load(cx, &(struct list){&id, 1}, &traces));
    if (traces.count == 0)
        return fail(cx, ERR_NOT_FOUND, "there is no such trace");
    *ret = traces.items;
    return OK;
}

static enum err get_trace(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct trace_detail *detail = arena_new_struct(cx->arena, struct trace_detail);
    TRY(trace_of_path(cx, rq, &detail->trace));
    TRY(trace_spans_show(cx, detail->trace->id, &detail->spans));
    reply_object(rp, detail);
    return OK;
}

static enum err get_span(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct trace_span *span = arena_new_struct(cx->arena, struct trace_span);
    const struct trace *trace;
    TRY(trace_of_path(cx, rq, &trace));
    TRY(trace_span_show(cx, trace->id, req_param(rq, "span"), span));
    reply_object(rp, span);
    return OK;
}

/* --- tags --- */

struct tags_change {
    json_t *tags;
};
static const struct field TAGS_CHANGE_FIELDS[] = {
    FIELD(JSON, struct tags_change, tags, .flags = FIELD_REQUIRED,
          .typescript = "Record<string, string | null>",
          .doc = "those to set; null takes one away"),
};
static SHAPE(TAGS_CHANGE, "TraceTagsChange", struct tags_change, TAGS_CHANGE_FIELDS);

static enum err patch_tags(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct tags_change *body = rq->body;
    const struct trace *trace;
    (void)rp;
    TRY(trace_of_path(cx, rq, &trace));
    return trace_change_tags(cx, trace->id, body->tags);
}

/* --- assessments --- */

static const char *const KINDS[] = {"feedback", "expectation", NULL};

struct assessment_create {
    int kind;
    const char *name, *rationale, *span_id;
    json_t *value;
};
static const struct field ASSESSMENT_CREATE_FIELDS[] = {
    FIELD(ENUM, struct assessment_create, kind, .flags = FIELD_REQUIRED, .names = KINDS),
    FIELD(STRING, struct assessment_create, name, .flags = FIELD_REQUIRED, .min = 1, .max = 250),
    FIELD(JSON, struct assessment_create, value, .flags = FIELD_REQUIRED,
          .typescript = "string | number | boolean"),
    FIELD(STRING, struct assessment_create, rationale, .flags = FIELD_NULLABLE, .max = 20000),
    FIELD(STRING, struct assessment_create, span_id, .flags = FIELD_NULLABLE, .max = 16,
          .doc = "what is judged, when it is not the whole trace"),
};
static SHAPE(ASSESSMENT_CREATE, "AssessmentCreate", struct assessment_create,
             ASSESSMENT_CREATE_FIELDS);

struct assessment_reply {
    json_t *assessment;
};
static const struct field ASSESSMENT_REPLY_FIELDS[] = {
    FIELD(JSON, struct assessment_reply, assessment, .typescript = "Record<string, unknown>",
          .doc = "as MLflow's clients tell them"),
};
static SHAPE(ASSESSMENT_REPLY, "AssessmentMade", struct assessment_reply, ASSESSMENT_REPLY_FIELDS);

/* The object that MLflow's client would have sent for the same judgement. */
static json_t *assessment_of(struct ctx *cx, const struct assessment_create *body) {
    json_t *whole = json_pack("{s:s, s:{s:O}, s:{s:s, s:s}}", "assessment_name", body->name,
                              KINDS[body->kind], "value", body->value, "source", "source_type",
                              "HUMAN", "source_id", cx->who.name);
    if (body->rationale)
        json_object_set_new(whole, "rationale", json_string(body->rationale));
    if (body->span_id)
        json_object_set_new(whole, "span_id", json_string(body->span_id));
    return trace_keep(cx, whole);
}

static enum err post_assessment(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct assessment_create *body = rq->body;
    struct assessment_reply *made = arena_new_struct(cx->arena, struct assessment_reply);
    const struct trace *trace;
    TRY(trace_of_path(cx, rq, &trace));
    if (!json_is_string(body->value) && !json_is_number(body->value) &&
        !json_is_boolean(body->value))
        return fail_field(cx, ERR_INVALID, "value", "value must be a text, a number or a boolean");
    TRY(assessment_put(cx, trace->id, trace->trace_id, assessment_of(cx, body), &made->assessment));
    reply_object(rp, made);
    return OK;
}

static enum err delete_assessment(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct trace *trace;
    (void)rp;
    TRY(trace_of_path(cx, rq, &trace));
    return assessment_delete(cx, trace->id, req_param(rq, "assessment"));
}

/* --- deleting --- */

static enum err delete_trace(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct trace *trace;
    int64_t count;
    (void)rp;
    TRY(trace_of_path(cx, rq, &trace));
    const char *id = trace->id;
    return traces_remove(cx, &(struct list){&id, 1}, &count);
}

struct traces_named {
    struct list ids;
};
static const struct field TRACES_NAMED_FIELDS[] = {
    FIELD(STRINGS, struct traces_named, ids, .flags = FIELD_REQUIRED, .min = 1, .max = 1000),
};
static SHAPE(TRACES_NAMED, "TracesDelete", struct traces_named, TRACES_NAMED_FIELDS);

struct traces_gone {
    int64_t traces;
};
static const struct field TRACES_GONE_FIELDS[] = {
    FIELD(INT, struct traces_gone, traces, .doc = "that were deleted"),
};
static SHAPE(TRACES_GONE, "TracesDeleted", struct traces_gone, TRACES_GONE_FIELDS);

static enum err post_delete(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct traces_named *body = rq->body;
    struct traces_gone *gone = arena_new_struct(cx->arena, struct traces_gone);
    struct project project;
    struct list ids;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    TRY(trace_find_ids(cx, project.id, &body->ids, &ids));
    TRY(traces_remove(cx, &ids, &gone->traces));
    reply_object(rp, gone);
    return OK;
}

const struct route TRACE_ROUTES[] = {
    {GET, "/api/v1/projects/{project}/traces", SCOPE_RUN_READ, .query = &TRACE_QUERY,
     .reply = &TRACE_SHAPE, .handle = get_traces, .flags = ROUTE_LIST, .rate = RATE_SEARCH,
     .doc = "List a project's traces, filtered and ordered; their previews are cut."},
    {POST, "/api/v1/projects/{project}/traces/delete", SCOPE_RUN_WRITE, .body = &TRACES_NAMED,
     .reply = &TRACES_GONE, .handle = post_delete, .audit = "trace.delete",
     .doc = "Delete up to 1,000 traces, named by their trace_id."},
    {GET, "/api/v1/traces/{trace}", SCOPE_RUN_READ, .reply = &TRACE_DETAIL, .handle = get_trace,
     .doc = "Get a trace with its spans, tags and assessments."},
    {GET, "/api/v1/traces/{trace}/spans/{span}", SCOPE_RUN_READ, .reply = &TRACE_SPAN_SHAPE,
     .handle = get_span, .doc = "Get a span of a trace with all that it holds."},
    {PATCH, "/api/v1/traces/{trace}/tags", SCOPE_RUN_INGEST, .body = &TAGS_CHANGE,
     .handle = patch_tags, .doc = "Set and take away tags of a trace."},
    {POST, "/api/v1/traces/{trace}/assessments", SCOPE_RUN_INGEST, .body = &ASSESSMENT_CREATE,
     .reply = &ASSESSMENT_REPLY, .handle = post_assessment, .status = 201,
     .doc = "Judge a trace: feedback, or what was expected."},
    {DELETE, "/api/v1/traces/{trace}/assessments/{assessment}", SCOPE_RUN_INGEST,
     .handle = delete_assessment, .doc = "Delete an assessment of a trace."},
    {DELETE, "/api/v1/traces/{trace}", SCOPE_RUN_WRITE, .handle = delete_trace,
     .audit = "trace.delete", .doc = "Delete a trace with its spans and assessments."},
};
const size_t TRACE_ROUTE_COUNT = ROUTES_COUNT(TRACE_ROUTES);
