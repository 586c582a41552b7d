/* The directory a runner works in: job.json and inputs/ (read-only to it), outputs/ (its own). */
#pragma once

#include "worker/api.h"
#include "worker/worker.h"

struct jobdir {
    char path[WORKER_PATH_MAX]; /* work_dir/jobs/<job id> */
};

/* Makes the directory afresh and fetches the lease's inputs into it. */
MUST_USE enum err jobdir_prepare(const struct worker *w, struct api *api, json_t *lease,
                                 struct jobdir *ret, struct err_info *err);
void jobdir_remove(const struct jobdir *dir);

/* A file beneath outputs/ by the path a runner gave ("outputs/x"); never follows a link, never
 * leaves the directory, only regular files. -1 with errno otherwise. */
int jobdir_open_output(const struct jobdir *dir, const char *path, int64_t *ret_size);

/* outputs/<name>, a JSON object of at most max bytes; NULL when absent or not one. New reference.
 */
json_t *jobdir_read_json(const struct jobdir *dir, const char *name, size_t max);
