/* MLflow's surface, from the path to the decoded message: the first line is the path, the second
 * the query, the rest the body. Whatever comes, the path has no doubled slash afterwards, and a
 * refusal has a sentence. */
#include "tests/fuzz/fuzz.h"

#include "http/internal.h"

#include <stdlib.h>
#include <string.h>

struct item {
    const char *key;
    double value;
    int64_t step;
};
static const struct field ITEM_FIELDS[] = {
    FIELD(STRING, struct item, key, .flags = FIELD_REQUIRED),
    FIELD(REAL, struct item, value, .flags = FIELD_REQUIRED),
    FIELD(INT, struct item, step, .flags = FIELD_NULLABLE),
};
static SHAPE(ITEM, "Item", struct item, ITEM_FIELDS);

static const char *const VIEWS[] = {"ACTIVE_ONLY", "ALL", NULL};

struct message {
    const char *run_id;
    bool on;
    int view;
    struct item *head;
    struct list items, names;
    json_t *extra;
};
static const struct field MESSAGE_FIELDS[] = {
    FIELD(STRING, struct message, run_id, .flags = FIELD_REQUIRED),
    FIELD(BOOL, struct message, on),
    FIELD(ENUM, struct message, view, .flags = FIELD_NULLABLE, .names = VIEWS),
    FIELD(OBJECT, struct message, head, .nested = &ITEM),
    FIELD(LIST, struct message, items, .nested = &ITEM),
    FIELD(STRINGS, struct message, names),
    FIELD(JSON, struct message, extra),
};
static SHAPE(MESSAGE, "Message", struct message, MESSAGE_FIELDS);

/* --- the body as a connection --- */

static ssize_t read_body(struct http_io *io, void *buffer, size_t cap, int64_t deadline_us) {
    struct http_call *call = io->data;
    size_t left = call->body_size - (size_t)call->body_received;
    size_t n = left < cap ? left : cap;
    (void)deadline_us;
    memcpy(buffer, call->reply.data, n);
    call->reply.data = (const char *)call->reply.data + n;
    return (ssize_t)n;
}

static const struct http_io_ops OPS = {.read = read_body};

static void decode(struct arena *arena, const struct route *route, const char *query,
                   const uint8_t *body, size_t size) {
    static const struct http_header TYPE = {"Content-Type", "application/json"};
    struct ctx cx = {.arena = arena};
    struct http_io io = {.ops = &OPS};
    struct http_head head = {.query = query, .headers = &TYPE, .header_count = 1};
    struct http_call call = {.cx = &cx,
                             .io = &io,
                             .rq = {.route = route, .head = &head},
                             .request = {.method = POST, .content_length = (int64_t)size},
                             .body_size = size,
                             .reply = {.data = body}};
    io.data = &call;
    if (message_decode(&call) != OK && !cx.err.message[0])
        abort();
}

static void resolve(struct arena *arena, const char *path) {
    struct ctx cx = {.arena = arena};
    struct http_call call = {.cx = &cx};
    if (strlen(path) > GATE_PATH_MAX || !gate_decode_path(path, call.request.path))
        return;
    surface_resolve(&call);
    if (call.mlflow && strstr(call.request.path, "//"))
        abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    json_object_seed(1);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct route BODY = {.body = &MESSAGE, .flags = ROUTE_MLFLOW};
    static const struct route QUERY = {.query = &MESSAGE, .flags = ROUTE_MLFLOW};
    struct arena *arena = arena_new();
    const uint8_t *path_end = memchr(data, '\n', size);
    const uint8_t *rest = path_end ? path_end + 1 : data + size;
    const uint8_t *query_end = memchr(rest, '\n', (size_t)(data + size - rest));
    const uint8_t *body = query_end ? query_end + 1 : data + size;
    size_t query_size = (size_t)((query_end ? query_end : data + size) - rest);

    /* The gate bounds queries; a body beyond the threshold would ask for a server's slots. */
    if (query_size <= GATE_QUERY_MAX && (size_t)(data + size - body) < ADMISSION_BIG_BYTES) {
        resolve(arena, arena_strndup(arena, (const char *)data,
                                     (size_t)((path_end ? path_end : data + size) - data)));
        decode(arena, &QUERY, arena_strndup(arena, (const char *)rest, query_size), NULL, 0);
        decode(arena, &BODY, NULL, body, (size_t)(data + size - body));
    }
    arena_free(arena);
    return 0;
}
