/* fold.c: from the inbox into chunks.
 *
 * One step takes batches of some runs and needs the same eight or so statements whether they are of
 * one series or of thousands: it finds the series (and makes new ones), fetches just the chunks to
 * which the points belong, merges, writes the changed chunks, and adds what was new to the
 * summaries. All of it is one transaction, so a point is in the inbox or in its chunk, never in
 * both and never in neither.
 *
 * A point behind the end of its series, which nearly every one is, needs the last chunk only, so
 * one look-up serves all of them; each other point is looked up on its own. So a batch that is sent
 * again costs what the batch costs, however long the series is.
 *
 * Two who fold the same run would both append to its last chunk: an advisory lock a run, held to
 * the end of the transaction, keeps them apart. It is not the run's row, because who changes a
 * run's state must not wait for its metrics. */
#include "tracking/metrics_private.h"

#include "http/feed.h"
#include "sql/tracking.h"
#include "tracking/tracking.h"

#include <math.h>
#include <string.h>

/* A series while points are folded into it. */
struct folded {
    int64_t id;             /* 0 = it has no row yet */
    int64_t points;         /* it has already */
    bool has_last;          /* it has some, */
    struct sample last;     /* and this is the greatest */
    struct sample *samples; /* new ones, in order */
    size_t count, late;     /* late: how many of them do not come after `last` */
    struct chunk *chunks;   /* those touched */
    size_t chunk_count;
    struct chunk_changes changes;
};

struct fold {
    struct ctx *cx;
    const char *const *run_ids;
    size_t run_count;
    struct pile pile;
    bool more;             /* the inbox may have more of these runs */
    struct folded *series; /* by the number of the pile's name */
    struct folded **by_id; /* the same in the order of their ids */
};

/* --- taking ---------------------------------------------------------------------------------- */

struct inbox_row {
    const char *run_id, *body;
};
static const struct field INBOX_ROW_FIELDS[] = {FIELD(UUID, struct inbox_row, run_id),
                                                FIELD(STRING, struct inbox_row, body)};
static SHAPE(INBOX_ROW_SHAPE, "InboxRow", struct inbox_row, INBOX_ROW_FIELDS);

static enum err damaged(struct ctx *cx, const char *what) {
    fail(cx, ERR_INTERNAL, "stored metrics could not be read");
    fail_detail(cx, "%s is damaged", what);
    return ERR_INTERNAL;
}

enum err chunk_load(struct ctx *cx, const char *body, int64_t points, struct sample *ret,
                    size_t *ret_count) {
    struct db_bytes bytes;
    TRY(db_bytes(cx, body, &bytes));
    if (!chunk_decode(bytes.data, bytes.size, ret, CHUNK_MAX, ret_count) || *ret_count == 0 ||
        (int64_t)*ret_count != points)
        return damaged(cx, "a chunk in metric_chunks");
    return OK;
}

static size_t run_number(const struct fold *f, const char *run_id) {
    size_t i = 0;
    while (i + 1 < f->run_count && strcmp(f->run_ids[i], run_id) != 0)
        i++;
    return i;
}

static enum err take_batches(struct fold *f) {
    struct ctx *cx = f->cx;
    struct list rows;
    TRY(db_many(cx, &SQL_metric_inbox_take,
                ARGS(cx->who.team_id, db_text_array(cx, f->run_ids, f->run_count),
                     db_int(cx, FOLD_POINTS_MAX), db_int(cx, FOLD_BATCHES_MAX)),
                &INBOX_ROW_SHAPE, &rows));
    const struct inbox_row *row = rows.items;
    for (size_t i = 0; i < rows.count; i++) {
        struct db_bytes batch;
        TRY(db_bytes(cx, row[i].body, &batch));
        if (!pile_add(&f->pile, run_number(f, row[i].run_id), batch))
            return damaged(cx, "a batch in metric_inbox");
    }
    f->more = f->pile.count >= FOLD_POINTS_MAX || rows.count >= FOLD_BATCHES_MAX;
    return OK;
}

/* Each series' samples together and in order: a counting sort by series, then sorts that find
 * little to do. */
static void group_samples(struct fold *f) {
    const struct pile *pile = &f->pile;
    struct arena *arena = f->cx->arena;
    struct sample *samples = arena_new_array(arena, struct sample, pile->count);
    f->series = arena_new_array(arena, struct folded, pile->names.count);
    for (size_t i = 0; i < pile->count; i++)
        f->series[pile->owners[i]].count++;
    for (size_t i = 0; i < pile->names.count; i++) {
        f->series[i].samples = samples;
        samples += f->series[i].count;
        f->series[i].count = 0;
    }
    for (size_t i = 0; i < pile->count; i++) {
        struct folded *s = &f->series[pile->owners[i]];
        s->samples[s->count++] = pile->samples[i];
    }
    for (size_t i = 0; i < pile->names.count; i++)
        f->series[i].count = samples_sort(f->series[i].samples, f->series[i].count);
}

/* --- finding ---------------------------------------------------------------------------------- */

struct series_row {
    int64_t ord, series_id, points, last_step, last_at;
    double last_value;
};
static const struct field SERIES_ROW_FIELDS[] = {
    FIELD(INT, struct series_row, ord),
    FIELD(INT, struct series_row, series_id),
    FIELD(INT, struct series_row, points),
    FIELD(INT, struct series_row, last_step, .flags = FIELD_NULLABLE),
    FIELD(INT, struct series_row, last_at, .flags = FIELD_NULLABLE),
    FIELD(REAL, struct series_row, last_value, .flags = FIELD_NULLABLE)};
static SHAPE(SERIES_ROW_SHAPE, "SeriesRow", struct series_row, SERIES_ROW_FIELDS);

/* Looks for the rows of the series that are not known yet; makes them first if told so. */
static enum err find_series(struct fold *f, bool create, size_t *ret_missing) {
    struct ctx *cx = f->cx;
    const struct names *names = &f->pile.names;
    const char **runs = arena_new_array(cx->arena, const char *, names->count);
    const char **keys = arena_new_array(cx->arena, const char *, names->count);
    size_t *numbers = arena_new_array(cx->arena, size_t, names->count), count = 0;
    for (size_t i = 0; i < names->count; i++) {
        if (f->series[i].id)
            continue;
        runs[count] = f->run_ids[names->items[i].run];
        keys[count] = names->items[i].text;
        numbers[count++] = i;
    }
    struct list rows;
    const char *const *args =
        ARGS(cx->who.team_id, db_text_array(cx, runs, count), db_text_array(cx, keys, count));
    if (create)
        TRY(db_exec(cx, &SQL_metric_series_create, args, NULL));
    TRY(db_many(cx, &SQL_metric_series_find, args, &SERIES_ROW_SHAPE, &rows));
    const struct series_row *row = rows.items;
    for (size_t i = 0; i < rows.count; i++) {
        struct folded *s = &f->series[numbers[row[i].ord - 1]];
        s->id = row[i].series_id;
        s->points = row[i].points;
        s->has_last = row[i].last_step != FIELD_NO_INT;
        s->last = (struct sample){row[i].last_step, row[i].last_at, row[i].last_value};
    }
    *ret_missing = count - rows.count;
    return OK;
}

static int compare_series(const void *a, const void *b) {
    const struct folded *const *x = a, *const *y = b;
    return ((*x)->id > (*y)->id) - ((*x)->id < (*y)->id);
}

/* A run that was deleted meanwhile has none, and its points go with it. */
static enum err ensure_series(struct fold *f) {
    size_t missing;
    TRY(find_series(f, false, &missing));
    if (missing)
        TRY(find_series(f, true, &missing));
    for (size_t i = 0; i < f->pile.names.count; i++) {
        struct folded *s = &f->series[i];
        s->count = s->id ? s->count : 0;
        while (s->late < s->count && s->has_last &&
               sample_compare(&s->samples[s->late], &s->last) <= 0)
            s->late++;
    }
    f->by_id = arena_new_array(f->cx->arena, struct folded *, f->pile.names.count);
    for (size_t i = 0; i < f->pile.names.count; i++)
        f->by_id[i] = &f->series[i];
    qsort(f->by_id, f->pile.names.count, sizeof(*f->by_id), compare_series);
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

/* Columns of samples, for statements. */
struct columns {
    int64_t *ids, *steps, *times;
    double *values;
    size_t count;
};

static struct columns columns_new(struct ctx *cx, size_t cap) {
    return (struct columns){.ids = arena_new_array(cx->arena, int64_t, cap),
                            .steps = arena_new_array(cx->arena, int64_t, cap),
                            .times = arena_new_array(cx->arena, int64_t, cap),
                            .values = arena_new_array(cx->arena, double, cap)};
}

static void columns_add(struct columns *c, int64_t id, const struct sample *sample) {
    c->ids[c->count] = id;
    c->steps[c->count] = sample->step;
    c->times[c->count] = sample->at_us;
    c->values[c->count++] = sample->value;
}

#define COLUMNS_ARGS(cx, c)                                                                        \
    ARGS((cx)->who.team_id, db_int_array(cx, (c)->ids, (c)->count),                                \
         db_int_array(cx, (c)->steps, (c)->count), db_int_array(cx, (c)->times, (c)->count),       \
         db_real_array(cx, (c)->values, (c)->count))

/* Rows and series both by id: hands each series its stretch of chunks. */
static enum err hand_out(struct fold *f, const struct list *rows) {
    struct ctx *cx = f->cx;
    struct chunk *chunks = arena_new_array(cx->arena, struct chunk, rows->count);
    const struct chunk_row *row = rows->items;
    for (size_t i = 0, at = 0; i < rows->count; i++) {
        while (f->by_id[at]->id != row[i].series_id)
            at++;
        chunks[i].samples = arena_new_array(cx->arena, struct sample, CHUNK_MAX);
        TRY(chunk_load(cx, row[i].body, row[i].points, chunks[i].samples, &chunks[i].count));
        if (f->by_id[at]->chunk_count++ == 0)
            f->by_id[at]->chunks = &chunks[i];
    }
    return OK;
}

/* The late samples, and one more that stands for all behind the series' end: what has to be looked
 * up. None of a series that is new. */
static size_t sought(const struct folded *s) {
    return s->has_last ? s->late + (s->late < s->count) : 0;
}

/* Ranges in which to look for chunks: of a series from the first sample to the last one sought, or,
 * where that might list far more chunks than there are samples, of each sample alone. */
static void add_ranges(const struct folded *s, struct columns *from, struct columns *to) {
    size_t count = sought(s);
    bool listed = s->points / (CHUNK_MAX / 2) <= LISTED_MAX * (int64_t)count;
    for (size_t i = 0; i < count; i = listed ? count : i + 1) {
        columns_add(from, s->id, &s->samples[i]);
        columns_add(to, s->id, &s->samples[listed ? count - 1 : i]);
    }
}

/* Of the chunks of one series that were listed, in order, those that have a sample's place. */
static void pick_chunks(const struct folded *s, const struct near_row *row, size_t count,
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

static enum err find_chunks(struct fold *f, struct columns *ret) {
    struct ctx *cx = f->cx;
    struct columns from = columns_new(cx, f->pile.count), to = columns_new(cx, f->pile.count);
    for (size_t i = 0; i < f->pile.names.count; i++)
        add_ranges(f->by_id[i], &from, &to);
    struct list rows = {0};
    if (from.count)
        TRY(db_many(
            cx, &SQL_metric_chunks_near,
            ARGS(cx->who.team_id, db_int_array(cx, from.ids, from.count),
                 db_int_array(cx, from.steps, from.count), db_int_array(cx, from.times, from.count),
                 db_real_array(cx, from.values, from.count), db_int_array(cx, to.steps, to.count),
                 db_int_array(cx, to.times, to.count), db_real_array(cx, to.values, to.count)),
            &NEAR_ROW_SHAPE, &rows));
    const struct near_row *row = rows.items;
    *ret = columns_new(cx, rows.count);
    for (size_t i = 0, at = 0; i < f->pile.names.count; i++) {
        size_t begin = at;
        while (at < rows.count && row[at].series_id == f->by_id[i]->id)
            at++;
        pick_chunks(f->by_id[i], row + begin, at - begin, ret);
    }
    return OK;
}

static enum err fetch_chunks(struct fold *f) {
    struct ctx *cx = f->cx;
    struct columns places;
    struct list rows;
    TRY(find_chunks(f, &places));
    if (places.count == 0)
        return OK;
    TRY(db_many(cx, &SQL_metric_chunks_at, COLUMNS_ARGS(cx, &places), &CHUNK_ROW_SHAPE, &rows));
    return hand_out(f, &rows);
}

/* --- storing ---------------------------------------------------------------------------------- */

/* Before the new ones are put: a dropped chunk's first sample may begin another now. */
static enum err drop_chunks(struct fold *f, size_t change_count) {
    struct columns c = columns_new(f->cx, change_count);
    for (size_t i = 0; i < f->pile.names.count; i++) {
        const struct folded *s = &f->series[i];
        for (size_t k = 0; k < s->changes.count; k++)
            if (s->changes.items[k].drop)
                columns_add(&c, s->id, s->changes.items[k].drop);
    }
    return c.count ? db_exec(f->cx, &SQL_metric_chunks_drop, COLUMNS_ARGS(f->cx, &c), NULL) : OK;
}

struct summaries {
    struct columns firsts, lasts;
    int64_t *min_ats, *max_ats, *points, *non_finites;
    double *leasts, *greatests;
};

static struct summaries summaries_new(struct ctx *cx, size_t cap) {
    return (struct summaries){.firsts = columns_new(cx, cap),
                              .lasts = columns_new(cx, cap),
                              .min_ats = arena_new_array(cx->arena, int64_t, cap),
                              .max_ats = arena_new_array(cx->arena, int64_t, cap),
                              .points = arena_new_array(cx->arena, int64_t, cap),
                              .non_finites = arena_new_array(cx->arena, int64_t, cap),
                              .leasts = arena_new_array(cx->arena, double, cap),
                              .greatests = arena_new_array(cx->arena, double, cap)};
}

static void summaries_add(struct summaries *s, int64_t id, const struct chunk_summary *summary) {
    size_t i = s->firsts.count;
    columns_add(&s->firsts, id, &summary->first);
    columns_add(&s->lasts, id, &summary->last);
    s->min_ats[i] = summary->min_at;
    s->max_ats[i] = summary->max_at;
    s->points[i] = summary->points;
    s->non_finites[i] = summary->non_finite;
    s->leasts[i] = summary->least;
    s->greatests[i] = summary->greatest;
}

static enum err put_chunks(struct fold *f, size_t change_count) {
    struct ctx *cx = f->cx;
    struct summaries c = summaries_new(cx, change_count);
    struct db_bytes *bodies = arena_new_array(cx->arena, struct db_bytes, change_count);
    for (size_t i = 0; i < f->pile.names.count; i++) {
        const struct folded *s = &f->series[i];
        for (size_t k = 0; k < s->changes.count; k++) {
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

static enum err grow_series(struct fold *f) {
    struct ctx *cx = f->cx;
    struct summaries c = summaries_new(cx, f->pile.names.count);
    for (size_t i = 0; i < f->pile.names.count; i++) {
        const struct folded *s = &f->series[i];
        const struct chunk *added = &s->changes.added;
        if (added->count == 0)
            continue;
        struct chunk_summary summary = chunk_summarise(added->samples, added->count);
        if (s->has_last && sample_compare(&s->last, &summary.last) > 0)
            summary.last = s->last;
        summaries_add(&c, s->id, &summary);
    }
    size_t n = c.firsts.count;
    return db_exec(cx, &SQL_metric_series_grow,
                   ARGS(cx->who.team_id, db_int_array(cx, c.firsts.ids, n),
                        db_int_array(cx, c.points, n), db_int_array(cx, c.non_finites, n),
                        db_int_array(cx, c.firsts.steps, n), db_real_array(cx, c.leasts, n),
                        db_real_array(cx, c.greatests, n), db_int_array(cx, c.lasts.steps, n),
                        db_int_array(cx, c.lasts.times, n), db_real_array(cx, c.lasts.values, n)),
                   NULL);
}

/* Tells the runs that gained points, and their pages. */
static enum err tell(struct fold *f) {
    const char **runs = arena_new_array(f->cx->arena, const char *, f->run_count);
    bool *grew = arena_new_array(f->cx->arena, bool, f->run_count);
    size_t count = 0;
    for (size_t i = 0; i < f->pile.names.count; i++)
        grew[f->pile.names.items[i].run] |= f->series[i].changes.added.count > 0;
    for (size_t i = 0; i < f->run_count; i++)
        if (grew[i])
            runs[count++] = f->run_ids[i];
    TRY(runs_heard(f->cx, runs, count));
    return feed_post_all(f->cx, "run", runs, count, "metrics");
}

static enum err merge_and_store(struct fold *f) {
    size_t change_count = 0;
    for (size_t i = 0; i < f->pile.names.count; i++) {
        struct folded *s = &f->series[i];
        if (s->count)
            s->changes = chunk_merge(f->cx->arena, s->chunks, s->chunk_count,
                                     s->has_last ? &s->last : NULL, s->samples, s->count);
        change_count += s->changes.count;
    }
    if (change_count == 0)
        return OK; /* nothing but points that were there already */
    TRY(drop_chunks(f, change_count));
    TRY(put_chunks(f, change_count));
    TRY(grow_series(f));
    return tell(f);
}

static enum err fold_in(struct ctx *cx, void *arg) {
    struct fold *f = arg;
    f->cx = cx;
    f->pile = pile_new(cx->arena);
    TRY(take_batches(f));
    if (f->pile.count == 0)
        return OK;
    group_samples(f);
    TRY(ensure_series(f));
    TRY(fetch_chunks(f));
    return merge_and_store(f);
}

enum err fold_step(struct ctx *cx, const char *const *run_ids, size_t count, bool *ret_more) {
    struct fold f = {.run_ids = run_ids, .run_count = count};
    TRY(in_scratch(cx, fold_in, &f));
    *ret_more = f.more;
    return OK;
}

enum err fold_runs(struct ctx *cx, const char *const *run_ids, size_t count, bool commit) {
    for (size_t i = 0; i < count; i += FOLD_RUNS_MAX) {
        size_t some = count - i < FOLD_RUNS_MAX ? count - i : FOLD_RUNS_MAX;
        const char *ids = db_text_array(cx, run_ids + i, some);
        bool more;
        do {
            TRY(db_exec(cx, &SQL_metric_fold_lock, ARGS(ids), NULL));
            TRY(fold_step(cx, run_ids + i, some, &more));
            if (commit)
                TRY(db_commit(cx));
        } while (more);
    }
    return OK;
}
