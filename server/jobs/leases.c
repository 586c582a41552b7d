/* Leases: what a worker may do with a job, and for how long.
 *
 * A lease is a row's epoch. Taking one adds one to it, every later write names it, and a write that
 * names another is refused: an old worker that wakes up can change nothing. The row's lock is held
 * by each such call, so two of them, or one and the reaper, come one after the other.
 *
 * Whose job it is, is not known before the row is found, so the calls begin in system mode and act
 * as the job's team from then on. */

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/ident.h"
#include "jobs/jobs_private.h"
#include "sql/jobs.h"

#include <errno.h>
#include <string.h>

/* --- the caller --- */

enum err worker_require(struct ctx *cx, const char *worker_id) {
    const char *id = NULL;
    if (uuid_is_valid(worker_id))
        TRY(db_value(cx, &SQL_worker_of_token, ARGS(worker_id, cx->who.session_id), &id));
    if (!id)
        return fail_field(cx, ERR_NOT_FOUND, "worker_id", "say hello first");
    return db_exec(cx, &SQL_worker_seen, ARGS(worker_id, cx->who.session_id), NULL);
}

static enum err lease_lost(struct ctx *cx) {
    return fail(cx, ERR_CONFLICT, "the lease of this job was lost");
}

static bool is_held(const struct job_row *row, int64_t epoch) {
    return row->job.epoch == epoch && !job_state_is_final(row->job.state) &&
           row->job.state != JOB_QUEUED;
}

static enum err act_as_team_of(struct ctx *cx, const char *job_id) {
    const char *team_id = NULL;
    if (uuid_is_valid(job_id))
        TRY(db_value(cx, &SQL_job_team, ARGS(job_id, cx->who.session_id), &team_id));
    return team_id ? db_act_as_team(cx, team_id) : lease_lost(cx);
}

/* The job, locked, whatever the epoch. */
static enum err lease_find(struct ctx *cx, const char *job_id, const char *worker_id,
                           struct job_row *ret) {
    TRY(worker_require(cx, worker_id));
    TRY(act_as_team_of(cx, job_id));
    return job_row_lock(cx, job_id, ret);
}

enum err lease_require(struct ctx *cx, const char *job_id, const struct lease_holder *holder,
                       struct job_row *ret) {
    TRY(lease_find(cx, job_id, holder->worker_id, ret));
    return is_held(ret, holder->epoch) ? OK : lease_lost(cx);
}

enum err lease_require_epoch(struct ctx *cx, const char *job_id, int64_t epoch,
                             struct job_row *ret) {
    TRY(act_as_team_of(cx, job_id));
    TRY(job_row_get(cx, job_id, ret));
    return is_held(ret, epoch) ? OK : lease_lost(cx);
}

/* --- taking one --- */

static const struct field LEASE_INPUT_FIELDS[] = {
    FIELD(STRING, struct lease_input, name),
    FIELD(STRING, struct lease_input, file_name),
    FIELD(STRING, struct lease_input, sha256),
    FIELD(INT, struct lease_input, size_bytes),
};
SHAPE(LEASE_INPUT, "LeaseInput", struct lease_input, LEASE_INPUT_FIELDS);

struct next_job {
    const char *id, *team_id;
};
static const struct field NEXT_JOB_FIELDS[] = {
    FIELD(UUID, struct next_job, id),
    FIELD(UUID, struct next_job, team_id),
};
static SHAPE(NEXT_JOB, "NextJob", struct next_job, NEXT_JOB_FIELDS);

enum err job_claim(struct ctx *cx, const char *worker_id, const struct list *kinds,
                   struct job_row *ret, struct list *ret_inputs, bool *ret_found) {
    struct next_job next;
    TRY(worker_require(cx, worker_id));
    TRY(db_opt(cx, &SQL_job_next, ARGS(db_text_array(cx, kinds->items, kinds->count)), &NEXT_JOB,
               &next, ret_found));
    if (!*ret_found)
        return OK;
    TRY(db_act_as_team(cx, next.team_id));
    TRY(job_row_lock(cx, next.id, ret));
    struct job_change change = {
        .to = JOB_RUNNING, .reason = "leased by a worker", .worker_id = worker_id};
    TRY(job_set_state(cx, ret, &change));
    return db_many(cx, &SQL_job_inputs_list, ARGS(next.team_id, next.id), &LEASE_INPUT, ret_inputs);
}

void jobs_wait(struct jobs *jobs, uint64_t *seen) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 1;
    scope_lock(&jobs->lock);
    while (jobs->wakes == *seen && !atomic_load(&jobs->stopping))
        if (pthread_cond_timedwait(&jobs->woken, &jobs->lock, &until) == ETIMEDOUT)
            break;
    *seen = jobs->wakes;
}

/* --- keeping it --- */

enum err job_heartbeat(struct ctx *cx, const char *job_id, const struct lease_holder *holder,
                       bool *ret_cancel) {
    struct job_row row;
    TRY(lease_require(cx, job_id, holder, &row));
    if (row.job.state == JOB_LOST_CONTACT) {
        struct job_change change = {.to = JOB_RUNNING, .reason = "its worker is back"};
        TRY(job_set_state(cx, &row, &change));
    }
    *ret_cancel = row.job.state == JOB_CANCELLING;
    return db_exec(cx, &SQL_job_renew, ARGS(row.job.team_id, row.job.id, db_int(cx, row.job.epoch)),
                   NULL);
}

/* --- giving it back --- */

/* The outputs, the domain's rows and the state, or nothing. */
struct success {
    const struct job_finish *finish;
    struct job_row row;
};

static enum err store_outputs(struct ctx *cx, const struct success *s, struct job_output *files) {
    const struct finish_output *outputs = s->finish->outputs.items;
    TRY(db_exec(cx, &SQL_job_outputs_clear, ARGS(s->row.job.team_id, s->row.job.id), NULL));
    for (size_t i = 0; i < s->finish->outputs.count; i++) {
        struct blob blob;
        TRY(blob_require(cx, outputs[i].sha256, &blob));
        files[i] = (struct job_output){.name = outputs[i].name,
                                       .media_type = outputs[i].media_type,
                                       .size_bytes = blob.size_bytes};
        memcpy(files[i].sha256, blob.sha256, sizeof(blob.sha256));
        TRY(db_exec(cx, &SQL_job_output_create,
                    ARGS(s->row.job.team_id, s->row.job.id, files[i].name, files[i].media_type,
                         files[i].sha256),
                    NULL));
    }
    return OK;
}

static enum err succeed(struct ctx *cx, void *arg) {
    struct success *s = arg;
    size_t count = s->finish->outputs.count;
    struct job_output *files = arena_new_array(cx->arena, struct job_output, count);
    TRY(store_outputs(cx, s, files));
    struct job_change change = {.to = JOB_SUCCEEDED, .reason = "finished", .is_finish = true};
    TRY(job_set_state(cx, &s->row, &change));
    const struct job_kind *kind = job_kind_find(cx->app->jobs, s->row.job.kind);
    return kind && kind->on_success
               ? kind->on_success(cx, &s->row.job, s->finish->result, files, count)
               : OK;
}

/* A database that is away is not the job's fault: the worker asks again. Everything else that the
 * domain refuses would be refused again. */
static enum err finish_succeeded(struct ctx *cx, const struct job_finish *finish,
                                 struct job_row *row) {
    struct success success = {finish, *row};
    enum err err = db_savepoint(cx, succeed, &success);
    if (err == OK)
        *row = success.row;
    if (err == OK || err == ERR_UNAVAILABLE || err == ERR_TIMEOUT)
        return err;
    return job_fail(cx, row,
                    job_error(cx, "result_refused", "the runner's result was refused: %s%s%s",
                              cx->err.field, cx->err.field[0] ? ": " : "", cx->err.message),
                    false, true);
}

static enum err finish_requeued(struct ctx *cx, struct job_row *row) {
    if (row->job.state == JOB_CANCELLING)
        return job_set_cancelled(cx, row, "cancelled", true);
    struct job_change change = {.to = JOB_QUEUED,
                                .reason = "handed back by its worker",
                                .gives_back_attempt = true,
                                .is_finish = true};
    return job_set_state(cx, row, &change);
}

static enum err finish_held(struct ctx *cx, const struct job_finish *finish, struct job_row *row) {
    switch (finish->outcome) {
    case OUTCOME_SUCCEEDED:
        return finish_succeeded(cx, finish, row);
    case OUTCOME_CANCELLED:
        return job_set_cancelled(cx, row, "cancelled", true);
    case OUTCOME_REQUEUE:
        return finish_requeued(cx, row);
    default:
        return job_fail(cx, row,
                        finish->error ? finish->error
                                      : job_error(cx, "crashed", "the runner ended unexpectedly"),
                        finish->retryable, true);
    }
}

enum err job_finish(struct ctx *cx, const char *job_id, const struct job_finish *finish,
                    struct job_row *ret) {
    TRY(lease_find(cx, job_id, finish->worker_id, ret));
    if (ret->finished_epoch == finish->epoch)
        return OK; /* said before, and the reply was lost */
    return is_held(ret, finish->epoch) ? finish_held(cx, finish, ret) : lease_lost(cx);
}
