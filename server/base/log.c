/* See log.h. A line is built on the stack and written by one write(2), so that lines of many
 * threads and processes never mix. */

#include "base/log.h"

#include "base/clock.h"
#include "base/ident.h"

#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 8192
#define LINE_TAIL 32 /* room kept for ',"truncated":true}' and the newline */

static _Atomic int least_level = LOG_INFO;
static _Thread_local char context_request[64];
static _Thread_local char context_who[128];

struct line {
    char text[LINE_MAX_BYTES];
    size_t size;
    bool full;
};

void log_init(enum log_level least) {
    atomic_store(&least_level, (int)least);
}

void log_context(const char *request_id, const char *principal) {
    snprintf(context_request, sizeof(context_request), "%s", request_id ? request_id : "");
    snprintf(context_who, sizeof(context_who), "%s", principal ? principal : "");
}

static void put(struct line *l, const char *text, size_t size) {
    if (l->full || size > LINE_MAX_BYTES - LINE_TAIL - l->size) {
        l->full = true;
        return;
    }
    memcpy(l->text + l->size, text, size);
    l->size += size;
}

static void put_text(struct line *l, const char *text) {
    put(l, text, strlen(text));
}

/* As a JSON string. Bytes that are no UTF-8 come out as U+FFFD: a log line is always valid JSON. */
static void put_string(struct line *l, const char *text) {
    put(l, "\"", 1);
    for (const char *p = text; *p && !l->full;) {
        char escape[8];
        size_t n = 1;
        while (n < 4 && p[n] && !utf8_is_valid(p, n))
            n++;
        if (!utf8_is_valid(p, n)) {
            put_text(l, "\xef\xbf\xbd");
            n = 1;
        } else if (*p == '"' || *p == '\\') {
            put(l, (char[]){'\\', *p}, 2);
        } else if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)(unsigned char)*p);
            put_text(l, escape);
        } else {
            put(l, p, n);
        }
        p += n;
    }
    put(l, "\"", 1);
}

static void put_field(struct line *l, const struct log_field *f) {
    size_t size_before = l->size;
    char number[40];
    put(l, ",", 1);
    put_string(l, f->name);
    put(l, ":", 1);
    if (f->type == LOG_INT) {
        snprintf(number, sizeof(number), "%lld", (long long)f->number);
        put_text(l, number);
    } else if (f->type == LOG_REAL) {
        snprintf(number, sizeof(number), isfinite(f->real) ? "%.9g" : "\"%g\"", f->real);
        put_text(l, number);
    } else if (f->text) {
        put_string(l, f->text);
    } else {
        put_text(l, "null");
    }
    /* A field that did not fit is left out as a whole, so that the line stays JSON. */
    if (l->full)
        l->size = size_before;
}

void log_fields(enum log_level level, const char *event, const struct log_field *fields,
                int count) {
    if ((int)level < atomic_load_explicit(&least_level, memory_order_relaxed))
        return;
    static const char *const names[] = {"debug", "info", "warning", "error"};
    struct line l;
    l.size = 0;
    l.full = false;
    char at[TIME_TEXT_SIZE];
    time_to_string(clock_now_us(), at);
    put_text(&l, "{\"at\":\"");
    put_text(&l, at);
    put_text(&l, "\",\"level\":\"");
    put_text(&l, names[level]);
    put_text(&l, "\",\"event\":");
    put_string(&l, event);
    if (*context_request)
        put_field(&l, &LOG_T("request_id", context_request));
    if (*context_who)
        put_field(&l, &LOG_T("who", context_who));
    for (int i = 0; i < count; i++)
        put_field(&l, &fields[i]);
    const char *tail = l.full ? ",\"truncated\":true}\n" : "}\n";
    memcpy(l.text + l.size, tail, strlen(tail));
    l.size += strlen(tail);
    /* Nobody is left to tell when standard error itself fails. */
    if (write(STDERR_FILENO, l.text, l.size) < 0)
        return;
}
