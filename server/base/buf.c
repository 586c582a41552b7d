/* See buf.h. Running out of memory ends the process, as in the arena: callers cap what they append.
 */

#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buf_reserve(struct buf *b, size_t more) {
    if (b->cap - b->size > more)
        return;
    if (more > SIZE_MAX / 4 || b->size > SIZE_MAX / 4)
        abort();
    size_t cap = b->cap ? b->cap : 128;
    while (cap <= b->size + more)
        cap *= 2;
    b->data = realloc(b->data, cap);
    if (!b->data)
        abort();
    b->cap = cap;
}

void buf_text(struct buf *b, const char *text) {
    buf_append(b, text, strlen(text));
}

void buf_printf(struct buf *b, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(length >= 0);
    buf_reserve(b, (size_t)length);
    va_start(args, format);
    vsnprintf(b->data + b->size, (size_t)length + 1, format, args);
    va_end(args);
    b->size += (size_t)length;
}

void buf_done(struct buf *b) {
    free(b->data);
    *b = (struct buf){0};
}
