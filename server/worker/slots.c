/* Slots: how many jobs run at once, and the pollers that fill them.
 *
 * Ordinary jobs and resident predict jobs have separate slots, so that a model being served never
 * keeps a training job waiting. A poller asks for a lease only when a slot of its group is free;
 * the server holds the question up to 20 s when there is no work. */

#include "worker/api.h"
#include "worker/worker.h"

#include "base/cleanup.h"
#include "base/log.h"

#include <string.h>
#include <time.h>

struct group {
    struct worker *worker;
    const char *kinds[4]; /* NULL-terminated */
    int64_t capacity;
    int64_t busy;
    pthread_mutex_t lock;
    pthread_cond_t freed;
};

struct slot_job {
    struct group *group;
    json_t *lease; /* owned */
};

static void *slot_thread(void *arg) {
    struct slot_job *job = arg;
    struct group *group = job->group;
    run_job(group->worker, job->lease);
    json_decref(job->lease);
    free(job);
    scope_lock(&group->lock);
    group->busy--;
    pthread_cond_broadcast(&group->freed);
    return NULL;
}

static void start_job(struct group *group, json_t *lease) {
    struct slot_job *job = malloc(sizeof(*job));
    pthread_t thread;
    if (!job)
        abort();
    *job = (struct slot_job){group, json_incref(lease)};
    {
        scope_lock(&group->lock);
        group->busy++;
    }
    if (pthread_create(&thread, NULL, slot_thread, job) != 0)
        abort();
    pthread_detach(thread);
}

static void wait_for_slot(struct group *group) {
    scope_lock(&group->lock);
    while (group->busy >= group->capacity)
        pthread_cond_wait(&group->freed, &group->lock);
}

static void wait_for_end(struct group *group) {
    scope_lock(&group->lock);
    while (group->busy > 0)
        pthread_cond_wait(&group->freed, &group->lock);
}

/* Back-off while the server is away; short steps, so that a stop is not delayed. */
static void back_off(struct worker *w, int *wait_ms, const struct api_reply *reply) {
    if (*wait_ms >= 4000 || *wait_ms == 250)
        log_event(LOG_WARNING, "lease.failed", LOG_N("status", reply->status),
                  LOG_T("message", reply->message));
    for (int slept = 0; slept < *wait_ms && !atomic_load(&w->stopping); slept += 50)
        nanosleep(&(struct timespec){.tv_nsec = 50 * 1000000L}, NULL);
    *wait_ms = *wait_ms < 5000 ? *wait_ms * 2 : 5000;
}

static json_t *kinds_json(const struct group *group) {
    json_t *kinds = json_array();
    for (int i = 0; group->kinds[i]; i++)
        json_array_append_new(kinds, json_string(group->kinds[i]));
    return kinds;
}

static void *poll_group(void *arg) {
    struct group *group = arg;
    struct worker *w = group->worker;
    struct api *api = api_new(w);
    auto_json *body = json_pack("{s:s,s:o,s:i}", "worker_id", w->id, "kinds", kinds_json(group),
                                "wait_seconds", 20);
    int wait_ms = 250;
    while (!atomic_load(&w->stopping)) {
        wait_for_slot(group);
        struct api_reply reply;
        api_call(api, "POST", "/api/v1/worker/leases", body, true, &reply);
        json_t *lease = json_object_get(reply.json, "job");
        if (reply.status == 200 && json_is_object(lease))
            start_job(group, lease);
        if (reply.status == 200 || reply.status == 204)
            wait_ms = 250;
        else
            back_off(w, &wait_ms, &reply);
        api_reply_done(&reply);
    }
    wait_for_end(group);
    api_free(api);
    return NULL;
}

static void group_start(struct group *group, pthread_t *ret) {
    pthread_mutex_init(&group->lock, NULL);
    pthread_cond_init(&group->freed, NULL);
    if (pthread_create(ret, NULL, poll_group, group) != 0)
        abort();
}

void slots_run(struct worker *w) {
    struct group groups[] = {
        {.worker = w, .kinds = {"dataset.import", "train"}, .capacity = w->options.slots},
        {.worker = w, .kinds = {"predict"}, .capacity = w->options.predict_slots}};
    pthread_t pollers[2];
    for (int i = 0; i < 2; i++)
        group_start(&groups[i], &pollers[i]);
    for (int i = 0; i < 2; i++)
        pthread_join(pollers[i], NULL);
}
