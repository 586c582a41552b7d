/* fold_sweep.c: who folds, and when.
 *
 * A thread of each slipwayd sweeps twice a second, so what lies in the inbox is small and open
 * pages hear of new points soon. Who wants the points themselves folds what the run still has; who
 * wants last values has them noted (fold_notes.c) or takes the inbox along. Several may come at
 * once, of one process or of several: a sweep leaves runs alone that somebody else is folding,
 * others wait for them, a step at most.
 *
 * When there is more to fold than half a second's work, all that came meanwhile is noted before the
 * sweep goes on, so that the notes are never much older than that. */
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

#define HELP_US 200000

/* --- one run ---------------------------------------------------------------------------------- */

struct waiting_row {
    bool untouched;
};
static const struct field WAITING_ROW_FIELDS[] = {FIELD(BOOL, struct waiting_row, untouched)};
static SHAPE(WAITING_ROW_SHAPE, "WaitingRow", struct waiting_row, WAITING_ROW_FIELDS);

static enum err lock_and_fold(struct ctx *cx, const char *run_id, bool commit, struct pace *pace,
                              bool *ret_more) {
    TRY(db_exec(cx, &SQL_metric_fold_lock, ARGS(db_text_array(cx, &run_id, 1), db_bool(commit)),
                NULL));
    TRY(fold_step(cx, &run_id, 1, pace, ret_more));
    return commit ? db_commit(cx) : OK;
}

enum err run_fold(struct ctx *cx, const char *run_id, int64_t few) {
    struct waiting_row row;
    struct pace pace = {0};
    bool more;
    TRY(db_opt(cx, &SQL_metric_run_waiting, ARGS(cx->who.team_id, run_id, db_int(cx, few)),
               &WAITING_ROW_SHAPE, &row, &more));
    while (more)
        TRY(lock_and_fold(cx, run_id, row.untouched, &pace, &more));
    return OK;
}

enum err fold_help(struct ctx *cx, const char *run_id) {
    int64_t until = clock_mono_us() + HELP_US;
    struct pace pace = {0};
    bool more = true;
    while (more && clock_mono_us() < until)
        TRY(lock_and_fold(cx, run_id, true, &pace, &more));
    return OK;
}

/* --- the sweep -------------------------------------------------------------------------------- */

struct run_row {
    const char *team_id, *run_id;
    int64_t points; /* in the inbox */
};
static const struct field WAITING_RUN_FIELDS[] = {FIELD(UUID, struct run_row, team_id),
                                                  FIELD(UUID, struct run_row, run_id),
                                                  FIELD(INT, struct run_row, points)};
static SHAPE(WAITING_RUN_SHAPE, "WaitingRunRow", struct run_row, WAITING_RUN_FIELDS);
static const struct field FRESH_RUN_FIELDS[] = {FIELD(UUID, struct run_row, team_id),
                                                FIELD(UUID, struct run_row, run_id)};
static SHAPE(FRESH_RUN_SHAPE, "FreshRunRow", struct run_row, FRESH_RUN_FIELDS);
static const struct field FREE_ROW_FIELDS[] = {FIELD(UUID, struct run_row, run_id)};
static SHAPE(FREE_ROW_SHAPE, "FreeRow", struct run_row, FREE_ROW_FIELDS);

/* A sweep under way. */
struct sweep {
    struct ctx *cx;
    struct pace *pace;
    int64_t until; /* clock_mono_us(): when it is time to note */
    bool more;
};

/* One transaction: those of the runs that nobody else is folding. */
static enum err sweep_step(struct sweep *s, const char *const *run_ids, size_t count,
                           bool *ret_more) {
    struct ctx *cx = s->cx;
    struct list rows;
    *ret_more = false;
    TRY(db_many(cx, &SQL_metric_fold_try, ARGS(db_text_array(cx, run_ids, count)), &FREE_ROW_SHAPE,
                &rows));
    const struct run_row *row = rows.items;
    const char **mine = arena_new_array(cx->arena, const char *, rows.count);
    for (size_t i = 0; i < rows.count; i++)
        mine[i] = row[i].run_id;
    if (rows.count)
        TRY(fold_step(cx, mine, rows.count, s->pace, ret_more));
    return db_commit(cx);
}

static enum err fold_some(struct sweep *s, const char *const *run_ids, size_t count) {
    bool more = true;
    while (more && clock_mono_us() < s->until)
        TRY(sweep_step(s, run_ids, count, &more));
    s->more |= more;
    return OK;
}

static enum err note_some(struct sweep *s, const char *const *run_ids, size_t count) {
    return note_runs(s->cx, run_ids, count, true);
}

/* Does it to runs of one team. What fails must not hold up the others: then each is tried alone. */
static void do_team(struct sweep *s, const char *const *run_ids, size_t count,
                    enum err (*doing)(struct sweep *, const char *const *, size_t)) {
    struct ctx *cx = s->cx;
    if (doing(s, run_ids, count) == OK)
        return;
    db_rollback(cx);
    for (size_t i = 0; i < count; i++) {
        if (doing(s, run_ids + i, 1) == OK)
            continue;
        db_rollback(cx);
        log_event(LOG_WARNING, "metrics.not_folded", LOG_T("run", run_ids[i]),
                  LOG_T("message", cx->err.message), LOG_T("detail", cx->err.detail));
    }
}

static enum err do_all(struct sweep *s, const struct list *rows,
                       enum err (*doing)(struct sweep *, const char *const *, size_t)) {
    const struct run_row *row = rows->items;
    const char *runs[FOLD_RUNS_MAX];
    TRY(db_commit(s->cx));
    for (size_t i = 0; i < rows->count;) {
        const char *team = row[i].team_id;
        size_t count = 0;
        while (i < rows->count && count < FOLD_RUNS_MAX && strcmp(row[i].team_id, team) == 0)
            runs[count++] = row[i++].run_id;
        TRY(db_act_as_team(s->cx, team));
        do_team(s, runs, count, doing);
    }
    return db_act_as_team(s->cx, NULL);
}

/* What requests have counted since, and what other processes have stored or folded, is counted
 * anew. */
static void recount(struct ingest *m, const struct list *rows) {
    const struct run_row *row = rows->items;
    scope_lock(&m->lock);
    memset(m->unfolded, 0, sizeof(m->unfolded));
    for (size_t i = 0; i < rows->count; i++)
        *ingest_unfolded(m, row[i].team_id) += row[i].points;
}

enum err sweep_round(struct ctx *cx, struct pace *pace, int64_t fold_us, bool *ret_more) {
    struct sweep s = {cx, pace, clock_mono_us() + fold_us, false};
    struct list rows;
    TRY(db_many(cx, &SQL_metric_teams_waiting, NO_ARGS, &WAITING_RUN_SHAPE, &rows));
    if (cx->app && cx->app->ingest)
        recount(cx->app->ingest, &rows);
    TRY(do_all(&s, &rows, fold_some));
    *ret_more = s.more;
    if (!s.more)
        return OK;
    TRY(db_many(cx, &SQL_metric_teams_fresh, NO_ARGS, &FRESH_RUN_SHAPE, &rows));
    return do_all(&s, &rows, note_some);
}

enum err metrics_sweep(struct ctx *cx) {
    struct pace pace = {0};
    bool more = true;
    while (more)
        TRY(sweep_round(cx, &pace, SWEEP_MS * 1000, &more));
    return OK;
}

/* --- the thread ------------------------------------------------------------------------------- */

/* False when the process ends. `more`: there is work already. */
static bool wait_turn(struct ingest *m, bool more) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += SWEEP_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    scope_lock(&m->lock);
    while (!m->stopping && !more)
        if (pthread_cond_timedwait(&m->stop, &m->lock, &until) == ETIMEDOUT)
            break;
    return !m->stopping;
}

static void *run_folder(void *arg) {
    struct ingest *m = arg;
    struct pace pace = {0};
    bool more = false;
    while (wait_turn(m, more)) {
        struct ctx cx;
        ctx_init(&cx, m->app);
        cx.who.kind = PRINCIPAL_SYSTEM;
        more = false;
        if (sweep_round(&cx, &pace, SWEEP_MS * 1000, &more) != OK)
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
