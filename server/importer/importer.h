/* slipway-import: brings what another tracker has into a project of Slipway.
 *
 * It is a client, not a part of the server: it speaks MLflow's protocol to Slipway with an API
 * token, so walls, quotas and limits hold for it as for everybody, and it can run beside the data.
 *
 * A source hands out experiments, runs, points, files and models in the JSON of MLflow's REST API,
 * whatever it keeps them in. What was brought over carries a tag with its name in the source, and a
 * run that is whole a second one: importing again looks for these tags, goes on where it stopped
 * and doubles nothing (points and files are the same when they come again). What cannot come along
 * is written down, never dropped silently. */
#pragma once

#include "base/err.h"

#include <jansson.h>
#include <stdint.h>
#include <stdio.h>

struct remote;

/* Tags of what was brought over. */
#define TAG_SOURCE "slipway.import.source" /* "mlruns:/home/…", "https://…" */
#define TAG_ID "slipway.import.id"         /* the run's, logged model's or version's there */
#define TAG_DONE "slipway.import.done"     /* the run's end there, once everything has come */

struct import_counts {
    int64_t experiments, runs, runs_kept, points, files, bytes, logged_models, models, versions,
        versions_kept;
};

struct importer {
    struct remote *target;
    const char *prefix; /* "/p/<project>" */
    const char *label;  /* value of TAG_SOURCE */
    FILE *progress;     /* a line at a time; NULL = quiet */
    json_t *runs;       /* id there → {"id": here, "experiment": number here} */
    json_t *models;     /* logged model there → the same */
    json_t *left;       /* sentences: what did not come along */
    struct import_counts counts;
};

/* Callbacks return OK to go on. JSON is the caller's and lives as long as the call. */
typedef enum err json_fn(void *arg, json_t *item, struct err_info *err);
typedef enum err file_fn(void *arg, const char *path, FILE *content, int64_t size,
                         struct err_info *err);

struct source {
    void *self;
    /* MLflow's Experiment, archived ones too. */
    enum err (*experiments)(void *self, json_fn *fn, void *arg, struct err_info *err);
    /* MLflow's Run, oldest first. */
    enum err (*runs)(void *self, const char *experiment_id, json_fn *fn, void *arg,
                     struct err_info *err);
    /* Arrays of at most 1,000 of MLflow's Metric. */
    enum err (*points)(void *self, json_t *run, json_fn *fn, void *arg, struct err_info *err);
    /* MLflow's LoggedModel; NULL = the source knows none. */
    enum err (*logged_models)(void *self, const char *experiment_id, json_fn *fn, void *arg,
                              struct err_info *err);
    /* The files of a run ("info.run_id") or of a logged model ("info.model_id"). What cannot be
     * read is told through left_out() by the source itself. */
    enum err (*files)(void *self, json_t *owner, file_fn *fn, void *arg, struct err_info *err);
    /* MLflow's RegisteredModel with its ModelVersions, oldest first, in "versions"; may be NULL. */
    enum err (*models_of_registry)(void *self, json_fn *fn, void *arg, struct err_info *err);
    void (*free)(void *self);
};

MUST_USE enum err import_all(struct importer *im, const struct source *source,
                             struct err_info *err);
void left_out(struct importer *im, const char *format, ...) __attribute__((format(printf, 2, 3)));
void import_progress(struct importer *im, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- sources; each checks that there is something to read */

MUST_USE enum err source_mlruns(struct importer *im, const char *directory, struct source *ret,
                                struct err_info *err);
MUST_USE enum err source_mlflow(struct importer *im, struct remote *remote, struct source *ret,
                                struct err_info *err);
/* A run for each directory with event files, all in one experiment of this name. */
MUST_USE enum err source_tensorboard(struct importer *im, const char *directory,
                                     const char *experiment, struct source *ret,
                                     struct err_info *err);
/* Points on their way to a json_fn, 1,000 at a time; the owner of `points` releases it. */
struct point_batch {
    json_t *points;
    json_fn *fn;
    void *arg;
};
MUST_USE enum err point_add(struct point_batch *batch, const char *key, double value, int64_t at_ms,
                            int64_t step, struct err_info *err);
MUST_USE enum err point_flush(struct point_batch *batch, struct err_info *err);

/* Reads text members as MLflow's JSON has them; "" when absent. */
const char *text_of(const json_t *object, const char *member);
int64_t int_of(const json_t *object, const char *member); /* numbers, or digits as text */
/* {"key": k, "value": v}, appended to the array. */
void add_pair(json_t *array, const char *key, const char *value);
/* The value of a key in an array of pairs; NULL when absent. */
const char *pair_of(const json_t *array, const char *key);
