/* run_bulk_routes.c: many runs at once over HTTP. */
#include "projects/projects.h"
#include "tracking/bulk.h"
#include "tracking/internal.h"

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

const struct route RUN_BULK_ROUTES[] = {
    {POST, "/api/v1/projects/{project}/runs/bulk", SCOPE_RUN_WRITE, .body = &RUN_BULK,
     .reply = &RUN_BULK_DONE, .handle = post_bulk, .audit = "run.bulk",
     .doc = "Tag, untag, move, archive, restore or delete up to 1,000 runs: all or none."},
};
const size_t RUN_BULK_ROUTE_COUNT = ROUTES_COUNT(RUN_BULK_ROUTES);
