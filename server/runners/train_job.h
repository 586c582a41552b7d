/* train_job.h: one training from spec to best weights, and what is written about it. */
#pragma once

#include "runners/train_data.h"

struct train_job {
    struct train_spec spec;
    struct train_data data;
    struct model model; /* checked, with every "out" a number */
    tsh_ctx *ctx;
    tsh_net *net;
    tsh_data *splits[SPLIT_COUNT]; /* NULL where a split is empty */
    tsh_job *job;
    tsh_progress progress; /* the last */
    double seconds;        /* spent training in this attempt */
    int64_t samples;       /* trained on in this attempt */
};

#define auto_train_job __attribute__((cleanup(train_job_done)))

/* Reads the spec and the data, builds net and job, resumes from "checkpoint/last" if it is there.
 */
MUST_USE enum run train_job_open(struct runner *rn, struct train_job *ret);
void train_job_done(struct train_job *tj);

/* Trains to the end, emitting progress, metrics and checkpoints; then takes the best weights. */
MUST_USE enum run train_job_run(struct runner *rn, struct train_job *tj);

/* Evaluates and writes model.json, model.safetensors, evaluation.json and result.json. */
MUST_USE enum run train_report_write(struct runner *rn, struct train_job *tj);
