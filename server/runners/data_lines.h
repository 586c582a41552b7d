/* data_lines.h: a text file looked through once, before a parser sees it. */
#ifndef SLIPWAY_RUNNERS_DATA_LINES_H
#define SLIPWAY_RUNNERS_DATA_LINES_H

#include "runners/data.h"

enum { LINE_BYTES_MAX = 4 << 20 };

struct lines {
    const struct runner_input *in;
    bool gzipped;
    int64_t count; /* lines that are not blank */
    char *first;   /* the first of them, without its end; owned */
    size_t first_size;
};

#define auto_lines __attribute__((cleanup(lines_done)))

/* What else a line has to be; number counts from 1. May be NULL. */
typedef enum run (*line_fn)(struct import *im, const struct runner_input *in, int64_t number,
                            const char *line, size_t size);

/* Refuses NUL bytes, what is not UTF-8, lines above LINE_BYTES_MAX, damaged gzip and empty files,
 * naming the line. */
MUST_USE enum run lines_check(struct import *im, const struct runner_input *in, line_fn each,
                              struct lines *ret);
void lines_done(struct lines *lines);

/* Refuses naming "line N". */
MUST_USE enum run refuse_line(struct import *im, const struct runner_input *in, int64_t number,
                              enum refusal code, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* For JSON Lines: each line is one flat object. (data_jsonl.c) */
MUST_USE enum run jsonl_check(struct import *im, const struct runner_input *in, int64_t number,
                              const char *line, size_t size);

#endif
