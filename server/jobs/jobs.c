/* Jobs as the domains and people see them: registering kinds, creating, reading, cancelling and
 * retrying; see jobs.h. */

#include "jobs/jobs.h"

#include "base/cleanup.h"
#include "base/ident.h"
#include "http/feed.h"
#include "jobs/jobs_private.h"
#include "lineage/lineage.h"
#include "sql/jobs.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --- the process's part --- */

struct jobs *jobs_new(void) {
    struct jobs *jobs = calloc(1, sizeof(*jobs));
    if (!jobs)
        abort();
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_cond_init(&jobs->woken, &attr);
    pthread_condattr_destroy(&attr);
    return jobs;
}

void jobs_free(struct jobs *jobs) {
    if (!jobs)
        return;
    pthread_cond_destroy(&jobs->woken);
    pthread_mutex_destroy(&jobs->lock);
    free(jobs->kinds);
    free(jobs);
}

void jobs_register(struct jobs *jobs, const struct job_kind *kinds, size_t count) {
    jobs->kinds = realloc(jobs->kinds, (jobs->kind_count + count) * sizeof(*jobs->kinds));
    if (!jobs->kinds)
        abort();
    for (size_t i = 0; i < count; i++)
        jobs->kinds[jobs->kind_count++] = &kinds[i];
}

const struct job_kind *job_kind_find(const struct jobs *jobs, const char *name) {
    for (size_t i = 0; i < jobs->kind_count; i++)
        if (strcmp(jobs->kinds[i]->name, name) == 0)
            return jobs->kinds[i];
    return NULL;
}

void jobs_wake(struct jobs *jobs) {
    scope_lock(&jobs->lock);
    jobs->wakes++;
    pthread_cond_broadcast(&jobs->woken);
}

static void wake(void *jobs) {
    jobs_wake(jobs);
}

/* The arena goes after the commit; waking earlier would let workers look before there is something
 * to see. */
void jobs_wake_later(struct ctx *cx) {
    arena_defer(cx->arena, wake, cx->app->jobs);
}

/* --- rows --- */

#define JOB(kind, member, ...)                                                                     \
    {                                                                                              \
        .name = #member, .type = FIELD_TYPE_##kind,                                                \
        .offset = offsetof(struct job_row, job.member), __VA_ARGS__                                \
    }

static const struct field JOB_ROW_FIELDS[] = {
    JOB(UUID, id),
    JOB(UUID, team_id),
    JOB(UUID, project_id),
    JOB(STRING, kind),
    JOB(STRING, name),
    JOB(ENUM, state, .names = JOB_STATE_NAMES),
    JOB(INT, attempt),
    JOB(INT, max_attempts),
    JOB(INT, epoch),
    JOB(REAL, progress),
    JOB(STRING, message),
    JOB(REAL, eta_s, .flags = FIELD_NULLABLE),
    JOB(STRING, worker, .flags = FIELD_NULLABLE),
    JOB(JSON, spec),
    JOB(JSON, error, .flags = FIELD_NULLABLE),
    JOB(TIME, created_at),
    JOB(TIME, started_at, .flags = FIELD_NULLABLE),
    JOB(TIME, finished_at, .flags = FIELD_NULLABLE),
    JOB(STRING, created_by),
    JOB(UUID, subject_id, .flags = FIELD_NULLABLE),
    FIELD(INT, struct job_row, next_seq),
    FIELD(INT, struct job_row, finished_epoch, .flags = FIELD_NULLABLE),
    FIELD(INT, struct job_row, log_lines),
    FIELD(INT, struct job_row, memory_bytes),
    FIELD(INT, struct job_row, wall_seconds),
    FIELD(TIME, struct job_row, run_at),
    FIELD(BOOL, struct job_row, contacted),
};
SHAPE(JOB_ROW, "JobRow", struct job_row, JOB_ROW_FIELDS);

static enum err row_get(struct ctx *cx, const struct db_stmt *st, const char *id,
                        struct job_row *ret) {
    bool found = false;
    if (uuid_is_valid(id))
        TRY(db_opt(cx, st, ARGS(cx->who.team_id, id), &JOB_ROW, ret, &found));
    return found ? OK : fail(cx, ERR_NOT_FOUND, "there is no such job");
}

enum err job_row_get(struct ctx *cx, const char *id, struct job_row *ret) {
    return row_get(cx, &SQL_job_find, id, ret);
}

enum err job_row_lock(struct ctx *cx, const char *id, struct job_row *ret) {
    return row_get(cx, &SQL_job_lock, id, ret);
}

enum err job_get(struct ctx *cx, const char *id, struct job *ret) {
    struct job_row row;
    TRY(job_row_get(cx, id, &row));
    *ret = row.job;
    return OK;
}

enum err jobs_forget_files(struct ctx *cx, const char *const *subject_ids, size_t count) {
    return db_exec(cx, &SQL_job_files_forget,
                   ARGS(cx->who.team_id, db_text_array(cx, subject_ids, count)), NULL);
}

/* --- creating --- */

static enum err insert_job(struct ctx *cx, const struct job_create *o, const struct job_kind *kind,
                           const char *id) {
    TRY(db_exec(cx, &SQL_job_create,
                ARGS(id, cx->who.team_id, o->project_id, kind->name, o->name,
                     db_int(cx, kind->max_attempts), db_json(cx, o->spec),
                     db_int(cx, kind->memory_bytes), db_int(cx, kind->wall_seconds),
                     db_bool(kind->resident), o->subject_id, cx->who.name),
                NULL));
    for (size_t i = 0; i < o->input_count; i++)
        TRY(db_exec(cx, &SQL_job_input_create,
                    ARGS(cx->who.team_id, id, o->inputs[i].name, o->inputs[i].file_name,
                         o->inputs[i].sha256),
                    NULL));
    return OK;
}

enum err job_create(struct ctx *cx, const struct job_create *options, struct job *ret) {
    const struct job_kind *kind = job_kind_find(cx->app->jobs, options->kind);
    assert(kind && "job kinds are registered by app.c");
    char id[UUID_TEXT_SIZE];
    uuid_new(id);
    TRY(insert_job(cx, options, kind, id));
    TRY(db_exec(cx, &SQL_job_event_create,
                ARGS(cx->who.team_id, id, NULL, JOB_STATE_NAMES[JOB_QUEUED], "0", "created"),
                NULL));
    TRY(lineage_node(cx, NODE_JOB, id, options->project_id, options->name));
    TRY(lineage_node_state(cx, NODE_JOB, id, JOB_STATE_NAMES[JOB_QUEUED]));
    TRY(feed_post(cx, "job", id, "created"));
    TRY(feed_post(cx, "project", options->project_id, "created"));
    jobs_wake_later(cx);
    return job_get(cx, id, ret);
}

/* --- cancelling and retrying --- */

enum err job_cancel(struct ctx *cx, const char *id, struct job *ret) {
    struct job_row row;
    TRY(job_row_lock(cx, id, &row));
    const char *reason = arena_printf(cx->arena, "cancelled by %s", cx->who.name);
    if (row.job.state == JOB_RUNNING) {
        struct job_change change = {.to = JOB_CANCELLING, .reason = reason};
        TRY(job_set_state(cx, &row, &change));
    } else if (row.job.state != JOB_CANCELLING) {
        TRY(job_set_cancelled(cx, &row, reason, false));
    }
    *ret = row.job;
    return OK;
}

enum err job_retry(struct ctx *cx, const char *id, struct job_row *ret) {
    TRY(job_row_lock(cx, id, ret));
    if (ret->job.state != JOB_FAILED && ret->job.state != JOB_CANCELLED)
        return fail(cx, ERR_CONFLICT, "only a job that failed or was cancelled can be retried");
    struct job_change change = {.to = JOB_QUEUED,
                                .reason = arena_printf(cx->arena, "retried by %s", cx->who.name),
                                .fresh_budget = true};
    return job_set_state(cx, ret, &change);
}

/* --- why it waits --- */

struct waiting {
    int64_t workers, free_slots, ahead, delay_s;
};

static const struct field WAITING_FIELDS[] = {
    FIELD(INT, struct waiting, workers),
    FIELD(INT, struct waiting, free_slots),
    FIELD(INT, struct waiting, ahead),
    FIELD(INT, struct waiting, delay_s),
};
static SHAPE(WAITING, "Waiting", struct waiting, WAITING_FIELDS);

enum err job_waiting_for(struct ctx *cx, const struct job_row *row, const char **ret) {
    *ret = NULL;
    if (row->job.state != JOB_QUEUED)
        return OK;
    struct waiting w;
    TRY(db_one(cx, &SQL_job_waiting,
               ARGS(row->job.kind, db_time(cx, row->job.created_at), db_time(cx, row->run_at)),
               &WAITING, &w));
    if (w.delay_s > 0)
        *ret = arena_printf(cx->arena, "it runs again in %lld seconds", (long long)w.delay_s);
    else if (w.workers == 0)
        *ret = "no worker is online that can run it";
    else if (w.free_slots == 0)
        *ret = w.ahead > 0
                   ? arena_printf(cx->arena, "all workers are busy, %lld jobs are before it",
                                  (long long)w.ahead)
                   : "all workers are busy, it is the next";
    else
        *ret = arena_printf(cx->arena, "it is number %lld in the queue", (long long)w.ahead + 1);
    return OK;
}
