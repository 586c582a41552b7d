/* Contexts: what a failure records, and that nothing overruns its fixed places. */

#include "base/ident.h"
#include "ctx.h"
#include "tests/support/cmocka_all.h"

#include <string.h>

static void test_fail__records_code_field_message_and_detail(void **state) {
    (void)state;
    struct ctx cx;
    ctx_init(&cx, NULL);
    assert_err(ERR_NOT_FOUND, fail(&cx, ERR_NOT_FOUND, "run \"%s\" does not exist", "r1"));
    assert_string_equal("run \"r1\" does not exist", cx.err.message);
    fail_detail(&cx, "errno %d", 5);
    assert_string_equal("errno 5", cx.err.detail);
    assert_err(ERR_INVALID, fail_field(&cx, ERR_INVALID, "spec.layers[2]", "is %d wide", 3));
    assert_string_equal("spec.layers[2]", cx.err.field);
    assert_string_equal("", cx.err.detail); /* of the failure before */
    ctx_done(&cx);
}

static void test_fail__may_quote_the_failure_before(void **state) {
    (void)state;
    struct ctx cx;
    ctx_init(&cx, NULL);
    assert_err(ERR_INVALID, fail(&cx, ERR_INVALID, "first"));
    assert_err(ERR_CONFLICT, fail(&cx, ERR_CONFLICT, "second after %s", cx.err.message));
    assert_string_equal("second after first", cx.err.message);
    ctx_done(&cx);
}

static void test_fail__cuts_what_is_too_long(void **state) {
    (void)state;
    struct ctx cx;
    char text[2000];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    ctx_init(&cx, NULL);
    assert_err(ERR_INVALID, fail_field(&cx, ERR_INVALID, text, "%s", text));
    fail_detail(&cx, "%s", text);
    assert_int_equal(sizeof(cx.err.message) - 1, strlen(cx.err.message));
    assert_int_equal(sizeof(cx.err.field) - 1, strlen(cx.err.field));
    assert_int_equal(sizeof(cx.err.detail) - 1, strlen(cx.err.detail));
    ctx_done(&cx);
}

static void test_ctx__starts_as_nobody_with_a_request_id_of_its_own(void **state) {
    (void)state;
    struct ctx a, b;
    ctx_init(&a, NULL);
    ctx_init(&b, NULL);
    assert_int_equal(PRINCIPAL_NOBODY, a.who.kind);
    assert_true(uuid_is_valid(a.request_id));
    assert_string_not_equal(a.request_id, b.request_id);
    ctx_done(&a);
    ctx_done(&b);
}

static void test_err__every_code_has_a_name_and_a_status(void **state) {
    (void)state;
    assert_int_equal(404, err_to_status(ERR_NOT_FOUND));
    assert_string_equal("RATE_LIMITED", err_to_string(ERR_RATE_LIMITED));
    for (int code = OK; code <= ERR_TIMEOUT; code++) {
        assert_non_null(err_to_string((enum err)code));
        assert_in_range(err_to_status((enum err)code), 200, 599);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fail__records_code_field_message_and_detail),
        cmocka_unit_test(test_fail__may_quote_the_failure_before),
        cmocka_unit_test(test_fail__cuts_what_is_too_long),
        cmocka_unit_test(test_ctx__starts_as_nobody_with_a_request_id_of_its_own),
        cmocka_unit_test(test_err__every_code_has_a_name_and_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
