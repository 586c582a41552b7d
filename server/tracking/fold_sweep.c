/* fold_sweep.c: who folds, and when.
 *
 * A thread of each slipwayd sweeps twice a second, so what lies in the inbox is small and open
 * pages hear of new points soon. A reader folds what it is about to read and what is left then is
 * mostly nothing. Several may come at once, of one process or of several: a sweep leaves runs alone
 * that somebody else is folding, a reader waits for them. */
#include "tracking/metrics_private.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/ident.h"
#include "base/log.h"
#include "http/feed.h"
#include "sql/tracking.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define SWEEP_MS 500

/* --- readers ---------------------------------------------------------------------------------- */

struct waiting_row {
    const char *run_id;
    bool untouched;
};
static const struct field WAITING_ROW_FIELDS[] = {FIELD(UUID, struct waiting_row, run_id),
                                                  FIELD(BOOL, struct waiting_row, untouched)};
static SHAPE(WAITING_ROW_SHAPE, "WaitingRow", struct waiting_row, WAITING_ROW_FIELDS);

/* Commits on the way if that ends nothing but this: a reader must not hold others up with its locks
 * while it goes on to read. */
static enum err settle(struct ctx *cx, const struct list *rows) {
    const struct waiting_row *row = rows->items;
    if (rows->count == 0)
        return OK;
    const char **run_ids = arena_new_array(cx->arena, const char *, rows->count);
    for (size_t i = 0; i < rows->count; i++)
        run_ids[i] = row[i].run_id;
    return fold_runs(cx, run_ids, rows->count, row[0].untouched);
}

enum err runs_settle(struct ctx *cx, const char *run_ids) {
    struct list rows;
    TRY(db_many(cx, &SQL_metric_runs_waiting, ARGS(cx->who.team_id, run_ids), &WAITING_ROW_SHAPE,
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
        TRY(db_many(cx, &SQL_metric_experiments_waiting,
                    ARGS(cx->who.team_id, db_text_array(cx, experiment_ids, count)),
                    &WAITING_ROW_SHAPE, &rows));
    else
        TRY(db_many(cx, &SQL_metric_team_waiting, ARGS(cx->who.team_id), &WAITING_ROW_SHAPE,
                    &rows));
    return settle(cx, &rows);
}

/* --- the sweep -------------------------------------------------------------------------------- */

struct run_row {
    const char *team_id, *run_id;
};
static const struct field RUN_ROW_FIELDS[] = {FIELD(UUID, struct run_row, team_id),
                                              FIELD(UUID, struct run_row, run_id)};
static SHAPE(RUN_ROW_SHAPE, "RunRow", struct run_row, RUN_ROW_FIELDS);
static const struct field FREE_ROW_FIELDS[] = {FIELD(UUID, struct run_row, run_id)};
static SHAPE(FREE_ROW_SHAPE, "FreeRow", struct run_row, FREE_ROW_FIELDS);

/* One transaction: those of the runs that nobody else is folding. */
static enum err sweep_step(struct ctx *cx, const char *const *run_ids, size_t count,
                           bool *ret_more) {
    struct list rows;
    *ret_more = false;
    TRY(db_many(cx, &SQL_metric_fold_try, ARGS(db_text_array(cx, run_ids, count)), &FREE_ROW_SHAPE,
                &rows));
    const struct run_row *row = rows.items;
    const char **mine = arena_new_array(cx->arena, const char *, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        mine[i] = row[i].run_id;
    if (rows.count)
        TRY(fold_step(cx, mine, rows.count, ret_more));
    return db_commit(cx);
}

static enum err sweep_runs(struct ctx *cx, const char *const *run_ids, size_t count) {
    bool more = true;
    while (more)
        TRY(sweep_step(cx, run_ids, count, &more));
    return OK;
}

/* Runs of one team. What cannot be folded must not hold up the others: then each is tried alone. */
static void sweep_team(struct ctx *cx, const char *const *run_ids, size_t count) {
    if (sweep_runs(cx, run_ids, count) == OK)
        return;
    db_rollback(cx);
    for (size_t i = 0; i < count; i++) {
        if (sweep_runs(cx, run_ids + i, 1) == OK)
            continue;
        db_rollback(cx);
        log_event(LOG_WARNING, "metrics.not_folded", LOG_T("run", run_ids[i]),
                  LOG_T("message", cx->err.message), LOG_T("detail", cx->err.detail));
    }
}

enum err metrics_sweep(struct ctx *cx) {
    struct list rows;
    TRY(db_many(cx, &SQL_metric_teams_waiting, NO_ARGS, &RUN_ROW_SHAPE, &rows));
    TRY(db_commit(cx));
    const struct run_row *row = rows.items;
    const char *runs[FOLD_RUNS_MAX];
    for (size_t i = 0; i < rows.count;) {
        const char *team = row[i].team_id;
        size_t count = 0;
        while (i < rows.count && count < FOLD_RUNS_MAX && strcmp(row[i].team_id, team) == 0)
            runs[count++] = row[i++].run_id;
        TRY(db_act_as_team(cx, team));
        sweep_team(cx, runs, count);
    }
    return db_act_as_team(cx, NULL);
}

/* --- the thread ------------------------------------------------------------------------------- */

/* False when the process ends. */
static bool wait_turn(struct ingest *m) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += SWEEP_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    scope_lock(&m->lock);
    while (!m->stopping)
        if (pthread_cond_timedwait(&m->stop, &m->lock, &until) == ETIMEDOUT)
            break;
    /* The sweep takes all that is there now; what comes after it counts from here. */
    memset(m->unfolded, 0, sizeof(m->unfolded));
    return !m->stopping;
}

static void *run_folder(void *arg) {
    struct ingest *m = arg;
    while (wait_turn(m)) {
        struct ctx cx;
        ctx_init(&cx, m->app);
        cx.who.kind = PRINCIPAL_SYSTEM;
        if (metrics_sweep(&cx) != OK)
            log_event(LOG_WARNING, "metrics.sweep_failed", LOG_T("message", cx.err.message),
                      LOG_T("detail", cx.err.detail));
        ctx_done(&cx);
        if (m->app->feed)
            feed_wake(m->app->feed);
    }
    return NULL;
}

enum err ingest_start(struct ingest *m, struct err_info *err) {
    if (pthread_create(&m->folder, NULL, run_folder, m) != 0)
        return err_set(err, ERR_INTERNAL, NULL, "could not start a thread");
    m->folding = true;
    return OK;
}

void ingest_stop(struct ingest *m) {
    if (!m->folding)
        return;
    pthread_mutex_lock(&m->lock);
    m->stopping = true;
    pthread_cond_signal(&m->stop);
    pthread_mutex_unlock(&m->lock);
    pthread_join(m->folder, NULL);
    m->folding = false;
}
