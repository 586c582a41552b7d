/* metrics_read.c: reading points and summaries, beside the charts of metrics.c. */
#include "tracking/metrics.h"

#include "base/ident.h"
#include "db/db.h"
#include "http/http.h"
#include "sql/tracking.h"

#include <math.h>
#include <string.h>

static const struct field METRIC_POINT_FIELDS[] = {
    FIELD(STRING, struct metric_point, key), FIELD(INT, struct metric_point, step),
    FIELD(INT, struct metric_point, at_us), FIELD(REAL, struct metric_point, value)};
static SHAPE(METRIC_POINT_SHAPE, "MetricPoint", struct metric_point, METRIC_POINT_FIELDS);

static const struct field METRIC_LAST_FIELDS[] = {
    FIELD(UUID, struct metric_last, run_id), FIELD(STRING, struct metric_last, key),
    FIELD(INT, struct metric_last, step), FIELD(INT, struct metric_last, at_us),
    FIELD(REAL, struct metric_last, value)};
static SHAPE(METRIC_LAST_SHAPE, "MetricLast", struct metric_last, METRIC_LAST_FIELDS);

enum err run_ingest_metrics(struct ctx *cx, const char *project_id, const char *run_id,
                            const struct metric_point *points, size_t count) {
    (void)project_id;
    TRY(db_commit(cx));
    TRY(run_log_metrics(cx, run_id, points, count));
    return db_commit(cx);
}

enum err run_settle(struct ctx *cx, const char *run_id) {
    (void)cx, (void)run_id;
    return OK;
}

enum err metrics_settle(struct ctx *cx, const char *const *experiment_ids, size_t count) {
    (void)cx, (void)experiment_ids, (void)count;
    return OK;
}

enum err run_history(struct ctx *cx, const char *run_id, const char *key, int64_t limit,
                     const char *token, struct list *ret, const char **ret_next) {
    const char *after = "0";
    if (token)
        TRY(cursor_decode(cx, token, &after, 1));
    TRY(db_many(cx, &SQL_metric_history,
                ARGS(cx->who.team_id, run_id, key, after, db_int(cx, limit + 1)),
                &METRIC_POINT_SHAPE, ret));
    *ret_next = NULL;
    if (ret->count > (size_t)limit) {
        ret->count = (size_t)limit;
        *ret_next = cursor_encode(cx, ARGS(db_int(cx, strtoll(after, NULL, 10) + limit)), 1);
    }
    return OK;
}

enum err run_history_sample(struct ctx *cx, const char *run_id, const char *key, int64_t from_step,
                            int64_t to_step, int64_t max, struct list *ret) {
    struct list all, kept;
    const char *next;
    TRY(run_history(cx, run_id, key, 1000000, NULL, &all, &next));
    struct metric_point *points = all.items;
    kept = (struct list){points, 0};
    for (size_t i = 0; i < all.count; i++)
        if ((from_step == FIELD_NO_INT || points[i].step >= from_step) &&
            (to_step == FIELD_NO_INT || points[i].step <= to_step))
            points[kept.count++] = points[i];
    size_t stride = kept.count / (size_t)max + 1, count = 0;
    for (size_t i = 0; i < kept.count; i++)
        if (i % stride == 0 || i + 1 == kept.count)
            points[count++] = points[i];
    *ret = (struct list){points, count};
    return OK;
}

enum err runs_last_metrics(struct ctx *cx, const char *const *run_ids, size_t count,
                           struct list *ret) {
    return db_many(cx, &SQL_metric_lasts, ARGS(cx->who.team_id, db_text_array(cx, run_ids, count)),
                   &METRIC_LAST_SHAPE, ret);
}

enum err metrics_sweep(struct ctx *cx) {
    (void)cx;
    return OK;
}
