/* fold_notes.c: from the inbox into the summaries, before the points are packed.
 *
 * While points come faster than they can be packed, the inbox holds seconds of work, and a reader
 * of last values must not wait for it: folding what a run had left a sixth of the reads. Noting
 * takes only what summaries are made of (digests, or short batches whole): a batch of a thousand
 * points costs what a few dozen do. A summary that has been noted lacks nothing but the count of
 * its points, which is known when duplicates are.
 *
 * Noting twice changes nothing, and a batch may be folded without having been noted. */
#include "tracking/metrics_private.h"

#include "base/ident.h"
#include "sql/tracking.h"

#include <stdlib.h>
#include <string.h>

#define NOTE_BYTES_MAX 1000000 /* in one step */
#define NOTE_BATCHES_MAX 2000  /* likewise */

static enum err note_in(struct ctx *cx, void *arg) {
    struct fold *f = arg;
    struct list rows;
    f->cx = cx;
    f->pile = pile_new(cx->arena);
    TRY(db_many(cx, &SQL_metric_inbox_note,
                ARGS(cx->who.team_id, db_text_array(cx, f->run_ids, f->run_count),
                     db_int(cx, NOTE_BYTES_MAX), db_int(cx, NOTE_BATCHES_MAX)),
                &INBOX_ROW_SHAPE, &rows));
    TRY(fold_add(f, &rows));
    f->more = rows.count >= NOTE_BATCHES_MAX || f->bytes >= NOTE_BYTES_MAX;
    if (f->pile.count == 0)
        return OK;
    fold_group(f);
    TRY(fold_find_series(f, false));
    for (size_t i = 0; i < f->pile.names.count; i++) {
        struct series *s = &f->series[i];
        s->grew = true;
        s->growth = chunk_summarise(s->samples, s->count);
        s->growth.points = s->growth.non_finite = 0;
    }
    return fold_grow_series(f);
}

enum err note_runs(struct ctx *cx, const char *const *run_ids, size_t count, bool commit) {
    for (size_t i = 0; i < count; i += FOLD_RUNS_MAX) {
        size_t some = count - i < FOLD_RUNS_MAX ? count - i : FOLD_RUNS_MAX;
        const char *ids = db_text_array(cx, run_ids + i, some);
        struct fold f;
        do {
            f = (struct fold){.run_ids = run_ids + i, .run_count = some};
            TRY(db_exec(cx, &SQL_metric_fold_lock, ARGS(ids, db_bool(commit)), NULL));
            TRY(in_scratch(cx, note_in, &f));
            if (commit)
                TRY(db_commit(cx));
        } while (f.more);
    }
    return OK;
}

/* --- readers ---------------------------------------------------------------------------------- */

struct fresh_row {
    const char *run_id;
    bool untouched;
};
static const struct field FRESH_ROW_FIELDS[] = {FIELD(UUID, struct fresh_row, run_id),
                                                FIELD(BOOL, struct fresh_row, untouched)};
static SHAPE(FRESH_ROW_SHAPE, "FreshRow", struct fresh_row, FRESH_ROW_FIELDS);

/* Commits on the way if that ends nothing but this: a reader must not hold others up with its locks
 * while it goes on to read. */
static enum err settle(struct ctx *cx, const struct list *rows) {
    const struct fresh_row *row = rows->items;
    if (rows->count == 0)
        return OK;
    const char **run_ids = arena_new_array(cx->arena, const char *, rows->count);
    for (size_t i = 0; i < rows->count; i++)
        run_ids[i] = row[i].run_id;
    return note_runs(cx, run_ids, rows->count, row[0].untouched);
}

enum err runs_settle(struct ctx *cx, const char *run_ids) {
    struct list rows;
    TRY(db_many(cx, &SQL_metric_runs_fresh, ARGS(cx->who.team_id, run_ids), &FRESH_ROW_SHAPE,
                &rows));
    return settle(cx, &rows);
}

enum err run_settle(struct ctx *cx, const char *run_id) {
    bool known = uuid_is_valid(run_id); /* nothing has another name */
    return known ? runs_settle(cx, db_text_array(cx, &run_id, 1)) : OK;
}

enum err metrics_settle(struct ctx *cx, const char *const *experiment_ids, size_t count) {
    struct list rows;
    if (experiment_ids)
        TRY(db_many(cx, &SQL_metric_experiments_fresh,
                    ARGS(cx->who.team_id, db_text_array(cx, experiment_ids, count)),
                    &FRESH_ROW_SHAPE, &rows));
    else
        TRY(db_many(cx, &SQL_metric_team_fresh, ARGS(cx->who.team_id), &FRESH_ROW_SHAPE, &rows));
    return settle(cx, &rows);
}

/* --- readers who take the notes along --------------------------------------------------------- */

static int compare_lasts(const void *a, const void *b) {
    return strcmp(((const struct metric_last *)a)->key, ((const struct metric_last *)b)->key);
}

enum err metric_batches_lasts(struct ctx *cx, const struct list *batches, struct list *ret) {
    const char *const *texts = batches->items;
    struct pile pile = pile_new(cx->arena);
    for (size_t i = 0; i < batches->count; i++) {
        struct db_bytes batch;
        TRY(db_bytes(cx, texts[i], &batch));
        if (!pile_add(&pile, 0, batch))
            return metrics_damaged(cx, "a batch in metric_inbox");
    }
    struct sample *lasts = arena_new_array(cx->arena, struct sample, pile.names.count);
    bool *any = arena_new_array(cx->arena, bool, pile.names.count);
    for (size_t i = 0; i < pile.count; i++) {
        uint32_t owner = pile.owners[i];
        if (!any[owner] || sample_compare(&pile.samples[i], &lasts[owner]) > 0)
            lasts[owner] = pile.samples[i];
        any[owner] = true;
    }
    struct metric_last *items = arena_new_array(cx->arena, struct metric_last, pile.names.count);
    for (size_t i = 0; i < pile.names.count; i++)
        items[i] = (struct metric_last){.key = pile.names.items[i].text,
                                        .step = lasts[i].step,
                                        .at_us = lasts[i].at_us,
                                        .value = lasts[i].value};
    qsort(items, pile.names.count, sizeof(*items), compare_lasts);
    *ret = (struct list){items, pile.names.count};
    return OK;
}
