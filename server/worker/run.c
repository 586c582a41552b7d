/* One attempt at a job from its lease to its finish.
 *
 * prepare (inputs) → start helpers → spawn → relay until the runner has ended → say how it ended.
 * finish is repeated until the server answers: it is idempotent for the same epoch. A lost lease
 * ends everything without a word, because another attempt owns the job by then. */

#include "worker/run.h"
#include "worker/leftover.h"

#include "base/cleanup.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#define RESULT_MAX_BYTES (8 * 1024 * 1024)
#define OUTPUTS_MAX 64

enum { EXIT_REFUSED = 2, EXIT_CANCELLED = 3 };

static const struct {
    const char *kind, *program;
} PROGRAMS[] = {
    {"dataset.import", "slipway-run-data"},
    {"train", "slipway-run-train"},
    {"predict", "slipway-run-predict"},
};

static const char *program_of(const json_t *lease) {
    const char *kind = json_string_value(json_object_get(lease, "kind"));
    for (size_t i = 0; kind && i < sizeof(PROGRAMS) / sizeof(PROGRAMS[0]); i++)
        if (strcmp(kind, PROGRAMS[i].kind) == 0)
            return PROGRAMS[i].program;
    return NULL;
}

/* What finish will say. */
struct ending {
    const char *outcome; /* succeeded | failed | cancelled | requeue */
    bool retryable;
    json_t *error;   /* owned; NULL when it succeeded */
    json_t *result;  /* owned */
    json_t *outputs; /* owned */
};

static void ending_done(struct ending *e) {
    json_decref(e->error);
    json_decref(e->result);
    json_decref(e->outputs);
}

static void ending_failed(struct ending *e, bool retryable, const char *code, const char *message) {
    e->outcome = "failed";
    e->retryable = retryable;
    json_decref(e->error);
    e->error = json_pack("{s:s,s:s,s:n,s:n,s:n}", "code", code, "message", message, "field", "file",
                         "place");
}

/* ---- the predict runner's socket ---- */

static enum err listen_on(const struct worker *w, const char *id, struct sockaddr_un *ret_address,
                          int *ret_fd, struct err_info *err) {
    memset(ret_address, 0, sizeof(*ret_address));
    ret_address->sun_family = AF_UNIX;
    int length = snprintf(ret_address->sun_path, sizeof(ret_address->sun_path), "%s/%s.sock",
                          w->options.serve_dir, id);
    if (length >= (int)sizeof(ret_address->sun_path))
        return err_set(err, ERR_INVALID, "serve_dir", "the path is too long for a socket");
    auto_fd fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unlink(ret_address->sun_path);
    if (fd < 0 || bind(fd, (const struct sockaddr *)ret_address, sizeof(*ret_address)) != 0 ||
        chmod(ret_address->sun_path, 0660) != 0 || listen(fd, 64) != 0)
        return err_set(err, ERR_UNAVAILABLE, "serve_dir", "could not make the socket: %s",
                       strerror(errno));
    *ret_fd = take_fd(fd);
    return OK;
}

/* ---- running ---- */

struct pipe_pair {
    int r, w;
};

static enum err pipe_open(struct pipe_pair *ret, struct err_info *err) {
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0)
        return err_set(err, ERR_UNAVAILABLE, NULL, "could not make a pipe: %s", strerror(errno));
    ret->r = fds[0];
    ret->w = fds[1];
    fcntl(ret->r, F_SETFL, O_NONBLOCK);
    return OK;
}

static void pipe_close(struct pipe_pair *p) {
    if (p->r >= 0)
        close(p->r);
    if (p->w >= 0)
        close(p->w);
}

static enum err spawn_and_relay(struct run *run, int listen_fd, int *ret_status,
                                struct err_info *err) {
    __attribute__((cleanup(pipe_close))) struct pipe_pair events = {-1, -1};
    __attribute__((cleanup(pipe_close))) struct pipe_pair out = {-1, -1};
    __attribute__((cleanup(pipe_close))) struct pipe_pair error = {-1, -1};
    TRY(pipe_open(&events, err));
    TRY(pipe_open(&out, err));
    TRY(pipe_open(&error, err));
    struct sandbox_job job = {.program = program_of(run->lease),
                              .dir = run->dir.path,
                              .events_fd = events.w,
                              .listen_fd = listen_fd,
                              .stdout_fd = out.w,
                              .stderr_fd = error.w,
                              .threads = run->worker->threads,
                              .first_cpu = -1,
                              .memory_bytes = run->memory_bytes,
                              .wall_seconds = run->wall_seconds};
    TRY(sandbox_spawn(run->worker->sandbox, &job, &run->child, err));
    close(take_fd(events.w)), close(take_fd(out.w)), close(take_fd(error.w));
    *ret_status = relay_read(run, &(struct run_pipes){events.r, out.r, error.r});
    return OK;
}

/* ---- how it ended ---- */

static void collect_outputs(struct run *run, struct ending *e) {
    json_t *listed = json_object_get(e->result, "outputs"), *output;
    size_t index;
    e->outputs = json_array();
    json_array_foreach(listed, index, output) {
        const char *name = json_string_value(json_object_get(output, "name"));
        const char *path = json_string_value(json_object_get(output, "path"));
        const char *media = json_string_value(json_object_get(output, "media_type"));
        char sha256[65];
        int64_t size = 0;
        struct err_info err = {.message = "the runner's list of outputs is not valid"};
        if (index >= OUTPUTS_MAX || !name || !path || !media ||
            run_upload(run, run->api, path, sha256, &size, &err) != OK) {
            ending_failed(e, true, "internal", err.message);
            return;
        }
        json_array_append_new(e->outputs,
                              json_pack("{s:s,s:s,s:s,s:I}", "name", name, "media_type", media,
                                        "sha256", sha256, "size_bytes", (json_int_t)size));
    }
}

static void ended_well(struct run *run, struct ending *e) {
    e->outcome = "succeeded";
    e->result = jobdir_read_json(&run->dir, "result.json", RESULT_MAX_BYTES);
    if (e->result)
        collect_outputs(run, e);
    else
        ending_failed(e, true, "internal", "the runner left no readable result.json");
}

static void ended_refused(struct run *run, struct ending *e) {
    ending_failed(e, false, "invalid_data", "the runner refused the job without a reason");
    json_t *said = jobdir_read_json(&run->dir, "error.json", 64 * 1024);
    if (said) {
        json_decref(e->error);
        e->error = said;
    }
}

static void ended_badly(struct run *run, int status, struct ending *e) {
    char text[512];
    if (run->over_memory)
        snprintf(text, sizeof(text), "the runner used more than %lld MiB of memory",
                 (long long)(run->memory_bytes >> 20));
    else if (run->over_time)
        snprintf(text, sizeof(text), "the runner took longer than %lld seconds",
                 (long long)run->wall_seconds);
    else if (run->bad_events || atomic_load(&run->refused))
        snprintf(text, sizeof(text), "the runner was ended: %s", run->bad_event);
    else if (WIFSIGNALED(status))
        snprintf(text, sizeof(text), "the runner was ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(text, sizeof(text), "the runner ended with status %d", WEXITSTATUS(status));
    const char *code = run->over_memory ? "out_of_memory" : run->over_time ? "timeout" : "crashed";
    ending_failed(e, !run->over_time && !run->bad_events && !atomic_load(&run->refused), code,
                  text);
}

static void decide(struct run *run, int status, struct ending *e) {
    bool exited = WIFEXITED(status);
    bool asked = atomic_load(&run->cancel) || atomic_load(&run->worker->stopping);
    bool forced =
        run->over_memory || run->over_time || run->bad_events || atomic_load(&run->refused);
    if (exited && WEXITSTATUS(status) == 0 && !forced && !atomic_load(&run->cancel))
        ended_well(run, e);
    else if (exited && WEXITSTATUS(status) == EXIT_REFUSED && !forced)
        ended_refused(run, e);
    else if (atomic_load(&run->cancel))
        e->outcome = "cancelled";
    else if (asked)
        e->outcome = "requeue"; /* our own shutdown: no attempt is counted */
    else
        ended_badly(run, status, e);
}

static void pause_s(int seconds) {
    nanosleep(&(struct timespec){.tv_sec = seconds}, NULL);
}

static void finish(struct run *run, struct ending *e) {
    auto_json *body =
        json_pack("{s:s,s:I,s:s,s:b,s:O?,s:O?,s:O?}", "worker_id", run->worker->id, "epoch",
                  (json_int_t)run->epoch, "outcome", e->outcome, "retryable", e->retryable, "error",
                  e->error, "result", e->result, "outputs", e->outputs);
    char url[128];
    snprintf(url, sizeof(url), "/api/v1/worker/jobs/%s/finish", run->id);
    for (int wait = 1; !atomic_load(&run->lost); wait = wait < 8 ? wait * 2 : 8) {
        struct api_reply reply;
        api_call(run->api, "POST", url, body, false, &reply);
        bool answered =
            reply.status >= 200 && reply.status < 500 && reply.status != 408 && reply.status != 429;
        log_event(answered && reply.status == 200 ? LOG_INFO : LOG_WARNING, "job.finished",
                  LOG_T("job", run->id), LOG_T("outcome", e->outcome),
                  LOG_N("status", reply.status), LOG_T("message", reply.message));
        api_reply_done(&reply);
        if (answered || atomic_load(&run->worker->killing))
            return;
        pause_s(wait);
    }
}

/* ---- the whole ---- */

static void execute(struct run *run, struct ending *e) {
    struct err_info err = {0};
    struct sockaddr_un address = {0};
    auto_fd listen_fd = -1;
    const char *program = program_of(run->lease);
    int status = 0;
    enum err r = jobdir_prepare(run->worker, run->api, run->lease, &run->dir, &err);
    if (r == OK && strcmp(program, "slipway-run-predict") == 0)
        r = listen_on(run->worker, run->id, &address, &listen_fd, &err);
    if (r == OK)
        r = spawn_and_relay(run, listen_fd, &status, &err);
    if (address.sun_path[0])
        unlink(address.sun_path);
    if (r == OK)
        decide(run, status, e);
    else
        ending_failed(e, true, "internal", err.message);
}

static int64_t limit_of(const json_t *lease, const char *name, int64_t most) {
    int64_t asked = json_integer_value(json_object_get(json_object_get(lease, "limits"), name));
    return asked > 0 && (!most || asked < most) ? asked : most;
}

static enum err run_init(struct run *run, struct worker *w, json_t *lease, struct err_info *err) {
    memset(run, 0, sizeof(*run));
    run->spool.fd = -1;
    run->worker = w;
    run->lease = lease;
    const char *id = json_string_value(json_object_get(lease, "id"));
    if (!id || !uuid_is_valid(id) || !program_of(lease))
        return err_set(err, ERR_INVALID, "job", "the server leased a job this worker cannot run");
    snprintf(run->id, sizeof(run->id), "%s", id);
    run->epoch = json_integer_value(json_object_get(lease, "epoch"));
    run->memory_bytes = limit_of(lease, "memory_bytes", w->memory_bytes);
    run->wall_seconds = limit_of(lease, "wall_seconds", 0);
    char path[WORKER_PATH_MAX];
    snprintf(path, sizeof(path), "%s/jobs/%s.events", w->options.work_dir, run->id);
    return spool_init(&run->spool, path, err);
}

void run_job(struct worker *w, json_t *lease) {
    struct run run;
    struct err_info err;
    if (run_init(&run, w, lease, &err) != OK) {
        log_event(LOG_ERROR, "job.unusable", LOG_T("message", err.message));
        return;
    }
    log_event(LOG_INFO, "job.started", LOG_T("job", run.id), LOG_N("epoch", run.epoch),
              LOG_T("kind", json_string_value(json_object_get(lease, "kind"))));
    leftover_note(w, run.id, run.epoch);
    run.api = api_new(w);
    pthread_t heartbeat, sender;
    pthread_create(&heartbeat, NULL, relay_heartbeat, &run);
    pthread_create(&sender, NULL, relay_send, &run);
    __attribute__((cleanup(ending_done))) struct ending ending = {0};
    execute(&run, &ending);
    spool_close(&run.spool);
    pthread_join(sender, NULL);
    finish(&run, &ending);
    atomic_store(&run.finished, true);
    pthread_join(heartbeat, NULL);
    api_free(run.api);
    spool_done(&run.spool);
    jobdir_remove(&run.dir);
    leftover_forget(w, run.id);
    char path[WORKER_PATH_MAX];
    snprintf(path, sizeof(path), "%s/jobs/%s.events", w->options.work_dir, run.id);
    unlink(path);
}
