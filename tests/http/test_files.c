/* The UI's files: fallback, coding, caching, and what is not to be had through them. */
#include "tests/support/test_http.h"

#include "base/arena.h"

#include <string.h>
#include <sys/stat.h>

static struct app app;
static struct arena *arena;
static char dir[] = "/tmp/slipway-files-XXXXXX";

static enum err nobody(struct ctx *cx, const struct http_head *head) {
    (void)cx, (void)head;
    return OK;
}

static const struct http_hooks HOOKS = {.authenticate = nobody};

static int setup(void **state) {
    static const char *const HOSTS[] = {"localhost", NULL};
    static struct http_options options = {.hosts = HOSTS, .threads = 64, .streams = 4};
    char command[512];
    struct err_info err = {0};
    (void)state;
    arena = arena_new();
    assert_non_null(mkdtemp(dir));
    snprintf(command, sizeof(command),
             "cd %s && mkdir -p ui/assets ui/sub && echo secret >secret.txt && cd ui && "
             "echo '<title>ui</title>' >index.html && echo plain >assets/app-1a2b.js && "
             "echo brotli >assets/app-1a2b.js.br && echo gzipped >assets/app-1a2b.js.gz && "
             "echo icon >favicon.ico && ln -s ../secret.txt link.txt",
             dir);
    assert_int_equal(system(command), 0);
    options.key_dir = dir;
    options.static_dir = arena_printf(arena, "%s/ui", dir);
    assert_ok(cursor_key_create(dir, &err), &err);
    struct http_registry *registry = http_registry_new(&HOOKS);
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

static struct test_reply *get(int status, const char *path, const char *accepted) {
    return test_expect(
        &app, arena, status,
        &(struct test_request){.path = path, .headers = {{"Accept-Encoding", accepted}}});
}

static void test_files__every_page_is_the_application(void **state) {
    static const char *const PAGES[] = {"/", "/index.html", "/projects", "/runs/0192/metrics"};
    (void)state;
    for (size_t i = 0; i < sizeof(PAGES) / sizeof(PAGES[0]); i++) {
        struct test_reply *reply = get(200, PAGES[i], "identity");
        assert_string_equal(reply->body, "<title>ui</title>\n");
        assert_string_equal(test_header(arena, reply, "Cache-Control"), "no-cache");
        assert_string_equal(test_header(arena, reply, "Content-Type"), "text/html; charset=utf-8");
        assert_string_equal(test_header(arena, reply, "Content-Disposition"), "");
        assert_non_null(
            strstr(test_header(arena, reply, "Content-Security-Policy"), "script-src 'self'"));
    }
}

static void test_files__hashed_names_are_cached_for_ever(void **state) {
    (void)state;
    struct test_reply *reply = get(200, "/assets/app-1a2b.js", "identity");
    assert_string_equal(test_header(arena, reply, "Cache-Control"),
                        "public, max-age=31536000, immutable");
    assert_string_equal(test_header(arena, reply, "Vary"), "Accept-Encoding");
}

static void test_files__sends_the_coding_the_browser_takes(void **state) {
    static const struct {
        const char *accepted, *coding, *body;
    } CASES[] = {
        {"gzip, deflate, br", "br", "brotli\n"},
        {"gzip", "gzip", "gzipped\n"},
        {"br;q=0, gzip;q=0.5", "gzip", "gzipped\n"},
        {"br;q=0.0", "", "plain\n"},
        {"identity", "", "plain\n"},
        {"brx", "", "plain\n"},
        {"", "", "plain\n"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        struct test_reply *reply = get(200, "/assets/app-1a2b.js", CASES[i].accepted);
        assert_string_equal(reply->body, CASES[i].body);
        assert_string_equal(test_header(arena, reply, "Content-Encoding"), CASES[i].coding);
        assert_string_equal(test_header(arena, reply, "Content-Type"),
                            "text/javascript; charset=utf-8");
    }
}

static void test_files__repeats_nothing_the_browser_has(void **state) {
    (void)state;
    struct test_reply *reply = get(200, "/favicon.ico", "identity");
    struct test_request again = {.path = "/favicon.ico",
                                 .headers = {{"If-None-Match", test_header(arena, reply, "ETag")}}};
    assert_int_equal(test_expect(&app, arena, 304, &again)->size, 0);
}

static void test_files__gives_nothing_else_away(void **state) {
    static const char *const PATHS[] = {"/link.txt",   "/missing.js",  "/assets/",
                                        "/sub/",       "//index.html", "/assets//app-1a2b.js",
                                        "/.well-known"};
    (void)state;
    for (size_t i = 0; i < sizeof(PATHS) / sizeof(PATHS[0]); i++)
        get(404, PATHS[i], "identity");
    get(400, "/../secret.txt", "identity");
    get(400, "/%2e%2e/secret.txt", "identity");
    test_expect(&app, arena, 405, &(struct test_request){.method = "POST", .path = "/projects"});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_files__every_page_is_the_application),
        cmocka_unit_test(test_files__hashed_names_are_cached_for_ever),
        cmocka_unit_test(test_files__sends_the_coding_the_browser_takes),
        cmocka_unit_test(test_files__repeats_nothing_the_browser_has),
        cmocka_unit_test(test_files__gives_nothing_else_away),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
