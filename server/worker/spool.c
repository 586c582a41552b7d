/* See spool.h. The event grammar is RUNNER EVENTS in runners/event.h. */

#include "worker/spool.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/jsontext.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#define BATCH_EVENTS 500
#define BATCH_BYTES (256 * 1024)
#define LOG_TEXT_MAX 8000

enum err spool_init(struct spool *s, const char *path, struct err_info *err) {
    memset(s, 0, sizeof(*s));
    s->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (s->fd < 0)
        return err_set(err, ERR_INTERNAL, NULL, "could not create the event spool: %s",
                       strerror(errno));
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    return OK;
}

void spool_done(struct spool *s) {
    if (s->fd < 0)
        return;
    close(s->fd);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->changed);
}

static bool is_log(const json_t *event) {
    const char *type = json_string_value(json_object_get(event, "type"));
    return type && strcmp(type, "log") == 0;
}

static void append_locked(struct spool *s, const json_t *event) {
    auto_free char *text = json_dumps(event, JSON_COMPACT);
    size_t size = text ? strlen(text) : 0;
    if (!size)
        return;
    text[size++] = '\n'; /* in place of the terminator: the line is written, never printed */
    for (size_t done = 0; done < size;) {
        ssize_t n = pwrite(s->fd, text + done, size - done, (off_t)(s->bytes + (int64_t)done));
        if (n < 0 && errno != EINTR)
            return; /* a full disk loses this line whole: count and bytes stay as they were */
        done += n > 0 ? (size_t)n : 0;
    }
    s->bytes += (int64_t)size;
    s->count++;
    pthread_cond_broadcast(&s->changed);
}

static void append(struct spool *s, const json_t *event) {
    scope_lock(&s->lock);
    if (s->bytes >= SPOOL_MAX_BYTES && is_log(event)) {
        if (s->full)
            return;
        s->full = true;
        auto_json *notice = json_pack("{s:s,s:s,s:s}", "type", "log", "level", "warning", "message",
                                      "too much log output: further lines are dropped");
        append_locked(s, notice);
        return;
    }
    append_locked(s, event);
}

/* What an event must have, by type. A string member is required, "" ends the list. */
static const struct {
    const char *type;
    const char *strings[4];
    const char *object; /* required object member */
} EVENT_RULES[] = {
    {"progress", {"message", ""}, NULL},     {"metrics", {""}, "values"},
    {"log", {"level", "message", ""}, NULL}, {"artifact", {"name", "path", "media_type", ""}, NULL},
    {"state", {"state", ""}, NULL},
};

static enum err check_event(const json_t *event, struct err_info *err) {
    const char *type = json_string_value(json_object_get(event, "type"));
    for (size_t i = 0; type && i < sizeof(EVENT_RULES) / sizeof(EVENT_RULES[0]); i++) {
        if (strcmp(type, EVENT_RULES[i].type) != 0)
            continue;
        for (int k = 0; EVENT_RULES[i].strings[k][0]; k++) {
            if (!json_is_string(json_object_get(event, EVENT_RULES[i].strings[k])))
                return err_set(err, ERR_INVALID, EVENT_RULES[i].strings[k],
                               "the runner's %s event lacks \"%s\"", type,
                               EVENT_RULES[i].strings[k]);
        }
        const char *object = EVENT_RULES[i].object;
        if (object && !json_is_object(json_object_get(event, object)))
            return err_set(err, ERR_INVALID, object, "the runner's %s event lacks \"%s\"", type,
                           object);
        return OK;
    }
    return err_set(err, ERR_INVALID, "type", "the runner sent an event of no known type");
}

enum err spool_line(struct spool *s, const char *line, size_t size, struct err_info *err) {
    json_t *parsed = NULL;
    TRY(json_parse(line, size, SPOOL_LINE_MAX, &parsed, err));
    auto_json *event = parsed;
    TRY(check_event(event, err));
    append(s, event);
    return OK;
}

void spool_log(struct spool *s, const char *level, const char *text, size_t size) {
    size_t kept = size < LOG_TEXT_MAX ? size : LOG_TEXT_MAX;
    char clean[LOG_TEXT_MAX + 1];
    for (size_t i = 0; i < kept; i++)
        clean[i] = (text[i] >= 32 || text[i] == '\t' || text[i] < 0) ? text[i] : ' ';
    clean[kept] = '\0';
    json_t *message = utf8_is_valid(clean, kept) ? json_stringn(clean, kept) : NULL;
    if (!message) { /* not UTF-8: keep what is ASCII */
        for (size_t i = 0; i < kept; i++)
            clean[i] = clean[i] < 0 ? '?' : clean[i];
        message = json_stringn(clean, kept);
    }
    auto_json *event =
        json_pack("{s:s,s:s,s:o}", "type", "log", "level", level, "message", message);
    append(s, event);
}

void spool_metrics(struct spool *s, int64_t step, json_t *values) {
    auto_json *event = json_pack("{s:s,s:I,s:I,s:o}", "type", "metrics", "step", (json_int_t)step,
                                 "at_us", (json_int_t)clock_now_us(), "values", values);
    append(s, event);
}

void spool_close(struct spool *s) {
    scope_lock(&s->lock);
    s->closed = true;
    pthread_cond_broadcast(&s->changed);
}

static void wait_for_events(struct spool *s, int wait_ms) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000L;
    until.tv_sec += wait_ms / 1000 + until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    while (s->sent == s->count && !s->closed)
        if (pthread_cond_timedwait(&s->changed, &s->lock, &until) == ETIMEDOUT)
            return;
}

json_t *spool_batch(struct spool *s, int wait_ms, int64_t *ret_end, bool *ret_closed) {
    int64_t available;
    {
        scope_lock(&s->lock);
        wait_for_events(s, wait_ms);
        available = s->bytes - s->sent_at;
        *ret_closed = s->closed;
    }
    json_t *events = json_array();
    *ret_end = s->sent_at;
    /* One more line than the limit may be needed to hold at least one event. */
    size_t cap = BATCH_BYTES + SPOOL_LINE_MAX;
    size_t want = (size_t)available < cap ? (size_t)available : cap;
    auto_free char *text = malloc(want + 1);
    ssize_t got = text ? pread(s->fd, text, want, (off_t)s->sent_at) : -1;
    char *line = text;
    for (ssize_t left = got; left > 0 && json_array_size(events) < BATCH_EVENTS;) {
        char *end = memchr(line, '\n', (size_t)left);
        if (!end || line - text > BATCH_BYTES)
            break;
        json_array_append_new(events, json_loadb(line, (size_t)(end - line), 0, NULL));
        *ret_end += end + 1 - line;
        left -= end + 1 - line;
        line = end + 1;
    }
    return events;
}

void spool_ack(struct spool *s, size_t events, int64_t end) {
    scope_lock(&s->lock);
    s->sent += (int64_t)events;
    s->sent_at = end;
}
