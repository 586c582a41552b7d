/* Runs: what was tried, with which parameters, and how it went. Experiments: experiments.h.
 *
 * The state of a run with a job follows the job that does its work:
 *
 *     queued -> running -> succeeded | failed | cancelled
 *     running <-> lost_contact           failed | cancelled -> queued (the job is retried)
 *
 * A run without one is external: a client opened it, logs to it, and says what its state is; any
 * state may follow any other, so that a finished run can be taken up again. An external run that is
 * running and of which nothing was heard for run_silent_hours is lost_contact until its next
 * report.
 *
 * archived_at is beside the state: an archived run takes no reports, and only such a run can be
 * deleted for good. */
#pragma once

#include "ctx.h"
#include "db/db.h"
#include "http/http.h"
#include "jobs/jobs.h"
#include "tracking/artifact_files.h"
#include "tracking/artifact_uploads.h"
#include "tracking/experiments.h"
#include "tracking/logged_models.h"
#include "tracking/metrics.h"
#include "tracking/search.h"

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
    int64_t experiment_number;
    int state;             /* enum run_state */
    const char *parent_id; /* or NULL */
    const char *source;    /* who opened it: "native", "mlflow", "import", … */
    const char *user_name; /* as the client says; or NULL */
    int64_t archived_at;   /* 0 = active */
    const char *job_id, *dataset_version_id, *dataset_name;
    int64_t dataset_version;
    int64_t created_at, started_at, finished_at;
    const char *created_by, *notes;
    json_t *tags, *params;             /* objects of text */
    json_t *metrics;                   /* last value of each key, at most 1,000 keys */
    json_t *metrics_min, *metrics_max; /* NULL: lists write them from struct run_details */
    double progress;
    const char *message;
    double eta_s; /* NaN = unknown */
    const char *device;
    json_t *evaluation; /* NULL in lists: a confusion matrix can be large */
    json_t *spec;
};

struct run_create {
    const char *project_id;
    const char *experiment; /* name; made when absent; NULL = "Default" */
    const char *name;
    const char *dataset_version_id; /* or NULL */
    json_t *spec;                   /* flattened into params; or NULL */
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
/* The same without its params, tags and metrics, which may be thousands: these are empty. */
MUST_USE enum err run_head(struct ctx *cx, const char *id, struct run *ret);
/* The only way the state of a run with a job changes; ERR_CONFLICT when the old one does not allow
 * it. */
MUST_USE enum err run_set_state(struct ctx *cx, const char *id, enum run_state state);
MUST_USE enum err run_set_outcome(struct ctx *cx, const char *id,
                                  const struct run_outcome *outcome);

/* ---- external runs */

struct run_open {
    const char *project_id, *experiment_id;
    const char *name; /* NULL = one is made up ("brave-otter-417") */
    const char *user; /* or NULL */
    const char
        *parent_id;     /* of the same project; NULL = the tag mlflow.parentRunId, if it is one */
    const char *source; /* NULL = "native" */
    int64_t started_at; /* 0 = now */
    json_t *tags, *params; /* objects of text; or NULL */
    int state;             /* enum run_state: mostly RUN_RUNNING; never RUN_LOST_CONTACT */
};
/* One round trip. ret is whole; its tags, params and metrics are those given. ERR_NOT_FOUND when
 * the experiment is not in the project, ERR_CONFLICT when it is archived. */
MUST_USE enum err run_open(struct ctx *cx, const struct run_open *options, struct run *ret);
/* As run_get(), in one project; id may also be 32 hex digits. */
MUST_USE enum err run_find(struct ctx *cx, const char *project_id, const char *id, struct run *ret);
/* The same without reading what the run logged: that it exists, in this project. ret_id (36
 * characters) lives in the arena. */
MUST_USE enum err run_require(struct ctx *cx, const char *project_id, const char *id,
                              const char **ret_id);

struct run_change {
    int state;           /* enum run_state, if has_state */
    int64_t finished_at; /* if has_finished; 0 = now. Kept only by a state that is an end */
    const char *name;    /* NULL = as it is; the tag mlflow.runName follows */
    bool has_state, has_finished;
};
/* ERR_CONFLICT when the run is archived, or has a job and would change its state. */
MUST_USE enum err run_change(struct ctx *cx, const char *id, const struct run_change *change);

/* Every function below: ERR_NOT_FOUND without the run, ERR_CONFLICT when it is archived. */

/* A value again is fine; another value is ERR_CONFLICT and names the parameter: *ret_key and
 * *ret_old are set only then (and may be NULL pointers). */
MUST_USE enum err run_log_params(struct ctx *cx, const char *run_id, const char *const *keys,
                                 const char *const *values, size_t count, const char **ret_key,
                                 const char **ret_old);
/* Adds or replaces. The tags mlflow.runName and mlflow.parentRunId set name and parent_id too. Of a
 * key given twice the last one counts. */
MUST_USE enum err run_put_tags(struct ctx *cx, const char *run_id, const char *const *keys,
                               const char *const *values, size_t count);
MUST_USE enum err run_delete_tag(struct ctx *cx, const char *run_id, const char *key,
                                 bool *ret_found);

/* A data set as a client describes it. */
struct dataset_input {
    const char *name, *digest, *source_type, *source;
    const char *schema, *profile; /* JSON text; or NULL */
    json_t *tags;                 /* an object of text; or NULL */
};
struct model_output {
    const char *model_id; /* 36 characters */
    int64_t step;
};
/* What is there already stays as it is. */
MUST_USE enum err run_add_inputs(struct ctx *cx, const char *run_id,
                                 const struct dataset_input *datasets, size_t dataset_count,
                                 const char *const *model_ids, size_t model_count);
MUST_USE enum err run_add_outputs(struct ctx *cx, const char *run_id,
                                  const struct model_output *models, size_t count);

/* Repeating either is fine. */
MUST_USE enum err run_archive(struct ctx *cx, const char *run_id);
MUST_USE enum err run_restore(struct ctx *cx, const char *run_id);
/* For good, with all it logged; ERR_CONFLICT unless it is archived and its job has ended. */
MUST_USE enum err run_delete(struct ctx *cx, const char *run_id);

/* Says that these runs were heard of (ingest of metrics tells it when it folds a batch): a lost one
 * runs again. Costs a write at most every ten minutes a run. */
MUST_USE enum err runs_heard(struct ctx *cx, const char *const *run_ids, size_t count);
/* Loses contact with external runs that are silent. As PRINCIPAL_SYSTEM. */
MUST_USE enum err runs_sweep(struct ctx *cx);

/* ---- metrics and files */

/* Adds a file, or replaces the one of that name (a newer checkpoint). */
MUST_USE enum err run_add_artifact(struct ctx *cx, const char *run_id,
                                   const struct job_output *file);
MUST_USE enum err run_artifacts(struct ctx *cx, const char *run_id, struct list *ret);

extern const struct route EXPERIMENT_ROUTES[];
extern const size_t EXPERIMENT_ROUTE_COUNT;
extern const struct route RUN_ROUTES[];
extern const size_t RUN_ROUTE_COUNT;
extern const struct route RUN_REPORT_ROUTES[];
extern const size_t RUN_REPORT_ROUTE_COUNT;
extern const struct route RUN_BULK_ROUTES[];
extern const size_t RUN_BULK_ROUTE_COUNT;
extern const struct route METRIC_ROUTES[];
extern const size_t METRIC_ROUTE_COUNT;
extern const struct route TRACKING_ROUTES[];
extern const size_t TRACKING_ROUTE_COUNT;
/* A name for a run that was given none: "brave-otter-417". */
const char *run_name_random(struct arena *arena);

extern const struct db_constraint TRACKING_CONSTRAINTS[];
extern const size_t TRACKING_CONSTRAINT_COUNT;

#include "tracking/load.h" /* of what stands above */
