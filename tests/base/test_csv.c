/* Cells of CSV. */
#include "base/csv.h"

#include "tests/support/cmocka_all.h"

static void test_csv__quotes_and_disarms(void **state) {
    (void)state;
    static const struct {
        const char *text, *cell;
    } CASES[] = {
        {"plain", "\"plain\""},
        {"", "\"\""},
        {"say \"hi\", you", "\"say \"\"hi\"\", you\""},
        {"two\r\nlines", "\"two\r\nlines\""},
        {"=1+1", "\"'=1+1\""},
        {"+cmd|' /C calc'!A0", "\"'+cmd|' /C calc'!A0\""},
        {"-2+3", "\"'-2+3\""},
        {"@SUM(A1)", "\"'@SUM(A1)\""},
        {"\t=1", "\"'\t=1\""},
        {"\r=1", "\"'\r=1\""},
        {"-0.5", "\"-0.5\""},
        {"+1e-3", "\"+1e-3\""},
        {"-", "\"'-\""},
        {"-inf", "\"'-inf\""},
        {"a=1", "\"a=1\""},
    };
    for (size_t i = 0; i < sizeof(CASES) / sizeof(CASES[0]); i++) {
        auto_buf out = {0};
        csv_text(&out, CASES[i].text);
        assert_string_equal(out.data, CASES[i].cell);
    }
}

static void test_csv__of_nothing_is_an_empty_cell(void **state) {
    (void)state;
    auto_buf out = {0};
    csv_text(&out, NULL);
    assert_int_equal(out.size, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_csv__quotes_and_disarms),
        cmocka_unit_test(test_csv__of_nothing_is_an_empty_cell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
