/* The first start: nothing is answered until there is an owner, and one secret makes one. */

#include "base/digest.h"
#include "tests/auth/browser.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

static void prepare(struct test_service *t) {
    struct ctx cx;
    ctx_init(&cx, t->app);
    cx.who.kind = PRINCIPAL_SYSTEM;
    assert_ok(auth_setup_prepare(&cx), &cx.err);
    ctx_done(&cx);
}

static const char *secret_path(struct test_service *t) {
    return arena_printf(t->arena, "%s/setup.secret", t->config.key_dir);
}

static const char *secret_read(struct test_service *t) {
    char *text = arena_alloc(t->arena, 64);
    auto_fd fd = open(secret_path(t), O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(read(fd, text, 63), 43);
    return text;
}

static const char *setup_body(struct test_service *t, const char *secret, const char *password,
                              const char *name) {
    return arena_printf(t->arena,
                        "{\"secret\":\"%s\",\"email\":\"%s@example.test\",\"name\":\"First\","
                        "\"password\":\"%s\",\"team_slug\":\"acme\",\"team_name\":\"Acme\"}",
                        secret, name, password);
}

static void test_setup__everything_else_waits(void **state) {
    struct test_service *t = *state;
    struct browser b = browser_new(t);
    struct test_reply *reply = browse(&b, "GET", "/api/v1/setup", NULL);
    assert_int_equal(reply->status, 200);
    assert_true(json_is_true(json_object_get(reply->json, "needed")));
    assert_int_equal(whoami(&b), 503);
    assert_int_equal(sign_in(&b, "a@example.test", PASSWORD), 503);
    assert_int_equal(browse_status(&b, "GET", "/api/v1/projects", NULL), 503);
    assert_int_equal(browse_status(&b, "POST", "/api/v1/worker/hello", "{}"), 503);
    assert_int_equal(browse_status(&b, "GET", "/livez", NULL), 200);
    assert_int_equal(browse_status(&b, "GET", "/readyz", NULL), 200);
}

static void test_setup__secret_is_for_its_owner_alone(void **state) {
    struct test_service *t = *state;
    struct stat st;
    prepare(t);
    assert_int_equal(stat(secret_path(t), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    const char *first = secret_read(t);
    prepare(t); /* a restart keeps it */
    assert_string_equal(secret_read(t), first);
}

static void test_setup__wrong_secret_or_password_makes_nobody(void **state) {
    struct test_service *t = *state;
    struct browser b = browser_new(t);
    const char *path = "/api/v1/setup";
    assert_int_equal(browse_status(&b, "POST", path, setup_body(t, "x", PASSWORD, "first")), 400);
    char *wrong = arena_strdup(t->arena, secret_read(t));
    wrong[42] = wrong[42] == 'A' ? 'B' : 'A';
    assert_int_equal(browse_status(&b, "POST", path, setup_body(t, wrong, PASSWORD, "first")), 400);
    assert_int_equal(
        browse_status(&b, "POST", path, setup_body(t, secret_read(t), "passwordpassword", "first")),
        400);
    assert_string_equal(test_sql_value(t->db, "select count(*) from users"), "0");
}

struct starter {
    struct browser browser;
    struct arena *arena;
    const char *body;
    int status;
};

static void *start(void *arg) {
    struct starter *s = arg;
    s->arena = arena_new();
    s->browser.arena = s->arena;
    s->status = browse_status(&s->browser, "POST", "/api/v1/setup", s->body);
    return NULL;
}

static void test_setup__of_six_at_once_one_becomes_the_owner(void **state) {
    struct test_service *t = *state;
    enum { COUNT = 6 };
    static struct starter s[COUNT];
    pthread_t threads[COUNT];
    int owners = 0;
    for (int i = 0; i < COUNT; i++) {
        s[i].browser = browser_new(t);
        s[i].body = setup_body(t, secret_read(t), PASSWORD, arena_printf(t->arena, "first%d", i));
        pthread_create(&threads[i], NULL, start, &s[i]);
    }
    struct browser *owner = NULL;
    for (int i = 0; i < COUNT; i++) {
        pthread_join(threads[i], NULL);
        arena_free(s[i].arena);
        if (s[i].status == 200)
            owner = &s[i].browser;
        owners += s[i].status == 200;
    }
    assert_int_equal(owners, 1);
    assert_string_equal(test_sql_value(t->db, "select count(*) from users"), "1");
    owner->arena = t->arena;
    assert_int_equal(whoami(owner), 200);
    assert_int_equal(access(secret_path(t), F_OK), -1);
    struct test_reply *reply = browse(owner, "GET", "/api/v1/setup", NULL);
    assert_true(json_is_false(json_object_get(reply->json, "needed")));
    assert_int_equal(
        browse_status(owner, "POST", "/api/v1/setup", setup_body(t, "x", PASSWORD, "second")), 409);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_setup__everything_else_waits),
        cmocka_unit_test(test_setup__secret_is_for_its_owner_alone),
        cmocka_unit_test(test_setup__wrong_secret_or_password_makes_nobody),
        cmocka_unit_test(test_setup__of_six_at_once_one_becomes_the_owner),
    };
    return cmocka_run_group_tests(tests, test_service_setup, test_service_teardown);
}
