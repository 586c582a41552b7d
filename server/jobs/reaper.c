/* The thread that keeps the queue honest: once a second it finds leases that ran out and jobs that
 * may not run again.
 *
 * Each job is handled in a transaction of its own as its team; the row's lock and a second look at
 * the lease decide against a heartbeat that comes at the same moment. After a start it waits for
 * one lease's time: while the server was away no worker could renew. */

#include "base/log.h"
#include "http/feed.h"
#include "jobs/jobs_private.h"
#include "sql/jobs.h"

#include <errno.h>
#include <time.h>

enum { PERIOD_S = 1, UNHEARD_LEASES_MAX = 50 };

struct overdue {
    const char *id, *team_id;
};
static const struct field OVERDUE_FIELDS[] = {
    FIELD(UUID, struct overdue, id),
    FIELD(UUID, struct overdue, team_id),
};
static SHAPE(OVERDUE, "OverdueJob", struct overdue, OVERDUE_FIELDS);

/* A lease nobody was ever heard of with is a reply that went to a worker just killed: it counts no
 * attempt, unless that happens so often that the job itself must be what kills them. */
static bool was_never_taken_up(const struct job_row *row) {
    return !row->contacted && row->job.epoch <= UNHEARD_LEASES_MAX;
}

static enum err lose_contact(struct ctx *cx, struct job_row *row) {
    if (row->job.state == JOB_CANCELLING)
        return job_set_cancelled(cx, row, "cancelled; its worker was lost", false);
    if (was_never_taken_up(row)) {
        struct job_change back = {.to = JOB_QUEUED,
                                  .reason = "the worker that leased it was never heard of",
                                  .gives_back_attempt = true};
        return job_set_state(cx, row, &back);
    }
    struct job_change change = {.to = JOB_LOST_CONTACT,
                                .reason = "no sign of life from its worker"};
    TRY(job_set_state(cx, row, &change));
    jobs_wake_later(cx);
    return OK;
}

static enum err give_up(struct ctx *cx, struct job_row *row) {
    json_t *error = job_error(cx, "worker_lost", "its worker was lost in %lld of %lld attempts",
                              (long long)row->job.attempt, (long long)row->job.max_attempts);
    return job_fail(cx, row, error, false, false);
}

static enum err settle(struct ctx *cx, const struct overdue *overdue) {
    struct job_row row;
    TRY(db_act_as_team(cx, overdue->team_id));
    TRY(job_row_lock(cx, overdue->id, &row));
    bool held = row.job.state == JOB_RUNNING || row.job.state == JOB_CANCELLING;
    const char *over = NULL;
    TRY(db_value(cx, &SQL_job_lease_is_over, ARGS(overdue->team_id, overdue->id), &over));
    if (held && over)
        TRY(lose_contact(cx, &row));
    if (row.job.state == JOB_LOST_CONTACT && row.job.attempt >= row.job.max_attempts)
        TRY(give_up(cx, &row));
    return db_commit(cx);
}

static void log_failure(struct ctx *cx, const char *what) {
    log_event(LOG_ERROR, what, LOG_T("message", cx->err.message), LOG_T("detail", cx->err.detail));
    db_rollback(cx);
}

static struct ctx *system_ctx(struct ctx *cx, struct app *app) {
    ctx_init(cx, app);
    cx->who = (struct principal){.kind = PRINCIPAL_SYSTEM, .name = "system"};
    return cx;
}

static void settle_one(struct app *app, const struct overdue *overdue) {
    struct ctx cx;
    if (settle(system_ctx(&cx, app), overdue) != OK)
        log_failure(&cx, "reaper.job_failed");
    ctx_done(&cx);
}

void jobs_reap(struct app *app) {
    struct ctx cx;
    struct list overdue = {0};
    system_ctx(&cx, app);
    if (db_many(&cx, &SQL_jobs_overdue, NO_ARGS, &OVERDUE, &overdue) != OK || db_commit(&cx) != OK)
        log_failure(&cx, "reaper.failed");
    const struct overdue *items = overdue.items;
    for (size_t i = 0; i < overdue.count; i++)
        settle_one(app, &items[i]);
    if (overdue.count && app->feed)
        feed_wake(app->feed);
    ctx_done(&cx);
}

/* False when the process is stopping. */
static bool pause_or_stop(struct jobs *jobs, int seconds) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += seconds;
    pthread_mutex_lock(&jobs->lock);
    while (!atomic_load(&jobs->stopping) &&
           pthread_cond_timedwait(&jobs->woken, &jobs->lock, &until) != ETIMEDOUT)
        ;
    pthread_mutex_unlock(&jobs->lock);
    return !atomic_load(&jobs->stopping);
}

static void *reaper(void *arg) {
    struct app *app = arg;
    if (!pause_or_stop(app->jobs, LEASE_SECONDS))
        return NULL;
    do
        jobs_reap(app);
    while (pause_or_stop(app->jobs, PERIOD_S));
    return NULL;
}

enum err jobs_start(struct app *app, struct err_info *err) {
    if (pthread_create(&app->jobs->reaper, NULL, reaper, app) != 0)
        return err_set(err, ERR_INTERNAL, NULL, "could not start the reaper");
    app->jobs->reaper_runs = true;
    return OK;
}

void jobs_stop(struct jobs *jobs) {
    atomic_store(&jobs->stopping, true);
    jobs_wake(jobs);
    if (jobs->reaper_runs)
        pthread_join(jobs->reaper, NULL);
    jobs->reaper_runs = false;
}
