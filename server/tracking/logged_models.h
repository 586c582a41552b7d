/* Logged models: what a client saved as a model, with parameters, tags, and metrics by data set.
 *
 *     pending -> ready | failed (each may follow another: a client says what it is)
 *
 * archived_at is beside the status: an archived model is not found unless one asks for it. Its
 * files are artifacts of its own (artifact_files.h, ARTIFACT_OF_LOGGED_MODEL). Outside, an id is
 * "m-" and 32 hex digits; here it is the UUID. */
#pragma once

#include "ctx.h"
#include "db/db.h"
#include "http/http.h"

#define LOGGED_MODEL_PARAMS_MAX 100 /* of one call */

enum logged_model_status { LOGGED_MODEL_PENDING, LOGGED_MODEL_READY, LOGGED_MODEL_FAILED };
extern const char *const LOGGED_MODEL_STATUS_NAMES[];

struct logged_model {
    const char *id, *project_id, *experiment_id, *name, *model_type; /* model_type may be "" */
    int64_t experiment_number;
    const char *artifact_location; /* the experiment's own, or NULL */
    const char *source_run_id;     /* or NULL */
    const char *source_run_ref;    /* another server's run, or "" */
    int status;                    /* enum logged_model_status */
    const char *status_message;
    const char *created_by;
    int64_t created_at, updated_at, archived_at;
    json_t *tags, *params; /* objects of text */
    /* Array of { key, value, step, timestamp (ms), run_id, dataset_name, dataset_digest }, by key
     * and time; the newest 1,000. The dataset's members are "" when none was named. */
    json_t *metrics;
};

extern const struct shape LOGGED_MODEL_SHAPE;

struct logged_model_create {
    const char *project_id, *experiment_id;
    const char *name; /* NULL = one is made up */
    const char *model_type;
    const char *source_run_id;  /* of the same project; or NULL */
    const char *source_run_ref; /* or NULL: another server's run, where there is no source_run_id */
    json_t *tags, *params;      /* objects of text; or NULL */
};
/* Pending. ERR_INVALID for a name with / : . % " ' in it. */
MUST_USE enum err logged_model_create(struct ctx *cx, const struct logged_model_create *options,
                                      struct logged_model *ret);
/* id: the UUID, or "m-" and 32 hex digits. project_id NULL = any of the team's. */
MUST_USE enum err logged_model_find(struct ctx *cx, const char *project_id, const char *id,
                                    bool archived_too, struct logged_model *ret, bool *ret_found);
/* The same as an id, without reading what it holds: ret_id (36 characters) lives in the arena. */
MUST_USE enum err logged_model_require(struct ctx *cx, const char *project_id, const char *id,
                                       const char **ret_id);
/* Many at once, in the order of ids; those that are gone are left out. */
MUST_USE enum err logged_models_load(struct ctx *cx, const char *const *ids, size_t count,
                                     struct list *ret);

/* Each of these: ERR_NOT_FOUND without an active model of that id (36 characters). */
MUST_USE enum err logged_model_finalize(struct ctx *cx, const char *id,
                                        enum logged_model_status status);
MUST_USE enum err logged_model_archive(struct ctx *cx, const char *id);
MUST_USE enum err logged_model_put_tags(struct ctx *cx, const char *id, const char *const *keys,
                                        const char *const *values, size_t count);
MUST_USE enum err logged_model_delete_tag(struct ctx *cx, const char *id, const char *key,
                                          bool *ret_found);
/* A value again is fine; another value is ERR_CONFLICT. At most LOGGED_MODEL_PARAMS_MAX a call. */
MUST_USE enum err logged_model_add_params(struct ctx *cx, const char *id, const char *const *keys,
                                          const char *const *values, size_t count);

/* A value that a run measured of a model; model_id in either form. */
struct logged_model_metric {
    const char *model_id, *key;
    int64_t step, at_us;
    double value;
    const char *dataset_name, *dataset_digest; /* NULL = none was named */
};
/* Beside the run's series, in the ctx's transaction; what is there already counts once. The run and
 * every model must be of the project: ERR_NOT_FOUND names the model that is not. */
MUST_USE enum err logged_model_log_metrics(struct ctx *cx, const char *project_id,
                                           const char *run_id,
                                           const struct logged_model_metric *metrics, size_t count);

struct logged_model_search {
    const char *project_id;
    const char *const *experiment_ids; /* NULL = all of the project */
    size_t experiment_count;
    const char *filter;
    const char *const *order_by;
    size_t order_count;
    /* Metrics are those on these data sets, and only models that have some are found. */
    const char *const *dataset_names, *const *dataset_digests; /* a digest NULL = every one */
    size_t dataset_count;
    int64_t limit;
    const char *token;
    bool mlflow;
};
/* Active ones: struct logged_model; see search.h for what can go wrong. */
MUST_USE enum err logged_model_search(struct ctx *cx, const struct logged_model_search *search,
                                      struct list *ret, const char **ret_next);

extern const struct route LOGGED_MODEL_ROUTES[];
extern const size_t LOGGED_MODEL_ROUTE_COUNT;
extern const struct db_constraint LOGGED_MODEL_CONSTRAINTS[];
extern const size_t LOGGED_MODEL_CONSTRAINT_COUNT;
