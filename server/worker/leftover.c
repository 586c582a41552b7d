/* See leftover.h. A lost or unreadable note costs nothing but the 20 seconds. */

#include "worker/leftover.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "worker/jobdir.h"

#include <dirent.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

static const char SUFFIX[] = ".lease";

static void note_path(const struct worker *w, const char *job_id, char ret[WORKER_PATH_MAX]) {
    snprintf(ret, WORKER_PATH_MAX, "%s/jobs/%s%s", w->options.work_dir, job_id, SUFFIX);
}

void leftover_note(const struct worker *w, const char *job_id, int64_t epoch) {
    char path[WORKER_PATH_MAX];
    note_path(w, job_id, path);
    auto_file *file = fopen(path, "we");
    if (file)
        fprintf(file, "%" PRId64 "\n", epoch);
}

void leftover_forget(const struct worker *w, const char *job_id) {
    char path[WORKER_PATH_MAX];
    note_path(w, job_id, path);
    unlink(path);
}

static void collect_one(const struct worker *w, const char *name, json_t *left) {
    char id[UUID_TEXT_SIZE], path[WORKER_PATH_MAX];
    if (strlen(name) != UUID_TEXT_SIZE - 1 + sizeof(SUFFIX) - 1)
        return;
    snprintf(id, sizeof(id), "%.36s", name);
    note_path(w, id, path);
    auto_file *file = uuid_is_valid(id) ? fopen(path, "re") : NULL;
    int64_t epoch = 0;
    if (file && fscanf(file, "%" SCNd64, &epoch) == 1)
        json_object_set_new(left, id, json_integer(epoch));
}

json_t *leftover_collect(const struct worker *w) {
    json_t *left = json_object();
    struct jobdir jobs;
    snprintf(jobs.path, sizeof(jobs.path), "%.1000s/jobs", w->options.work_dir);
    DIR *dir = opendir(jobs.path);
    for (struct dirent *e; dir && (e = readdir(dir));)
        collect_one(w, e->d_name, left);
    if (dir)
        closedir(dir);
    jobdir_remove(&jobs);
    mkdir(jobs.path, 0700);
    return left;
}

void leftover_report(const struct worker *w, struct api *api, const json_t *left) {
    const char *id;
    json_t *epoch;
    json_object_foreach((json_t *)left, id, epoch) {
        auto_json *body = json_pack(
            "{s:s,s:O,s:s,s:b,s:{s:s,s:s,s:n,s:n,s:n}}", "worker_id", w->id, "epoch", epoch,
            "outcome", "failed", "retryable", 1, "error", "code", "worker_lost", "message",
            "the worker ended while it ran this job", "field", "file", "place");
        char url[128];
        snprintf(url, sizeof(url), "/api/v1/worker/jobs/%s/finish", id);
        struct api_reply reply;
        api_call(api, "POST", url, body, true, &reply);
        log_event(LOG_WARNING, "job.left_over", LOG_T("job", id), LOG_N("status", reply.status));
        api_reply_done(&reply);
    }
}
