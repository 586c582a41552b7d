/* A growing byte buffer on the heap, always NUL-terminated; buf_done() frees it. */
#pragma once

#include <stddef.h>

struct buf {
    char *data; /* NULL until the first byte */
    size_t size;
    size_t cap;
};

void buf_append(struct buf *b, const void *data, size_t size);
void buf_text(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_done(struct buf *b);

#define auto_buf __attribute__((cleanup(buf_done))) struct buf
