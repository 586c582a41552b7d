/* Everything that comes after a request's head: limits, the body's bytes at a bearable pace, JSON
 * and query strings into structs.
 *
 * Two clocks run against slow senders, because the library below has none for a whole body: a
 * document must be here within 10 s, an upload must bring 64 KiB in any 10 s. A body that ends
 * early is an error on every path: nothing of it may be committed. */
#include "http/internal.h"

#include "base/clock.h"
#include "base/ident.h"
#include "base/jsontext.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#define JSON_MAX_BODY ((size_t)1 << 20)
#define DOCUMENT_TIME_US (10 * 1000000LL)
#define PACE_WINDOW_US (10 * 1000000LL)
#define PACE_BYTES (64 * 1024)
#define QUERY_MEMBERS_MAX 64
#define READ_SIZE 16384

static bool has_body(const struct http_call *call) {
    return call->request.content_length != 0;
}

size_t body_limit(const struct route *route) {
    if (route->max_body)
        return route->max_body;
    return (route->flags & ROUTE_STREAM_BODY) ? (size_t)INT64_MAX : JSON_MAX_BODY;
}

/* The part before parameters, in lower case. */
static const char *media_type_of(struct http_call *call, const char *header) {
    if (!header)
        return "";
    char *type = arena_strndup(call->cx->arena, header, strcspn(header, "; \t"));
    for (char *p = type; *p; p++)
        if (*p >= 'A' && *p <= 'Z')
            *p = (char)(*p + 'a' - 'A');
    return type;
}

bool is_utf8_json(const char *header) {
    if (!header || strncasecmp(header, "application/json", 16) != 0)
        return false;
    const char *rest = header + 16 + strspn(header + 16, " \t");
    if (*rest != ';')
        return *rest == '\0';
    rest += 1 + strspn(rest + 1, " \t");
    return strcasecmp(rest, "charset=utf-8") == 0 || strcasecmp(rest, "charset=\"utf-8\"") == 0;
}

enum err body_check(struct http_call *call) {
    struct ctx *cx = call->cx;
    const struct route *route = call->rq.route;
    const char *encoding = http_head_get(call->rq.head, "content-encoding");
    bool streamed = (route->flags & (ROUTE_STREAM_BODY | ROUTE_RAW_BODY)) != 0;

    call->rq.content_type = media_type_of(call, http_head_get(call->rq.head, "content-type"));
    call->rq.content_length = call->request.content_length;
    if (has_body(call) && !route->body && !streamed && !(route->flags & ROUTE_MLFLOW))
        return fail(cx, ERR_INVALID, "this request takes no body");
    if (call->request.content_length < 0 && !streamed)
        return fail(cx, ERR_INVALID, "this request needs a content-length");
    bool gzip = (route->flags & ROUTE_GZIP_BODY) && encoding && strcasecmp(encoding, "gzip") == 0;
    if (has_body(call) && encoding && !gzip && strcasecmp(encoding, "identity") != 0)
        return fail(cx, ERR_INVALID, "compressed request bodies are not accepted");
    if (call->request.content_length > 0 &&
        (uint64_t)call->request.content_length > body_limit(route))
        return fail(cx, ERR_TOO_LARGE, "the body is larger than %zu bytes", body_limit(route));
    /* MLflow's messages say it in their own words, and not of every method: message.c. */
    if (has_body(call) && route->body && !(route->flags & ROUTE_MLFLOW) &&
        !is_utf8_json(http_head_get(call->rq.head, "content-type")))
        return fail(cx, ERR_INVALID, "the content-type must be application/json in UTF-8");
    return OK;
}

/* How long the next bytes may take. Only waiting for the sender counts, not what we do between. */
static int64_t time_left(struct http_call *call) {
    int64_t window = call->rq.route->body ? DOCUMENT_TIME_US : PACE_WINDOW_US;
    if (!call->rq.route->body && call->body_received - call->pace_bytes >= PACE_BYTES) {
        call->pace_waited_us = 0;
        call->pace_bytes = call->body_received;
    }
    return window - call->pace_waited_us;
}

static enum err body_read(struct http_call *call, void *buffer, size_t cap, size_t *ret_size) {
    int64_t length = call->request.content_length;
    if (call->body_ended || !has_body(call)) {
        *ret_size = 0;
        return OK;
    }
    if (length > 0 && (uint64_t)(length - call->body_received) < cap)
        cap = (size_t)(length - call->body_received);
    int64_t started_us = clock_mono_us();
    int64_t deadline_us = started_us + time_left(call);
    ssize_t n = call->io->ops->read(call->io, buffer, cap, deadline_us);
    int64_t now_us = clock_mono_us();
    if (n < 0 || (n == 0 && length > 0))
        return fail(call->cx, ERR_INVALID,
                    now_us >= deadline_us ? "the body arrives too slowly"
                                          : "the body ended before its announced length");
    call->pace_waited_us += now_us - started_us;
    call->body_received += n;
    call->body_ended = n == 0 || call->body_received == length;
    if ((uint64_t)call->body_received > body_limit(call->rq.route))
        return fail(call->cx, ERR_TOO_LARGE, "the body is larger than %zu bytes",
                    body_limit(call->rq.route));
    *ret_size = (size_t)n;
    return OK;
}

enum err req_read(struct ctx *cx, const struct req *rq, void *buffer, size_t cap,
                  size_t *ret_size) {
    struct http_call *call = call_of(rq);
    (void)cx;
    if (call->payer[0])
        fairness_pace(call->server->fairness, call->payer, call_take_cost(call));
    return body_read(call, buffer, cap, ret_size);
}

static void release_buf(void *data) {
    buf_done(data);
}

/* Grows with what has arrived, not with what was announced: a lying length costs nobody memory. */
enum err body_read_whole(struct http_call *call) {
    struct buf *body = arena_new_struct(call->cx->arena, struct buf);
    char *piece = arena_alloc(call->cx->arena, READ_SIZE);
    size_t n = 1;

    arena_defer(call->cx->arena, release_buf, body);
    while (n > 0) {
        TRY(body_read(call, piece, READ_SIZE, &n));
        buf_append(body, piece, n);
    }
    call->body_text = body->data ? body->data : "";
    call->body_size = body->size;
    return OK;
}

static void json_release(void *json) {
    json_decref(json);
}

static enum err decode_json(struct http_call *call) {
    struct ctx *cx = call->cx;
    const struct shape *shape = call->rq.route->body;
    json_t *json = NULL;

    TRY(body_read_whole(call));
    if (call->body_size == 0)
        return fail(cx, ERR_INVALID, "the request needs a JSON body");
    enum err parsed =
        json_parse(call->body_text, call->body_size, body_limit(call->rq.route), &json, &cx->err);
    if (parsed != OK)
        return parsed;
    arena_defer(cx->arena, json_release, json);
    if (!json_is_object(json))
        return fail(cx, ERR_INVALID, "the body is not a JSON object");
    void *body = arena_alloc(cx->arena, shape->size);
    enum err decoded = field_decode(cx->arena, shape, json, body, &call->rq.body_seen, &cx->err);
    call->rq.body = body;
    return decoded;
}

enum err body_decode(struct http_call *call) {
    const struct route *route = call->rq.route;
    if (route->flags & ROUTE_MLFLOW && !(route->flags & ROUTE_RAW_BODY))
        return OK;
    if (route->body)
        return decode_json(call);
    if (!(route->flags & ROUTE_RAW_BODY))
        return OK;
    TRY(body_read_whole(call));
    call->rq.raw = call->body_text;
    call->rq.raw_size = call->body_size;
    return OK;
}

static int hex_value(char c) {
    const char *digits = "0123456789abcdef";
    const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + 'a' - 'A' : c) : NULL;
    return at ? (int)(at - digits) : -1;
}

const char *query_text(struct arena *arena, const char *raw, size_t length) {
    char *text = arena_alloc(arena, length + 1);
    size_t size = 0;
    for (size_t i = 0; i < length; i++) {
        char c = raw[i] == '+' ? ' ' : raw[i];
        if (c == '%') {
            int high = i + 2 < length ? hex_value(raw[i + 1]) : -1;
            int low = i + 2 < length ? hex_value(raw[i + 2]) : -1;
            if (high < 0 || low < 0)
                return NULL;
            c = (char)(high * 16 + low);
            i += 2;
        }
        text[size++] = c;
    }
    return utf8_is_valid(text, size) ? text : NULL;
}

static enum err decode_member(struct http_call *call, const char *raw, size_t length, void *ret,
                              uint64_t *seen) {
    struct ctx *cx = call->cx;
    const struct shape *shape = call->rq.route->query;
    const char *equals = memchr(raw, '=', length);
    size_t name_length = equals ? (size_t)(equals - raw) : length;
    const char *name = query_text(cx->arena, raw, name_length);
    const char *value = equals ? query_text(cx->arena, equals + 1, length - name_length - 1) : "";

    if (!name || !value)
        return fail(cx, ERR_INVALID, "the query is not well-formed");
    const struct field *field = shape ? field_find(shape, name) : NULL;
    if (!field)
        return (call->rq.route->flags & ROUTE_V2)
                   ? OK
                   : fail_field(cx, ERR_INVALID, name, "this query member is not known");
    uint64_t bit = (uint64_t)1 << (size_t)(field - shape->fields);
    if (*seen & bit)
        return fail_field(cx, ERR_INVALID, name, "this query member is given twice");
    *seen |= bit;
    return field_decode_text(cx->arena, field, value, ret, &cx->err);
}

static enum err check_required(struct http_call *call, uint64_t seen) {
    const struct shape *shape = call->rq.route->query;
    for (size_t i = 0; shape && i < shape->field_count; i++)
        if ((shape->fields[i].flags & FIELD_REQUIRED) && !(seen >> i & 1))
            return fail_field(call->cx, ERR_INVALID, shape->fields[i].name,
                              "this query member is missing");
    return OK;
}

void shape_set_absent(const struct shape *shape, void *object) {
    for (size_t i = 0; i < shape->field_count; i++) {
        const struct field *field = &shape->fields[i];
        void *member = (char *)object + field->offset;
        if (!(field->flags & FIELD_NULLABLE))
            continue;
        if (field->type == FIELD_TYPE_INT)
            *(int64_t *)member = FIELD_NO_INT;
        else if (field->type == FIELD_TYPE_ENUM)
            *(int *)member = FIELD_NO_ENUM;
        else if (field->type == FIELD_TYPE_REAL)
            *(double *)member = (double)NAN;
    }
}

enum err query_decode(struct http_call *call) {
    const struct shape *shape = call->rq.route->query;
    const char *at = call->rq.head->query;
    uint64_t seen = 0;
    if (call->rq.route->flags & ROUTE_ANY_QUERY)
        return OK;
    char *query = arena_alloc(call->cx->arena, shape ? shape->size : 1);

    if (shape)
        shape_set_absent(shape, query);
    for (int members = 0; at && *at; members++) {
        size_t length = strcspn(at, "&");
        if (members == QUERY_MEMBERS_MAX)
            return fail(call->cx, ERR_INVALID, "the query has too many members");
        if (length > 0)
            TRY(decode_member(call, at, length, query, &seen));
        at += length + (at[length] == '&');
    }
    call->rq.query = shape ? query : NULL;
    return check_required(call, seen);
}
