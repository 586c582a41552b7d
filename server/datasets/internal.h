/* What the files of this folder share. */
#pragma once

#include "datasets/datasets.h"

extern const struct shape DATASET_SHAPE;
extern const struct shape DATASET_VERSION_SHAPE;

/* How an import divides the rows; the shares add up to 1. */
struct split_options {
    double train, validation, test;
    int64_t seed;
    bool stratify;
};

struct import_options {
    struct list upload_ids; /* of const char *; all complete */
    const char *format;     /* "auto" | "idx" | … of the data runner */
    const char *target;     /* label column of a table; NULL = none named */
    struct split_options split;
};

MUST_USE enum err dataset_get(struct ctx *cx, const char *id, struct dataset *ret);
/* Takes the next version number and queues the import, in the ctx's transaction. */
MUST_USE enum err dataset_import(struct ctx *cx, const struct dataset *dataset,
                                 const struct import_options *options, struct dataset_version *ret);
