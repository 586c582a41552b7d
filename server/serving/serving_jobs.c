/* serving_jobs.c: what a resident predict job tells its endpoint. A statement that finds no row
 * means that the word came late, after a stop or from an earlier job: nothing to do. */
#include "serving/internal.h"

#include "sql/serving.h"

#include <string.h>

static enum err predict_state(struct ctx *cx, const struct job *job, json_t *event) {
    const char *state = json_string_value(json_object_get(event, "state")), *id;
    if (!state || strcmp(state, "ready") != 0)
        return OK;
    TRY(db_value(cx, &SQL_endpoint_ready, ARGS(cx->who.team_id, job->id, db_int(cx, job->attempt)),
                 &id));
    return id ? endpoint_changed(cx, id, ENDPOINT_READY) : OK;
}

static enum err predict_ended(struct ctx *cx, const struct job *job, enum endpoint_state state,
                              const char *message) {
    const char *id;
    TRY(db_value(cx, &SQL_endpoint_ended,
                 ARGS(cx->who.team_id, job->id, ENDPOINT_STATE_NAMES[state], message), &id));
    return id ? endpoint_changed(cx, id, state) : OK;
}

/* The job goes on without the runner it had: it is queued again, or leased by another worker. Lost
 * contact alone is not the end: the socket may answer still, and its worker may come back. */
static enum err predict_restarts(struct ctx *cx, const struct job *job, const char *attempt) {
    const char *id;
    TRY(db_value(cx, &SQL_endpoint_lost, ARGS(cx->who.team_id, job->id, attempt), &id));
    return id ? endpoint_changed(cx, id, ENDPOINT_STARTING) : OK;
}

static enum err predict_retried(struct ctx *cx, const struct job *job) {
    const char *id;
    TRY(db_value(cx, &SQL_endpoint_retried, ARGS(cx->who.team_id, job->id), &id));
    return id ? endpoint_changed(cx, id, ENDPOINT_STARTING) : OK;
}

static enum err predict_changed(struct ctx *cx, const struct job *job, enum job_state from) {
    /* no request waits for a runner that was told to end: the next one starts another */
    if (job->state == JOB_CANCELLING)
        return predict_ended(cx, job, ENDPOINT_STOPPED, "");
    if (job->state == JOB_RUNNING && from == JOB_LOST_CONTACT)
        return predict_restarts(cx, job, db_int(cx, job->attempt));
    if (job->state != JOB_QUEUED)
        return OK;
    bool ended = from == JOB_FAILED || from == JOB_CANCELLED;
    return ended ? predict_retried(cx, job) : predict_restarts(cx, job, NULL);
}

static enum err predict_succeeded(struct ctx *cx, const struct job *job, json_t *result,
                                  const struct job_output *outputs, size_t count) {
    (void)result, (void)outputs, (void)count;
    return predict_ended(cx, job, ENDPOINT_STOPPED, "");
}

static enum err predict_failed(struct ctx *cx, const struct job *job) {
    if (job->state == JOB_CANCELLED)
        return predict_ended(cx, job, ENDPOINT_STOPPED, "");
    const char *message = json_string_value(json_object_get(job->error, "message"));
    return predict_ended(cx, job, ENDPOINT_FAILED, message ? message : "the runner failed");
}

const struct job_kind SERVING_JOBS[] = {
    {.name = "predict",
     .max_attempts = 2,
     .resident = true,
     .subject = "model_version_id",
     .on_state = predict_state,
     .on_change = predict_changed,
     .on_success = predict_succeeded,
     .on_failure = predict_failed},
};
const size_t SERVING_JOB_COUNT = sizeof(SERVING_JOBS) / sizeof(SERVING_JOBS[0]);
