/* projects_routes.c: projects over HTTP. */
#include "base/ident.h"
#include "http/page.h"
#include "projects/projects.h"

#include "sql/projects.h"

struct project_create {
    const char *slug, *name, *description;
};
static const struct field PROJECT_CREATE_FIELDS[] = {
    FIELD(STRING, struct project_create, slug, .flags = FIELD_REQUIRED, .min = 1, .max = 63,
          .pattern = "^[a-z0-9][a-z0-9-]*$", .doc = "small letters, digits and dashes"),
    FIELD(STRING, struct project_create, name, .flags = FIELD_REQUIRED, .min = 1, .max = 200),
    FIELD(STRING, struct project_create, description, .max = 10000),
};
static SHAPE(PROJECT_CREATE, "ProjectCreate", struct project_create, PROJECT_CREATE_FIELDS);

struct project_query {
    struct page_query page;
};
static const struct field PROJECT_QUERY_FIELDS[] = {PAGE_QUERY_FIELDS(struct project_query)};
static SHAPE(PROJECT_QUERY, "ProjectQuery", struct project_query, PROJECT_QUERY_FIELDS);

static enum err get_projects(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct project_query *query = rq->query;
    const char *after;
    struct list items;
    TRY(page_after(cx, &query->page, &after));
    TRY(db_many(cx, &SQL_project_list, ARGS(cx->who.team_id, after, page_rows(cx, &query->page)),
                &PROJECT_SHAPE, &items));
    reply_page_by_id(cx, rq, rp, &query->page, items);
    return OK;
}

static enum err post_project(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct project_create *body = rq->body;
    struct project *project = arena_new_struct(cx->arena, struct project);
    char id[UUID_TEXT_SIZE];
    uuid_new(id);
    TRY(db_exec(cx, &SQL_project_create,
                ARGS(id, cx->who.team_id, body->slug, body->name, body->description), NULL));
    TRY(project_get(cx, body->slug, project));
    reply_location(cx, rp, "/api/v1/projects/%s", project->slug);
    reply_object(rp, project);
    return OK;
}

static enum err get_project(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct project *project = arena_new_struct(cx->arena, struct project);
    TRY(project_get(cx, req_param(rq, "project"), project));
    reply_object(rp, project);
    return OK;
}

const struct route PROJECTS_ROUTES[] = {
    {GET, "/api/v1/projects", SCOPE_PROJECT_READ, .query = &PROJECT_QUERY, .reply = &PROJECT_SHAPE,
     .handle = get_projects, .flags = ROUTE_LIST, .doc = "List the team's projects."},
    {POST, "/api/v1/projects", SCOPE_PROJECT_ADMIN, .body = &PROJECT_CREATE,
     .reply = &PROJECT_SHAPE, .handle = post_project, .flags = ROUTE_IDEMPOTENT, .status = 201,
     .audit = "project.create", .doc = "Create a project."},
    {GET, "/api/v1/projects/{project}", SCOPE_PROJECT_READ, .reply = &PROJECT_SHAPE,
     .handle = get_project, .doc = "Get a project by its slug."},
};
const size_t PROJECTS_ROUTE_COUNT = ROUTES_COUNT(PROJECTS_ROUTES);
