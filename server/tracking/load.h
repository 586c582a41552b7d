/* Everything a page shows of its runs, for many runs at once: a handful of statements whatever the
 * number of runs and of what they logged, and plain arrays in the arena, cheap to write out. */
#pragma once

#include "tracking/tracking.h"

enum run_with {
    RUN_WITH_PARAMS = 1,
    RUN_WITH_TAGS = 2,
    RUN_WITH_METRICS = 4, /* settle first: run_settle(), metrics_settle(); run_search() has */
    RUN_WITH_INPUTS = 8,  /* data sets, models read and models made */
    RUN_WITH_TIMES = 16,  /* when metrics were last logged: step and time */
    RUN_WITH_ALL = 31,
    RUN_WITH_SPEC = 32,  /* the spec a run was started with; not part of ALL */
    RUN_WITH_RANGES = 64 /* the least and the greatest of each metric, without times; nor this */
};

/* A parameter or a tag. */
struct run_text {
    const char *key, *value;
};

/* The last point of a metric. */
struct run_value {
    const char *key;
    int64_t step, at_us; /* 0 without RUN_WITH_TIMES */
    const char *text;    /* the value as the shortest text that reads back: 0.1, 1e-07, NaN */
    const char *least, *greatest; /* likewise, of the finite ones; NULL without RUN_WITH_RANGES */
};
double run_value_real(const struct run_value *value);

struct run_dataset {
    const char *name, *digest, *source_type, *source;
    const char *schema, *profile; /* JSON text; or NULL */
    struct list tags;             /* struct run_text */
};

struct run_model {
    const char *id;
    int64_t step; /* of one made; 0 of one read */
};

struct run_details {
    struct run run; /* its tags, params and metrics are NULL: they stand below; no evaluation */
    struct list params, tags;                /* struct run_text, by key */
    struct list metrics;                     /* struct run_value, by key */
    bool with_ranges;                        /* RUN_WITH_RANGES was asked for */
    struct list datasets;                    /* struct run_dataset, by name */
    struct list model_inputs, model_outputs; /* struct run_model */
};

/* The runs of these ids in their order; what is not found is left out. ret is a list of struct
 * run_details; `what` is a set of enum run_with. The list ends early when it has become large:
 * *ret_taken says how many of the ids it is of, at least one of them. */
MUST_USE enum err runs_load(struct ctx *cx, const char *const *ids, size_t count, unsigned what,
                            struct list *ret, size_t *ret_taken);
