/* What a handler says, kept until the transaction is committed: nothing here writes to a socket.
 *
 * reply_encode() turns objects into bytes while the transaction is still open, so that a reply that
 * cannot be encoded undoes its request, and so that an idempotent one can be stored with it. */
#include "http/internal.h"

#include "base/ident.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define JSON_TYPE "application/json; charset=utf-8"
#define PROBLEM_TYPE "application/problem+json; charset=utf-8"

void reply_object(struct reply *rp, const void *object) {
    rp->kind = REPLY_OBJECT;
    rp->object = object;
}

void reply_page(struct reply *rp, struct list items, const char *next_cursor) {
    rp->kind = REPLY_PAGE;
    rp->items = items;
    rp->next_cursor = next_cursor;
}

void reply_json(struct reply *rp, json_t *json) {
    json_decref(rp->json);
    rp->kind = REPLY_JSON;
    rp->json = json;
}

void reply_bytes(struct reply *rp, const char *media_type, const void *data, size_t size) {
    rp->kind = REPLY_BYTES;
    rp->media_type = media_type;
    rp->data = data;
    rp->size = size;
}

void reply_status(struct reply *rp, int status) {
    rp->status = status;
}

void reply_file(struct reply *rp, const struct reply_file *file) {
    rp->kind = REPLY_FILE;
    rp->file = *file;
}

void reply_stream(struct reply *rp, const struct reply_stream *stream) {
    rp->kind = REPLY_STREAM;
    rp->stream = *stream;
}

/* Header text comes from handlers and may carry a user's words: a line break would start a header
 * of the user's own. */
bool is_header_text(const char *text) {
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (*p < 0x20 || *p == 0x7f)
            return false;
    return true;
}

void reply_header(struct ctx *cx, struct reply *rp, const char *name, const char *value) {
    assert(rp->header_count < REPLY_HEADER_MAX);
    if (!is_header_text(value))
        return;
    rp->headers[rp->header_count++] =
        (struct http_header){arena_strdup(cx->arena, name), arena_strdup(cx->arena, value)};
}

void reply_location(struct ctx *cx, struct reply *rp, const char *format, ...) {
    va_list args;
    va_start(args, format);
    rp->location = arena_vprintf(cx->arena, format, args);
    va_end(args);
    reply_header(cx, rp, "Location", rp->location);
}

void reply_reset(struct reply *rp) {
    if (rp->kind == REPLY_FILE && rp->file.fd >= 0)
        close(rp->file.fd);
    json_decref(rp->json);
    *rp = (struct reply){0};
}

static json_t *encode_page(const struct shape *shape, const struct reply *rp) {
    json_t *items = json_array();
    const char *item = rp->items.items;
    for (size_t i = 0; i < rp->items.count; i++)
        json_array_append_new(items, field_encode(shape, item + i * shape->size));
    return json_pack("{s:o, s:s?}", "items", items, "next_cursor", rp->next_cursor);
}

static enum err encode_json(struct http_call *call, const json_t *json) {
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    if (!text)
        return fail(call->cx, ERR_INTERNAL, "the reply could not be encoded");
    arena_defer(call->cx->arena, free, text);
    reply_bytes(&call->reply, JSON_TYPE, text, strlen(text));
    return OK;
}

static int default_status(const struct http_call *call) {
    if (call->rq.route->status)
        return call->rq.route->status;
    bool nothing = call->reply.kind == REPLY_EMPTY && !(call->rq.route->flags & ROUTE_MLFLOW);
    return nothing ? 204 : 200;
}

enum err reply_encode(struct http_call *call) {
    struct reply *rp = &call->reply;
    const struct shape *shape = call->rq.route->reply;
    auto_json *json = NULL;

    if (rp->status == 0)
        rp->status = default_status(call);
    if (rp->kind == REPLY_OBJECT)
        json = field_encode(shape, rp->object);
    else if (rp->kind == REPLY_PAGE)
        json = encode_page(shape, rp);
    else if (rp->kind == REPLY_JSON)
        json = take(rp->json);
    else if (rp->kind == REPLY_EMPTY && (call->rq.route->flags & ROUTE_MLFLOW))
        json = json_object();
    else
        return OK;
    return encode_json(call, json);
}

static const struct {
    int status;
    const char *text;
} STATUSES[] = {{200, "OK"},
                {201, "Created"},
                {202, "Accepted"},
                {204, "No Content"},
                {206, "Partial Content"},
                {304, "Not Modified"},
                {400, "Bad Request"},
                {401, "Unauthorized"},
                {403, "Forbidden"},
                {404, "Not Found"},
                {405, "Method Not Allowed"},
                {408, "Request Timeout"},
                {409, "Conflict"},
                {410, "Gone"},
                {411, "Length Required"},
                {412, "Precondition Failed"},
                {413, "Content Too Large"},
                {414, "URI Too Long"},
                {415, "Unsupported Media Type"},
                {416, "Range Not Satisfiable"},
                {417, "Expectation Failed"},
                {421, "Misdirected Request"},
                {422, "Unprocessable Content"},
                {423, "Locked"},
                {429, "Too Many Requests"},
                {431, "Request Header Fields Too Large"},
                {460, "Checksum Mismatch"},
                {500, "Internal Server Error"},
                {501, "Not Implemented"},
                {503, "Service Unavailable"},
                {504, "Gateway Timeout"},
                {505, "HTTP Version Not Supported"}};

const char *status_to_string(int status) {
    for (size_t i = 0; i < sizeof(STATUSES) / sizeof(STATUSES[0]); i++)
        if (STATUSES[i].status == status)
            return STATUSES[i].text;
    return "Unknown";
}

/* RFC 9457, or the form of the surface: {"error": …} for Open Inference, MLflow's error_code. */
static json_t *encode_problem(const struct http_call *call, int status) {
    const struct err_info *err = &call->cx->err;
    if (call->mlflow)
        return surface_problem(call, status);
    if (call->rq.route && (call->rq.route->flags & ROUTE_V2))
        return json_pack("{s:s}", "error", err->message);
    json_t *position =
        err->length > 0 ? json_pack("{s:i, s:i}", "at", err->at, "length", err->length) : NULL;
    return json_pack("{s:s, s:s, s:i, s:s, s:s, s:s?, s:s, s:o*}", "type", "about:blank", "title",
                     status_to_string(status), "status", status, "code", err_to_string(err->code),
                     "detail", err->message, "field", err->field[0] ? err->field : NULL,
                     "request_id", call->cx->request_id, "position", position);
}

static void add_retry_after(struct http_call *call) {
    int seconds = call->cx->err.retry_after_s;
    if (call->cx->err.code == ERR_UNAVAILABLE && seconds == 0)
        seconds = 1;
    if (seconds > 0)
        reply_header(call->cx, &call->reply, "Retry-After",
                     arena_printf(call->cx->arena, "%d", seconds));
}

/* A sentence that was cut in the middle of a character is no text any more: that piece goes. */
static void trim_sentence(char *text) {
    size_t length = strlen(text), start = length;
    while (start > 0 && length - start < 3 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start > 0 && (unsigned char)text[start - 1] >= 0xc0 && !utf8_is_valid(text, length))
        text[start - 1] = '\0';
}

/* Whatever the handler said before it failed is gone with its transaction. */
void reply_problem(struct http_call *call, int status) {
    struct reply *rp = &call->reply;
    trim_sentence(call->cx->err.message);
    bool plain = call->mlflow || (call->rq.route && (call->rq.route->flags & ROUTE_V2));
    reply_reset(rp);
    auto_json *problem = encode_problem(call, status);
    char *text = problem ? json_dumps(problem, JSON_COMPACT) : NULL;
    if (text)
        arena_defer(call->cx->arena, free, text);
    else
        text = arena_strdup(call->cx->arena, "{}");
    reply_bytes(rp, plain ? JSON_TYPE : PROBLEM_TYPE, text, strlen(text));
    rp->status = status;
    if (status == 401)
        reply_header(call->cx, rp, "WWW-Authenticate",
                     call->mlflow ? "Basic realm=\"mlflow\"" : "Bearer");
    add_retry_after(call);
}
