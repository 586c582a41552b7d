/* train_data.h: a data set version as the trainer sees it: samples, targets and rows of each split.
 */
#pragma once

#include "runners/features.h"
#include "shim/safetensors.h"
#include "shim/spec.h"

enum split { SPLIT_TRAIN, SPLIT_VALIDATION, SPLIT_TEST, SPLIT_COUNT };

struct train_data {
    struct safetensors file; /* the mapped data.safetensors */
    json_t *manifest;        /* owned */
    struct features features;
    json_t *classes;            /* owned; names in index order, NULL for mse */
    tsh_view x, y;              /* all rows, in the file or in the two buffers below */
    float *matrix;              /* table: [rows, features.sample]; owned */
    void *targets;              /* table: [rows] int32 or float32; owned */
    int64_t *rows[SPLIT_COUNT]; /* usable rows of each split; owned */
    size_t n_rows[SPLIT_COUNT];
    struct model_io io;
};

#define auto_train_data __attribute__((cleanup(train_data_done)))

/* Opens the inputs, picks the rows that have a target, fits the preprocessing on the train split.
 */
MUST_USE enum run train_data_load(struct runner *rn, const struct train_spec *spec,
                                  struct train_data *ret);
void train_data_done(struct train_data *data);
