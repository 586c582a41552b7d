/* runner.c: the frame around every runner's body, see runner.h.
 *
 * job.json comes from the worker, but is checked like anything else that was parsed by another
 * program: a path that leaves the directory, a count that does not fit or a member of the wrong
 * type ends the run before any input is opened. */
#include "runners/runner.h"

#include "runners/event.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static volatile sig_atomic_t cancelled;
static void (*volatile cancel_hook)(void);

static void on_sigterm(int signal_number) {
    (void)signal_number;
    cancelled = 1;
    if (cancel_hook)
        cancel_hook();
}

bool runner_cancelled(void) {
    return cancelled != 0;
}

void runner_on_cancel(void (*hook)(void)) {
    cancel_hook = hook;
    if (cancelled && hook)
        hook();
}

double runner_now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

__attribute__((format(printf, 4, 0))) static void
set_refusal(struct runner *rn, enum refusal code, struct place at, const char *fmt, va_list args) {
    static const char *const CODES[] = {"invalid_data", "invalid_spec", "too_large", "unsupported"};
    char text[1024];
    vsnprintf(text, sizeof text, fmt, args);
    json_decref(rn->refusal);
    rn->refusal = json_pack("{s:s, s:s#, s:s?, s:s?, s:s?}", "code", CODES[code], "message", text,
                            strlen(text), "field", at.field, "file", at.file, "place", at.place);
    if (!rn->refusal) /* some of the text is not UTF-8: the code alone still helps */
        rn->refusal =
            json_pack("{s:s, s:s, s:n, s:n, s:n}", "code", CODES[code], "message",
                      "the input holds a name that is not UTF-8", "field", "file", "place");
}

enum run refuse(struct runner *rn, enum refusal code, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    set_refusal(rn, code, (struct place){0}, fmt, args);
    va_end(args);
    return RUN_REFUSED;
}

enum run refuse_at(struct runner *rn, enum refusal code, struct place at, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    set_refusal(rn, code, at, fmt, args);
    va_end(args);
    return RUN_REFUSED;
}

enum run crash(struct runner *rn, const char *fmt, ...) {
    (void)rn;
    char text[1024];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    event_log(EVENT_ERROR, "%s", text);
    return RUN_CRASHED;
}

enum run runner_read_json(struct runner *rn, const char *path, const char *file, size_t max_bytes,
                          json_t **ret) {
    struct stat st;
    if (stat(path, &st) != 0)
        return crash(rn, "could not read %s: %s", file, strerror(errno));
    if ((uint64_t)st.st_size > max_bytes)
        return refuse_at(rn, REFUSE_TOO_LARGE, (struct place){.file = file},
                         "%s is larger than %zu bytes", file, max_bytes);
    json_error_t error;
    *ret = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
    if (*ret)
        return RUN_DONE;
    char line[32];
    snprintf(line, sizeof line, "line %d", error.line);
    return refuse_at(rn, REFUSE_INVALID_DATA, (struct place){.file = file, .place = line},
                     "%s is not valid JSON: %s", file, error.text);
}

enum run runner_create_file(struct runner *rn, const char *path, int *ret_fd) {
    char part[PATH_MAX];
    snprintf(part, sizeof part, "%s.part", path);
    int fd = open(part, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return crash(rn, "could not create %s: %s", path, strerror(errno));
    *ret_fd = fd;
    return RUN_DONE;
}

enum run runner_commit_file(struct runner *rn, const char *path, int fd) {
    char part[PATH_MAX];
    snprintf(part, sizeof part, "%s.part", path);
    if (fsync(fd) != 0 || rename(part, path) != 0)
        return crash(rn, "could not write %s: %s", path, strerror(errno));
    return RUN_DONE;
}

enum run runner_write_json(struct runner *rn, const char *path, const json_t *value) {
    auto_fd int fd = -1;
    TRY(runner_create_file(rn, path, &fd));
    if (json_dumpfd(value, fd, JSON_COMPACT) != 0)
        return crash(rn, "could not write %s: %s", path, strerror(errno));
    return runner_commit_file(rn, path, fd);
}

const struct runner_input *runner_input_find(const struct runner *rn, const char *name) {
    for (size_t i = 0; i < rn->n_inputs; i++)
        if (strcmp(rn->inputs[i].name, name) == 0)
            return &rn->inputs[i];
    return NULL;
}

static bool path_is_inside(const char *path) {
    return path[0] != '\0' && path[0] != '/' && strcmp(path, "..") != 0 &&
           strncmp(path, "../", 3) != 0 && !strstr(path, "/../") && strlen(path) < PATH_MAX - 16;
}

static enum run read_input(struct runner *rn, const json_t *from) {
    struct runner_input *in = &rn->inputs[rn->n_inputs];
    json_int_t size = 0;
    in->file_name = "";
    if (json_unpack((json_t *)from, "{s:s, s:s, s?s, s?I}", "name", &in->name, "path", &in->path,
                    "file_name", &in->file_name, "size_bytes", &size) != 0 ||
        size < 0 || !path_is_inside(in->path))
        return crash(rn, "job.json has an input that cannot be used");
    in->size_bytes = size;
    rn->n_inputs++;
    return RUN_DONE;
}

static enum run read_inputs(struct runner *rn) {
    const json_t *inputs = json_object_get(rn->job, "inputs");
    if (json_array_size(inputs) > RUNNER_INPUTS_MAX)
        return refuse(rn, REFUSE_TOO_LARGE, "a job has at most %d inputs", RUNNER_INPUTS_MAX);
    size_t i;
    json_t *input;
    json_array_foreach(inputs, i, input) TRY(read_input(rn, input));
    return RUN_DONE;
}

/* The worker's grant wins; SLIPWAY_THREADS serves a run by hand. */
static int threads_granted(json_int_t limit) {
    const char *text = getenv("SLIPWAY_THREADS");
    long threads = limit > 0 ? (long)limit : text ? strtol(text, NULL, 10) : 1;
    return threads < 1 ? 1 : threads > 1024 ? 1024 : (int)threads;
}

static enum run read_job(struct runner *rn, const char *kind) {
    json_error_t error;
    rn->job = json_load_file("job.json", JSON_REJECT_DUPLICATES, &error);
    const char *job_kind = NULL;
    json_int_t memory = 0, threads = 0, attempt = 1;
    if (!rn->job || json_unpack_ex(rn->job, &error, 0, "{s:s, s:o, s?I, s?{s?I, s?I}}", "kind",
                                   &job_kind, "spec", &rn->spec, "attempt", &attempt, "limits",
                                   "memory_bytes", &memory, "threads", &threads) != 0)
        return crash(rn, "job.json cannot be used: %s", error.text);
    if (strcmp(job_kind, kind) != 0 || !json_is_object(rn->spec))
        return crash(rn, "job.json is of kind \"%s\", this runner does \"%s\"", job_kind, kind);
    rn->attempt = (int)attempt;
    rn->memory_bytes = memory > 0 ? memory : 0;
    rn->threads = threads_granted(threads);
    return read_inputs(rn);
}

static enum run run_job(struct runner *rn, const char *kind, enum run (*body)(struct runner *)) {
    if (mkdir("outputs", 0755) != 0 && errno != EEXIST)
        return crash(rn, "could not create outputs: %s", strerror(errno));
    TRY(read_job(rn, kind));
    return body(rn);
}

int runner_main(int argc, char **argv, const char *kind, enum run (*body)(struct runner *)) {
    if (argc < 2 || chdir(argv[1]) != 0) {
        fprintf(stderr, "usage: %s JOB_DIRECTORY\n", argc > 0 ? argv[0] : kind);
        return RUN_CRASHED;
    }
    struct sigaction action = {.sa_handler = on_sigterm};
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN); /* writes report EPIPE, which names what broke */
    event_open();

    struct runner rn = {.threads = 1};
    enum run status = run_job(&rn, kind, body);
    if (status == RUN_REFUSED && runner_write_json(&rn, "outputs/error.json", rn.refusal) != 0)
        status = RUN_CRASHED;
    json_decref(rn.refusal);
    json_decref(rn.job);
    return (int)status;
}
