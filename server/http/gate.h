/* What stands in front of every request: a pure function from its head to a verdict.
 *
 * The library under us reads requests leniently (two lengths, a length beside chunked coding, lines
 * dropped after the 64th, paths cleaned up), and a lenient reader behind a proxy, or in front of
 * our own routes, is how requests are smuggled. So nothing of the head is believed until every rule
 * of gate.c has passed, in the order of its table; one refusal ends the connection, because after a
 * head we do not understand nobody can say where the next request starts. */
#pragma once

#include "http/head.h"

#include <stdint.h>

#define GATE_PATH_MAX 4096   /* bytes of the raw path: a name of 1,024 bytes, percent-encoded */
#define GATE_QUERY_MAX 15360 /* bytes of the raw query: hundreds of run ids, a long filter */
#define GATE_HEADER_MAX 60   /* headers; the library drops what comes after its 64th */

struct gate_rules {
    const char *const *hosts; /* names we answer to, lower case, without port; NULL-terminated */
};

struct gate_verdict {
    int status;         /* 0 = let it pass, else the status of the refusal */
    const char *reason; /* of a refusal: one sentence for the client */
    bool close;         /* the connection must end after the reply, even when the request passes */
};

/* What a request that passed turned out to be. */
struct gate_request {
    int method;                   /* enum method of http.h */
    char path[GATE_PATH_MAX + 1]; /* decoded once; no "//"-cleaning, no dot segments, no controls */
    int64_t content_length;       /* 0 = no body; -1 = chunked */
};

struct gate_verdict gate_check(const struct gate_rules *rules, const struct http_head *head,
                               struct gate_request *ret);

/* Percent-decodes a path once. Refuses (false) bad escapes, encoded separators, control characters,
 * text that is not UTF-8 and segments "." and "..". ret holds strlen(raw) + 1 bytes. */
bool gate_decode_path(const char *raw, char *ret);
