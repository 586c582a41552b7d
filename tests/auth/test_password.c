/* Passwords: what is refused, and that the right one, and only that, is let in. */

#include "auth/password.h"
#include "base/clock.h"
#include "tests/support/cmocka_all.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static struct app app;

static int setup(void **state) {
    struct ctx *cx = calloc(1, sizeof(*cx));
    ctx_init(cx, &app);
    *state = cx;
    return 0;
}

static int teardown(void **state) {
    ctx_done(*state);
    free(*state);
    return 0;
}

static const struct {
    const char *password;
    bool good;
} CHOICES[] = {
    {"", false},
    {"a", false},
    {"elevenchars", false},
    {"twelve chars", true},
    {"  leading and trailing  ", true},
    {"пароль пароль", true},
    {"😀😀😀", true}, /* twelve bytes */
    {"passwordpassword", false},
    {"PasswordPassword", false},
    {"123456789012", false},
    {"correct horse battery staple", false},
    {"ann@example.test", false},
    {"ANN@example.test", false},
    {"Ann Example Person", false},
    {"another horse battery staple", true},
};

static void test_password__rules(void **state) {
    struct ctx *cx = *state;
    for (size_t i = 0; i < sizeof(CHOICES) / sizeof(CHOICES[0]); i++) {
        enum err err = password_check(cx, "password", CHOICES[i].password, "ann@example.test",
                                      "Ann Example Person");
        if ((err == OK) != CHOICES[i].good)
            fail_msg("\"%s\" was %s", CHOICES[i].password, err == OK ? "taken" : "refused");
        if (err != OK)
            assert_string_equal(cx->err.field, "password");
    }
}

static void test_password__length_limits_in_bytes(void **state) {
    struct ctx *cx = *state;
    char text[PASSWORD_MAX + 2];
    memset(text, 'x', sizeof(text));
    text[0] = 'y';
    text[PASSWORD_MAX + 1] = '\0';
    assert_err(ERR_INVALID, password_check(cx, "password", text, "", ""));
    text[PASSWORD_MAX] = '\0';
    assert_err(OK, password_check(cx, "password", text, "", ""));
}

static void test_password__common_list_is_sorted(void **state) {
    (void)state;
    assert_true(COMMON_PASSWORD_COUNT >= 200);
    for (size_t i = 1; i < COMMON_PASSWORD_COUNT; i++)
        assert_true(strcmp(COMMON_PASSWORDS[i - 1], COMMON_PASSWORDS[i]) < 0);
}

static void test_password__verifies_exactly_what_was_typed(void **state) {
    struct ctx *cx = *state;
    char hash[PASSWORD_HASH_SIZE], again[PASSWORD_HASH_SIZE];
    bool ok = false;
    assert_ok(password_hash(cx, " Straße und Meer ", hash), &cx->err);
    assert_ok(password_hash(cx, " Straße und Meer ", again), &cx->err);
    assert_string_not_equal(hash, again); /* salted */
    assert_memory_equal(hash, "$argon2id$v=19$m=65536,t=3,p=1$", 31);
    assert_ok(password_verify(cx, hash, " Straße und Meer ", &ok), &cx->err);
    assert_true(ok);
    assert_ok(password_verify(cx, hash, "Straße und Meer", &ok), &cx->err);
    assert_false(ok);
}

static void test_password__unknown_user_costs_as_much(void **state) {
    struct ctx *cx = *state;
    char hash[PASSWORD_HASH_SIZE];
    bool ok = true;
    assert_ok(password_hash(cx, "some long password", hash), &cx->err);
    struct rusage before, known, unknown;
    getrusage(RUSAGE_THREAD, &before);
    assert_ok(password_verify(cx, hash, "another password", &ok), &cx->err);
    getrusage(RUSAGE_THREAD, &known);
    assert_ok(password_verify(cx, NULL, "another password", &ok), &cx->err);
    getrusage(RUSAGE_THREAD, &unknown);
    assert_false(ok);
    /* Page faults count the memory walked, which does not depend on how busy the machine is. */
    long walked = known.ru_minflt - before.ru_minflt;
    assert_in_range(unknown.ru_minflt - known.ru_minflt, walked / 2, walked * 2 + 64);
}

static void test_password__old_parameters_are_seen(void **state) {
    (void)state;
    assert_true(password_hash_is_old("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA"));
    assert_false(password_hash_is_old("$argon2id$v=19$m=65536,t=3,p=1$c2FsdHNhbHQ$aGFzaA"));
}

static void *hash_once(void *arg) {
    struct ctx cx;
    char hash[PASSWORD_HASH_SIZE];
    ctx_init(&cx, &app);
    *(enum err *)arg = password_hash(&cx, "some long password", hash);
    ctx_done(&cx);
    return NULL;
}

/* Six at once would need 384 MiB; two slots need 128. */
static void test_password__flood_is_bounded(void **state) {
    (void)state;
    pthread_t threads[6];
    enum err errs[6];
    struct rusage use;
    for (int i = 0; i < 6; i++)
        pthread_create(&threads[i], NULL, hash_once, &errs[i]);
    for (int i = 0; i < 6; i++) {
        pthread_join(threads[i], NULL);
        assert_true(errs[i] == OK || errs[i] == ERR_RATE_LIMITED);
    }
    getrusage(RUSAGE_SELF, &use);
#ifndef SLIPWAY_SANITIZED
    assert_true(use.ru_maxrss < 200 * 1024);
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_password__rules, setup, teardown),
        cmocka_unit_test_setup_teardown(test_password__length_limits_in_bytes, setup, teardown),
        cmocka_unit_test(test_password__common_list_is_sorted),
        cmocka_unit_test_setup_teardown(test_password__verifies_exactly_what_was_typed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_password__unknown_user_costs_as_much, setup, teardown),
        cmocka_unit_test(test_password__old_parameters_are_seen),
        cmocka_unit_test(test_password__flood_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
