/* event.c: builds event lines and writes each whole, under one lock, with one write where the pipe
 * takes it. Every text a user can influence passes through text_of, which cuts it to a bound and
 * replaces bytes that are not UTF-8: jansson would otherwise refuse the string and the line be
 * lost. */
#include "runners/event.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct {
    pthread_mutex_t lock;
    int fd;
    double next_progress_s; /* monotonic; guarded by lock */
} events = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = STDOUT_FILENO};

void event_open(void) {
    const char *text = getenv("SLIPWAY_EVENTS_FD");
    if (!text)
        return;
    char *end;
    long fd = strtol(text, &end, 10);
    if (*text == '\0' || *end != '\0' || fd < 0 || fd > 1023) {
        fprintf(stderr, "SLIPWAY_EVENTS_FD is not a descriptor\n");
        exit(1);
    }
    events.fd = (int)fd;
}

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void write_all(const char *bytes, size_t size) {
    while (size > 0) {
        ssize_t n = write(events.fd, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            _exit(1);
        bytes += n;
        size -= (size_t)n;
    }
}

/* Sends and frees the event. */
static void send_event(json_t *event) {
    char *line = json_dumps(event, JSON_COMPACT);
    json_decref(event);
    if (!line)
        return;
    size_t size = strlen(line);
    if (size + 1 <= EVENT_MAX_BYTES) {
        line[size] = '\n'; /* in place of the terminator: one write, no copy */
        pthread_mutex_lock(&events.lock);
        write_all(line, size + 1);
        pthread_mutex_unlock(&events.lock);
    }
    free(line);
}

/* Length of the UTF-8 sequence at s, 0 when there is none; jansson checks the rest. */
static size_t utf8_length(const unsigned char *s, size_t left) {
    size_t n = s[0] < 0x80   ? 1
               : s[0] < 0xc2 ? 0
               : s[0] < 0xe0 ? 2
               : s[0] < 0xf0 ? 3
               : s[0] < 0xf5 ? 4
                             : 0;
    if (n == 0 || n > left)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    bool overlong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xf0 && s[1] < 0x90);
    bool surrogate = s[0] == 0xed && s[1] >= 0xa0;
    bool beyond = s[0] == 0xf4 && s[1] >= 0x90;
    return overlong || surrogate || beyond ? 0 : n;
}

__attribute__((format(printf, 1, 0))) static json_t *text_of(const char *fmt, va_list args) {
    char text[EVENT_TEXT_BYTES];
    int printed = vsnprintf(text, sizeof text, fmt, args);
    if (printed < 0)
        return json_string("");
    size_t size = strlen(text);
    for (size_t i = 0; i < size;) {
        size_t n = utf8_length((const unsigned char *)text + i, size - i);
        if (n == 0)
            text[i] = '?';
        i += n ? n : 1;
    }
    return json_stringn(text, size);
}

void event_progress(double fraction, double eta_s, const char *fmt, ...) {
    fraction = fraction >= 0 ? fmin(fraction, 1) : 0;
    double now = now_s();
    pthread_mutex_lock(&events.lock);
    bool due = now >= events.next_progress_s || fraction >= 1;
    if (due)
        events.next_progress_s = now + 1.0 / EVENT_PROGRESS_PER_S;
    pthread_mutex_unlock(&events.lock);
    if (!due)
        return;
    va_list args;
    va_start(args, fmt);
    json_t *event = json_pack("{s:s, s:f, s:o}", "type", "progress", "fraction", fraction,
                              "message", text_of(fmt, args));
    va_end(args);
    if (eta_s >= 0 && isfinite(eta_s))
        json_object_set_new(event, "eta_s", json_real(eta_s));
    send_event(event);
}

static json_t *number_of(double value) {
    if (isfinite(value))
        return json_real(value);
    return json_string(isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity");
}

void event_metrics(int64_t step, double epoch, const struct event_metric *metrics, size_t count) {
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    int64_t at_us = (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
    for (size_t first = 0; first < count; first += EVENT_METRICS_MAX) {
        json_t *values = json_object();
        for (size_t i = first; i < count && i < first + EVENT_METRICS_MAX; i++)
            json_object_set_new(values, metrics[i].name, number_of(metrics[i].value));
        send_event(json_pack("{s:s, s:I, s:f, s:I, s:o}", "type", "metrics", "step",
                             (json_int_t)step, "epoch", epoch, "at_us", (json_int_t)at_us, "values",
                             values));
    }
}

void event_log(enum event_level level, const char *fmt, ...) {
    static const char *const NAMES[] = {"info", "warning", "error"};
    va_list args;
    va_start(args, fmt);
    send_event(json_pack("{s:s, s:s, s:o}", "type", "log", "level", NAMES[level], "message",
                         text_of(fmt, args)));
    va_end(args);
}

void event_artifact(const char *name, const char *path, const char *media_type) {
    send_event(json_pack("{s:s, s:s, s:s, s:s}", "type", "artifact", "name", name, "path", path,
                         "media_type", media_type));
}

void event_state(const char *state) {
    send_event(json_pack("{s:s, s:s}", "type", "state", "state", state));
}
