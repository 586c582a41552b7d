/* fold.c: from the inbox into chunks.
 *
 * One step takes batches of some runs and needs the same half a dozen statements whether they are
 * of one series or of thousands: it finds the series, fetches just the chunks to which the points
 * belong, merges, adds what was new to the summaries (and makes new ones), and writes the changed
 * chunks. All of it is one transaction, so a point is in the inbox or in its chunk, never in both
 * and never in neither.
 *
 * A point behind the end of its series, which nearly every one is, needs the last chunk only, which
 * comes with the series, and not even that when it is full; each other point is looked up on its
 * own. So a batch that is sent again costs what the batch costs, however long the series is, and a
 * step writes at most one chunk a series that it did not fill: the last one, again.
 *
 * Two who fold the same run would both append to its last chunk: an advisory lock a run, held to
 * the end of the transaction, keeps them apart. It is not the run's row, because who changes a
 * run's state must not wait for its metrics. */
#include "tracking/metrics_private.h"

#include "base/clock.h"
#include "http/feed.h"
#include "sql/tracking.h"
#include "tracking/tracking.h"

#include <string.h>

enum err chunk_load(struct ctx *cx, const char *body, int64_t points, struct sample *ret,
                    size_t *ret_count) {
    struct db_bytes bytes;
    TRY(db_bytes(cx, body, &bytes));
    if (points < 1 || points > CHUNK_MAX ||
        !chunk_decode(bytes.data, bytes.size, ret, (size_t)points, ret_count) ||
        (int64_t)*ret_count != points)
        return metrics_damaged(cx, "a chunk in metric_chunks");
    return OK;
}

/* --- taking ----------------------------------------------------------------------------------- */

#define BATCHES_MAX 5000 /* in one step */

static enum err take_batches(struct fold *f) {
    struct ctx *cx = f->cx;
    struct list rows;
    TRY(db_many(cx, &SQL_metric_inbox_take,
                ARGS(cx->who.team_id, db_text_array(cx, f->run_ids, f->run_count),
                     db_int(cx, f->points_max), db_int(cx, BATCHES_MAX)),
                &INBOX_ROW_SHAPE, &rows));
    TRY(fold_add(f, &rows));
    f->more = (int64_t)f->pile.count >= f->points_max || rows.count >= BATCHES_MAX;
    return OK;
}

/* --- fetching --------------------------------------------------------------------------------- */

/* How many beginnings of chunks may be listed for each late sample before looking up every sample
 * on its own is the cheaper way: a look-up costs about as much as listing so many. */
#define LISTED_MAX 16

struct chunk_row {
    int64_t series_id, points;
    const char *body;
};
static const struct field CHUNK_ROW_FIELDS[] = {FIELD(INT, struct chunk_row, series_id),
                                                FIELD(INT, struct chunk_row, points),
                                                FIELD(STRING, struct chunk_row, body)};
static SHAPE(CHUNK_ROW_SHAPE, "ChunkRow", struct chunk_row, CHUNK_ROW_FIELDS);

struct near_row {
    int64_t series_id, first_step, first_at;
    double first_value;
};
static const struct field NEAR_ROW_FIELDS[] = {
    FIELD(INT, struct near_row, series_id), FIELD(INT, struct near_row, first_step),
    FIELD(INT, struct near_row, first_at), FIELD(REAL, struct near_row, first_value)};
static SHAPE(NEAR_ROW_SHAPE, "NearRow", struct near_row, NEAR_ROW_FIELDS);

#define COLUMNS_ARGS(cx, c)                                                                        \
    ARGS((cx)->who.team_id, db_int_array(cx, (c)->ids, (c)->count),                                \
         db_int_array(cx, (c)->steps, (c)->count), db_int_array(cx, (c)->times, (c)->count),       \
         db_real_array(cx, (c)->values, (c)->count))

/* Series with late samples, by id. */
struct late {
    struct series **items;
    size_t count;
};

static int compare_series(const void *a, const void *b) {
    const struct series *const *x = a, *const *y = b;
    return ((*x)->id > (*y)->id) - ((*x)->id < (*y)->id);
}

static struct late late_series(struct fold *f) {
    struct late late = {arena_new_array(f->cx->arena, struct series *, f->pile.names.count), 0};
    for (size_t i = 0; i < f->pile.names.count; i++)
        if (f->series[i].late)
            late.items[late.count++] = &f->series[i];
    qsort(late.items, late.count, sizeof(*late.items), compare_series);
    return late;
}

/* Rows and series both by id: hands each series its stretch of chunks. */
static enum err hand_out(struct fold *f, const struct late *late, const struct list *rows) {
    struct ctx *cx = f->cx;
    struct chunk *chunks = arena_new_array(cx->arena, struct chunk, rows->count);
    const struct chunk_row *row = rows->items;
    for (size_t i = 0, at = 0; i < rows->count; i++) {
        while (late->items[at]->id != row[i].series_id)
            at++;
        chunks[i].samples = arena_new_array(cx->arena, struct sample, row[i].points);
        TRY(chunk_load(cx, row[i].body, row[i].points, chunks[i].samples, &chunks[i].count));
        if (late->items[at]->chunk_count++ == 0)
            late->items[at]->chunks = &chunks[i];
    }
    return OK;
}

/* What has to be looked up: the late samples, and one more that stands for all behind the series'
 * end. */
static size_t sought(const struct series *s) {
    return s->late + (s->late < s->count);
}

/* Ranges in which to look for chunks: of a series from the first sample to the last one sought, or,
 * where that might list far more chunks than there are samples, of each sample alone. */
static void add_ranges(const struct series *s, struct columns *from, struct columns *to) {
    size_t count = sought(s);
    bool listed = s->points / (CHUNK_MAX / 2) <= LISTED_MAX * (int64_t)count;
    for (size_t i = 0; i < count; i = listed ? count : i + 1) {
        columns_add(from, s->id, &s->samples[i]);
        columns_add(to, s->id, &s->samples[listed ? count - 1 : i]);
    }
}

/* Of the chunks of one series that were listed, in order, those that have a sample's place. */
static void pick_chunks(const struct series *s, const struct near_row *row, size_t count,
                        struct columns *ret) {
    size_t at = 0, picked = SIZE_MAX;
    for (size_t i = 0; i < sought(s) && count > 0; i++) {
        for (; at + 1 < count; at++) {
            const struct near_row *next = &row[at + 1];
            const struct sample first = {next->first_step, next->first_at, next->first_value};
            if (sample_compare(&first, &s->samples[i]) > 0)
                break;
        }
        if (at == picked)
            continue;
        const struct sample first = {row[at].first_step, row[at].first_at, row[at].first_value};
        columns_add(ret, s->id, &first);
        picked = at;
    }
}

static enum err find_chunks(struct fold *f, const struct late *late, struct columns *ret) {
    struct ctx *cx = f->cx;
    struct columns from = columns_new(cx, f->pile.count), to = columns_new(cx, f->pile.count);
    struct list rows;
    for (size_t i = 0; i < late->count; i++)
        add_ranges(late->items[i], &from, &to);
    TRY(db_many(
        cx, &SQL_metric_chunks_near,
        ARGS(cx->who.team_id, db_int_array(cx, from.ids, from.count),
             db_int_array(cx, from.steps, from.count), db_int_array(cx, from.times, from.count),
             db_real_array(cx, from.values, from.count), db_int_array(cx, to.steps, to.count),
             db_int_array(cx, to.times, to.count), db_real_array(cx, to.values, to.count)),
        &NEAR_ROW_SHAPE, &rows));
    const struct near_row *row = rows.items;
    *ret = columns_new(cx, rows.count);
    for (size_t i = 0, at = 0; i < late->count; i++) {
        size_t begin = at;
        while (at < rows.count && row[at].series_id == late->items[i]->id)
            at++;
        pick_chunks(late->items[i], row + begin, at - begin, ret);
    }
    return OK;
}

/* Samples behind the end need the tail only, which was found with the series; a full one is left
 * alone, and what follows begins another chunk. */
static enum err fetch_chunks(struct fold *f) {
    struct ctx *cx = f->cx;
    struct columns places;
    struct list rows;
    struct late late = late_series(f);
    for (size_t i = 0; i < f->pile.names.count; i++) {
        struct series *s = &f->series[i];
        s->chunks = &s->tail;
        s->chunk_count = s->late == 0 && s->tail.count > 0;
    }
    if (late.count == 0)
        return OK;
    TRY(find_chunks(f, &late, &places));
    TRY(db_many(cx, &SQL_metric_chunks_at, COLUMNS_ARGS(cx, &places), &CHUNK_ROW_SHAPE, &rows));
    return hand_out(f, &late, &rows);
}

static size_t merge(struct fold *f) {
    size_t change_count = 0;
    for (size_t i = 0; i < f->pile.names.count; i++) {
        struct series *s = &f->series[i];
        s->changes = chunk_merge(f->cx->arena, s->chunks, s->chunk_count,
                                 s->has_end ? &s->end : NULL, s->samples, s->count);
        s->grew = s->changes.added.count > 0;
        if (s->grew)
            s->growth = chunk_summarise(s->changes.added.samples, s->changes.added.count);
        change_count += s->changes.count;
    }
    return change_count;
}

/* --- storing ---------------------------------------------------------------------------------- */

/* Before the new ones are put: a dropped chunk's first sample may begin another now. */
static enum err drop_chunks(struct fold *f, size_t change_count) {
    struct columns c = columns_new(f->cx, change_count);
    for (size_t i = 0; i < f->pile.names.count; i++) {
        const struct series *s = &f->series[i];
        for (size_t k = 0; k < s->changes.count; k++)
            if (s->changes.items[k].drop)
                columns_add(&c, s->id, s->changes.items[k].drop);
    }
    return c.count ? db_exec(f->cx, &SQL_metric_chunks_drop, COLUMNS_ARGS(f->cx, &c), NULL) : OK;
}

static enum err put_chunks(struct fold *f, size_t change_count) {
    struct ctx *cx = f->cx;
    struct summaries c = summaries_new(cx, change_count);
    struct db_bytes *bodies = arena_new_array(cx->arena, struct db_bytes, change_count);
    for (size_t i = 0; i < f->pile.names.count; i++) {
        const struct series *s = &f->series[i];
        for (size_t k = 0; s->id && k < s->changes.count; k++) {
            const struct chunk *put = &s->changes.items[k].put;
            if (put->count == 0)
                continue;
            unsigned char *body = arena_alloc(cx->arena, CHUNK_SIZE_MAX(put->count));
            bodies[c.firsts.count] =
                (struct db_bytes){body, chunk_encode(put->samples, put->count, body)};
            struct chunk_summary summary = chunk_summarise(put->samples, put->count);
            summaries_add(&c, s->id, &summary);
        }
    }
    size_t n = c.firsts.count;
    return db_exec(cx, &SQL_metric_chunks_put,
                   ARGS(cx->who.team_id, db_int_array(cx, c.firsts.ids, n),
                        db_int_array(cx, c.firsts.steps, n), db_int_array(cx, c.firsts.times, n),
                        db_real_array(cx, c.firsts.values, n), db_int_array(cx, c.lasts.steps, n),
                        db_int_array(cx, c.lasts.times, n), db_real_array(cx, c.lasts.values, n),
                        db_int_array(cx, c.min_ats, n), db_int_array(cx, c.max_ats, n),
                        db_real_array(cx, c.leasts, n), db_real_array(cx, c.greatests, n),
                        db_int_array(cx, c.points, n), db_int_array(cx, c.non_finites, n),
                        db_bytes_array(cx, bodies, n)),
                   NULL);
}

/* Tells the runs that gained points, and their pages. */
static enum err tell(struct fold *f) {
    const char **runs = arena_new_array(f->cx->arena, const char *, f->run_count);
    bool *grew = arena_new_array(f->cx->arena, bool, f->run_count);
    size_t count = 0;
    for (size_t i = 0; i < f->pile.names.count; i++)
        grew[f->pile.names.items[i].run] |= f->series[i].grew;
    for (size_t i = 0; i < f->run_count; i++)
        if (grew[i])
            runs[count++] = f->run_ids[i];
    TRY(runs_heard(f->cx, runs, count));
    return feed_post_all(f->cx, "run", runs, count, "metrics");
}

static enum err fold_in(struct ctx *cx, void *arg) {
    struct fold *f = arg;
    f->cx = cx;
    f->pile = pile_new(cx->arena);
    TRY(take_batches(f));
    if (f->pile.count == 0)
        return OK;
    fold_group(f);
    TRY(fold_find_series(f, true));
    TRY(fetch_chunks(f));
    size_t change_count = merge(f);
    if (change_count == 0)
        return OK; /* nothing but points that were there already */
    TRY(fold_grow_series(f));
    TRY(drop_chunks(f, change_count));
    TRY(put_chunks(f, change_count));
    return tell(f);
}

/* --- steps ------------------------------------------------------------------------------------ */

/* New series cost a hundred times what more points of known ones do, and nobody knows before which
 * are in the batches; so a step takes as many points as the last one's suggest. */
#define STEP_US 100000
#define STEP_POINTS_FIRST 5000
#define STEP_POINTS_MIN 500
#define STEP_POINTS_MAX 100000

static void learn(struct pace *pace, size_t points, int64_t took_us) {
    int64_t fits = (int64_t)points * STEP_US / (took_us + 1);
    int64_t most = 2 * pace->points;
    pace->points = fits > most ? most : fits;
    if (pace->points < STEP_POINTS_MIN)
        pace->points = STEP_POINTS_MIN;
    if (pace->points > STEP_POINTS_MAX)
        pace->points = STEP_POINTS_MAX;
}

enum err fold_step(struct ctx *cx, const char *const *run_ids, size_t count, struct pace *pace,
                   bool *ret_more) {
    struct fold f = {.run_ids = run_ids, .run_count = count};
    int64_t begin = clock_mono_us();
    if (pace->points == 0)
        pace->points = STEP_POINTS_FIRST;
    f.points_max = pace->points;
    TRY(in_scratch(cx, fold_in, &f));
    *ret_more = f.more;
    if (f.more)
        learn(pace, f.pile.count, clock_mono_us() - begin);
    return OK;
}
