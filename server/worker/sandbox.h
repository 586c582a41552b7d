/* What stands between a runner and the machine.
 *
 * Two walls are tried at start, the better one is used for every job, and what is in force is
 * logged and sent to the server:
 *   bubblewrap  own user, mount, pid, net, ipc and uts namespaces: sees /usr, the runners, its job
 *               directory and nothing else;
 *   landlock    where namespaces are forbidden: the same directories by Landlock, network by
 * seccomp. Both add: no new privileges, a seccomp filter (no sockets, mounts, tracing, keys, kernel
 * interfaces), resource limits, its own session, and death together with the worker. */
#pragma once

#include "worker/worker.h"

struct sandbox;

/* How one runner is to be started. Paths are absolute; listen_fd -1 = none. */
struct sandbox_job {
    const char *program; /* in runner_dir */
    const char *dir;     /* job directory: job.json and inputs/ read-only, outputs/ writable */
    int events_fd;
    int listen_fd;
    int stdout_fd, stderr_fd;
    int threads;
    int first_cpu; /* of the threads granted; -1 = do not pin */
    int64_t memory_bytes;
    int64_t wall_seconds; /* 0 = none */
};

/* A running runner. */
struct sandbox_child {
    pid_t top;    /* the process to wait for: bubblewrap, or the runner itself */
    pid_t runner; /* the process to signal and to measure; 0 until it is known */
};

MUST_USE enum err sandbox_new(const struct worker_options *options, struct sandbox **ret,
                              struct err_info *err);
void sandbox_free(struct sandbox *s);
/* New reference: ["bubblewrap","seccomp",…], for the log and the server. */
json_t *sandbox_describe(const struct sandbox *s);

MUST_USE enum err sandbox_spawn(const struct sandbox *s, const struct sandbox_job *job,
                                struct sandbox_child *ret, struct err_info *err);
void sandbox_signal(const struct sandbox_child *child, int signal_number);
void sandbox_kill(const struct sandbox_child *child); /* the whole process group, at once */
