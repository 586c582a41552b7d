/* What the files of this folder share. */
#pragma once

#include "datasets/datasets.h"
#include "training/training.h"

struct layer_report {
    int64_t index;
    const char *type;
    json_t *output; /* shape of one sample */
    int64_t parameters;
};

struct spec_report {
    struct list layers; /* of struct layer_report */
    int64_t parameters, steps_per_epoch, steps;
};

/* A network to start from, filled in for a dataset version. */
struct template {
    const char *id, *title, *description, *kind;
    json_t *spec;
};

extern const struct shape SPEC_REPORT_SHAPE;
extern const struct shape TEMPLATE_SHAPE;

/* Checks a train spec against a ready version; ERR_UNPROCESSABLE names the member of "spec". */
MUST_USE enum err training_check(struct ctx *cx, const struct dataset_version *version,
                                 json_t *spec, struct spec_report *ret);
/* The templates that fit a ready version, as a list of struct template. */
MUST_USE enum err training_templates(struct ctx *cx, const struct dataset_version *version,
                                     struct list *ret);
struct training_options {
    const char *project_id;
    const char *name;       /* NULL = the data set's */
    const char *experiment; /* NULL = "Default" */
    json_t *spec;
};
/* Creates the run and queues its job in the ctx's transaction. */
MUST_USE enum err training_start(struct ctx *cx, const struct dataset_version *version,
                                 const struct training_options *options, const char **ret_run_id);
