/* What the files of metrics share; private to the folder. */
#pragma once

#include "db/db.h"
#include "tracking/chunk.h"
#include "tracking/metrics.h"

#include <pthread.h>

/* Teams share counters of unfolded points; a stranger in the same slot costs a little speed. */
#define METRIC_TEAM_SLOTS 64

/* Calls fn with memory of its own, which is given back when it returns: a caller may need it a
 * thousand times. A ctx without a connection yet keeps its memory, for the connection lives there.
 */
static inline enum err in_scratch(struct ctx *cx, enum err (*fn)(struct ctx *cx, void *arg),
                                  void *arg) {
    struct arena *callers = cx->arena;
    if (!cx->conn)
        return fn(cx, arg);
    cx->arena = arena_new();
    enum err err = fn(cx, arg);
    arena_free(cx->arena);
    cx->arena = callers;
    return err;
}

/* --- names: texts that get a number each, in the order they come (ingest_names.c) --- */

struct name {
    const char *text; /* NUL-terminated */
    size_t run;       /* the same text of another run is another name */
    uint64_t hash;
};

struct names {
    struct arena *arena;
    struct name *items;
    size_t count, cap;
    uint32_t *slots; /* number + 1; 0 = free; a power of two of them, at most half full */
    size_t slot_count;
};

struct names names_new(struct arena *arena);
size_t names_add(struct names *names, size_t run, const char *text, size_t length);

/* --- batches as the inbox has them (ingest_batch.c) --- */

/* Refuses points that cannot be stored, naming the field: nothing that got past this can fail
 * later, when nobody waits for the answer any more. */
MUST_USE enum err batch_check(struct ctx *cx, const struct metric_point *points, size_t count);
/* As a row has them; a digest of no bytes = it has none. */
struct batch {
    struct db_bytes body, digest;
};
struct batch batch_encode(struct ctx *cx, const struct metric_point *points, size_t count);

/* Points of many batches: samples[i] is one of names.items[owners[i]]. */
struct pile {
    struct names names;
    uint32_t *owners;
    struct sample *samples;
    size_t count, cap;
};
struct pile pile_new(struct arena *arena);
/* Adds a batch of the run of that number; false when its bytes are damaged. */
bool pile_add(struct pile *pile, size_t run, struct db_bytes batch);

/* --- series while points come to them (fold_series.c) --- */

struct series {
    int64_t id;             /* 0 = it has no row yet */
    int64_t points;         /* that its chunks have */
    struct sample *samples; /* new ones, in order, each once */
    size_t count;
    bool has_last, has_end;
    struct sample last;   /* as its summary says */
    struct sample end;    /* of its last chunk: behind `last` while batches are only noted */
    struct chunk tail;    /* that chunk if it is not full, or nothing */
    size_t late;          /* how many samples do not come after `end` */
    struct chunk *chunks; /* those touched */
    size_t chunk_count;
    struct chunk_changes changes;
    bool grew;
    struct chunk_summary growth; /* what the summary gains */
};

/* One step: batches of some runs. */
struct fold {
    struct ctx *cx;
    const char *const *run_ids;
    size_t run_count;
    int64_t points_max; /* from here on it takes no more batches */
    struct pile pile;
    size_t bytes;          /* of the batches in it */
    bool more;             /* the inbox may have more of these runs */
    struct series *series; /* by the number of the pile's name */
};

/* Rows of metric_inbox (run_id, body) into the pile. */
extern const struct shape INBOX_ROW_SHAPE;
MUST_USE enum err fold_add(struct fold *f, const struct list *rows);
/* Each series' samples together and in order. */
void fold_group(struct fold *f);
/* Finds the rows of the series that have one; with_ends: and where their chunks end. */
MUST_USE enum err fold_find_series(struct fold *f, bool with_ends);
/* Stores the growth of the series that grew; rows are made for those that have none. A run that was
 * deleted meanwhile gets none. */
MUST_USE enum err fold_grow_series(struct fold *f);

/* Columns of samples, for statements. */
struct columns {
    int64_t *ids, *steps, *times;
    double *values;
    size_t count;
};
struct columns columns_new(struct ctx *cx, size_t cap);
void columns_add(struct columns *c, int64_t id, const struct sample *sample);

/* Columns of summaries, likewise. */
struct summaries {
    struct columns firsts, lasts;
    int64_t *min_ats, *max_ats, *points, *non_finites;
    double *leasts, *greatests;
};
struct summaries summaries_new(struct ctx *cx, size_t cap);
void summaries_add(struct summaries *s, int64_t id, const struct chunk_summary *summary);

/* --- noting (fold_notes.c) --- */

/* What these runs have in the inbox comes into their summaries, after others who fold them. Commits
 * after each step if told so. run_ids are in order. */
MUST_USE enum err note_runs(struct ctx *cx, const char *const *run_ids, size_t count, bool commit);

/* --- folding (fold.c, fold_sweep.c) --- */

#define FOLD_RUNS_MAX 64 /* in one transaction */

/* How many points a step takes, so that it lasts about a tenth of a second: nobody waits longer for
 * a run's lock. */
struct pace {
    int64_t points; /* 0 = nothing is known yet */
};

/* Takes batches of these runs from the inbox and packs them, in the ctx's transaction, which holds
 * the runs' locks. *ret_more: the inbox may have more of them. */
MUST_USE enum err fold_step(struct ctx *cx, const char *const *run_ids, size_t count,
                            struct pace *pace, bool *ret_more);
/* All that the run has, after others who fold it, if that is more than `few` points. run_id is a
 * uuid. Commits on the way as run_settle() does. */
MUST_USE enum err run_fold(struct ctx *cx, const char *run_id, int64_t few);
/* Folds for about so long, whatever waits in the inboxes of all teams, and notes the rest: then
 * there is more. As metrics_sweep(). */
MUST_USE enum err sweep_round(struct ctx *cx, struct pace *pace, int64_t fold_us, bool *ret_more);
/* For a writer whose team is far ahead of the folder: some steps for its run, each committed. */
MUST_USE enum err fold_help(struct ctx *cx, const char *run_id);

/* A step as a parameter; db_int() would take INT64_MIN for null. */
static inline const char *db_step(struct ctx *cx, int64_t step) {
    return arena_printf(cx->arena, "%lld", (long long)step);
}

/* A chunk's points, at most CHUNK_MAX, from its columns body and points. */
MUST_USE enum err chunk_load(struct ctx *cx, const char *body, int64_t points, struct sample *ret,
                             size_t *ret_count);
enum err metrics_damaged(struct ctx *cx, const char *what);
/* As run_settle(), of many runs as a uuid[]. */
MUST_USE enum err runs_settle(struct ctx *cx, const char *run_ids);

/* --- the part of the process (ingest.c, fold_sweep.c) --- */

struct request;

#define INGEST_HELP                                                                                \
    1000000                /* points of a team that are not folded: from here its requests fold,   \
                            */
#define INGEST_MAX 4000000 /* and from here they are refused */

struct ingest {
    pthread_mutex_t lock;                /* the members up to `folder` */
    struct request *first, **end;        /* requests nobody has taken yet, in the order they came */
    int leaders;                         /* threads that store batches now */
    int64_t unfolded[METRIC_TEAM_SLOTS]; /* points that wait to be folded, about, by team */
    bool stopping;
    pthread_cond_t stop;
    pthread_t folder;
    bool folding; /* the folder runs; set before and after all other threads */
    struct app *app;
};

/* The team's counter of points that are not folded; under the lock. */
int64_t *ingest_unfolded(struct ingest *m, const char *team_id);
