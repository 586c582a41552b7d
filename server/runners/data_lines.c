/* data_lines.c: see data_lines.h. The parsers behind it are DuckDB's; what they say about broken
 * text depends on how they split the file among threads, so the questions with a plain answer are
 * asked here, line by line, in constant memory. */
#include "runners/data_lines.h"

#include <duckdb.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { READ_BYTES = 256 * 1024 };

struct scan {
    struct import *im;
    gzFile file;
    line_fn each;
    struct lines *lines;
    char *buffer;   /* LINE_BYTES_MAX + READ_BYTES */
    size_t size;    /* bytes in it: the beginning of a line, then unseen ones */
    int64_t number; /* of the line at the start of the buffer */
    int64_t bytes_out;
};

enum run refuse_line(struct import *im, const struct runner_input *in, int64_t number,
                     enum refusal code, const char *fmt, ...) {
    char text[512], place[32];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    snprintf(place, sizeof place, "line %lld", (long long)number);
    return refuse_input(im, code, in, place, "%s", text);
}

void lines_done(struct lines *lines) {
    free(lines->first);
    *lines = (struct lines){0};
}

static bool is_utf8(const char *text, size_t size) {
    duckdb_error_data error = duckdb_valid_utf8_check(text, size);
    bool valid = error == NULL;
    duckdb_destroy_error_data(&error);
    return valid;
}

static bool is_blank(const char *line, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
            return false;
    return true;
}

static enum run keep_first(struct scan *s, const char *line, size_t size) {
    if (s->lines->count++ > 0)
        return RUN_DONE;
    s->lines->first = malloc(size + 1);
    if (!s->lines->first)
        return crash(s->im->rn, "memory is short for a line of %zu bytes", size);
    memcpy(s->lines->first, line, size);
    s->lines->first_size = size;
    return RUN_DONE;
}

static enum run check_line(struct scan *s, const char *line, size_t size) {
    const struct runner_input *in = s->lines->in;
    int64_t number = s->number++;
    if (number == 1 && size >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
        line += 3; /* byte order mark */
        size -= 3;
    }
    if (memchr(line, '\0', size))
        return refuse_line(s->im, in, number, REFUSE_INVALID_DATA, "the line holds a NUL byte");
    if (!is_utf8(line, size))
        return refuse_line(s->im, in, number, REFUSE_INVALID_DATA,
                           "the line is not UTF-8; save the file as UTF-8");
    if (size > 0 && line[size - 1] == '\r')
        size--;
    if (is_blank(line, size))
        return RUN_DONE;
    TRY(keep_first(s, line, size));
    return s->each ? s->each(s->im, in, number, line, size) : RUN_DONE;
}

/* Checks the whole lines of the buffer and moves the unfinished one to its start. seen bytes of it
 * are known to hold no line end. */
static enum run check_lines(struct scan *s, size_t seen) {
    char *line = s->buffer, *end = s->buffer + s->size, *from = s->buffer + seen;
    for (char *stop; (stop = memchr(from, '\n', (size_t)(end - from))) != NULL; from = line) {
        TRY(check_line(s, line, (size_t)(stop - line)));
        line = stop + 1;
    }
    s->size = (size_t)(end - line);
    memmove(s->buffer, line, s->size);
    if (s->size > LINE_BYTES_MAX)
        return refuse_line(s->im, s->lines->in, s->number, REFUSE_TOO_LARGE,
                           "the line is longer than %d MiB", LINE_BYTES_MAX >> 20);
    return RUN_DONE;
}

/* zlib puts the path before its words. */
static enum run refuse_gzip(struct scan *s, const char *why) {
    const char *colon = strstr(why, ": ");
    return refuse_line(s->im, s->lines->in, s->number, REFUSE_INVALID_DATA,
                       "the gzip data is damaged or cut short: %s", colon ? colon + 2 : why);
}

static enum run scan_file(struct scan *s) {
    for (;;) {
        int code, n = gzread(s->file, s->buffer + s->size, READ_BYTES);
        const char *why = gzerror(s->file, &code);
        if (n < 0 && code == Z_ERRNO)
            return crash(s->im->rn, "could not read %s: %s", s->lines->in->path, strerror(errno));
        if (n < 0 || (n == 0 && code == Z_BUF_ERROR))
            return refuse_gzip(s, why);
        if (n == 0)
            break;
        size_t seen = s->size;
        s->size += (size_t)n;
        s->bytes_out += n;
        if (s->lines->gzipped)
            TRY(import_check_ratio(s->im, s->lines->in, s->bytes_out));
        TRY(check_lines(s, seen));
        TRY(import_progress(
            s->im, 0.1 * (double)gzoffset(s->file) / (double)(s->lines->in->size_bytes + 1),
            "checking the text"));
    }
    if (s->size > 0)
        TRY(check_line(s, s->buffer, s->size));
    if (s->lines->count == 0)
        return refuse_input(s->im, REFUSE_INVALID_DATA, s->lines->in, NULL, "the file is empty");
    return RUN_DONE;
}

/* UTF-16 is the common wrong encoding; its mark deserves its own sentence. */
static enum run check_encoding(struct import *im, const struct runner_input *in, gzFile file) {
    unsigned char mark[2] = {0};
    int n = gzread(file, mark, sizeof mark);
    if (n == 2 && ((mark[0] == 0xff && mark[1] == 0xfe) || (mark[0] == 0xfe && mark[1] == 0xff)))
        return refuse_input(im, REFUSE_UNSUPPORTED, in, "byte 0",
                            "the file is UTF-16; save it as UTF-8");
    gzrewind(file);
    return RUN_DONE;
}

enum run lines_check(struct import *im, const struct runner_input *in, line_fn each,
                     struct lines *ret) {
    *ret = (struct lines){.in = in};
    struct scan s = {.im = im, .file = gzopen(in->path, "rb"), .each = each, .lines = ret};
    if (!s.file)
        return crash(im->rn, "could not open %s: %s", in->path, strerror(errno));
    s.number = 1;
    s.buffer = malloc(LINE_BYTES_MAX + READ_BYTES);
    enum run status =
        s.buffer ? check_encoding(im, in, s.file) : crash(im->rn, "memory is short to read text");
    ret->gzipped = !gzdirect(s.file);
    if (status == RUN_DONE)
        status = scan_file(&s);
    gzclose(s.file);
    free(s.buffer);
    return status;
}
