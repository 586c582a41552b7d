/* A growing byte buffer on the heap, always NUL-terminated; buf_done() frees it. */
#pragma once

#include <stddef.h>
#include <string.h>

struct buf {
    char *data; /* NULL until the first byte */
    size_t size;
    size_t cap;
};

void buf_reserve(struct buf *b, size_t more); /* room for so many bytes and a NUL */

/* Inline: JSON of a page is some 30,000 small pieces, and calls were a fifth of writing it. */
static inline void buf_append(struct buf *b, const void *data, size_t size) {
    if (b->cap - b->size <= size)
        buf_reserve(b, size);
    if (size)
        memcpy(b->data + b->size, data, size);
    b->size += size;
    b->data[b->size] = '\0';
}

void buf_text(struct buf *b, const char *text);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_done(struct buf *b);

#define auto_buf __attribute__((cleanup(buf_done))) struct buf
