/* predict_serve.c: a thread a connection, one request at a time on each.
 *
 * Frames in both directions: u32 LE header length (≤ 64 KiB) · header JSON · u32 LE body length
 * (≤ 64 MiB) · body. A frame that breaks a rule closes its connection: what follows it cannot be
 * found. The peer is slipwayd, but the body is its client's, so memory for bodies is budgeted over
 * all connections, and no more forward passes run at once than the machine has cores for.
 *
 * On SIGTERM the main thread stops accepting and shuts every connection's reading side: idle ones
 * end, busy ones send their answer and end. */
#include "runners/predict_serve.h"

#include "runners/event.h"
#include "runners/predict_reply.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
    CONNECTIONS_MAX = 128,
    HEADER_MAX = 64 << 10,
    BODY_MAX = 64 << 20,
    BODIES_MAX = 256 << 20, /* of all requests together */
};

struct server {
    const struct predict_model *model;
    sem_t computing; /* forward passes that may start */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int fds[CONNECTIONS_MAX]; /* -1: free; guarded by lock, like the next two */
    size_t connections;
    size_t body_bytes;
};

struct connection {
    struct server *server;
    size_t slot;
    int fd;
};

static bool read_exactly(int fd, void *to, size_t size) {
    char *at = to;
    while (size > 0) {
        ssize_t n = read(fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

static bool write_exactly(int fd, const void *from, size_t size) {
    const char *at = from;
    while (size > 0) {
        ssize_t n = send(fd, at, size, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

static void put_u32(uint8_t *to, size_t value) {
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static bool read_length(int fd, size_t max, size_t *ret) {
    uint8_t b[4];
    if (!read_exactly(fd, b, sizeof b))
        return false;
    *ret = (size_t)b[0] | (size_t)b[1] << 8 | (size_t)b[2] << 16 | (size_t)b[3] << 24;
    return *ret <= max;
}

/* ---- the budget for bodies
 * ------------------------------------------------------------------------- */

static void bodies_reserve(struct server *s, size_t size) {
    pthread_mutex_lock(&s->lock);
    while (s->body_bytes + size > BODIES_MAX)
        pthread_cond_wait(&s->changed, &s->lock);
    s->body_bytes += size;
    pthread_mutex_unlock(&s->lock);
}

static void bodies_release(struct server *s, size_t size) {
    pthread_mutex_lock(&s->lock);
    s->body_bytes -= size;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

/* ---- one request
 * ------------------------------------------------------------------------------------ */

struct frame {
    enum predict_content content;
    int64_t json_length;
    uint8_t *body;
    size_t size;
};

static bool read_header(int fd, struct frame *ret) {
    static const char *const CONTENTS[] = {"json", "binary", "image"};
    char text[HEADER_MAX];
    size_t size;
    if (!read_length(fd, sizeof text, &size) || !read_exactly(fd, text, size))
        return false;
    auto_json *header = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    const char *op = json_string_value(json_object_get(header, "op"));
    const char *content = json_string_value(json_object_get(header, "content"));
    const json_t *length = json_object_get(header, "json_length");
    if (!op || strcmp(op, "infer") != 0 || !content)
        return false;
    ret->json_length = json_is_integer(length) ? json_integer_value(length) : -1;
    for (unsigned i = 0; i < 3; i++)
        if (strcmp(content, CONTENTS[i]) == 0) {
            ret->content = (enum predict_content)i;
            return true;
        }
    return false;
}

static bool infer(struct server *s, const struct predict_request *rq, float *results,
                  struct predict_failure *failure) {
    const struct features *f = &s->model->features;
    size_t count = rq->rows * f->sample;
    tsh_view x = {.dtype = TSH_F32,
                  .ndim = f->is_image ? 4 : 2,
                  .shape = {(int64_t)rq->rows, f->is_image ? f->channels : (int64_t)f->sample,
                            f->height, f->width},
                  .data = rq->samples,
                  .size_bytes = count * sizeof *rq->samples};
    tsh_error err;
    while (sem_wait(&s->computing) != 0)
        continue;
    tsh_code code = tsh_predict(s->model->net, &x, results, rq->rows * s->model->outputs, &err);
    sem_post(&s->computing);
    if (code == TSH_OK)
        return true;
    event_log(EVENT_ERROR, "prediction failed: %s", err.message);
    return predict_fail(failure, code == TSH_EOOM ? 413 : 500, "the prediction failed");
}

static void answer(struct server *s, const struct frame *frame, struct predict_reply *ret) {
    struct predict_request auto_predict_request rq = {0};
    struct predict_failure failure;
    auto_free float *results = NULL;
    bool done = predict_request_read(s->model, frame->content, frame->json_length, frame->body,
                                     frame->size, &rq, &failure);
    if (done) {
        results = calloc(rq.rows * s->model->outputs, sizeof *results);
        done = results ? infer(s, &rq, results, &failure)
                       : predict_fail(&failure, 503, "memory is short for the answer");
    }
    if (done)
        predict_reply_write(s->model, &rq, results, ret);
    else
        predict_reply_fail(&failure, ret);
}

static bool send_reply(int fd, const struct predict_reply *rp, double seconds) {
    char header[256];
    int n = snprintf(header + 4, sizeof header - 4,
                     "{\"status\":%d,\"content_type\":\"%s\",\"compute_us\":%lld", rp->status,
                     rp->binary ? "application/octet-stream" : "application/json",
                     (long long)(seconds * 1e6));
    size_t used = 4 + (size_t)n;
    if (rp->binary)
        used += (size_t)snprintf(header + used, sizeof header - used, ",\"json_length\":%lld",
                                 (long long)rp->json_length);
    header[used++] = '}';
    put_u32((uint8_t *)header, used - 4);
    put_u32((uint8_t *)header + used, rp->size);
    return write_exactly(fd, header, used + 4) && write_exactly(fd, rp->body, rp->size);
}

static bool exchange_body(struct server *s, int fd, struct frame *frame) {
    auto_free uint8_t *body = malloc(frame->size + 1);
    if (!body || !read_exactly(fd, body, frame->size))
        return false;
    double start = runner_now_s();
    frame->body = body;
    struct predict_reply auto_predict_reply rp = {0};
    answer(s, frame, &rp);
    return send_reply(fd, &rp, runner_now_s() - start);
}

/* False: the connection is only good for closing. */
static bool exchange(struct server *s, int fd) {
    struct frame frame = {0};
    if (!read_header(fd, &frame) || !read_length(fd, BODY_MAX, &frame.size))
        return false;
    bodies_reserve(s, frame.size);
    bool done = exchange_body(s, fd, &frame);
    bodies_release(s, frame.size);
    return done;
}

/* ---- connections
 * ------------------------------------------------------------------------------------ */

static void *serve_connection(void *arg) {
    struct connection c = *(struct connection *)arg;
    free(arg);
    while (exchange(c.server, c.fd))
        continue;
    pthread_mutex_lock(&c.server->lock);
    close(c.fd);
    c.server->fds[c.slot] = -1;
    c.server->connections--;
    pthread_cond_broadcast(&c.server->changed);
    pthread_mutex_unlock(&c.server->lock);
    return NULL;
}

/* Called with the lock held. */
static bool start_thread(struct server *s, int fd) {
    size_t slot = 0;
    while (slot < CONNECTIONS_MAX && s->fds[slot] >= 0)
        slot++;
    struct connection *c = slot < CONNECTIONS_MAX ? malloc(sizeof *c) : NULL;
    if (!c)
        return false;
    *c = (struct connection){s, slot, fd};
    pthread_t thread;
    if (pthread_create(&thread, NULL, serve_connection, c) != 0) {
        free(c);
        return false;
    }
    pthread_detach(thread);
    s->fds[slot] = fd;
    s->connections++;
    return true;
}

/* One too many is closed at once: its owner tries another, and nobody waits here unheard. */
static void start_connection(struct server *s, int fd) {
    pthread_mutex_lock(&s->lock);
    bool started = start_thread(s, fd);
    pthread_mutex_unlock(&s->lock);
    if (!started)
        close(fd);
}

/* Waits for a connection; SIGTERM is let in only while waiting, so it cannot slip in between. */
static void accept_until_cancelled(struct server *s, int listener, const sigset_t *waiting) {
    while (!runner_cancelled()) {
        struct pollfd poll_fd = {.fd = listener, .events = POLLIN};
        if (ppoll(&poll_fd, 1, NULL, waiting) <= 0)
            continue;
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            start_connection(s, fd);
    }
}

static void drain(struct server *s) {
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        if (s->fds[i] >= 0)
            shutdown(s->fds[i], SHUT_RD);
    while (s->connections > 0)
        pthread_cond_wait(&s->changed, &s->lock);
    pthread_mutex_unlock(&s->lock);
}

enum run predict_serve(struct runner *rn, const struct predict_model *m, int listener) {
    struct server s = {
        .model = m, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    for (size_t i = 0; i < CONNECTIONS_MAX; i++)
        s.fds[i] = -1;
    long cores = sysconf(_SC_NPROCESSORS_ONLN) / rn->threads;
    sem_init(&s.computing, 0, cores > 1 ? (unsigned)cores : 1);
    sigset_t blocked, waiting;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &blocked, &waiting);
    sigdelset(&waiting, SIGTERM);
    event_state("ready");
    accept_until_cancelled(&s, listener, &waiting);
    drain(&s);
    sem_destroy(&s.computing);
    return RUN_DONE;
}
