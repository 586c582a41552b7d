/* Training: templates, the check of a spec against a dataset version, and the job that trains.
 *
 * Owns no tables: a training job's record is its run (tracking/) and its job (jobs/). */
#pragma once

#include "ctx.h"
#include "http/http.h"
#include "jobs/jobs.h"

extern const struct route TRAINING_ROUTES[];
extern const size_t TRAINING_ROUTE_COUNT;
extern const struct job_kind TRAINING_JOBS[];
extern const size_t TRAINING_JOB_COUNT;
