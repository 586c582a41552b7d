/* A predict runner without a model: it waits for the job that a request queues, listens where
 * slipwayd looks for it, says that it is ready, and answers frames with what it was sent. */
#pragma once

#include "tests/support/domains.h"

#include <pthread.h>
#include <stdatomic.h>

struct fake_runner {
    struct domains *d;
    const char *model; /* its jobs are named after it */
    pthread_t thread;
    pthread_t serving[64]; /* one a connection */
    int listener;
    atomic_bool hangs_up; /* after each answer */
    atomic_bool ends;
    atomic_int connections; /* ever accepted */
    char job_id[ID_SIZE];
    char path[160];
};

/* Starts the thread that waits for the job. A body that begins with "refuse" is answered with 400
 * and an error, "die" with nothing, everything else with JSON of what the frame said. */
void fake_runner_start(struct fake_runner *r, struct domains *d, const char *model);
/* Its socket is gone, as after a crash. */
void fake_runner_kill(struct fake_runner *r);
