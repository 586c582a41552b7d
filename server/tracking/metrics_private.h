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
struct db_bytes batch_encode(struct ctx *cx, const struct metric_point *points, size_t count);

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

/* --- folding (fold.c) --- */

#define FOLD_RUNS_MAX 64      /* in one transaction */
#define FOLD_POINTS_MAX 50000 /* in one step; and the rest of a batch */
#define FOLD_BATCHES_MAX 5000 /* likewise */

/* Takes batches of these runs from the inbox and packs them, in the ctx's transaction, which holds
 * the runs' locks. *ret_more: the inbox may have more of them. */
MUST_USE enum err fold_step(struct ctx *cx, const char *const *run_ids, size_t count,
                            bool *ret_more);
/* All that these runs have, after others who fold them. Commits after each step if told so. run_ids
 * are in order. */
MUST_USE enum err fold_runs(struct ctx *cx, const char *const *run_ids, size_t count, bool commit);

/* A chunk's points, at most CHUNK_MAX, from its columns body and points. */
MUST_USE enum err chunk_load(struct ctx *cx, const char *body, int64_t points, struct sample *ret,
                             size_t *ret_count);
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
    int64_t unfolded[METRIC_TEAM_SLOTS]; /* points stored since the folder last came by, by team */
    bool stopping;
    pthread_cond_t stop;
    pthread_t folder;
    bool folding; /* the folder runs; set before and after all other threads */
    struct app *app;
};

/* The team's counter of points that are not folded; under the lock. */
int64_t *ingest_unfolded(struct ingest *m, const char *team_id);
