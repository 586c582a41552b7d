/* fold_series.c: what noting and folding share: batches are taken apart by series, and what the
 * series gain comes into their summaries, the rows of run_metrics.
 *
 * It takes two or three statements, whether they are of one series or of thousands. A series that
 * is new gets its row with all that is known of it at once: a row made empty and then filled would
 * be written twice, with an entry in three indexes each time. */
#include "tracking/metrics_private.h"

#include "sql/tracking.h"

#include <string.h>

enum err metrics_damaged(struct ctx *cx, const char *what) {
    fail(cx, ERR_INTERNAL, "stored metrics could not be read");
    fail_detail(cx, "%s is damaged", what);
    return ERR_INTERNAL;
}

/* --- batches ---------------------------------------------------------------------------------- */

struct inbox_row {
    const char *run_id, *body;
};
static const struct field INBOX_ROW_FIELDS[] = {FIELD(UUID, struct inbox_row, run_id),
                                                FIELD(STRING, struct inbox_row, body)};
SHAPE(INBOX_ROW_SHAPE, "InboxRow", struct inbox_row, INBOX_ROW_FIELDS);

static size_t run_number(const struct fold *f, const char *run_id) {
    size_t i = 0;
    while (i + 1 < f->run_count && strcmp(f->run_ids[i], run_id) != 0)
        i++;
    return i;
}

enum err fold_add(struct fold *f, const struct list *rows) {
    const struct inbox_row *row = rows->items;
    for (size_t i = 0; i < rows->count; i++) {
        struct db_bytes batch;
        TRY(db_bytes(f->cx, row[i].body, &batch));
        if (!pile_add(&f->pile, run_number(f, row[i].run_id), batch))
            return metrics_damaged(f->cx, "a batch in metric_inbox");
        f->bytes += batch.size;
    }
    return OK;
}

/* A counting sort by series, then sorts that find little to do. */
void fold_group(struct fold *f) {
    const struct pile *pile = &f->pile;
    struct arena *arena = f->cx->arena;
    struct sample *samples = arena_new_array(arena, struct sample, pile->count);
    f->series = arena_new_array(arena, struct series, pile->names.count);
    for (size_t i = 0; i < pile->count; i++)
        f->series[pile->owners[i]].count++;
    for (size_t i = 0; i < pile->names.count; i++) {
        f->series[i].samples = samples;
        samples += f->series[i].count;
        f->series[i].count = 0;
    }
    for (size_t i = 0; i < pile->count; i++) {
        struct series *s = &f->series[pile->owners[i]];
        s->samples[s->count++] = pile->samples[i];
    }
    for (size_t i = 0; i < pile->names.count; i++)
        f->series[i].count = samples_sort(f->series[i].samples, f->series[i].count);
}

/* --- columns ---------------------------------------------------------------------------------- */

struct columns columns_new(struct ctx *cx, size_t cap) {
    return (struct columns){.ids = arena_new_array(cx->arena, int64_t, cap),
                            .steps = arena_new_array(cx->arena, int64_t, cap),
                            .times = arena_new_array(cx->arena, int64_t, cap),
                            .values = arena_new_array(cx->arena, double, cap)};
}

void columns_add(struct columns *c, int64_t id, const struct sample *sample) {
    c->ids[c->count] = id;
    c->steps[c->count] = sample->step;
    c->times[c->count] = sample->at_us;
    c->values[c->count++] = sample->value;
}

struct summaries summaries_new(struct ctx *cx, size_t cap) {
    return (struct summaries){.firsts = columns_new(cx, cap),
                              .lasts = columns_new(cx, cap),
                              .min_ats = arena_new_array(cx->arena, int64_t, cap),
                              .max_ats = arena_new_array(cx->arena, int64_t, cap),
                              .points = arena_new_array(cx->arena, int64_t, cap),
                              .non_finites = arena_new_array(cx->arena, int64_t, cap),
                              .leasts = arena_new_array(cx->arena, double, cap),
                              .greatests = arena_new_array(cx->arena, double, cap)};
}

void summaries_add(struct summaries *s, int64_t id, const struct chunk_summary *summary) {
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

/* --- finding ---------------------------------------------------------------------------------- */

struct series_row {
    int64_t ord, series_id, points, last_step, last_at, end_step, end_at, tail_points;
    double last_value, end_value;
    const char *tail;
};
static const struct field SERIES_ROW_FIELDS[] = {
    FIELD(INT, struct series_row, ord),
    FIELD(INT, struct series_row, series_id),
    FIELD(INT, struct series_row, points),
    FIELD(INT, struct series_row, last_step, .flags = FIELD_NULLABLE),
    FIELD(INT, struct series_row, last_at, .flags = FIELD_NULLABLE),
    FIELD(REAL, struct series_row, last_value, .flags = FIELD_NULLABLE),
    FIELD(INT, struct series_row, end_step, .flags = FIELD_NULLABLE),
    FIELD(INT, struct series_row, end_at, .flags = FIELD_NULLABLE),
    FIELD(REAL, struct series_row, end_value, .flags = FIELD_NULLABLE),
    FIELD(INT, struct series_row, tail_points, .flags = FIELD_NULLABLE),
    FIELD(STRING, struct series_row, tail, .flags = FIELD_NULLABLE)};
static SHAPE(SERIES_ROW_SHAPE, "SeriesRow", struct series_row, SERIES_ROW_FIELDS);

static enum err take_row(struct ctx *cx, const struct series_row *row, struct series *s) {
    s->id = row->series_id;
    s->points = row->points;
    s->has_last = row->last_at != FIELD_NO_INT;
    s->last = (struct sample){row->last_step, row->last_at, row->last_value};
    s->has_end = row->end_at != FIELD_NO_INT;
    s->end = (struct sample){row->end_step, row->end_at, row->end_value};
    while (s->has_end && s->late < s->count && sample_compare(&s->samples[s->late], &s->end) <= 0)
        s->late++;
    if (!row->tail)
        return OK;
    s->tail.samples = arena_new_array(cx->arena, struct sample, CHUNK_MAX);
    return chunk_load(cx, row->tail, row->tail_points, s->tail.samples, &s->tail.count);
}

enum err fold_find_series(struct fold *f, bool with_ends) {
    struct ctx *cx = f->cx;
    const struct names *names = &f->pile.names;
    const char **runs = arena_new_array(cx->arena, const char *, names->count);
    const char **keys = arena_new_array(cx->arena, const char *, names->count);
    for (size_t i = 0; i < names->count; i++) {
        runs[i] = f->run_ids[names->items[i].run];
        keys[i] = names->items[i].text;
    }
    struct list rows;
    TRY(db_many(cx, &SQL_metric_series_find,
                ARGS(cx->who.team_id, db_text_array(cx, runs, names->count),
                     db_text_array(cx, keys, names->count),
                     with_ends ? db_int(cx, CHUNK_MAX) : NULL),
                &SERIES_ROW_SHAPE, &rows));
    const struct series_row *row = rows.items;
    for (size_t i = 0; i < rows.count; i++)
        TRY(take_row(cx, &row[i], &f->series[row[i].ord - 1]));
    return OK;
}

/* --- growing ---------------------------------------------------------------------------------- */

#define GROWTH_COLUMNS(cx, c, n)                                                                   \
    db_int_array(cx, (c)->points, n), db_int_array(cx, (c)->non_finites, n),                       \
        db_int_array(cx, (c)->firsts.steps, n), db_real_array(cx, (c)->leasts, n),                 \
        db_real_array(cx, (c)->greatests, n), db_int_array(cx, (c)->lasts.steps, n),               \
        db_int_array(cx, (c)->lasts.times, n), db_real_array(cx, (c)->lasts.values, n)

struct made_row {
    const char *run_id, *key;
    int64_t series_id;
};
static const struct field MADE_ROW_FIELDS[] = {FIELD(UUID, struct made_row, run_id),
                                               FIELD(STRING, struct made_row, key),
                                               FIELD(INT, struct made_row, series_id)};
static SHAPE(MADE_ROW_SHAPE, "MadeSeriesRow", struct made_row, MADE_ROW_FIELDS);

static enum err create_series(struct fold *f) {
    struct ctx *cx = f->cx;
    struct names *names = &f->pile.names;
    struct summaries c = summaries_new(cx, names->count);
    const char **runs = arena_new_array(cx->arena, const char *, names->count);
    const char **keys = arena_new_array(cx->arena, const char *, names->count);
    for (size_t i = 0; i < names->count; i++) {
        if (f->series[i].id || !f->series[i].grew)
            continue;
        runs[c.firsts.count] = f->run_ids[names->items[i].run];
        keys[c.firsts.count] = names->items[i].text;
        summaries_add(&c, 0, &f->series[i].growth);
    }
    size_t n = c.firsts.count;
    struct list rows = {0};
    if (n)
        TRY(db_many(cx, &SQL_metric_series_create,
                    ARGS(cx->who.team_id, db_text_array(cx, runs, n), db_text_array(cx, keys, n),
                         GROWTH_COLUMNS(cx, &c, n)),
                    &MADE_ROW_SHAPE, &rows));
    const struct made_row *row = rows.items;
    for (size_t i = 0; i < rows.count; i++)
        f->series[names_add(names, run_number(f, row[i].run_id), row[i].key, strlen(row[i].key))]
            .id = row[i].series_id;
    return OK;
}

/* The others: their rows are there. */
static enum err update_series(struct fold *f) {
    struct ctx *cx = f->cx;
    struct summaries c = summaries_new(cx, f->pile.names.count);
    for (size_t i = 0; i < f->pile.names.count; i++) {
        const struct series *s = &f->series[i];
        if (s->id == 0 || !s->grew)
            continue;
        struct chunk_summary growth = s->growth;
        if (s->has_last && sample_compare(&s->last, &growth.last) > 0)
            growth.last = s->last;
        summaries_add(&c, s->id, &growth);
    }
    size_t n = c.firsts.count;
    if (n == 0)
        return OK;
    return db_exec(
        cx, &SQL_metric_series_grow,
        ARGS(cx->who.team_id, db_int_array(cx, c.firsts.ids, n), GROWTH_COLUMNS(cx, &c, n)), NULL);
}

enum err fold_grow_series(struct fold *f) {
    TRY(update_series(f));
    return create_series(f);
}
