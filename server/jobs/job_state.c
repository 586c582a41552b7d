/* The states of a job, and the one function that changes them.
 *
 *   queued        → running (leased) | cancelled
 *   running       → succeeded | failed | cancelled | queued (retry, or handed back) | lost_contact
 *                 | cancelling
 *   lost_contact  → running (leased again, or its worker came back) | succeeded | failed |
 * cancelled | queued | cancelling cancelling    → cancelled | succeeded | failed failed, cancelled
 * → queued (a person's retry)
 *
 * A lost job whose old worker turns up before anybody else took it still has its epoch, so whatever
 * that worker says counts: nothing was lost but time.
 *
 * When you add a state, also change JOB_STATE_NAMES, the constraints of table jobs, job_state_set
 * in jobs.sql and JobState in the API. */

#include "base/cleanup.h"
#include "http/feed.h"
#include "jobs/jobs_private.h"
#include "lineage/lineage.h"
#include "sql/jobs.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

const char *const JOB_STATE_NAMES[] = {"queued",    "running", "lost_contact", "cancelling",
                                       "succeeded", "failed",  "cancelled",    NULL};

#define TO(state) (1u << (state))
static const unsigned ALLOWED[] = {
    [JOB_QUEUED] = TO(JOB_RUNNING) | TO(JOB_CANCELLED),
    [JOB_RUNNING] = TO(JOB_SUCCEEDED) | TO(JOB_FAILED) | TO(JOB_CANCELLED) | TO(JOB_QUEUED) |
                    TO(JOB_LOST_CONTACT) | TO(JOB_CANCELLING),
    [JOB_LOST_CONTACT] =
        TO(JOB_RUNNING) | TO(JOB_SUCCEEDED) | TO(JOB_FAILED) | TO(JOB_CANCELLED) | TO(JOB_QUEUED),
    [JOB_CANCELLING] = TO(JOB_CANCELLED) | TO(JOB_SUCCEEDED) | TO(JOB_FAILED),
    [JOB_SUCCEEDED] = 0,
    [JOB_FAILED] = TO(JOB_QUEUED),
    [JOB_CANCELLED] = TO(JOB_QUEUED),
};

bool job_state_is_final(int state) {
    return state == JOB_SUCCEEDED || state == JOB_FAILED || state == JOB_CANCELLED;
}

bool job_change_is_allowed(int from, int to) {
    return (ALLOWED[from] & TO(to)) != 0;
}

static enum err tell(struct ctx *cx, const struct job *job, int from, const char *reason) {
    TRY(db_exec(cx, &SQL_job_event_create,
                ARGS(job->team_id, job->id, JOB_STATE_NAMES[from], JOB_STATE_NAMES[job->state],
                     db_int(cx, job->attempt), reason),
                NULL));
    TRY(lineage_node_state(cx, NODE_JOB, job->id, JOB_STATE_NAMES[job->state]));
    TRY(feed_post(cx, "job", job->id, "state"));
    TRY(feed_post(cx, "project", job->project_id, "state"));
    const struct job_kind *kind = job_kind_find(cx->app->jobs, job->kind);
    return kind && kind->on_change ? kind->on_change(cx, job, (enum job_state)from) : OK;
}

enum err job_set_state(struct ctx *cx, struct job_row *row, const struct job_change *change) {
    int from = row->job.state;
    if (!job_change_is_allowed(from, (int)change->to))
        return fail(cx, ERR_CONFLICT, "a job that is %s cannot become %s", JOB_STATE_NAMES[from],
                    JOB_STATE_NAMES[change->to]);
    const char *epoch = change->is_finish ? db_int(cx, row->job.epoch) : NULL;
    struct job_row after;
    TRY(db_one(cx, &SQL_job_state_set,
               ARGS(row->job.team_id, row->job.id, JOB_STATE_NAMES[from],
                    JOB_STATE_NAMES[change->to], change->worker_id,
                    db_int(cx, change->gives_back_attempt), db_real(cx, change->delay_s),
                    db_bool(change->fresh_budget), db_json(cx, change->error), epoch),
               &JOB_ROW, &after));
    *row = after;
    TRY(tell(cx, &row->job, from, change->reason));
    if (change->to == JOB_QUEUED)
        jobs_wake_later(cx);
    return OK;
}

static void release_json(void *json) {
    json_decref(json);
}

json_t *job_error(struct ctx *cx, const char *code, const char *format, ...) {
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    json_t *error = json_pack("{s:s, s:s, s:n, s:n, s:n}", "code", code, "message", message,
                              "field", "file", "place");
    arena_defer(cx->arena, release_json, error);
    return error;
}

static enum err tell_failure(struct ctx *cx, const struct job *job) {
    const struct job_kind *kind = job_kind_find(cx->app->jobs, job->kind);
    return kind && kind->on_failure ? kind->on_failure(cx, job) : OK;
}

/* 5, 10, 20 … at most 300 seconds. */
static double backoff_s(int64_t attempt) {
    double delay = 5;
    for (int64_t i = 1; i < attempt && delay < 300; i++)
        delay *= 2;
    return delay < 300 ? delay : 300;
}

static const char *message_of(const json_t *error) {
    const char *message = json_string_value(json_object_get(error, "message"));
    return message ? message : "the runner failed";
}

enum err job_fail(struct ctx *cx, struct job_row *row, json_t *error, bool retryable,
                  bool is_finish) {
    bool again =
        retryable && row->job.attempt < row->job.max_attempts && row->job.state != JOB_CANCELLING;
    struct job_change change = {.to = again ? JOB_QUEUED : JOB_FAILED,
                                .reason = message_of(error),
                                .delay_s = again ? backoff_s(row->job.attempt) : 0,
                                .error = again ? NULL : error,
                                .is_finish = is_finish};
    TRY(job_set_state(cx, row, &change));
    return again ? OK : tell_failure(cx, &row->job);
}

enum err job_set_cancelled(struct ctx *cx, struct job_row *row, const char *reason,
                           bool is_finish) {
    struct job_change change = {.to = JOB_CANCELLED, .reason = reason, .is_finish = is_finish};
    TRY(job_set_state(cx, row, &change));
    return tell_failure(cx, &row->job);
}
