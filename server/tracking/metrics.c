/* metrics.c: storing metric points, and reading them as charts.
 *
 * A batch is three statements whatever its size. Its run's row is locked first, so that concurrent
 * batches cannot lock the summaries in different orders; a batch that is repeated finds its points
 * by the primary key and changes nothing.
 *
 * A chart asks for at most 2,000 buckets of equally many steps. Each tells its least and greatest
 * finite value and how many points are not finite, so no spike, gap or NaN is lost at any zoom. */
#include "tracking/internal.h"

#include "base/clock.h"
#include "http/feed.h"
#include "sql/tracking.h"

#include <string.h>

static const struct field METRIC_BUCKET_FIELDS[] = {
    FIELD(INT, struct metric_bucket, step),       FIELD(INT, struct metric_bucket, last_step),
    FIELD(TIME, struct metric_bucket, at),        FIELD(REAL, struct metric_bucket, min),
    FIELD(REAL, struct metric_bucket, max),       FIELD(REAL, struct metric_bucket, first),
    FIELD(REAL, struct metric_bucket, last),      FIELD(INT, struct metric_bucket, count),
    FIELD(INT, struct metric_bucket, non_finite),
};
static SHAPE(METRIC_BUCKET_SHAPE, "MetricBucket", struct metric_bucket, METRIC_BUCKET_FIELDS);

static const struct field METRIC_SERIES_FIELDS[] = {
    FIELD(STRING, struct metric_series, key),
    FIELD(INT, struct metric_series, points),
    FIELD(INT, struct metric_series, first_step),
    FIELD(INT, struct metric_series, last_step),
    FIELD(LIST, struct metric_series, buckets, .nested = &METRIC_BUCKET_SHAPE),
};
SHAPE(METRIC_SERIES_SHAPE, "MetricSeries", struct metric_series, METRIC_SERIES_FIELDS);

/* A series as its summary row has it. */
struct series_row {
    const char *key, *series_id;
    int64_t points, first_step, last_step;
};
static const struct field SERIES_ROW_FIELDS[] = {
    FIELD(STRING, struct series_row, key),    FIELD(STRING, struct series_row, series_id),
    FIELD(INT, struct series_row, points),    FIELD(INT, struct series_row, first_step),
    FIELD(INT, struct series_row, last_step),
};
static SHAPE(SERIES_ROW_SHAPE, "SeriesRow", struct series_row, SERIES_ROW_FIELDS);

enum err run_log_metrics(struct ctx *cx, const char *run_id, const struct metric_point *points,
                         size_t count) {
    if (count == 0)
        return OK;
    const char **keys = arena_new_array(cx->arena, const char *, count);
    int64_t *steps = arena_new_array(cx->arena, int64_t, count);
    int64_t *times = arena_new_array(cx->arena, int64_t, count);
    double *values = arena_new_array(cx->arena, double, count);
    for (size_t i = 0; i < count; i++) {
        keys[i] = points[i].key;
        steps[i] = points[i].step;
        times[i] = points[i].at_us;
        values[i] = points[i].value;
    }
    const char *team = cx->who.team_id, *key_array = db_text_array(cx, keys, count), *locked;
    TRY(db_value(cx, &SQL_run_lock, ARGS(team, run_id), &locked));
    if (!locked)
        return fail(cx, ERR_NOT_FOUND, "run \"%s\" does not exist", run_id);
    TRY(db_exec(cx, &SQL_metric_series_create, ARGS(team, run_id, key_array), NULL));
    TRY(db_exec(cx, &SQL_metric_points_add,
                ARGS(team, run_id, key_array, db_int_array(cx, steps, count),
                     db_int_array(cx, times, count), db_real_array(cx, values, count)),
                NULL));
    return feed_post(cx, "run", run_id, "metrics");
}

struct key_row {
    const char *key;
};
static const struct field KEY_ROW_FIELDS[] = {FIELD(STRING, struct key_row, key)};
static SHAPE(KEY_ROW_SHAPE, "KeyRow", struct key_row, KEY_ROW_FIELDS);

enum err run_log_missing(struct ctx *cx, const char *run_id, json_t *values, int64_t step) {
    size_t size = json_object_size(values), count = 0;
    const char **keys = arena_new_array(cx->arena, const char *, size + 1);
    const char *key;
    json_t *value;
    json_object_foreach(values, key, value) {
        if (json_is_number(value))
            keys[count++] = key;
    }
    struct list missing;
    TRY(db_many(cx, &SQL_metric_missing,
                ARGS(cx->who.team_id, run_id, db_text_array(cx, keys, count)), &KEY_ROW_SHAPE,
                &missing));
    const struct key_row *rows = missing.items;
    struct metric_point *points = arena_new_array(cx->arena, struct metric_point, size + 1);
    for (size_t i = 0; i < missing.count; i++)
        points[i] =
            (struct metric_point){.key = rows[i].key,
                                  .step = step,
                                  .at_us = clock_now_us(),
                                  .value = json_number_value(json_object_get(values, rows[i].key))};
    return run_log_metrics(cx, run_id, points, missing.count);
}

/* "a,b" as a text[]; NULL stays NULL. */
static const char *key_array(struct ctx *cx, const char *keys) {
    if (!keys)
        return NULL;
    char *rest = arena_strdup(cx->arena, keys);
    const char **items = arena_new_array(cx->arena, const char *, strlen(keys) + 1);
    size_t count = 0;
    for (char *key; (key = strsep(&rest, ","));)
        items[count++] = key;
    return db_text_array(cx, items, count);
}

static enum err series_read(struct ctx *cx, const struct series_row *row,
                            const struct series_query *query, struct metric_series *ret) {
    int64_t from = query->from_step == FIELD_NO_INT ? row->first_step : query->from_step;
    int64_t to = query->to_step == FIELD_NO_INT ? row->last_step : query->to_step;
    from = from > row->first_step ? from : row->first_step;
    to = to < row->last_step ? to : row->last_step;
    *ret = (struct metric_series){row->key, row->points, row->first_step, row->last_step, {0}};
    if (from > to)
        return OK;
    int64_t width = (to - from) / query->buckets + 1;
    return db_many(
        cx, &SQL_metric_buckets,
        ARGS(cx->who.team_id, row->series_id, db_int(cx, from), db_int(cx, to), db_int(cx, width)),
        &METRIC_BUCKET_SHAPE, &ret->buckets);
}

enum err run_series(struct ctx *cx, const char *run_id, const struct series_query *query,
                    struct list *ret) {
    struct list rows;
    TRY(db_many(cx, &SQL_metric_series_list,
                ARGS(cx->who.team_id, run_id, key_array(cx, query->keys)), &SERIES_ROW_SHAPE,
                &rows));
    struct metric_series *series = arena_new_array(cx->arena, struct metric_series, rows.count + 1);
    for (size_t i = 0; i < rows.count; i++)
        TRY(series_read(cx, (struct series_row *)rows.items + i, query, &series[i]));
    *ret = (struct list){series, rows.count};
    return OK;
}
