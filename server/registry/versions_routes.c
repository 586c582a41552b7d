/* versions_routes.c: versions of models and their files over HTTP. */
#include "artifacts/artifacts.h"
#include "http/page.h"
#include "projects/projects.h"
#include "registry/internal.h"

#include "sql/registry.h"

struct version_query {
    struct page_query page;
};
static const struct field VERSION_QUERY_FIELDS[] = {PAGE_QUERY_FIELDS(struct version_query)};
static SHAPE(VERSION_QUERY, "ModelVersionQuery", struct version_query, VERSION_QUERY_FIELDS);

struct version_body {
    const char *model, *run_id, *source, *run_link, *description;
    json_t *tags;
};
static const struct field VERSION_CREATE_FIELDS[] = {
    FIELD(STRING, struct version_body, model, .flags = FIELD_REQUIRED, .max = MODEL_NAME_BYTES,
          .doc = "the model's name; made when absent"),
    FIELD(UUID, struct version_body, run_id, .flags = FIELD_NULLABLE,
          .doc = "the run it comes from; without a source, a succeeded one with a model"),
    FIELD(STRING, struct version_body, source, .flags = FIELD_NULLABLE, .max = 8000,
          .doc = "where its files are: runs:/<run>/path, models:/<name>/<version>, "
                 "models:/<name>@<alias>, models:/m-<logged model> or mlflow-artifacts:/…; an "
                 "address of another store is kept, and nothing behind it asked"),
    FIELD(STRING, struct version_body, run_link, .flags = FIELD_NULLABLE, .max = 8000),
    FIELD(STRING, struct version_body, description, .max = DESCRIPTION_BYTES),
    FIELD(JSON, struct version_body, tags, .flags = FIELD_NULLABLE,
          .typescript = "Record<string, string>"),
};
static SHAPE(VERSION_CREATE, "ModelVersionCreate", struct version_body, VERSION_CREATE_FIELDS);

struct version_update {
    const char *description;
    int stage;
    bool archive_existing;
};
static const struct field VERSION_UPDATE_FIELDS[] = {
    FIELD(STRING, struct version_update, description, .max = DESCRIPTION_BYTES),
    FIELD(ENUM, struct version_update, stage, .names = MODEL_STAGE_NAMES),
    FIELD(BOOL, struct version_update, archive_existing,
          .doc = "versions that are in this stage become archived"),
};
static SHAPE(VERSION_UPDATE, "ModelVersionUpdate", struct version_update, VERSION_UPDATE_FIELDS);

static enum err search_versions(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct registry_search search;
    struct list items;
    const char *next;
    TRY(registry_search_of(cx, rq, &search));
    TRY(model_version_search(cx, &search, &items, &next));
    reply_page(rp, items, next);
    return OK;
}

static enum err get_versions(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct version_query *query = rq->query;
    struct model model;
    const char *before, *next = NULL;
    struct list ids, items;
    TRY(model_get(cx, req_param(rq, "model"), &model));
    TRY(page_after(cx, &query->page, &before));
    TRY(db_many(cx, &SQL_model_version_ids,
                ARGS(cx->who.team_id, model.id, before, page_rows(cx, &query->page)), &ID_SHAPE,
                &ids));
    size_t limit = (size_t)page_limit(&query->page);
    bool more = ids.count > limit;
    ids.count = more ? limit : ids.count;
    TRY(model_version_load(cx, ids, false, &items));
    if (more && items.count > 0) {
        const struct model_version *last = (struct model_version *)items.items + items.count - 1;
        next = cursor_encode(cx, ARGS(db_int(cx, last->version)), 1);
    }
    reply_page(rp, items, next);
    return OK;
}

static enum err create_from_source(struct ctx *cx, const char *project_id,
                                   const struct version_body *body, struct model_version *ret) {
    struct model model;
    TRY(model_ensure(cx, project_id, body->model, &model));
    return model_version_create(cx,
                                &(struct model_version_create){.model_id = model.id,
                                                               .source = body->source,
                                                               .run_id = body->run_id,
                                                               .run_link = body->run_link,
                                                               .description = body->description,
                                                               .tags = body->tags},
                                ret);
}

static enum err create_from_run(struct ctx *cx, const char *project_id,
                                const struct version_body *body, struct model_version *ret) {
    if (!body->run_id)
        return fail_field(cx, ERR_INVALID, "run_id", "a version needs a run_id or a source");
    return model_register(cx,
                          &(struct registration){.project_id = project_id,
                                                 .model = body->model,
                                                 .run_id = body->run_id,
                                                 .description = body->description,
                                                 .run_link = body->run_link,
                                                 .tags = body->tags},
                          ret);
}

static enum err post_version(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct version_body *body = rq->body;
    struct model_version *version = arena_new_struct(cx->arena, struct model_version);
    struct project project;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    TRY(body->source ? create_from_source(cx, project.id, body, version)
                     : create_from_run(cx, project.id, body, version));
    reply_location(cx, rp, "/api/v1/model-versions/%s", version->id);
    reply_object(rp, version);
    return OK;
}

/* The version of the path as it is now. */
static enum err reply_version(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct model_version *version = arena_new_struct(cx->arena, struct model_version);
    TRY(model_version_get(cx, req_param(rq, "version"), version));
    reply_object(rp, version);
    return OK;
}

static enum err version_of_path(struct ctx *cx, const struct req *rq, const char **ret_id) {
    struct model_version version;
    TRY(model_version_get(cx, req_param(rq, "version"), &version));
    *ret_id = version.id;
    return OK;
}

static enum err patch_version(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct version_update *body = rq->body;
    const char *id;
    TRY(version_of_path(cx, rq, &id));
    if (req_has(rq, "description"))
        TRY(model_version_describe(cx, id, body->description));
    if (req_has(rq, "stage"))
        TRY(model_version_set_stage(cx, id, (enum model_stage)body->stage, body->archive_existing));
    return reply_version(cx, rq, rp);
}

static enum err delete_version(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rp;
    return model_version_delete(cx, req_param(rq, "version"));
}

static enum err post_version_tag(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct tag_body *body = rq->body;
    const char *id;
    TRY(version_of_path(cx, rq, &id));
    TRY(model_version_set_tag(cx, id, body->key, body->value));
    return reply_version(cx, rq, rp);
}

static enum err delete_version_tag(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct tag_query *query = rq->query;
    const char *id;
    bool found;
    (void)rp;
    TRY(version_of_path(cx, rq, &id));
    TRY(model_version_delete_tag(cx, id, query->key, &found));
    return found ? OK : fail(cx, ERR_NOT_FOUND, "tag \"%.250s\" does not exist", query->key);
}

static enum err get_version_file(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct model_file file;
    const char *id;
    TRY(version_of_path(cx, rq, &id));
    TRY(model_file_get(cx, id, req_param(rq, "name"), &file));
    return model_file_reply(cx, rp, &file);
}

const struct route VERSION_ROUTES[] = {
    {GET, "/api/v1/projects/{project}/model-versions", SCOPE_MODEL_READ, .query = &REGISTRY_QUERY,
     .reply = &MODEL_VERSION_SHAPE, .handle = search_versions, .flags = ROUTE_LIST,
     .rate = RATE_SEARCH, .doc = "Search the versions of all of a project's models."},
    {POST, "/api/v1/projects/{project}/model-versions", SCOPE_MODEL_WRITE, .body = &VERSION_CREATE,
     .reply = &MODEL_VERSION_SHAPE, .handle = post_version, .flags = ROUTE_IDEMPOTENT,
     .status = 201, .audit = "model_version.create",
     .doc = "Register a succeeded run's model, or the files a source names, as the next version."},
    {GET, "/api/v1/models/{model}/versions", SCOPE_MODEL_READ, .query = &VERSION_QUERY,
     .reply = &MODEL_VERSION_SHAPE, .handle = get_versions, .flags = ROUTE_LIST,
     .doc = "List a model's versions, newest first."},
    {GET, "/api/v1/model-versions/{version}", SCOPE_MODEL_READ, .reply = &MODEL_VERSION_SHAPE,
     .handle = reply_version, .doc = "Get a model version."},
    {PATCH, "/api/v1/model-versions/{version}", SCOPE_MODEL_WRITE, .body = &VERSION_UPDATE,
     .reply = &MODEL_VERSION_SHAPE, .handle = patch_version, .audit = "model_version.update",
     .doc = "Change a model version's description or stage."},
    {DELETE, "/api/v1/model-versions/{version}", SCOPE_MODEL_WRITE, .handle = delete_version,
     .audit = "model_version.delete",
     .doc = "Delete a model version; refused while it is being served."},
    {POST, "/api/v1/model-versions/{version}/tags", SCOPE_MODEL_WRITE, .body = &TAG_BODY,
     .reply = &MODEL_VERSION_SHAPE, .handle = post_version_tag, .audit = "model_version.tag",
     .doc = "Set a tag of a model version."},
    {DELETE, "/api/v1/model-versions/{version}/tags", SCOPE_MODEL_WRITE, .query = &TAG_QUERY,
     .handle = delete_version_tag, .audit = "model_version.untag",
     .doc = "Remove a tag of a model version."},
    {GET, "/api/v1/model-versions/{version}/files/{name*}", SCOPE_MODEL_READ,
     .handle = get_version_file, .rate = RATE_DOWNLOAD,
     .doc = "Download a model version's file; the name is a path."},
};
const size_t VERSION_ROUTE_COUNT = ROUTES_COUNT(VERSION_ROUTES);
