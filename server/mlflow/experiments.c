/* experiments/…: their messages, and what of them MLflow's clients see. */
#include "mlflow/internal.h"

#include "config/config.h"

#include "sql/mlflow.h"

#include <string.h>

#define NAME_MAX_LENGTH 500
#define TAG_MAX_LENGTH 5000
#define DEFAULT_RESULTS 1000

struct experiment_row {
    const char *id, *name, *artifact_location;
    int64_t number, created_at, updated_at, archived_at;
    json_t *tags; /* [{key, value}] */
};
static const struct field EXPERIMENT_ROW_FIELDS[] = {
    FIELD(UUID, struct experiment_row, id),
    FIELD(INT, struct experiment_row, number),
    FIELD(STRING, struct experiment_row, name),
    FIELD(STRING, struct experiment_row, artifact_location),
    FIELD(TIME, struct experiment_row, created_at),
    FIELD(TIME, struct experiment_row, updated_at),
    FIELD(TIME, struct experiment_row, archived_at),
    FIELD(JSON, struct experiment_row, tags),
};
static SHAPE(EXPERIMENT_ROW, "MlflowExperimentRow", struct experiment_row, EXPERIMENT_ROW_FIELDS);

/* --- writing --- */

static void write_experiment(struct ctx *cx, struct json_writer *w,
                             const struct experiment_row *e) {
    size_t i;
    json_t *tag;
    jw_begin(w, '{');
    jw_member_text(w, "experiment_id", db_int(cx, e->number));
    jw_member_text(w, "name", e->name);
    jw_member_text(w, "artifact_location",
                   mlflow_experiment_uri(cx, e->artifact_location, e->number));
    jw_member_text(w, "lifecycle_stage", e->archived_at ? "deleted" : "active");
    jw_member_int(w, "last_update_time", mlflow_ms(e->updated_at));
    jw_member_int(w, "creation_time", mlflow_ms(e->created_at));
    if (json_array_size(e->tags)) {
        jw_member_begin(w, "tags", '[');
        json_array_foreach(e->tags, i, tag) {
            jw_begin(w, '{');
            jw_member_text(w, "key", json_string_value(json_object_get(tag, "key")));
            jw_member_text(w, "value", json_string_value(json_object_get(tag, "value")));
            jw_end(w, '}');
        }
        jw_end(w, ']');
    }
    jw_end(w, '}');
}

static enum err load_experiments(struct ctx *cx, const char *project_id, const struct list *ids,
                                 struct list *ret) {
    return db_many(cx, &SQL_mlflow_experiments_of,
                   ARGS(cx->who.team_id, project_id, db_text_array(cx, ids->items, ids->count)),
                   &EXPERIMENT_ROW, ret);
}

static enum err reply_experiment(struct ctx *cx, const char *project_id, const char *id,
                                 const char *number, struct reply *rp) {
    struct json_writer *w = mlflow_json(cx);
    struct list rows;
    TRY(load_experiments(cx, project_id, &(struct list){&id, 1}, &rows));
    if (rows.count == 0)
        return mlflow_fail_experiment(cx, number);
    jw_begin(w, '{');
    jw_name(w, "experiment");
    write_experiment(cx, w, rows.items);
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

/* --- creating --- */

struct create {
    const char *name, *artifact_location;
    struct list tags;
};
static const struct field CREATE_FIELDS[] = {
    FIELD(STRING, struct create, name, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct create, artifact_location),
    FIELD(LIST, struct create, tags, .nested = &MLFLOW_TAG),
};
static SHAPE(CREATE, "MlflowCreateExperiment", struct create, CREATE_FIELDS);

static enum err check_experiment_name(struct ctx *cx, const char *name) {
    if (name[strspn(name, " \t\r\n\f\v")] == '\0')
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE, "Invalid experiment name: '%s'",
                           name);
    return mlflow_check_length(cx, "name", name, NAME_MAX_LENGTH);
}

static enum err check_experiment_tag(struct ctx *cx, const char *key, const char *value) {
    TRY(mlflow_check_name(cx, "key", key));
    TRY(mlflow_check_length(cx, "key", key, MLFLOW_KEY_MAX));
    return mlflow_check_length(cx, "value", value, TAG_MAX_LENGTH);
}

static bool is_plain_segment(const char *at, size_t length) {
    bool dots = (length == 1 && at[0] == '.') || (length == 2 && at[0] == '.' && at[1] == '.');
    if (length == 0 || dots)
        return false;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)at[i] < 0x20 || strchr("\\%#?;:\x7f", at[i]))
            return false;
    return true;
}

/* Files go through this server alone: a location is a name of ours, never a path or a host. */
static enum err check_location(struct ctx *cx, const char *location) {
    const char *file_root = cx->app->config->file_root;
    const char *root = file_root ? file_root : "mlflow-artifacts:/";
    const char *at = location + strlen(root);
    bool good = strncmp(location, root, strlen(root)) == 0;
    for (bool more = good; more && good;) {
        size_t length = strcspn(at, "/");
        good = is_plain_segment(at, length);
        more = at[length] == '/';
        at += length + more;
    }
    if (!good)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Invalid artifact location: '%.200s'. This server keeps artifacts "
                           "itself: leave the location out, or give 'mlflow-artifacts:/' and a "
                           "name.",
                           location);
    return mlflow_check_length(cx, "artifact_location", location, 2000);
}

static void release_json(void *json) {
    json_decref(json);
}

static enum err experiment_tags_of(struct ctx *cx, const struct list *tags, json_t **ret) {
    *ret = json_object();
    arena_defer(cx->arena, release_json, *ret);
    const struct mlflow_tag *tag = tags->items;
    for (size_t i = 0; i < tags->count; i++) {
        const char *value = tag[i].value ? tag[i].value : "";
        TRY(check_experiment_tag(cx, tag[i].key, value));
        json_object_set_new(*ret, tag[i].key, json_string(value));
    }
    return OK;
}

static enum err refuse_taken(struct ctx *cx, enum err err, const char *name) {
    if (err != ERR_CONFLICT)
        return err;
    return mlflow_fail(cx, MLFLOW_RESOURCE_ALREADY_EXISTS, "Experiment(name=%s) already exists.",
                       name);
}

static enum err post_create(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct create *in = rq->body;
    struct experiment_create options = {.name = in->name};
    struct experiment made;
    struct json_writer *w = mlflow_json(cx);
    const char *id;
    TRY(mlflow_project(cx, rq, &options.project_id));
    TRY(check_experiment_name(cx, in->name));
    TRY(experiment_tags_of(cx, &in->tags, &options.tags));
    if (in->artifact_location && *in->artifact_location) {
        TRY(check_location(cx, in->artifact_location));
        options.artifact_location = in->artifact_location;
    }
    TRY(refuse_taken(cx, experiment_create(cx, &options, &id), in->name));
    TRY(experiment_get(cx, id, &made));
    jw_begin(w, '{');
    jw_member_text(w, "experiment_id", db_int(cx, made.number));
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

/* --- finding --- */

struct by_id {
    const char *experiment_id;
};
static const struct field BY_ID_FIELDS[] = {
    FIELD(STRING, struct by_id, experiment_id, .flags = FIELD_REQUIRED),
};
static SHAPE(BY_ID, "MlflowExperimentId", struct by_id, BY_ID_FIELDS);

struct by_name {
    const char *experiment_name;
};
static const struct field BY_NAME_FIELDS[] = {
    FIELD(STRING, struct by_name, experiment_name, .flags = FIELD_REQUIRED),
};
static SHAPE(BY_NAME, "MlflowExperimentName", struct by_name, BY_NAME_FIELDS);

static enum err get_experiment(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct by_id *in = rq->query;
    const char *project_id;
    struct mlflow_place place;
    TRY(mlflow_project(cx, rq, &project_id));
    TRY(mlflow_place(cx, project_id, in->experiment_id, &place));
    return reply_experiment(cx, project_id, place.id, in->experiment_id, rp);
}

static enum err get_by_name(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct by_name *in = rq->query;
    const char *project_id, *id;
    TRY(mlflow_project(cx, rq, &project_id));
    TRY(db_value(cx, &SQL_mlflow_experiment_named,
                 ARGS(cx->who.team_id, project_id, in->experiment_name), &id));
    if (!id)
        return mlflow_fail(cx, MLFLOW_RESOURCE_DOES_NOT_EXIST,
                           "Could not find experiment with name '%s'", in->experiment_name);
    return reply_experiment(cx, project_id, id, "", rp);
}

struct search_in {
    int64_t max_results;
    const char *page_token, *filter;
    struct list order_by;
    int view_type; /* enum lifecycle */
};
static const char *const VIEW_NAMES[] = {"ACTIVE_ONLY", "DELETED_ONLY", "ALL", NULL};
static const struct field SEARCH_FIELDS[] = {
    FIELD(INT, struct search_in, max_results, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct search_in, page_token),
    FIELD(STRING, struct search_in, filter),
    FIELD(STRINGS, struct search_in, order_by),
    FIELD(ENUM, struct search_in, view_type, .names = VIEW_NAMES),
};
static SHAPE(SEARCH, "MlflowSearchExperiments", struct search_in, SEARCH_FIELDS);

static enum err write_page(struct ctx *cx, const struct list *rows, const char *next,
                           struct reply *rp) {
    struct json_writer *w = mlflow_json(cx);
    const struct experiment_row *row = rows->items;
    jw_begin(w, '{');
    if (rows->count) {
        jw_member_begin(w, "experiments", '[');
        for (size_t i = 0; i < rows->count; i++)
            write_experiment(cx, w, &row[i]);
        jw_end(w, ']');
    }
    if (next)
        jw_member_text(w, "next_page_token", next);
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

static enum err search_experiments(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct search_in *in = rq->body ? rq->body : rq->query;
    struct experiment_search search = {.filter = in->filter,
                                       .order_by = in->order_by.items,
                                       .order_count = in->order_by.count,
                                       .lifecycle = in->view_type,
                                       .limit = in->max_results,
                                       .mlflow = true};
    struct search_page page;
    struct list rows;
    TRY(mlflow_check_results(cx, in->max_results == FIELD_NO_INT ? 0 : in->max_results));
    if (in->page_token && *in->page_token)
        search.token = in->page_token;
    TRY(mlflow_project(cx, rq, &search.project_id));
    TRY(experiment_search(cx, &search, &page));
    TRY(load_experiments(cx, search.project_id, &page.ids, &rows));
    return write_page(cx, &rows, page.next, rp);
}

/* --- changing --- */

/* An archived experiment is refused in the words for what was asked of it. */
static enum err refuse_inactive(struct ctx *cx, enum err err, const char *experiment_id) {
    if (err == ERR_NOT_FOUND)
        return mlflow_fail_experiment(cx, experiment_id);
    if (err != ERR_CONFLICT)
        return err;
    return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                       "The experiment %s must be in the 'active' state. Current state is "
                       "deleted.",
                       experiment_id);
}

static enum err place_of(struct ctx *cx, const struct req *rq, const char *experiment_id,
                         struct mlflow_place *ret) {
    const char *project_id;
    TRY(mlflow_project(cx, rq, &project_id));
    return mlflow_place(cx, project_id, experiment_id, ret);
}

static enum err post_delete(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct by_id *in = rq->body;
    struct mlflow_place place;
    struct experiment experiment;
    (void)rp;
    TRY(place_of(cx, rq, in->experiment_id, &place));
    TRY(experiment_get(cx, place.id, &experiment));
    if (experiment.archived_at)
        return mlflow_fail_experiment(cx, in->experiment_id);
    return experiment_archive(cx, place.id);
}

static enum err post_restore(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct by_id *in = rq->body;
    struct mlflow_place place;
    struct experiment experiment;
    (void)rp;
    TRY(place_of(cx, rq, in->experiment_id, &place));
    TRY(experiment_get(cx, place.id, &experiment));
    if (!experiment.archived_at)
        return mlflow_fail_experiment(cx, in->experiment_id);
    return experiment_restore(cx, place.id);
}

struct rename {
    const char *experiment_id, *new_name;
};
static const struct field RENAME_FIELDS[] = {
    FIELD(STRING, struct rename, experiment_id, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct rename, new_name, .flags = FIELD_REQUIRED),
};
static SHAPE(RENAME, "MlflowUpdateExperiment", struct rename, RENAME_FIELDS);

static enum err post_update(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct rename *in = rq->body;
    struct mlflow_place place;
    struct experiment experiment;
    (void)rp;
    TRY(place_of(cx, rq, in->experiment_id, &place));
    TRY(check_experiment_name(cx, in->new_name));
    TRY(experiment_get(cx, place.id, &experiment));
    if (experiment.archived_at)
        return mlflow_fail(cx, MLFLOW_INVALID_STATE, "Cannot rename a non-active experiment.");
    return refuse_taken(cx, experiment_rename(cx, place.id, in->new_name), in->new_name);
}

struct tag_in {
    const char *experiment_id, *key, *value;
};
static const struct field SET_TAG_FIELDS[] = {
    FIELD(STRING, struct tag_in, experiment_id, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct tag_in, key, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct tag_in, value),
};
static SHAPE(SET_TAG, "MlflowSetExperimentTag", struct tag_in, SET_TAG_FIELDS);

static const struct field DELETE_TAG_FIELDS[] = {
    FIELD(STRING, struct tag_in, experiment_id, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct tag_in, key, .flags = FIELD_REQUIRED),
};
static SHAPE(DELETE_TAG, "MlflowDeleteExperimentTag", struct tag_in, DELETE_TAG_FIELDS);

static enum err post_set_tag(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct tag_in *in = rq->body;
    const char *value = in->value ? in->value : "";
    struct mlflow_place place;
    (void)rp;
    TRY(place_of(cx, rq, in->experiment_id, &place));
    TRY(check_experiment_tag(cx, in->key, value));
    return refuse_inactive(cx, experiment_set_tag(cx, place.id, in->key, value), in->experiment_id);
}

static enum err post_delete_tag(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct tag_in *in = rq->body;
    struct mlflow_place place;
    bool found;
    (void)rp;
    TRY(place_of(cx, rq, in->experiment_id, &place));
    TRY(refuse_inactive(cx, experiment_delete_tag(cx, place.id, in->key, &found),
                        in->experiment_id));
    if (!found)
        return mlflow_fail(cx, MLFLOW_RESOURCE_DOES_NOT_EXIST,
                           "No tag with name: %s in experiment with id %s", in->key,
                           in->experiment_id);
    return OK;
}

const struct route MLFLOW_EXPERIMENT_ROUTES[] = {
    {POST, "/api/2.0/mlflow/experiments/create", SCOPE_RUN_INGEST, .body = &CREATE,
     .handle = post_create, .flags = ROUTE_MLFLOW, .audit = "experiment.create",
     .doc = "Create an experiment."},
    {GET, "/api/2.0/mlflow/experiments/get", SCOPE_RUN_READ, .query = &BY_ID,
     .handle = get_experiment, .flags = ROUTE_MLFLOW, .doc = "Get an experiment."},
    {GET, "/api/2.0/mlflow/experiments/get-by-name", SCOPE_RUN_READ, .query = &BY_NAME,
     .handle = get_by_name, .flags = ROUTE_MLFLOW, .doc = "Find an experiment by its name."},
    {GET, "/api/2.0/mlflow/experiments/search", SCOPE_RUN_READ, .query = &SEARCH,
     .handle = search_experiments, .flags = ROUTE_MLFLOW, .rate = RATE_SEARCH,
     .doc = "Search experiments."},
    {POST, "/api/2.0/mlflow/experiments/search", SCOPE_RUN_READ, .body = &SEARCH,
     .handle = search_experiments, .flags = ROUTE_MLFLOW, .rate = RATE_SEARCH,
     .doc = "Search experiments."},
    {POST, "/api/2.0/mlflow/experiments/delete", SCOPE_RUN_WRITE, .body = &BY_ID,
     .handle = post_delete, .flags = ROUTE_MLFLOW, .audit = "experiment.archive",
     .doc = "Archive an experiment with its runs."},
    {POST, "/api/2.0/mlflow/experiments/restore", SCOPE_RUN_WRITE, .body = &BY_ID,
     .handle = post_restore, .flags = ROUTE_MLFLOW, .audit = "experiment.restore",
     .doc = "Bring an archived experiment back."},
    {POST, "/api/2.0/mlflow/experiments/update", SCOPE_RUN_WRITE, .body = &RENAME,
     .handle = post_update, .flags = ROUTE_MLFLOW, .audit = "experiment.update",
     .doc = "Rename an experiment."},
    {POST, "/api/2.0/mlflow/experiments/set-experiment-tag", SCOPE_RUN_INGEST, .body = &SET_TAG,
     .handle = post_set_tag, .flags = ROUTE_MLFLOW, .doc = "Set a tag of an experiment."},
    {POST, "/api/2.0/mlflow/experiments/delete-experiment-tag", SCOPE_RUN_INGEST,
     .body = &DELETE_TAG, .handle = post_delete_tag, .flags = ROUTE_MLFLOW,
     .doc = "Delete a tag of an experiment."},
};
const size_t MLFLOW_EXPERIMENT_ROUTE_COUNT = ROUTES_COUNT(MLFLOW_EXPERIMENT_ROUTES);
