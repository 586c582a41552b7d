/* The TLS listener; the only file that includes civetweb.h.
 *
 * civetweb accepts connections, ends TLS and splits bytes into requests, one thread a connection.
 * It is treated as untrusted: none of its file serving, decoding, cleaning or authorisation is
 * used, every request goes to http_dispatch() as raw text and comes back as bytes we wrote
 * ourselves. Requests it cannot parse end in answer_broken(), so that even those replies are ours.
 *
 * A connection holds a thread for as long as it is open. Where nearly all are taken, keep-alive is
 * withdrawn: each connection ends with its reply, and those waiting get their turn. */
#include "http/certificate.h"
#include "http/internal.h"

#include "base/clock.h"
#include "base/log.h"

#include <civetweb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <strings.h>

#define SPARE_THREADS 8
#define LINGER_US 300000
#define LINGER_US_PER_MIB 100000
#define LINGER_BYTES ((size_t)32 << 20)
#define LINGER_CROWDED_BYTES ((size_t)1 << 20)
/* Mozilla's intermediate guideline: TLS 1.2 with ephemeral keys and authenticated ciphers, and 1.3.
 */
#define TLS12_CIPHERS                                                                              \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"     \
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define TLS_GROUPS "X25519:P-256:P-384"

struct listener {
    struct mg_context *mg;
    struct app *app;
    SSL_CTX *tls;
    struct certificate *certificate;
    atomic_int open; /* connections past their TLS handshake */
    int threads;
};

static struct listener *listener_of(const struct mg_connection *conn) {
    return mg_get_user_data(mg_get_context(conn));
}

/* --- one connection as the dispatcher sees it --- */

struct connection {
    struct http_io io; /* first: ops get a pointer to it */
    struct mg_connection *conn;
    struct listener *listener;
    bool closed;           /* asked for by the dispatcher */
    bool expects_continue; /* the client waits for "100 Continue" before it sends its body */
};

static ssize_t connection_read(struct http_io *io, void *buffer, size_t cap, int64_t deadline_us) {
    struct connection *c = io->data;
    if (c->expects_continue) {
        static const char GO_ON[] = "HTTP/1.1 100 Continue\r\n\r\n";
        c->expects_continue = false;
        if (mg_write(c->conn, GO_ON, sizeof(GO_ON) - 1) <= 0)
            return -1;
    }
    mg_set_read_deadline(c->conn, deadline_us);
    int n = mg_read(c->conn, buffer, cap);
    mg_set_read_deadline(c->conn, 0);
    return n;
}

static bool connection_write(struct http_io *io, const void *data, size_t size) {
    struct connection *c = io->data;
    return size == 0 || mg_write(c->conn, data, size) == (int)size;
}

static bool connection_is_open(struct http_io *io) {
    struct connection *c = io->data;
    return !atomic_load(&c->listener->app->http->stopping);
}

static void connection_close_after(struct http_io *io) {
    struct connection *c = io->data;
    c->closed = true;
    mg_disable_connection_keep_alive(c->conn);
}

/* Closing a socket with unread bytes resets the connection, and the refusal of an upload would be
 * lost on its way: its sender would read "broken pipe" and not why. So what is still coming is
 * taken for a short time, longer only from a sender that is fast enough to come to an end. */
static void connection_linger(struct connection *c) {
    size_t most = c->io.closing ? LINGER_CROWDED_BYTES : LINGER_BYTES, total = 0;
    int64_t start = clock_mono_us();
    char piece[16384];
    int n = 1;
    while (n > 0 && total < most) {
        int64_t earned = (int64_t)(total >> 20) * LINGER_US_PER_MIB;
        mg_set_read_deadline(c->conn, start + LINGER_US + earned);
        n = mg_read(c->conn, piece, sizeof(piece));
        total += n > 0 ? (size_t)n : 0;
    }
    mg_set_read_deadline(c->conn, 0);
}

static const struct http_io_ops CONNECTION_OPS = {connection_read, connection_write,
                                                  connection_is_open, connection_close_after};

static void connection_init(struct connection *c, struct mg_connection *conn) {
    *c = (struct connection){.io = {.ops = &CONNECTION_OPS}, .conn = conn};
    c->io.data = c;
    c->listener = listener_of(conn);
    struct http_server *server = c->listener->app->http;
    bool crowded = atomic_load(&c->listener->open) > c->listener->threads - SPARE_THREADS;
    c->io.closing = crowded || atomic_load(&server->stopping);
}

/* The address that counts: the peer's, or what a proxy we trust says it is. */
static const char *remote_of(const struct http_options *options, const struct http_head *head,
                             const char *peer) {
    const char *forwarded = http_head_get(head, "x-forwarded-for");
    if (!options->trusted_proxy || strcmp(options->trusted_proxy, peer) != 0 || !forwarded)
        return peer;
    const char *last = strrchr(forwarded, ',');
    last = last ? last + 1 : forwarded;
    return last + strspn(last, " \t");
}

static int answer(struct mg_connection *conn) {
    const struct mg_request_info *info = mg_get_request_info(conn);
    struct connection c;
    struct http_header headers[MG_MAX_HEADERS];
    struct http_head head = {.method = info->request_method,
                             .target = info->request_uri,
                             .query = info->query_string,
                             .version = info->http_version,
                             .headers = headers,
                             .header_count = (size_t)info->num_headers};
    struct ctx cx;

    for (int i = 0; i < info->num_headers; i++)
        headers[i] = (struct http_header){info->http_headers[i].name, info->http_headers[i].value};
    connection_init(&c, conn);
    head.remote = remote_of(c.listener->app->http->options, &head, info->remote_addr);
    c.expects_continue = http_head_get(&head, "expect") != NULL;
    ctx_init(&cx, c.listener->app);
    http_dispatch(&cx, &head, &c.io);
    ctx_done(&cx);
    if (c.closed && info->content_length != 0)
        connection_linger(&c);
    return 200;
}

/* Bytes that were no request. civetweb closes the connection itself afterwards. */
static int answer_broken(struct mg_connection *conn, int status, const char *message) {
    struct connection c;
    struct ctx cx;
    (void)message;
    connection_init(&c, conn);
    ctx_init(&cx, c.listener->app);
    snprintf(cx.remote, sizeof(cx.remote), "%s", mg_get_request_info(conn)->remote_addr);
    http_dispatch_broken(&cx, status, &c.io);
    ctx_done(&cx);
    return 0;
}

/* --- the listener --- */

/* Mostly failed handshakes, which strangers can cause at will: not worth more than debug. */
static int log_library(const struct mg_connection *conn, const char *message) {
    (void)conn;
    log_event(LOG_DEBUG, "http.library", LOG_T("message", message));
    return 1;
}

static int count_open(const struct mg_connection *conn, void **conn_data) {
    struct listener *listener = listener_of(conn);
    atomic_fetch_add(&listener->open, 1);
    *conn_data = listener;
    return 0;
}

/* Also called for connections whose handshake failed: those were never counted. */
static void count_closed(const struct mg_connection *conn) {
    struct listener *listener = mg_get_user_connection_data(conn);
    if (listener) {
        atomic_fetch_sub(&listener->open, 1);
        mg_set_user_connection_data((struct mg_connection *)(uintptr_t)conn, NULL);
    }
}

/* Called once with NULL before the start, and once with our context at the end: we free it. */
static int give_tls(void **tls, void *user_data) {
    struct listener *listener = user_data;
    *tls = listener->tls;
    return 1;
}

static enum err tls_fail(struct err_info *err, const char *what, const char *path) {
    char reason[256];
    ERR_error_string_n(ERR_get_error(), reason, sizeof(reason));
    return err_set(err, ERR_INTERNAL, NULL, "could not use the %s \"%s\": %s", what, path, reason);
}

static enum err tls_load(SSL_CTX *tls, struct certificate *certificate, struct err_info *err) {
    if (!SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION) ||
        !SSL_CTX_set_cipher_list(tls, TLS12_CIPHERS) || !SSL_CTX_set1_groups_list(tls, TLS_GROUPS))
        return tls_fail(err, "TLS settings", TLS_GROUPS);
    SSL_CTX_set_options(tls, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(tls, SSL_MODE_RELEASE_BUFFERS);
    certificate_attach(certificate, tls);
    return certificate_load(certificate, err);
}

static enum err start(struct listener *listener, struct err_info *err) {
    const struct http_options *options = listener->app->http->options;
    char ports[256], threads[16], reason[256] = "";
    snprintf(ports, sizeof(ports), "%ss", options->listen);
    snprintf(threads, sizeof(threads), "%d", options->threads);
    const char *settings[] = {"listening_ports",
                              ports,
                              "num_threads",
                              threads,
                              "enable_keep_alive",
                              "yes",
                              "keep_alive_timeout_ms",
                              "2000",
                              "request_timeout_ms",
                              "5000",
                              "max_request_size",
                              "16384",
                              "connection_queue",
                              "256",
                              "listen_backlog",
                              "1024",
                              "tcp_nodelay",
                              "1",
                              "decode_url",
                              "no",
                              "decode_query_string",
                              "no",
                              "enable_directory_listing",
                              "no",
                              "access_control_allow_origin",
                              "",
                              "access_control_allow_methods",
                              "",
                              "access_control_allow_headers",
                              "",
                              NULL};
    const struct mg_callbacks callbacks = {.begin_request = answer,
                                           .http_error = answer_broken,
                                           .log_message = log_library,
                                           .init_connection = count_open,
                                           .connection_close = count_closed,
                                           .external_ssl_ctx = give_tls};
    struct mg_init_data init = {&callbacks, listener, settings};
    struct mg_error_data error = {.text = reason, .text_buffer_size = sizeof(reason)};

    listener->mg = mg_start2(&init, &error);
    if (!listener->mg)
        return err_set(err, ERR_INTERNAL, NULL, "could not listen on \"%s\": %s", options->listen,
                       reason);
    return OK;
}

static void listener_free(struct listener *listener) {
    SSL_CTX_free(listener->tls);
    certificate_free(listener->certificate);
    free(listener);
}

enum err http_listen(struct app *app, struct err_info *err) {
    const unsigned features = MG_FEATURES_TLS | MG_FEATURES_IPV6;
    const struct http_options *options = app->http->options;
    struct listener *listener;

    /* A library without TLS starts all the same and crashes at the first handshake. */
    if ((mg_init_library(features) & features) != features)
        return err_set(err, ERR_INTERNAL, NULL, "the HTTP library has no TLS");
    listener = calloc(1, sizeof(*listener));
    if (!listener)
        abort();
    listener->app = app;
    listener->threads = options->threads;
    listener->tls = SSL_CTX_new(TLS_server_method());
    listener->certificate = certificate_new(options->certificate, options->private_key);
    enum err started = listener->tls ? tls_load(listener->tls, listener->certificate, err)
                                     : tls_fail(err, "TLS library", "openssl");
    if (started == OK)
        started = start(listener, err);
    if (started != OK)
        listener_free(listener);
    else
        app->http->listener = listener;
    return started;
}

enum err http_certificate_reload(struct http_server *server, struct err_info *err) {
    return certificate_load(server->listener->certificate, err);
}

void http_close(struct http_server *server) {
    if (!server->listener)
        return;
    mg_stop(server->listener->mg);
    listener_free(server->listener);
    mg_exit_library();
    server->listener = NULL;
}
