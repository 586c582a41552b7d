/* Serving: an endpoint for each model version that someone asked to predict.
 *
 * The first request queues a resident "predict" job and waits for it, without a transaction, until
 * its runner says it is ready. Requests then go, untouched, to the runner's Unix socket
 * <serve_dir>/<job id>.sock: slipwayd parses no inference body. Counters live in memory and are
 * added to the endpoint's row every few seconds; an endpoint unused for ten minutes is stopped.
 *
 *     stopped | failed -> starting (a request) -> ready (the runner) -> starting (the runner is
 * lost) any -> stopped (asked, or idle) | failed (the job failed for good) */
#pragma once

#include "ctx.h"
#include "http/http.h"
#include "jobs/jobs.h"

/* Process memory. serve_dir is where workers on this machine put the sockets. */
struct serving *serving_new(const char *serve_dir);
void serving_free(struct serving *serving);
/* The thread that writes counters and stops idle endpoints; serving_stop() joins it. */
MUST_USE enum err serving_start(struct app *app, struct err_info *err);
void serving_stop(struct serving *serving);

extern const struct route SERVING_ROUTES[];
extern const size_t SERVING_ROUTE_COUNT;
extern const struct job_kind SERVING_JOBS[];
extern const size_t SERVING_JOB_COUNT;
