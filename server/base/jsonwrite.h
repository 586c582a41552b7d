/* JSON written straight into a buffer, for replies too large to be built as a tree first.
 *
 * The writer sets commas; names and values must alternate as JSON wants them, which nobody checks.
 * Text is UTF-8 and is escaped as JSON needs it. Numbers are the shortest that read back the same;
 * what JSON cannot say is written as MLflow's clients expect it: "NaN", and the greatest finite
 * number for infinity. */
#pragma once

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct json_writer {
    struct buf *out;
    bool next; /* a comma is due before the next name or value */
};

void jw_begin(struct json_writer *w, char bracket); /* '{' or '[' */
void jw_end(struct json_writer *w, char bracket);   /* '}' or ']' */
void jw_name(struct json_writer *w, const char *name);
/* A name in the source that needs no escapes: JW_NAME(w, "key"). For what is written thousands of
 * times a reply. */
#define JW_NAME(w, name) jw_quoted_name(w, "\"" name "\":", sizeof("\"" name "\":") - 1)
static inline void jw_quoted_name(struct json_writer *w, const char *text, size_t size) {
    if (w->next)
        buf_append(w->out, ",", 1);
    buf_append(w->out, text, size);
    w->next = false;
}
void jw_text(struct json_writer *w, const char *text); /* NULL is null */
void jw_int(struct json_writer *w, int64_t value);
void jw_real(struct json_writer *w, double value);
void jw_raw(struct json_writer *w, const char *json); /* as it stands */
void jw_bool(struct json_writer *w, bool value);

/* A member in one call. */
void jw_member_text(struct json_writer *w, const char *name, const char *text);
void jw_member_int(struct json_writer *w, const char *name, int64_t value);
void jw_member_begin(struct json_writer *w, const char *name, char bracket);
