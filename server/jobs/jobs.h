/* The queue: at-least-once execution, exactly-once commit.
 *
 * A job is a row with a kind, a spec and inputs (blobs). A worker leases it for 20 s, renews every
 * 5 s, and every write it makes names the lease's epoch: after a lost lease nothing of the old
 * attempt counts. Finishing commits the outputs, the domain's rows and the state in one
 * transaction. Time is the database's. "Lost contact" is not "failed": the job runs again from its
 * checkpoint.
 *
 * This folder knows no domain: a domain registers a `struct job_kind` whose callbacks run inside
 * the transaction of the worker's call, with cx already acting as the job's team. */
#pragma once

#include "artifacts/artifacts.h"
#include "ctx.h"
#include "http/http.h"

enum job_state {
    JOB_QUEUED,       /* waits for a worker; run_at may lie ahead (back-off) */
    JOB_RUNNING,      /* leased; lease_until > now */
    JOB_LOST_CONTACT, /* lease ran out; the next lease makes it running again */
    JOB_CANCELLING,   /* running, asked to stop */
    JOB_SUCCEEDED,
    JOB_FAILED, /* refused, or out of attempts (dead letter); error says why */
    JOB_CANCELLED
};
extern const char *const JOB_STATE_NAMES[]; /* NULL-terminated, in the enum's order */

struct job {
    const char *id, *team_id, *project_id, *kind, *name;
    int state; /* enum job_state */
    int64_t attempt, max_attempts, epoch;
    double progress;
    const char *message;
    double eta_s;       /* NaN = unknown */
    const char *worker; /* its name; NULL = none */
    json_t *spec;
    json_t *error; /* JobError or NULL */
    int64_t created_at, started_at, finished_at;
    const char *created_by;
    const char *subject_id; /* the row it works for: dataset version, run, model version */
};

struct job_output {
    const char *name, *media_type;
    char sha256[SHA256_TEXT_SIZE];
    int64_t size_bytes;
};

struct job_kind {
    const char *name; /* "dataset.import" */
    int max_attempts;
    int64_t memory_bytes; /* of the runner; 0 = the worker's own limit */
    int wall_seconds;     /* 0 = none (predict) */
    bool resident;        /* predict: takes a predict slot, never "finishes" by itself */
    const char *subject;  /* "dataset_version_id" | "run_id" | "model_version_id": member of Job */
    /* Events of the runner, in order, each exactly once; only kinds the domain cares about:
     * metrics, log and state. progress is kept by jobs/ itself, logs are stored by jobs/ too. */
    enum err (*on_metrics)(struct ctx *cx, const struct job *job, json_t *event);
    enum err (*on_state)(struct ctx *cx, const struct job *job, json_t *event);
    enum err (*on_artifact)(struct ctx *cx, const struct job *job, const struct job_output *file);
    /* Every change of state, before the final ones' on_success/on_failure. */
    enum err (*on_change)(struct ctx *cx, const struct job *job, enum job_state from);
    /* Success: create the domain's rows from result and outputs; failing here fails the job. */
    enum err (*on_success)(struct ctx *cx, const struct job *job, json_t *result,
                           const struct job_output *outputs, size_t count);
    enum err (*on_failure)(struct ctx *cx,
                           const struct job *job); /* failed or cancelled for good */
};

struct jobs *jobs_new(void);
void jobs_free(struct jobs *jobs);
void jobs_register(struct jobs *jobs, const struct job_kind *kinds, size_t count);

struct job_input {
    const char *name, *file_name, *sha256;
};
struct job_create {
    const char *kind, *name, *project_id, *subject_id;
    json_t *spec;
    const struct job_input *inputs;
    size_t input_count;
};
/* Queues it in the ctx's transaction, with its lineage node, first event and feed row. */
MUST_USE enum err job_create(struct ctx *cx, const struct job_create *options, struct job *ret);
MUST_USE enum err job_get(struct ctx *cx, const char *id, struct job *ret);
MUST_USE enum err job_cancel(struct ctx *cx, const char *id, struct job *ret);
/* The files of the finished jobs that worked for these rows are no longer kept for them: the rows
 * were deleted. The jobs stay, as a record. */
MUST_USE enum err jobs_forget_files(struct ctx *cx, const char *const *subject_ids, size_t count);

/* Reaper thread: expired leases, dead letters, old feed rows. Started by app.c, stopped by joining.
 */
MUST_USE enum err jobs_start(struct app *app, struct err_info *err);
void jobs_stop(struct jobs *jobs);

extern const struct route JOBS_ROUTES[]; /* people: /api/v1/…/jobs */
extern const size_t JOBS_ROUTE_COUNT;
extern const struct route WORKER_ROUTES[]; /* workers: /api/v1/worker/… and /api/v1/workers */
extern const size_t WORKER_ROUTE_COUNT;
