/* metrics_routes.c: metric points over HTTP, in and out. Charts are in tracking_routes.c. */
#include "tracking/internal.h"

#include "base/clock.h"

#define HISTORY_PAGE_MAX 25000

/* ---- in */

struct point_report {
    const char *key;
    int64_t step, at;
    double value;
};
static const struct field POINT_REPORT_FIELDS[] = {
    FIELD(STRING, struct point_report, key, .flags = FIELD_REQUIRED, .min = 1,
          .max = 4 * METRIC_KEY_MAX, .doc = "at most 250 characters"),
    FIELD(INT, struct point_report, step, .doc = "0 by default"),
    FIELD(TIME, struct point_report, at, .flags = FIELD_NULLABLE, .doc = "now by default"),
    FIELD(REAL, struct point_report, value, .flags = FIELD_REQUIRED,
          .typescript = "number | string", .doc = "or \"NaN\", \"Infinity\", \"-Infinity\""),
};
static SHAPE(POINT_REPORT, "MetricPointReport", struct point_report, POINT_REPORT_FIELDS);

struct metrics_report {
    struct list points;
};
static const struct field METRICS_REPORT_FIELDS[] = {
    FIELD(LIST, struct metrics_report, points, .flags = FIELD_REQUIRED, .min = 1,
          .max = METRIC_BATCH_MAX, .nested = &POINT_REPORT),
};
static SHAPE(METRICS_REPORT, "MetricsReport", struct metrics_report, METRICS_REPORT_FIELDS);

static enum err post_metrics(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rp;
    const struct list *items = &((const struct metrics_report *)rq->body)->points;
    const struct point_report *reports = items->items;
    struct metric_point *points = arena_new_array(cx->arena, struct metric_point, items->count);
    int64_t now = clock_now_us();
    for (size_t i = 0; i < items->count; i++)
        points[i] = (struct metric_point){.key = reports[i].key,
                                          .step = reports[i].step,
                                          .at_us = reports[i].at ? reports[i].at : now,
                                          .value = reports[i].value};
    return run_ingest_metrics(cx, NULL, req_param(rq, "run"), points, items->count);
}

/* ---- out */

struct history_query {
    const char *key, *cursor;
    int64_t limit;
};
static const struct field HISTORY_QUERY_FIELDS[] = {
    FIELD(STRING, struct history_query, key, .flags = FIELD_REQUIRED, .min = 1,
          .max = 4 * METRIC_KEY_MAX),
    FIELD(STRING, struct history_query, cursor, .flags = FIELD_NULLABLE, .max = 600,
          .doc = "next_cursor of the page before"),
    FIELD(INT, struct history_query, limit, .min = 1, .max = HISTORY_PAGE_MAX,
          .doc = "1,000 by default"),
};
static SHAPE(HISTORY_QUERY, "MetricHistoryQuery", struct history_query, HISTORY_QUERY_FIELDS);

static const struct field METRIC_POINT_FIELDS[] = {
    FIELD(STRING, struct metric_point, key),
    FIELD(INT, struct metric_point, step),
    {.name = "at",
     .type = FIELD_TYPE_TIME,
     .offset = offsetof(struct metric_point, at_us),
     .flags = FIELD_NULLABLE,
     .doc = "null is the beginning of 1970, which some clients send"},
    FIELD(REAL, struct metric_point, value),
};
static SHAPE(METRIC_POINT_SHAPE, "MetricPoint", struct metric_point, METRIC_POINT_FIELDS);

static enum err get_history(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct history_query *query = rq->query;
    const char *run_id, *next;
    struct list items;
    TRY(run_require(cx, NULL, req_param(rq, "run"), &run_id));
    TRY(run_history(cx, run_id, query->key, query->limit ? query->limit : 1000, query->cursor,
                    &items, &next));
    reply_page(rp, items, next);
    return OK;
}

const struct route METRIC_ROUTES[] = {
    {POST, "/api/v1/runs/{run}/metrics", SCOPE_RUN_INGEST, .body = &METRICS_REPORT,
     .handle = post_metrics, .max_body = (size_t)2 << 20,
     .doc = "Log metric points, all or none; a point sent again counts once."},
    {GET, "/api/v1/runs/{run}/metrics/history", SCOPE_RUN_READ, .query = &HISTORY_QUERY,
     .reply = &METRIC_POINT_SHAPE, .handle = get_history, .flags = ROUTE_LIST, .rate = RATE_SEARCH,
     .doc = "Read the points of one metric, by time."},
};
const size_t METRIC_ROUTE_COUNT = ROUTES_COUNT(METRIC_ROUTES);
