/* slipway-worker's options: file, SLIPWAY_WORKER_<NAME>, --name. */

#include "worker/worker.h"

#include "config/option.h"

#include <unistd.h>

static const struct option WORKER_OPTIONS[] = {
    OPTION(TEXT, struct worker_options, server, .fallback = "https://127.0.0.1:8443",
           .doc = "the server's address"),
    OPTION(TEXT, struct worker_options, ca_file,
           .doc = "certificate the server's is checked with; empty = the system's authorities"),
    OPTION(TEXT, struct worker_options, token_file, .flags = OPTION_REQUIRED,
           .doc = "file with the worker token, mode 0600"),
    OPTION(TEXT, struct worker_options, name, .doc = "shown to people; empty = the host's name"),
    OPTION(TEXT, struct worker_options, work_dir, .flags = OPTION_REQUIRED,
           .doc = "directory of running jobs, the worker's alone"),
    OPTION(TEXT, struct worker_options, serve_dir, .flags = OPTION_REQUIRED,
           .doc = "directory of the sockets over which slipwayd reaches predict runners"),
    OPTION(TEXT, struct worker_options, runner_dir, .flags = OPTION_REQUIRED,
           .doc = "directory of the slipway-run-… programs"),
    OPTION(TEXT, struct worker_options, runner_paths,
           .doc = "further directories runners may read, ':' between them"),
    OPTION(TEXT, struct worker_options, sandbox, .fallback = "auto",
           .choices = "auto|strict|landlock|off",
           .doc = "auto = the best this machine gives; strict = bubblewrap or nothing"),
    OPTION(TEXT, struct worker_options, log_level, .fallback = "info",
           .choices = "debug|info|warning|error", .doc = "least level that is logged"),
    OPTION(INT, struct worker_options, slots, .fallback = "1", .min = 1, .max = 256,
           .doc = "imports and training jobs at once"),
    OPTION(INT, struct worker_options, predict_slots, .fallback = "4", .max = 256,
           .doc = "models served at once"),
    OPTION(INT, struct worker_options, threads, .fallback = "0", .max = 1024,
           .doc = "processor threads of one job; 0 = all"),
    OPTION(BYTES, struct worker_options, memory_bytes, .fallback = "0",
           .doc = "memory of one job; 0 = three quarters of the machine's"),
};

enum err worker_options_load(int argc, char **argv, struct worker_options *ret,
                             struct err_info *err) {
    static struct arena *arena; /* process lifetime: the texts below live in it */
    arena = arena_new();
    const struct option_set set = {WORKER_OPTIONS,
                                   sizeof(WORKER_OPTIONS) / sizeof(WORKER_OPTIONS[0]), ret};
    struct option_input input = {
        .env_prefix = "SLIPWAY_WORKER_", .argc = argc - 1, .argv = argv + 1};
    TRY(options_load(arena, &set, 1, &input, err));
    if (!ret->name) {
        char *host = arena_alloc(arena, 256);
        ret->name = gethostname(host, 255) == 0 ? host : "worker";
    }
    return OK;
}
