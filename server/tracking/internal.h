/* What the files of this folder share. */
#pragma once

#include "tracking/params.h"
#include "tracking/tracking.h"

/* Points of one series within a range of steps. */
struct metric_bucket {
    int64_t step, last_step, at;
    double min, max;    /* of the finite points; NaN when there is none */
    double first, last; /* in the order (step, time, value); may be non-finite */
    int64_t count, non_finite;
};

struct metric_series {
    const char *key;
    int64_t points, first_step, last_step; /* of the whole series */
    struct list buckets;
};

struct series_query {
    const char *keys;           /* separated by commas; NULL = all, at most 200 */
    int64_t buckets;            /* 1..2000 */
    int64_t from_step, to_step; /* FIELD_NO_INT = the series' own end */
};

/* Bytes of a request with 1,000 texts, most of them short: a hundred at their limits fit. */
#define RUN_TEXTS_BODY_MAX ((size_t)4 << 20)

/* One column of ids. */
struct id_row {
    const char *id;
};
extern const struct shape ID_ROW;
extern const struct shape METRIC_SERIES_SHAPE;

/* Charts: ret is a list of struct metric_series. */
MUST_USE enum err run_series(struct ctx *cx, const char *run_id, const struct series_query *query,
                             struct list *ret);
/* Points for the final values whose key the run never logged. */
MUST_USE enum err run_log_missing(struct ctx *cx, const char *run_id, json_t *values, int64_t step);
MUST_USE enum err run_set_tags(struct ctx *cx, const char *run_id, json_t *tags);
MUST_USE enum err artifact_get(struct ctx *cx, const char *id, struct artifact *ret);

/* An object of texts as two arrays; NULL is none. ERR_UNPROCESSABLE for anything else. */
MUST_USE enum err texts_of(struct ctx *cx, json_t *object, struct params *ret);
/* The same; the refusal names the request's member. */
MUST_USE enum err texts_of_member(struct ctx *cx, json_t *object, const char *member,
                                  struct params *ret);
/* Tags to set and tags to take away. */
struct tag_changes {
    struct params set;
    const char **gone;
    size_t gone_count;
};
/* An object of texts and nulls; the refusal names "tags". */
MUST_USE enum err tag_changes_of(struct ctx *cx, json_t *object, struct tag_changes *ret);
/* ERR_NOT_FOUND, or ERR_CONFLICT when it is archived. */
MUST_USE enum err experiment_require_active(struct ctx *cx, const char *id);
MUST_USE enum err experiment_put_tags(struct ctx *cx, const char *id, const struct params *tags);
/* All of them or, with ERR_CONFLICT, none: each must be archived and have no job at work. */
MUST_USE enum err runs_delete(struct ctx *cx, const char *const *run_ids, size_t count);
