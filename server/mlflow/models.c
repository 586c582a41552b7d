/* registered-models/…: models by their names, tags, aliases, the latest version of each stage. */
#include "mlflow/registry.h"

#include <string.h>
#include <strings.h>

#define SEARCH_DEFAULT 100
#define SEARCH_MOST 1000
#define ALIAS_MAX 255
#define TAGS_BODY_MAX ((size_t)4 << 20)

const char *const MLFLOW_STAGES[] = {"None", "Staging", "Production", "Archived", NULL};

enum err mlflow_fail_registered_model(struct ctx *cx, const char *name) {
    return mlflow_fail(cx, MLFLOW_RESOURCE_DOES_NOT_EXIST,
                       "Registered Model with name=%s not found", mlflow_cut(cx, name, 256));
}

enum err mlflow_registered_model(struct ctx *cx, const struct req *rq, const char *name,
                                 const char **ret_id) {
    const char *project;
    TRY(mlflow_project(cx, rq, &project));
    TRY(model_find_id(cx, project, name, ret_id));
    return *ret_id ? OK : mlflow_fail_registered_model(cx, name);
}

enum err mlflow_stage(struct ctx *cx, const char *text, enum model_stage *ret) {
    for (int stage = 0; stage < STAGE_COUNT; stage++)
        if (strcasecmp(text, MLFLOW_STAGES[stage]) == 0) {
            *ret = (enum model_stage)stage;
            return OK;
        }
    return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                       "Invalid Model Version stage: %.100s. Value must be one of None, Staging, "
                       "Production, Archived.",
                       text);
}

enum err mlflow_registry_page(struct ctx *cx, struct registry_search *search, int64_t max_results,
                              int64_t most, const char *token) {
    if (max_results < 1)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Invalid value for max_results. It must be a positive integer, but got "
                           "%lld",
                           (long long)max_results);
    if (max_results > most)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Invalid value for request parameter max_results. It must be at most "
                           "%lld, but got value %lld",
                           (long long)most, (long long)max_results);
    search->mlflow = true;
    search->limit = max_results;
    search->token = token && *token ? token : NULL;
    return OK;
}

/* --- tags --- */

enum err mlflow_check_registry_tag(struct ctx *cx, const char *key, const char *value) {
    TRY(mlflow_check_name(cx, "key", key));
    TRY(mlflow_check_length(cx, "key", key, MLFLOW_REGISTRY_KEY_MAX));
    return mlflow_check_length(cx, "value", value, MLFLOW_REGISTRY_VALUE_MAX);
}

static void release_json(void *json) {
    json_decref(json);
}

enum err mlflow_registry_tags(struct ctx *cx, const struct list *tags, json_t **ret) {
    const struct mlflow_tag *items = tags->items;
    *ret = json_object();
    arena_defer(cx->arena, release_json, *ret);
    for (size_t i = 0; i < tags->count; i++) {
        const char *value = items[i].value ? items[i].value : "";
        TRY(mlflow_check_registry_tag(cx, items[i].key, value));
        json_object_set_new(*ret, items[i].key, json_string(value));
    }
    return OK;
}

void mlflow_write_tags(struct json_writer *w, json_t *tags) {
    const char *key;
    json_t *value;
    if (json_object_size(tags) == 0)
        return;
    jw_member_begin(w, "tags", '[');
    json_object_foreach(tags, key, value) {
        jw_begin(w, '{');
        jw_member_text(w, "key", key);
        jw_member_text(w, "value", json_string_value(value));
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

/* --- writing --- */

static void write_aliases(struct ctx *cx, struct json_writer *w, json_t *aliases) {
    const char *alias;
    json_t *version;
    if (json_object_size(aliases) == 0)
        return;
    jw_member_begin(w, "aliases", '[');
    json_object_foreach(aliases, alias, version) {
        jw_begin(w, '{');
        jw_member_text(w, "alias", alias);
        jw_member_text(w, "version", db_int(cx, json_integer_value(version)));
        jw_end(w, '}');
    }
    jw_end(w, ']');
}

/* latest: of many models. */
static void write_model(struct ctx *cx, struct json_writer *w, const struct model *model,
                        const struct list *latest) {
    const struct model_version *versions = latest->items;
    size_t first = 0, count = 0;
    while (first < latest->count && strcmp(versions[first].model_id, model->id) != 0)
        first++;
    while (first + count < latest->count &&
           strcmp(versions[first + count].model_id, model->id) == 0)
        count++;
    jw_begin(w, '{');
    jw_member_text(w, "name", model->name);
    jw_member_int(w, "creation_timestamp", mlflow_ms(model->created_at));
    jw_member_int(w, "last_updated_timestamp", mlflow_ms(model->updated_at));
    if (*model->description)
        jw_member_text(w, "description", model->description);
    mlflow_write_versions(cx, w, "latest_versions", versions + first, count);
    mlflow_write_tags(w, model->tags);
    write_aliases(cx, w, model->aliases);
    jw_end(w, '}');
}

#define EVERY_STAGE ((1u << STAGE_COUNT) - 1)

static enum err latest_of(struct ctx *cx, const struct model *models, size_t count,
                          struct list *ret) {
    const char **ids = arena_new_array(cx->arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++)
        ids[i] = models[i].id;
    return model_versions_latest(cx, ids, count, EVERY_STAGE, ret);
}

static enum err send_model(struct ctx *cx, struct reply *rp, const struct model *model) {
    struct json_writer *w = mlflow_json(cx);
    struct list latest;
    TRY(latest_of(cx, model, 1, &latest));
    jw_begin(w, '{');
    jw_name(w, "registered_model");
    write_model(cx, w, model, &latest);
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

static enum err send_model_of(struct ctx *cx, struct reply *rp, const char *id) {
    struct model model;
    TRY(model_get(cx, id, &model));
    return send_model(cx, rp, &model);
}

/* --- models --- */

struct model_message {
    const char *name, *description, *new_name;
    struct list tags;
};

/* What MLflow says of names; the schema says the rest. */
static enum err check_model_name(struct ctx *cx, const char *path, const char *name) {
    if (name[strspn(name, " \t\r\n\f\v")] == '\0')
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Missing value for required parameter '%s'.", path);
    if (strpbrk(name, "/:"))
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Invalid model name '%s'. Names cannot contain '/' or ':'.",
                           mlflow_cut(cx, name, 100));
    return mlflow_check_length(cx, path, name, 256);
}

static bool is_prompt(json_t *tags) {
    const char *value = json_string_value(json_object_get(tags, PROMPT_TAG));
    return value && strcasecmp(value, "true") == 0;
}

/* A name is taken by a model or by a prompt, and people look for it in one place only. */
static enum err fail_taken(struct ctx *cx, const char *name, bool is_new_prompt,
                           const struct model *other) {
    bool is_old_prompt = other && is_prompt(other->tags);
    const char *shown = mlflow_cut(cx, name, 100);
    if (!other || is_new_prompt == is_old_prompt)
        return mlflow_fail(cx, MLFLOW_RESOURCE_ALREADY_EXISTS, "%s (name=%s) already exists.",
                           is_new_prompt ? "Prompt" : "Registered Model", shown);
    return mlflow_fail(
        cx, MLFLOW_RESOURCE_ALREADY_EXISTS,
        "Tried to create a %s with name '%s', but the name is already taken by a "
        "%s. MLflow does not allow creating a model and a prompt with the same name.",
        is_new_prompt ? "prompt" : "registered model", shown,
        is_old_prompt ? "prompt" : "registered model");
}

/* Looks before it makes: a refusal of the database would end the transaction. What comes between
 * the two is refused as the database says it. */
static enum err require_free(struct ctx *cx, const char *project, const char *name,
                             bool is_prompt) {
    struct model other;
    bool found;
    TRY(model_find(cx, project, name, &other, &found));
    return found ? fail_taken(cx, name, is_prompt, &other) : OK;
}

/* A name that another project of the team has. */
static enum err taken_elsewhere(struct ctx *cx, enum err err, const char *name, bool is_prompt) {
    return err == ERR_CONFLICT ? fail_taken(cx, name, is_prompt, NULL) : err;
}

static const struct field CREATE_FIELDS[] = {
    FIELD(STRING, struct model_message, name, .flags = FIELD_REQUIRED),
    FIELD(LIST, struct model_message, tags, .nested = &MLFLOW_TAG),
    FIELD(STRING, struct model_message, description),
};
static SHAPE(CREATE, "MlflowCreateRegisteredModel", struct model_message, CREATE_FIELDS);

static enum err post_create(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct model_message *in = rq->body;
    struct model_create options = {.name = in->name, .description = in->description};
    struct model model;
    TRY(check_model_name(cx, "name", in->name));
    TRY(mlflow_registry_tags(cx, &in->tags, &options.tags));
    TRY(mlflow_project(cx, rq, &options.project_id));
    TRY(require_free(cx, options.project_id, in->name, is_prompt(options.tags)));
    TRY(taken_elsewhere(cx, model_create(cx, &options, &model), in->name, is_prompt(options.tags)));
    return send_model(cx, rp, &model);
}

static const struct field NAME_FIELDS[] = {
    FIELD(STRING, struct model_message, name, .flags = FIELD_REQUIRED),
};
static SHAPE(NAME, "MlflowRegisteredModelName", struct model_message, NAME_FIELDS);

static enum err get_model(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct model_message *in = rq->query;
    const char *id;
    TRY(mlflow_registered_model(cx, rq, in->name, &id));
    return send_model_of(cx, rp, id);
}

static const struct field UPDATE_FIELDS[] = {
    FIELD(STRING, struct model_message, name, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct model_message, description),
};
static SHAPE(UPDATE, "MlflowUpdateRegisteredModel", struct model_message, UPDATE_FIELDS);

static enum err patch_model(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct model_message *in = rq->body;
    const char *id;
    TRY(mlflow_registered_model(cx, rq, in->name, &id));
    if (in->description)
        TRY(model_describe(cx, id, in->description));
    return send_model_of(cx, rp, id);
}

static const struct field RENAME_FIELDS[] = {
    FIELD(STRING, struct model_message, name, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct model_message, new_name, .flags = FIELD_REQUIRED),
};
static SHAPE(RENAME, "MlflowRenameRegisteredModel", struct model_message, RENAME_FIELDS);

static enum err post_rename(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct model_message *in = rq->body;
    const char *id, *project;
    TRY(check_model_name(cx, "new_name", in->new_name));
    TRY(mlflow_registered_model(cx, rq, in->name, &id));
    TRY(mlflow_project(cx, rq, &project));
    if (strcmp(in->name, in->new_name) != 0)
        TRY(require_free(cx, project, in->new_name, false));
    TRY(taken_elsewhere(cx, model_rename(cx, id, in->new_name), in->new_name, false));
    return send_model_of(cx, rp, id);
}

static enum err delete_model(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct model_message *in = rq->body;
    const char *id;
    (void)rp;
    TRY(mlflow_registered_model(cx, rq, in->name, &id));
    return model_delete(cx, id);
}

struct search_message {
    const char *filter, *page_token;
    int64_t max_results;
    struct list order_by;
};
static const struct field SEARCH_FIELDS[] = {
    FIELD(STRING, struct search_message, filter),
    FIELD(INT, struct search_message, max_results, .flags = FIELD_NULLABLE),
    FIELD(STRINGS, struct search_message, order_by),
    FIELD(STRING, struct search_message, page_token),
};
static SHAPE(SEARCH, "MlflowSearchRegisteredModels", struct search_message, SEARCH_FIELDS);

static enum err send_models(struct ctx *cx, struct reply *rp, const struct list *models,
                            const char *next) {
    const struct model *items = models->items;
    struct json_writer *w = mlflow_json(cx);
    struct list latest;
    TRY(latest_of(cx, items, models->count, &latest));
    jw_begin(w, '{');
    if (models->count)
        jw_member_begin(w, "registered_models", '[');
    for (size_t i = 0; i < models->count; i++)
        write_model(cx, w, &items[i], &latest);
    if (models->count)
        jw_end(w, ']');
    if (next)
        jw_member_text(w, "next_page_token", next);
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

static enum err get_search(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct search_message *in = rq->query;
    struct registry_search search = {
        .filter = in->filter, .order_by = in->order_by.items, .order_count = in->order_by.count};
    struct list models;
    const char *next;
    int64_t results = in->max_results == FIELD_NO_INT ? SEARCH_DEFAULT : in->max_results;
    TRY(mlflow_registry_page(cx, &search, results, SEARCH_MOST, in->page_token));
    TRY(mlflow_project(cx, rq, &search.project_id));
    TRY(model_search(cx, &search, &models, &next));
    return send_models(cx, rp, &models, next);
}

struct latest_message {
    const char *name;
    struct list stages;
};
static const struct field LATEST_FIELDS[] = {
    FIELD(STRING, struct latest_message, name, .flags = FIELD_REQUIRED),
    FIELD(STRINGS, struct latest_message, stages),
};
static SHAPE(LATEST, "MlflowGetLatestVersions", struct latest_message, LATEST_FIELDS);

static enum err send_latest(struct ctx *cx, const struct req *rq, const struct latest_message *in,
                            struct reply *rp) {
    const char *const *names = in->stages.items, *id;
    struct json_writer *w = mlflow_json(cx);
    struct list versions;
    unsigned stages = in->stages.count ? 0 : EVERY_STAGE;
    for (size_t i = 0; i < in->stages.count; i++) {
        enum model_stage stage;
        TRY(mlflow_stage(cx, names[i], &stage));
        stages |= 1u << stage;
    }
    TRY(mlflow_registered_model(cx, rq, in->name, &id));
    TRY(model_versions_latest(cx, &id, 1, stages, &versions));
    jw_begin(w, '{');
    mlflow_write_versions(cx, w, "model_versions", versions.items, versions.count);
    jw_end(w, '}');
    mlflow_send(rp, w);
    return OK;
}

static enum err post_latest(struct ctx *cx, const struct req *rq, struct reply *rp) {
    return send_latest(cx, rq, rq->body, rp);
}

static enum err get_latest(struct ctx *cx, const struct req *rq, struct reply *rp) {
    return send_latest(cx, rq, rq->query, rp);
}

/* --- tags --- */

struct tag_message {
    const char *name, *key, *value;
};
static const struct field SET_TAG_FIELDS[] = {
    FIELD(STRING, struct tag_message, name, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct tag_message, key, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct tag_message, value),
};
static SHAPE(SET_TAG, "MlflowSetRegisteredModelTag", struct tag_message, SET_TAG_FIELDS);

static enum err post_tag(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct tag_message *in = rq->body;
    const char *id, *value = in->value ? in->value : "";
    (void)rp;
    TRY(mlflow_check_registry_tag(cx, in->key, value));
    TRY(mlflow_registered_model(cx, rq, in->name, &id));
    return model_set_tag(cx, id, in->key, value);
}

static const struct field DELETE_TAG_FIELDS[] = {
    FIELD(STRING, struct tag_message, name, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct tag_message, key, .flags = FIELD_REQUIRED),
};
static SHAPE(DELETE_TAG, "MlflowDeleteRegisteredModelTag", struct tag_message, DELETE_TAG_FIELDS);

/* One that is not there is gone already. */
static enum err delete_tag(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct tag_message *in = rq->body;
    const char *id;
    bool found;
    (void)rp;
    TRY(mlflow_registered_model(cx, rq, in->name, &id));
    return model_delete_tag(cx, id, in->key, &found);
}

/* --- aliases --- */

struct alias_message {
    const char *name, *alias, *version;
};
static const struct field SET_ALIAS_FIELDS[] = {
    FIELD(STRING, struct alias_message, name, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct alias_message, alias, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct alias_message, version, .flags = FIELD_REQUIRED),
};
static SHAPE(SET_ALIAS, "MlflowSetAlias", struct alias_message, SET_ALIAS_FIELDS);

static bool is_version_word(const char *alias) {
    return (*alias == 'v' || *alias == 'V') && alias[1] &&
           strspn(alias + 1, "0123456789") == strlen(alias + 1);
}

static enum err check_alias(struct ctx *cx, const char *alias) {
    static const char PLAIN[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    if (alias[strspn(alias, PLAIN)])
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Invalid alias name: '%s'. Names may only contain alphanumerics, "
                           "underscores (_), and dashes (-).",
                           mlflow_cut(cx, alias, 100));
    return mlflow_check_length(cx, "Registered model alias name", alias, ALIAS_MAX);
}

static enum err check_alias_is_free(struct ctx *cx, const char *alias) {
    TRY(check_alias(cx, alias));
    if (strcasecmp(alias, "latest") == 0)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "'latest' alias name (case insensitive) is reserved.");
    if (is_version_word(alias))
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Version alias name '%s' is reserved.", mlflow_cut(cx, alias, 100));
    return OK;
}

static enum err post_alias(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct alias_message *in = rq->body;
    struct model_version version;
    (void)rp;
    TRY(check_alias_is_free(cx, in->alias));
    TRY(mlflow_require_version(cx, rq, in->name, in->version, &version));
    return alias_set(cx, version.model_id, in->alias, version.version);
}

static const struct field ALIAS_FIELDS[] = {
    FIELD(STRING, struct alias_message, name, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct alias_message, alias, .flags = FIELD_REQUIRED),
};
static SHAPE(ALIAS, "MlflowAlias", struct alias_message, ALIAS_FIELDS);

static enum err delete_alias(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct alias_message *in = rq->body;
    const char *id;
    bool found;
    (void)rp;
    TRY(check_alias(cx, in->alias));
    TRY(mlflow_registered_model(cx, rq, in->name, &id));
    return alias_delete(cx, id, in->alias, &found);
}

static enum err get_alias(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct alias_message *in = rq->query;
    struct model_version version;
    const char *id;
    bool found;
    TRY(check_alias(cx, in->alias));
    TRY(mlflow_registered_model(cx, rq, in->name, &id));
    TRY(model_version_by_alias(cx, id, in->alias, &version, &found));
    if (!found && strcasecmp(in->alias, "latest") == 0)
        return mlflow_fail(cx, MLFLOW_RESOURCE_DOES_NOT_EXIST,
                           "Latest version not found for model %s.", mlflow_cut(cx, in->name, 256));
    if (!found)
        return mlflow_fail(cx, MLFLOW_INVALID_PARAMETER_VALUE,
                           "Registered model alias %s not found.", in->alias);
    mlflow_send_version(cx, rp, &version);
    return OK;
}

#define MODELS "/api/2.0/mlflow/registered-models/"

const struct route MLFLOW_MODEL_ROUTES[] = {
    {POST, MODELS "create", SCOPE_MODEL_WRITE, .body = &CREATE, .handle = post_create,
     .flags = ROUTE_MLFLOW, .max_body = TAGS_BODY_MAX, .audit = "model.create",
     .doc = "Create a registered model."},
    {GET, MODELS "get", SCOPE_MODEL_READ, .query = &NAME, .handle = get_model,
     .flags = ROUTE_MLFLOW, .doc = "Get a registered model."},
    {PATCH, MODELS "update", SCOPE_MODEL_WRITE, .body = &UPDATE, .handle = patch_model,
     .flags = ROUTE_MLFLOW, .audit = "model.update", .doc = "Describe a registered model."},
    {POST, MODELS "rename", SCOPE_MODEL_WRITE, .body = &RENAME, .handle = post_rename,
     .flags = ROUTE_MLFLOW, .audit = "model.update", .doc = "Rename a registered model."},
    {DELETE, MODELS "delete", SCOPE_MODEL_WRITE, .body = &NAME, .handle = delete_model,
     .flags = ROUTE_MLFLOW, .audit = "model.delete",
     .doc = "Delete a registered model with its versions."},
    {GET, MODELS "search", SCOPE_MODEL_READ, .query = &SEARCH, .handle = get_search,
     .flags = ROUTE_MLFLOW, .rate = RATE_SEARCH, .doc = "Search registered models."},
    {POST, MODELS "get-latest-versions", SCOPE_MODEL_READ, .body = &LATEST, .handle = post_latest,
     .flags = ROUTE_MLFLOW, .doc = "Get the latest version of each stage."},
    {GET, MODELS "get-latest-versions", SCOPE_MODEL_READ, .query = &LATEST, .handle = get_latest,
     .flags = ROUTE_MLFLOW, .doc = "Get the latest version of each stage, by a query."},
    {POST, MODELS "set-tag", SCOPE_MODEL_WRITE, .body = &SET_TAG, .handle = post_tag,
     .flags = ROUTE_MLFLOW, .audit = "model.tag", .doc = "Set a tag of a registered model."},
    {DELETE, MODELS "delete-tag", SCOPE_MODEL_WRITE, .body = &DELETE_TAG, .handle = delete_tag,
     .flags = ROUTE_MLFLOW, .audit = "model.untag", .doc = "Delete a tag of a registered model."},
    {POST, MODELS "alias", SCOPE_MODEL_WRITE, .body = &SET_ALIAS, .handle = post_alias,
     .flags = ROUTE_MLFLOW, .doc = "Let an alias stand for a version."},
    {DELETE, MODELS "alias", SCOPE_MODEL_WRITE, .body = &ALIAS, .handle = delete_alias,
     .flags = ROUTE_MLFLOW, .doc = "Delete an alias."},
    {GET, MODELS "alias", SCOPE_MODEL_READ, .query = &ALIAS, .handle = get_alias,
     .flags = ROUTE_MLFLOW, .doc = "Get the version an alias stands for."},
};
const size_t MLFLOW_MODEL_ROUTE_COUNT = ROUTES_COUNT(MLFLOW_MODEL_ROUTES);
