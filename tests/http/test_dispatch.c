/* The pipeline over routes of this test's own, without a database: matching, scopes, origins,
 * bodies, queries, refusals, audit, and the rules every reply obeys. */
#include "tests/support/test_http.h"

#include "base/arena.h"
#include "base/cleanup.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static struct app app;
static struct arena *arena;
static char dir[] = "/tmp/slipway-dispatch-XXXXXX";
static char audited[512]; /* the last audit row: "action object code" */
static int audits;

/* --- routes --- */

struct note {
    const char *text;
    int64_t count;
    const char *secret;
};
static const struct field NOTE_FIELDS[] = {
    FIELD(STRING, struct note, text, .flags = FIELD_REQUIRED, .min = 1, .max = 10),
    FIELD(INT, struct note, count, .flags = FIELD_NULLABLE, .min = 0, .max = 9),
    FIELD(STRING, struct note, secret, .flags = FIELD_NULLABLE | FIELD_SECRET, .max = 10),
};
static SHAPE(NOTE, "Note", struct note, NOTE_FIELDS);

struct note_query {
    struct page_query page;
    const char *name;
};
static const struct field NOTE_QUERY_FIELDS[] = {
    PAGE_QUERY_FIELDS(struct note_query),
    FIELD(STRING, struct note_query, name, .flags = FIELD_NULLABLE, .max = 20)};
static SHAPE(NOTE_QUERY, "NoteQuery", struct note_query, NOTE_QUERY_FIELDS);

static enum err get_notes(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct note_query *query = rq->query;
    struct note *notes = arena_new_array(cx->arena, struct note, 2);
    const char *keys[2] = {NULL, NULL};
    if (query->page.cursor)
        TRY(cursor_decode(cx, query->page.cursor, keys, 2));
    notes[0] =
        (struct note){query->name ? query->name : "one", page_limit(&query->page) % 10, NULL};
    notes[1] = (struct note){keys[0] ? keys[0] : "two", FIELD_NO_INT, NULL};
    reply_page(rp, (struct list){notes, 2},
               cursor_encode(cx, (const char *const[]){"key", NULL}, 2));
    return OK;
}

static enum err post_note(struct ctx *cx, const struct req *rq, struct reply *rp) {
    const struct note *note = rq->body;
    if (strcmp(note->text, "taken") == 0)
        return (fail_field)(cx, ERR_CONFLICT, "text", "there is a note \"%s\" already", note->text);
    reply_object(rp, note);
    reply_location(cx, rp, "/notes/%s", note->text);
    return OK;
}

static enum err get_note(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct note *note = arena_new_struct(cx->arena, struct note);
    *note = (struct note){req_param(rq, "note"), FIELD_NO_INT, NULL};
    reply_object(rp, note);
    return OK;
}

static enum err get_latest(struct ctx *cx, const struct req *rq, struct reply *rp) {
    struct note *note = arena_new_struct(cx->arena, struct note);
    (void)rq;
    *note = (struct note){"latest!", FIELD_NO_INT, NULL};
    reply_object(rp, note);
    return OK;
}

static enum err nothing(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)cx, (void)rq, (void)rp;
    return OK;
}

static enum err get_header(struct ctx *cx, const struct req *rq, struct reply *rp) {
    reply_header(cx, rp, "X-Name", req_param(rq, "name"));
    reply_header(cx, rp, "X-Split", "a\r\nSet-Cookie: stolen=1");
    return OK;
}

static enum err put_raw(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)cx;
    reply_json(rp, json_pack("{s:i, s:s}", "size", (int)rq->raw_size, "type", rq->content_type));
    return OK;
}

static enum err put_stream(struct ctx *cx, const struct req *rq, struct reply *rp) {
    char piece[7];
    size_t n = 1, total = 0;
    while (n > 0) {
        TRY(req_read(cx, rq, piece, sizeof(piece), &n));
        total += n;
    }
    reply_json(rp, json_pack("{s:i}", "size", (int)total));
    return OK;
}

static enum err get_file(struct ctx *cx, const struct req *rq, struct reply *rp) {
    int fd = open(arena_printf(cx->arena, "%s/file", dir), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(pwrite(fd, "0123456789", 10, 0), 10);
    reply_file(rp, &(struct reply_file){.fd = fd,
                                        .size_bytes = 10,
                                        .media_type = req_param(rq, "kind")[0] == 'h'
                                                          ? "text/html; charset=utf-8"
                                                          : "text/plain",
                                        .file_name = "a \"数\"\r\n.txt",
                                        .etag = "abc"});
    return OK;
}

static enum err get_busy(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rq, (void)rp;
    (fail)(cx, ERR_RATE_LIMITED, "too many tries");
    cx->err.retry_after_s = 7;
    return ERR_RATE_LIMITED;
}

static enum err get_broken(struct ctx *cx, const struct req *rq, struct reply *rp) {
    (void)rq, (void)rp;
    (fail)(cx, ERR_INTERNAL, "could not do it");
    fail_detail(cx, "/secret/path and SQL");
    return ERR_INTERNAL;
}

static const struct route ROUTES[] = {
    {GET, "/api/notes", SCOPE_RUN_READ, .query = &NOTE_QUERY, .reply = &NOTE, .handle = get_notes,
     .flags = ROUTE_LIST, .doc = "notes"},
    {POST, "/api/notes", SCOPE_RUN_WRITE, .body = &NOTE, .reply = &NOTE, .handle = post_note,
     .status = 201, .audit = "note.create", .doc = "make"},
    {GET, "/api/notes/{note}", SCOPE_RUN_READ, .reply = &NOTE, .handle = get_note, .doc = "one"},
    {GET, "/api/notes/latest", SCOPE_RUN_READ, .reply = &NOTE, .handle = get_latest, .doc = "last"},
    {DELETE, "/api/notes/{note}", SCOPE_PROJECT_ADMIN, .handle = nothing, .audit = "note.delete",
     .doc = "remove"},
    {POST, "/api/notes/{note}/touch", SCOPE_RUN_WRITE, .handle = nothing, .doc = "touch"},
    {GET, "/api/header/{name}", SCOPE_PUBLIC, .handle = get_header, .doc = "headers"},
    {POST, "/api/login", SCOPE_PUBLIC, .body = &NOTE, .reply = &NOTE, .handle = post_note,
     .rate = RATE_LOGIN, .audit = "session.create", .doc = "sign in"},
    {GET, "/api/me", SCOPE_SIGNED_IN, .handle = nothing, .doc = "me"},
    {GET, "/api/browser", SCOPE_SESSION_ONLY, .handle = nothing, .doc = "browser"},
    {POST, "/api/work", SCOPE_WORKER, .handle = nothing, .doc = "work"},
    {PUT, "/api/raw", SCOPE_RUN_WRITE, .handle = put_raw, .flags = ROUTE_RAW_BODY, .max_body = 100,
     .doc = "raw"},
    {PUT, "/api/stream", SCOPE_RUN_WRITE, .handle = put_stream, .flags = ROUTE_STREAM_BODY,
     .doc = "stream"},
    {GET, "/api/file/{kind}", SCOPE_RUN_READ, .handle = get_file, .doc = "file"},
    {GET, "/api/busy", SCOPE_RUN_READ, .handle = get_busy, .doc = "busy"},
    {GET, "/api/broken", SCOPE_RUN_READ, .handle = get_broken, .doc = "broken"},
    {GET, "/v2/broken", SCOPE_RUN_READ, .handle = get_broken, .flags = ROUTE_V2, .doc = "v2"},
};

/* "Authorization: Bearer viewer" and so on make somebody of that kind. */
static enum err authenticate(struct ctx *cx, const struct http_head *head) {
    const char *bearer = http_head_get(head, "authorization");
    if (!bearer)
        return OK;
    cx->who.kind = strstr(bearer, "worker") ? PRINCIPAL_WORKER : PRINCIPAL_TOKEN;
    cx->who.role = ROLE_ADMIN;
    cx->who.scopes = strstr(bearer, "write") ? TOKEN_READ | TOKEN_WRITE : TOKEN_READ;
    return OK;
}

static enum err audit(struct ctx *cx, const char *action, const char *object, enum err refusal) {
    (void)cx;
    audits++;
    snprintf(audited, sizeof(audited), "%s %s %s", action, object, err_to_string(refusal));
    return OK;
}

static const struct http_hooks HOOKS = {authenticate, audit};

static int setup(void **state) {
    static const char *const HOSTS[] = {"localhost", NULL};
    static struct http_options options = {.hosts = HOSTS, .threads = 64, .streams = 4};
    struct err_info err = {0};
    (void)state;
    arena = arena_new();
    assert_non_null(mkdtemp(dir));
    options.key_dir = dir;
    assert_ok(cursor_key_create(dir, &err), &err);
    struct http_registry *registry = http_registry_new(&HOOKS);
    http_register(registry, ROUTES, ROUTES_COUNT(ROUTES));
    http_register(registry, HTTP_ROUTES, HTTP_ROUTE_COUNT);
    assert_ok(http_server_new(&options, registry, &app.http, &err), &err);
    return 0;
}

static int teardown(void **state) {
    char command[64];
    (void)state;
    http_server_free(app.http);
    arena_free(arena);
    snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    return system(command);
}

/* --- helpers --- */

static struct principal person(enum role role) {
    return (struct principal){.kind = PRINCIPAL_USER,
                              .role = role,
                              .scopes = ~0u,
                              .user_id = "00000000-0000-7000-8000-000000000001",
                              .team_id = "00000000-0000-7000-8000-00000000000a"};
}

static struct test_reply *as(enum role role, int status, const char *method, const char *path) {
    struct principal who = person(role);
    return test_expect(&app, arena, status,
                       &(struct test_request){.method = method, .path = path, .who = &who});
}

static struct test_reply *post(int status, const char *path, const char *json) {
    struct principal who = person(ROLE_EDITOR);
    return test_expect(
        &app, arena, status,
        &(struct test_request){.method = "POST", .path = path, .json = json, .who = &who});
}

static const char *text_of(const struct test_reply *reply, const char *member) {
    const char *text = json_string_value(json_object_get(reply->json, member));
    return text ? text : "";
}

#define SEND(expected, ...)                                                                        \
    test_expect(&app, arena, (expected), &(struct test_request){__VA_ARGS__})

/* --- tests --- */

static void test_match__is_exact(void **state) {
    static const char *const ABSENT[] = {"/api/notes/",  "//api/notes", "/api//notes", "/API/notes",
                                         "/api/note",    "/api",        "/livez/",     "/livez/x",
                                         "/api/nothing", "/v2",         "/metrics/x"};
    (void)state;
    for (size_t i = 0; i < sizeof(ABSENT) / sizeof(ABSENT[0]); i++)
        as(ROLE_OWNER, 404, "GET", ABSENT[i]);
    as(ROLE_OWNER, 404, "POST", "/api/nothing");
    as(ROLE_OWNER, 400, "GET", "/api/./notes");
    as(ROLE_OWNER, 400, "GET", "/api%2fnotes");
}

static void test_match__prefers_the_literal(void **state) {
    (void)state;
    assert_string_equal(text_of(as(ROLE_VIEWER, 200, "GET", "/api/notes/latest"), "text"),
                        "latest!");
    assert_string_equal(text_of(as(ROLE_VIEWER, 200, "GET", "/api/notes/a%20b"), "text"), "a b");
}

static void test_match__names_the_methods_there_are(void **state) {
    (void)state;
    struct test_reply *reply = as(ROLE_OWNER, 405, "PUT", "/api/notes");
    assert_string_equal(test_header(arena, reply, "Allow"), "OPTIONS, GET, POST, HEAD");
    reply = as(ROLE_OWNER, 204, "OPTIONS", "/api/notes/x");
    assert_string_equal(test_header(arena, reply, "Allow"), "OPTIONS, GET, DELETE, HEAD");
    assert_string_equal(test_header(arena, reply, "Access-Control-Allow-Methods"), "");
    as(ROLE_OWNER, 405, "DELETE", "/livez");
    as(ROLE_OWNER, 404, "OPTIONS", "/api/nothing");
}

static void test_match__answers_head_without_a_body(void **state) {
    (void)state;
    struct test_reply *reply = as(ROLE_VIEWER, 200, "HEAD", "/api/notes");
    assert_int_equal(reply->size, 0);
    assert_true(atoi(test_header(arena, reply, "Content-Length")) > 10);
}

struct scope_case {
    const char *method, *path;
    enum role least;
};

static void test_authorise__asks_each_route_for_its_role(void **state) {
    static const struct scope_case CASES[] = {
        {"GET", "/api/notes", ROLE_VIEWER},          {"DELETE", "/api/notes/x", ROLE_ADMIN},
        {"POST", "/api/notes/x/touch", ROLE_EDITOR}, {"GET", "/api/me", ROLE_NONE},
        {"GET", "/api/browser", ROLE_NONE},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        SEND(401, .method = CASES[i].method, .path = CASES[i].path);
        for (int role = ROLE_NONE; role <= ROLE_OWNER; role++) {
            struct principal who = person((enum role)role);
            struct test_reply *reply =
                test_send(&app, arena,
                          &(struct test_request){
                              .method = CASES[i].method, .path = CASES[i].path, .who = &who});
            if ((reply->status == 403) != (role < (int)CASES[i].least))
                fail_msg("%s as role %d: %d", CASES[i].path, role, reply->status);
        }
    }
}

static void test_authorise__bounds_tokens_by_their_scopes(void **state) {
    const struct http_header read = {"Authorization", "Bearer read"};
    const struct http_header write = {"Authorization", "Bearer write"};
    const struct http_header worker = {"Authorization", "Bearer worker"};
    (void)state;
    SEND(200, .path = "/api/notes", .headers = {read});
    SEND(403, .method = "POST", .path = "/api/notes/x/touch", .headers = {read});
    SEND(204, .method = "POST", .path = "/api/notes/x/touch", .headers = {write});
    SEND(403, .method = "DELETE", .path = "/api/notes/x", .headers = {write});
    SEND(403, .path = "/api/browser", .headers = {write});
    SEND(403, .path = "/api/notes", .headers = {worker});
    SEND(204, .method = "POST", .path = "/api/work", .headers = {worker});
    SEND(403, .method = "POST", .path = "/api/work", .headers = {write});
}

static void test_authorise__challenges_strangers(void **state) {
    (void)state;
    struct test_reply *reply = SEND(401, .path = "/api/notes");
    assert_string_equal(test_header(arena, reply, "WWW-Authenticate"), "Bearer");
    assert_string_equal(text_of(reply, "code"), "UNAUTHENTICATED");
}

#define MARK                                                                                       \
    { "X-Slipway-Request", "1" }
#define HOST                                                                                       \
    { "Host", "localhost:8443" }
#define EMPTY                                                                                      \
    { "Content-Length", "0" }

static void test_origin__lets_no_other_site_change_anything(void **state) {
    struct principal who = person(ROLE_OWNER);
    static const struct {
        int status;
        struct http_header headers[5];
    } CASES[] = {
        {204, {HOST, EMPTY, MARK, {"Sec-Fetch-Site", "same-origin"}}},
        {204, {HOST, EMPTY, MARK, {"Origin", "https://localhost:8443"}}},
        {403, {HOST, EMPTY, MARK}},
        {403, {HOST, EMPTY, {"Sec-Fetch-Site", "same-origin"}}},
        {403, {HOST, EMPTY, {"X-Slipway-Request", "0"}, {"Sec-Fetch-Site", "same-origin"}}},
        {403, {HOST, EMPTY, MARK, {"Sec-Fetch-Site", "same-site"}}},
        {403, {HOST, EMPTY, MARK, {"Sec-Fetch-Site", "none"}}},
        {403, {HOST, EMPTY, MARK, {"Sec-Fetch-Site", "cross-site"}}},
        {403, {HOST, EMPTY, MARK, {"Origin", "https://evil.example"}}},
        {403, {HOST, EMPTY, MARK, {"Origin", "null"}}},
        {403, {HOST, EMPTY, MARK, {"Origin", "http://localhost:8443"}}},
        {403, {HOST, EMPTY, MARK, {"Origin", "https://localhost"}}},
        {403,
         {HOST,
          EMPTY,
          MARK,
          {"Origin", "https://evil.example"},
          {"Sec-Fetch-Site", "same-origin"}}},
    };
    static const char *const METHODS[][2] = {{"POST", "/api/notes/x/touch"},
                                             {"DELETE", "/api/notes/x"}};
    (void)state;
    for (size_t m = 0; m < 2; m++)
        for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
            struct test_request rq = {
                .method = METHODS[m][0], .path = METHODS[m][1], .who = &who, .bare = true};
            memcpy(rq.headers, CASES[i].headers, sizeof(CASES[i].headers));
            struct test_reply *reply = test_send(&app, arena, &rq);
            if (reply->status != CASES[i].status)
                fail_msg("case %zu of %s: %d", i, METHODS[m][0], reply->status);
        }
}

static void test_origin__reads_freely_but_gives_no_leave(void **state) {
    struct principal who = person(ROLE_OWNER);
    (void)state;
    /* test_send() fails if any reply carries Access-Control-Allow-Origin. */
    SEND(200, .path = "/api/notes", .who = &who, .headers = {{"Origin", "https://evil.example"}});
    SEND(
        204, .method = "OPTIONS", .path = "/api/notes",
        .headers = {{"Origin", "https://evil.example"}, {"Access-Control-Request-Method", "POST"}});
}

static void test_origin__guards_signing_in(void **state) {
    (void)state;
    SEND(200, .method = "POST", .path = "/api/login", .json = "{\"text\":\"a\"}");
    SEND(403, .method = "POST", .path = "/api/login", .json = "{\"text\":\"a\"}",
         .headers = {{"Origin", "https://evil.example"}});
    SEND(403, .method = "POST", .path = "/api/login", .json = "{\"text\":\"a\"}",
         .headers = {{"Cookie", "refresh=1"}});
}

static void test_body__must_fit_its_table(void **state) {
    static const struct {
        const char *json, *field;
        int status;
    } CASES[] = {
        {"{\"text\":\"a\",\"role\":\"admin\"}", "role", 400},
        {"{\"text\":\"a\",\"count\":10}", "count", 400},
        {"{\"text\":\"a\",\"count\":\"1\"}", "count", 400},
        {"{\"text\":[\"a\"]}", "text", 400},
        {"{\"text\":\"abcdefghijk\"}", "text", 400},
        {"{\"count\":1}", "text", 400},
        {"{\"text\":null}", "text", 400},
        {"[]", "", 400},
        {"\"text\"", "", 400},
        {"", "", 400},
        {"{\"text\":\"a\"} x", "", 400},
        {"{\"text\":\"a\",\"text\":\"b\"}", "", 400},
        {"{\"text\":\"\\u0000\"}", "", 400},
        {"{\"text\":\"\\ud800\"}", "", 400},
        {"\xef\xbb\xbf{\"text\":\"a\"}", "", 400},
        {"{\"count\":1e400,\"text\":\"a\"}", "", 400},
        {"{\"count\":NaN,\"text\":\"a\"}", "", 400},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct test_reply *reply = post(CASES[i].status, "/api/notes", CASES[i].json);
        if (*CASES[i].field)
            assert_string_equal(text_of(reply, "field"), CASES[i].field);
    }
}

static void test_body__has_limits_of_depth_and_size(void **state) {
    size_t size = ((size_t)1 << 20) + 1;
    char *deep = arena_alloc(arena, 200001), *large = arena_alloc(arena, size + 1);
    (void)state;
    memset(deep, '[', 100000);
    memset(deep + 100000, ']', 100000);
    post(400, "/api/notes", deep);
    memset(large, ' ', size);
    struct test_reply *reply = post(413, "/api/notes", large);
    assert_true(reply->closes);
}

static void test_body__must_say_that_it_is_json(void **state) {
    struct principal who = person(ROLE_EDITOR);
    static const struct {
        const char *type;
        int status;
    } CASES[] = {{"application/json", 201},
                 {"application/json; charset=utf-8", 201},
                 {"application/json;charset=\"UTF-8\"", 201},
                 {"application/json; charset=utf-16", 400},
                 {"text/plain", 400},
                 {"application/jsonp", 400},
                 {"application/x-www-form-urlencoded", 400},
                 {"", 400}};
    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        SEND(CASES[i].status, .method = "POST", .path = "/api/notes", .body = "{\"text\":\"a\"}",
             .size = 12, .content_type = CASES[i].type, .who = &who);
    SEND(400, .method = "POST", .path = "/api/notes", .json = "{\"text\":\"a\"}", .who = &who,
         .headers = {{"Content-Encoding", "gzip"}});
}

static void test_body__is_refused_where_none_belongs(void **state) {
    struct principal who = person(ROLE_OWNER);
    (void)state;
    struct test_reply *reply =
        SEND(400, .method = "DELETE", .path = "/api/notes/x", .json = "{}", .who = &who);
    assert_true(reply->closes);
    SEND(400, .path = "/api/notes", .who = &who, .headers = {{"Content-Length", "2"}});
}

static void test_body__streams_with_and_without_a_length(void **state) {
    struct principal who = person(ROLE_EDITOR);
    (void)state;
    struct test_reply *reply = SEND(200, .method = "PUT", .path = "/api/stream",
                                    .body = "0123456789abcdef", .size = 16, .who = &who);
    assert_int_equal(json_integer_value(json_object_get(reply->json, "size")), 16);
    assert_false(reply->closes);
    reply = SEND(200, .method = "PUT", .path = "/api/stream", .body = "0123456789", .size = 10,
                 .chunked = true, .who = &who);
    assert_int_equal(json_integer_value(json_object_get(reply->json, "size")), 10);
    SEND(400, .method = "POST", .path = "/api/notes", .json = "{\"text\":\"a\"}", .chunked = true,
         .who = &who);
}

static void test_body__that_breaks_off_is_an_error(void **state) {
    struct principal who = person(ROLE_EDITOR);
    (void)state;
    struct test_reply *reply = SEND(400, .method = "PUT", .path = "/api/stream",
                                    .body = "0123456789abcdef", .size = 16, .cut = 9, .who = &who);
    assert_true(reply->closes);
    SEND(400, .method = "POST", .path = "/api/notes", .json = "{\"text\":\"a\"}", .cut = 5,
         .who = &who);
}

static void test_body__raw_has_its_own_limit(void **state) {
    struct principal who = person(ROLE_EDITOR);
    char *bytes = arena_alloc(arena, 101);
    (void)state;
    struct test_reply *reply = SEND(200, .method = "PUT", .path = "/api/raw", .body = bytes,
                                    .size = 100, .content_type = "Image/PNG; x=1", .who = &who);
    assert_string_equal(text_of(reply, "type"), "image/png");
    SEND(413, .method = "PUT", .path = "/api/raw", .body = bytes, .size = 101, .who = &who);
    SEND(413, .method = "PUT", .path = "/api/raw", .body = bytes, .size = 101, .chunked = true,
         .who = &who);
}

static void test_query__must_fit_its_table(void **state) {
    static const struct {
        const char *path;
        int status;
    } CASES[] = {
        {"/api/notes?limit=200&name=a%20b+c", 200},
        {"/api/notes?", 200},
        {"/api/notes?limit=0", 400},
        {"/api/notes?limit=201", 400},
        {"/api/notes?limit=-1", 400},
        {"/api/notes?limit=1e9", 400},
        {"/api/notes?limit=1&limit=2", 400},
        {"/api/notes?page_size=1", 400},
        {"/api/notes?name=%00", 400},
        {"/api/notes?name=%ff", 400},
        {"/api/notes?name=%2", 400},
        {"/api/notes?cursor=forged", 400},
        {"/api/notes/x?limit=1", 400},
        {"/api/notes?name=012345678901234567890", 400},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        as(ROLE_VIEWER, CASES[i].status, "GET", CASES[i].path);
}

static void test_cursor__belongs_to_team_and_route(void **state) {
    struct principal who = person(ROLE_VIEWER), other = who;
    (void)state;
    struct test_reply *reply = SEND(200, .path = "/api/notes", .who = &who);
    const char *path = arena_printf(arena, "/api/notes?cursor=%s", text_of(reply, "next_cursor"));
    reply = SEND(200, .path = path, .who = &who);
    json_t *second = json_array_get(json_object_get(reply->json, "items"), 1);
    assert_string_equal(json_string_value(json_object_get(second, "text")), "key");
    other.team_id[0] = 'f';
    SEND(400, .path = path, .who = &other);
    char *flipped = arena_strdup(arena, path);
    flipped[strlen(flipped) - 3] ^= 1;
    SEND(400, .path = flipped, .who = &who);
}

static void test_reply__has_no_injected_header(void **state) {
    (void)state;
    struct test_reply *reply = SEND(204, .path = "/api/header/plain");
    assert_string_equal(test_header(arena, reply, "X-Name"), "plain");
    assert_string_equal(test_header(arena, reply, "X-Split"), "");
    assert_string_equal(test_header(arena, reply, "Set-Cookie"), "");
}

static void test_reply__hides_details_and_says_when_to_come_back(void **state) {
    (void)state;
    struct test_reply *reply = as(ROLE_VIEWER, 500, "GET", "/api/broken");
    assert_null(strstr(reply->body, "secret"));
    reply = as(ROLE_VIEWER, 500, "GET", "/v2/broken");
    assert_string_equal(text_of(reply, "error"), "could not do it");
    reply = as(ROLE_VIEWER, 429, "GET", "/api/busy");
    assert_string_equal(test_header(arena, reply, "Retry-After"), "7");
}

static void test_reply__names_the_field_at_fault(void **state) {
    (void)state;
    struct test_reply *reply = post(409, "/api/notes", "{\"text\":\"taken\"}");
    assert_string_equal(text_of(reply, "field"), "text");
    assert_string_equal(text_of(reply, "code"), "CONFLICT");
    assert_string_equal(text_of(reply, "detail"), "there is a note \"taken\" already");
}

static void test_file__serves_one_range(void **state) {
    static const struct {
        const char *range;
        int status;
        const char *body, *content_range;
    } CASES[] = {
        {"bytes=0-3", 206, "0123", "bytes 0-3/10"},
        {"bytes=7-", 206, "789", "bytes 7-9/10"},
        {"bytes=-2", 206, "89", "bytes 8-9/10"},
        {"bytes=5-99", 206, "56789", "bytes 5-9/10"},
        {"bytes=-99", 206, "0123456789", "bytes 0-9/10"},
        {"bytes=10-", 416, "", "bytes */10"},
        {"bytes=-0", 416, "", "bytes */10"},
        {"bytes=0-1,3-4", 200, "0123456789", ""},
        {"bytes=4-2", 200, "0123456789", ""},
        {"bytes=x-", 200, "0123456789", ""},
        {"lines=0-1", 200, "0123456789", ""},
        {"bytes=99999999999999999999-", 200, "0123456789", ""},
    };
    struct principal who = person(ROLE_VIEWER);
    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct test_reply *reply = SEND(CASES[i].status, .path = "/api/file/text", .who = &who,
                                        .headers = {{"Range", CASES[i].range}});
        assert_string_equal(reply->body, CASES[i].body);
        assert_string_equal(test_header(arena, reply, "Content-Range"), CASES[i].content_range);
    }
}

static void test_file__honours_validators(void **state) {
    struct principal who = person(ROLE_VIEWER);
    (void)state;
    struct test_reply *reply = SEND(304, .path = "/api/file/text", .who = &who,
                                    .headers = {{"If-None-Match", "\"x\", \"abc\""}});
    assert_int_equal(reply->size, 0);
    SEND(200, .path = "/api/file/text", .who = &who, .headers = {{"If-None-Match", "\"abcd\""}});
    SEND(200, .path = "/api/file/text", .who = &who,
         .headers = {{"Range", "bytes=0-1"}, {"If-Range", "\"old\""}});
    SEND(206, .path = "/api/file/text", .who = &who,
         .headers = {{"Range", "bytes=0-1"}, {"If-Range", "\"abc\""}});
    reply = SEND(200, .method = "HEAD", .path = "/api/file/text", .who = &who);
    assert_string_equal(test_header(arena, reply, "Content-Length"), "10");
    assert_int_equal(reply->size, 0);
}

static void test_file__is_never_a_page_of_ours(void **state) {
    (void)state;
    struct test_reply *reply = as(ROLE_VIEWER, 200, "GET", "/api/file/html");
    assert_string_equal(test_header(arena, reply, "Content-Disposition"),
                        "attachment; filename=\"a________.txt\"; "
                        "filename*=UTF-8''a%20%22%E6%95%B0%22%0D%0A.txt");
    assert_non_null(strstr(test_header(arena, reply, "Content-Security-Policy"), "sandbox"));
    assert_string_equal(test_header(arena, reply, "X-Content-Type-Options"), "nosniff");
}

static void test_audit__records_what_was_done_and_what_was_refused(void **state) {
    (void)state;
    post(201, "/api/notes", "{\"text\":\"a\"}");
    assert_string_equal(audited, "note.create /notes/a OK");
    post(409, "/api/notes", "{\"text\":\"taken\"}");
    assert_string_equal(audited, "note.create /api/notes CONFLICT");
    as(ROLE_EDITOR, 403, "DELETE", "/api/notes/x");
    assert_string_equal(audited, "note.delete /api/notes/x FORBIDDEN");
    SEND(409, .method = "POST", .path = "/api/login", .json = "{\"text\":\"taken\"}");
    assert_string_equal(audited, "session.create /api/login CONFLICT");
    int before = audits;
    SEND(401, .method = "DELETE", .path = "/api/notes/x");
    as(ROLE_VIEWER, 200, "GET", "/api/notes");
    assert_int_equal(audits, before);
}

/* Runs fn with standard error in a file, and gives its text back. */
static const char *log_of(void (*fn)(void)) {
    char path[64];
    snprintf(path, sizeof(path), "%s/log", dir);
    auto_fd file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    auto_fd kept = dup(STDERR_FILENO);
    assert_true(file >= 0 && kept >= 0);
    dup2(file, STDERR_FILENO);
    fn();
    dup2(kept, STDERR_FILENO);
    char *text = arena_alloc(arena, 65537);
    assert_true(pread(file, text, 65536, 0) > 0);
    return text;
}

static void send_canaries(void) {
    struct principal who = person(ROLE_EDITOR);
    SEND(200, .path = "/api/notes?name=canary1", .who = &who);
    SEND(201, .method = "POST", .path = "/api/notes", .json = "{\"text\":\"canary2\"}",
         .who = &who);
    SEND(200, .path = "/api/notes/canary3", .who = &who,
         .headers = {{"User-Agent", "canary4"}, {"Cookie", "a=canary5"}});
    SEND(400, .method = "DELETE", .path = "/api/notes/canary6%22%1b",
         .headers = {{"Authorization", ""}});
    SEND(500, .path = "/api/broken", .who = &who, .headers = {{"Referer", "canary7"}});
}

static void test_log__has_one_json_line_a_request_and_none_of_its_content(void **state) {
    (void)state;
    const char *text = log_of(send_canaries);
    int lines = 0;
    assert_null(strstr(text, "canary"));
    for (const char *at = text; *at; at += strcspn(at, "\n") + 1) {
        auto_json *line = json_loadb(at, strcspn(at, "\n"), JSON_REJECT_DUPLICATES, NULL);
        if (!line)
            fail_msg("not JSON: %.200s", at);
        const char *event = json_string_value(json_object_get(line, "event"));
        bool request = strcmp(event, "http.request") == 0;
        lines += request;
        if (request && !json_is_string(json_object_get(line, "request_id")))
            fail_msg("no request id: %.200s", at);
    }
    assert_int_equal(lines, 5);
    assert_non_null(strstr(text, "/secret/path and SQL"));
}

static void test_service__answers_health_and_figures(void **state) {
    (void)state;
    SEND(200, .path = "/livez");
    SEND(401, .path = "/metrics");
    SEND(403, .path = "/metrics", .headers = {{"Authorization", "Bearer write"}});
    struct test_reply *reply = SEND(200, .path = "/api/v1/openapi.json");
    json_t *paths = json_object_get(reply->json, "paths");
    assert_non_null(json_object_get(json_object_get(paths, "/api/notes"), "post"));
    assert_null(json_object_get(paths, "/{rest*}"));
    json_t *schemas = json_object_get(json_object_get(reply->json, "components"), "schemas");
    assert_non_null(json_object_get(schemas, "Note"));
}

static void test_service__is_not_ready_while_it_ends(void **state) {
    (void)state;
    http_drain(app.http);
    struct test_reply *reply = SEND(503, .path = "/readyz");
    assert_string_equal(test_header(arena, reply, "Retry-After"), "1");
    SEND(200, .path = "/livez");
}

static void test_registry__refuses_careless_rows(void **state) {
    static const struct route ROWS[][2] = {
        {{GET, "/a", SCOPE_UNDECLARED, .handle = nothing, .doc = "x"}},
        {{GET, "/a", SCOPE_PUBLIC, .handle = nothing}},
        {{GET, "/a", SCOPE_PUBLIC, .doc = "x"}},
        {{GET | POST, "/a", SCOPE_PUBLIC, .handle = nothing, .doc = "x"}},
        {{GET, "/a", SCOPE_PUBLIC, .body = &NOTE, .handle = nothing, .doc = "x"}},
        {{PUT, "/a", SCOPE_PUBLIC, .flags = ROUTE_RAW_BODY, .handle = nothing, .doc = "x"}},
        {{GET, "/a/{b}", SCOPE_PUBLIC, .handle = nothing, .doc = "x"},
         {GET, "/a/{c}", SCOPE_PUBLIC, .handle = nothing, .doc = "x"}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(ROWS) / sizeof(ROWS[0]); i++) {
        struct http_registry *r = http_registry_new(&HOOKS);
        struct err_info err = {0};
        http_register(r, ROWS[i], ROWS[i][1].path ? 2 : 1);
        if (http_registry_check(r, &err) == OK)
            fail_msg("row %zu was accepted", i);
        http_registry_free(r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_match__is_exact),
        cmocka_unit_test(test_match__prefers_the_literal),
        cmocka_unit_test(test_match__names_the_methods_there_are),
        cmocka_unit_test(test_match__answers_head_without_a_body),
        cmocka_unit_test(test_authorise__asks_each_route_for_its_role),
        cmocka_unit_test(test_authorise__bounds_tokens_by_their_scopes),
        cmocka_unit_test(test_authorise__challenges_strangers),
        cmocka_unit_test(test_origin__lets_no_other_site_change_anything),
        cmocka_unit_test(test_origin__reads_freely_but_gives_no_leave),
        cmocka_unit_test(test_origin__guards_signing_in),
        cmocka_unit_test(test_body__must_fit_its_table),
        cmocka_unit_test(test_body__has_limits_of_depth_and_size),
        cmocka_unit_test(test_body__must_say_that_it_is_json),
        cmocka_unit_test(test_body__is_refused_where_none_belongs),
        cmocka_unit_test(test_body__streams_with_and_without_a_length),
        cmocka_unit_test(test_body__that_breaks_off_is_an_error),
        cmocka_unit_test(test_body__raw_has_its_own_limit),
        cmocka_unit_test(test_query__must_fit_its_table),
        cmocka_unit_test(test_cursor__belongs_to_team_and_route),
        cmocka_unit_test(test_reply__has_no_injected_header),
        cmocka_unit_test(test_reply__hides_details_and_says_when_to_come_back),
        cmocka_unit_test(test_reply__names_the_field_at_fault),
        cmocka_unit_test(test_file__serves_one_range),
        cmocka_unit_test(test_file__honours_validators),
        cmocka_unit_test(test_file__is_never_a_page_of_ours),
        cmocka_unit_test(test_audit__records_what_was_done_and_what_was_refused),
        cmocka_unit_test(test_log__has_one_json_line_a_request_and_none_of_its_content),
        cmocka_unit_test(test_service__answers_health_and_figures),
        cmocka_unit_test(test_registry__refuses_careless_rows),
        cmocka_unit_test(test_service__is_not_ready_while_it_ends),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
