/* features.h: preprocessing, fitted on the train split and applied the same way in serving.
 *
 * A model is trained on numbers that a data set does not hold as such: pixels become x/255, centred
 * and scaled per channel; numeric columns are standardised; a null becomes the mean and, where
 * nulls exist, raises a flag beside it; a category becomes one 1 among zeros. What was learned for
 * that (means, deviations, levels) travels with the model as the "preprocessing" of model.json, so
 * the predict runner needs neither the data set nor the training code. */
#pragma once

#include "runners/runner.h"

enum feature_type { FEATURE_NUMERIC, FEATURE_BOOLEAN, FEATURE_CATEGORICAL };

/* One column of a table and the numbers of the input that it becomes. */
struct feature {
    enum feature_type type;
    const char *name;     /* borrowed from features.json */
    double mean, stddev;  /* numeric; boolean: its mean and 1, centred at 0 */
    bool null_flag;       /* a second number: 1 when the value is null */
    const json_t *levels; /* categorical: names in code order; borrowed */
    json_t *codes;        /* categorical: name → code; owned */
    size_t offset, width; /* in a sample */
};

struct features {
    json_t *json; /* owned: the "preprocessing" of model.json */
    bool is_image;
    int channels, height, width;       /* image */
    float *scale, *shift;              /* image: sample = pixel * scale[c] + shift[c]; owned */
    struct feature *columns;           /* table; owned */
    size_t n_columns, sample;          /* sample: numbers of one row */
    double target_mean, target_stddev; /* mse: value = output * stddev + mean */
};

#define auto_features __attribute__((cleanup(features_done)))

/* Reads json, which the features then own, whether it succeeds or not. False: it is not usable. */
bool features_from_json(json_t *json, struct features *ret);
void features_done(struct features *f);

/* Write one value into its place in a sample; a number that is not finite is null. */
void feature_put_number(const struct feature *c, double value, float *sample);

/* code -1 is null or a level that was not there in training: all zeros. */
void feature_put_code(const struct feature *c, int64_t code, float *sample);

/* Code of a level, -1 when it is unknown. */
int64_t feature_code(const struct feature *c, const char *level);
