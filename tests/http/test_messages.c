/* What goes in and out: bodies, queries, cursors, replies, files and the log. */
#include "tests/http/notes.h"

#include "base/cleanup.h"

#include <fcntl.h>
#include <string.h>

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
    char *deep = arena_alloc(notes_arena, 200001), *large = arena_alloc(notes_arena, size + 1);
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
    char *bytes = arena_alloc(notes_arena, 101);
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
    const char *path =
        arena_printf(notes_arena, "/api/notes?cursor=%s", text_of(reply, "next_cursor"));
    reply = SEND(200, .path = path, .who = &who);
    json_t *second = json_array_get(json_object_get(reply->json, "items"), 1);
    assert_string_equal(json_string_value(json_object_get(second, "text")), "key");
    other.team_id[0] = 'f';
    SEND(400, .path = path, .who = &other);
    char *flipped = arena_strdup(notes_arena, path);
    flipped[strlen(flipped) - 3] ^= 1;
    SEND(400, .path = flipped, .who = &who);
}

static void test_reply__has_no_injected_header(void **state) {
    (void)state;
    struct test_reply *reply = SEND(204, .path = "/api/header/plain");
    assert_string_equal(test_header(notes_arena, reply, "X-Name"), "plain");
    assert_string_equal(test_header(notes_arena, reply, "X-Split"), "");
    assert_string_equal(test_header(notes_arena, reply, "Set-Cookie"), "");
}

static void test_reply__hides_details_and_says_when_to_come_back(void **state) {
    (void)state;
    struct test_reply *reply = as(ROLE_VIEWER, 500, "GET", "/api/broken");
    assert_null(strstr(reply->body, "secret"));
    reply = as(ROLE_VIEWER, 500, "GET", "/v2/broken");
    assert_string_equal(text_of(reply, "error"), "could not do it");
    reply = as(ROLE_VIEWER, 429, "GET", "/api/busy");
    assert_string_equal(test_header(notes_arena, reply, "Retry-After"), "7");
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
        assert_string_equal(test_header(notes_arena, reply, "Content-Range"),
                            CASES[i].content_range);
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
    assert_string_equal(test_header(notes_arena, reply, "Content-Length"), "10");
    assert_int_equal(reply->size, 0);
}

static void test_file__is_never_a_page_of_ours(void **state) {
    (void)state;
    struct test_reply *reply = as(ROLE_VIEWER, 200, "GET", "/api/file/html");
    assert_string_equal(test_header(notes_arena, reply, "Content-Disposition"),
                        "attachment; filename=\"a________.txt\"; "
                        "filename*=UTF-8''a%20%22%E6%95%B0%22%0D%0A.txt");
    assert_non_null(strstr(test_header(notes_arena, reply, "Content-Security-Policy"), "sandbox"));
    assert_string_equal(test_header(notes_arena, reply, "X-Content-Type-Options"), "nosniff");
}

/* Runs fn with standard error in a file, and gives its text back. */
static const char *log_of(void (*fn)(void)) {
    char path[64];
    snprintf(path, sizeof(path), "%s/log", notes_dir);
    auto_fd file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    auto_fd kept = dup(STDERR_FILENO);
    assert_true(file >= 0 && kept >= 0);
    dup2(file, STDERR_FILENO);
    fn();
    dup2(kept, STDERR_FILENO);
    char *text = arena_alloc(notes_arena, 65537);
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

int main(void) {
    const struct CMUnitTest tests[] = {
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
        cmocka_unit_test(test_log__has_one_json_line_a_request_and_none_of_its_content),
    };
    return cmocka_run_group_tests(tests, notes_setup, notes_teardown);
}
