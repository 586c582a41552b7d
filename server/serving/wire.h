/* One request to a predict runner and its answer, over a connected stream socket.
 *
 * Both directions: u32 header length, header (JSON, at most 64 KiB), u32 body length, body (at most
 * 64 MiB); integers little-endian. One request at a time a connection. The body is the client's,
 * untouched; the answer's body goes to the client as it is. */
#pragma once

#include "base/arena.h"

#include <stddef.h>
#include <stdint.h>

#define WIRE_MAX_HEADER ((size_t)64 << 10)
#define WIRE_MAX_BODY ((size_t)64 << 20)

struct wire_request {
    const char *content; /* "json" | "binary" | "image" */
    int64_t json_length; /* binary only: bytes of JSON before the tensors; -1 otherwise */
    const char *id;      /* of the HTTP request, for the runner's log */
    const void *body;
    size_t body_size;
};

struct wire_reply {
    int status;
    const char *content_type; /* in the arena, like body */
    int64_t json_length;      /* binary answers: Inference-Header-Content-Length; -1 otherwise */
    int64_t compute_us;       /* of the runner: decoding, the forward pass, encoding; -1 = untold */
    const char *body;
    size_t body_size;
};

enum wire_result {
    WIRE_OK,
    WIRE_GONE,   /* closed before a byte of the answer came: another connection may do */
    WIRE_BROKEN, /* closed in the middle, or no frame: the runner is at fault */
    WIRE_TIMEOUT
};

/* deadline_us: monotonic. After anything but WIRE_OK the connection is only good for closing. */
enum wire_result wire_exchange(int fd, struct arena *arena, const struct wire_request *request,
                               int64_t deadline_us, struct wire_reply *ret);
/* A connection to a runner's socket; -1 with errno set when nobody listens. */
int wire_connect(const char *path);
