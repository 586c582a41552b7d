/* Headers and query strings with grammars of their own: Range, cookies, page cursors, tus metadata,
 * Accept-Encoding, Last-Event-ID. The first byte chooses which one the rest is. They go in where a
 * client's go in: through a request, so that what follows the parser is reached too. */
#include "tests/fuzz/fuzz.h"

#include "artifacts/artifacts.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/log.h"
#include "config/config.h"
#include "http/feed.h"
#include "http/server.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct app app;
static char dir[] = "/tmp/slipway-fuzz-XXXXXX";

struct listing {
    struct page_query page;
    const char *name;
};
static const struct field LISTING_FIELDS[] = {
    PAGE_QUERY_FIELDS(struct listing),
    FIELD(STRING, struct listing, name, .flags = FIELD_NULLABLE)};
static SHAPE(LISTING, "Listing", struct listing, LISTING_FIELDS);

/* A cursor that is accepted must be one that this key sealed: none of the fuzzer's is. */
static enum err get_list(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct listing *query = rq->query;
    const char *key;
    (void)rp;
    if (query->page.cursor && cursor_decode(cx, query->page.cursor, &key, 1) == OK)
        abort();
    return OK;
}

static enum err get_file(struct ctx *cx, const struct req *rq, struct reply *rp) {
    int fd = open(arena_printf(cx->arena, "%s/cursor.key", dir), O_RDONLY | O_CLOEXEC);
    const char *name = req_header(rq, "x-name");
    reply_file(rp, &(struct reply_file){fd, 32, "text/html", name ? name : "n", "tag"});
    return OK;
}

static const struct route ROUTES[] = {
    {GET, "/list", SCOPE_PUBLIC, .query = &LISTING, .handle = get_list, .doc = "list"},
    {GET, "/file", SCOPE_PUBLIC, .handle = get_file, .doc = "file"},
};

static enum err authenticate(struct ctx *cx, const struct http_head *head) {
    char cookie[32];
    if (http_head_cookie(head, "session", cookie, sizeof(cookie)) && strlen(cookie) > 31)
        abort();
    cx->who = (struct principal){.kind = PRINCIPAL_TOKEN, .role = ROLE_EDITOR, .scopes = ~0u};
    return OK;
}

static const struct http_hooks HOOKS = {.authenticate = authenticate};

static ssize_t no_body(struct http_io *io, void *buffer, size_t cap, int64_t deadline_us) {
    (void)io, (void)buffer, (void)cap, (void)deadline_us;
    return -1;
}

/* Every reply is one head, and no line of it is somebody else's. */
static bool take_reply(struct http_io *io, const void *data, size_t size) {
    buf_append(io->data, data, size);
    return true;
}

static bool is_gone(struct http_io *io) {
    (void)io;
    return false;
}

static void close_after(struct http_io *io) {
    (void)io;
}

static const struct http_io_ops OPS = {no_body, take_reply, is_gone, close_after};

static void remove_dir(void) {
    char path[64];
    snprintf(path, sizeof(path), "%s/cursor.key", dir);
    unlink(path);
    rmdir(dir);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    static const char *const HOSTS[] = {"localhost", NULL};
    static struct http_options options = {.hosts = HOSTS, .threads = 64, .streams = 4};
    static struct config config = {.max_upload_bytes = -1}; /* refused before the database */
    struct err_info err;
    (void)argc;
    (void)argv;
    log_init(LOG_ERROR);
    options.key_dir = options.static_dir = mkdtemp(dir);
    app.config = &config;
    struct http_registry *registry = http_registry_new(&HOOKS);
    http_register(registry, ROUTES, ROUTES_COUNT(ROUTES));
    http_register(registry, HTTP_ROUTES, HTTP_ROUTE_COUNT);
    http_register(registry, ARTIFACTS_ROUTES, ARTIFACTS_ROUTE_COUNT);
    if (!dir[0] || cursor_key_create(dir, &err) != OK ||
        http_server_new(&options, registry, &app.http, &err) != OK)
        abort();
    atexit(remove_dir);
    return 0;
}

/* method, path, header that the text becomes; NULL = the text is the query. */
static const struct {
    const char *method, *path, *header;
} TARGETS[] = {
    {"GET", "/file", "Range"},
    {"GET", "/list", NULL},
    {"GET", "/list", "Cookie"},
    {"POST", "/api/v1/uploads", "Upload-Metadata"},
    {"GET", "/cursor.key", "Accept-Encoding"},
    {"GET", "/file", "If-None-Match"},
    {"GET", "/file", "X-Name"},
    {"POST", "/api/v1/uploads", "Upload-Length"},
};
#define TARGET_COUNT (sizeof(TARGETS) / sizeof(TARGETS[0]))

static void check_reply(const struct buf *out) {
    int heads = 0;
    for (const char *at = out->data; at && (at = strstr(at, "HTTP/1.1 ")); at++)
        heads++;
    if (heads != 1 || strncmp(out->data, "HTTP/1.1 ", 9) != 0 || strstr(out->data, "\nInjected:"))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (size < 1)
        return 0;
    size_t target = bytes[0] % TARGET_COUNT;
    struct ctx cx;
    struct buf out = {0};
    struct http_io io = {.ops = &OPS, .data = &out};
    ctx_init(&cx, &app);
    const char *text = arena_strndup(cx.arena, (const char *)bytes + 1, size - 1);
    const struct http_header headers[] = {
        {"Host", "localhost"},
        {"Tus-Resumable", "1.0.0"},
        {"Content-Length", "0"},
        {TARGETS[target].header ? TARGETS[target].header : "X", TARGETS[target].header ? text : ""},
        {"Upload-Length", "5"},
    };
    bool has_length = target == 7;
    const struct http_head head = {.method = TARGETS[target].method,
                                   .target = TARGETS[target].path,
                                   .query = TARGETS[target].header ? NULL : text,
                                   .version = "1.1",
                                   .headers = headers,
                                   .header_count = has_length ? 4 : 5,
                                   .remote = "192.0.2.1"};
    http_dispatch(&cx, &head, &io);
    check_reply(&out);
    ctx_done(&cx);
    buf_done(&out);
    return 0;
}
