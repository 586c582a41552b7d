/* Traces as clients before version 3 tell and read them; their spans are files of such clients. */
#include "mlflow/trace_json.h"

#include "base/ident.h"

/* --- telling --- */

static const char *const STATES[] = {"TRACE_STATUS_UNSPECIFIED", "OK", "ERROR", "IN_PROGRESS",
                                     NULL};

struct old_message {
    const char *experiment_id;
    int64_t timestamp_ms;
    int status;
    struct list request_metadata, tags;
};
static const struct field START_FIELDS[] = {
    FIELD(STRING, struct old_message, experiment_id, .flags = FIELD_REQUIRED),
    FIELD(INT, struct old_message, timestamp_ms, .flags = FIELD_REQUIRED),
    FIELD(LIST, struct old_message, request_metadata, .nested = &MLFLOW_TAG),
    FIELD(LIST, struct old_message, tags, .nested = &MLFLOW_TAG),
};
static SHAPE(START, "MlflowStartOldTrace", struct old_message, START_FIELDS);
static const struct field END_FIELDS[] = {
    FIELD(INT, struct old_message, timestamp_ms, .flags = FIELD_REQUIRED),
    FIELD(ENUM, struct old_message, status, .flags = FIELD_REQUIRED, .names = STATES),
    FIELD(LIST, struct old_message, request_metadata, .nested = &MLFLOW_TAG),
    FIELD(LIST, struct old_message, tags, .nested = &MLFLOW_TAG),
};
static SHAPE(END, "MlflowEndOldTrace", struct old_message, END_FIELDS);

static void release_json(void *json) {
    json_decref(json);
}

static json_t *object_of(struct ctx *cx, const struct list *tags) {
    const struct mlflow_tag *items = tags->items;
    json_t *object = json_object();
    arena_defer(cx->arena, release_json, object);
    for (size_t i = 0; i < tags->count; i++)
        json_object_set_new(object, items[i].key,
                            json_string(items[i].value ? items[i].value : ""));
    return object;
}

static enum err check_time(struct ctx *cx, int64_t ms) {
    if (ms < 0 || ms > MLFLOW_TIME_MAX)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Invalid value %lld for parameter 'timestamp_ms' supplied.",
                           (long long)ms);
    return OK;
}

static enum err send_info(struct ctx *cx, struct reply *rp, const char *id) {
    struct json_writer *w = mlflow_json(cx);
    struct trace trace;
    TRY(mlflow_load_trace(cx, id, &trace));
    jw_begin(w, '{');
    jw_name(w, "trace_info");
    mlflow_write_old_trace_info(cx, w, &trace);
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

static enum err post_trace(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct old_message *in = rq->body;
    char uuid[UUID_TEXT_SIZE];
    struct mlflow_place place;
    const char *project, *id;
    uuid_new(uuid);
    TRY(check_time(cx, in->timestamp_ms));
    TRY(mlflow_project(cx, rq, &project));
    TRY(mlflow_place(cx, project, in->experiment_id, &place));
    TRY(mlflow_put_trace(
        cx,
        &(struct trace_put){.project_id = project,
                            .experiment_id = place.id,
                            .trace_id = arena_printf(cx->arena, "tr-%s", mlflow_run_id(cx, uuid)),
                            .requested_at = in->timestamp_ms * 1000,
                            .duration_ms = FIELD_NO_INT,
                            .state = TRACE_IN_PROGRESS,
                            .tags = object_of(cx, &in->tags),
                            .metadata = object_of(cx, &in->request_metadata)},
        &id));
    return send_info(cx, rp, id);
}

static enum err patch_trace(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct old_message *in = rq->body;
    struct trace trace;
    const char *id;
    TRY(check_time(cx, in->timestamp_ms));
    TRY(mlflow_require_trace(cx, rq, &id));
    TRY(mlflow_load_trace(cx, id, &trace));
    int64_t duration = in->timestamp_ms - mlflow_ms(trace.requested_at);
    TRY(mlflow_put_trace(cx,
                         &(struct trace_put){.project_id = trace.project_id,
                                             .experiment_id = trace.experiment_id,
                                             .trace_id = trace.trace_id,
                                             .requested_at = trace.requested_at,
                                             .duration_ms = duration < 0 ? 0 : duration,
                                             .state = (enum trace_state)in->status,
                                             .tags = object_of(cx, &in->tags),
                                             .metadata = object_of(cx, &in->request_metadata)},
                         &id));
    return send_info(cx, rp, id);
}

/* --- reading --- */

static enum err get_info(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const char *id;
    TRY(mlflow_require_trace(cx, rq, &id));
    return send_info(cx, rp, id);
}

struct old_search {
    struct list experiment_ids, order_by;
    const char *filter, *page_token;
    int64_t max_results;
};
static const struct field SEARCH_FIELDS[] = {
    FIELD(STRINGS, struct old_search, experiment_ids),
    FIELD(STRING, struct old_search, filter),
    FIELD(INT, struct old_search, max_results, .flags = FIELD_NULLABLE),
    FIELD(STRINGS, struct old_search, order_by),
    FIELD(STRING, struct old_search, page_token),
};
static SHAPE(SEARCH, "MlflowSearchOldTraces", struct old_search, SEARCH_FIELDS);

static enum err get_search(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct old_search *in = rq->query;
    struct trace_search search = {.filter = in->filter,
                                  .order_by = in->order_by.items,
                                  .order_count = in->order_by.count,
                                  .token = in->page_token};
    struct json_writer *w = mlflow_json(cx);
    struct list traces;
    const char *next;
    TRY(mlflow_search_traces(cx, rq, &search, &in->experiment_ids, in->max_results, &traces,
                             &next));
    const struct trace *items = traces.items;
    jw_begin(w, '{');
    jw_member_begin(w, "traces", '[');
    for (size_t i = 0; i < traces.count; i++)
        mlflow_write_old_trace_info(cx, w, &items[i]);
    jw_end(w, ']');
    if (next)
        jw_member_text(w, "next_page_token", next);
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

#define TRACES "/api/2.0/mlflow/traces"
#define ONE TRACES "/{trace}"

const struct route MLFLOW_OLD_TRACE_ROUTES[] = {
    {POST, TRACES, SCOPE_RUN_INGEST, .body = &START, .handle = post_trace, .flags = ROUTE_MLFLOW,
     .doc = "Begin a trace, as older clients do."},
    {PATCH, ONE, SCOPE_RUN_INGEST, .body = &END, .handle = patch_trace, .flags = ROUTE_MLFLOW,
     .doc = "End a trace, as older clients do."},
    {GET, ONE "/info", SCOPE_RUN_READ, .handle = get_info, .flags = ROUTE_MLFLOW,
     .doc = "Get a trace, as older clients read it."},
    {GET, TRACES, SCOPE_RUN_READ, .query = &SEARCH, .handle = get_search, .flags = ROUTE_MLFLOW,
     .rate = RATE_SEARCH, .doc = "Search traces, as older clients do."},
    {PATCH, ONE "/tags", SCOPE_RUN_INGEST, .body = &MLFLOW_TRACE_TAG,
     .handle = mlflow_set_trace_tag, .flags = ROUTE_MLFLOW, .doc = "Set a tag of a trace."},
    {DELETE, ONE "/tags", SCOPE_RUN_INGEST, .body = &MLFLOW_TRACE_TAG_KEY,
     .handle = mlflow_delete_trace_tag, .flags = ROUTE_MLFLOW, .doc = "Delete a tag of a trace."},
    {POST, TRACES "/delete-traces", SCOPE_RUN_WRITE, .body = &MLFLOW_TRACES_DELETE,
     .handle = mlflow_delete_traces, .flags = ROUTE_MLFLOW, .audit = "trace.delete",
     .doc = "Delete traces by id or by time."},
};
const size_t MLFLOW_OLD_TRACE_ROUTE_COUNT = ROUTES_COUNT(MLFLOW_OLD_TRACE_ROUTES);
