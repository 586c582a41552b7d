/* Experiments and runs: what was tried, with which parameters, and how it went.
 *
 * A run's state follows the job that does its work. Metric points are kept in full; each series
 * (run and key) also has a summary row with its last, least and greatest value, kept up to date by
 * the statement that stores the points, so lists and sorting never look at points.
 *
 *     queued -> running -> succeeded | failed | cancelled
 *     running <-> lost_contact           failed | cancelled -> queued (the job is retried) */
#pragma once

#include "ctx.h"
#include "db/db.h"
#include "http/http.h"
#include "jobs/jobs.h"

enum run_state {
    RUN_QUEUED,
    RUN_RUNNING,
    RUN_LOST_CONTACT, /* no sign of life from its worker; it may come back */
    RUN_SUCCEEDED,
    RUN_FAILED,
    RUN_CANCELLED
};
extern const char *const RUN_STATE_NAMES[];

struct run {
    const char *id, *project_id, *experiment_id, *experiment_name, *name;
    int state; /* enum run_state */
    const char *job_id, *dataset_version_id, *dataset_name;
    int64_t dataset_version;
    int64_t created_at, started_at, finished_at;
    const char *created_by, *notes;
    json_t *tags, *params; /* objects of text */
    json_t *metrics;       /* last value of each key, at most 1,000 keys */
    double progress;
    const char *message;
    double eta_s; /* NaN = unknown */
    const char *device;
    json_t *evaluation; /* NULL in lists: a confusion matrix can be large */
    json_t *spec;
    const char *sort_key; /* lists only: the value it was ordered by; never encoded */
};

struct run_create {
    const char *project_id;
    const char *experiment; /* name; made when absent; NULL = "Default" */
    const char *name;
    const char *dataset_version_id; /* or NULL */
    json_t *spec;                   /* flattened into params; or NULL */
};

/* One value of one metric. */
struct metric_point {
    const char *key;
    int64_t step;
    int64_t at_us;
    double value; /* may be NaN or infinite */
};

struct artifact {
    const char *id, *run_id, *name;
    int64_t size_bytes;
    const char *sha256, *media_type;
    int64_t created_at;
};

struct run_outcome {
    json_t *evaluation; /* Evaluation or NULL */
    const char *device;
    json_t *metrics; /* final values; those whose key was never logged become points at step */
    int64_t steps;
};

extern const struct shape RUN_SHAPE;

/* Creates the run, queued, with its parameters and its lineage node. */
MUST_USE enum err run_create(struct ctx *cx, const struct run_create *options, const char **ret_id);
MUST_USE enum err run_attach_job(struct ctx *cx, const char *run_id, const char *job_id);
MUST_USE enum err run_get(struct ctx *cx, const char *id, struct run *ret);
/* The only way a run's state changes; ERR_CONFLICT when the old state does not allow it. */
MUST_USE enum err run_set_state(struct ctx *cx, const char *id, enum run_state state);
MUST_USE enum err run_set_outcome(struct ctx *cx, const char *id,
                                  const struct run_outcome *outcome);
/* Stores a batch; points that are already there cost nothing and count once. */
MUST_USE enum err run_log_metrics(struct ctx *cx, const char *run_id,
                                  const struct metric_point *points, size_t count);
/* Adds a file, or replaces the one of that name (a newer checkpoint). */
MUST_USE enum err run_add_artifact(struct ctx *cx, const char *run_id,
                                   const struct job_output *file);
MUST_USE enum err run_artifacts(struct ctx *cx, const char *run_id, struct list *ret);

extern const struct route TRACKING_ROUTES[];
extern const size_t TRACKING_ROUTE_COUNT;
extern const struct db_constraint TRACKING_CONSTRAINTS[];
extern const size_t TRACKING_CONSTRAINT_COUNT;
