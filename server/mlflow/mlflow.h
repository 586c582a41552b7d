/* MLflow's surface: its wire form (paths, messages, errors, ids) over the domains. It owns no
 * table.
 *
 * A file of this folder is field tables of messages, handlers, and a route table at the bottom:
 *
 *     {POST, "/api/2.0/mlflow/runs/create", SCOPE_RUN_INGEST, .body = &RUN_CREATE,
 *      .handle = post_create, .flags = ROUTE_MLFLOW, .doc = "…"}
 *
 * - Routes are declared once, with /api and without a project; http/surface.c leads /ajax-api and
 *   /p/{slug} there. A POST takes its message as .body, a GET as .query: struct shapes whose
 *   members are decoded by MLflow's rules (http/message.c): FIELD_REQUIRED is checked with MLflow's
 *   words, limits and patterns are not; an absent INT or ENUM that is FIELD_NULLABLE is
 *   FIELD_NO_INT or FIELD_NO_ENUM, other absent members are zero. Path parameters by req_param().
 * - Failures: mlflow_fail() with MLflow's error code, or whatever a domain said: INVALID and
 *   UNPROCESSABLE become INVALID_PARAMETER_VALUE, NOT_FOUND RESOURCE_DOES_NOT_EXIST, CONFLICT
 *   RESOURCE_CONFLICT (409). An object of another project does not exist, with the same words.
 * - Replies: mlflow_json(), jw_… of base/jsonwrite.h, mlflow_send(). A handler that sends nothing
 *   answers {}. */
#pragma once

#include "base/jsonwrite.h"
#include "ctx.h"
#include "http/http.h"

/* --- failures --- */

#define MLFLOW_ERROR_TABLE(X)                                                                      \
    X(MLFLOW_INVALID_PARAMETER_VALUE, "INVALID_PARAMETER_VALUE", ERR_INVALID, 0)                   \
    X(MLFLOW_BAD_REQUEST, "BAD_REQUEST", ERR_INVALID, 0)                                           \
    X(MLFLOW_RESOURCE_ALREADY_EXISTS, "RESOURCE_ALREADY_EXISTS", ERR_INVALID, 0)                   \
    X(MLFLOW_RESOURCE_DOES_NOT_EXIST, "RESOURCE_DOES_NOT_EXIST", ERR_NOT_FOUND, 0)                 \
    X(MLFLOW_NOT_FOUND, "NOT_FOUND", ERR_NOT_FOUND, 0)                                             \
    X(MLFLOW_PERMISSION_DENIED, "PERMISSION_DENIED", ERR_FORBIDDEN, 0)                             \
    X(MLFLOW_RESOURCE_CONFLICT, "RESOURCE_CONFLICT", ERR_CONFLICT, 0)                              \
    X(MLFLOW_INVALID_STATE, "INVALID_STATE", ERR_INVALID,                                          \
      0) /* 500 there: it is no fault of ours */                                                   \
    X(MLFLOW_NOT_IMPLEMENTED, "NOT_IMPLEMENTED", ERR_INVALID, 501)

enum mlflow_error {
#define X(symbol, name, err, status) symbol,
    MLFLOW_ERROR_TABLE(X)
#undef X
};

/* Like fail(): return mlflow_fail(cx, MLFLOW_RESOURCE_DOES_NOT_EXIST, "Run with id=%s …", id); */
enum err mlflow_fail(struct ctx *cx, enum mlflow_error error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* --- whose --- */

struct mlflow; /* what is remembered for a few seconds: names of projects and experiments */
struct mlflow *mlflow_new(void);
void mlflow_free(struct mlflow *mlflow);

/* The project of the request: the prefix /p/{slug}, else the team's project "default", else its
 * oldest. Usually without asking the database; the statements that follow name it, and the wall
 * around hidden projects still stands. */
MUST_USE enum err mlflow_project(struct ctx *cx, const struct req *rq, const char **ret_id);

/* --- ids --- */

/* 32 hex digits in lower case ↔ the UUID. NULL for a text that is no run id: then the run "was not
 * found". */
const char *mlflow_run_uuid(struct ctx *cx, const char *run_id);
const char *mlflow_run_id(struct ctx *cx, const char *uuid);
/* "m-" and 32 hex digits ↔ the UUID. */
const char *mlflow_model_uuid(struct ctx *cx, const char *model_id);
const char *mlflow_model_id(struct ctx *cx, const char *uuid);
#define MLFLOW_FOREIGN_RUN_MAX 256 /* characters kept of another server's run id */
/* An experiment's decimal number; -1 for a text that is none. */
int64_t mlflow_experiment_number(const char *experiment_id);
MUST_USE enum err mlflow_fail_run(struct ctx *cx, const char *run_id);
MUST_USE enum err mlflow_fail_experiment(struct ctx *cx, const char *experiment_id);

/* Where the files of an experiment, a run, a logged model are said to be. location NULL = the
 * default "mlflow-artifacts:/{number}". */
const char *mlflow_experiment_uri(struct ctx *cx, const char *location, int64_t number);
const char *mlflow_run_uri(struct ctx *cx, const char *location, int64_t number,
                           const char *run_uuid);
const char *mlflow_model_uri(struct ctx *cx, const char *location, int64_t number,
                             const char *model_uuid);

/* Milliseconds on the wire, microseconds within. */
static inline int64_t mlflow_ms(int64_t at_us) {
    return at_us / 1000;
}

/* --- limits, in characters --- */

size_t mlflow_length(const char *text);
/* The first limit characters. */
const char *mlflow_cut(struct ctx *cx, const char *text, size_t limit);
/* "'{path}' exceeds the maximum length of {limit} characters" */
MUST_USE enum err mlflow_check_length(struct ctx *cx, const char *path, const char *text,
                                      size_t limit);
/* Names of metrics, parameters and tags: permitted characters, and no other name as a path. */
MUST_USE enum err mlflow_check_name(struct ctx *cx, const char *path, const char *name);
bool mlflow_name_is_good(struct ctx *cx, const char *name); /* the same without a sentence */

struct mlflow_tag {          /* of runs, experiments, models …: [{"key": …, "value": …}] */
    const char *key, *value; /* value NULL = not given */
};
extern const struct shape MLFLOW_TAG;

/* --- replies --- */

struct json_writer *mlflow_json(struct ctx *cx);
void mlflow_send(struct reply *rp, const struct json_writer *w);

/* --- tables --- */

extern const struct route MLFLOW_ROUTES[]; /* health, version, server-info */
extern const size_t MLFLOW_ROUTE_COUNT;
extern const struct route MLFLOW_EXPERIMENT_ROUTES[];
extern const size_t MLFLOW_EXPERIMENT_ROUTE_COUNT;
extern const struct route MLFLOW_RUN_ROUTES[];
extern const size_t MLFLOW_RUN_ROUTE_COUNT;
extern const struct route MLFLOW_INPUT_ROUTES[]; /* what runs read and made */
extern const size_t MLFLOW_INPUT_ROUTE_COUNT;
extern const struct route MLFLOW_METRIC_ROUTES[]; /* log-metric, log-batch, histories */
extern const size_t MLFLOW_METRIC_ROUTE_COUNT;
extern const struct route MLFLOW_ARTIFACT_ROUTES[];
extern const size_t MLFLOW_ARTIFACT_ROUTE_COUNT;
extern const struct route MLFLOW_MULTIPART_ROUTES[];
extern const size_t MLFLOW_MULTIPART_ROUTE_COUNT;
extern const struct route MLFLOW_LOGGED_MODEL_ROUTES[];
extern const size_t MLFLOW_LOGGED_MODEL_ROUTE_COUNT;
extern const struct route MLFLOW_SEARCH_ROUTES[];
extern const size_t MLFLOW_SEARCH_ROUTE_COUNT;
extern const struct route MLFLOW_MODEL_ROUTES[]; /* registered models */
extern const size_t MLFLOW_MODEL_ROUTE_COUNT;
extern const struct route MLFLOW_VERSION_ROUTES[];
extern const size_t MLFLOW_VERSION_ROUTE_COUNT;
extern const struct route MLFLOW_WEBHOOK_ROUTES[];
extern const size_t MLFLOW_WEBHOOK_ROUTE_COUNT;
extern const struct route MLFLOW_TRACE_ROUTES[];
extern const size_t MLFLOW_TRACE_ROUTE_COUNT;
extern const struct route MLFLOW_EVALUATION_ROUTES[]; /* evaluation datasets */
extern const size_t MLFLOW_EVALUATION_ROUTE_COUNT;
extern const struct route MLFLOW_ISSUE_ROUTES[];
extern const size_t MLFLOW_ISSUE_ROUTE_COUNT;
extern const struct route MLFLOW_OLD_TRACE_ROUTES[]; /* traces as clients before 3 know them */
extern const size_t MLFLOW_OLD_TRACE_ROUTE_COUNT;
