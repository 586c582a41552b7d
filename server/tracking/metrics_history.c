/* metrics_history.c: points as they were sent, and last values.
 *
 * A history is ordered by time, chunks by step. Nearly always both rise together, and then a page
 * is a few chunks. It need not be so: a page reads chunks by their beginnings in time, keeps the
 * earliest points it has seen, and ends when no chunk to come can begin before the last of them. At
 * worst, when every chunk spans all of time, each page reads them all, in bounded memory.
 *
 * What waits in the inbox is taken along, if it is not much: a page is read while the run is being
 * logged to, and folding for it writes chunks and summaries where unpacking only reads. */
#include "tracking/metrics_private.h"

#include "base/ident.h"
#include "http/http.h"
#include "sql/tracking.h"

#include <math.h>
#include <string.h>

#define HISTORY_MAX 100000     /* points in a page */
#define HISTORY_INBOX 50000    /* points of a run's inbox that are taken along */
#define SAMPLE_MAX 2500        /* steps in a sample */
#define SAMPLE_EXACT_MAX 50000 /* points of a range whose steps are all looked at */
#define SAMPLE_POINTS 10       /* a step, on the average */

/* --- a series -----------------------------------------------------------------------------------
 */

struct series_row {
    const char *series_id; /* NULL = the run has no such metric */
    int64_t points, first_step, last_step;
};
static const struct field SERIES_ROW_FIELDS[] = {
    FIELD(STRING, struct series_row, series_id),
    FIELD(INT, struct series_row, points, .flags = FIELD_NULLABLE),
    FIELD(INT, struct series_row, first_step, .flags = FIELD_NULLABLE),
    FIELD(INT, struct series_row, last_step, .flags = FIELD_NULLABLE)};
static SHAPE(SERIES_ROW_SHAPE, "SeriesOfRun", struct series_row, SERIES_ROW_FIELDS);

static enum err series_find(struct ctx *cx, const char *run_id, const char *key,
                            struct series_row *ret) {
    bool found = false;
    if (uuid_is_valid(run_id))
        TRY(db_opt(cx, &SQL_metric_series_of_run, ARGS(cx->who.team_id, run_id, key),
                   &SERIES_ROW_SHAPE, ret, &found));
    return found ? OK : fail(cx, ERR_NOT_FOUND, "run \"%s\" does not exist", run_id);
}

static struct list points_of(struct ctx *cx, const char *key, const struct sample *samples,
                             size_t count) {
    struct metric_point *points = arena_new_array(cx->arena, struct metric_point, count);
    const char *name = arena_strdup(cx->arena, key);
    for (size_t i = 0; i < count; i++)
        points[i] =
            (struct metric_point){name, samples[i].step, samples[i].at_us, samples[i].value};
    return (struct list){points, count};
}

/* --- pages by time ------------------------------------------------------------------------------
 */

struct since_row {
    int64_t min_at, first_step, first_at, points;
    double first_value;
    const char *body;
};
static const struct field SINCE_ROW_FIELDS[] = {
    FIELD(INT, struct since_row, min_at),   FIELD(INT, struct since_row, first_step),
    FIELD(INT, struct since_row, first_at), FIELD(REAL, struct since_row, first_value),
    FIELD(INT, struct since_row, points),   FIELD(STRING, struct since_row, body)};
static SHAPE(SINCE_ROW_SHAPE, "SinceRow", struct since_row, SINCE_ROW_FIELDS);

/* A page being made. */
struct page {
    const char *series_id;
    struct sample after;    /* the last point of the page before */
    struct sample *samples; /* the earliest ones seen, unordered */
    size_t count, wanted;   /* one more than the page has */
    int64_t chunks;         /* to read at once: the samples of so many fit beside those kept */
    struct since_row at;    /* the chunk read last */
    bool complete;
};

static int compare_by_time(const void *a, const void *b) {
    return sample_compare_by_time(a, b);
}

/* A point may come from the inbox and, sent before or folded meanwhile, from a chunk. */
static void keep_earliest(struct page *p) {
    size_t kept = 0;
    qsort(p->samples, p->count, sizeof(*p->samples), compare_by_time);
    for (size_t i = 0; i < p->count && kept < p->wanted; i++)
        if (kept == 0 || sample_compare_by_time(&p->samples[kept - 1], &p->samples[i]) != 0)
            p->samples[kept++] = p->samples[i];
    p->count = kept;
}

static void page_add(struct page *p, const struct sample *sample) {
    if (sample_compare_by_time(sample, &p->after) > 0)
        p->samples[p->count++] = *sample;
}

static enum err read_chunk(struct ctx *cx, struct page *p, const struct since_row *row) {
    struct sample samples[CHUNK_MAX];
    size_t count;
    TRY(chunk_load(cx, row->body, row->points, samples, &count));
    for (size_t i = 0; i < count; i++)
        page_add(p, &samples[i]);
    p->at = *row;
    p->at.body = NULL;
    return OK;
}

static enum err read_chunks(struct ctx *cx, void *arg) {
    struct page *p = arg;
    struct list rows;
    TRY(db_many(cx, &SQL_metric_chunks_since,
                ARGS(cx->who.team_id, p->series_id, db_int(cx, p->after.at_us),
                     db_int(cx, p->at.min_at), db_step(cx, p->at.first_step),
                     db_int(cx, p->at.first_at), db_real(cx, p->at.first_value),
                     db_int(cx, p->chunks)),
                &SINCE_ROW_SHAPE, &rows));
    const struct since_row *row = rows.items;
    for (size_t i = 0; i < rows.count; i++)
        TRY(read_chunk(cx, p, &row[i]));
    keep_earliest(p);
    /* What was not read begins at the last chunk's beginning or later. */
    p->complete = (int64_t)rows.count < p->chunks ||
                  (p->count == p->wanted && p->samples[p->count - 1].at_us < p->at.min_at);
    return OK;
}

struct inbox_body {
    const char *body;
};
static const struct field INBOX_BODY_FIELDS[] = {FIELD(STRING, struct inbox_body, body)};
static SHAPE(INBOX_BODY_SHAPE, "InboxBody", struct inbox_body, INBOX_BODY_FIELDS);

/* Makes room for the page and begins it with what the inbox has. Before chunks are looked at: what
 * is folded meanwhile is seen twice, and never missed. */
static enum err page_begin(struct ctx *cx, struct page *p, const char *run_id, const char *key) {
    struct list rows = {0};
    struct pile pile = pile_new(cx->arena);
    if (uuid_is_valid(run_id)) {
        TRY(run_fold(cx, run_id, HISTORY_INBOX));
        TRY(db_many(cx, &SQL_metric_inbox_read, ARGS(cx->who.team_id, run_id), &INBOX_BODY_SHAPE,
                    &rows));
    }
    for (size_t i = 0; i < rows.count; i++) {
        struct db_bytes batch;
        TRY(db_bytes(cx, ((const struct inbox_body *)rows.items)[i].body, &batch));
        if (!pile_add(&pile, 0, batch))
            return metrics_damaged(cx, "a batch in metric_inbox");
    }
    size_t room = p->wanted + (size_t)p->chunks * CHUNK_MAX;
    p->samples = arena_new_array(cx->arena, struct sample, room > pile.count ? room : pile.count);
    for (size_t i = 0; i < pile.count; i++)
        if (strcmp(pile.names.items[pile.owners[i]].text, key) == 0)
            page_add(p, &pile.samples[i]);
    keep_earliest(p);
    return OK;
}

static enum err position_of(struct ctx *cx, const char *token, struct sample *ret) {
    const char *keys[3];
    *ret = (struct sample){.step = INT64_MIN, .at_us = INT64_MIN + 1};
    if (!token)
        return OK;
    TRY(cursor_decode(cx, token, keys, 3));
    *ret = (struct sample){strtoll(keys[1], NULL, 10), strtoll(keys[0], NULL, 10),
                           strtod(keys[2], NULL)};
    return OK;
}

static const char *token_of(struct ctx *cx, const struct sample *s) {
    return cursor_encode(
        cx, ARGS(db_int(cx, s->at_us), db_step(cx, s->step), db_real(cx, s->value)), 3);
}

enum err run_history(struct ctx *cx, const char *run_id, const char *key, int64_t limit,
                     const char *token, struct list *ret, const char **ret_next) {
    struct series_row series;
    size_t size = limit < 1 ? 1 : limit > HISTORY_MAX ? HISTORY_MAX : (size_t)limit;
    struct page p = {.wanted = size + 1, .chunks = (int64_t)(size / CHUNK_MAX) + 4};
    TRY(position_of(cx, token, &p.after));
    TRY(page_begin(cx, &p, run_id, key));
    TRY(series_find(cx, run_id, key, &series));
    p.series_id = series.series_id;
    p.complete = !series.series_id;
    p.at = (struct since_row){.min_at = INT64_MIN + 1};
    while (!p.complete)
        TRY(in_scratch(cx, read_chunks, &p));
    size_t count = p.count < size ? p.count : size;
    *ret = points_of(cx, key, p.samples, count);
    *ret_next = p.count > size ? token_of(cx, &p.samples[size - 1]) : NULL;
    return OK;
}

/* --- samples ------------------------------------------------------------------------------------
 */

struct between_row {
    int64_t first_step, first_at, points;
    double first_value;
};
static const struct field BETWEEN_ROW_FIELDS[] = {
    FIELD(INT, struct between_row, first_step), FIELD(INT, struct between_row, first_at),
    FIELD(REAL, struct between_row, first_value), FIELD(INT, struct between_row, points)};
static SHAPE(BETWEEN_ROW_SHAPE, "BetweenRow", struct between_row, BETWEEN_ROW_FIELDS);

struct body_row {
    int64_t points;
    const char *body;
};
static const struct field BODY_ROW_FIELDS[] = {FIELD(INT, struct body_row, points),
                                               FIELD(STRING, struct body_row, body)};
static SHAPE(BODY_ROW_SHAPE, "BodyRow", struct body_row, BODY_ROW_FIELDS);

/* The samples of these chunks that are in the range, in order. */
static enum err read_range(struct ctx *cx, const char *series_id, const struct between_row *chunks,
                           size_t count, int64_t from, int64_t to, struct chunk *ret) {
    int64_t *steps = arena_new_array(cx->arena, int64_t, count);
    int64_t *times = arena_new_array(cx->arena, int64_t, count);
    double *values = arena_new_array(cx->arena, double, count);
    for (size_t i = 0; i < count; i++) {
        steps[i] = chunks[i].first_step;
        times[i] = chunks[i].first_at;
        values[i] = chunks[i].first_value;
    }
    struct list rows;
    TRY(db_many(cx, &SQL_metric_chunks_get,
                ARGS(cx->who.team_id, series_id, db_int_array(cx, steps, count),
                     db_int_array(cx, times, count), db_real_array(cx, values, count)),
                &BODY_ROW_SHAPE, &rows));
    const struct body_row *row = rows.items;
    struct sample samples[CHUNK_MAX];
    size_t loaded;
    *ret = (struct chunk){arena_new_array(cx->arena, struct sample, rows.count * CHUNK_MAX), 0};
    for (size_t i = 0; i < rows.count; i++) {
        TRY(chunk_load(cx, row[i].body, row[i].points, samples, &loaded));
        for (size_t k = 0; k < loaded; k++)
            if (samples[k].step >= from && samples[k].step <= to)
                ret->samples[ret->count++] = samples[k];
    }
    return OK;
}

/* Of `count` things in order, the i-th of `max` evenly taken; the last thing comes extra. */
static size_t pick(size_t i, size_t count, size_t max) {
    return i < max ? i * count / max : count - 1;
}

/* In a long range each chunk speaks for its points: those that hold the picked ones. */
static size_t thin_chunks(struct between_row *chunks, size_t count, int64_t points, size_t max) {
    size_t kept = 0, next = 0;
    int64_t before = 0;
    for (size_t i = 0; i < count; i++) {
        size_t end = (size_t)(before += chunks[i].points), picked = next;
        while (next <= max && pick(next, (size_t)points, max) < end)
            next++;
        if (next > picked)
            chunks[kept++] = chunks[i];
    }
    return kept;
}

/* Where each different step begins. */
static size_t find_steps(const struct chunk *all, size_t *ret) {
    size_t count = 0;
    for (size_t i = 0; i < all->count; i++)
        if (i == 0 || all->samples[i].step != all->samples[i - 1].step)
            ret[count++] = i;
    return count;
}

/* The points of evenly picked steps, moved to the front. */
static void thin_steps(struct ctx *cx, struct chunk *all, size_t max) {
    size_t *starts = arena_new_array(cx->arena, size_t, all->count + 1);
    size_t steps = find_steps(all, starts), kept = 0, before = SIZE_MAX;
    starts[steps] = all->count;
    for (size_t i = 0; i <= max && steps > max; i++) {
        size_t step = pick(i, steps, max);
        for (size_t k = starts[step]; step != before && k < starts[step + 1]; k++)
            all->samples[kept++] = all->samples[k];
        before = step;
    }
    all->count = steps > max ? kept : all->count;
    all->count = all->count < SAMPLE_POINTS * max ? all->count : SAMPLE_POINTS * max;
}

enum err run_history_sample(struct ctx *cx, const char *run_id, const char *key, int64_t from_step,
                            int64_t to_step, int64_t max, struct list *ret) {
    struct series_row series;
    struct list rows = {0};
    struct chunk all = {0};
    size_t steps = max < 1 ? 1 : max > SAMPLE_MAX ? SAMPLE_MAX : (size_t)max;
    if (uuid_is_valid(run_id))
        TRY(run_fold(cx, run_id, 0));
    TRY(series_find(cx, run_id, key, &series));
    int64_t from = from_step == FIELD_NO_INT ? series.first_step : from_step;
    int64_t to = to_step == FIELD_NO_INT ? series.last_step : to_step;
    if (series.series_id)
        TRY(db_many(cx, &SQL_metric_chunks_between,
                    ARGS(cx->who.team_id, series.series_id, db_step(cx, from), db_step(cx, to)),
                    &BETWEEN_ROW_SHAPE, &rows));
    struct between_row *chunks = rows.items;
    int64_t points = 0;
    for (size_t i = 0; i < rows.count; i++)
        points += chunks[i].points;
    if (points > SAMPLE_EXACT_MAX)
        rows.count = thin_chunks(chunks, rows.count, points, steps);
    if (rows.count)
        TRY(read_range(cx, series.series_id, chunks, rows.count, from, to, &all));
    thin_steps(cx, &all, steps);
    *ret = points_of(cx, key, all.samples, all.count);
    return OK;
}

/* --- last values --------------------------------------------------------------------------------
 */

static const struct field METRIC_LAST_FIELDS[] = {
    FIELD(UUID, struct metric_last, run_id), FIELD(STRING, struct metric_last, key),
    FIELD(INT, struct metric_last, step), FIELD(INT, struct metric_last, at_us),
    FIELD(REAL, struct metric_last, value)};
static SHAPE(METRIC_LAST_SHAPE, "MetricLast", struct metric_last, METRIC_LAST_FIELDS);

enum err runs_last_metrics(struct ctx *cx, const char *const *run_ids, size_t count,
                           struct list *ret) {
    const char *ids = db_text_array(cx, run_ids, count);
    TRY(runs_settle(cx, ids));
    return db_many(cx, &SQL_metric_lasts, ARGS(cx->who.team_id, ids), &METRIC_LAST_SHAPE, ret);
}
