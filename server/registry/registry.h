/* The model registry: named models, their numbered versions, stages and aliases.
 *
 * A version keeps its own snapshot of what matters (files, metrics, signature, classes), so it
 * stays whole whatever happens to the run or the logged model it came from; the bytes are shared,
 * only rows are copied. Numbers count up and are never given twice: the model's row is the counter
 * and its lock. A version is deleted softly: its row and number stay, its files do not.
 *
 * A version whose files are Slipway's own model.json and model.safetensors can be served; any other
 * (a scikit-learn model that a client logged) is kept, listed and downloaded, but has no signature
 * and input_kind, and serving refuses it by model_version_require_servable().
 *
 * Names are text as people write it, up to 256 characters, in Unicode's composed form (NFC): the
 * decomposed twin of a name is refused, so that two models never look the same. They are unique in
 * the team, because clients of /v2 name nothing else. */
#pragma once

#include "ctx.h"
#include "db/db.h"
#include "http/http.h"
#include "tracking/artifact_files.h"

enum model_stage { STAGE_NONE, STAGE_STAGING, STAGE_PRODUCTION, STAGE_ARCHIVED, STAGE_COUNT };
extern const char *const MODEL_STAGE_NAMES[]; /* "none", "staging", … */

enum model_status { MODEL_PENDING, MODEL_READY, MODEL_FAILED };
extern const char *const MODEL_STATUS_NAMES[];

struct model {
    const char *id, *project_id, *name, *description;
    int64_t created_at, updated_at;
    int64_t versions;       /* that are not deleted */
    int64_t latest_version; /* the greatest of them; null when there is none */
    json_t *metrics;        /* of that one */
    json_t *tags;           /* object of text */
    json_t *aliases;        /* object: alias to version number */
};

struct model_version {
    const char *id, *project_id, *model_id, *model_name;
    int64_t version;
    const char *description;
    const char *source;          /* as it was given; of a registered run "runs:/<run>/" */
    const char *run_id;          /* or NULL */
    const char *run_ref;         /* another server's run, or "" */
    const char *location;        /* of files in another store, which nobody here asks; or "" */
    const char *run_link;        /* a page elsewhere, or "" */
    const char *logged_model_id; /* or NULL */
    int stage, status;           /* enum model_stage, enum model_status */
    const char *status_message;
    int64_t created_at, updated_at;
    const char *created_by;
    json_t *tags;    /* object of text */
    json_t *aliases; /* array of text */
    json_t *metrics;
    bool servable;
    json_t *signature, *classes; /* NULL unless servable */
    const char *input_kind;      /* "image" | "table"; NULL unless servable */
    json_t *input_shape;
    int64_t size_bytes, file_count;
    json_t *files;    /* the first 1,000 */
    json_t *endpoint; /* Endpoint or NULL */
    json_t *evaluation;
};

struct model_file {
    const char *name, *sha256, *media_type;
    int64_t size_bytes;
};

/* What makes a model a prompt, and a version one of a prompt: this tag with the value "true". */
#define PROMPT_TAG "mlflow.prompt.is_prompt"

/* ---- models */

struct model_create {
    const char *project_id, *name;
    const char *description; /* or NULL */
    json_t *tags;            /* object of text, or NULL */
};
/* ERR_CONFLICT when the team has a model of that name, ERR_INVALID when it cannot be a name. */
MUST_USE enum err model_create(struct ctx *cx, const struct model_create *options,
                               struct model *ret);
MUST_USE enum err model_get(struct ctx *cx, const char *id, struct model *ret);
/* project_id NULL = any of the team's. */
MUST_USE enum err model_find(struct ctx *cx, const char *project_id, const char *name,
                             struct model *ret, bool *ret_found);
/* Only its id, NULL when there is none; it lives in the arena. */
MUST_USE enum err model_find_id(struct ctx *cx, const char *project_id, const char *name,
                                const char **ret_id);
MUST_USE enum err model_rename(struct ctx *cx, const char *id, const char *name);
MUST_USE enum err model_describe(struct ctx *cx, const char *id, const char *description);
/* With its versions and aliases. ERR_CONFLICT names the endpoint when a version is being served. */
MUST_USE enum err model_delete(struct ctx *cx, const char *id);
MUST_USE enum err model_set_tag(struct ctx *cx, const char *id, const char *key, const char *value);
MUST_USE enum err model_delete_tag(struct ctx *cx, const char *id, const char *key,
                                   bool *ret_found);

/* Aliases: letters, digits, _ and -, up to 255; not "latest", not v<number>. Every change is an
 * audit event and a feed row. */
MUST_USE enum err alias_set(struct ctx *cx, const char *model_id, const char *alias,
                            int64_t version);
MUST_USE enum err alias_delete(struct ctx *cx, const char *model_id, const char *alias,
                               bool *ret_found);

/* ---- versions */

struct model_version_create {
    const char *model_id;
    /* Where its files are: runs:/<run>/path, models:/<name>/<version>, models:/<name>@<alias>,
     * models:/m-<logged model>, mlflow-artifacts:/…; all of the model's project. Or an address of
     * another store: then the version has no files. */
    const char *source;
    const char *run_id;          /* or NULL: the source's */
    const char *run_ref;         /* or NULL: another server's run, where there is no run_id */
    const char *logged_model_id; /* or NULL: the source's */
    const char *run_link, *description;
    json_t *tags;
};
/* ERR_INVALID (field "source") for paths and anything with "..", ERR_NOT_FOUND for what is not the
 * project's. */
MUST_USE enum err model_version_create(struct ctx *cx, const struct model_version_create *options,
                                       struct model_version *ret);
MUST_USE enum err model_version_get(struct ctx *cx, const char *id, struct model_version *ret);
MUST_USE enum err model_version_find(struct ctx *cx, const char *model_id, int64_t version,
                                     struct model_version *ret, bool *ret_found);
/* The alias "latest" is the greatest number. */
MUST_USE enum err model_version_by_alias(struct ctx *cx, const char *model_id, const char *alias,
                                         struct model_version *ret, bool *ret_found);
/* The newest of each stage of each of these models: struct model_version, by model and number.
 * stages is a set of 1 << enum model_stage. */
MUST_USE enum err model_versions_latest(struct ctx *cx, const char *const *model_ids, size_t count,
                                        unsigned stages, struct list *ret);
MUST_USE enum err model_version_describe(struct ctx *cx, const char *id, const char *description);
/* archive_others: those of the model that are in this stage become archived. */
MUST_USE enum err model_version_set_stage(struct ctx *cx, const char *id, enum model_stage stage,
                                          bool archive_others);
/* ERR_CONFLICT names the endpoint when it is being served. */
MUST_USE enum err model_version_delete(struct ctx *cx, const char *id);
MUST_USE enum err model_version_set_tag(struct ctx *cx, const char *id, const char *key,
                                        const char *value);
MUST_USE enum err model_version_delete_tag(struct ctx *cx, const char *id, const char *key,
                                           bool *ret_found);

/* Where the version's files came from, if exactly these files are still there: an owner and a
 * directory of it ("" = all). *ret_same false = only the version has them. */
MUST_USE enum err model_version_origin(struct ctx *cx, const struct model_version *version,
                                       struct artifact_owner *ret, const char **ret_dir,
                                       bool *ret_same);
/* By the model's name in the caller's team; version 0 = the newest. */
MUST_USE enum err model_version_by_name(struct ctx *cx, const char *model, int64_t version,
                                        struct model_version *ret, bool *ret_found);
/* ERR_UNPROCESSABLE with a sentence for a version that Slipway cannot serve. */
MUST_USE enum err model_version_require_servable(struct ctx *cx,
                                                 const struct model_version *version);
/* Every version number of a model, newest first, as a JSON array of text. */
MUST_USE enum err model_version_numbers(struct ctx *cx, const char *model_id, json_t **ret);

/* ---- files of a version; names are paths */

MUST_USE enum err model_file_get(struct ctx *cx, const char *version_id, const char *name,
                                 struct model_file *ret);
/* Every file, by name: struct model_file. dir NULL = all, else those below that directory. */
MUST_USE enum err model_files(struct ctx *cx, const char *version_id, const char *dir,
                              struct list *ret);

/* Answers with the file's bytes, as an attachment. */
MUST_USE enum err model_file_reply(struct ctx *cx, struct reply *rp, const struct model_file *file);

/* ---- search */

struct registry_search {
    const char *project_id;
    const char *filter; /* NULL = all but prompts; see tracking/search.h */
    const char *const *order_by;
    size_t order_count;
    int64_t limit;
    const char *token; /* NULL = from the start */
    bool mlflow;       /* its dialect */
};
/* ret is a list of struct model, or of struct model_version; *ret_next NULL on the last page. */
MUST_USE enum err model_search(struct ctx *cx, const struct registry_search *search,
                               struct list *ret, const char **ret_next);
MUST_USE enum err model_version_search(struct ctx *cx, const struct registry_search *search,
                                       struct list *ret, const char **ret_next);

extern const struct route REGISTRY_ROUTES[];
extern const size_t REGISTRY_ROUTE_COUNT;
extern const struct route VERSION_ROUTES[];
extern const size_t VERSION_ROUTE_COUNT;
extern const struct db_constraint REGISTRY_CONSTRAINTS[];
extern const size_t REGISTRY_CONSTRAINT_COUNT;
