/* What the files of this folder share. */
#pragma once

#include "registry/registry.h"

struct registration {
    const char *project_id, *model, *run_id;
    const char *description, *run_link; /* or NULL */
    json_t *tags;                       /* or NULL */
};

extern const struct shape MODEL_SHAPE;
extern const struct shape MODEL_VERSION_SHAPE;
extern const struct shape MODEL_FILE_SHAPE;
extern const struct shape ID_SHAPE; /* struct id_row: rows of which only the id is wanted */

struct id_row {
    const char *id;
};

/* The run's model as the next version of the model of that name, which is made when absent.
 * ERR_CONFLICT when the run has not succeeded, has no model, or the name is another project's. */
MUST_USE enum err model_register(struct ctx *cx, const struct registration *options,
                                 struct model_version *ret);
/* The project's model of that name, made when absent. ERR_CONFLICT when it is another project's. */
MUST_USE enum err model_ensure(struct ctx *cx, const char *project_id, const char *name,
                               struct model *ret);
/* ids as the statement gave them (struct id_row); those that are gone meanwhile are left out. */
MUST_USE enum err model_load(struct ctx *cx, struct list ids, struct list *ret);
MUST_USE enum err model_version_load(struct ctx *cx, struct list ids, bool with_evaluation,
                                     struct list *ret);
/* Refuses what is being served; version_id NULL = any of the model's. */
MUST_USE enum err model_require_unserved(struct ctx *cx, const char *model_id,
                                         const char *version_id);
/* Adds or replaces; tags NULL = none. */
MUST_USE enum err model_add_tags(struct ctx *cx, const char *id, json_t *tags);
MUST_USE enum err model_version_add_tags(struct ctx *cx, const char *id, json_t *tags);
/* An object of text as the two arrays that statements take. ERR_INVALID for other values. */
MUST_USE enum err tags_arrays(struct ctx *cx, json_t *tags, const char **ret_keys,
                              const char **ret_values);

/* ---- events.c: what webhooks are told, in the transaction of the change */

MUST_USE enum err event_model_created(struct ctx *cx, const struct model_create *model);
MUST_USE enum err event_version_created(struct ctx *cx, const struct model *model,
                                        const struct model_version_create *options,
                                        const char *run_id, int64_t version);
/* value NULL = the tag is gone. */
MUST_USE enum err event_model_tag(struct ctx *cx, const char *model_id, const char *key,
                                  const char *value);
MUST_USE enum err event_version_tag(struct ctx *cx, const char *version_id, const char *key,
                                    const char *value);
/* version 0 = the alias is gone. */
MUST_USE enum err event_alias(struct ctx *cx, const struct model *model, const char *alias,
                              int64_t version);

/* Whether these are the tags of a prompt, or of a version of one. */
bool tags_are_of_prompt(const json_t *tags);

/* ---- source.c: what the text of a source means */

struct source {
    struct artifact_owner owner; /* of the files; unless: */
    const char *version_id;      /* another version's files; or NULL */
    const char *dir;             /* "" = all of them */
    const char *location;        /* of files that are not here; or NULL */
};
/* Finds nothing that is not the project's. model: whose version is being made. */
MUST_USE enum err source_resolve(struct ctx *cx, const struct model *model, const char *text,
                                 struct source *ret);

/* ---- what both files of routes share */

#define MODEL_NAME_BYTES 1024   /* of 256 characters */
#define DESCRIPTION_BYTES 40000 /* of 10,000 characters */

struct registry_query {
    struct page_query page;
    const char *filter, *order_by;
};
extern const struct shape REGISTRY_QUERY;
/* From the {project} of the path and a struct registry_query. */
MUST_USE enum err registry_search_of(struct ctx *cx, const struct req *rq,
                                     struct registry_search *ret);

struct tag_body {
    const char *key, *value;
};
extern const struct shape TAG_BODY;
struct tag_query {
    const char *key;
};
extern const struct shape TAG_QUERY;
