/* metrics.c: charts.
 *
 * A chart asks for at most 2,000 buckets of equally many steps. Each tells its least and greatest
 * finite value and how many points are not finite, so no spike, gap or NaN is lost at any zoom.
 *
 * A chunk that lies within one bucket is counted by its summary alone; only those that a border of
 * buckets cuts, at most one a border, are unpacked. So a chart of a million points reads the
 * summaries of 2,000 chunks and the points of a few hundred. */
#include "tracking/internal.h"

#include "base/clock.h"
#include "sql/tracking.h"
#include "tracking/metrics_private.h"

#include <math.h>
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

/* --- points of which nobody knows but the run ---------------------------------------------------
 */

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
    TRY(run_settle(cx, run_id));
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

/* --- buckets ------------------------------------------------------------------------------------
 */

struct chart {
    int64_t from, to;
    uint64_t width, most; /* steps a bucket; the number of the last bucket there may be */
    struct metric_bucket *buckets;
    uint64_t number; /* of the last one there is */
    size_t count;
};

/* Steps may be 2^64 apart: differences have no sign. */
static uint64_t distance(int64_t from, int64_t to) {
    return (uint64_t)to - (uint64_t)from;
}

static struct chart chart_new(struct ctx *cx, int64_t from, int64_t to, int64_t buckets) {
    uint64_t width = distance(from, to) / (uint64_t)buckets;
    return (struct chart){.from = from,
                          .to = to,
                          .width = width < INT64_MAX ? width + 1 : width,
                          .most = (uint64_t)buckets - 1,
                          .buckets = arena_new_array(cx->arena, struct metric_bucket, buckets)};
}

/* Adds what comes behind all that was added before and lies in one bucket. */
static void chart_add(struct chart *c, const struct chunk_summary *s) {
    uint64_t number = distance(c->from, s->first.step) / c->width;
    number = number < c->most ? number : c->most;
    if (c->count == 0 || number != c->number) {
        c->buckets[c->count++] = (struct metric_bucket){.step = s->first.step,
                                                        .at = s->first.at_us,
                                                        .first = s->first.value,
                                                        .min = (double)NAN,
                                                        .max = (double)NAN};
        c->number = number;
    }
    struct metric_bucket *b = &c->buckets[c->count - 1];
    b->last_step = s->last.step;
    b->last = s->last.value;
    b->count += s->points;
    b->non_finite += s->non_finite;
    b->min = fmin(b->min, s->least); /* of NaN and a number: the number */
    b->max = fmax(b->max, s->greatest);
}

struct charted_row {
    int64_t first_step, first_at, last_step, points, non_finite;
    double first_value, last_value, least, greatest;
    const char *body; /* NULL: the chunk lies within one bucket */
};
static const struct field CHARTED_ROW_FIELDS[] = {
    FIELD(INT, struct charted_row, first_step),  FIELD(INT, struct charted_row, first_at),
    FIELD(INT, struct charted_row, last_step),   FIELD(INT, struct charted_row, points),
    FIELD(INT, struct charted_row, non_finite),  FIELD(REAL, struct charted_row, first_value),
    FIELD(REAL, struct charted_row, last_value), FIELD(REAL, struct charted_row, least),
    FIELD(REAL, struct charted_row, greatest),   FIELD(STRING, struct charted_row, body),
};
static SHAPE(CHARTED_ROW_SHAPE, "ChartedRow", struct charted_row, CHARTED_ROW_FIELDS);

static enum err chart_add_points(struct ctx *cx, struct chart *c, const struct charted_row *row) {
    struct sample samples[CHUNK_MAX];
    size_t count;
    TRY(chunk_load(cx, row->body, row->points, samples, &count));
    for (size_t i = 0; i < count; i++) {
        if (samples[i].step < c->from || samples[i].step > c->to)
            continue;
        struct chunk_summary one = chunk_summarise(&samples[i], 1);
        chart_add(c, &one);
    }
    return OK;
}

static void chart_add_chunk(struct chart *c, const struct charted_row *row) {
    chart_add(c,
              &(struct chunk_summary){.first = {row->first_step, row->first_at, row->first_value},
                                      .last = {.step = row->last_step, .value = row->last_value},
                                      .points = row->points,
                                      .non_finite = row->non_finite,
                                      .least = row->least,
                                      .greatest = row->greatest});
}

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

static enum err series_read(struct ctx *cx, const struct series_row *row,
                            const struct series_query *query, struct metric_series *ret) {
    int64_t from = query->from_step == FIELD_NO_INT ? row->first_step : query->from_step;
    int64_t to = query->to_step == FIELD_NO_INT ? row->last_step : query->to_step;
    from = from > row->first_step ? from : row->first_step;
    to = to < row->last_step ? to : row->last_step;
    *ret = (struct metric_series){row->key, row->points, row->first_step, row->last_step, {0}};
    if (from > to)
        return OK;
    struct chart c = chart_new(cx, from, to, query->buckets);
    bool wide = distance(from, to) > INT64_MAX / 2; /* too wide for bigint's arithmetic */
    struct list rows;
    TRY(db_many(cx, &SQL_metric_chunks_charted,
                ARGS(cx->who.team_id, row->series_id, db_step(cx, from), db_step(cx, to),
                     wide ? NULL : db_int(cx, (int64_t)c.width)),
                &CHARTED_ROW_SHAPE, &rows));
    const struct charted_row *chunk = rows.items;
    for (size_t i = 0; i < rows.count; i++) {
        if (chunk[i].body)
            TRY(chart_add_points(cx, &c, &chunk[i]));
        else
            chart_add_chunk(&c, &chunk[i]);
    }
    ret->buckets = (struct list){c.buckets, c.count};
    return OK;
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

enum err run_series(struct ctx *cx, const char *run_id, const struct series_query *query,
                    struct list *ret) {
    struct list rows;
    TRY(run_fold(cx, run_id, 0));
    TRY(db_many(cx, &SQL_metric_series_list,
                ARGS(cx->who.team_id, run_id, key_array(cx, query->keys)), &SERIES_ROW_SHAPE,
                &rows));
    struct metric_series *series = arena_new_array(cx->arena, struct metric_series, rows.count + 1);
    for (size_t i = 0; i < rows.count; i++)
        TRY(series_read(cx, (struct series_row *)rows.items + i, query, &series[i]));
    *ret = (struct list){series, rows.count};
    return OK;
}
