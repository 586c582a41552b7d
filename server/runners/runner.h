/* runner.h: what every runner shares: reading its job, refusing, ending.
 *
 * A runner is a function from a directory to a directory. runner_main changes into the job
 * directory, reads job.json, calls the kind's body and turns its answer into the exit status and,
 * on a refusal, outputs/error.json. Bodies use relative paths only ("inputs/0", "outputs/x").
 *
 * Functions return enum run and are carried by TRY; a failure is described where it happens:
 *   refuse, refuse_at   the input or the spec is wrong; a retry cannot help       exit 2
 *   crash               the machine failed (disk, memory); a retry may help       exit 1
 *   RUN_CANCELLED       SIGTERM was seen                                          exit 3 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define MUST_USE __attribute__((warn_unused_result))

static inline void runner_free_pointer(void *at) {
    free(*(void **)at);
}

static inline void runner_close_fd(int *fd) {
    if (*fd >= 0)
        close(*fd);
}

#define auto_free __attribute__((cleanup(runner_free_pointer)))
#define auto_fd __attribute__((cleanup(runner_close_fd)))
#define auto_json json_auto_t

enum run { RUN_DONE = 0, RUN_CRASHED = 1, RUN_REFUSED = 2, RUN_CANCELLED = 3 };

#define TRY(call)                                                                                  \
    do {                                                                                           \
        enum run try_ = (call);                                                                    \
        if (try_ != RUN_DONE)                                                                      \
            return try_;                                                                           \
    } while (0)

enum refusal { REFUSE_INVALID_DATA, REFUSE_INVALID_SPEC, REFUSE_TOO_LARGE, REFUSE_UNSUPPORTED };

/* Where a refusal points; any member may be NULL. */
struct place {
    const char *field; /* of the spec: "model.layers[2]" */
    const char *file;  /* as the user named it */
    const char *place; /* "line 17", "byte 123", "member a/b.png" */
};

struct runner_input {
    const char *name;      /* "data.safetensors", "source-0" */
    const char *path;      /* relative to the job directory, checked */
    const char *file_name; /* what the user called it: text, never opened; "" when unknown */
    int64_t size_bytes;
};

enum { RUNNER_INPUTS_MAX = 64 };

/* Everything borrowed below belongs to job and lives as long as the runner. */
struct runner {
    json_t *job;
    const json_t *spec;
    struct runner_input inputs[RUNNER_INPUTS_MAX];
    size_t n_inputs;
    int attempt;
    int64_t memory_bytes; /* 0 = no limit */
    int threads;          /* at least 1 */
    json_t *refusal;      /* of the last refuse */
};

/* Runs body on the job directory argv[1] when the job's kind is this one; returns the exit status.
 */
int runner_main(int argc, char **argv, const char *kind, enum run (*body)(struct runner *));

/* The input of that name, NULL when the job has none. */
const struct runner_input *runner_input_find(const struct runner *rn, const char *name);

/* Reads a whole JSON file of at most max_bytes, duplicate keys refused. file is the user's name. */
MUST_USE enum run runner_read_json(struct runner *rn, const char *path, const char *file,
                                   size_t max_bytes, json_t **ret);

/* Writes complete or not at all: temporary file, fsync, rename. The JSON stays the caller's. */
MUST_USE enum run runner_write_json(struct runner *rn, const char *path, const json_t *value);

/* Opens path + ".part" for writing; runner_commit_file syncs it and gives it its name. */
MUST_USE enum run runner_create_file(struct runner *rn, const char *path, int *ret_fd);
MUST_USE enum run runner_commit_file(struct runner *rn, const char *path, int fd);

/* Each describes the failure and returns the status to hand up. */
MUST_USE enum run refuse(struct runner *rn, enum refusal code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
MUST_USE enum run refuse_at(struct runner *rn, enum refusal code, struct place at, const char *fmt,
                            ...) __attribute__((format(printf, 4, 5)));
MUST_USE enum run crash(struct runner *rn, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* True once SIGTERM was seen. Long loops ask at least every 100 ms and return RUN_CANCELLED. */
bool runner_cancelled(void);

/* hook runs inside the signal handler: it may only do what signal-safety(7) allows. */
void runner_on_cancel(void (*hook)(void));

/* Seconds on the monotonic clock. */
double runner_now_s(void);
