/* Raw bytes over TLS to a server on this machine: what no HTTP library would send. Header-only: two
 * test programs use it. */
#pragma once

#include "base/buf.h"
#include "base/clock.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct tls_client {
    int fd;
    SSL *ssl;
};

static inline int tcp_connect(int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
        return fd;
    close(fd);
    return -1;
}

static inline SSL_CTX *tls_context(void) {
    static SSL_CTX *context;
    if (!context) {
        context = SSL_CTX_new(TLS_client_method());
        /* SSL_read() must come back after a session ticket instead of waiting for data. */
        SSL_CTX_clear_mode(context, SSL_MODE_AUTO_RETRY);
    }
    return context;
}

static inline bool tls_open(struct tls_client *c, int port) {
    c->fd = tcp_connect(port);
    c->ssl = SSL_new(tls_context());
    SSL_set_fd(c->ssl, c->fd);
    return c->fd >= 0 && SSL_connect(c->ssl) == 1;
}

static inline void tls_close(struct tls_client *c) {
    SSL_free(c->ssl);
    close(c->fd);
}

static inline bool tls_send(struct tls_client *c, const void *data, size_t size) {
    return SSL_write(c->ssl, data, (int)size) == (int)size;
}

/* Everything the server says until it closes or has been silent for timeout_ms; true = closed. */
static inline bool tls_drain(struct tls_client *c, struct buf *out, int timeout_ms) {
    char piece[4096];
    for (;;) {
        struct pollfd p = {c->fd, POLLIN, 0};
        if (SSL_pending(c->ssl) == 0 && poll(&p, 1, timeout_ms) <= 0)
            return false;
        int n = SSL_read(c->ssl, piece, sizeof(piece));
        if (n <= 0 && SSL_get_error(c->ssl, n) == SSL_ERROR_WANT_READ)
            continue;
        if (n <= 0)
            return true;
        buf_append(out, piece, (size_t)n);
    }
}

static inline int count_replies(const struct buf *out) {
    int count = 0;
    for (const char *at = out->data; at && (at = strstr(at, "HTTP/1.1 ")); at++)
        count++;
    return count;
}
