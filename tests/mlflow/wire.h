/* MLflow's calls in one line each, as an editor of our team; paths are below /api/2.0/mlflow/. */
#pragma once

#include "tests/support/domains.h"

/* The body of a call that succeeds: POST of JSON text, GET with its query. */
json_t *call(struct domains *d, const char *path, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
json_t *look(struct domains *d, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The message of a refusal with this status and error code. */
const char *refused(struct domains *d, int status, const char *code, const char *path,
                    const char *format, ...) __attribute__((format(printf, 5, 6)));
const char *look_refused(struct domains *d, int status, const char *code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Ids as MLflow has them; they live in the arena. */
const char *experiment_made(struct domains *d, const char *name);
const char *run_opened(struct domains *d, const char *experiment_id, const char *name);

/* "key=value" of a run's parameters, tags or metrics; NULL when there is none. */
const char *logged(struct domains *d, const char *run_id, const char *kind, const char *key);

#define INVALID "INVALID_PARAMETER_VALUE"
#define MISSING "RESOURCE_DOES_NOT_EXIST"
