/* data.h: the parts of the data runner and what they share.
 *
 * data_import reads the spec and finds out the format, then one reader does the work:
 *   data_idx.c       IDX files                           both hand their pixels to data_pictures.c,
 *   data_folders.c   an archive of class folders         which writes, counts and samples them
 *   data_table.c     CSV, TSV, JSON Lines, Parquet       typed and written through DuckDB
 * (data_sql.c), described by data_profile.c Every reader ends by filling im->manifest and
 * im->result. Whatever a file can lie about is compared with a limit below before memory or disk is
 * given to it. */
#ifndef SLIPWAY_RUNNERS_DATA_H
#define SLIPWAY_RUNNERS_DATA_H

#include "runners/event.h"
#include "runners/runner.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DATA_ROWS_MAX = 20 * 1000 * 1000,
    DATA_COLUMNS_MAX = 10 * 1000,
    DATA_CLASSES_MAX = 10 * 1000,
    DATA_NAME_BYTES = 250, /* of a column or class name */
    DATA_SIDE_MAX = 256,   /* pixels of a side in the data set */
    DATA_SAMPLES = 100,    /* rows or pictures shown */
    DATA_TOP_VALUES = 20,  /* most frequent values listed of a column */
    DATA_RATIO_MAX = 100,  /* unpacked : packed, once DATA_RATIO_FROM came out */
    DATA_RATIO_FROM = 10 * 1024 * 1024,
};

#define DATA_UNPACKED_MAX ((int64_t)2 << 30) /* bytes out of one archive or gzip file */
#define DATA_TENSOR_MAX ((int64_t)2 << 30)   /* bytes of data.safetensors */

#define DATA_TENSORS "outputs/data.safetensors"
#define DATA_SPRITE "outputs/samples.png"

enum data_format {
    FORMAT_AUTO,
    FORMAT_IDX,
    FORMAT_IMAGES,
    FORMAT_CSV,
    FORMAT_TSV,
    FORMAT_JSONL,
    FORMAT_PARQUET
};

enum { SPLIT_TRAIN, SPLIT_VALIDATION, SPLIT_TEST, SPLIT_COUNT, SPLIT_FREE = SPLIT_COUNT };

struct split_spec {
    double share[SPLIT_COUNT]; /* each >= 0, together 1, train above 0 */
    uint64_t seed;
    bool stratify;
};

struct import {
    struct runner *rn;
    enum data_format format;
    const char *target; /* column name; NULL when the spec has none */
    struct split_spec split;
    double started_s;
    json_t *notes;    /* sentences for the user */
    json_t *manifest; /* becomes outputs/manifest.json */
    json_t *result;   /* becomes outputs/result.json */
};

/* The body of the runner. On anything but success outputs/ is left without data files. */
MUST_USE enum run data_import(struct runner *rn);

/* Progress with the time left, guessed from the time passed; RUN_CANCELLED after SIGTERM. */
MUST_USE enum run import_progress(struct import *im, double fraction, const char *message);

/* Adds a sentence to the notes. */
void import_note(struct import *im, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Refuses naming the input, and the place when it is not NULL. */
MUST_USE enum run refuse_input(struct import *im, enum refusal code, const struct runner_input *in,
                               const char *place, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* Refuses once bytes_out came from packed bytes in and the limits above are passed. */
MUST_USE enum run import_check_ratio(struct import *im, const struct runner_input *in,
                                     int64_t bytes_out);

/* ---- split ------------------------------------------------------------------------------------
 */

extern const char *const SPLIT_NAMES[SPLIT_COUNT];

/* Reads the member "split" of the spec; absent ones get 80:10:10, seed 42, stratified. */
MUST_USE enum run split_read(struct runner *rn, struct split_spec *ret);
json_t *split_to_json(const struct split_spec *spec);

/* Gives every row that is SPLIT_FREE its split. Rows that already have one keep it; a split that
 * has such rows gets no free ones. classes (−1 = none) may be NULL; equal arguments give equal
 * splits. */
MUST_USE enum run split_assign(struct runner *rn, const struct split_spec *spec,
                               const int32_t *classes, size_t rows, uint8_t *split);

/* {"train":n,"validation":n,"test":n} */
json_t *split_counts(const uint8_t *split, size_t rows);

/* ---- readers ----------------------------------------------------------------------------------
 */

MUST_USE enum run idx_import(struct import *im);
MUST_USE enum run folders_import(struct import *im);
MUST_USE enum run table_import(struct import *im);

#endif
