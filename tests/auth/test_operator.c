/* slipwayd user and team: run as main() runs them, their effect looked at through the service. */

#include "auth/operator.h"
#include "command.h"
#include "tests/auth/browser.h"

static enum err run(struct test_service *t, const char *word, const char *verb, const char *rest,
                    int argc, const char *const *argv, struct err_info *err) {
    const struct command *c = PEOPLE_COMMANDS;
    while (strcmp(c->word, word) != 0 || strcmp(c->verb, verb) != 0)
        assert_true(++c < PEOPLE_COMMANDS + PEOPLE_COMMAND_COUNT);
    void *options = arena_alloc(t->arena, c->option_size);
    const struct option_set set = {c->options, c->option_count, options};
    char *words[8];
    for (int i = 0; i < argc; i++)
        words[i] = arena_strdup(t->arena, argv[i]);
    struct option_input input = {.env_prefix = "SLIPWAY_NONE_", .argc = argc, .argv = words};
    assert_ok(options_load(t->arena, &set, 1, &input, err), err);
    const struct command_input in = {.arena = t->arena,
                                     .config = &t->config,
                                     .options = options,
                                     .rest = &rest,
                                     .rest_count = c->rest_count};
    return c->run(&in, err);
}

#define WORDS(...)                                                                                 \
    (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)), (const char *const[]) {    \
        __VA_ARGS__                                                                                \
    }

static void test_user__deactivated_by_the_operator_is_out(void **state) {
    struct test_service *t = *state;
    struct err_info err = {0};
    struct browser b = browser_new(t);
    person_create(t, "zoe.owner@example.test", "ops", ROLE_OWNER);
    person_create(t, "op.user@example.test", "ops", ROLE_EDITOR);
    assert_int_equal(sign_in(&b, "op.user@example.test", PASSWORD), 200);
    assert_ok(run(t, "user", "deactivate", "Op.User@example.test", WORDS("--json"), &err), &err);
    forget_principals();
    assert_int_equal(whoami(&b), 401);
    clock_freeze(0, 0);
    assert_int_equal(sign_in(&b, "op.user@example.test", PASSWORD), 401);
    assert_ok(run(t, "user", "activate", "op.user@example.test", 0, NULL, &err), &err);
    assert_int_equal(whoami(&b), 401); /* what was ended stays ended */
    assert_int_equal(sign_in(&b, "op.user@example.test", PASSWORD), 200);
    assert_err(ERR_NOT_FOUND, run(t, "user", "deactivate", "nobody@example.test", 0, NULL, &err));
}

static void test_user__role_keeps_the_last_owner(void **state) {
    struct test_service *t = *state;
    struct err_info err = {0};
    person_create(t, "op.owner@example.test", "opteam", ROLE_OWNER);
    person_create(t, "op.viewer@example.test", "opteam", ROLE_VIEWER);
    assert_err(ERR_CONFLICT, run(t, "user", "role", "op.owner@example.test",
                                 WORDS("--team", "opteam", "--role", "viewer"), &err));
    assert_ok(run(t, "user", "role", "op.viewer@example.test",
                  WORDS("--team", "opteam", "--role", "owner"), &err),
              &err);
    assert_ok(run(t, "user", "role", "op.owner@example.test",
                  WORDS("--team", "opteam", "--role", "viewer"), &err),
              &err);
    assert_err(ERR_NOT_FOUND, run(t, "user", "role", "op.owner@example.test",
                                  WORDS("--team", "nowhere", "--role", "viewer"), &err));
    assert_err(ERR_NOT_FOUND, run(t, "user", "role", "op.user@example.test",
                                  WORDS("--team", "opteam", "--role", "viewer"), &err));
}

static void test_user__reset_gives_a_link_that_works(void **state) {
    struct test_service *t = *state;
    struct err_info err = {0};
    struct browser b = browser_new(t);
    struct ctx cx;
    const char *token;
    assert_ok(run(t, "user", "reset", "op.user@example.test", WORDS("--json"), &err), &err);
    ctx_init(&cx, t->app);
    cx.who.kind = PRINCIPAL_SYSTEM;
    assert_ok(operator_user_reset(&cx, "op.user@example.test", true, &token), &cx.err);
    assert_ok(db_commit(&cx), &cx.err);
    const char *path = arena_printf(t->arena, "/api/v1/reset/%s", token);
    ctx_done(&cx);
    assert_int_equal(browse_status(&b, "POST", path, "{\"password\":\"a fresh password to use\"}"),
                     204);
    assert_int_equal(sign_in(&b, "op.user@example.test", "a fresh password to use"), 200);
}

static void test_team__is_created_once_and_listed(void **state) {
    struct test_service *t = *state;
    struct err_info err = {0};
    struct ctx cx;
    struct list teams, users;
    assert_ok(run(t, "team", "create", "fresh", WORDS("--name", "Fresh"), &err), &err);
    assert_err(ERR_CONFLICT, run(t, "team", "create", "fresh", WORDS("--name", "Fresh"), &err));
    assert_err(ERR_INVALID, run(t, "team", "create", "Not A Slug", WORDS("--name", "X"), &err));
    assert_ok(run(t, "team", "list", NULL, WORDS("--json"), &err), &err);
    assert_ok(run(t, "user", "list", NULL, 0, NULL, &err), &err);
    ctx_init(&cx, t->app);
    cx.who.kind = PRINCIPAL_SYSTEM;
    assert_ok(operator_team_list(&cx, &teams), &cx.err);
    assert_string_equal(((struct operator_team *)teams.items)->slug, "fresh");
    assert_ok(operator_user_list(&cx, &users), &cx.err);
    assert_string_equal(((struct operator_user *)users.items)->teams, "opteam:viewer");
    ctx_done(&cx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_user__deactivated_by_the_operator_is_out),
        cmocka_unit_test(test_user__role_keeps_the_last_owner),
        cmocka_unit_test(test_user__reset_gives_a_link_that_works),
        cmocka_unit_test(test_team__is_created_once_and_listed),
    };
    return cmocka_run_group_tests(tests, test_service_setup, test_service_teardown);
}
