/* One attempt at one job, and what its three threads share. Private to run.c and relay.c. */
#pragma once

#include "worker/api.h"
#include "worker/jobdir.h"
#include "worker/sandbox.h"
#include "worker/spool.h"
#include "worker/worker.h"

struct run {
    struct worker *worker;
    json_t *lease; /* borrowed */
    char id[UUID_TEXT_SIZE];
    int64_t epoch;
    struct api *api; /* the job thread's */
    struct jobdir dir;
    struct spool spool;
    struct sandbox_child child;
    int64_t memory_bytes; /* the runner is killed above it */
    int64_t wall_seconds; /* likewise; 0 = none */
    atomic_bool cancel;   /* the server asks to stop */
    atomic_bool lost;     /* the lease is another's: drop everything */
    atomic_bool finished; /* the heartbeat may end */
    atomic_bool refused;  /* the server refused an event: the runner is ended */
    bool over_memory, over_time, bad_events;
    char bad_event[256]; /* why */
};

/* relay.c: reads the runner's pipes until it has ended, enforcing its limits; then reaps it. */
struct run_pipes {
    int events, out, error;
};
int relay_read(struct run *run, struct run_pipes *pipes); /* the wait status */

/* relay.c: thread body of the sender; returns when the spool is closed and sent, or lost. */
void *relay_send(void *run);

/* relay.c: thread body of the heartbeat. */
void *relay_heartbeat(void *run);

/* Uploads a file beneath outputs/ as a blob; fills hash and size. Tries until it is lost or told
 * that it can't be. */
MUST_USE enum err run_upload(struct run *run, struct api *api, const char *path,
                             char ret_sha256[65], int64_t *ret_size, struct err_info *err);
