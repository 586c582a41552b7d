/* See test_http.h. */
#include "tests/support/test_http.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/ident.h"

#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* --- a connection in memory --- */

struct wire {
    const struct test_request *rq;
    const char *body;
    size_t size, at;
    struct buf out;
    bool closes;
    int looks;
};

static ssize_t wire_read(struct http_io *io, void *buffer, size_t cap, int64_t deadline_us) {
    struct wire *w = io->data;
    (void)deadline_us;
    size_t left = w->size - w->at;
    size_t n = left < cap ? left : cap;
    if (w->rq->cut && w->at + n > w->rq->cut)
        return -1;
    memcpy(buffer, w->body + w->at, n);
    w->at += n;
    return (ssize_t)n;
}

static bool wire_write(struct http_io *io, const void *data, size_t size) {
    struct wire *w = io->data;
    buf_append(&w->out, data, size);
    return true;
}

static bool wire_is_open(struct http_io *io) {
    struct wire *w = io->data;
    return w->looks++ < w->rq->looks;
}

static void wire_close_after(struct http_io *io) {
    struct wire *w = io->data;
    w->closes = true;
}

static const struct http_io_ops WIRE_OPS = {wire_read, wire_write, wire_is_open, wire_close_after};

/* --- shapes --- */

static bool is_text(const json_t *value, size_t length) {
    return json_is_string(value) && (length == 0 || json_string_length(value) == length);
}

static bool is_name(const struct field *field, const json_t *value) {
    for (size_t i = 0; json_is_string(value) && field->names[i]; i++)
        if (strcmp(field->names[i], json_string_value(value)) == 0)
            return true;
    return false;
}

static bool has_type(const struct field *field, const json_t *value) {
    switch (field->type) {
    case FIELD_TYPE_STRING:
        return is_text(value, 0);
    case FIELD_TYPE_UUID:
        return is_text(value, 36) && uuid_is_valid(json_string_value(value));
    case FIELD_TYPE_INT:
        return json_is_integer(value);
    case FIELD_TYPE_REAL:
        return json_is_number(value) || is_text(value, 0);
    case FIELD_TYPE_BOOL:
        return json_is_boolean(value);
    case FIELD_TYPE_TIME:
        return is_text(value, 27);
    case FIELD_TYPE_ENUM:
        return is_name(field, value);
    case FIELD_TYPE_JSON:
        return true;
    case FIELD_TYPE_OBJECT:
        return json_is_object(value);
    case FIELD_TYPE_LIST:
    case FIELD_TYPE_STRINGS:
        return json_is_array(value);
    }
    return false;
}

static void assert_member(const struct shape *shape, const struct field *field,
                          const json_t *value) {
    if (!value)
        fail_msg("%s.%s is missing", shape->name, field->name);
    if (json_is_null(value) && (field->flags & FIELD_NULLABLE))
        return;
    if (!has_type(field, value))
        fail_msg("%s.%s has the wrong type", shape->name, field->name);
    if (field->type == FIELD_TYPE_OBJECT)
        test_assert_shape(field->nested, value);
    if (field->type == FIELD_TYPE_LIST) {
        size_t i;
        json_t *item;
        json_array_foreach((json_t *)(uintptr_t)value, i, item)
            test_assert_shape(field->nested, item);
    }
}

void test_assert_shape(const struct shape *shape, const json_t *value) {
    const char *name;
    json_t *member;
    if (!json_is_object(value))
        fail_msg("%s is not an object", shape->name);
    json_object_foreach((json_t *)(uintptr_t)value, name, member) if (!field_find(shape, name))
        fail_msg("%s.%s is not in the table", shape->name, name);
    for (size_t i = 0; i < shape->field_count; i++)
        assert_member(shape, &shape->fields[i], json_object_get(value, shape->fields[i].name));
}

static void assert_page(const struct shape *shape, const json_t *page) {
    const json_t *items = json_object_get(page, "items");
    const json_t *next = json_object_get(page, "next_cursor");
    assert_true(json_is_array(items));
    assert_true(json_is_null(next) || json_is_string(next));
    for (size_t i = 0; i < json_array_size(items); i++)
        test_assert_shape(shape, json_array_get(items, i));
}

static void assert_refusal(const struct test_reply *reply) {
    bool v2 = reply->route && (reply->route->flags & ROUTE_V2);
    bool mlflow = reply->route && (reply->route->flags & ROUTE_MLFLOW);
    if (reply->size == 0)
        return; /* HEAD */
    assert_non_null(reply->json);
    if (mlflow || json_object_get(reply->json, "error_code")) {
        assert_true(json_is_string(json_object_get(reply->json, "error_code")));
        assert_true(json_is_string(json_object_get(reply->json, "message")));
        assert_int_equal(json_object_size(reply->json), 2);
        return;
    }
    if (v2) {
        assert_true(json_is_string(json_object_get(reply->json, "error")));
        return;
    }
    const char *id = json_string_value(json_object_get(reply->json, "request_id"));
    assert_non_null(strstr(reply->head, "application/problem+json"));
    assert_int_equal(json_integer_value(json_object_get(reply->json, "status")), reply->status);
    assert_true(json_is_string(json_object_get(reply->json, "code")));
    assert_true(json_is_string(json_object_get(reply->json, "detail")));
    assert_string_equal(id ? id : "", reply->request_id);
}

static void assert_success(const struct test_reply *reply) {
    const struct route *route = reply->route;
    if (!route || !route->reply || !reply->json || reply->status >= 300)
        return;
    if (route->flags & ROUTE_LIST)
        assert_page(route->reply, reply->json);
    else
        test_assert_shape(route->reply, reply->json);
}

static void assert_headers(struct arena *arena, const struct test_reply *reply) {
    static const char *const ALWAYS[] = {"Content-Security-Policy",
                                         "X-Content-Type-Options",
                                         "Referrer-Policy",
                                         "Cross-Origin-Opener-Policy",
                                         "Cross-Origin-Resource-Policy",
                                         "Strict-Transport-Security",
                                         "X-Request-Id",
                                         "Cache-Control"};
    for (size_t i = 0; i < sizeof(ALWAYS) / sizeof(ALWAYS[0]); i++)
        if (!*test_header(arena, reply, ALWAYS[i]))
            fail_msg("the reply has no %s", ALWAYS[i]);
    assert_string_equal(test_header(arena, reply, "X-Request-Id"), reply->request_id);
    assert_string_equal(test_header(arena, reply, "Access-Control-Allow-Origin"), "");
    assert_string_equal(test_header(arena, reply, "Server"), "");
}

/* --- requests --- */

static const char *method_name(unsigned method) {
    static const char *const NAMES[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"};
    size_t i = 0;
    while (method >> (i + 1))
        i++;
    return NAMES[i];
}

static void note_hit(const struct test_reply *reply) {
    const char *dir = getenv("SLIPWAY_TEST_HITS");
    char path[512];
    if (!dir || !reply->route || reply->status >= 400)
        return;
    mkdir(dir, 0777);
    int size = snprintf(path, sizeof(path), "%s/route:%s:%s", dir,
                        method_name(reply->route->method), reply->route->path);
    for (char *p = path + strlen(dir) + 1; p < path + size; p++)
        if (*p == '/')
            *p = '|';
    auto_fd fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    assert_true(fd >= 0);
}

struct head {
    struct http_header headers[TEST_HEADERS_MAX + 6];
    size_t count;
    char length[24];
};

static void add(struct head *h, const char *name, const char *value) {
    h->headers[h->count++] = (struct http_header){name, value};
}

static bool changes_state(const char *method) {
    return strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0 &&
           strcmp(method, "OPTIONS") != 0;
}

static void fill_head(const struct test_request *rq, const char *method, size_t size,
                      struct head *h) {
    for (size_t i = 0; i < TEST_HEADERS_MAX && rq->headers[i].name; i++)
        add(h, rq->headers[i].name, rq->headers[i].value);
    if (rq->json)
        add(h, "Content-Type", "application/json");
    else if (rq->content_type)
        add(h, "Content-Type", rq->content_type);
    if (rq->chunked)
        add(h, "Transfer-Encoding", "chunked");
    snprintf(h->length, sizeof(h->length), "%zu", size);
    if (!rq->bare && !rq->chunked && changes_state(method))
        add(h, "Content-Length", h->length);
    if (rq->bare)
        return;
    add(h, "Host", "localhost:8443");
    if (changes_state(method) && rq->who && rq->who->kind == PRINCIPAL_USER) {
        add(h, "Sec-Fetch-Site", "same-origin");
        add(h, "X-Slipway-Request", "1");
    }
}

static void split_reply(struct arena *arena, const struct wire *w, struct test_reply *reply) {
    const char *end = w->out.data ? strstr(w->out.data, "\r\n\r\n") : NULL;
    if (!end)
        fail_msg("there was no reply");
    size_t head = (size_t)(end - w->out.data) + 2;
    reply->head = arena_strndup(arena, w->out.data, head);
    reply->size = w->out.size - head - 2;
    reply->body = arena_memdup(arena, w->out.data + head + 2, reply->size + 1);
    reply->status = atoi(reply->head + strlen("HTTP/1.1 "));
    reply->closes = w->closes;
}

static void release_json(void *json) {
    json_decref(json);
}

static void parse_json(struct arena *arena, struct test_reply *reply) {
    const char *type = test_header(arena, reply, "Content-Type");
    if (reply->size == 0 || !strstr(type, "json") || strstr(type, "ndjson"))
        return;
    reply->json = json_loadb(reply->body, reply->size, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(reply->json);
    arena_defer(arena, release_json, reply->json);
}

struct test_reply *test_send(struct app *app, struct arena *arena, const struct test_request *rq) {
    struct test_reply *reply = arena_new_struct(arena, struct test_reply);
    const char *method = rq->method ? rq->method : "GET";
    const char *query = strchr(rq->path, '?');
    struct wire w = {.rq = rq, .body = rq->json ? rq->json : rq->body};
    struct http_io io = {.ops = &WIRE_OPS, .data = &w};
    struct head h = {.count = 0};
    struct ctx cx;

    w.size = rq->json ? strlen(rq->json) : rq->size;
    fill_head(rq, method, w.size, &h);
    const struct http_head head = {
        .method = method,
        .target = query ? arena_strndup(arena, rq->path, (size_t)(query - rq->path)) : rq->path,
        .query = query ? query + 1 : NULL,
        .version = "1.1",
        .headers = h.headers,
        .header_count = h.count,
        .remote = "192.0.2.1"};
    ctx_init(&cx, app);
    memcpy(reply->request_id, cx.request_id, sizeof(reply->request_id));
    if (rq->who)
        cx.who = *rq->who;
    http_dispatch(&cx, &head, &io);
    reply->route = cx.route;
    ctx_done(&cx);
    split_reply(arena, &w, reply);
    buf_done(&w.out);
    parse_json(arena, reply);
    assert_headers(arena, reply);
    if (reply->status >= 400)
        assert_refusal(reply);
    else
        assert_success(reply);
    note_hit(reply);
    return reply;
}

const char *test_header(struct arena *arena, const struct test_reply *reply, const char *name) {
    size_t length = strlen(name);
    for (const char *at = strstr(reply->head, "\r\n"); at; at = strstr(at + 2, "\r\n"))
        if (strncasecmp(at + 2, name, length) == 0 && at[2 + length] == ':') {
            const char *value = at + 2 + length + 1;
            value += strspn(value, " ");
            return arena_strndup(arena, value, strcspn(value, "\r"));
        }
    return "";
}

struct test_reply *test_expect(struct app *app, struct arena *arena, int status,
                               const struct test_request *rq) {
    struct test_reply *reply = test_send(app, arena, rq);
    if (reply->status != status)
        fail_msg("%s %s gave %d instead of %d: %.300s", rq->method ? rq->method : "GET", rq->path,
                 reply->status, status, reply->body);
    return reply;
}
