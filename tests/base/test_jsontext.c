/* Hostile JSON text: bombs, duplicates, broken forms; and what must pass. */

#include "base/buf.h"
#include "base/jsontext.h"
#include "tests/support/cmocka_all.h"

#include <string.h>

static enum err parse(const char *text, size_t size) {
    json_t *json = NULL;
    struct err_info err = {0};
    enum err code = json_parse(text, size, 1000000, &json, &err);
    assert_true((code == OK) == (json != NULL));
    assert_true((code == OK) == (err.message[0] == '\0'));
    json_decref(json);
    return code;
}

static enum err parse_nested(int depth) {
    auto_buf b = {0};
    for (int i = 0; i < depth; i++)
        buf_text(&b, i % 2 ? "{\"a\":" : "[");
    for (int i = depth - 1; i >= 0; i--)
        buf_text(&b, i % 2 ? (i == depth - 1 ? "1}" : "}") : "]");
    return parse(b.data, b.size);
}

static void test_json_parse__bounds_depth(void **state) {
    (void)state;
    assert_err(OK, parse_nested(JSON_MAX_DEPTH));
    assert_err(ERR_INVALID, parse_nested(JSON_MAX_DEPTH + 1));
    auto_buf bomb = {0};
    for (int i = 0; i < 900000; i++)
        buf_text(&bomb, "[");
    assert_err(ERR_INVALID, parse(bomb.data, bomb.size));
}

static void test_json_parse__bounds_tokens(void **state) {
    (void)state;
    for (int over = 0; over < 2; over++) {
        auto_buf b = {0};
        buf_text(&b, "[0");
        for (int i = 2; i < JSON_MAX_TOKENS + over; i++)
            buf_text(&b, ",0");
        buf_text(&b, "]");
        assert_err(over ? ERR_INVALID : OK, parse(b.data, b.size));
    }
}

static void test_json_parse__bounds_bytes(void **state) {
    (void)state;
    json_t *json;
    struct err_info err;
    assert_err(ERR_TOO_LARGE, json_parse("[1,2]", 5, 4, &json, &err));
}

static void test_json_parse__brackets_in_strings_are_text(void **state) {
    (void)state;
    auto_buf b = {0};
    buf_text(&b, "\"");
    for (int i = 0; i < 1000; i++)
        buf_text(&b, "[{\\\"");
    buf_text(&b, "\"");
    assert_err(OK, parse(b.data, b.size));
}

static void test_json_parse__refuses(void **state) {
    (void)state;
    static const char *const cases[] = {
        "",
        "{",
        "[1,]",
        "{\"a\":1,}",
        "{\"a\":1,\"a\":2}",
        "{\"b\":{\"a\":1,\"a\":1}}",
        "{a:1}",
        "{'a':1}",
        "[1] x",
        "[1][2]",
        "NaN",
        "Infinity",
        "[1e400]",
        "[9223372036854775808]",
        "[01]",
        "[+1]",
        "[.5]",
        "\"\\u0000\"",
        "{\"\\u0000\":1}",
        "\"\\ud800\"",
        "\"\xff\"",
        "\"\xc0\xaf\"",
        "\xef\xbb\xbf[]",
        "\"\n\"",
        "// comment\n[]",
        "\"unterminated",
        "\"ends in a backslash\\",
        "]",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (parse(cases[i], strlen(cases[i])) != ERR_INVALID)
            fail_msg("accepted: %s", cases[i]);
    assert_err(ERR_INVALID, parse("[1]\0", 4));
}

static void test_json_parse__accepts(void **state) {
    (void)state;
    static const char *const cases[] = {
        "null",
        "1",
        "\"\\\\\"",
        "\"\\\"\"",
        "[]",
        " {} \n",
        "{\"a\":[1,-2.5e-3,true,null,\"é\"]}",
        "[9223372036854775807,-9223372036854775808]",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (parse(cases[i], strlen(cases[i])) != OK)
            fail_msg("refused: %s", cases[i]);
}

static void test_json_parse__repeats_no_input_in_the_error(void **state) {
    (void)state;
    json_t *json;
    struct err_info err;
    const char text[] = "{\"password\": hunter2}";
    assert_err(ERR_INVALID, json_parse(text, strlen(text), 100, &json, &err));
    assert_null(strstr(err.message, "hunter2"));
    assert_non_null(strstr(err.message, "line 1"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_parse__bounds_depth),
        cmocka_unit_test(test_json_parse__bounds_tokens),
        cmocka_unit_test(test_json_parse__bounds_bytes),
        cmocka_unit_test(test_json_parse__brackets_in_strings_are_text),
        cmocka_unit_test(test_json_parse__refuses),
        cmocka_unit_test(test_json_parse__accepts),
        cmocka_unit_test(test_json_parse__repeats_no_input_in_the_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
