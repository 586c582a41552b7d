/* What the files of the tracking half share: experiments by number, runs as JSON, refusals. */
#pragma once

#include "mlflow/mlflow.h"
#include "tracking/tracking.h"

#define MLFLOW_KEY_MAX 250
#define MLFLOW_PARAM_MAX 6000
#define MLFLOW_TAG_MAX 8000
#define MLFLOW_RESULTS_MAX 50000          /* that a client may ask a page to have */
#define MLFLOW_TIME_MAX 253402300799999LL /* ms: the end of the year 9999 */
#define MLFLOW_NAME_TAG "mlflow.runName"

/* --- experiments by number: project.c --- */

/* What of an experiment never changes; remembered for a few seconds. */
struct mlflow_place {
    char id[ID_SIZE];
    int64_t number;
    const char *location; /* NULL = the default */
};
/* ERR_NOT_FOUND with MLflow's sentence, ERR_INVALID for what is no number; "" is number 0. */
MUST_USE enum err mlflow_place(struct ctx *cx, const char *project_id, const char *experiment_id,
                               struct mlflow_place *ret);
/* The same by the experiment's UUID. */
MUST_USE enum err mlflow_place_of(struct ctx *cx, const char *project_id,
                                  const char *experiment_uuid, struct mlflow_place *ret);
/* Those of the ids that there are, remembered or not: ret is an array of count places. */
MUST_USE enum err mlflow_places(struct ctx *cx, const char *project_id, const struct list *ids,
                                struct mlflow_place *ret, size_t *ret_count);

/* Whether any run of the team may have read or made something (inputs.c); an answer may be a second
 * old where another process made the first. */
MUST_USE enum err mlflow_links_exist(struct ctx *cx, bool *ret);
void mlflow_links_made(struct ctx *cx); /* now there are some */

/* The number of results asked for: 1 to 50,000. */
MUST_USE enum err mlflow_check_results(struct ctx *cx, int64_t max_results);

/* --- runs --- */

/* The run's UUID; it is one of the project. */
MUST_USE enum err mlflow_require_run(struct ctx *cx, const struct req *rq, const char *run_id,
                                     const char **ret_uuid);
/* What a refusal of a domain's function about this run is in MLflow's words. */
enum err mlflow_refused(struct ctx *cx, enum err err, const char *run_id);

/* --- runs as clients read them: run_json.c --- */

struct mlflow_run {
    int64_t n;                         /* its place in the piece it was read with, from 1 */
    const char *id, *name, *user_name; /* user_name may be NULL */
    const char *experiment_id;
    struct mlflow_place place; /* of the experiment */
    int state;                 /* enum run_state */
    int64_t archived_at, started_at, finished_at;
    struct list param_keys, param_values, tag_keys, tag_values;         /* const char * each */
    struct list metric_keys, metric_values, metric_steps, metric_times; /* numbers as text */
    const char *datasets, *models_read, *models_made; /* JSON arrays; NULL = none */
    struct list fresh; /* batches its summaries do not have yet (metric_batches_lasts()) */
    bool waiting;      /* there are some, and they could not be taken into account */
};
/* Those of the runs that are in the project, in the order given: ret is a list of them. It ends
 * early when it has become large, as that of runs_load(). */
MUST_USE enum err mlflow_load_runs(struct ctx *cx, const char *project_id, const char *const *uuids,
                                   size_t count, struct list *ret, size_t *ret_taken);
/* Without what it logged. */
struct mlflow_run mlflow_run_of(const struct run *run, const struct mlflow_place *place);
void mlflow_write_run(struct ctx *cx, struct json_writer *w, const struct mlflow_run *run);
void mlflow_write_run_info(struct ctx *cx, struct json_writer *w, const struct mlflow_run *run);
