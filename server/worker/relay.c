/* The three loops of a running job: pipes → spool, spool → server, heartbeat.
 *
 * The first never waits for the network. The second tries again for as long as the lease is ours:
 * a server that restarts loses nothing, because an event is forgotten only when acknowledged, and
 * the server ignores those it knows by their number. */

#include "worker/run.h"
#include "worker/usage.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define HEARTBEAT_S 5
#define STOP_GRACE_US (10 * 1000000LL)
#define DRAIN_GRACE_US (30 * 1000000LL) /* at the worker's own shutdown */
#define USAGE_EVERY_US (5 * 1000000LL)

static void pause_ms(int ms) {
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000L};
    nanosleep(&t, NULL);
}

/* ---- pipes → spool ---- */

/* One pipe with the beginning of an unfinished line. */
struct line_reader {
    int fd;
    size_t size;
    const char *level; /* NULL = the event channel; else lines are log text of this level */
    char text[SPOOL_LINE_MAX + 1];
};

static void take_line(struct run *run, struct line_reader *r, size_t length) {
    struct err_info err;
    if (r->level) {
        if (length)
            spool_log(&run->spool, r->level, r->text, length);
    } else if (!run->bad_events && length && spool_line(&run->spool, r->text, length, &err) != OK) {
        run->bad_events = true;
        snprintf(run->bad_event, sizeof(run->bad_event), "%.250s", err.message);
        sandbox_kill(&run->child);
    }
}

/* False at the end of the pipe. A line longer than the limit is cut for logs and fatal for events.
 */
static bool read_lines(struct run *run, struct line_reader *r) {
    ssize_t n = read(r->fd, r->text + r->size, SPOOL_LINE_MAX - r->size);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN;
    if (n == 0) {
        take_line(run, r, r->size);
        return false;
    }
    r->size += (size_t)n;
    for (char *end; (end = memchr(r->text, '\n', r->size));) {
        size_t length = (size_t)(end - r->text);
        take_line(run, r, length);
        r->size -= length + 1;
        memmove(r->text, end + 1, r->size);
    }
    if (r->size == SPOOL_LINE_MAX) {
        take_line(run, r, r->size);
        r->size = 0;
    }
    return true;
}

/* What the reading loop remembers between its looks at the runner. */
struct watch {
    int64_t started_us, usage_at_us, cpu_us, stop_sent_us;
};

static void watch_usage(struct run *run, struct watch *w, int64_t now) {
    struct usage usage;
    if (!run->child.runner || !usage_read(run->child.runner, &usage))
        return;
    if (usage.rss_bytes > run->memory_bytes && !run->over_memory) {
        run->over_memory = true;
        sandbox_kill(&run->child);
    }
    if (now - w->usage_at_us < USAGE_EVERY_US)
        return;
    double percent = 100.0 * (double)(usage.cpu_us - w->cpu_us) / (double)(now - w->usage_at_us);
    spool_metrics(&run->spool, (now - w->started_us) / 1000000,
                  json_pack("{s:f,s:I}", "system/cpu_percent", percent, "system/memory_bytes",
                            (json_int_t)usage.rss_bytes));
    w->usage_at_us = now;
    w->cpu_us = usage.cpu_us;
}

static void watch_stop(struct run *run, struct watch *w, int64_t now) {
    bool draining = atomic_load(&run->worker->stopping);
    if (atomic_load(&run->lost) || atomic_load(&run->refused) ||
        atomic_load(&run->worker->killing)) {
        sandbox_kill(&run->child);
        return;
    }
    if (!draining && !atomic_load(&run->cancel))
        return;
    int64_t grace = atomic_load(&run->cancel) ? STOP_GRACE_US : DRAIN_GRACE_US;
    if (!w->stop_sent_us) {
        w->stop_sent_us = now;
        sandbox_signal(&run->child, SIGTERM);
    } else if (now - w->stop_sent_us > grace) {
        sandbox_kill(&run->child);
    }
}

static void watch_runner(struct run *run, struct watch *w) {
    int64_t now = clock_mono_us();
    watch_usage(run, w, now);
    watch_stop(run, w, now);
    if (run->wall_seconds && now - w->started_us > run->wall_seconds * 1000000 && !run->over_time) {
        run->over_time = true;
        sandbox_kill(&run->child);
    }
}

static int reap(struct run *run) {
    int status = 0;
    while (waitpid(run->child.top, &status, 0) < 0 && errno == EINTR)
        ;
    sandbox_kill(&run->child); /* whatever it left in its group */
    return status;
}

int relay_read(struct run *run, struct run_pipes *pipes) {
    auto_free struct line_reader *readers = calloc(3, sizeof(*readers));
    readers[0] = (struct line_reader){.fd = pipes->events, .level = NULL};
    readers[1] = (struct line_reader){.fd = pipes->out, .level = "info"};
    readers[2] = (struct line_reader){.fd = pipes->error, .level = "warning"};
    int64_t now = clock_mono_us();
    struct watch watch = {.started_us = now, .usage_at_us = now};
    for (int open = 3; open > 0;) {
        struct pollfd polled[3];
        for (int i = 0; i < 3; i++)
            polled[i] = (struct pollfd){.fd = readers[i].fd, .events = POLLIN};
        poll(polled, 3, 250);
        for (int i = 0; i < 3; i++) {
            if (polled[i].revents && !read_lines(run, &readers[i])) {
                readers[i].fd = -1;
                open--;
            }
        }
        watch_runner(run, &watch);
    }
    return reap(run);
}

/* ---- spool → server ---- */

enum err run_upload(struct run *run, struct api *api, const char *path, char ret_sha256[65],
                    int64_t *ret_size, struct err_info *err) {
    auto_fd fd = jobdir_open_output(&run->dir, path, ret_size);
    if (fd < 0)
        return err_set(err, ERR_INVALID, "path", "the runner named a file it did not write");
    struct sha256 *hash = sha256_new();
    auto_free char *chunk = malloc(1 << 20);
    int64_t size = 0;
    for (ssize_t n; chunk && (n = pread(fd, chunk, 1 << 20, (off_t)size)) > 0; size += n)
        sha256_update(hash, chunk, (size_t)n);
    sha256_final_hex(hash, ret_sha256);
    sha256_free(hash);
    *ret_size = size;
    char url[256];
    snprintf(url, sizeof(url), "/api/v1/worker/jobs/%s/blobs/%s", run->id, ret_sha256);
    for (int wait = 500; !atomic_load(&run->lost) && !atomic_load(&run->worker->killing);
         wait = wait < 5000 ? wait * 2 : 5000) {
        long status = api_upload(api, url, run->epoch, fd, size);
        if (status == 200 || status == 201)
            return OK;
        if (status == 409)
            atomic_store(&run->lost, true);
        else if (status >= 400 && status < 500 && status != 408 && status != 429)
            return err_set(err, ERR_UNPROCESSABLE, NULL, "the server refused an output (%ld)",
                           status);
        pause_ms(wait);
    }
    return err_set(err, ERR_CONFLICT, NULL, "the lease was lost");
}

/* Artifact events get the hash of their uploaded file; one whose file is missing is dropped. */
static void upload_artifacts(struct run *run, struct api *api, json_t *events) {
    json_t *event;
    size_t index;
    json_array_foreach(events, index, event) {
        const char *type = json_string_value(json_object_get(event, "type"));
        if (!type || strcmp(type, "artifact") != 0)
            continue;
        char sha256[65];
        int64_t size = 0;
        struct err_info err;
        const char *path = json_string_value(json_object_get(event, "path"));
        if (run_upload(run, api, path, sha256, &size, &err) == OK) {
            json_object_set_new(event, "sha256", json_string(sha256));
            json_object_set_new(event, "size_bytes", json_integer(size));
            json_object_del(event, "path");
        } else {
            json_object_clear(event); /* its number must not be reused: say so in its place */
            json_object_update_new(event, json_pack("{s:s,s:s,s:s}", "type", "log", "level",
                                                    "warning", "message", err.message));
        }
    }
}

/* True when the batch is acknowledged. */
static bool send_batch(struct run *run, struct api *api, json_t *events) {
    auto_json *body = json_pack("{s:s,s:I,s:I,s:O}", "worker_id", run->worker->id, "epoch",
                                (json_int_t)run->epoch, "first_seq",
                                (json_int_t)run->spool.sent + 1, "events", events);
    char url[128];
    snprintf(url, sizeof(url), "/api/v1/worker/jobs/%s/events", run->id);
    struct api_reply reply;
    api_call(api, "POST", url, body, false, &reply);
    bool accepted = reply.status == 200;
    if (reply.status == 409 || reply.status == 404)
        atomic_store(&run->lost, true);
    else if (reply.status >= 400 && reply.status < 500 && reply.status != 408 &&
             reply.status != 429) {
        snprintf(run->bad_event, sizeof(run->bad_event), "%.250s", reply.message);
        atomic_store(&run->refused, true);
    }
    api_reply_done(&reply);
    return accepted;
}

void *relay_send(void *arg) {
    struct run *run = arg;
    struct api *api = api_new(run->worker);
    int wait = 250;
    while (!atomic_load(&run->lost) && !atomic_load(&run->refused)) {
        int64_t end = 0;
        bool closed = false;
        auto_json *events = spool_batch(&run->spool, 1000, &end, &closed);
        size_t count = json_array_size(events);
        if (!count && closed)
            break;
        if (!count)
            continue;
        upload_artifacts(run, api, events);
        if (send_batch(run, api, events)) {
            spool_ack(&run->spool, count, end);
            wait = 250;
        } else {
            wait = wait < 5000 ? wait * 2 : 5000;
        }
        pause_ms(wait); /* also gathers what comes in the meantime into one request */
    }
    api_free(api);
    return NULL;
}

/* ---- heartbeat ---- */

void *relay_heartbeat(void *arg) {
    struct run *run = arg;
    struct api *api = api_new(run->worker);
    char url[128];
    snprintf(url, sizeof(url), "/api/v1/worker/jobs/%s/heartbeat", run->id);
    auto_json *body =
        json_pack("{s:s,s:I}", "worker_id", run->worker->id, "epoch", (json_int_t)run->epoch);
    for (int64_t next = clock_mono_us() + HEARTBEAT_S * 1000000; !atomic_load(&run->finished);) {
        pause_ms(100);
        if (clock_mono_us() < next)
            continue;
        struct api_reply reply;
        api_call(api, "POST", url, body, false, &reply);
        if (reply.status == 409 || reply.status == 404)
            atomic_store(&run->lost, true);
        if (reply.status == 200 && json_is_true(json_object_get(reply.json, "cancel")))
            atomic_store(&run->cancel, true);
        /* No answer: try sooner, the lease is running out. */
        next = clock_mono_us() + (reply.status == 200 ? HEARTBEAT_S : 1) * 1000000LL;
        api_reply_done(&reply);
    }
    api_free(api);
    return NULL;
}
