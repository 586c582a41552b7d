/* Runs in groups: how many, and what their metrics come to. */
#pragma once

#include "tracking/search.h"

#define AGGREGATE_GROUPS_MAX 1000
#define AGGREGATE_KEYS_MAX 3
#define AGGREGATE_METRICS_MAX 20

enum aggregate_of { AGGREGATE_LAST, AGGREGATE_MIN, AGGREGATE_MAX };
extern const char *const AGGREGATE_OF_NAMES[];

struct aggregate_metric {
    const char *key;
    int of; /* enum aggregate_of: which value of each run */
};

struct run_aggregate {
    struct list group_by; /* const char *: params.x, tags.x or an attribute, as in a filter */
    struct list metrics;  /* struct aggregate_metric */
};

struct run_group {
    json_t *keys;    /* array of text or null, as group_by */
    int64_t runs;    /* all of the group, with a value or without */
    json_t *metrics; /* array of { key, of, count, mean, min, max, stddev }, as metrics */
};

/* Groups of the runs that the search finds, the largest first, at most AGGREGATE_GROUPS_MAX; ret is
 * a list of struct run_group. Values that are not finite count, and are left out of the rest;
 * stddev is of the sample. */
MUST_USE enum err runs_aggregate(struct ctx *cx, const struct run_search *search,
                                 const struct run_aggregate *aggregate, struct list *ret);
