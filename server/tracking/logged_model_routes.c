/* logged_model_routes.c: logged models over HTTP. Their files: artifact_file_routes.c. */
#include "projects/projects.h"
#include "tracking/internal.h"
#include "tracking/logged_models.h"

struct logged_model_query {
    struct page_query page;
    const char *experiment, *filter, *order_by;
};
static const struct field LOGGED_MODEL_QUERY_FIELDS[] = {
    PAGE_QUERY_FIELDS(struct logged_model_query),
    FIELD(UUID, struct logged_model_query, experiment, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct logged_model_query, filter, .flags = FIELD_NULLABLE, .max = 8192,
          .doc = "metrics.loss < 0.1 and params.depth = '3'"),
    FIELD(STRING, struct logged_model_query, order_by, .flags = FIELD_NULLABLE, .max = 600,
          .doc = "metrics.loss DESC; newest first by default"),
};
static SHAPE(LOGGED_MODEL_QUERY, "LoggedModelQuery", struct logged_model_query,
             LOGGED_MODEL_QUERY_FIELDS);

static enum err get_logged_models(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct logged_model_query *query = rq->query;
    struct project project;
    struct list items;
    const char *next;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    TRY(logged_model_search(cx,
                            &(struct logged_model_search){
                                .project_id = project.id,
                                .experiment_ids = query->experiment ? &query->experiment : NULL,
                                .experiment_count = 1,
                                .filter = query->filter,
                                .order_by = &query->order_by,
                                .order_count = query->order_by ? 1 : 0,
                                .limit = page_limit(&query->page),
                                .token = query->page.cursor},
                            &items, &next));
    reply_page(rp, items, next);
    return OK;
}

static enum err get_logged_model(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct logged_model *model = arena_new_struct(cx->arena, struct logged_model);
    const char *id = req_param(rq, "model");
    bool found;
    TRY(logged_model_find(cx, NULL, id, true, model, &found));
    if (!found)
        return fail(cx, ERR_NOT_FOUND, "Logged model with ID '%.100s' not found.", id);
    reply_object(rp, model);
    return OK;
}

static enum err delete_logged_model(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const char *id;
    (void)rp;
    TRY(logged_model_require(cx, NULL, req_param(rq, "model"), &id));
    return logged_model_archive(cx, id);
}

struct tags_change {
    json_t *tags;
};
static const struct field TAGS_CHANGE_FIELDS[] = {
    FIELD(JSON, struct tags_change, tags, .flags = FIELD_REQUIRED,
          .typescript = "Record<string, string | null>",
          .doc = "those to set; null takes one away"),
};
static SHAPE(TAGS_CHANGE, "LoggedModelTagsChange", struct tags_change, TAGS_CHANGE_FIELDS);

static enum err patch_tags(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct tags_change *body = rq->body;
    struct tag_changes changes;
    const char *id;
    bool found;
    (void)rp;
    TRY(logged_model_require(cx, NULL, req_param(rq, "model"), &id));
    TRY(tag_changes_of(cx, body->tags, &changes));
    for (size_t i = 0; i < changes.gone_count; i++)
        TRY(logged_model_delete_tag(cx, id, changes.gone[i], &found));
    return logged_model_put_tags(cx, id, changes.set.keys, changes.set.values, changes.set.count);
}

const struct route LOGGED_MODEL_ROUTES[] = {
    {GET, "/api/v1/projects/{project}/logged-models", SCOPE_RUN_READ, .query = &LOGGED_MODEL_QUERY,
     .reply = &LOGGED_MODEL_SHAPE, .handle = get_logged_models, .flags = ROUTE_LIST,
     .rate = RATE_SEARCH, .doc = "List a project's logged models, filtered and ordered."},
    {GET, "/api/v1/logged-models/{model}", SCOPE_RUN_READ, .reply = &LOGGED_MODEL_SHAPE,
     .handle = get_logged_model,
     .doc = "Get a logged model with its parameters, tags and metrics."},
    {PATCH, "/api/v1/logged-models/{model}/tags", SCOPE_RUN_INGEST, .body = &TAGS_CHANGE,
     .handle = patch_tags, .doc = "Set and take away tags of a logged model."},
    {DELETE, "/api/v1/logged-models/{model}", SCOPE_RUN_INGEST, .handle = delete_logged_model,
     .audit = "logged_model.archive", .doc = "Archive a logged model: it leaves every list."},
};
const size_t LOGGED_MODEL_ROUTE_COUNT = ROUTES_COUNT(LOGGED_MODEL_ROUTES);
