/* Keys that change under a running server, and tokens that the operator makes. */
#include "auth/operator_tokens.h"
#include "tests/auth/browser.h"
#include "tests/support/domains.h"

static void key_reload(struct domains *d) {
    struct err_info err = {0};
    assert_ok(auth_keys_reload(d->app->auth, &err), &err);
}

static struct browser person(struct domains *d, const char *name) {
    struct browser b = browser_new(d->service);
    const char *email = arena_printf(d->arena, "%s@rotation.test", name);
    person_create(d->service, email, d->ours.slug, ROLE_EDITOR);
    assert_int_equal(sign_in(&b, email, PASSWORD), 200);
    return b;
}

static void test_rotation__signs_nobody_out(void **state) {
    struct domains *d = *state;
    const char *dir = d->service->config.key_dir;
    struct err_info err = {0};
    struct auth_key keys[8];
    int count;
    struct browser early = person(d, "early"), idle = early;
    assert_ok(auth_key_create(dir, &err), &err);
    key_reload(d);
    assert_int_equal(whoami(&early), 200);
    assert_int_equal(browse_status(&early, "POST", "/api/v1/session/refresh", NULL), 200);
    assert_string_not_equal(early.access, idle.access);
    assert_ok(auth_key_list(dir, keys, 8, &count, &err), &err);
    assert_int_equal(count, 2);
    assert_int_equal(keys[0].number, 2);

    assert_int_equal(auth_key_retire(dir, 2, &err), ERR_CONFLICT);
    assert_int_equal(auth_key_retire(dir, 9, &err), ERR_NOT_FOUND);
    assert_ok(auth_key_retire(dir, 1, &err), &err);
    key_reload(d);
    assert_int_equal(whoami(&early), 200);
    assert_int_equal(whoami(&idle), 401);
    struct browser late = person(d, "late");
    assert_int_equal(whoami(&late), 200);
}

/* Somebody who did not call while the keys changed renews with what they have. */
static void test_rotation__an_idle_browser_renews(void **state) {
    struct domains *d = *state;
    struct err_info err = {0};
    struct browser b = person(d, "idle");
    assert_ok(auth_key_create(d->service->config.key_dir, &err), &err);
    assert_ok(auth_key_retire(d->service->config.key_dir, 2, &err), &err);
    key_reload(d);
    assert_int_equal(whoami(&b), 401);
    assert_int_equal(browse_status(&b, "POST", "/api/v1/session/refresh", NULL), 200);
    assert_int_equal(whoami(&b), 200);
}

static void test_rotation__a_broken_key_leaves_the_old_ones(void **state) {
    struct domains *d = *state;
    struct err_info err = {0};
    struct browser b = person(d, "broken");
    const char *path = arena_printf(d->arena, "%s/jwt-99.key", d->service->config.key_dir);
    auto_file *file = fopen(path, "we");
    assert_non_null(file);
    fputs("not a key\n", file);
    fflush(file);
    assert_int_equal(auth_keys_reload(d->app->auth, &err), ERR_INVALID);
    assert_int_equal(whoami(&b), 200);
    assert_int_equal(remove(path), 0);
}

static enum err operator_create(struct domains *d, const char *owner, const char *scope,
                                const char **ret_token) {
    struct ctx cx;
    const char *scopes[] = {scope};
    const struct operator_token_create options = {
        .team_slug = d->ours.slug, .owner = owner, .name = "ops", .scopes = {scopes, 1}};
    test_ctx_system(&cx, d->db);
    enum err err = operator_token_create(&cx, &options, ret_token);
    if (err == OK) {
        *ret_token = arena_strdup(d->arena, *ret_token);
        assert_ok(db_commit(&cx), &cx.err);
    }
    ctx_done(&cx);
    return err;
}

static int call(struct domains *d, const char *token) {
    const char *bearer = arena_printf(d->arena, "Bearer %s", token);
    struct test_request rq = {.path = "/api/v1/projects", .headers = {{"Authorization", bearer}}};
    return test_send(d->app, d->arena, &rq)->status;
}

static void test_operator__makes_lists_and_ends_tokens(void **state) {
    struct domains *d = *state;
    struct ctx cx;
    struct list tokens;
    const char *token;
    person(d, "holder");
    assert_int_equal(operator_create(d, "nobody@rotation.test", "read", &token), ERR_NOT_FOUND);
    assert_int_equal(operator_create(d, "holder@rotation.test", "admin", &token), ERR_FORBIDDEN);
    assert_int_equal(operator_create(d, "holder@rotation.test", "read", &token), OK);
    assert_int_equal(call(d, token), 200);

    test_ctx_system(&cx, d->db);
    assert_ok(operator_token_list(&cx, d->ours.slug, &tokens), &cx.err);
    assert_int_equal(tokens.count, 1);
    const struct operator_token *only = tokens.items;
    assert_string_equal(only->owner, "holder@rotation.test");
    assert_ok(operator_token_revoke(&cx, only->id), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    assert_int_equal(operator_token_revoke(&cx, only->id), ERR_NOT_FOUND);
    ctx_done(&cx);
    forget_principals();
    assert_int_equal(call(d, token), 401);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rotation__signs_nobody_out),
        cmocka_unit_test(test_rotation__an_idle_browser_renews),
        cmocka_unit_test(test_rotation__a_broken_key_leaves_the_old_ones),
        cmocka_unit_test(test_operator__makes_lists_and_ends_tokens),
    };
    return cmocka_run_group_tests(tests, domains_setup, domains_teardown);
}
