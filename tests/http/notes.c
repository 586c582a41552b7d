/* See notes.h. */
#include "tests/http/notes.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

struct app notes_app;
struct arena *notes_arena;
char notes_dir[] = "/tmp/slipway-dispatch-XXXXXX";
char notes_audited[512];
int notes_audits;

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
SHAPE(NOTE, "Note", struct note, NOTE_FIELDS);

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

enum err nothing(struct ctx *cx, const struct req *rq, struct reply *rp) {
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
    int fd =
        open(arena_printf(cx->arena, "%s/file", notes_dir), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
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
    notes_audits++;
    snprintf(notes_audited, sizeof(notes_audited), "%s %s %s", action, object,
             err_to_string(refusal));
    return OK;
}

const struct http_hooks NOTES_HOOKS = {.authenticate = authenticate, .audit = audit};

int notes_setup(void **state) {
    static const char *const HOSTS[] = {"localhost", NULL};
    static struct http_options options = {.hosts = HOSTS, .threads = 64, .streams = 4};
    struct err_info err = {0};
    (void)state;
    notes_arena = arena_new();
    assert_non_null(mkdtemp(notes_dir));
    options.key_dir = notes_dir;
    assert_ok(cursor_key_create(notes_dir, &err), &err);
    struct http_registry *registry = http_registry_new(&NOTES_HOOKS);
    http_register(registry, ROUTES, ROUTES_COUNT(ROUTES));
    http_register(registry, HTTP_ROUTES, HTTP_ROUTE_COUNT);
    assert_ok(http_server_new(&options, registry, &notes_app.http, &err), &err);
    return 0;
}

int notes_teardown(void **state) {
    char command[64];
    (void)state;
    http_server_free(notes_app.http);
    arena_free(notes_arena);
    snprintf(command, sizeof(command), "rm -rf '%s'", notes_dir);
    return system(command);
}

struct principal person(enum role role) {
    return (struct principal){.kind = PRINCIPAL_USER,
                              .role = role,
                              .scopes = ~0u,
                              .user_id = "00000000-0000-7000-8000-000000000001",
                              .team_id = "00000000-0000-7000-8000-00000000000a"};
}

struct test_reply *as(enum role role, int status, const char *method, const char *path) {
    struct principal who = person(role);
    return test_expect(&notes_app, notes_arena, status,
                       &(struct test_request){.method = method, .path = path, .who = &who});
}

struct test_reply *post(int status, const char *path, const char *json) {
    struct principal who = person(ROLE_EDITOR);
    return test_expect(
        &notes_app, notes_arena, status,
        &(struct test_request){.method = "POST", .path = path, .json = json, .who = &who});
}

const char *text_of(const struct test_reply *reply, const char *member) {
    const char *text = json_string_value(json_object_get(reply->json, member));
    return text ? text : "";
}
