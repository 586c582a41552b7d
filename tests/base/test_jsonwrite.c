/* JSON written into a buffer reads back as what it was. */
#include "base/cleanup.h"
#include "base/jsonwrite.h"
#include "tests/support/cmocka_all.h"

#include <float.h>
#include <math.h>
#include <string.h>

static void test_jsonwrite__separates_and_nests(void **state) {
    auto_buf out = {0};
    struct json_writer w = {.out = &out};
    (void)state;
    jw_begin(&w, '{');
    jw_member_text(&w, "a", "x");
    jw_member_begin(&w, "b", '[');
    jw_int(&w, -1);
    jw_bool(&w, true);
    jw_text(&w, NULL);
    jw_begin(&w, '{');
    jw_end(&w, '}');
    jw_end(&w, ']');
    jw_member_int(&w, "c", INT64_MIN);
    jw_name(&w, "d");
    jw_raw(&w, "[1]");
    jw_end(&w, '}');
    assert_string_equal(out.data, "{\"a\":\"x\",\"b\":[-1,true,null,{}],\"c\":-9223372036854775808,"
                                  "\"d\":[1]}");
}

static void test_jsonwrite__escapes_what_would_end_a_text(void **state) {
    static const char *const TEXTS[] = {"",
                                        "plain",
                                        "\"quoted\"",
                                        "back\\slash",
                                        "line\nbreak\t\r",
                                        "\x01\x1f\b\f",
                                        "caf\xc3\xa9 \xf0\x9f\x98\x80",
                                        "</script>"};
    (void)state;
    for (size_t i = 0; i < sizeof(TEXTS) / sizeof(TEXTS[0]); i++) {
        auto_buf out = {0};
        struct json_writer w = {.out = &out};
        jw_text(&w, TEXTS[i]);
        auto_json *read = json_loadb(out.data, out.size, JSON_DECODE_ANY, NULL);
        assert_string_equal(json_string_value(read), TEXTS[i]);
    }
}

static const char *real_text(double value, char *ret, size_t cap) {
    auto_buf out = {0};
    struct json_writer w = {.out = &out};
    jw_real(&w, value);
    snprintf(ret, cap, "%s", out.data);
    return ret;
}

static void test_jsonwrite__writes_the_shortest_number(void **state) {
    static const struct {
        double value;
        const char *text;
    } CASES[] = {{0, "0.0"},
                 {-0.0, "-0.0"},
                 {1, "1.0"},
                 {0.1, "0.1"},
                 {-2.5, "-2.5"},
                 {0.30000000000000004, "0.30000000000000004"},
                 {123456789.125, "123456789.125"},
                 {1e15, "1e+15"},
                 {5e-324, "4.94065645841247e-324"},
                 {DBL_MAX, "1.7976931348623157e+308"},
                 {1e-7, "1e-07"},
                 {(double)NAN, "\"NaN\""},
                 {HUGE_VAL, "1.7976931348623157e308"},
                 {-HUGE_VAL, "-1.7976931348623157e308"}};
    char text[64];
    (void)state;
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++)
        assert_string_equal(real_text(CASES[i].value, text, sizeof(text)), CASES[i].text);
}

/* Every double reads back as itself, and no text is longer than 17 digits make it. */
static void test_jsonwrite__loses_nothing_of_a_number(void **state) {
    uint64_t seed = 88172645463325252u;
    char text[64];
    (void)state;
    for (int i = 0; i < 200000; i++) {
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        double value;
        memcpy(&value, &seed, sizeof(value));
        if (i % 2)
            value = (double)(int64_t)(seed % 2000000000) / (double)(1 + seed % 1000);
        if (!isfinite(value))
            continue;
        double read = strtod(real_text(value, text, sizeof(text)), NULL);
        if (read != value || strlen(text) > 25)
            fail_msg("%.17g was written as %s", value, text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jsonwrite__separates_and_nests),
        cmocka_unit_test(test_jsonwrite__escapes_what_would_end_a_text),
        cmocka_unit_test(test_jsonwrite__writes_the_shortest_number),
        cmocka_unit_test(test_jsonwrite__loses_nothing_of_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
