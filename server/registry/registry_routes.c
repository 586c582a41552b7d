/* registry_routes.c: models, versions and their files over HTTP. */
#include "artifacts/artifacts.h"
#include "base/ident.h"
#include "http/page.h"
#include "projects/projects.h"
#include "registry/internal.h"

#include "sql/registry.h"

#define MODEL_NAME .min = 1, .max = 128, .pattern = "^[A-Za-z0-9][A-Za-z0-9._-]*$"

struct model_query {
    struct page_query page;
};
static const struct field MODEL_QUERY_FIELDS[] = {PAGE_QUERY_FIELDS(struct model_query)};
static SHAPE(MODEL_QUERY, "ModelQuery", struct model_query, MODEL_QUERY_FIELDS);

struct model_create {
    const char *name, *description;
};
static const struct field MODEL_CREATE_FIELDS[] = {
    FIELD(STRING, struct model_create, name, .flags = FIELD_REQUIRED, MODEL_NAME),
    FIELD(STRING, struct model_create, description, .max = 10000),
};
static SHAPE(MODEL_CREATE, "ModelCreate", struct model_create, MODEL_CREATE_FIELDS);

struct description_update {
    const char *description;
};
static const struct field DESCRIPTION_UPDATE_FIELDS[] = {
    FIELD(STRING, struct description_update, description, .max = 10000),
};
static SHAPE(DESCRIPTION_UPDATE, "DescriptionUpdate", struct description_update,
             DESCRIPTION_UPDATE_FIELDS);

struct version_create {
    const char *model, *run_id, *description;
};
static const struct field VERSION_CREATE_FIELDS[] = {
    FIELD(STRING, struct version_create, model, .flags = FIELD_REQUIRED, MODEL_NAME,
          .doc = "the model's name; made when absent"),
    FIELD(UUID, struct version_create, run_id, .flags = FIELD_REQUIRED),
    FIELD(STRING, struct version_create, description, .max = 10000),
};
static SHAPE(VERSION_CREATE, "ModelVersionCreate", struct version_create, VERSION_CREATE_FIELDS);

static enum err get_models(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct model_query *query = rq->query;
    struct project project;
    const char *after;
    struct list items;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    TRY(page_after(cx, &query->page, &after));
    TRY(db_many(cx, &SQL_model_list,
                ARGS(cx->who.team_id, project.id, after, page_rows(cx, &query->page)), &MODEL_SHAPE,
                &items));
    reply_page_by_id(cx, rq, rp, &query->page, items);
    return OK;
}

static enum err post_model(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct model_create *body = rq->body;
    struct model *model = arena_new_struct(cx->arena, struct model);
    struct project project;
    char id[UUID_TEXT_SIZE];
    uuid_new(id);
    TRY(project_require(cx, req_param(rq, "project"), &project));
    TRY(db_exec(cx, &SQL_model_create,
                ARGS(id, cx->who.team_id, project.id, body->name, body->description), NULL));
    TRY(model_get(cx, id, model));
    reply_location(cx, rp, "/api/v1/models/%s", id);
    reply_object(rp, model);
    return OK;
}

static enum err get_model(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct model *model = arena_new_struct(cx->arena, struct model);
    TRY(model_get(cx, req_param(rq, "model"), model));
    reply_object(rp, model);
    return OK;
}

static enum err patch_model(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct description_update *body = rq->body;
    struct model *model = arena_new_struct(cx->arena, struct model);
    TRY(model_get(cx, req_param(rq, "model"), model));
    if (req_has(rq, "description")) {
        TRY(db_exec(cx, &SQL_model_describe, ARGS(cx->who.team_id, model->id, body->description),
                    NULL));
        TRY(model_get(cx, model->id, model));
    }
    reply_object(rp, model);
    return OK;
}

static enum err get_versions(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct model_query *query = rq->query;
    struct model model;
    const char *before, *next = NULL;
    struct list items;
    TRY(model_get(cx, req_param(rq, "model"), &model));
    TRY(page_after(cx, &query->page, &before));
    TRY(db_many(cx, &SQL_model_version_list,
                ARGS(cx->who.team_id, model.id, before, page_rows(cx, &query->page)),
                &MODEL_VERSION_SHAPE, &items));
    size_t limit = (size_t)page_limit(&query->page);
    if (items.count > limit) {
        items.count = limit;
        const struct model_version *last = (struct model_version *)items.items + limit - 1;
        next = cursor_encode(cx, ARGS(db_int(cx, last->version)), 1);
    }
    reply_page(rp, items, next);
    return OK;
}

static enum err post_version(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct version_create *body = rq->body;
    struct model_version *version = arena_new_struct(cx->arena, struct model_version);
    struct project project;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    TRY(model_register(cx,
                       &(struct registration){.project_id = project.id,
                                              .model = body->model,
                                              .run_id = body->run_id,
                                              .description = body->description},
                       version));
    reply_location(cx, rp, "/api/v1/model-versions/%s", version->id);
    reply_object(rp, version);
    return OK;
}

static enum err get_version(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct model_version *version = arena_new_struct(cx->arena, struct model_version);
    TRY(model_version_get(cx, req_param(rq, "version"), version));
    reply_object(rp, version);
    return OK;
}

static enum err patch_version(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct description_update *body = rq->body;
    struct model_version *version = arena_new_struct(cx->arena, struct model_version);
    TRY(model_version_get(cx, req_param(rq, "version"), version));
    if (req_has(rq, "description")) {
        TRY(db_exec(cx, &SQL_model_version_describe,
                    ARGS(cx->who.team_id, version->id, body->description), NULL));
        TRY(model_version_get(cx, version->id, version));
    }
    reply_object(rp, version);
    return OK;
}

static enum err get_version_file(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct model_file file;
    int fd;
    int64_t size;
    TRY(model_file_get(cx, req_param(rq, "version"), req_param(rq, "name"), &file));
    TRY(blob_open(cx, file.sha256, &fd, &size));
    reply_file(rp, &(struct reply_file){.fd = fd,
                                        .size_bytes = size,
                                        .media_type = file.media_type,
                                        .file_name = file.name,
                                        .etag = file.sha256});
    return OK;
}

const struct route REGISTRY_ROUTES[] = {
    {GET, "/api/v1/projects/{project}/models", SCOPE_MODEL_READ, .query = &MODEL_QUERY,
     .reply = &MODEL_SHAPE, .handle = get_models, .flags = ROUTE_LIST,
     .doc = "List a project's models, newest first."},
    {POST, "/api/v1/projects/{project}/models", SCOPE_MODEL_WRITE, .body = &MODEL_CREATE,
     .reply = &MODEL_SHAPE, .handle = post_model, .flags = ROUTE_IDEMPOTENT, .status = 201,
     .audit = "model.create", .doc = "Create a model without versions."},
    {GET, "/api/v1/models/{model}", SCOPE_MODEL_READ, .reply = &MODEL_SHAPE, .handle = get_model,
     .doc = "Get a model."},
    {PATCH, "/api/v1/models/{model}", SCOPE_MODEL_WRITE, .body = &DESCRIPTION_UPDATE,
     .reply = &MODEL_SHAPE, .handle = patch_model, .audit = "model.update",
     .doc = "Change a model's description."},
    {GET, "/api/v1/models/{model}/versions", SCOPE_MODEL_READ, .query = &MODEL_QUERY,
     .reply = &MODEL_VERSION_SHAPE, .handle = get_versions, .flags = ROUTE_LIST,
     .doc = "List a model's versions, newest first."},
    {POST, "/api/v1/projects/{project}/model-versions", SCOPE_MODEL_WRITE, .body = &VERSION_CREATE,
     .reply = &MODEL_VERSION_SHAPE, .handle = post_version, .flags = ROUTE_IDEMPOTENT,
     .status = 201, .audit = "model_version.create",
     .doc = "Register a succeeded run's model as the next version."},
    {GET, "/api/v1/model-versions/{version}", SCOPE_MODEL_READ, .reply = &MODEL_VERSION_SHAPE,
     .handle = get_version, .doc = "Get a model version."},
    {PATCH, "/api/v1/model-versions/{version}", SCOPE_MODEL_WRITE, .body = &DESCRIPTION_UPDATE,
     .reply = &MODEL_VERSION_SHAPE, .handle = patch_version, .audit = "model_version.update",
     .doc = "Change a model version's description."},
    {GET, "/api/v1/model-versions/{version}/files/{name}", SCOPE_MODEL_READ,
     .handle = get_version_file, .rate = RATE_DOWNLOAD, .doc = "Download a model version's file."},
};
const size_t REGISTRY_ROUTE_COUNT = ROUTES_COUNT(REGISTRY_ROUTES);
