/* Logged models on MLflow's wire. */
#include "mlflow/mlflow.h"

#include "tracking/tracking.h"

#include <string.h>

#define SEARCH_DEFAULT 50
#define SEARCH_MOST 1000
#define PARAMS_BODY_MAX ((size_t)4 << 20) /* a hundred values of 6,000 characters, and tags */

/* On the wire; the order of enum logged_model_status. */
static const char *const STATUSES[] = {"LOGGED_MODEL_PENDING", "LOGGED_MODEL_READY",
                                       "LOGGED_MODEL_UPLOAD_FAILED", NULL};

/* --- writing --- */

static void write_texts(struct json_writer *w, const char *name, json_t *texts) {
    const char *key;
    json_t *value;
    if (json_object_size(texts) == 0)
        return;
    jw_member_begin(w, name, '[');
    json_object_foreach(texts, key, value) {
        jw_begin(w, '{');
        jw_member_text(w, "key", key);
        jw_member_text(w, "value", json_string_value(value));
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

/* A value that JSON cannot say came from the database as its name. */
static void write_value(struct json_writer *w, const json_t *value) {
    jw_name(w, "value");
    if (json_is_string(value))
        jw_real(w, strtod(json_string_value(value), NULL));
    else
        jw_real(w, json_number_value(value));
}

static void write_metric(struct ctx *cx, struct json_writer *w, const struct logged_model *model,
                         json_t *metric) {
    const char *name = json_string_value(json_object_get(metric, "dataset_name"));
    const char *digest = json_string_value(json_object_get(metric, "dataset_digest"));
    const char *run = json_string_value(json_object_get(metric, "run_id"));
    jw_begin(w, '{');
    jw_member_text(w, "key", json_string_value(json_object_get(metric, "key")));
    write_value(w, json_object_get(metric, "value"));
    jw_member_int(w, "timestamp", json_integer_value(json_object_get(metric, "timestamp")));
    jw_member_int(w, "step", json_integer_value(json_object_get(metric, "step")));
    if (name && *name)
        jw_member_text(w, "dataset_name", name);
    if (digest && *digest)
        jw_member_text(w, "dataset_digest", digest);
    jw_member_text(w, "model_id", mlflow_model_id(cx, model->id));
    jw_member_text(w, "run_id", mlflow_run_id(cx, run));
    jw_end(w, '}');
}

static void write_info(struct ctx *cx, struct json_writer *w, const struct logged_model *m) {
    jw_member_begin(w, "info", '{');
    jw_member_text(w, "model_id", mlflow_model_id(cx, m->id));
    jw_member_text(w, "experiment_id",
                   arena_printf(cx->arena, "%lld", (long long)m->experiment_number));
    jw_member_text(w, "name", m->name);
    jw_member_int(w, "creation_timestamp_ms", mlflow_ms(m->created_at));
    jw_member_int(w, "last_updated_timestamp_ms", mlflow_ms(m->updated_at));
    jw_member_text(w, "artifact_uri",
                   mlflow_model_uri(cx, m->artifact_location, m->experiment_number, m->id));
    jw_member_text(w, "status", STATUSES[m->status]);
    if (*m->model_type)
        jw_member_text(w, "model_type", m->model_type);
    if (m->source_run_id || *m->source_run_ref)
        jw_member_text(w, "source_run_id",
                       m->source_run_id ? mlflow_run_id(cx, m->source_run_id) : m->source_run_ref);
    if (*m->status_message)
        jw_member_text(w, "status_message", m->status_message);
    write_texts(w, "tags", m->tags);
    jw_end(w, '}');
}

static void write_model(struct ctx *cx, struct json_writer *w, const struct logged_model *m) {
    size_t i;
    json_t *metric;
    jw_begin(w, '{');
    write_info(cx, w, m);
    jw_member_begin(w, "data", '{');
    write_texts(w, "params", m->params);
    if (json_array_size(m->metrics)) {
        jw_member_begin(w, "metrics", '[');
        json_array_foreach(m->metrics, i, metric) write_metric(cx, w, m, metric);
        jw_end(w, ']');
    }
    jw_end(w, '}');
    jw_end(w, '}');
}

static void send_model(struct ctx *cx, struct reply *rp, const struct logged_model *model) {
    struct json_writer *w = mlflow_json(cx);
    jw_begin(w, '{');
    jw_name(w, "model");
    write_model(cx, w, model);
    jw_end(w, '}');
    mlflow_send(rp, w);
}

/* --- one model --- */

struct texts { /* [{"key": …, "value": …}] taken apart */
    const char **keys, **values;
    size_t count;
};

static struct texts texts_of_tags(struct ctx *cx, const struct list *tags) {
    const struct mlflow_tag *items = tags->items;
    struct texts texts = {.keys = arena_new_array(cx->arena, const char *, tags->count),
                          .values = arena_new_array(cx->arena, const char *, tags->count),
                          .count = tags->count};
    for (size_t i = 0; i < tags->count; i++) {
        texts.keys[i] = items[i].key;
        texts.values[i] = items[i].value ? items[i].value : "";
    }
    return texts;
}

static void release_json(void *json) {
    json_decref(json);
}

/* Of a key given twice the last one counts. */
static json_t *object_of_tags(struct ctx *cx, const struct list *tags) {
    json_t *object = json_object();
    const struct mlflow_tag *items = tags->items;
    arena_defer(cx->arena, release_json, object);
    for (size_t i = 0; i < tags->count; i++)
        json_object_set_new(object, items[i].key,
                            json_string(items[i].value ? items[i].value : ""));
    return object;
}

static enum err fail_model(struct ctx *cx, const char *model_id) {
    return mlflow_fail(cx, MLFLOW_RESOURCE_DOES_NOT_EXIST,
                       "Logged model with ID '%.100s' not found.", model_id);
}

/* The model of the path, in the request's project. */
static enum err require_model(struct ctx *cx, const struct req *rq, const char **ret_uuid) {
    const char *project, *model_id = req_param(rq, "model");
    if (!mlflow_model_uuid(cx, model_id))
        return fail_model(cx, model_id);
    TRY(mlflow_project(cx, rq, &project));
    return logged_model_require(cx, project, model_id, ret_uuid);
}

static enum err send_by_id(struct ctx *cx, const struct req *rq, struct reply *rp,
                           bool archived_too) {
    const char *project, *model_id = req_param(rq, "model");
    struct logged_model model;
    bool found = false;
    TRY(mlflow_project(cx, rq, &project));
    if (mlflow_model_uuid(cx, model_id))
        TRY(logged_model_find(cx, project, model_id, archived_too, &model, &found));
    if (!found)
        return fail_model(cx, model_id);
    send_model(cx, rp, &model);
    return OK;
}

struct model_create {
    const char *experiment_id, *name, *model_type, *source_run_id;
    struct list params, tags;
};
static const struct field MODEL_CREATE_FIELDS[] = {
    FIELD(STRING, struct model_create, experiment_id, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct model_create, name),
    FIELD(STRING, struct model_create, model_type),
    FIELD(STRING, struct model_create, source_run_id),
    FIELD(LIST, struct model_create, params, .nested = &MLFLOW_TAG),
    FIELD(LIST, struct model_create, tags, .nested = &MLFLOW_TAG),
};
static SHAPE(MODEL_CREATE, "MlflowModelCreate", struct model_create, MODEL_CREATE_FIELDS);

static enum err require_experiment(struct ctx *cx, const char *project, const char *experiment_id,
                                   struct experiment *ret) {
    int64_t number = mlflow_experiment_number(experiment_id);
    bool found = false;
    if (number >= 0)
        TRY(experiment_find(cx, project, number, ret, &found));
    return found ? OK : mlflow_fail_experiment(cx, experiment_id);
}

static enum err post_model(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct model_create *body = rq->body;
    struct experiment experiment;
    struct logged_model model;
    const char *project,
        *run = body->source_run_id && *body->source_run_id ? body->source_run_id : NULL;
    const char *uuid = run ? mlflow_run_uuid(cx, run) : NULL;
    TRY(mlflow_project(cx, rq, &project));
    TRY(require_experiment(cx, project, body->experiment_id, &experiment));
    TRY(logged_model_create(
        cx,
        &(struct logged_model_create){
            .project_id = project,
            .experiment_id = experiment.id,
            .name = body->name && *body->name ? body->name : NULL,
            .model_type = body->model_type,
            .source_run_id = uuid,
            .source_run_ref = run && !uuid ? mlflow_cut(cx, run, MLFLOW_FOREIGN_RUN_MAX) : NULL,
            .tags = object_of_tags(cx, &body->tags),
            .params = object_of_tags(cx, &body->params)},
        &model));
    send_model(cx, rp, &model);
    return OK;
}

struct get_query {
    bool allow_deleted;
};
static const struct field GET_QUERY_FIELDS[] = {FIELD(BOOL, struct get_query, allow_deleted)};
static SHAPE(GET_QUERY, "MlflowModelQuery", struct get_query, GET_QUERY_FIELDS);

static enum err get_model(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct get_query *query = rq->query;
    return send_by_id(cx, rq, rp, query->allow_deleted);
}

struct model_finalize {
    int status;
};
static const struct field MODEL_FINALIZE_FIELDS[] = {
    FIELD(ENUM, struct model_finalize, status, .flags = FIELD_REQUIRED, .names = STATUSES),
};
static SHAPE(MODEL_FINALIZE, "MlflowModelFinalize", struct model_finalize, MODEL_FINALIZE_FIELDS);

static enum err patch_model(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct model_finalize *body = rq->body;
    const char *uuid;
    TRY(require_model(cx, rq, &uuid));
    TRY(logged_model_finalize(cx, uuid, (enum logged_model_status)body->status));
    return send_by_id(cx, rq, rp, false);
}

static enum err delete_model(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const char *uuid;
    (void)rp;
    TRY(require_model(cx, rq, &uuid));
    return logged_model_archive(cx, uuid);
}

struct model_texts {
    struct list params, tags;
};
static const struct field MODEL_PARAMS_FIELDS[] = {
    FIELD(LIST, struct model_texts, params, .nested = &MLFLOW_TAG),
};
static SHAPE(MODEL_PARAMS, "MlflowModelParams", struct model_texts, MODEL_PARAMS_FIELDS);
static const struct field MODEL_TAGS_FIELDS[] = {
    FIELD(LIST, struct model_texts, tags, .nested = &MLFLOW_TAG),
};
static SHAPE(MODEL_TAGS, "MlflowModelTags", struct model_texts, MODEL_TAGS_FIELDS);

static enum err post_params(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct model_texts *body = rq->body;
    const char *uuid;
    (void)rp;
    TRY(require_model(cx, rq, &uuid));
    struct texts params = texts_of_tags(cx, &body->params);
    return logged_model_add_params(cx, uuid, params.keys, params.values, params.count);
}

static enum err patch_tags(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct model_texts *body = rq->body;
    const char *uuid;
    TRY(require_model(cx, rq, &uuid));
    struct texts tags = texts_of_tags(cx, &body->tags);
    TRY(logged_model_put_tags(cx, uuid, tags.keys, tags.values, tags.count));
    return send_by_id(cx, rq, rp, false);
}

static enum err delete_tag(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const char *uuid, *key = req_param(rq, "key");
    bool found;
    (void)rp;
    TRY(require_model(cx, rq, &uuid));
    TRY(logged_model_delete_tag(cx, uuid, key, &found));
    if (!found)
        return mlflow_fail(cx, MLFLOW_RESOURCE_DOES_NOT_EXIST,
                           "No tag with key '%.250s' found for model with ID '%s'.", key,
                           mlflow_model_id(cx, uuid));
    return OK;
}

/* --- search --- */

struct search_dataset {
    const char *dataset_name, *dataset_digest;
};
static const struct field SEARCH_DATASET_FIELDS[] = {
    FIELD(STRING, struct search_dataset, dataset_name, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct search_dataset, dataset_digest),
};
static SHAPE(SEARCH_DATASET, "MlflowModelSearchDataset", struct search_dataset,
             SEARCH_DATASET_FIELDS);

struct search_order_by {
    const char *field_name, *dataset_name, *dataset_digest;
    json_t *ascending; /* true unless it is said to be false */
};
static const struct field SEARCH_ORDER_FIELDS[] = {
    FIELD(STRING, struct search_order_by, field_name, .flags = FIELD_REQUIRED),
    FIELD(JSON, struct search_order_by, ascending),
    FIELD(STRING, struct search_order_by, dataset_name),
    FIELD(STRING, struct search_order_by, dataset_digest),
};
static SHAPE(SEARCH_ORDER_BY, "MlflowModelSearchOrder", struct search_order_by,
             SEARCH_ORDER_FIELDS);

struct model_search {
    struct list experiment_ids, datasets, order_by;
    const char *filter, *page_token;
    int64_t max_results;
};
static const struct field MODEL_SEARCH_FIELDS[] = {
    FIELD(STRINGS, struct model_search, experiment_ids),
    FIELD(STRING, struct model_search, filter),
    FIELD(LIST, struct model_search, datasets, .nested = &SEARCH_DATASET),
    FIELD(INT, struct model_search, max_results, .flags = FIELD_NULLABLE),
    FIELD(LIST, struct model_search, order_by, .nested = &SEARCH_ORDER_BY),
    FIELD(STRING, struct model_search, page_token),
};
static SHAPE(MODEL_SEARCH, "MlflowModelSearch", struct model_search, MODEL_SEARCH_FIELDS);

/* Experiments that the project does not have find nothing. */
static enum err find_experiments(struct ctx *cx, const char *project, const struct list *ids,
                                 struct list *ret) {
    const char *const *items = ids->items;
    const char **found_ids = arena_new_array(cx->arena, const char *, ids->count + 1);
    size_t count = 0;
    for (size_t i = 0; i < ids->count; i++) {
        struct experiment experiment;
        int64_t number = mlflow_experiment_number(items[i]);
        bool found = false;
        if (number >= 0)
            TRY(experiment_find(cx, project, number, &experiment, &found));
        if (found)
            found_ids[count++] = experiment.id;
    }
    *ret = (struct list){found_ids, count};
    return OK;
}

static const char **orders_of(struct ctx *cx, const struct list *order_by) {
    const struct search_order_by *items = order_by->items;
    const char **orders = arena_new_array(cx->arena, const char *, order_by->count + 1);
    for (size_t i = 0; i < order_by->count; i++)
        orders[i] = arena_printf(cx->arena, "%s %s", items[i].field_name,
                                 json_is_false(items[i].ascending) ? "DESC" : "ASC");
    return orders;
}

/* The data sets that metrics are looked at on: the search's, else the first that an order names. */
static void take_datasets(struct ctx *cx, const struct model_search *body,
                          struct logged_model_search *ret) {
    size_t count = body->datasets.count;
    const struct search_dataset *datasets = body->datasets.items;
    const struct search_order_by *orders = body->order_by.items;
    const char **names = arena_new_array(cx->arena, const char *, count + 1);
    const char **digests = arena_new_array(cx->arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++) {
        names[i] = datasets[i].dataset_name;
        digests[i] = datasets[i].dataset_digest;
    }
    for (size_t i = 0; i < body->order_by.count && count == 0; i++)
        if (orders[i].dataset_name) {
            names[0] = orders[i].dataset_name;
            digests[0] = orders[i].dataset_digest;
            count = 1;
        }
    ret->dataset_names = names;
    ret->dataset_digests = digests;
    ret->dataset_count = count;
}

static enum err take_limit(struct ctx *cx, int64_t asked, int64_t *ret) {
    if (asked != FIELD_NO_INT && (asked < 1 || asked > SEARCH_MOST))
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Invalid value %lld for parameter 'max_results' supplied. It must be a "
                           "positive integer, %d at most",
                           (long long)asked, SEARCH_MOST);
    *ret = asked == FIELD_NO_INT ? SEARCH_DEFAULT : asked;
    return OK;
}

static void send_models(struct ctx *cx, struct reply *rp, const struct list *models,
                        const char *next) {
    const struct logged_model *items = models->items;
    struct json_writer *w = mlflow_json(cx);
    jw_begin(w, '{');
    if (models->count) {
        jw_member_begin(w, "models", '[');
        for (size_t i = 0; i < models->count; i++)
            write_model(cx, w, &items[i]);
        jw_end(w, ']');
    }
    if (next)
        jw_member_text(w, "next_page_token", next);
    jw_end(w, '}');
    mlflow_send(rp, w);
}

static enum err post_search(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct model_search *body = rq->body;
    struct logged_model_search search = {.mlflow = true, .filter = body->filter};
    struct list experiments, models;
    const char *next;
    TRY(take_limit(cx, body->max_results, &search.limit));
    TRY(mlflow_project(cx, rq, &search.project_id));
    TRY(find_experiments(cx, search.project_id, &body->experiment_ids, &experiments));
    take_datasets(cx, body, &search);
    search.experiment_ids = experiments.items;
    search.experiment_count = experiments.count;
    search.order_by = orders_of(cx, &body->order_by);
    search.order_count = body->order_by.count;
    search.token = body->page_token && *body->page_token ? body->page_token : NULL;
    TRY(logged_model_search(cx, &search, &models, &next));
    send_models(cx, rp, &models, next);
    return OK;
}

#define MODELS "/api/2.0/mlflow/logged-models"

const struct route MLFLOW_LOGGED_MODEL_ROUTES[] = {
    {POST, MODELS, SCOPE_RUN_INGEST, .body = &MODEL_CREATE, .handle = post_model,
     .flags = ROUTE_MLFLOW, .max_body = PARAMS_BODY_MAX, .doc = "Begin to log a model."},
    {POST, MODELS "/search", SCOPE_RUN_READ, .body = &MODEL_SEARCH, .handle = post_search,
     .flags = ROUTE_MLFLOW, .rate = RATE_SEARCH, .doc = "Search logged models."},
    {GET, MODELS "/{model}", SCOPE_RUN_READ, .query = &GET_QUERY, .handle = get_model,
     .flags = ROUTE_MLFLOW, .doc = "Get a logged model."},
    {PATCH, MODELS "/{model}", SCOPE_RUN_INGEST, .body = &MODEL_FINALIZE, .handle = patch_model,
     .flags = ROUTE_MLFLOW, .doc = "Say whether a logged model is whole."},
    {DELETE, MODELS "/{model}", SCOPE_RUN_INGEST, .handle = delete_model, .flags = ROUTE_MLFLOW,
     .audit = "logged_model.archive", .doc = "Archive a logged model."},
    {POST, MODELS "/{model}/params", SCOPE_RUN_INGEST, .body = &MODEL_PARAMS, .handle = post_params,
     .flags = ROUTE_MLFLOW, .max_body = PARAMS_BODY_MAX,
     .doc = "Add parameters to a logged model."},
    {PATCH, MODELS "/{model}/tags", SCOPE_RUN_INGEST, .body = &MODEL_TAGS, .handle = patch_tags,
     .flags = ROUTE_MLFLOW, .max_body = PARAMS_BODY_MAX, .doc = "Set tags of a logged model."},
    {DELETE, MODELS "/{model}/tags/{key}", SCOPE_RUN_INGEST, .handle = delete_tag,
     .flags = ROUTE_MLFLOW, .doc = "Remove a tag of a logged model."},
};
const size_t MLFLOW_LOGGED_MODEL_ROUTE_COUNT = ROUTES_COUNT(MLFLOW_LOGGED_MODEL_ROUTES);
