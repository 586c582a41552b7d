/* What the files of jobs/ share. Private to the folder. */
#pragma once

#include "base/field.h"
#include "db/db.h"
#include "jobs/jobs.h"

#include <pthread.h>
#include <stdatomic.h>

enum { LEASE_SECONDS = 20, HEARTBEAT_SECONDS = 5, LOG_LINES_MAX = 50000 };

struct jobs {
    const struct job_kind **kinds; /* of all tables; read-only after start */
    size_t kind_count;
    pthread_mutex_t lock;
    pthread_cond_t woken; /* under lock: something may be leasable */
    uint64_t wakes;       /* under lock */
    atomic_bool stopping;
    pthread_t reaper;
    bool reaper_runs;
};

/* A job with what the worker API needs besides. `job` is first. */
struct job_row {
    struct job job;
    int64_t next_seq;       /* the event wanted next from the lease's holder */
    int64_t finished_epoch; /* FIELD_NO_INT = none */
    int64_t log_lines;
    int64_t memory_bytes, wall_seconds;
    int64_t run_at;
    bool contacted; /* the holder of the present epoch has been heard of */
};
extern const struct shape JOB_ROW;

const struct job_kind *job_kind_find(const struct jobs *jobs, const char *name); /* NULL if none */

/* job_get() with everything, with or without the row's lock. ERR_NOT_FOUND. */
MUST_USE enum err job_row_get(struct ctx *cx, const char *id, struct job_row *ret);
MUST_USE enum err job_row_lock(struct ctx *cx, const char *id, struct job_row *ret);

/* --- job_state.c --- */

struct job_change {
    enum job_state to;
    const char *reason;    /* for people: why */
    const char *worker_id; /* a new lease: counts an attempt, takes the next epoch */
    bool gives_back_attempt;
    bool fresh_budget; /* a person's retry */
    double delay_s;    /* of queued: when it may run */
    json_t *error;     /* of failed */
    json_t *result;    /* of succeeded */
    bool is_finish;    /* the holder of the present epoch said so */
};

bool job_state_is_final(int state);
bool job_change_is_allowed(int from, int to);
/* The only way a state changes. The row must be locked by this transaction and be as given; *row is
 * what it is afterwards. Writes the event, the lineage and feed rows, and tells the kind. */
MUST_USE enum err job_set_state(struct ctx *cx, struct job_row *row,
                                const struct job_change *change);
/* A JobError of our own making; lives in the arena. */
json_t *job_error(struct ctx *cx, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Failed for good, or queued again after a pause while attempts are left. */
MUST_USE enum err job_fail(struct ctx *cx, struct job_row *row, json_t *error, bool retryable,
                           bool is_finish);
/* Ends it as cancelled. */
MUST_USE enum err job_set_cancelled(struct ctx *cx, struct job_row *row, const char *reason,
                                    bool is_finish);

/* Wakes long polls once the ctx's transaction is over. */
void jobs_wake_later(struct ctx *cx);
void jobs_wake(struct jobs *jobs);

/* --- leases.c: what workers do. Each begins as the worker and ends acting as the job's team. ---
 */

struct lease_holder {
    const char *worker_id;
    int64_t epoch;
};
/* The job, locked, if the caller's lease is the present one; ERR_CONFLICT otherwise. */
MUST_USE enum err lease_require(struct ctx *cx, const char *job_id,
                                const struct lease_holder *holder, struct job_row *ret);
/* For transfers, which name only the epoch; not locked. */
MUST_USE enum err lease_require_epoch(struct ctx *cx, const char *job_id, int64_t epoch,
                                      struct job_row *ret);
MUST_USE enum err worker_require(struct ctx *cx, const char *worker_id);

struct lease_input {
    const char *name, *file_name, *sha256;
    int64_t size_bytes;
};
extern const struct shape LEASE_INPUT;

/* Leases the next job of one of the kinds; *ret_found false when there is none. */
MUST_USE enum err job_claim(struct ctx *cx, const char *worker_id, const struct list *kinds,
                            struct job_row *ret, struct list *ret_inputs, bool *ret_found);
/* Waits until something may be leasable, a second has passed, or the server stops. */
void jobs_wait(struct jobs *jobs, uint64_t *seen);

MUST_USE enum err job_heartbeat(struct ctx *cx, const char *job_id,
                                const struct lease_holder *holder, bool *ret_cancel);

enum outcome { OUTCOME_SUCCEEDED, OUTCOME_FAILED, OUTCOME_CANCELLED, OUTCOME_REQUEUE };
struct job_finish {
    const char *worker_id;
    int64_t epoch;
    int outcome; /* enum outcome */
    json_t *error;
    bool retryable;
    json_t *result;
    struct list outputs; /* struct finish_output */
};
struct finish_output {
    const char *name, *sha256, *media_type;
    int64_t size_bytes;
};
MUST_USE enum err job_finish(struct ctx *cx, const char *job_id, const struct job_finish *finish,
                             struct job_row *ret);

/* --- job_events.c --- */

/* Takes a batch, each event once; *ret_next is the number wanted next. A gap is ERR_CONFLICT. */
MUST_USE enum err job_events_take(struct ctx *cx, struct job_row *row, int64_t first_seq,
                                  json_t *events, int64_t *ret_next);

/* --- reaper.c --- */

/* One round over what is overdue. */
void jobs_reap(struct app *app);

/* --- jobs.c --- */

MUST_USE enum err job_retry(struct ctx *cx, const char *id, struct job_row *ret);
/* Sentence why a queued job waits; NULL for others. */
MUST_USE enum err job_waiting_for(struct ctx *cx, const struct job_row *row, const char **ret);
