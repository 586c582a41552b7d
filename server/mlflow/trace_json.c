/* trace_json.c: see trace_json.h. */
#include "mlflow/trace_json.h"

#include "base/clock.h"

#include <string.h>

#define LOCATION_TAG "mlflow.trace.spansLocation" /* read by clients: where spans are asked for */
#define ARTIFACTS_TAG "mlflow.artifactLocation"
#define RUN_METADATA "mlflow.sourceRun"

static const char *experiment_of(struct ctx *cx, const struct trace *t) {
    return arena_printf(cx->arena, "%lld", (long long)t->experiment_number);
}

static void write_map(struct json_writer *w, json_t *texts) {
    const char *key;
    json_t *value;
    json_object_foreach(texts, key, value) jw_member_text(w, key, json_string_value(value));
}

/* What the server says of a trace stands among its tags. */
static void write_tags(struct ctx *cx, struct json_writer *w, const struct trace *t) {
    jw_member_begin(w, "tags", '{');
    if (!json_object_get(t->tags, ARTIFACTS_TAG))
        jw_member_text(w, ARTIFACTS_TAG,
                       arena_printf(cx->arena, "mlflow-artifacts:/%s/traces/%s/artifacts",
                                    experiment_of(cx, t), t->trace_id));
    if (!json_object_get(t->tags, LOCATION_TAG))
        jw_member_text(w, LOCATION_TAG, "TRACKING_STORE");
    write_map(w, t->tags);
    jw_end(w, '}');
}

static void write_location(struct ctx *cx, struct json_writer *w, const struct trace *t) {
    jw_member_begin(w, "trace_location", '{');
    jw_member_text(w, "type", "MLFLOW_EXPERIMENT");
    jw_member_begin(w, "mlflow_experiment", '{');
    jw_member_text(w, "experiment_id", experiment_of(cx, t));
    jw_end(w, '}');
    jw_end(w, '}');
}

static void write_assessments(struct ctx *cx, struct json_writer *w, const struct trace *t) {
    size_t i;
    json_t *assessment;
    if (json_array_size(t->assessments) == 0)
        return;
    jw_member_begin(w, "assessments", '[');
    json_array_foreach(t->assessments, i, assessment) jw_raw(w, db_json(cx, assessment));
    jw_end(w, ']');
}

void mlflow_write_trace_info(struct ctx *cx, struct json_writer *w, const struct trace *t) {
    static const char *const STATES[] = {"STATE_UNSPECIFIED", "OK", "ERROR", "IN_PROGRESS"};
    char at[TIME_TEXT_SIZE];
    time_to_string(t->requested_at, at);
    jw_begin(w, '{');
    jw_member_text(w, "trace_id", t->trace_id);
    if (t->client_request_id)
        jw_member_text(w, "client_request_id", t->client_request_id);
    write_location(cx, w, t);
    if (t->request_preview)
        jw_member_text(w, "request_preview", t->request_preview);
    if (t->response_preview)
        jw_member_text(w, "response_preview", t->response_preview);
    jw_member_text(w, "request_time", at);
    if (t->duration_ms != FIELD_NO_INT)
        jw_member_text(w, "execution_duration",
                       arena_printf(cx->arena, "%lld.%03llds", (long long)(t->duration_ms / 1000),
                                    (long long)(t->duration_ms % 1000)));
    jw_member_text(w, "state", STATES[t->state]);
    jw_member_begin(w, "trace_metadata", '{');
    write_map(w, t->metadata);
    jw_end(w, '}');
    write_assessments(cx, w, t);
    write_tags(cx, w, t);
    jw_end(w, '}');
}

static void write_pair(struct json_writer *w, const char *key, const char *value) {
    jw_begin(w, '{');
    jw_member_text(w, "key", key);
    jw_member_text(w, "value", value);
    jw_end(w, '}');
}

static void write_pairs(struct json_writer *w, const char *name, json_t *texts) {
    const char *key;
    json_t *value;
    jw_member_begin(w, name, '[');
    json_object_foreach(texts, key, value) write_pair(w, key, json_string_value(value));
    jw_end(w, ']');
}

void mlflow_write_old_trace_info(struct ctx *cx, struct json_writer *w, const struct trace *t) {
    static const char *const STATES[] = {"TRACE_STATUS_UNSPECIFIED", "OK", "ERROR", "IN_PROGRESS"};
    jw_begin(w, '{');
    jw_member_text(w, "request_id", t->trace_id);
    jw_member_text(w, "experiment_id", experiment_of(cx, t));
    jw_member_int(w, "timestamp_ms", mlflow_ms(t->requested_at));
    if (t->duration_ms != FIELD_NO_INT)
        jw_member_int(w, "execution_time_ms", t->duration_ms);
    jw_member_text(w, "status", STATES[t->state]);
    write_pairs(w, "request_metadata", t->metadata);
    write_pairs(w, "tags", t->tags);
    jw_end(w, '}');
}

/* --- finding --- */

enum err mlflow_load_trace(struct ctx *cx, const char *id, struct trace *ret) {
    struct list traces;
    TRY(traces_load(cx, &(struct list){&id, 1}, &traces));
    if (traces.count == 0) /* deleted just now */
        return fail(cx, ERR_NOT_FOUND, "The trace was not found.");
    *ret = *(const struct trace *)traces.items;
    return OK;
}

enum err mlflow_require_trace(struct ctx *cx, const struct req *rq, const char **ret_id) {
    const char *project;
    TRY(mlflow_project(cx, rq, &project));
    return trace_require(cx, project, req_param(rq, "trace"), ret_id);
}

enum err mlflow_put_trace(struct ctx *cx, const struct trace_put *put, const char **ret_id) {
    const char *run = json_string_value(json_object_get(put->metadata, RUN_METADATA));
    const char *uuid = run ? mlflow_run_uuid(cx, run) : NULL;
    TRY(trace_put(cx, put, ret_id));
    return uuid ? traces_link_run(cx, &(struct list){ret_id, 1}, uuid) : OK;
}

/* --- searching --- */

enum err mlflow_trace_places(struct ctx *cx, const struct req *rq, struct trace_search *search,
                             const struct list *experiments) {
    struct mlflow_place *places =
        arena_new_array(cx->arena, struct mlflow_place, experiments->count + 1);
    const char **ids = arena_new_array(cx->arena, const char *, experiments->count + 1);
    size_t count;
    TRY(mlflow_project(cx, rq, &search->project_id));
    TRY(mlflow_places(cx, search->project_id, experiments, places, &count));
    for (size_t i = 0; i < count; i++)
        ids[i] = places[i].id;
    search->experiment_ids = ids;
    search->experiment_count = count;
    search->mlflow = true;
    return OK;
}

enum err mlflow_search_traces(struct ctx *cx, const struct req *rq, struct trace_search *search,
                              const struct list *experiments, int64_t max_results, struct list *ret,
                              const char **ret_next) {
    int64_t limit = max_results == FIELD_NO_INT ? MLFLOW_TRACES_DEFAULT : max_results;
    if (limit < 1 || limit > MLFLOW_TRACES_MOST)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Invalid value %lld for parameter 'max_results' supplied. It must be at "
                           "least 1 and at most %d",
                           (long long)limit, MLFLOW_TRACES_MOST);
    TRY(mlflow_trace_places(cx, rq, search, experiments));
    search->limit = limit;
    return trace_search(cx, search, ret, ret_next);
}

/* --- tags --- */

struct tag_message {
    const char *key, *value;
};
static const struct field TAG_FIELDS[] = {
    FIELD(STRING, struct tag_message, key, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct tag_message, value),
};
SHAPE(MLFLOW_TRACE_TAG, "MlflowSetTraceTag", struct tag_message, TAG_FIELDS);
static const struct field TAG_KEY_FIELDS[] = {
    FIELD(STRING, struct tag_message, key, .flags = FIELD_REQUIRED),
};
SHAPE(MLFLOW_TRACE_TAG_KEY, "MlflowDeleteTraceTag", struct tag_message, TAG_KEY_FIELDS);

enum err mlflow_set_trace_tag(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct tag_message *in = rq->body;
    const char *id;
    (void)rp;
    TRY(mlflow_check_length(cx, "key", in->key, MLFLOW_KEY_MAX));
    TRY(mlflow_require_trace(cx, rq, &id));
    return trace_set_tag(cx, id, in->key, in->value ? in->value : "");
}

enum err mlflow_delete_trace_tag(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct tag_message *in = rq->body;
    const char *id;
    bool found;
    (void)rp;
    TRY(mlflow_require_trace(cx, rq, &id));
    TRY(trace_delete_tag(cx, id, in->key, &found));
    if (!found)
        return mlflow_fail(cx, MLFLOW_RESOURCE_DOES_NOT_EXIST,
                           "No tag with name: %.250s in trace with ID %s", in->key,
                           req_param(rq, "trace"));
    return OK;
}

/* --- deleting --- */

struct delete_message {
    const char *experiment_id;
    int64_t max_timestamp_millis, max_traces;
    struct list request_ids;
};
static const struct field DELETE_FIELDS[] = {
    FIELD(STRING, struct delete_message, experiment_id, .flags = FIELD_REQUIRED),
    FIELD(INT, struct delete_message, max_timestamp_millis, .flags = FIELD_NULLABLE),
    FIELD(INT, struct delete_message, max_traces, .flags = FIELD_NULLABLE),
    FIELD(STRINGS, struct delete_message, request_ids),
};
SHAPE(MLFLOW_TRACES_DELETE, "MlflowDeleteTraces", struct delete_message, DELETE_FIELDS);

static enum err check_delete(struct ctx *cx, const struct delete_message *in) {
    bool by_time = in->max_timestamp_millis != FIELD_NO_INT, by_ids = in->request_ids.count > 0;
    const char *why = NULL;
    if (by_time == by_ids)
        why = "Either `max_timestamp_millis` or `trace_ids` must be specified, but not both.";
    else if (by_ids && in->max_traces != FIELD_NO_INT)
        why = "`max_traces` can't be specified if `trace_ids` is specified.";
    else if (in->max_traces != FIELD_NO_INT && in->max_traces <= 0)
        why = "`max_traces` must be a positive integer.";
    else if (by_time && in->max_timestamp_millis < 0)
        why = "`max_timestamp_millis` is out of range.";
    else if (in->request_ids.count > TRACE_IDS_MAX)
        why = "at most 100 traces can be deleted by their ids at once";
    return why ? mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE, "%s", why) : OK;
}

/* A time is a whole millisecond: what was asked within it goes, too. */
enum err mlflow_delete_traces(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct delete_message *in = rq->body;
    struct json_writer *w = mlflow_json(cx);
    struct trace_delete options = {.limit = in->max_traces};
    struct mlflow_place place;
    int64_t count;
    TRY(check_delete(cx, in));
    TRY(mlflow_project(cx, rq, &options.project_id));
    TRY(mlflow_place(cx, options.project_id, in->experiment_id, &place));
    options.experiment_id = place.id;
    if (in->request_ids.count > 0)
        options.trace_ids = &in->request_ids;
    else if (in->max_timestamp_millis < MLFLOW_TIME_MAX)
        options.before_us = in->max_timestamp_millis * 1000 + 999;
    else /* nothing is later */
        options.before_us = MLFLOW_TIME_MAX * 1000;
    TRY(traces_delete(cx, &options, &count));
    jw_begin(w, '{');
    jw_member_int(w, "traces_deleted", count);
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}
