/* What the two files of the registry's half share: models by name, tags, versions as JSON. */
#pragma once

#include "mlflow/mlflow.h"
#include "registry/registry.h"

#define MLFLOW_REGISTRY_KEY_MAX 250
#define MLFLOW_REGISTRY_VALUE_MAX 100000

extern const char *const MLFLOW_STAGES[]; /* in the order of enum model_stage */

enum err mlflow_fail_registered_model(struct ctx *cx, const char *name);
/* The id of the project's model of that name; it fails with MLflow's sentence. */
MUST_USE enum err mlflow_registered_model(struct ctx *cx, const struct req *rq, const char *name,
                                          const char **ret_id);
/* By the model's name and the text of a number; it fails with MLflow's sentences. */
MUST_USE enum err mlflow_require_version(struct ctx *cx, const struct req *rq, const char *name,
                                         const char *text, struct model_version *ret);
/* ERR_INVALID with MLflow's sentence for a text that is no stage. */
MUST_USE enum err mlflow_stage(struct ctx *cx, const char *text, enum model_stage *ret);
/* More than most is refused, 0 = not given; token "" is none. */
MUST_USE enum err mlflow_registry_page(struct ctx *cx, struct registry_search *search,
                                       int64_t max_results, int64_t most, const char *token);

MUST_USE enum err mlflow_check_registry_tag(struct ctx *cx, const char *key, const char *value);
/* As an object of text; of a key given twice the last one counts. */
MUST_USE enum err mlflow_registry_tags(struct ctx *cx, const struct list *tags, json_t **ret);

void mlflow_write_tags(struct json_writer *w, json_t *tags); /* nothing when there are none */
void mlflow_write_version(struct ctx *cx, struct json_writer *w,
                          const struct model_version *version);
/* {"model_version": …} */
void mlflow_send_version(struct ctx *cx, struct reply *rp, const struct model_version *version);
/* name: [ … ], nothing when the list is empty. */
void mlflow_write_versions(struct ctx *cx, struct json_writer *w, const char *name,
                           const struct model_version *versions, size_t count);

/* Answers the proxy's list of a directory below "registry/": path is what follows that. */
MUST_USE enum err mlflow_list_version(struct ctx *cx, const struct req *rq, const char *path,
                                      struct reply *rp);
