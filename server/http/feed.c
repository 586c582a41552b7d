/* Server-sent events over the feed table.
 *
 * A stream holds one thread and, between looks, no database connection: it sleeps on a condition
 * that feed_wake() broadcasts after commits, looks, writes, sleeps again. It looks once a second
 * for a minute after a change, because a row becomes readable only when every older transaction has
 * ended (migrations/0002_http.sql), and every five seconds always, for changes by another process.
 *
 * Every 15 s it writes a comment, so that a reader that is gone is noticed, and asks again whether
 * the caller may be here: a stream must not outlive its session. */
#include "http/feed.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/ident.h"
#include "db/db.h"
#include "http/internal.h"
#include "sql/http.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define TOPIC_MAX 20
/* A closed tab is noticed at the second write after it; until then its stream holds a thread. */
#define HEARTBEAT_US (5 * 1000000LL)
#define LIVELY_US (60 * 1000000LL)
#define LIVELY_WAIT_MS 1000
#define IDLE_WAIT_MS 5000

struct feed {
    pthread_mutex_t lock; /* generation */
    pthread_cond_t woken;
    uint64_t generation; /* counts commits that may have written rows */
};

struct feed *feed_new(void) {
    struct feed *feed = calloc(1, sizeof(*feed));
    pthread_condattr_t monotonic;
    if (!feed)
        abort();
    pthread_mutex_init(&feed->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&feed->woken, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return feed;
}

void feed_free(struct feed *feed) {
    if (!feed)
        return;
    pthread_cond_destroy(&feed->woken);
    pthread_mutex_destroy(&feed->lock);
    free(feed);
}

void feed_wake(struct feed *feed) {
    scope_lock(&feed->lock);
    feed->generation++;
    pthread_cond_broadcast(&feed->woken);
}

/* Until somebody commits or the time is up; true if somebody did. */
static bool feed_wait(struct feed *feed, uint64_t *generation, int timeout_ms) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    scope_lock(&feed->lock);
    while (feed->generation == *generation)
        if (pthread_cond_timedwait(&feed->woken, &feed->lock, &until) == ETIMEDOUT)
            break;
    bool woken = feed->generation != *generation;
    *generation = feed->generation;
    return woken;
}

enum err feed_post(struct ctx *cx, const char *topic_kind, const char *topic_id, const char *kind) {
    return db_exec(cx, &SQL_feed_post, ARGS(cx->who.team_id, topic_kind, topic_id, kind), NULL);
}

enum err feed_post_all(struct ctx *cx, const char *topic_kind, const char *const *topic_ids,
                       size_t count, const char *kind) {
    return db_exec(cx, &SQL_feed_post_all,
                   ARGS(cx->who.team_id, topic_kind, db_text_array(cx, topic_ids, count), kind),
                   NULL);
}

enum err feed_sweep(struct ctx *cx) {
    TRY(db_exec(cx, &SQL_feed_expire, NO_ARGS, NULL));
    return db_exec(cx, &SQL_idempotency_expire, NO_ARGS, NULL);
}

struct feed_row {
    const char *xid;
    int64_t seq;
    const char *topic, *kind;
    int64_t at;
};

static const struct field FEED_ROW_FIELDS[] = {
    FIELD(STRING, struct feed_row, xid), FIELD(INT, struct feed_row, seq),
    FIELD(STRING, struct feed_row, topic), FIELD(STRING, struct feed_row, kind),
    FIELD(TIME, struct feed_row, at)};
static SHAPE(FEED_ROW, "FeedRow", struct feed_row, FEED_ROW_FIELDS);

static const struct field FEED_FIELDS[] = {
    FIELD(INT, struct feed_row, seq, .doc = "not an order: the event's id is"),
    FIELD(STRING, struct feed_row, topic, .doc = "kind and id of what changed"),
    FIELD(STRING, struct feed_row, kind, .doc = "what about it changed"),
    FIELD(TIME, struct feed_row, at)};
static SHAPE(FEED, "Feed", struct feed_row, FEED_FIELDS);

/* One open stream. Lives in the request's arena. */
struct stream {
    const struct req *rq;
    const char *topics[TOPIC_MAX];
    size_t topic_count;
    char xid[24]; /* of the last row sent; as text, for its type is PostgreSQL's */
    int64_t seq;
};

static enum err find_start(struct ctx *cx, struct stream *s) {
    const char *position = NULL;
    TRY(db_value(cx, &SQL_feed_position, NO_ARGS, &position));
    snprintf(s->xid, sizeof(s->xid), "%s", position ? position : "0");
    s->seq = INT64_MAX;
    return OK;
}

static bool send_row(struct http_io *io, const struct feed_row *row) {
    auto_json *json = field_encode(&FEED, row);
    auto_free char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    auto_buf out = {0};
    buf_printf(&out, "id: %s.%lld\ndata: %s\n\n", row->xid, (long long)row->seq,
               text ? text : "{}");
    return http_io_write(io, out.data, out.size);
}

static enum err send_rows(struct ctx *cx, struct http_io *io, struct stream *s, bool *ret_open) {
    struct list rows;
    TRY(db_many(cx, &SQL_feed_after,
                ARGS(cx->who.team_id, db_text_array(cx, s->topics, s->topic_count), s->xid,
                     db_int(cx, s->seq)),
                &FEED_ROW, &rows));
    TRY(db_commit(cx));
    const struct feed_row *row = rows.items;
    for (size_t i = 0; i < rows.count && *ret_open; i++) {
        *ret_open = send_row(io, &row[i]);
        snprintf(s->xid, sizeof(s->xid), "%s", row[i].xid);
        s->seq = row[i].seq;
    }
    return OK;
}

/* One look at the table, with memory of its own: a stream may live for hours. */
static enum err look(struct ctx *cx, struct http_io *io, struct stream *s, bool *ret_open) {
    struct ctx step;
    ctx_init(&step, cx->app);
    step.who = cx->who;
    enum err err = s->xid[0] ? OK : find_start(&step, s);
    if (err == OK)
        err = send_rows(&step, io, s, ret_open);
    cx->err = step.err;
    ctx_done(&step);
    return err;
}

static bool may_stay(struct ctx *cx, const struct stream *s) {
    struct ctx step;
    ctx_init(&step, cx->app);
    bool same = http_authenticate(&step, s->rq) == OK && step.who.kind == cx->who.kind &&
                strcmp(step.who.team_id, cx->who.team_id) == 0 && step.who.role >= ROLE_VIEWER;
    ctx_done(&step);
    return same;
}

static enum err run_stream(struct ctx *cx, struct http_io *io, void *arg) {
    struct stream *s = arg;
    uint64_t generation = 0;
    int64_t heartbeat_us = clock_mono_us(), change_us = heartbeat_us;
    bool open = http_io_write(io, "retry: 2000\n\n", 13);

    while (open) {
        TRY(look(cx, io, s, &open));
        if (!http_io_is_open(io))
            break;
        int64_t now = clock_mono_us();
        if (open && now - heartbeat_us >= HEARTBEAT_US) {
            open = may_stay(cx, s) && http_io_write(io, ": still here\n\n", 14);
            heartbeat_us = now;
        }
        bool lively = now - change_us < LIVELY_US;
        if (open && feed_wait(cx->app->feed, &generation, lively ? LIVELY_WAIT_MS : IDLE_WAIT_MS))
            change_us = clock_mono_us();
    }
    return OK;
}

static bool topic_is_valid(const char *topic) {
    size_t kind = strspn(topic, "abcdefghijklmnopqrstuvwxyz_");
    return kind > 0 && kind <= 40 && topic[kind] == ':' && uuid_is_valid(topic + kind + 1);
}

static enum err parse_topics(struct ctx *cx, const char *text, struct stream *s) {
    for (const char *at = text; *at;) {
        size_t length = strcspn(at, ",");
        const char *topic = arena_strndup(cx->arena, at, length);
        if (s->topic_count == TOPIC_MAX || !topic_is_valid(topic))
            return fail_field(cx, ERR_INVALID, "topics",
                              "topics are up to %d of the form kind:id, with commas", TOPIC_MAX);
        s->topics[s->topic_count++] = topic;
        at += length + (at[length] == ',');
    }
    return OK;
}

/* "xid.seq" as we wrote it; anything else starts at the present. */
static void resume(struct stream *s, const char *id) {
    size_t digits = id ? strspn(id, "0123456789") : 0;
    if (digits == 0 || digits >= 20 || id[digits] != '.')
        return;
    const char *seq = id + digits + 1;
    size_t seq_digits = strspn(seq, "0123456789");
    if (seq_digits == 0 || seq_digits > 18 || seq[seq_digits])
        return;
    snprintf(s->xid, sizeof(s->xid), "%.*s", (int)digits, id);
    s->seq = strtoll(seq, NULL, 10);
}

struct events_query {
    const char *topics;
};

static const struct field EVENTS_QUERY_FIELDS[] = {
    FIELD(STRING, struct events_query, topics, .flags = FIELD_REQUIRED, .min = 1, .max = 2000,
          .doc = "what to hear about: run:<id>,job:<id>,…")};
static SHAPE(EVENTS_QUERY, "EventsQuery", struct events_query, EVENTS_QUERY_FIELDS);

static enum err get_events(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct events_query *query = rq->query;
    struct stream *s = arena_new_struct(cx->arena, struct stream);
    s->rq = rq;
    TRY(parse_topics(cx, query->topics, s));
    resume(s, req_header(rq, "last-event-id"));
    reply_stream(rp, &(struct reply_stream){"text/event-stream; charset=utf-8", run_stream, s});
    return OK;
}

const struct route FEED_ROUTES[] = {
    {GET, "/api/v1/events", SCOPE_PROJECT_READ, .query = &EVENTS_QUERY, .reply = &FEED,
     .handle = get_events, .rate = RATE_STREAM,
     .doc = "Changes as they happen, as server-sent events; resumable by Last-Event-ID."},
};
const size_t FEED_ROUTE_COUNT = ROUTES_COUNT(FEED_ROUTES);
