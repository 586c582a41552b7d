/* tracking_routes.c: what runs logged over HTTP: charts and logs. */
#include "tracking/internal.h"

#include "sql/tracking.h"

#include <string.h>

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
    const char *run_id;
    struct list items;
    TRY(run_require(cx, NULL, req_param(rq, "run"), &run_id));
    TRY(run_series(cx, run_id, &query, &items));
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
    TRY(run_head(cx, req_param(rq, "run"), &run));
    TRY(db_many(
        cx, &SQL_run_logs,
        ARGS(cx->who.team_id, run.id, db_int(cx, query->after), query->q, db_int(cx, limit)),
        &LOG_LINE, &items));
    const struct log_line *lines = items.items;
    reply_page(rp, items, items.count ? db_int(cx, lines[items.count - 1].seq) : NULL);
    return OK;
}

const struct route TRACKING_ROUTES[] = {
    {GET, "/api/v1/runs/{run}/metrics", SCOPE_RUN_READ, .query = &SERIES_QUERY,
     .reply = &METRIC_SERIES_SHAPE, .handle = get_metrics, .flags = ROUTE_LIST, .rate = RATE_SEARCH,
     .doc = "Get metrics as buckets for a chart, at any zoom."},
    {GET, "/api/v1/runs/{run}/logs", SCOPE_RUN_READ, .query = &LOG_QUERY, .reply = &LOG_LINE,
     .handle = get_run_logs, .flags = ROUTE_LIST, .doc = "Read a run's log lines, oldest first."},
};
const size_t TRACKING_ROUTE_COUNT = ROUTES_COUNT(TRACKING_ROUTES);
