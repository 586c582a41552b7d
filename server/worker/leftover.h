/* Jobs of a worker that was killed. Their leases would run out by themselves in 20 seconds; a
 * worker that is started again on the same directory says at once that they ended, so that they go
 * on. */
#pragma once

#include "worker/api.h"
#include "worker/worker.h"

/* Keeps <job id>.lease, which holds the epoch, while the job runs. */
void leftover_note(const struct worker *w, const char *job_id, int64_t epoch);
void leftover_forget(const struct worker *w, const char *job_id);

/* At start, under the directory's lock: what a killed worker left; then empties jobs/. New
 * reference:
 * {"<job id>": epoch, …}. */
json_t *leftover_collect(const struct worker *w);
/* After the hello: each of them failed with its worker and may be tried again. */
void leftover_report(const struct worker *w, struct api *api, const json_t *left);
