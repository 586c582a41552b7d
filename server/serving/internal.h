/* What the files of this folder share. */
#pragma once

#include "registry/registry.h"
#include "serving/connections.h"
#include "serving/serving.h"
#include "serving/wire.h"

enum endpoint_state { ENDPOINT_STOPPED, ENDPOINT_STARTING, ENDPOINT_READY, ENDPOINT_FAILED };
extern const char *const ENDPOINT_STATE_NAMES[];

struct endpoint {
    const char *id, *model_version_id, *model_name;
    int64_t version;
    int state; /* enum endpoint_state */
    int64_t requests, errors, p50_us;
    int64_t started_at, last_used_at;
    const char *message;
    const char *job_id; /* never encoded: people see the job in the lineage */
};
extern const struct shape ENDPOINT_SHAPE;
extern const struct shape ENDPOINT_ROW_SHAPE; /* with job_id */

/* ---- endpoint.c: the rows and their states */

MUST_USE enum err endpoint_get(struct ctx *cx, const char *id, struct endpoint *ret);
/* Stops it if it is starting or ready. */
MUST_USE enum err endpoint_stop(struct ctx *cx, const char *id);

/* After a guarded update of the state: tells the graph. */
MUST_USE enum err endpoint_changed(struct ctx *cx, const char *id, enum endpoint_state state);

/* Starts the runner if need be and waits for it, at most 15 s and without a transaction.
 * ERR_UNAVAILABLE with Retry-After when it is not ready by then or could not start. */
MUST_USE enum err endpoint_reach(struct ctx *cx, const struct model_version *version,
                                 struct target *ret);

/* ---- serving.c */

/* One round of the thread: writes the counters, stops what was idle for idle_s seconds. */
void serving_round(struct app *app, unsigned sweep, int64_t idle_s);
struct connections *serving_connections(struct serving *serving);

/* ---- predict.c */

/* How a request names its model. */
struct model_ref {
    const char *version_id; /* of a model version; or NULL, then: */
    const char *name;
    int64_t version; /* 0 = the newest */
};
/* Sends the request's body to the model's runner and waits for the answer. */
MUST_USE enum err predict(struct ctx *cx, const struct req *rq, const struct model_ref *model,
                          struct wire_reply *ret);
