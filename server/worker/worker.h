/* slipway-worker: leases jobs over HTTPS, runs each in a sandboxed runner, relays what it says.
 *
 * Threads. main() starts one poller per slot group (ordinary jobs, resident predict jobs); a poller
 * leases a job whenever a slot is free and starts a job thread. A job thread owns its `struct run`
 * and two helpers: the heartbeat, and the sender that ships spooled events. The runner's pipes are
 * read by the job thread alone, so a slow or absent server never stops the runner.
 *
 * Trust. The worker holds a worker token and nothing else; the runner is hostile: its events are
 * checked line by line (spool.h), its paths are opened beneath its own outputs directory. */
#pragma once

#include "base/err.h"
#include "base/ident.h"

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define WORKER_PATH_MAX 1024

/* From the option table in options.c; read-only after start. */
struct worker_options {
    const char *server;       /* https://host:port */
    const char *ca_file;      /* PEM; NULL = the system's authorities */
    const char *token_file;   /* 0600, holds slw_… */
    const char *name;         /* shown to people; default: the host's name */
    const char *work_dir;     /* job directories; 0700 */
    const char *serve_dir;    /* listening sockets of predict runners */
    const char *runner_dir;   /* slipway-run-data, slipway-run-train, slipway-run-predict */
    const char *runner_paths; /* further read-only directories runners need, ':' between them */
    const char *sandbox;      /* auto | strict | landlock | off */
    const char *log_level;
    int64_t slots;
    int64_t predict_slots;
    int64_t threads;      /* processor threads a job gets; 0 = all */
    int64_t memory_bytes; /* of one runner; 0 = three quarters of the machine's */
};

struct worker {
    struct worker_options options;
    char token[256];
    char id[UUID_TEXT_SIZE]; /* given by the server's hello */
    int threads;             /* granted to one job */
    int64_t memory_bytes;    /* granted to one job */
    struct sandbox *sandbox;
    json_t *capabilities; /* of the train runner's self-check; NULL when it has none */
    json_t *left_over;    /* jobs of a killed worker, reported after the hello */
    atomic_bool stopping; /* finish: no new leases, runners are asked to stop */
    atomic_bool killing;  /* second signal: now */
};

MUST_USE enum err worker_options_load(int argc, char **argv, struct worker_options *ret,
                                      struct err_info *err);

/* Runs one leased job to its end, on the calling thread. lease is the reply's "job" (borrowed). */
void run_job(struct worker *w, json_t *lease);

/* Starts both pollers and blocks until worker.stopping and every job has ended. */
void slots_run(struct worker *w);
