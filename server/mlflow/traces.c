/* Traces on MLflow's wire: what clients tell of them, spans by OTLP, and assessments. */
#include "mlflow/trace_json.h"

#include "base/clock.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define INFO_BODY_MAX ((size_t)4 << 20)
#define DURATION_MAX_S 1e9
#define JEFFREYS_PRIOR 0.5 /* for few traces */
#define PROTOBUF "application/x-protobuf"

/* --- spans --- */

static enum err post_spans(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const char *experiment = req_header(rq, "x-mlflow-experiment-id");
    const char *encoding = req_header(rq, "content-encoding"), *project;
    bool gzipped = encoding && strcasecmp(encoding, "gzip") == 0;
    struct mlflow_place place;
    if (strcmp(rq->content_type, PROTOBUF) != 0)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Invalid Content-Type: %.100s. Expected: " PROTOBUF, rq->content_type);
    if (!experiment || !*experiment)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "The header x-mlflow-experiment-id is missing.");
    TRY(mlflow_project(cx, rq, &project));
    TRY(mlflow_place(cx, project, experiment, &place));
    TRY(trace_ingest(cx, project, place.id, rq->raw, rq->raw_size, gzipped));
    reply_bytes(rp, PROTOBUF, "", 0);
    return OK;
}

/* --- telling --- */

struct location {
    const char *experiment_id;
};
static const struct field LOCATION_FIELDS[] = {FIELD(STRING, struct location, experiment_id)};
static SHAPE(LOCATION, "MlflowTraceExperiment", struct location, LOCATION_FIELDS);

struct trace_location {
    const struct location *mlflow_experiment;
};
static const struct field TRACE_LOCATION_FIELDS[] = {
    FIELD(OBJECT, struct trace_location, mlflow_experiment, .nested = &LOCATION),
};
static SHAPE(TRACE_LOCATION, "MlflowTraceLocation", struct trace_location, TRACE_LOCATION_FIELDS);

static const char *const STATES[] = {"STATE_UNSPECIFIED", "OK", "ERROR", "IN_PROGRESS", NULL};

struct info_message {
    const char *trace_id, *client_request_id, *request_preview, *response_preview;
    const char *request_time, *execution_duration;
    int state;
    const struct trace_location *trace_location;
    json_t *trace_metadata, *tags, *assessments;
};
static const struct field INFO_FIELDS[] = {
    FIELD(STRING, struct info_message, trace_id, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct info_message, client_request_id),
    FIELD(OBJECT, struct info_message, trace_location, .nested = &TRACE_LOCATION),
    FIELD(STRING, struct info_message, request_preview),
    FIELD(STRING, struct info_message, response_preview),
    FIELD(STRING, struct info_message, request_time, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct info_message, execution_duration),
    FIELD(ENUM, struct info_message, state, .names = STATES),
    FIELD(JSON, struct info_message, trace_metadata),
    FIELD(JSON, struct info_message, tags),
    FIELD(JSON, struct info_message, assessments),
};
static SHAPE(INFO, "MlflowTraceInfo", struct info_message, INFO_FIELDS);

struct trace_message {
    const struct info_message *trace_info;
};
static const struct field TRACE_FIELDS[] = {
    FIELD(OBJECT, struct trace_message, trace_info, .flags = FIELD_REQUIRED, .nested = &INFO),
};
static SHAPE(TRACE, "MlflowTrace", struct trace_message, TRACE_FIELDS);

struct start_message {
    const struct trace_message *trace;
};
static const struct field START_FIELDS[] = {
    FIELD(OBJECT, struct start_message, trace, .flags = FIELD_REQUIRED, .nested = &TRACE),
};
static SHAPE(START, "MlflowStartTrace", struct start_message, START_FIELDS);

/* "1.062s" → 1062. */
static enum err duration_of(struct ctx *cx, const char *text, int64_t *ret) {
    char *end = NULL;
    *ret = FIELD_NO_INT;
    if (!text)
        return OK;
    double seconds = strspn(text, "0123456789.") > 0 ? strtod(text, &end) : -1;
    if (!end || strcmp(end, "s") != 0 || seconds < 0 || seconds > DURATION_MAX_S)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Invalid execution_duration '%.100s'", text);
    *ret = (int64_t)(seconds * 1000 + 0.5);
    return OK;
}

static enum err put_assessments(struct ctx *cx, const char *id, const char *trace_id,
                                json_t *assessments) {
    size_t i;
    json_t *assessment, *stored;
    json_array_foreach(assessments, i, assessment) {
        if (!json_is_object(assessment))
            return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE, "Invalid assessment");
        TRY(assessment_put(cx, id, trace_id, assessment, &stored));
    }
    return OK;
}

static enum err put_info(struct ctx *cx, const struct req *rq, const struct info_message *in,
                         const char **ret_id) {
    struct trace_put put = {.trace_id = in->trace_id,
                            .client_request_id = in->client_request_id,
                            .request_preview = in->request_preview,
                            .response_preview = in->response_preview,
                            .state = (enum trace_state)in->state,
                            .tags = in->tags,
                            .metadata = in->trace_metadata};
    const struct location *location =
        in->trace_location ? in->trace_location->mlflow_experiment : NULL;
    struct mlflow_place place;
    if (!time_from_string(in->request_time, &put.requested_at))
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE, "Invalid request_time '%.100s'",
                           in->request_time);
    TRY(duration_of(cx, in->execution_duration, &put.duration_ms));
    TRY(mlflow_project(cx, rq, &put.project_id));
    TRY(mlflow_place(cx, put.project_id, location ? location->experiment_id : NULL, &place));
    put.experiment_id = place.id;
    TRY(mlflow_put_trace(cx, &put, ret_id));
    return put_assessments(cx, *ret_id, in->trace_id, in->assessments);
}

static enum err send_info(struct ctx *cx, struct reply *rp, const char *id) {
    struct json_writer *w = mlflow_json(cx);
    struct trace trace;
    TRY(mlflow_load_trace(cx, id, &trace));
    jw_begin(w, '{');
    jw_member_begin(w, "trace", '{');
    jw_name(w, "trace_info");
    mlflow_write_trace_info(cx, w, &trace);
    jw_end(w, '}');
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

static enum err post_trace(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct start_message *in = rq->body;
    const char *id;
    TRY(put_info(cx, rq, in->trace->trace_info, &id));
    return send_info(cx, rp, id);
}

/* --- reading --- */

static enum err get_info(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const char *id;
    TRY(mlflow_require_trace(cx, rq, &id));
    return send_info(cx, rp, id);
}

static void write_trace(struct ctx *cx, struct json_writer *w, const struct trace *trace,
                        const struct list *spans) {
    const struct trace_span *items = spans->items;
    jw_begin(w, '{');
    jw_name(w, "trace_info");
    mlflow_write_trace_info(cx, w, trace);
    jw_member_begin(w, "spans", '[');
    for (size_t i = 0; i < spans->count; i++)
        if (strcmp(items[i].trace, trace->id) == 0)
            jw_raw(w, items[i].body);
    jw_end(w, ']');
    jw_end(w, '}');
}

struct get_message {
    const char *trace_id;
    struct list trace_ids, experiment_ids;
};
/* allow_partial is not looked at: what there is of a trace comes back at once. */
static const struct field GET_FIELDS[] = {
    FIELD(STRING, struct get_message, trace_id, .flags = FIELD_REQUIRED),
};
static SHAPE(GET_ONE, "MlflowGetTrace", struct get_message, GET_FIELDS);

static enum err get_trace(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct get_message *in = rq->query;
    struct json_writer *w = mlflow_json(cx);
    const char *project, *id;
    struct trace trace;
    struct list spans;
    TRY(mlflow_project(cx, rq, &project));
    TRY(trace_require(cx, project, in->trace_id, &id));
    TRY(mlflow_load_trace(cx, id, &trace));
    TRY(trace_spans_load(cx, &(struct list){&id, 1}, &spans));
    jw_begin(w, '{');
    jw_name(w, "trace");
    write_trace(cx, w, &trace, &spans);
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

static const struct field BATCH_FIELDS[] = {
    FIELD(STRINGS, struct get_message, trace_ids),
    FIELD(STRINGS, struct get_message, experiment_ids),
};
static SHAPE(BATCH, "MlflowBatchGetTraces", struct get_message, BATCH_FIELDS);

static bool is_of(const struct ctx *cx, const struct list *experiment_ids, const struct trace *t) {
    const char *number = arena_printf(cx->arena, "%lld", (long long)t->experiment_number);
    for (size_t i = 0; i < experiment_ids->count; i++)
        if (strcmp(((const char *const *)experiment_ids->items)[i], number) == 0)
            return true;
    return experiment_ids->count == 0;
}

/* Those of the traces that there are, in the order asked for. */
static enum err find_named(struct ctx *cx, const struct req *rq, const struct get_message *in,
                           struct list *ret_ids, struct list *ret) {
    const char *project;
    if (in->trace_ids.count > TRACE_IDS_MAX)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "at most %d traces can be asked for at once", TRACE_IDS_MAX);
    TRY(mlflow_project(cx, rq, &project));
    TRY(trace_find_ids(cx, project, &in->trace_ids, ret_ids));
    return traces_load(cx, ret_ids, ret);
}

static enum err get_batch(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct get_message *in = rq->query;
    struct json_writer *w = mlflow_json(cx);
    struct list ids, traces, spans;
    TRY(find_named(cx, rq, in, &ids, &traces));
    TRY(trace_spans_load(cx, &ids, &spans));
    const struct trace *items = traces.items;
    jw_begin(w, '{');
    jw_member_begin(w, "traces", '[');
    for (size_t i = 0; i < traces.count; i++)
        if (is_of(cx, &in->experiment_ids, &items[i]))
            write_trace(cx, w, &items[i], &spans);
    jw_end(w, ']');
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

static enum err post_batch_infos(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct get_message *in = rq->body;
    struct json_writer *w = mlflow_json(cx);
    struct list ids, traces;
    TRY(find_named(cx, rq, in, &ids, &traces));
    const struct trace *items = traces.items;
    jw_begin(w, '{');
    jw_member_begin(w, "trace_infos", '[');
    for (size_t i = 0; i < traces.count; i++)
        if (is_of(cx, &in->experiment_ids, &items[i]))
            mlflow_write_trace_info(cx, w, &items[i]);
    jw_end(w, ']');
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

struct search_message {
    struct list locations, order_by;
    const char *filter, *page_token;
    int64_t max_results;
};
static const struct field SEARCH_FIELDS[] = {
    FIELD(LIST, struct search_message, locations, .nested = &TRACE_LOCATION),
    FIELD(STRING, struct search_message, filter),
    FIELD(INT, struct search_message, max_results, .flags = FIELD_NULLABLE),
    FIELD(STRINGS, struct search_message, order_by),
    FIELD(STRING, struct search_message, page_token),
};
static SHAPE(SEARCH, "MlflowSearchTraces", struct search_message, SEARCH_FIELDS);

static struct list experiments_of(struct ctx *cx, const struct list *locations) {
    const struct trace_location *items = locations->items;
    const char **ids = arena_new_array(cx->arena, const char *, locations->count + 1);
    size_t count = 0;
    for (size_t i = 0; i < locations->count; i++)
        if (items[i].mlflow_experiment && items[i].mlflow_experiment->experiment_id)
            ids[count++] = items[i].mlflow_experiment->experiment_id;
    return (struct list){ids, count};
}

static enum err post_search(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct search_message *in = rq->body;
    struct trace_search search = {.filter = in->filter,
                                  .order_by = in->order_by.items,
                                  .order_count = in->order_by.count,
                                  .token = in->page_token};
    struct list experiments = experiments_of(cx, &in->locations), traces;
    struct json_writer *w = mlflow_json(cx);
    const char *next;
    TRY(mlflow_search_traces(cx, rq, &search, &experiments, in->max_results, &traces, &next));
    const struct trace *items = traces.items;
    jw_begin(w, '{');
    jw_member_begin(w, "traces", '[');
    for (size_t i = 0; i < traces.count; i++)
        mlflow_write_trace_info(cx, w, &items[i]);
    jw_end(w, ']');
    if (next)
        jw_member_text(w, "next_page_token", next);
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

/* --- correlation --- */

struct correlation_message {
    struct list experiment_ids;
    const char *filter_string1, *filter_string2, *base_filter;
};
static const struct field CORRELATION_FIELDS[] = {
    FIELD(STRINGS, struct correlation_message, experiment_ids, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct correlation_message, filter_string1, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct correlation_message, filter_string2, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct correlation_message, base_filter),
};
static SHAPE(CORRELATION, "MlflowTraceFilterCorrelation", struct correlation_message,
             CORRELATION_FIELDS);

/* Normalised pointwise mutual information of two kinds of traces, -1 … 1: ln(p11 / (p1 p2)) divided
 * by -ln p11 (Bouma 2009), with `prior` added to each of the four cells. NaN where nothing is of a
 * kind, -1 where nothing is of both. */
static double npmi(const struct trace_counts *c, double prior) {
    double both = (double)c->joint + prior, first = (double)c->first + 2 * prior;
    double second = (double)c->second + 2 * prior, all = (double)c->total + 4 * prior;
    if (c->first == 0 || c->second == 0)
        return NAN;
    if (both <= 0)
        return -1;
    if (c->joint == c->total)
        return 1;
    return fmin(1, fmax(-1, log(both * all / (first * second)) / -log(both / all)));
}

static enum err post_correlation(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct correlation_message *in = rq->body;
    struct json_writer *w = mlflow_json(cx);
    struct trace_search base = {.filter = in->base_filter};
    struct trace_counts counts;
    TRY(mlflow_trace_places(cx, rq, &base, &in->experiment_ids));
    TRY(trace_correlation(cx, &base, in->filter_string1, in->filter_string2, &counts));
    jw_begin(w, '{');
    jw_name(w, "npmi");
    jw_real(w, npmi(&counts, 0));
    jw_name(w, "npmi_smoothed");
    jw_real(w, npmi(&counts, JEFFREYS_PRIOR));
    jw_member_int(w, "filter1_count", counts.first);
    jw_member_int(w, "filter2_count", counts.second);
    jw_member_int(w, "joint_count", counts.joint);
    jw_member_int(w, "total_count", counts.total);
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

/* --- runs --- */

struct link_message {
    struct list trace_ids;
    const char *run_id;
};
static const struct field LINK_FIELDS[] = {
    FIELD(STRINGS, struct link_message, trace_ids),
    FIELD(STRING, struct link_message, run_id, .flags = FIELD_REQUIRED),
};
static SHAPE(LINK, "MlflowLinkTraces", struct link_message, LINK_FIELDS);

static enum err post_link(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct link_message *in = rq->body;
    const char *project, *run;
    struct list ids;
    (void)rp;
    if (in->trace_ids.count == 0 || in->trace_ids.count > TRACE_IDS_MAX)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Cannot link %zu traces to a run. A request has 1 to %d.",
                           in->trace_ids.count, TRACE_IDS_MAX);
    TRY(mlflow_require_run(cx, rq, in->run_id, &run));
    TRY(mlflow_project(cx, rq, &project));
    TRY(trace_find_ids(cx, project, &in->trace_ids, &ids));
    return traces_link_run(cx, &ids, run);
}

/* --- prompts --- */

struct prompt {
    const char *name, *version;
};
static const struct field PROMPT_FIELDS[] = {
    FIELD(STRING, struct prompt, name, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct prompt, version, .flags = FIELD_REQUIRED),
};
static SHAPE(PROMPT, "MlflowPromptVersionRef", struct prompt, PROMPT_FIELDS);

struct prompts_message {
    const char *trace_id;
    struct list prompt_versions;
};
static const struct field PROMPTS_FIELDS[] = {
    FIELD(STRING, struct prompts_message, trace_id, .flags = FIELD_REQUIRED),
    FIELD(LIST, struct prompts_message, prompt_versions, .flags = FIELD_REQUIRED,
          .nested = &PROMPT),
};
static SHAPE(PROMPTS, "MlflowLinkPrompts", struct prompts_message, PROMPTS_FIELDS);

static enum err post_prompts(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct prompts_message *in = rq->body;
    const struct prompt *prompts = in->prompt_versions.items;
    size_t count = in->prompt_versions.count;
    const char **names = arena_new_array(cx->arena, const char *, count + 1);
    const char **versions = arena_new_array(cx->arena, const char *, count + 1);
    const char *project, *id;
    (void)rp;
    if (count > TRACE_IDS_MAX)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Cannot link %zu prompts to a trace. A request has %d at most.", count,
                           TRACE_IDS_MAX);
    for (size_t i = 0; i < count; i++) {
        names[i] = prompts[i].name;
        versions[i] = prompts[i].version;
    }
    TRY(mlflow_project(cx, rq, &project));
    TRY(trace_require(cx, project, in->trace_id, &id));
    return trace_link_prompts(cx, id, names, versions, count);
}

/* --- assessments --- */

struct assessment_message {
    json_t *assessment, *update_mask;
};
static const struct field ASSESSMENT_FIELDS[] = {
    FIELD(JSON, struct assessment_message, assessment, .flags = FIELD_REQUIRED),
    FIELD(JSON, struct assessment_message, update_mask),
};
static SHAPE(ASSESSMENT, "MlflowAssessment", struct assessment_message, ASSESSMENT_FIELDS);

static enum err check_assessment(struct ctx *cx, const struct assessment_message *in) {
    if (!json_is_object(in->assessment))
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Invalid value for parameter 'assessment' supplied.");
    return OK;
}

static void send_assessment(struct ctx *cx, struct reply *rp, const json_t *assessment) {
    struct json_writer *w = mlflow_json(cx);
    jw_begin(w, '{');
    jw_name(w, "assessment");
    jw_raw(w, db_json(cx, assessment));
    jw_end(w, '}');
    mlflow_send(rp, w);
}

static enum err post_assessment(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct assessment_message *in = rq->body;
    const char *id;
    json_t *stored;
    TRY(check_assessment(cx, in));
    TRY(mlflow_require_trace(cx, rq, &id));
    TRY(assessment_put(cx, id, req_param(rq, "trace"), in->assessment, &stored));
    send_assessment(cx, rp, stored);
    return OK;
}

static enum err get_assessment(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const char *id;
    json_t *stored;
    TRY(mlflow_require_trace(cx, rq, &id));
    TRY(assessment_find(cx, id, req_param(rq, "assessment"), &stored));
    send_assessment(cx, rp, stored);
    return OK;
}

/* A field mask is one text, "assessmentName,feedback", or as an object its list of paths. */
static struct list paths_of(struct ctx *cx, const json_t *mask) {
    const json_t *list = json_object_get(mask, "paths");
    const char *text = json_string_value(mask);
    size_t count = json_array_size(list), used = 0;
    char *copy = arena_strdup(cx->arena, text ? text : ""), *rest = copy, *path;
    const char **paths = arena_new_array(cx->arena, const char *, count + strlen(copy) + 1);
    for (size_t i = 0; i < count; i++)
        if (json_is_string(json_array_get(list, i)))
            paths[used++] = json_string_value(json_array_get(list, i));
    while ((path = strsep(&rest, ",")))
        paths[used++] = strcmp(path, "assessmentName") == 0 ? "assessment_name" : path;
    return (struct list){paths, used};
}

static enum err patch_assessment(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct assessment_message *in = rq->body;
    const char *id;
    json_t *stored;
    TRY(check_assessment(cx, in));
    TRY(mlflow_require_trace(cx, rq, &id));
    struct list paths = paths_of(cx, in->update_mask);
    TRY(assessment_update(cx, id, req_param(rq, "assessment"), in->assessment, &paths, &stored));
    send_assessment(cx, rp, stored);
    return OK;
}

static enum err delete_assessment(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const char *id;
    (void)rp;
    TRY(mlflow_require_trace(cx, rq, &id));
    return assessment_delete(cx, id, req_param(rq, "assessment"));
}

#define TRACES "/api/3.0/mlflow/traces"
#define ONE TRACES "/{trace}"
#define ASSESSMENTS ONE "/assessments"

const struct route MLFLOW_TRACE_ROUTES[] = {
    {POST, "/v1/traces", SCOPE_RUN_INGEST, .handle = post_spans,
     .flags = ROUTE_MLFLOW | ROUTE_RAW_BODY | ROUTE_GZIP_BODY, .rate = RATE_UPLOAD,
     .max_body = TRACE_REQUEST_MAX, .doc = "Send spans by OTLP."},
    {POST, TRACES, SCOPE_RUN_INGEST, .body = &START, .handle = post_trace, .flags = ROUTE_MLFLOW,
     .max_body = INFO_BODY_MAX, .doc = "Tell a trace."},
    {GET, ONE, SCOPE_RUN_READ, .handle = get_info, .flags = ROUTE_MLFLOW,
     .doc = "Get a trace without its spans."},
    {GET, TRACES "/get", SCOPE_RUN_READ, .query = &GET_ONE, .handle = get_trace,
     .flags = ROUTE_MLFLOW, .doc = "Get a trace with its spans."},
    {GET, TRACES "/batchGet", SCOPE_RUN_READ, .query = &BATCH, .handle = get_batch,
     .flags = ROUTE_MLFLOW, .rate = RATE_SEARCH, .doc = "Get traces with their spans."},
    {POST, TRACES "/batchGetInfos", SCOPE_RUN_READ, .body = &BATCH, .handle = post_batch_infos,
     .flags = ROUTE_MLFLOW, .rate = RATE_SEARCH, .doc = "Get traces without their spans."},
    {POST, TRACES "/search", SCOPE_RUN_READ, .body = &SEARCH, .handle = post_search,
     .flags = ROUTE_MLFLOW, .rate = RATE_SEARCH, .doc = "Search traces."},
    {PATCH, ONE "/tags", SCOPE_RUN_INGEST, .body = &MLFLOW_TRACE_TAG,
     .handle = mlflow_set_trace_tag, .flags = ROUTE_MLFLOW, .doc = "Set a tag of a trace."},
    {DELETE, ONE "/tags", SCOPE_RUN_INGEST, .body = &MLFLOW_TRACE_TAG_KEY,
     .handle = mlflow_delete_trace_tag, .flags = ROUTE_MLFLOW, .doc = "Delete a tag of a trace."},
    {POST, TRACES "/delete-traces", SCOPE_RUN_WRITE, .body = &MLFLOW_TRACES_DELETE,
     .handle = mlflow_delete_traces, .flags = ROUTE_MLFLOW, .audit = "trace.delete",
     .doc = "Delete traces."},
    {POST, "/api/2.0/mlflow/traces/link-to-run", SCOPE_RUN_INGEST, .body = &LINK,
     .handle = post_link, .flags = ROUTE_MLFLOW, .doc = "Link traces to a run."},
    {POST, "/api/2.0/mlflow/traces/link-prompts", SCOPE_RUN_INGEST, .body = &PROMPTS,
     .handle = post_prompts, .flags = ROUTE_MLFLOW,
     .doc = "Link versions of prompts to the trace that used them."},
    {POST, TRACES "/calculate-filter-correlation", SCOPE_RUN_READ, .body = &CORRELATION,
     .handle = post_correlation, .flags = ROUTE_MLFLOW, .rate = RATE_SEARCH,
     .doc = "Tell how often two filters find the same traces."},
    {POST, ASSESSMENTS, SCOPE_RUN_INGEST, .body = &ASSESSMENT, .handle = post_assessment,
     .flags = ROUTE_MLFLOW, .doc = "Assess a trace: feedback or an expectation."},
    {GET, ASSESSMENTS "/{assessment}", SCOPE_RUN_READ, .handle = get_assessment,
     .flags = ROUTE_MLFLOW, .doc = "Get an assessment of a trace."},
    {PATCH, ASSESSMENTS "/{assessment}", SCOPE_RUN_INGEST, .body = &ASSESSMENT,
     .handle = patch_assessment, .flags = ROUTE_MLFLOW, .doc = "Change an assessment of a trace."},
    {DELETE, ASSESSMENTS "/{assessment}", SCOPE_RUN_INGEST, .handle = delete_assessment,
     .flags = ROUTE_MLFLOW, .doc = "Delete an assessment of a trace."},
};
const size_t MLFLOW_TRACE_ROUTE_COUNT = ROUTES_COUNT(MLFLOW_TRACE_ROUTES);
