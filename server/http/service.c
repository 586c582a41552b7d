/* The service itself: its making and end, and its own routes: health, metrics, OpenAPI, the UI.
 *
 * /livez says that the process answers; /readyz that it can do work: the database is there and no
 * shutdown has begun. Neither needs a slot, a principal or, for /livez, the database. */
#include "http/internal.h"

#include "db/db.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define READY_WAIT_MS 1000

static enum err open_static(const char *dir, int *ret, struct err_info *err) {
    *ret = -1;
    if (!dir || !*dir)
        return OK;
    *ret = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*ret < 0)
        return err_set(err, ERR_INTERNAL, NULL, "could not open the UI's directory \"%s\": %s", dir,
                       strerror(errno));
    return OK;
}

enum err http_server_new(const struct http_options *options, struct http_registry *registry,
                         struct http_server **ret, struct err_info *err) {
    int static_fd;
    unsigned char key[CURSOR_KEY_SIZE];
    TRY(http_registry_check(registry, err));
    TRY(cursor_key_load(options->key_dir, key, err));
    TRY(open_static(options->static_dir, &static_fd, err));
    routes_index(registry);
    struct http_server *server = calloc(1, sizeof(*server));
    if (!server)
        abort();
    server->options = options;
    server->registry = registry;
    server->metrics = metrics_new(registry->count);
    server->admission = admission_new(options);
    server->fairness = fairness_new((int)sysconf(_SC_NPROCESSORS_ONLN));
    memcpy(server->cursor_key, key, sizeof(key));
    server->static_fd = static_fd;
    *ret = server;
    return OK;
}

void http_server_free(struct http_server *server) {
    if (!server)
        return;
    http_close(server);
    if (server->static_fd >= 0)
        close(server->static_fd);
    metrics_free(server->metrics);
    admission_free(server->admission);
    fairness_free(server->fairness);
    http_registry_free(server->registry);
    free(server);
}

void http_drain(struct http_server *server) {
    atomic_store(&server->stopping, true);
}

void http_wait_idle(struct http_server *server, int timeout_ms) {
    admission_wait_empty(server->admission, timeout_ms);
}

size_t http_route_count(const struct http_server *server) {
    return server->registry->count;
}

const struct route *http_route_at(const struct http_server *server, size_t i) {
    return server->registry->routes[i];
}

uint64_t http_route_hits(const struct http_server *server, size_t i) {
    return metrics_hits(server->metrics, i);
}

static enum err get_livez(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)cx, (void)rq;
    reply_bytes(rp, "text/plain; charset=utf-8", "alive\n", 6);
    return OK;
}

static enum err get_readyz(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rq;
    if (atomic_load(&cx->app->http->stopping))
        return fail(cx, ERR_UNAVAILABLE, "the server is shutting down");
    if (!db_pool_is_alive(cx->app->db, READY_WAIT_MS))
        return fail(cx, ERR_UNAVAILABLE, "the database does not answer");
    reply_bytes(rp, "text/plain; charset=utf-8", "ready\n", 6);
    return OK;
}

static bool is_loopback(const char *remote) {
    return strncmp(remote, "127.", 4) == 0 || strcmp(remote, "::1") == 0 ||
           strncmp(remote, "::ffff:127.", 11) == 0;
}

/* A scraper on this machine needs no token; others need one that may read metrics. */
static enum err metrics_require(struct ctx *cx, const struct req *rq) {
    if (is_loopback(cx->remote) && !req_header(rq, "x-forwarded-for"))
        return OK;
    TRY(http_authenticate(cx, rq));
    if (cx->who.kind == PRINCIPAL_NOBODY)
        return fail(cx, ERR_UNAUTHENTICATED, "sign in first");
    if (cx->who.kind != PRINCIPAL_TOKEN || !(cx->who.scopes & scope_token(SCOPE_METRICS)) ||
        cx->who.role < scope_least_role(SCOPE_METRICS))
        return fail(cx, ERR_FORBIDDEN, "this needs a token with the scope \"metrics\"");
    return OK;
}

static void release_buf(void *buf) {
    buf_done(buf);
}

static enum err get_metrics(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct buf *text = arena_new_struct(cx->arena, struct buf);
    TRY(metrics_require(cx, rq));
    arena_defer(cx->arena, release_buf, text);
    metrics_print(cx->app, text);
    reply_bytes(rp, "text/plain; version=0.0.4; charset=utf-8", text->data, text->size);
    return OK;
}

static enum err get_openapi(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rq;
    reply_json(rp, http_openapi(cx->app->http->registry));
    return OK;
}

const struct route HTTP_ROUTES[] = {
    {GET, "/livez", SCOPE_PUBLIC, .handle = get_livez,
     .flags = ROUTE_ANONYMOUS | ROUTE_UNCOUNTED | ROUTE_BEFORE_SETUP,
     .doc = "Whether the process answers."},
    {GET, "/readyz", SCOPE_PUBLIC, .handle = get_readyz,
     .flags = ROUTE_ANONYMOUS | ROUTE_UNCOUNTED | ROUTE_BEFORE_SETUP,
     .doc = "Whether it can do work: the database is there, no shutdown has begun."},
    {GET, "/metrics", SCOPE_PUBLIC, .handle = get_metrics,
     .flags = ROUTE_ANONYMOUS | ROUTE_BEFORE_SETUP,
     .doc = "Figures in Prometheus' text format; from elsewhere with a token for metrics."},
    {GET, "/api/v1/openapi.json", SCOPE_PUBLIC, .handle = get_openapi,
     .flags = ROUTE_ANONYMOUS | ROUTE_BEFORE_SETUP, .doc = "This description."},
    {GET, "/{rest*}", SCOPE_PUBLIC, .handle = get_static,
     .flags = ROUTE_ANONYMOUS | ROUTE_HIDDEN | ROUTE_ANY_QUERY | ROUTE_BEFORE_SETUP,
     .doc = "The browser application and its files."},
};
const size_t HTTP_ROUTE_COUNT = ROUTES_COUNT(HTTP_ROUTES);
