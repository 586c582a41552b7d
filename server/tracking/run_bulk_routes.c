/* run_bulk_routes.c: many runs at once over HTTP: acted on, or taken away as a file. */
#include "projects/projects.h"
#include "tracking/bulk.h"
#include "tracking/internal.h"
#include "tracking/run_export.h"

static const struct field RUN_BULK_FIELDS[] = {
    FIELD(STRINGS, struct run_bulk, ids, .flags = FIELD_REQUIRED, .min = 1, .max = RUN_BULK_MAX),
    FIELD(ENUM, struct run_bulk, action, .flags = FIELD_REQUIRED, .names = RUN_ACTION_NAMES),
    FIELD(STRING, struct run_bulk, key, .flags = FIELD_NULLABLE, .min = 1, .doc = "tag, untag"),
    FIELD(STRING, struct run_bulk, value, .flags = FIELD_NULLABLE, .max = 32000, .doc = "tag"),
    FIELD(UUID, struct run_bulk, experiment_id, .flags = FIELD_NULLABLE, .doc = "move: where to"),
};
static SHAPE(RUN_BULK, "RunBulk", struct run_bulk, RUN_BULK_FIELDS);

static const struct field RUN_BULK_DONE_FIELDS[] = {
    FIELD(ENUM, struct run_bulk_done, action, .names = RUN_ACTION_NAMES),
    FIELD(INT, struct run_bulk_done, runs, .doc = "that were named"),
    FIELD(INT, struct run_bulk_done, changed, .doc = "that were not so before"),
};
static SHAPE(RUN_BULK_DONE, "RunBulkDone", struct run_bulk_done, RUN_BULK_DONE_FIELDS);

static enum err post_bulk(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct run_bulk bulk = *(const struct run_bulk *)rq->body;
    struct run_bulk_done *done = arena_new_struct(cx->arena, struct run_bulk_done);
    struct project project;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    bulk.project_id = project.id;
    TRY(runs_bulk(cx, &bulk, done));
    reply_object(rp, done);
    return OK;
}

/* ---- export */

static const char *const FORMATS[] = {"csv", "jsonl", NULL};

struct export_query {
    const char *experiment, *filter, *order_by;
    int format, lifecycle;
    bool ranges;
};
static const struct field EXPORT_QUERY_FIELDS[] = {
    FIELD(ENUM, struct export_query, format, .flags = FIELD_REQUIRED, .names = FORMATS),
    FIELD(UUID, struct export_query, experiment, .flags = FIELD_NULLABLE, .doc = "all by default"),
    FIELD(STRING, struct export_query, filter, .flags = FIELD_NULLABLE, .max = SEARCH_TEXT_MAX,
          .doc = "as of the list"),
    FIELD(STRING, struct export_query, order_by, .flags = FIELD_NULLABLE, .max = SEARCH_TEXT_MAX,
          .doc = "as of the list"),
    FIELD(ENUM, struct export_query, lifecycle, .names = LIFECYCLE_NAMES,
          .doc = "active by default"),
    FIELD(BOOL, struct export_query, ranges,
          .doc = "with the least and the greatest value of each metric"),
};
static SHAPE(EXPORT_QUERY, "RunExportQuery", struct export_query, EXPORT_QUERY_FIELDS);

static enum err write_export(struct ctx *cx, struct http_io *io, void *arg) {
    return run_export_write(cx, io, arg);
}

static enum err get_export(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct export_query *query = rq->query;
    struct run_export *export = arena_new_struct(cx->arena, struct run_export);
    struct project project;
    TRY(project_require(cx, req_param(rq, "project"), &project));
    const struct run_search search = {.project_id = project.id,
                                      .experiment_ids = &query->experiment,
                                      .experiment_count = query->experiment ? 1 : 0,
                                      .filter = query->filter,
                                      .order_by = &query->order_by,
                                      .order_count = query->order_by ? 1 : 0,
                                      .lifecycle = query->lifecycle};
    bool csv = query->format == EXPORT_CSV;
    export->format = query->format;
    export->with_ranges = query->ranges;
    TRY(run_export_prepare(cx, &search, export));
    reply_header(cx, rp, "Content-Disposition",
                 csv ? "attachment; filename=\"runs.csv\"" : "attachment; filename=\"runs.jsonl\"");
    reply_stream(rp,
                 &(struct reply_stream){csv ? "text/csv; charset=utf-8" : "application/x-ndjson",
                                        write_export, export});
    return OK;
}

const struct route RUN_BULK_ROUTES[] = {
    {POST, "/api/v1/projects/{project}/runs/bulk", SCOPE_RUN_WRITE, .body = &RUN_BULK,
     .reply = &RUN_BULK_DONE, .handle = post_bulk, .audit = "run.bulk",
     .doc = "Tag, untag, move, archive, restore or delete up to 1,000 runs: all or none."},
    {GET, "/api/v1/projects/{project}/runs/export", SCOPE_RUN_READ, .query = &EXPORT_QUERY,
     .handle = get_export, .rate = RATE_STREAM,
     .doc = "A project's runs with all they logged, as CSV or JSON Lines; at most 100,000."},
};
const size_t RUN_BULK_ROUTE_COUNT = ROUTES_COUNT(RUN_BULK_ROUTES);
