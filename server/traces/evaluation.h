/* Evaluation sets: what an application that uses language models is asked when it is judged, and
 * what is expected of its answers. MLflow calls them evaluation datasets.
 *
 * A set belongs to a project and to any of its experiments. A record is the client's JSON object:
 * inputs, and perhaps outputs, expectations, tags and source. The inputs are what it is known by:
 * the same ones sent again change that record. */
#pragma once

#include "ctx.h"
#include "db/db.h"

#define EVALUATION_RECORDS_MAX 10000 /* in one request */
#define EVALUATION_PAGE_MAX 1000     /* records that are read at once */

struct evaluation_set {
    const char *id, *project_id, *name, *digest;
    const char
        *schema; /* JSON text: the types of the records' members; NULL = no record came yet */
    const char *created_by, *updated_by;
    int64_t created_at, updated_at, records;
    json_t *tags;        /* object of text */
    json_t *experiments; /* array of their numbers, as text */
};

struct evaluation_record {
    const char *id, *body; /* JSON text */
    const char *created_by, *updated_by;
    int64_t created_at, updated_at;
};

struct evaluation_set_create {
    const char *project_id, *name;
    struct list experiments; /* const char *: UUIDs */
    json_t *tags;            /* object of text, or NULL */
};
MUST_USE enum err evaluation_set_create(struct ctx *cx, const struct evaluation_set_create *options,
                                        struct evaluation_set *ret);
/* ERR_NOT_FOUND names the set; id may be any text. */
MUST_USE enum err evaluation_set_get(struct ctx *cx, const char *project_id, const char *id,
                                     struct evaluation_set *ret);
/* With its records. */
MUST_USE enum err evaluation_set_delete(struct ctx *cx, const char *project_id, const char *id);
/* Members that are null are left alone. */
MUST_USE enum err evaluation_set_put_tags(struct ctx *cx, const char *project_id, const char *id,
                                          json_t *tags);
MUST_USE enum err evaluation_set_delete_tag(struct ctx *cx, const char *project_id, const char *id,
                                            const char *key);
/* experiments: UUIDs of the project's. Links that there are, or are not, stay so. */
MUST_USE enum err evaluation_set_link(struct ctx *cx, const char *project_id, const char *id,
                                      const struct list *experiments, bool linked);

struct evaluation_search {
    const char *project_id;
    const struct list *experiments; /* UUIDs; NULL = of any */
    const char *filter;             /* MLflow's dialect: name, created_time, tags.x … */
    const char *const *order_by;
    size_t order_count;
    int64_t limit;
    const char *token;
};
/* struct evaluation_set; see search.h for what can go wrong. */
MUST_USE enum err evaluation_set_search(struct ctx *cx, const struct evaluation_search *search,
                                        struct list *ret, const char **ret_next);

/* records: an array of objects. ERR_INVALID when one is none; then nothing is stored. */
MUST_USE enum err evaluation_records_put(struct ctx *cx, const char *project_id, const char *id,
                                         const json_t *records, int64_t *ret_inserted,
                                         int64_t *ret_updated);
/* struct evaluation_record, in the order in which they came; after: the last one's id, or NULL. */
MUST_USE enum err evaluation_records_list(struct ctx *cx, const char *project_id, const char *id,
                                          int64_t limit, const char *after, struct list *ret,
                                          const char **ret_next);
MUST_USE enum err evaluation_records_delete(struct ctx *cx, const char *project_id, const char *id,
                                            const struct list *record_ids, int64_t *ret_count);
