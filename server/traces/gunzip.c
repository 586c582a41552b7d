/* gunzip.c: see gunzip.h. */
#include "traces/gunzip.h"

#include "base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <zlib.h>

#define GZIP_WINDOW (15 + 16) /* the largest window; with gzip's head and check */
#define PIECE_SIZE 65536

static enum err refuse(struct err_info *err, enum err code, const char *why) {
    err->code = code;
    snprintf(err->message, sizeof(err->message), "%s", why);
    return code;
}

static enum err inflate_all(z_stream *z, size_t max, struct buf *out, struct err_info *err) {
    unsigned char piece[PIECE_SIZE];
    int state = Z_OK;
    while (state == Z_OK) {
        z->next_out = piece;
        z->avail_out = sizeof(piece);
        state = inflate(z, Z_NO_FLUSH);
        if (state != Z_OK && state != Z_STREAM_END)
            return refuse(err, ERR_INVALID, "the body is not gzipped, or not to its end");
        buf_append(out, piece, sizeof(piece) - z->avail_out);
        if (out->size > max)
            return refuse(err, ERR_TOO_LARGE, "the body is too large when it is unpacked");
    }
    return OK;
}

enum err gunzip(struct arena *arena, const void *data, size_t size, size_t max, char **ret_data,
                size_t *ret_size, struct err_info *err) {
    auto_buf out = {0};
    z_stream z = {.next_in = (Bytef *)(uintptr_t)data, .avail_in = (uInt)size};
    if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
        return refuse(err, ERR_UNAVAILABLE, "there is no memory to unpack the body");
    enum err unpacked = inflate_all(&z, max, &out, err);
    inflateEnd(&z);
    if (unpacked != OK)
        return unpacked;
    *ret_data = arena_memdup(arena, out.data ? out.data : "", out.size + 1);
    *ret_size = out.size;
    return OK;
}
