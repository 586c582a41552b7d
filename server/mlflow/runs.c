/* runs/…: opened, changed, read; parameters and tags one by one. Metrics and batches stand in
 * metrics.c and batch.c, searching in search.c, data sets and models in inputs.c.
 *
 * A run has a name and the tag mlflow.runName, which say the same: the domain keeps them in step.
 */
#include "mlflow/internal.h"

#include "base/cleanup.h"
#include "base/jsontext.h"

#include <string.h>

#define HISTORY_TAG "mlflow.log-model.history"
#define MODEL_BODY_MAX ((size_t)8 << 20)
#define TAGS_BODY_MAX ((size_t)8 << 20)

enum err mlflow_require_run(struct ctx *cx, const struct req *rq, const char *run_id,
                            const char **ret_uuid) {
    const char *project_id;
    const char *uuid = mlflow_run_uuid(cx, run_id);
    TRY(mlflow_project(cx, rq, &project_id));
    if (!uuid)
        return mlflow_fail_run(cx, run_id);
    return mlflow_refused(cx, run_require(cx, project_id, uuid, ret_uuid), run_id);
}

/* The domain's conflicts are archived runs; its others are told apart before they come here. */
enum err mlflow_refused(struct ctx *cx, enum err err, const char *run_id) {
    if (err == ERR_NOT_FOUND)
        return mlflow_fail_run(cx, run_id);
    if (err != ERR_CONFLICT)
        return err;
    return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                       "The run %s must be in the 'active' state. Current state is deleted.",
                       run_id);
}

/* --- opening --- */

struct create {
    const char *experiment_id, *user_id, *run_name;
    int64_t start_time; /* ms */
    struct list tags;
};
static const struct field CREATE_FIELDS[] = {
    FIELD(STRING, struct create, experiment_id),
    FIELD(STRING, struct create, user_id),
    FIELD(INT, struct create, start_time),
    FIELD(STRING, struct create, run_name),
    FIELD(LIST, struct create, tags, .nested = &MLFLOW_TAG),
};
static SHAPE(CREATE, "MlflowCreateRun", struct create, CREATE_FIELDS);

static void release_json(void *json) {
    json_decref(json);
}

static enum err run_tags_of(struct ctx *cx, const struct list *tags, json_t *object) {
    const struct mlflow_tag *tag = tags->items;
    for (size_t i = 0; i < tags->count; i++) {
        const char *value = tag[i].value ? tag[i].value : "";
        TRY(mlflow_check_name(cx, "key", tag[i].key));
        TRY(mlflow_check_length(cx, "key", tag[i].key, MLFLOW_KEY_MAX));
        json_object_set_new(object, tag[i].key, json_string(mlflow_cut(cx, value, MLFLOW_TAG_MAX)));
    }
    return OK;
}

static const char *text_or_null(const char *text) {
    return text && *text ? text : NULL;
}

/* The name, from whichever of the two says one; the tag is there in any case. */
static enum err settle_name(struct ctx *cx, const char *asked, json_t *tags, const char **ret) {
    const char *tag = text_or_null(json_string_value(json_object_get(tags, MLFLOW_NAME_TAG)));
    asked = text_or_null(asked);
    if (asked && tag && strcmp(asked, tag) != 0)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Both 'run_name' argument and 'mlflow.runName' tag are specified, but "
                           "with different values (run_name='%.100s', mlflow.runName='%.100s').",
                           asked, tag);
    /* A copy: the tag's text ends with the value that takes its place. */
    const char *name = asked ? asked
                       : tag ? arena_strdup(cx->arena, tag)
                             : run_name_random(cx->arena);
    json_object_set_new(tags, MLFLOW_NAME_TAG, json_string(mlflow_cut(cx, name, MLFLOW_TAG_MAX)));
    *ret = mlflow_cut(cx, name, MLFLOW_KEY_MAX);
    return OK;
}

/* The tags of a fresh run as a reply lists them. */
static void take_tags(struct ctx *cx, json_t *object, struct mlflow_run *run) {
    const char **keys = arena_new_array(cx->arena, const char *, json_object_size(object));
    const char **values = arena_new_array(cx->arena, const char *, json_object_size(object));
    size_t count = 0;
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        keys[count] = key;
        values[count++] = json_string_value(value);
    }
    run->tag_keys = (struct list){keys, count};
    run->tag_values = (struct list){values, count};
}

static void reply_run(struct ctx *cx, const struct mlflow_run *run, struct reply *rp) {
    struct json_writer *w = mlflow_json(cx);
    jw_begin(w, '{');
    jw_name(w, "run");
    mlflow_write_run(cx, w, run);
    jw_end(w, '}');
    mlflow_send(rp, w);
}

static enum err refuse_open(struct ctx *cx, enum err err, const char *experiment_id) {
    if (err == ERR_NOT_FOUND)
        return mlflow_fail_experiment(cx, experiment_id);
    if (err != ERR_CONFLICT)
        return err;
    return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                       "The experiment %s must be in the 'active' state. Current state is "
                       "deleted.",
                       experiment_id);
}

static enum err check_time(struct ctx *cx, const char *path, int64_t ms) {
    if (ms < 0 || ms > MLFLOW_TIME_MAX)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Invalid value %lld for parameter '%s' supplied: it must be a "
                           "time in milliseconds since 1970.",
                           (long long)ms, path);
    return OK;
}

static enum err post_create(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct create *in = rq->body;
    const char *experiment_id = text_or_null(in->experiment_id) ? in->experiment_id : "0";
    json_t *tags = json_object();
    struct mlflow_place place;
    struct run opened;
    struct run_open options = {
        .user = text_or_null(in->user_id), .source = "mlflow", .tags = tags, .state = RUN_RUNNING};
    arena_defer(cx->arena, release_json, tags);
    TRY(check_time(cx, "start_time", in->start_time));
    options.started_at = in->start_time * 1000;
    TRY(run_tags_of(cx, &in->tags, tags));
    TRY(settle_name(cx, in->run_name, tags, &options.name));
    TRY(mlflow_project(cx, rq, &options.project_id));
    TRY(mlflow_place(cx, options.project_id, experiment_id, &place));
    options.experiment_id = place.id;
    TRY(refuse_open(cx, run_open(cx, &options, &opened), experiment_id));
    struct mlflow_run made = mlflow_run_of(&opened, &place);
    take_tags(cx, tags, &made);
    reply_run(cx, &made, rp);
    return OK;
}

/* --- reading --- */

struct by_id {
    const char *run_id;
};
static const struct field BY_ID_FIELDS[] = {
    FIELD(STRING, struct by_id, run_id, .flags = FIELD_REQUIRED),
};
static SHAPE(BY_ID, "MlflowRunId", struct by_id, BY_ID_FIELDS);

/* The run with all it logged. Batches that are too many to be taken along are noted first, and the
 * run is read once more. */
static enum err load_run(struct ctx *cx, const struct req *rq, const char *run_id,
                         struct mlflow_run *ret) {
    const char *project_id, *uuid = mlflow_run_uuid(cx, run_id);
    struct list rows = {0};
    size_t taken;
    TRY(mlflow_project(cx, rq, &project_id));
    if (uuid)
        TRY(mlflow_load_runs(cx, project_id, &uuid, 1, &rows, &taken));
    const struct mlflow_run *run = rows.items;
    if (rows.count && run->waiting) {
        TRY(run_settle(cx, uuid));
        TRY(mlflow_load_runs(cx, project_id, &uuid, 1, &rows, &taken));
    }
    if (rows.count == 0)
        return mlflow_fail_run(cx, run_id);
    *ret = *(const struct mlflow_run *)rows.items;
    return OK;
}

static enum err get_run(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct by_id *in = rq->query;
    struct mlflow_run run;
    TRY(load_run(cx, rq, in->run_id, &run));
    reply_run(cx, &run, rp);
    return OK;
}

/* --- changing --- */

static const char *const STATUS_NAMES[] = {"RUNNING", "SCHEDULED", "FINISHED",
                                           "FAILED",  "KILLED",    NULL};
static const int STATES[] = {RUN_RUNNING, RUN_QUEUED, RUN_SUCCEEDED, RUN_FAILED, RUN_CANCELLED};

struct update {
    const char *run_id, *run_name;
    int status;       /* of STATUS_NAMES, FIELD_NO_ENUM = as it is */
    int64_t end_time; /* ms, FIELD_NO_INT = as it is */
};
static const struct field UPDATE_FIELDS[] = {
    FIELD(STRING, struct update, run_id, .flags = FIELD_REQUIRED),
    FIELD(ENUM, struct update, status, .flags = FIELD_NULLABLE, .names = STATUS_NAMES),
    FIELD(INT, struct update, end_time, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct update, run_name),
};
static SHAPE(UPDATE, "MlflowUpdateRun", struct update, UPDATE_FIELDS);

/* The state of a run with a job is not the client's to say: told in the domain's words. */
static enum err refuse_change(struct ctx *cx, enum err err, const char *run_id) {
    bool by_job = err == ERR_CONFLICT && cx->err.field[0];
    return by_job ? err : mlflow_refused(cx, err, run_id);
}

static enum err change_of(struct ctx *cx, const struct update *in, struct run_change *ret) {
    const char *name = text_or_null(in->run_name);
    *ret = (struct run_change){.has_state = in->status != FIELD_NO_ENUM,
                               .has_finished = in->end_time != FIELD_NO_INT};
    if (ret->has_state)
        ret->state = STATES[in->status];
    if (ret->has_finished) {
        TRY(check_time(cx, "end_time", in->end_time));
        ret->finished_at = in->end_time * 1000;
    }
    if (name)
        ret->name = mlflow_cut(cx, name, MLFLOW_KEY_MAX);
    return OK;
}

static enum err post_update(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct update *in = rq->body;
    struct json_writer *w = mlflow_json(cx);
    struct run_change change;
    struct mlflow_place place;
    struct run run;
    const char *uuid;
    TRY(change_of(cx, in, &change));
    TRY(mlflow_require_run(cx, rq, in->run_id, &uuid));
    TRY(refuse_change(cx, run_change(cx, uuid, &change), in->run_id));
    TRY(run_head(cx, uuid, &run));
    TRY(mlflow_place_of(cx, run.project_id, run.experiment_id, &place));
    const struct mlflow_run changed = mlflow_run_of(&run, &place);
    jw_begin(w, '{');
    jw_name(w, "run_info");
    mlflow_write_run_info(cx, w, &changed);
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

static enum err post_delete(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct by_id *in = rq->body;
    const char *uuid;
    (void)rp;
    TRY(mlflow_require_run(cx, rq, in->run_id, &uuid));
    return run_archive(cx, uuid);
}

static enum err post_restore(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct by_id *in = rq->body;
    const char *uuid;
    (void)rp;
    TRY(mlflow_require_run(cx, rq, in->run_id, &uuid));
    return run_restore(cx, uuid);
}

/* --- parameters and tags --- */

struct text_in {
    const char *run_id, *key, *value;
};
static const struct field TEXT_FIELDS[] = {
    FIELD(STRING, struct text_in, run_id, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct text_in, key, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct text_in, value),
};
static SHAPE(TEXT, "MlflowRunText", struct text_in, TEXT_FIELDS);

static const struct field KEY_FIELDS[] = {
    FIELD(STRING, struct text_in, run_id, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct text_in, key, .flags = FIELD_REQUIRED),
};
static SHAPE(KEY, "MlflowRunKey", struct text_in, KEY_FIELDS);

static enum err post_param(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct text_in *in = rq->body;
    const char *value = mlflow_cut(cx, in->value ? in->value : "", MLFLOW_PARAM_MAX);
    const char *uuid, *clash = NULL, *old = NULL;
    (void)rp;
    TRY(mlflow_check_name(cx, "key", in->key));
    TRY(mlflow_check_length(cx, "Param key", in->key, MLFLOW_KEY_MAX));
    TRY(mlflow_require_run(cx, rq, in->run_id, &uuid));
    enum err err = run_log_params(cx, uuid, &in->key, &value, 1, &clash, &old);
    if (clash)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Changing param values is not allowed. Param with key='%s' was "
                           "already logged with value='%.80s' for run ID='%s'. Attempted logging "
                           "new value '%.80s'.",
                           in->key, old, in->run_id, value);
    return mlflow_refused(cx, err, in->run_id);
}

static enum err post_set_tag(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct text_in *in = rq->body;
    const char *value = mlflow_cut(cx, in->value ? in->value : "", MLFLOW_TAG_MAX);
    const char *uuid;
    (void)rp;
    TRY(mlflow_check_name(cx, "key", in->key));
    TRY(mlflow_check_length(cx, "key", in->key, MLFLOW_KEY_MAX));
    TRY(mlflow_require_run(cx, rq, in->run_id, &uuid));
    return mlflow_refused(cx, run_put_tags(cx, uuid, &in->key, &value, 1), in->run_id);
}

static enum err post_delete_tag(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct text_in *in = rq->body;
    const char *uuid;
    bool found;
    (void)rp;
    TRY(mlflow_require_run(cx, rq, in->run_id, &uuid));
    TRY(mlflow_refused(cx, run_delete_tag(cx, uuid, in->key, &found), in->run_id));
    if (!found)
        return mlflow_fail(cx, MLFLOW_RESOURCE_DOES_NOT_EXIST,
                           "No tag with name: %.100s in run with id %s", in->key, in->run_id);
    return OK;
}

/* --- models as clients before MLflow 3 tell of them: a tag that lists them --- */

struct model_in {
    const char *run_id, *model_json;
};
static const struct field MODEL_FIELDS[] = {
    FIELD(STRING, struct model_in, run_id, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct model_in, model_json, .flags = FIELD_REQUIRED),
};
static SHAPE(MODEL, "MlflowLogModel", struct model_in, MODEL_FIELDS);

static enum err parse_model(struct ctx *cx, const char *text, json_t **ret) {
    static const char *const WANTED[] = {"artifact_path", "flavors", "utc_time_created", "run_id"};
    struct err_info why;
    json_t *model = NULL;
    if (json_parse(text, strlen(text), MODEL_BODY_MAX, &model, &why) != OK)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Malformed model info. \n %.200s \n is not a valid JSON.", text);
    arena_defer(cx->arena, release_json, model);
    for (size_t i = 0; i < sizeof(WANTED) / sizeof(WANTED[0]); i++)
        if (!json_object_get(model, WANTED[i]))
            return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                               "Model json is missing mandatory fields: {'%s'}", WANTED[i]);
    *ret = model;
    return OK;
}

/* What of a model the tag keeps: not what a flavor was configured with. */
static json_t *summary_of(json_t *model) {
    static const char *const KEPT[] = {"run_id", "artifact_path", "utc_time_created", "model_uuid"};
    json_t *summary = json_object(), *flavors = json_object(), *flavor;
    const char *name;
    for (size_t i = 0; i < sizeof(KEPT) / sizeof(KEPT[0]); i++)
        if (json_object_get(model, KEPT[i]))
            json_object_set(summary, KEPT[i], json_object_get(model, KEPT[i]));
    json_object_foreach(json_object_get(model, "flavors"), name, flavor) {
        json_object_set_new(flavors, name, json_copy(flavor));
        json_object_del(json_object_get(flavors, name), "config");
    }
    json_object_set_new(summary, "flavors", flavors);
    return summary;
}

static json_t *history_of(const struct mlflow_run *run) {
    const char *const *keys = run->tag_keys.items, *const *values = run->tag_values.items;
    struct err_info why;
    json_t *history = NULL;
    for (size_t i = 0; i < run->tag_keys.count; i++)
        if (strcmp(keys[i], HISTORY_TAG) == 0 &&
            json_parse(values[i], strlen(values[i]), MODEL_BODY_MAX, &history, &why) != OK)
            history = NULL;
    if (json_is_array(history))
        return history;
    json_decref(history);
    return json_array();
}

static enum err post_model(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct model_in *in = rq->body;
    const char *key = HISTORY_TAG, *value;
    struct mlflow_run run;
    json_t *model;
    (void)rp;
    TRY(parse_model(cx, in->model_json, &model));
    TRY(load_run(cx, rq, in->run_id, &run));
    auto_json *history = history_of(&run);
    json_array_append_new(history, summary_of(model));
    value = db_json(cx, history);
    TRY(mlflow_check_length(cx, "model_json", value, MLFLOW_TAG_MAX));
    return mlflow_refused(cx, run_put_tags(cx, run.id, &key, &value, 1), in->run_id);
}

const struct route MLFLOW_RUN_ROUTES[] = {
    {POST, "/api/2.0/mlflow/runs/create", SCOPE_RUN_INGEST, .body = &CREATE, .handle = post_create,
     .flags = ROUTE_MLFLOW, .max_body = TAGS_BODY_MAX, .doc = "Start a run."},
    {GET, "/api/2.0/mlflow/runs/get", SCOPE_RUN_READ, .query = &BY_ID, .handle = get_run,
     .flags = ROUTE_MLFLOW, .doc = "Get a run with what it logged."},
    {POST, "/api/2.0/mlflow/runs/update", SCOPE_RUN_INGEST, .body = &UPDATE, .handle = post_update,
     .flags = ROUTE_MLFLOW, .doc = "Change a run's status, end or name."},
    {POST, "/api/2.0/mlflow/runs/delete", SCOPE_RUN_WRITE, .body = &BY_ID, .handle = post_delete,
     .flags = ROUTE_MLFLOW, .audit = "run.archive", .doc = "Archive a run."},
    {POST, "/api/2.0/mlflow/runs/restore", SCOPE_RUN_WRITE, .body = &BY_ID, .handle = post_restore,
     .flags = ROUTE_MLFLOW, .audit = "run.restore", .doc = "Bring an archived run back."},
    {POST, "/api/2.0/mlflow/runs/log-parameter", SCOPE_RUN_INGEST, .body = &TEXT,
     .handle = post_param, .flags = ROUTE_MLFLOW, .doc = "Log a parameter of a run."},
    {POST, "/api/2.0/mlflow/runs/set-tag", SCOPE_RUN_INGEST, .body = &TEXT, .handle = post_set_tag,
     .flags = ROUTE_MLFLOW, .doc = "Set a tag of a run."},
    {POST, "/api/2.0/mlflow/runs/delete-tag", SCOPE_RUN_INGEST, .body = &KEY,
     .handle = post_delete_tag, .flags = ROUTE_MLFLOW, .doc = "Delete a tag of a run."},
    {POST, "/api/2.0/mlflow/runs/log-model", SCOPE_RUN_INGEST, .body = &MODEL, .handle = post_model,
     .flags = ROUTE_MLFLOW, .max_body = MODEL_BODY_MAX,
     .doc = "Tell of a model among a run's artifacts."},
};
const size_t MLFLOW_RUN_ROUTE_COUNT = ROUTES_COUNT(MLFLOW_RUN_ROUTES);
