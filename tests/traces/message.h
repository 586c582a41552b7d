/* Protocol buffers written by hand: requests of OTLP as tests need them, right and wrong. */
#pragma once

#include "base/buf.h"

#include <stdint.h>

/* A member of that number. */
void pb_int(struct buf *out, unsigned number, uint64_t value);
void pb_fixed(struct buf *out, unsigned number, uint64_t value);
void pb_bytes(struct buf *out, unsigned number, const void *data, size_t size);
void pb_text(struct buf *out, unsigned number, const char *text);
void pb_message(struct buf *out, unsigned number, const struct buf *inner);

/* An attribute (member `number`) whose value is this member of AnyValue. */
void pb_attribute(struct buf *out, unsigned number, const char *key, const struct buf *value);

struct span_made {
    unsigned char trace, id, parent;            /* each byte of the ids; parent 0 = the root */
    const char *name, *type, *inputs, *outputs; /* NULL = without */
    const char *key, *value;                    /* a further attribute, a text; NULL = without */
    unsigned status;                            /* 1 = OK, 2 = ERROR */
    uint64_t started_ns, ended_ns;
};
void pb_span(struct buf *out, const struct span_made *span);
/* Spans as a request has them: within a scope within a resource. */
void pb_request(struct buf *out, const struct span_made *spans, size_t count);
void pb_request_of(struct buf *out, const struct buf *span); /* one that is written already */
