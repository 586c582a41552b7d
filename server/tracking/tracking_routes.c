/* tracking_routes.c: experiments, runs, charts, logs and artifacts over HTTP. */
#include "base/ident.h"
#include "http/page.h"
#include "projects/projects.h"
#include "tracking/internal.h"

#include "sql/tracking.h"

#include <string.h>

struct tracking_query {
    struct page_query page;
};
static const struct field TRACKING_QUERY_FIELDS[] = {PAGE_QUERY_FIELDS(struct tracking_query)};
static SHAPE(TRACKING_QUERY, "TrackingQuery", struct tracking_query, TRACKING_QUERY_FIELDS);

/* ---- experiments */

struct experiment_create {
    const char *name, *description;
};
static const struct field EXPERIMENT_CREATE_FIELDS[] = {
    FIELD(STRING, struct experiment_create, name, .flags = FIELD_REQUIRED, .min = 1, .max = 200),
    FIELD(STRING, struct experiment_create, description, .max = 10000),
};
static SHAPE(EXPERIMENT_CREATE, "ExperimentCreate", struct experiment_create,
             EXPERIMENT_CREATE_FIELDS);

static enum err get_experiments(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct tracking_query *query = rq->query;
    struct project project;
    const char *after;
    struct list items;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    TRY(page_after(cx, &query->page, &after));
    TRY(db_many(cx, &SQL_experiment_list,
                ARGS(cx->who.team_id, project.id, after, page_rows(cx, &query->page)),
                &EXPERIMENT_SHAPE, &items));
    reply_page_by_id(cx, rq, rp, &query->page, items);
    return OK;
}

static enum err post_experiment(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct experiment_create *body = rq->body;
    struct experiment *experiment = arena_new_struct(cx->arena, struct experiment);
    struct project project;
    char id[UUID_TEXT_SIZE];
    uuid_new(id);
    TRY(project_require(cx, req_param(rq, "project"), &project));
    TRY(db_exec(cx, &SQL_experiment_create,
                ARGS(id, cx->who.team_id, project.id, body->name, body->description), NULL));
    TRY(db_one(cx, &SQL_experiment_get, ARGS(cx->who.team_id, id), &EXPERIMENT_SHAPE, experiment));
    reply_object(rp, experiment);
    return OK;
}

/* ---- runs */

struct run_query {
    struct page_query page;
    const char *experiment, *q, *sort;
    int state; /* enum run_state or FIELD_NO_ENUM */
};
static const struct field RUN_QUERY_FIELDS[] = {
    PAGE_QUERY_FIELDS(struct run_query),
    FIELD(UUID, struct run_query, experiment, .flags = FIELD_NULLABLE),
    FIELD(ENUM, struct run_query, state, .flags = FIELD_NULLABLE, .names = RUN_STATE_NAMES),
    FIELD(STRING, struct run_query, q, .flags = FIELD_NULLABLE, .max = 250,
          .doc = "part of the name"),
    FIELD(STRING, struct run_query, sort, .flags = FIELD_NULLABLE, .max = 300,
          .doc = "created_at, name or metrics.KEY; a leading - turns it round"),
};
static SHAPE(RUN_QUERY, "RunQuery", struct run_query, RUN_QUERY_FIELDS);

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

static enum err get_runs(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct run_query *query = rq->query;
    struct project project;
    struct list items;
    const char *next;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    const char *state = query->state == FIELD_NO_ENUM ? NULL : RUN_STATE_NAMES[query->state];
    TRY(run_list(cx,
                 &(struct run_filter){.project_id = project.id,
                                      .experiment = query->experiment,
                                      .state = state,
                                      .text = query->q,
                                      .sort = query->sort,
                                      .cursor = query->page.cursor,
                                      .limit = page_limit(&query->page)},
                 &items, &next));
    reply_page(rp, items, next);
    return OK;
}

static enum err get_run(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct run *run = arena_new_struct(cx->arena, struct run);
    TRY(run_get(cx, req_param(rq, "run"), run));
    reply_object(rp, run);
    return OK;
}

static enum err patch_run(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct run_update *body = rq->body;
    struct run *run = arena_new_struct(cx->arena, struct run);
    const char *team = cx->who.team_id;
    TRY(run_get(cx, req_param(rq, "run"), run));
    if (req_has(rq, "name"))
        TRY(db_exec(cx, &SQL_run_rename, ARGS(team, run->id, body->name), NULL));
    if (req_has(rq, "notes"))
        TRY(db_exec(cx, &SQL_run_note, ARGS(team, run->id, body->notes), NULL));
    if (req_has(rq, "tags"))
        TRY(run_set_tags(cx, run->id, body->tags));
    TRY(run_get(cx, run->id, run));
    reply_object(rp, run);
    return OK;
}

/* ---- charts and logs */

static const struct field SERIES_QUERY_FIELDS[] = {
    FIELD(STRING, struct series_query, keys, .flags = FIELD_NULLABLE, .min = 1, .max = 8000,
          .doc = "metric names separated by commas; all by default"),
    FIELD(INT, struct series_query, buckets, .min = 1, .max = 2000, .doc = "500 by default"),
    FIELD(INT, struct series_query, from_step, .flags = FIELD_NULLABLE),
    FIELD(INT, struct series_query, to_step, .flags = FIELD_NULLABLE),
};
static SHAPE(SERIES_QUERY, "SeriesQuery", struct series_query, SERIES_QUERY_FIELDS);

static enum err get_metrics(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct series_query query = *(const struct series_query *)rq->query;
    if (query.buckets == 0)
        query.buckets = 500;
    struct run run;
    struct list items;
    TRY(run_get(cx, req_param(rq, "run"), &run));
    TRY(run_series(cx, run.id, &query, &items));
    reply_page(rp, items, NULL);
    return OK;
}

struct log_line {
    int64_t seq, at;
    int level;
    const char *message;
};
static const char *const LOG_LEVEL_NAMES[] = {"info", "warning", "error", NULL};
static const struct field LOG_LINE_FIELDS[] = {
    FIELD(INT, struct log_line, seq),
    FIELD(TIME, struct log_line, at),
    FIELD(ENUM, struct log_line, level, .names = LOG_LEVEL_NAMES),
    FIELD(STRING, struct log_line, message),
};
static SHAPE(LOG_LINE, "LogLine", struct log_line, LOG_LINE_FIELDS);

struct log_query {
    const char *q;
    int64_t after, limit;
};
static const struct field LOG_QUERY_FIELDS[] = {
    FIELD(INT, struct log_query, after, .min = 0, .max = INT64_MAX,
          .doc = "only lines with a greater seq"),
    FIELD(INT, struct log_query, limit, .min = 1, .max = 1000, .doc = "200 by default"),
    FIELD(STRING, struct log_query, q, .flags = FIELD_NULLABLE, .min = 1, .max = 250,
          .doc = "part of the message"),
};
static SHAPE(LOG_QUERY, "LogQuery", struct log_query, LOG_QUERY_FIELDS);

/* The cursor of logs is the plain seq, because the page asks for more with ?after= while the run
 * goes on; it is told even when nothing follows yet. */
static enum err get_run_logs(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct log_query *query = rq->query;
    struct run run;
    struct list items;
    int64_t limit = query->limit ? query->limit : 200;
    TRY(run_get(cx, req_param(rq, "run"), &run));
    TRY(db_many(
        cx, &SQL_run_logs,
        ARGS(cx->who.team_id, run.id, db_int(cx, query->after), query->q, db_int(cx, limit)),
        &LOG_LINE, &items));
    const struct log_line *lines = items.items;
    reply_page(rp, items, items.count ? db_int(cx, lines[items.count - 1].seq) : NULL);
    return OK;
}

/* ---- artifacts */

static enum err get_artifacts(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct tracking_query *query = rq->query;
    struct run run;
    const char *after, *next = NULL;
    struct list items;
    TRY(run_get(cx, req_param(rq, "run"), &run));
    TRY(page_after(cx, &query->page, &after));
    TRY(db_many(cx, &SQL_run_artifact_list,
                ARGS(cx->who.team_id, run.id, after, page_rows(cx, &query->page)), &ARTIFACT_SHAPE,
                &items));
    size_t limit = (size_t)page_limit(&query->page);
    if (items.count > limit) {
        items.count = limit;
        next = cursor_encode(cx, ARGS(((struct artifact *)items.items)[limit - 1].name), 1);
    }
    reply_page(rp, items, next);
    return OK;
}

static enum err get_artifact_content(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct artifact artifact;
    int fd;
    int64_t size;
    TRY(artifact_get(cx, req_param(rq, "artifact"), &artifact));
    TRY(blob_open(cx, artifact.sha256, &fd, &size));
    const char *slash = strrchr(artifact.name, '/');
    reply_file(rp, &(struct reply_file){.fd = fd,
                                        .size_bytes = size,
                                        .media_type = artifact.media_type,
                                        .file_name = slash ? slash + 1 : artifact.name,
                                        .etag = artifact.sha256});
    return OK;
}

const struct route TRACKING_ROUTES[] = {
    {GET, "/api/v1/projects/{project}/experiments", SCOPE_RUN_READ, .query = &TRACKING_QUERY,
     .reply = &EXPERIMENT_SHAPE, .handle = get_experiments, .flags = ROUTE_LIST,
     .doc = "List a project's experiments, newest first."},
    {POST, "/api/v1/projects/{project}/experiments", SCOPE_RUN_INGEST, .body = &EXPERIMENT_CREATE,
     .reply = &EXPERIMENT_SHAPE, .handle = post_experiment, .flags = ROUTE_IDEMPOTENT,
     .status = 201, .audit = "experiment.create", .doc = "Create an experiment."},
    {GET, "/api/v1/projects/{project}/runs", SCOPE_RUN_READ, .query = &RUN_QUERY,
     .reply = &RUN_SHAPE, .handle = get_runs, .flags = ROUTE_LIST, .rate = RATE_SEARCH,
     .doc = "List a project's runs, filtered and sorted."},
    {GET, "/api/v1/runs/{run}", SCOPE_RUN_READ, .reply = &RUN_SHAPE, .handle = get_run,
     .doc = "Get a run with its parameters and last metrics."},
    {PATCH, "/api/v1/runs/{run}", SCOPE_RUN_INGEST, .body = &RUN_UPDATE, .reply = &RUN_SHAPE,
     .handle = patch_run, .audit = "run.update", .doc = "Change a run's name, notes or tags."},
    {GET, "/api/v1/runs/{run}/metrics", SCOPE_RUN_READ, .query = &SERIES_QUERY,
     .reply = &METRIC_SERIES_SHAPE, .handle = get_metrics, .flags = ROUTE_LIST, .rate = RATE_SEARCH,
     .doc = "Get metrics as buckets for a chart, at any zoom."},
    {GET, "/api/v1/runs/{run}/logs", SCOPE_RUN_READ, .query = &LOG_QUERY, .reply = &LOG_LINE,
     .handle = get_run_logs, .flags = ROUTE_LIST, .doc = "Read a run's log lines, oldest first."},
    {GET, "/api/v1/runs/{run}/artifacts", SCOPE_RUN_READ, .query = &TRACKING_QUERY,
     .reply = &ARTIFACT_SHAPE, .handle = get_artifacts, .flags = ROUTE_LIST,
     .doc = "List a run's artifacts by name."},
    {GET, "/api/v1/artifacts/{artifact}/content", SCOPE_RUN_READ, .handle = get_artifact_content,
     .rate = RATE_DOWNLOAD, .doc = "Download an artifact."},
};
const size_t TRACKING_ROUTE_COUNT = ROUTES_COUNT(TRACKING_ROUTES);
