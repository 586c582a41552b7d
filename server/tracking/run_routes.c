/* run_routes.c: runs over HTTP: lists, what clients report, ends. */
#include "http/page.h"
#include "projects/projects.h"
#include "tracking/internal.h"
#include "tracking/run_list.h"

#include "sql/tracking.h"

/* ---- lists */

struct children_query {
    struct page_query page;
};
static const struct field CHILDREN_QUERY_FIELDS[] = {PAGE_QUERY_FIELDS(struct children_query)};
static SHAPE(CHILDREN_QUERY, "ChildrenQuery", struct children_query, CHILDREN_QUERY_FIELDS);

struct run_update {
    const char *name, *notes;
    json_t *tags;
};
static const struct field RUN_UPDATE_FIELDS[] = {
    FIELD(STRING, struct run_update, name, .min = 1, .max = 250),
    FIELD(STRING, struct run_update, notes, .max = 100000, .doc = "Markdown"),
    FIELD(JSON, struct run_update, tags, .typescript = "Record<string, string>",
          .doc = "replaces all tags"),
};
static SHAPE(RUN_UPDATE, "RunUpdate", struct run_update, RUN_UPDATE_FIELDS);

static enum err get_run(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct run *run = arena_new_struct(cx->arena, struct run);
    TRY(run_get(cx, req_param(rq, "run"), run));
    reply_object(rp, run);
    return OK;
}

static enum err get_children(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct children_query *query = rq->query;
    const char *id, *after;
    struct list rows, runs;
    size_t taken;
    TRY(run_require(cx, NULL, req_param(rq, "run"), &id));
    TRY(page_after(cx, &query->page, &after));
    TRY(db_many(cx, &SQL_run_children,
                ARGS(cx->who.team_id, id, after, page_rows(cx, &query->page)), &ID_ROW, &rows));
    size_t limit = (size_t)page_limit(&query->page);
    const struct id_row *ids = rows.items;
    const char **page = arena_new_array(cx->arena, const char *, limit);
    for (size_t i = 0; i < rows.count && i < limit; i++)
        page[i] = ids[i].id;
    TRY(runs_load(cx, page, rows.count < limit ? rows.count : limit,
                  RUN_WITH_PARAMS | RUN_WITH_TAGS | RUN_WITH_METRICS | RUN_WITH_SPEC, &runs,
                  &taken));
    reply_runs(cx, rp, &runs, taken < rows.count ? cursor_encode(cx, &page[taken - 1], 1) : NULL);
    return OK;
}

/* ---- changes */

static enum err patch_run(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct run_update *body = rq->body;
    struct run *run = arena_new_struct(cx->arena, struct run);
    TRY(run_head(cx, req_param(rq, "run"), run));
    if (run->archived_at)
        return fail(cx, ERR_CONFLICT, "run \"%s\" is archived", run->id);
    if (req_has(rq, "name"))
        TRY(run_change(cx, run->id, &(struct run_change){.name = body->name}));
    if (req_has(rq, "notes"))
        TRY(db_exec(cx, &SQL_run_note, ARGS(cx->who.team_id, run->id, body->notes), NULL));
    if (req_has(rq, "tags"))
        TRY(run_set_tags(cx, run->id, body->tags));
    TRY(run_get(cx, run->id, run));
    reply_object(rp, run);
    return OK;
}

static enum err reply_run(struct ctx *cx, const char *id, struct reply *rp) {
    struct run *run = arena_new_struct(cx->arena, struct run);
    TRY(run_get(cx, id, run));
    reply_object(rp, run);
    return OK;
}

static enum err archive_run(struct ctx *cx, const struct req *rq, struct reply *rp) {
    TRY(run_archive(cx, req_param(rq, "run")));
    return reply_run(cx, req_param(rq, "run"), rp);
}

static enum err restore_run(struct ctx *cx, const struct req *rq, struct reply *rp) {
    TRY(run_restore(cx, req_param(rq, "run")));
    return reply_run(cx, req_param(rq, "run"), rp);
}

static enum err delete_run(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rp;
    return run_delete(cx, req_param(rq, "run"));
}

/* ---- runs of clients */

struct run_open_body {
    const char *name, *experiment, *user, *parent_id, *source;
    int state;
    int64_t started_at;
    json_t *tags, *params;
};
/* clang-format off */
#define RUN_OPEN_MEMBERS                                                                           \
    FIELD(STRING, struct run_open_body, name, .flags = FIELD_NULLABLE, .min = 1, .max = 1000,      \
          .doc = "one is made up when there is none"),                                             \
    FIELD(STRING, struct run_open_body, user, .flags = FIELD_NULLABLE, .max = 1024),               \
    FIELD(UUID, struct run_open_body, parent_id, .flags = FIELD_NULLABLE),                         \
    FIELD(STRING, struct run_open_body, source, .flags = FIELD_NULLABLE, .min = 1, .max = 200),    \
    FIELD(ENUM, struct run_open_body, state, .flags = FIELD_NULLABLE, .names = RUN_STATE_NAMES,    \
          .doc = "running by default"),                                                            \
    FIELD(TIME, struct run_open_body, started_at, .flags = FIELD_NULLABLE, .doc = "now by default"), \
    FIELD(JSON, struct run_open_body, tags, .typescript = "Record<string, string>"),               \
    FIELD(JSON, struct run_open_body, params, .typescript = "Record<string, string>")
/* clang-format on */
static const struct field RUN_OPEN_FIELDS[] = {RUN_OPEN_MEMBERS};
static SHAPE(RUN_OPEN, "RunOpen", struct run_open_body, RUN_OPEN_FIELDS);

static const struct field RUN_OPEN_NAMED_FIELDS[] = {
    FIELD(STRING, struct run_open_body, experiment, .flags = FIELD_NULLABLE, .min = 1, .max = 2000,
          .doc = "its name, made when there is none; null = the project's first"),
    RUN_OPEN_MEMBERS,
};
static SHAPE(RUN_OPEN_NAMED, "RunOpenNamed", struct run_open_body, RUN_OPEN_NAMED_FIELDS);

static enum err open_in(struct ctx *cx, const struct run_open_body *body, const char *project_id,
                        const char *experiment_id, struct reply *rp) {
    struct run *run = arena_new_struct(cx->arena, struct run);
    const struct run_open options = {.project_id = project_id,
                                     .experiment_id = experiment_id,
                                     .name = body->name,
                                     .user = body->user,
                                     .parent_id = body->parent_id,
                                     .source = body->source,
                                     .started_at = body->started_at,
                                     .tags = body->tags,
                                     .params = body->params,
                                     .state =
                                         body->state == FIELD_NO_ENUM ? RUN_RUNNING : body->state};
    if (body->state == RUN_LOST_CONTACT)
        return fail_field(cx, ERR_UNPROCESSABLE, "state", "a run cannot be opened as lost");
    TRY(run_open(cx, &options, run));
    reply_location(cx, rp, "/api/v1/runs/%s", run->id);
    reply_object(rp, run);
    return OK;
}

static enum err post_run(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct run_open_body *body = rq->body;
    struct project project;
    const char *experiment_id;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    TRY(experiment_ensure(cx, project.id, body->experiment, &experiment_id));
    return open_in(cx, body, project.id, experiment_id, rp);
}

static enum err post_run_in(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct project project;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    return open_in(cx, rq->body, project.id, req_param(rq, "experiment"), rp);
}

const struct route RUN_ROUTES[] = {
    {GET, "/api/v1/runs/{run}", SCOPE_RUN_READ, .reply = &RUN_SHAPE, .handle = get_run,
     .doc = "Get a run with its parameters and last metrics."},
    {GET, "/api/v1/runs/{run}/children", SCOPE_RUN_READ, .query = &CHILDREN_QUERY,
     .reply = &RUN_SHAPE, .handle = get_children, .flags = ROUTE_LIST,
     .doc = "List the runs that were opened under a run, newest first."},
    {PATCH, "/api/v1/runs/{run}", SCOPE_RUN_INGEST, .body = &RUN_UPDATE, .reply = &RUN_SHAPE,
     .handle = patch_run, .audit = "run.update", .doc = "Change a run's name, notes or tags."},
    {POST, "/api/v1/runs/{run}/archive", SCOPE_RUN_WRITE, .reply = &RUN_SHAPE,
     .handle = archive_run, .audit = "run.archive",
     .doc = "Archive a run: it takes no reports and leaves the lists."},
    {POST, "/api/v1/runs/{run}/restore", SCOPE_RUN_WRITE, .reply = &RUN_SHAPE,
     .handle = restore_run, .audit = "run.restore", .doc = "Bring an archived run back."},
    {DELETE, "/api/v1/runs/{run}", SCOPE_RUN_WRITE, .handle = delete_run, .audit = "run.delete",
     .doc = "Delete an archived run for good, with all it logged."},
    {POST, "/api/v1/projects/{project}/runs", SCOPE_RUN_INGEST, .body = &RUN_OPEN_NAMED,
     .reply = &RUN_SHAPE, .handle = post_run, .flags = ROUTE_IDEMPOTENT, .status = 201,
     .max_body = RUN_TEXTS_BODY_MAX, .doc = "Open a run in an experiment, by its name."},
    {POST, "/api/v1/projects/{project}/experiments/{experiment}/runs", SCOPE_RUN_INGEST,
     .body = &RUN_OPEN, .reply = &RUN_SHAPE, .handle = post_run_in, .flags = ROUTE_IDEMPOTENT,
     .status = 201, .max_body = RUN_TEXTS_BODY_MAX, .doc = "Open a run in an experiment."},
};
const size_t RUN_ROUTE_COUNT = ROUTES_COUNT(RUN_ROUTES);
