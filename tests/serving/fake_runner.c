/* See fake_runner.h. One thread accepts, one serves each connection. */
#include "tests/serving/fake_runner.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

static bool read_all(int fd, void *to, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t n = read(fd, (char *)to + done, size - done);
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

static char *read_part(int fd, size_t *ret_size) {
    uint32_t size;
    if (!read_all(fd, &size, 4))
        return NULL;
    char *data = calloc(1, (size_t)size + 1);
    if (data && !read_all(fd, data, size)) {
        free(data);
        return NULL;
    }
    *ret_size = size;
    return data;
}

static void write_part(int fd, const char *text) {
    uint32_t size = (uint32_t)strlen(text);
    (void)!send(fd, &size, 4, MSG_NOSIGNAL);
    (void)!send(fd, text, size, MSG_NOSIGNAL);
}

static void answer(int fd, const char *header_text, const char *body, size_t size) {
    auto_json *header = json_loads(header_text, 0, NULL);
    if (strncmp(body, "refuse", 6) == 0) {
        write_part(fd, "{\"status\":400,\"content_type\":\"application/json\"}");
        write_part(fd, "{\"error\":\"the shape is wrong\"}");
        return;
    }
    json_t *length = json_object_get(header, "json_length");
    auto_json *echo = json_pack("{s:s, s:O, s:I, s:s%, s:O?}", "model_name", "fake", "content",
                                json_object_get(header, "content"), "size", (json_int_t)size,
                                "begins", body, size < 20 ? size : 20, "json_length", length);
    auto_free char *text = json_dumps(echo, JSON_COMPACT);
    write_part(fd, length ? "{\"status\":200,\"content_type\":\"application/octet-stream\","
                            "\"json_length\":9}"
                          : "{\"status\":200,\"content_type\":\"application/json\"}");
    write_part(fd, text ? text : "{}");
}

struct connection {
    struct fake_runner *runner;
    int fd;
};

static void *serve(void *arg) {
    struct connection *c = arg;
    for (bool open = true; open && !c->runner->ends;) {
        if (poll(&(struct pollfd){.fd = c->fd, .events = POLLIN}, 1, 20) == 0)
            continue;
        size_t header_size, size;
        auto_free char *header = read_part(c->fd, &header_size);
        auto_free char *body = header ? read_part(c->fd, &size) : NULL;
        open = body && strncmp(body, "die", 3) != 0;
        if (open)
            answer(c->fd, header, body, size);
        open = open && !c->runner->hangs_up;
    }
    close(c->fd);
    free(c);
    return NULL;
}

static void pause_ms(long ms) {
    nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

/* Until a request has queued a job for the model and made its endpoint start. */
static void wait_for_job(struct fake_runner *r) {
    char sql[400];
    snprintf(sql, sizeof(sql),
             "select j.id from jobs j join endpoints e on e.job_id = j.id"
             " where j.kind = 'predict' and j.name like 'serve %s v%%' and e.state = 'starting'"
             " order by j.id desc limit 1",
             r->model);
    while (!r->ends && !r->job_id[0]) {
        snprintf(r->job_id, sizeof(r->job_id), "%s", test_sql_value(r->d->db, sql));
        pause_ms(5);
    }
}

static void listen_at(struct fake_runner *r) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(r->path, sizeof(r->path), "%s/serve/%s.sock", r->d->service->dir, r->job_id);
    snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", r->path);
    unlink(r->path);
    r->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(r->listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(r->listener, 16) != 0)
        abort();
}

static void *run(void *arg) {
    struct fake_runner *r = arg;
    wait_for_job(r);
    if (r->ends)
        return NULL;
    listen_at(r);
    job_says(r->d, r->job_id, "{\"type\":\"state\",\"state\":\"ready\"}");
    while (!r->ends) {
        if (poll(&(struct pollfd){.fd = r->listener, .events = POLLIN}, 1, 10) <= 0)
            continue;
        struct connection *c = calloc(1, sizeof(*c));
        if (!c)
            abort();
        *c = (struct connection){r, accept(r->listener, NULL, NULL)};
        if (pthread_create(&r->serving[r->connections++], NULL, serve, c) != 0)
            abort();
    }
    for (int i = 0; i < r->connections; i++)
        pthread_join(r->serving[i], NULL);
    close(r->listener);
    unlink(r->path);
    return NULL;
}

void fake_runner_start(struct fake_runner *r, struct domains *d, const char *model) {
    r->d = d;
    r->model = model;
    r->ends = false;
    r->connections = 0;
    r->job_id[0] = '\0';
    assert_int_equal(pthread_create(&r->thread, NULL, run, r), 0);
}

void fake_runner_kill(struct fake_runner *r) {
    r->ends = true;
    pthread_join(r->thread, NULL);
}
