/* The HTTP service of the process: its route tables, limits, figures and keys, and the TLS listener
 * on top. Made by app.c; tests make one without a listener and call http_dispatch() directly.
 *
 * Threads: everything here is read-only after http_listen(), except what metrics.c and admission.c
 * count under their own locks. */
#pragma once

#include "http/head.h"
#include "http/http.h"

struct http_options {
    const char *listen;        /* "127.0.0.1:8443"; "[::1]:8443" */
    const char *certificate;   /* PEM file with the chain */
    const char *private_key;   /* PEM file, readable by its owner only */
    const char *key_dir;       /* has cursor.key */
    const char *static_dir;    /* the built UI; NULL or "" = none */
    const char *const *hosts;  /* names we answer to, lower case; NULL-terminated */
    const char *trusted_proxy; /* peer whose X-Forwarded-For is believed; NULL = none */
    int threads;
    int streams; /* server-sent event streams at once */
};

void http_registry_free(struct http_registry *r); /* only when no server took it over */

/* Takes the registry over on success. options and what it points to must outlive the server. */
MUST_USE enum err http_server_new(const struct http_options *options,
                                  struct http_registry *registry, struct http_server **ret,
                                  struct err_info *err);
void http_server_free(struct http_server *server);

/* Writes cursor.key into key_dir unless it is there. */
MUST_USE enum err cursor_key_create(const char *key_dir, struct err_info *err);

/* Starts to answer. Refuses to when TLS is not available or the private key is readable by others.
 */
MUST_USE enum err http_listen(struct app *app, struct err_info *err);
/* The three steps of an orderly end: /readyz answers 503 and streams end; wait for the requests in
 * flight, at most that long; close the listener. */
void http_drain(struct http_server *server);
void http_wait_idle(struct http_server *server, int timeout_ms);
void http_close(struct http_server *server);

/* Takes the certificate and key that lie in their files now; new connections get them. On failure
 * the old ones stay. Any thread. */
MUST_USE enum err http_certificate_reload(struct http_server *server, struct err_info *err);

/* How the dispatcher reads and writes one connection; server.c has the one for TLS, tests one for
 * memory. */
struct http_io {
    const struct http_io_ops *ops;
    void *data;
    bool closing; /* whatever is asked, the reply will be the last on this connection */
};
struct http_io_ops {
    /* What is there, waiting for it until the deadline (monotonic clock): 0 = end, -1 = broken off
     * or too late. */
    ssize_t (*read)(struct http_io *io, void *buffer, size_t cap, int64_t deadline_us);
    bool (*write)(struct http_io *io, const void *data, size_t size);
    bool (*is_open)(struct http_io *io);
    void (*close_after)(struct http_io *io); /* no further request on this connection */
};

/* Answers one request, whatever it is, and never fails. cx is fresh; a test may have set cx->who,
 * then nobody is authenticated. The connection is closed after the reply where that is needed. */
void http_dispatch(struct ctx *cx, const struct http_head *head, struct http_io *io);
/* The answer to bytes that were no request at all: the library's verdict in our own form. */
void http_dispatch_broken(struct ctx *cx, int status, struct http_io *io);

/* Routes of the service itself: /livez, /readyz, /metrics, OpenAPI, the UI's files. */
extern const struct route HTTP_ROUTES[];
extern const size_t HTTP_ROUTE_COUNT;

/* Tests: how often each registered route was answered; i runs below http_route_count(). */
size_t http_route_count(const struct http_server *server);
const struct route *http_route_at(const struct http_server *server, size_t i);
uint64_t http_route_hits(const struct http_server *server, size_t i);
