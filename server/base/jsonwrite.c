/* See jsonwrite.h. */
#include "base/jsonwrite.h"

#include "base/real_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void separate(struct json_writer *w) {
    if (w->next)
        buf_append(w->out, ",", 1);
    w->next = true;
}

void jw_begin(struct json_writer *w, char bracket) {
    separate(w);
    buf_append(w->out, &bracket, 1);
    w->next = false;
}

void jw_end(struct json_writer *w, char bracket) {
    buf_append(w->out, &bracket, 1);
    w->next = true;
}

static bool is_plain(unsigned char c) {
    return c >= 0x20 && c != '"' && c != '\\';
}

static void escape(struct buf *out, unsigned char c) {
    static const char SHORT[] = "\"\\\b\f\n\r\t", LETTERS[] = "\"\\bfnrt";
    const char *at = strchr(SHORT, c);
    char text[8] = {'\\', at ? LETTERS[at - SHORT] : 'u'};
    if (!at)
        snprintf(text, sizeof(text), "\\u%04x", c);
    buf_text(out, text);
}

static void quote(struct buf *out, const char *text) {
    buf_append(out, "\"", 1);
    while (*text) {
        size_t plain = 0;
        while (text[plain] && is_plain((unsigned char)text[plain]))
            plain++;
        buf_append(out, text, plain);
        text += plain;
        if (*text)
            escape(out, (unsigned char)*text++);
    }
    buf_append(out, "\"", 1);
}

void jw_name(struct json_writer *w, const char *name) {
    separate(w);
    quote(w->out, name);
    buf_append(w->out, ":", 1);
    w->next = false;
}

void jw_text(struct json_writer *w, const char *text) {
    separate(w);
    if (text)
        quote(w->out, text);
    else
        buf_append(w->out, "null", 4);
}

void jw_int(struct json_writer *w, int64_t value) {
    char text[24];
    int length = snprintf(text, sizeof(text), "%" PRId64, value);
    separate(w);
    buf_append(w->out, text, (size_t)length);
}

void jw_raw(struct json_writer *w, const char *json) {
    separate(w);
    buf_text(w->out, json);
}

void jw_bool(struct json_writer *w, bool value) {
    separate(w);
    buf_text(w->out, value ? "true" : "false");
}

void jw_real(struct json_writer *w, double value) {
    char text[REAL_TEXT_SIZE];
    separate(w);
    if (isnan(value)) {
        buf_append(w->out, "\"NaN\"", 5);
        return;
    }
    if (isinf(value)) {
        buf_text(w->out, value > 0 ? "1.7976931348623157e308" : "-1.7976931348623157e308");
        return;
    }
    buf_append(w->out, text, real_to_text(value, text));
    if (!strpbrk(text, ".e"))
        buf_append(w->out, ".0", 2);
}

void jw_member_text(struct json_writer *w, const char *name, const char *text) {
    jw_name(w, name);
    jw_text(w, text);
}

void jw_member_int(struct json_writer *w, const char *name, int64_t value) {
    jw_name(w, name);
    jw_int(w, value);
}

void jw_member_begin(struct json_writer *w, const char *name, char bracket) {
    jw_name(w, name);
    jw_begin(w, bracket);
}
