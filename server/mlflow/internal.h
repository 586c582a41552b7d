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
/* Those of the ids that there are, remembered or not: ret is an array of count places. */
MUST_USE enum err mlflow_places(struct ctx *cx, const char *project_id, const struct list *ids,
                                struct mlflow_place *ret, size_t *ret_count);

/* The number of results asked for: 1 to 50,000. */
MUST_USE enum err mlflow_check_results(struct ctx *cx, int64_t max_results);

/* --- runs --- */

/* The run's UUID; it is one of the project. */
MUST_USE enum err mlflow_require_run(struct ctx *cx, const struct req *rq, const char *run_id,
                                     const char **ret_uuid);
/* What a refusal of a domain's function about this run is in MLflow's words. */
enum err mlflow_refused(struct ctx *cx, enum err err, const char *run_id);

/* run_json.c */
MUST_USE enum err mlflow_write_run(struct ctx *cx, struct json_writer *w,
                                   const struct run_details *details);
MUST_USE enum err mlflow_write_run_info(struct ctx *cx, struct json_writer *w,
                                        const struct run *run);
