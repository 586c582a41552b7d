/* What the files of this folder share. */
#pragma once

#include "tracking/tracking.h"

struct experiment {
    const char *id, *project_id, *name, *description;
    int64_t runs, created_at;
};

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

struct run_filter {
    const char *project_id;
    const char *experiment; /* id; NULL = all */
    const char *state;      /* name; NULL = all */
    const char *text;       /* part of the name; NULL = all */
    const char *sort;       /* "-created_at", "metrics.val/loss"; NULL = newest first */
    const char *cursor;
    int64_t limit;
};

extern const struct shape EXPERIMENT_SHAPE;
extern const struct shape RUN_ROW_SHAPE; /* a run with the key it was ordered by */
extern const struct shape ARTIFACT_SHAPE;
extern const struct shape METRIC_SERIES_SHAPE;

/* One page of runs; ret is a list of struct run, *ret_next NULL on the last page. */
MUST_USE enum err run_list(struct ctx *cx, const struct run_filter *filter, struct list *ret,
                           const char **ret_next);
/* Charts: ret is a list of struct metric_series. */
MUST_USE enum err run_series(struct ctx *cx, const char *run_id, const struct series_query *query,
                             struct list *ret);
/* Points for the final values whose key the run never logged. */
MUST_USE enum err run_log_missing(struct ctx *cx, const char *run_id, json_t *values, int64_t step);
MUST_USE enum err run_set_tags(struct ctx *cx, const char *run_id, json_t *tags);
MUST_USE enum err artifact_get(struct ctx *cx, const char *id, struct artifact *ret);
