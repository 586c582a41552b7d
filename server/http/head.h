/* The head of one request as it came over the wire: bytes a client chose, decoded by nobody yet.
 *
 * server.c fills it from the socket, tests fill it by hand. Everything is borrowed: it lives as
 * long as the request. Only gate.c, dispatch.c and auth/ look at it; handlers have req_header(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct http_header {
    const char *name;
    const char *value;
};

struct http_head {
    const char *method;  /* "GET" */
    const char *target;  /* the path, still percent-encoded, without the query */
    const char *query;   /* after the "?"; NULL if there is none */
    const char *version; /* "1.0" or "1.1" */
    const struct http_header *headers;
    size_t header_count;
    const char *remote; /* peer address as text */
};

/* The first header of that name, in any case; NULL if absent. The gate has refused heads that
 * repeat one of the headers a decision hangs on. */
const char *http_head_get(const struct http_head *head, const char *name);
size_t http_head_count(const struct http_head *head, const char *name);

/* Copies a cookie's value; false if there is none, if it is longer than cap - 1, or if the name
 * stands there twice: then somebody planted one of them. */
bool http_head_cookie(const struct http_head *head, const char *name, char *ret, size_t cap);
