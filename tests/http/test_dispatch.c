/* Who may do what: matching, scopes, origins, audit and the checks of the tables at start. */
#include "tests/http/notes.h"

#include <string.h>

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
    assert_string_equal(test_header(notes_arena, reply, "Allow"), "OPTIONS, GET, POST, HEAD");
    reply = as(ROLE_OWNER, 204, "OPTIONS", "/api/notes/x");
    assert_string_equal(test_header(notes_arena, reply, "Allow"), "OPTIONS, GET, DELETE, HEAD");
    assert_string_equal(test_header(notes_arena, reply, "Access-Control-Allow-Methods"), "");
    as(ROLE_OWNER, 405, "DELETE", "/livez");
    as(ROLE_OWNER, 404, "OPTIONS", "/api/nothing");
}

static void test_match__answers_head_without_a_body(void **state) {
    (void)state;
    struct test_reply *reply = as(ROLE_VIEWER, 200, "HEAD", "/api/notes");
    assert_int_equal(reply->size, 0);
    assert_true(atoi(test_header(notes_arena, reply, "Content-Length")) > 10);
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
                test_send(&notes_app, notes_arena,
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
    assert_string_equal(test_header(notes_arena, reply, "WWW-Authenticate"), "Bearer");
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
            struct test_reply *reply = test_send(&notes_app, notes_arena, &rq);
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

static void test_audit__records_what_was_done_and_what_was_refused(void **state) {
    (void)state;
    post(201, "/api/notes", "{\"text\":\"a\"}");
    assert_string_equal(notes_audited, "note.create /notes/a OK");
    post(409, "/api/notes", "{\"text\":\"taken\"}");
    assert_string_equal(notes_audited, "note.create /api/notes CONFLICT");
    as(ROLE_EDITOR, 403, "DELETE", "/api/notes/x");
    assert_string_equal(notes_audited, "note.delete /api/notes/x FORBIDDEN");
    SEND(409, .method = "POST", .path = "/api/login", .json = "{\"text\":\"taken\"}");
    assert_string_equal(notes_audited, "session.create /api/login CONFLICT");
    int before = notes_audits;
    SEND(401, .method = "DELETE", .path = "/api/notes/x");
    as(ROLE_VIEWER, 200, "GET", "/api/notes");
    assert_int_equal(notes_audits, before);
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
        struct http_registry *r = http_registry_new(&NOTES_HOOKS);
        struct err_info err = {0};
        http_register(r, ROWS[i], ROWS[i][1].path ? 2 : 1);
        if (http_registry_check(r, &err) == OK)
            fail_msg("row %zu was accepted", i);
        http_registry_free(r);
    }
}

static void test_service__is_not_ready_while_it_ends(void **state) {
    (void)state;
    http_drain(notes_app.http);
    struct test_reply *reply = SEND(503, .path = "/readyz");
    assert_string_equal(test_header(notes_arena, reply, "Retry-After"), "1");
    SEND(200, .path = "/livez");
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
        cmocka_unit_test(test_audit__records_what_was_done_and_what_was_refused),
        cmocka_unit_test(test_service__answers_health_and_figures),
        cmocka_unit_test(test_registry__refuses_careless_rows),
        cmocka_unit_test(test_service__is_not_ready_while_it_ends),
    };
    return cmocka_run_group_tests(tests, notes_setup, notes_teardown);
}
