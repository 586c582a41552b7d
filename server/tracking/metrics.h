/* Metrics: what runs report about themselves, point by point.
 *
 * A point is (key, step, time, value) of a run, and the same point counts once, however often it is
 * sent. NaN equals NaN and -0 is stored as 0. A batch is stored whole or not at all.
 *
 * Storing appends the batch to an inbox and does nothing else. Folding, a moment later, packs what
 * the inbox holds into chunks of a series (run and key) and brings the series' summary up to date.
 * Summaries can be had sooner: noting brings what a batch changes in them, all but the count of
 * points. A reader settles first: what was acknowledged before it asked is noted, or folded for
 * those who read the points. The functions below do so by themselves; whoever reads run_metrics in
 * SQL calls run_settle() or metrics_settle() first. */
#pragma once

#include "base/field.h"
#include "ctx.h"

#define METRIC_KEY_MAX 250     /* characters */
#define METRIC_BATCH_MAX 10000 /* points in one call of run_ingest_metrics() */

/* One value of one metric. */
struct metric_point {
    const char *key;
    int64_t step;  /* any; INT64_MIN is not FIELD_NO_INT here */
    int64_t at_us; /* years 1 to 9999 */
    double value;  /* may be NaN or infinite */
};

/* The last point of a series: the greatest (step, time, value), NaN above all. */
struct metric_last {
    const char *run_id, *key;
    int64_t step, at_us;
    double value;
};

/* Stores a batch of any size in the ctx's transaction, together with whatever else it holds.
 * ERR_NOT_FOUND without the run, ERR_CONFLICT when it is archived; ERR_UNPROCESSABLE names the
 * field of a point that cannot be ("points[3].key"). */
MUST_USE enum err run_log_metrics(struct ctx *cx, const char *run_id,
                                  const struct metric_point *points, size_t count);
/* The same as a request's only work: shares its commit with other requests, and is committed when
 * it returns OK. Ends the ctx's transaction first: nothing may have been written in it. project_id
 * NULL = any. After ERR_UNAVAILABLE the caller may send the same again. */
MUST_USE enum err run_ingest_metrics(struct ctx *cx, const char *project_id, const char *run_id,
                                     const struct metric_point *points, size_t count);

/* Make the summaries of this run, or of all runs of these experiments (ids NULL = of the team),
 * current, but for their counts of points. When the ctx's transaction has written nothing yet, it
 * is committed on the way and the next statement opens another; a caller inside a savepoint must
 * have written something. */
MUST_USE enum err run_settle(struct ctx *cx, const char *run_id);
MUST_USE enum err metrics_settle(struct ctx *cx, const char *const *experiment_ids, size_t count);

/* One page of a series in the order (time, step, value). token NULL = from the start; *ret_next is
 * NULL on the last page. An unknown key has no points; ERR_NOT_FOUND without the run. ret is a list
 * of struct metric_point. */
MUST_USE enum err run_history(struct ctx *cx, const char *run_id, const char *key, int64_t limit,
                              const char *token, struct list *ret, const char **ret_next);
/* The points at about max (1..2500) steps of the range, evenly taken from the steps there are, the
 * least and the greatest among them; ordered by step, time, value. from_step and to_step
 * FIELD_NO_INT = the series' ends. */
MUST_USE enum err run_history_sample(struct ctx *cx, const char *run_id, const char *key,
                                     int64_t from_step, int64_t to_step, int64_t max,
                                     struct list *ret);
/* Of every key of these runs; ret is a list of struct metric_last ordered by run and key. */
MUST_USE enum err runs_last_metrics(struct ctx *cx, const char *const *run_ids, size_t count,
                                    struct list *ret);

/* The same without writing: the last points that batches of one run's inbox bring, by key. batches
 * is a list of texts of metric_inbox.digest or .body; ret is a list of struct metric_last. */
MUST_USE enum err metric_batches_lasts(struct ctx *cx, const struct list *batches,
                                       struct list *ret);

/* Folds what is in the inboxes of all teams, in transactions of its own. As PRINCIPAL_SYSTEM. */
MUST_USE enum err metrics_sweep(struct ctx *cx);

/* The part of the process that lets requests share commits and folds in the background. Without it
 * (commands, tests of parts) each request commits alone and only readers fold. */
struct ingest *ingest_new(struct app *app);
void ingest_free(struct ingest *m); /* NULL is fine */
/* A thread that sweeps about twice a second. */
MUST_USE enum err ingest_start(struct ingest *m, struct err_info *err);
void ingest_stop(struct ingest *m);
