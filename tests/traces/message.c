/* See message.h. */
#include "tests/traces/message.h"

#include <string.h>

static void varint(struct buf *out, uint64_t value) {
    for (; value > 0x7f; value >>= 7) {
        unsigned char byte = (unsigned char)(value | 0x80);
        buf_append(out, &byte, 1);
    }
    unsigned char last = (unsigned char)value;
    buf_append(out, &last, 1);
}

void pb_int(struct buf *out, unsigned number, uint64_t value) {
    varint(out, (uint64_t)number << 3);
    varint(out, value);
}

void pb_fixed(struct buf *out, unsigned number, uint64_t value) {
    unsigned char bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
    varint(out, (uint64_t)number << 3 | 1);
    buf_append(out, bytes, sizeof(bytes));
}

void pb_bytes(struct buf *out, unsigned number, const void *data, size_t size) {
    varint(out, (uint64_t)number << 3 | 2);
    varint(out, size);
    buf_append(out, data, size);
}

void pb_text(struct buf *out, unsigned number, const char *text) {
    pb_bytes(out, number, text, strlen(text));
}

void pb_message(struct buf *out, unsigned number, const struct buf *inner) {
    pb_bytes(out, number, inner->data ? inner->data : "", inner->size);
}

void pb_attribute(struct buf *out, unsigned number, const char *key, const struct buf *value) {
    auto_buf pair = {0};
    pb_text(&pair, 1, key);
    pb_message(&pair, 2, value);
    pb_message(out, number, &pair);
}

static void attribute(struct buf *out, const char *key, const char *text) {
    auto_buf value = {0};
    if (!text)
        return;
    pb_text(&value, 1, text);
    pb_attribute(out, 9, key, &value);
}

static void id(struct buf *out, unsigned number, unsigned char byte, size_t size) {
    unsigned char bytes[16];
    memset(bytes, byte, sizeof(bytes));
    pb_bytes(out, number, bytes, size);
}

void pb_span(struct buf *out, const struct span_made *span) {
    auto_buf status = {0};
    id(out, 1, span->trace, 16);
    id(out, 2, span->id, 8);
    if (span->parent)
        id(out, 4, span->parent, 8);
    pb_text(out, 5, span->name ? span->name : "");
    pb_int(out, 6, 1);
    pb_fixed(out, 7, span->started_ns);
    pb_fixed(out, 8, span->ended_ns);
    attribute(out, "mlflow.spanType", span->type);
    attribute(out, "mlflow.spanInputs", span->inputs);
    attribute(out, "mlflow.spanOutputs", span->outputs);
    if (span->key)
        attribute(out, span->key, span->value);
    pb_int(&status, 3, span->status);
    pb_message(out, 15, &status);
}

static void wrap(struct buf *out, const struct buf *scope) {
    auto_buf resource = {0};
    pb_message(&resource, 2, scope);
    pb_message(out, 1, &resource);
}

void pb_request(struct buf *out, const struct span_made *spans, size_t count) {
    auto_buf scope = {0};
    for (size_t i = 0; i < count; i++) {
        auto_buf span = {0};
        pb_span(&span, &spans[i]);
        pb_message(&scope, 2, &span);
    }
    wrap(out, &scope);
}

void pb_request_of(struct buf *out, const struct buf *span) {
    auto_buf scope = {0};
    pb_message(&scope, 2, span);
    wrap(out, &scope);
}
