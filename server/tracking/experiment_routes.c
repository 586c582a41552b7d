/* experiment_routes.c: experiments and their folders over HTTP. */
#include "http/page.h"
#include "projects/projects.h"
#include "tracking/internal.h"

#include "sql/tracking.h"

/* ---- lists */

struct experiment_query {
    struct page_query page;
    const char *folder, *q;
    int lifecycle;
};
static const struct field EXPERIMENT_QUERY_FIELDS[] = {
    PAGE_QUERY_FIELDS(struct experiment_query),
    FIELD(STRING, struct experiment_query, folder, .flags = FIELD_NULLABLE, .max = 2000,
          .doc = "those in it and below it"),
    FIELD(STRING, struct experiment_query, q, .flags = FIELD_NULLABLE, .max = 2000,
          .doc = "part of the name"),
    FIELD(ENUM, struct experiment_query, lifecycle, .names = LIFECYCLE_NAMES,
          .doc = "active by default"),
};
static SHAPE(EXPERIMENT_QUERY, "ExperimentQuery", struct experiment_query, EXPERIMENT_QUERY_FIELDS);

/* Newest first, by number: that of a Default experiment is the oldest whatever its id is. */
static enum err get_experiments(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct experiment_query *query = rq->query;
    struct project project;
    const char *after = NULL, *next = NULL;
    struct list items;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    if (query->page.cursor)
        TRY(cursor_decode(cx, query->page.cursor, &after, 1));
    TRY(db_many(cx, &SQL_experiment_list,
                ARGS(cx->who.team_id, project.id, after, query->folder, query->q,
                     LIFECYCLE_NAMES[query->lifecycle], page_rows(cx, &query->page)),
                &EXPERIMENT_SHAPE, &items));
    size_t limit = (size_t)page_limit(&query->page);
    if (items.count > limit) {
        items.count = limit;
        const struct experiment *last = (struct experiment *)items.items + limit - 1;
        next = cursor_encode(cx, ARGS(db_int(cx, last->number)), 1);
    }
    reply_page(rp, items, next);
    return OK;
}

static const struct field EXPERIMENT_CREATE_FIELDS[] = {
    FIELD(STRING, struct experiment_create, name, .flags = FIELD_REQUIRED, .min = 1, .max = 2000),
    FIELD(STRING, struct experiment_create, description, .max = 40000, .doc = "Markdown"),
    FIELD(STRING, struct experiment_create, folder, .max = 2000, .doc = "\"vision/ablation\""),
    FIELD(JSON, struct experiment_create, tags, .typescript = "Record<string, string>"),
};
static SHAPE(EXPERIMENT_CREATE, "ExperimentCreate", struct experiment_create,
             EXPERIMENT_CREATE_FIELDS);

static enum err reply_experiment(struct ctx *cx, const char *id, struct reply *rp) {
    struct experiment *experiment = arena_new_struct(cx->arena, struct experiment);
    TRY(experiment_get(cx, id, experiment));
    reply_object(rp, experiment);
    return OK;
}

static enum err post_experiment(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct experiment_create options = *(const struct experiment_create *)rq->body;
    struct project project;
    const char *id;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    options.project_id = project.id;
    TRY(experiment_create(cx, &options, &id));
    return reply_experiment(cx, id, rp);
}

static enum err get_experiment(struct ctx *cx, const struct req *rq, struct reply *rp) {
    return reply_experiment(cx, req_param(rq, "experiment"), rp);
}

/* ---- changes */

struct experiment_change {
    const char *name, *description, *folder;
    json_t *tags;
};
static const struct field EXPERIMENT_CHANGE_FIELDS[] = {
    FIELD(STRING, struct experiment_change, name, .min = 1, .max = 2000),
    FIELD(STRING, struct experiment_change, description, .max = 40000, .doc = "Markdown"),
    FIELD(STRING, struct experiment_change, folder, .max = 2000, .doc = "empty = none"),
    FIELD(JSON, struct experiment_change, tags, .typescript = "Record<string, string | null>",
          .doc = "those to set; null takes one away"),
};
static SHAPE(EXPERIMENT_CHANGE, "ExperimentChange", struct experiment_change,
             EXPERIMENT_CHANGE_FIELDS);

static enum err change_tags(struct ctx *cx, const char *id, json_t *tags) {
    struct tag_changes changes;
    bool found;
    TRY(tag_changes_of(cx, tags, &changes));
    for (size_t i = 0; i < changes.gone_count; i++)
        TRY(experiment_delete_tag(cx, id, changes.gone[i], &found));
    return experiment_put_tags(cx, id, &changes.set);
}

static enum err patch_experiment(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct experiment_change *body = rq->body;
    const char *id = req_param(rq, "experiment");
    if (req_has(rq, "name"))
        TRY(experiment_rename(cx, id, body->name));
    if (req_has(rq, "description"))
        TRY(experiment_describe(cx, id, body->description));
    if (req_has(rq, "folder"))
        TRY(experiment_move(cx, id, body->folder));
    if (req_has(rq, "tags"))
        TRY(change_tags(cx, id, body->tags));
    return reply_experiment(cx, id, rp);
}

static enum err archive_experiment(struct ctx *cx, const struct req *rq, struct reply *rp) {
    TRY(experiment_archive(cx, req_param(rq, "experiment")));
    return reply_experiment(cx, req_param(rq, "experiment"), rp);
}

static enum err restore_experiment(struct ctx *cx, const struct req *rq, struct reply *rp) {
    TRY(experiment_restore(cx, req_param(rq, "experiment")));
    return reply_experiment(cx, req_param(rq, "experiment"), rp);
}

static enum err delete_experiment(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rp;
    return experiment_delete(cx, req_param(rq, "experiment"));
}

/* ---- folders */

struct folder {
    const char *folder;
    int64_t experiments;
};
static const struct field FOLDER_FIELDS[] = {
    FIELD(STRING, struct folder, folder),
    FIELD(INT, struct folder, experiments, .doc = "in it, not below it"),
};
static SHAPE(FOLDER, "ExperimentFolder", struct folder, FOLDER_FIELDS);

static enum err get_folders(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct project project;
    struct list items;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    TRY(db_many(cx, &SQL_folder_list, ARGS(cx->who.team_id, project.id), &FOLDER, &items));
    reply_page(rp, items, NULL);
    return OK;
}

struct folder_move {
    const char *from, *to;
    int64_t moved;
};
static const struct field FOLDER_MOVE_FIELDS[] = {
    FIELD(STRING, struct folder_move, from, .flags = FIELD_REQUIRED, .min = 1, .max = 2000),
    FIELD(STRING, struct folder_move, to, .flags = FIELD_REQUIRED, .max = 2000,
          .doc = "empty = up to the top"),
};
static SHAPE(FOLDER_MOVE, "FolderMove", struct folder_move, FOLDER_MOVE_FIELDS);
static const struct field FOLDER_MOVED_FIELDS[] = {
    FIELD(INT, struct folder_move, moved, .doc = "experiments"),
};
static SHAPE(FOLDER_MOVED, "FolderMoved", struct folder_move, FOLDER_MOVED_FIELDS);

static enum err move_folder(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct folder_move *body = rq->body;
    struct folder_move *done = arena_new_struct(cx->arena, struct folder_move);
    struct project project;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    TRY(db_exec(cx, &SQL_folder_move, ARGS(cx->who.team_id, project.id, body->from, body->to),
                &done->moved));
    if (done->moved == 0)
        return fail_field(cx, ERR_NOT_FOUND, "from", "folder \"%.200s\" does not exist",
                          body->from);
    reply_object(rp, done);
    return OK;
}

const struct route EXPERIMENT_ROUTES[] = {
    {GET, "/api/v1/projects/{project}/experiments", SCOPE_RUN_READ, .query = &EXPERIMENT_QUERY,
     .reply = &EXPERIMENT_SHAPE, .handle = get_experiments, .flags = ROUTE_LIST,
     .rate = RATE_SEARCH, .doc = "List a project's experiments, newest first."},
    {POST, "/api/v1/projects/{project}/experiments", SCOPE_RUN_INGEST, .body = &EXPERIMENT_CREATE,
     .reply = &EXPERIMENT_SHAPE, .handle = post_experiment, .flags = ROUTE_IDEMPOTENT,
     .status = 201, .audit = "experiment.create", .doc = "Create an experiment."},
    {GET, "/api/v1/projects/{project}/experiment-folders", SCOPE_RUN_READ, .reply = &FOLDER,
     .handle = get_folders, .flags = ROUTE_LIST,
     .doc = "List the folders of a project's active experiments."},
    {POST, "/api/v1/projects/{project}/experiment-folders/move", SCOPE_RUN_WRITE,
     .body = &FOLDER_MOVE, .reply = &FOLDER_MOVED, .handle = move_folder,
     .audit = "experiment.folder_move", .doc = "Rename or move a folder with all that is in it."},
    {GET, "/api/v1/experiments/{experiment}", SCOPE_RUN_READ, .reply = &EXPERIMENT_SHAPE,
     .handle = get_experiment, .doc = "Get an experiment."},
    {PATCH, "/api/v1/experiments/{experiment}", SCOPE_RUN_WRITE, .body = &EXPERIMENT_CHANGE,
     .reply = &EXPERIMENT_SHAPE, .handle = patch_experiment, .audit = "experiment.update",
     .doc = "Change an experiment's name, description, folder or tags."},
    {POST, "/api/v1/experiments/{experiment}/archive", SCOPE_RUN_WRITE, .reply = &EXPERIMENT_SHAPE,
     .handle = archive_experiment, .audit = "experiment.archive",
     .doc = "Archive an experiment with its runs."},
    {POST, "/api/v1/experiments/{experiment}/restore", SCOPE_RUN_WRITE, .reply = &EXPERIMENT_SHAPE,
     .handle = restore_experiment, .audit = "experiment.restore",
     .doc = "Bring an experiment back, with the runs that were archived with it."},
    {DELETE, "/api/v1/experiments/{experiment}", SCOPE_RUN_WRITE, .handle = delete_experiment,
     .audit = "experiment.delete",
     .doc = "Delete an archived experiment for good, with its runs and all they logged."},
};
const size_t EXPERIMENT_ROUTE_COUNT = ROUTES_COUNT(EXPERIMENT_ROUTES);
