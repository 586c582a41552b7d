/* registry_routes.c: models, their tags and aliases over HTTP; versions: versions_routes.c. */
#include "http/page.h"
#include "projects/projects.h"
#include "registry/internal.h"

/* ---- models */

static const struct field REGISTRY_QUERY_FIELDS[] = {
    PAGE_QUERY_FIELDS(struct registry_query),
    FIELD(STRING, struct registry_query, filter, .flags = FIELD_NULLABLE, .max = 8192,
          .doc = "such as name LIKE 'churn%' AND tags.task = 'ranking'"),
    FIELD(STRING, struct registry_query, order_by, .flags = FIELD_NULLABLE, .max = 1000,
          .doc = "such as updated_at DESC"),
};
SHAPE(REGISTRY_QUERY, "RegistryQuery", struct registry_query, REGISTRY_QUERY_FIELDS);

static const struct field MODEL_CREATE_FIELDS[] = {
    FIELD(STRING, struct model_create, name, .flags = FIELD_REQUIRED, .max = MODEL_NAME_BYTES),
    FIELD(STRING, struct model_create, description, .max = DESCRIPTION_BYTES),
    FIELD(JSON, struct model_create, tags, .flags = FIELD_NULLABLE,
          .typescript = "Record<string, string>"),
};
static SHAPE(MODEL_CREATE, "ModelCreate", struct model_create, MODEL_CREATE_FIELDS);

struct model_update {
    const char *name, *description;
};
static const struct field MODEL_UPDATE_FIELDS[] = {
    FIELD(STRING, struct model_update, name, .max = MODEL_NAME_BYTES),
    FIELD(STRING, struct model_update, description, .max = DESCRIPTION_BYTES),
};
static SHAPE(MODEL_UPDATE, "ModelUpdate", struct model_update, MODEL_UPDATE_FIELDS);

enum err registry_search_of(struct ctx *cx, const struct req *rq, struct registry_search *ret) {
    const struct registry_query *query = rq->query;
    struct project project;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    const char **order = arena_new_array(cx->arena, const char *, 1);
    order[0] = query->order_by;
    *ret = (struct registry_search){.project_id = project.id,
                                    .filter = query->filter,
                                    .order_by = order,
                                    .order_count = query->order_by != NULL,
                                    .limit = page_limit(&query->page),
                                    .token = query->page.cursor};
    return OK;
}

static enum err get_models(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct registry_search search;
    struct list items;
    const char *next;
    TRY(registry_search_of(cx, rq, &search));
    TRY(model_search(cx, &search, &items, &next));
    reply_page(rp, items, next);
    return OK;
}

static enum err post_model(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct model_create options = *(const struct model_create *)rq->body;
    struct model *model = arena_new_struct(cx->arena, struct model);
    struct project project;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    options.project_id = project.id;
    TRY(model_create(cx, &options, model));
    reply_location(cx, rp, "/api/v1/models/%s", model->id);
    reply_object(rp, model);
    return OK;
}

/* The model of the path as it is now. */
static enum err reply_model(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct model *model = arena_new_struct(cx->arena, struct model);
    TRY(model_get(cx, req_param(rq, "model"), model));
    reply_object(rp, model);
    return OK;
}

static enum err model_of_path(struct ctx *cx, const struct req *rq, const char **ret_id) {
    struct model model;
    TRY(model_get(cx, req_param(rq, "model"), &model));
    *ret_id = model.id;
    return OK;
}

static enum err patch_model(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct model_update *body = rq->body;
    const char *id;
    TRY(model_of_path(cx, rq, &id));
    if (req_has(rq, "name"))
        TRY(model_rename(cx, id, body->name));
    if (req_has(rq, "description"))
        TRY(model_describe(cx, id, body->description));
    return reply_model(cx, rq, rp);
}

static enum err delete_model(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const char *id;
    (void)rp;
    TRY(model_of_path(cx, rq, &id));
    return model_delete(cx, id);
}

/* ---- tags */

static const struct field TAG_FIELDS[] = {
    FIELD(STRING, struct tag_body, key, .flags = FIELD_REQUIRED, .max = 1000),
    FIELD(STRING, struct tag_body, value, .flags = FIELD_REQUIRED, .max = 400000),
};
SHAPE(TAG_BODY, "RegistryTag", struct tag_body, TAG_FIELDS);

static const struct field TAG_QUERY_FIELDS[] = {
    FIELD(STRING, struct tag_query, key, .flags = FIELD_REQUIRED, .max = 1000),
};
SHAPE(TAG_QUERY, "RegistryTagQuery", struct tag_query, TAG_QUERY_FIELDS);

static enum err post_model_tag(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct tag_body *body = rq->body;
    const char *id;
    TRY(model_of_path(cx, rq, &id));
    TRY(model_set_tag(cx, id, body->key, body->value));
    return reply_model(cx, rq, rp);
}

static enum err delete_model_tag(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct tag_query *query = rq->query;
    const char *id;
    bool found;
    (void)rp;
    TRY(model_of_path(cx, rq, &id));
    TRY(model_delete_tag(cx, id, query->key, &found));
    return found ? OK : fail(cx, ERR_NOT_FOUND, "tag \"%.250s\" does not exist", query->key);
}

/* ---- aliases */

struct alias_update {
    int64_t version;
};
static const struct field ALIAS_UPDATE_FIELDS[] = {
    FIELD(INT, struct alias_update, version, .flags = FIELD_REQUIRED, .min = 1, .max = INT32_MAX),
};
static SHAPE(ALIAS_UPDATE, "AliasUpdate", struct alias_update, ALIAS_UPDATE_FIELDS);

static enum err get_alias(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct model_version *version = arena_new_struct(cx->arena, struct model_version);
    const char *id, *alias = req_param(rq, "alias");
    bool found;
    TRY(model_of_path(cx, rq, &id));
    TRY(model_version_by_alias(cx, id, alias, version, &found));
    if (!found)
        return fail(cx, ERR_NOT_FOUND, "alias \"%.255s\" does not exist", alias);
    reply_object(rp, version);
    return OK;
}

static enum err put_alias(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct alias_update *body = rq->body;
    const char *id;
    TRY(model_of_path(cx, rq, &id));
    TRY(alias_set(cx, id, req_param(rq, "alias"), body->version));
    return reply_model(cx, rq, rp);
}

static enum err delete_alias(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const char *id, *alias = req_param(rq, "alias");
    bool found;
    (void)rp;
    TRY(model_of_path(cx, rq, &id));
    TRY(alias_delete(cx, id, alias, &found));
    return found ? OK : fail(cx, ERR_NOT_FOUND, "alias \"%.255s\" does not exist", alias);
}

const struct route REGISTRY_ROUTES[] = {
    {GET, "/api/v1/projects/{project}/models", SCOPE_MODEL_READ, .query = &REGISTRY_QUERY,
     .reply = &MODEL_SHAPE, .handle = get_models, .flags = ROUTE_LIST, .rate = RATE_SEARCH,
     .doc = "Search a project's models, newest first; prompts only when the filter asks for them."},
    {POST, "/api/v1/projects/{project}/models", SCOPE_MODEL_WRITE, .body = &MODEL_CREATE,
     .reply = &MODEL_SHAPE, .handle = post_model, .flags = ROUTE_IDEMPOTENT, .status = 201,
     .audit = "model.create", .doc = "Create a model without versions."},
    {GET, "/api/v1/models/{model}", SCOPE_MODEL_READ, .reply = &MODEL_SHAPE, .handle = reply_model,
     .doc = "Get a model."},
    {PATCH, "/api/v1/models/{model}", SCOPE_MODEL_WRITE, .body = &MODEL_UPDATE,
     .reply = &MODEL_SHAPE, .handle = patch_model, .audit = "model.update",
     .doc = "Change a model's name or description."},
    {DELETE, "/api/v1/models/{model}", SCOPE_MODEL_WRITE, .handle = delete_model,
     .audit = "model.delete",
     .doc = "Delete a model with its versions; refused while one is being served."},
    {POST, "/api/v1/models/{model}/tags", SCOPE_MODEL_WRITE, .body = &TAG_BODY,
     .reply = &MODEL_SHAPE, .handle = post_model_tag, .audit = "model.tag",
     .doc = "Set a tag of a model."},
    {DELETE, "/api/v1/models/{model}/tags", SCOPE_MODEL_WRITE, .query = &TAG_QUERY,
     .handle = delete_model_tag, .audit = "model.untag", .doc = "Remove a tag of a model."},
    {GET, "/api/v1/models/{model}/aliases/{alias}", SCOPE_MODEL_READ, .reply = &MODEL_VERSION_SHAPE,
     .handle = get_alias, .doc = "Get the version an alias stands for; latest is the newest."},
    {PUT, "/api/v1/models/{model}/aliases/{alias}", SCOPE_MODEL_WRITE, .body = &ALIAS_UPDATE,
     .reply = &MODEL_SHAPE, .handle = put_alias, .doc = "Let an alias stand for a version."},
    {DELETE, "/api/v1/models/{model}/aliases/{alias}", SCOPE_MODEL_WRITE, .handle = delete_alias,
     .doc = "Remove an alias."},
};
const size_t REGISTRY_ROUTE_COUNT = ROUTES_COUNT(REGISTRY_ROUTES);
