/* The model registry: named models and their numbered, immutable versions.
 *
 * A version is made from a succeeded run's model.json and model.safetensors and keeps its own
 * snapshot of what matters (metrics, signature, classes, files), so it stays whole whatever
 * happens to the run. Numbers have no gaps: the model's row is the counter and its lock. */
#pragma once

#include "ctx.h"
#include "db/db.h"
#include "http/http.h"

struct model {
    const char *id, *project_id, *name, *description;
    int64_t created_at, updated_at;
    int64_t versions, latest_version; /* the latter null when there is none */
    json_t *metrics;                  /* of the newest version */
};

struct model_version {
    const char *id, *project_id, *model_id, *model_name;
    int64_t version;
    const char *description, *run_id;
    int64_t created_at;
    const char *created_by;
    json_t *metrics, *signature, *classes;
    const char *input_kind; /* "image" | "table" */
    json_t *input_shape;
    int64_t size_bytes;
    json_t *files;
    json_t *endpoint; /* Endpoint or NULL */
    json_t *evaluation;
};

struct model_file {
    const char *name, *sha256, *media_type;
    int64_t size_bytes;
};

MUST_USE enum err model_version_get(struct ctx *cx, const char *id, struct model_version *ret);
/* By the model's name in the caller's team; version 0 = the newest. */
MUST_USE enum err model_version_find(struct ctx *cx, const char *model, int64_t version,
                                     struct model_version *ret, bool *ret_found);
/* Every version number of a model, newest first, as a JSON array of text. */
MUST_USE enum err model_version_numbers(struct ctx *cx, const char *model_id, json_t **ret);
MUST_USE enum err model_file_get(struct ctx *cx, const char *version_id, const char *name,
                                 struct model_file *ret);

extern const struct route REGISTRY_ROUTES[];
extern const size_t REGISTRY_ROUTE_COUNT;
extern const struct db_constraint REGISTRY_CONSTRAINTS[];
extern const size_t REGISTRY_CONSTRAINT_COUNT;
