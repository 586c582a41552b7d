/* Identifiers, encodings, digests: known answers, round trips and what is refused. */

#include "base/clock.h"
#include "base/digest.h"
#include "base/ident.h"
#include "tests/support/cmocka_all.h"

#include <string.h>

static void test_uuid__is_valid_unique_and_ordered_by_time(void **state) {
    (void)state;
    char last[UUID_TEXT_SIZE] = "", id[UUID_TEXT_SIZE];
    for (int i = 0; i < 1000; i++) {
        clock_freeze(INT64_C(1795252703000000) + i * 1000, 0);
        uuid_new(id);
        assert_true(uuid_is_valid(id));
        assert_int_equal('7', id[14]);
        assert_non_null(strchr("89ab", id[19]));
        assert_true(strcmp(last, id) < 0);
        memcpy(last, id, sizeof(last));
    }
    clock_freeze(0, 0);
}

static void test_uuid__refuses_other_forms(void **state) {
    (void)state;
    static const char *const cases[] = {
        "",
        "0196a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5",
        "0196a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b0",
        "0196A1B2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
        "0196a1b2c3d4-7e5f-8a9b-0c1d2e3f4a5b-",
        "{196a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5}",
        "0196a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5g",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_false(uuid_is_valid(cases[i]));
    assert_true(uuid_is_valid("0196a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"));
}

static void test_slug__follows_its_pattern(void **state) {
    (void)state;
    char longest[65];
    memset(longest, 'a', 64);
    longest[64] = '\0';
    assert_true(slug_is_valid("a"));
    assert_true(slug_is_valid("9-lives-"));
    assert_true(slug_is_valid(longest + 1));
    static const char *const cases[] = {"", "-a", "A", "a_b", "a b", "a/b", "ä", "a\n"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_false(slug_is_valid(cases[i]));
    assert_false(slug_is_valid(longest));
}

static void test_hex__round_trips_and_refuses(void **state) {
    (void)state;
    unsigned char bytes[3], back[3];
    char text[7];
    random_bytes(bytes, sizeof(bytes));
    hex_encode(bytes, sizeof(bytes), text);
    assert_true(hex_decode(text, back, sizeof(back)));
    assert_memory_equal(bytes, back, sizeof(bytes));
    static const char *const cases[] = {"", "00112", "0011223", "00112g", "00112A"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_false(hex_decode(cases[i], back, sizeof(back)));
}

static void test_base64url__known_answers_and_every_length(void **state) {
    (void)state;
    char text[200];
    assert_int_equal(0, base64url_encode("", 0, text, sizeof(text)));
    assert_int_equal(4, base64url_encode("foo", 3, text, sizeof(text)));
    assert_string_equal("Zm9v", text);
    base64url_encode("\xfb\xff\xfe", 3, text, sizeof(text));
    assert_string_equal("-__-", text);
    for (size_t size = 0; size < 100; size++) {
        unsigned char bytes[100], back[100];
        size_t back_size = 999;
        random_bytes(bytes, sizeof(bytes));
        size_t length = base64url_encode(bytes, size, text, sizeof(text));
        assert_true(base64url_decode(text, length, back, sizeof(back), &back_size));
        assert_int_equal(size, back_size);
        assert_memory_equal(bytes, back, size);
    }
}

static void test_base64url__refuses_what_has_another_spelling(void **state) {
    (void)state;
    unsigned char back[16];
    size_t size;
    static const char *const cases[] = {"A", "AAAAA", "AB", "Zm9=", "Zm9+", "Zm9/", "Zm 9", "AAB"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_false(base64url_decode(cases[i], strlen(cases[i]), back, sizeof(back), &size));
    assert_false(base64url_decode("AAAA", 4, back, 2, &size));
    assert_int_equal(0, base64url_encode("foo", 3, (char[4]){0}, 4));
}

static void test_utf8__accepts_and_refuses_by_rfc3629(void **state) {
    (void)state;
    static const char *const good[] = {
        "", "a", "é", "简体中文", "\xf0\x9f\x98\x80", "\xef\xbf\xbf", "\xf4\x8f\xbf\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xc3",
                                      "\xc0\xaf",
                                      "\xc1\xbf",
                                      "\xe0\x9f\xbf",
                                      "\xed\xa0\x80",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "a\xff",
                                      "\xe2\x82"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(utf8_is_valid(good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(utf8_is_valid(bad[i], strlen(bad[i])));
    assert_false(utf8_is_valid("a\0b", 3));
}

static void test_sha256__known_answer_whole_and_piecewise(void **state) {
    (void)state;
    static const char expected[] =
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    char text[SHA256_TEXT_SIZE];
    sha256_hex_of("abc", 3, text);
    assert_string_equal(expected, text);
    struct sha256 *h = sha256_new();
    sha256_update(h, "a", 1);
    sha256_update(h, "", 0);
    sha256_update(h, "bc", 2);
    sha256_final_hex(h, text);
    sha256_free(h);
    assert_string_equal(expected, text);
    assert_true(sha256_text_is_valid(text));
    text[3] = 'F';
    assert_false(sha256_text_is_valid(text));
    assert_false(sha256_text_is_valid("ba78"));
    assert_false(sha256_text_is_valid("../../../../etc/passwd"));
}

static void test_equal_in_constant_time__compares_all_bytes(void **state) {
    (void)state;
    assert_true(equal_in_constant_time("secret", "secret", 6));
    assert_false(equal_in_constant_time("secret", "secreT", 6));
    assert_true(equal_in_constant_time("a", "b", 0));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uuid__is_valid_unique_and_ordered_by_time),
        cmocka_unit_test(test_uuid__refuses_other_forms),
        cmocka_unit_test(test_slug__follows_its_pattern),
        cmocka_unit_test(test_hex__round_trips_and_refuses),
        cmocka_unit_test(test_base64url__known_answers_and_every_length),
        cmocka_unit_test(test_base64url__refuses_what_has_another_spelling),
        cmocka_unit_test(test_utf8__accepts_and_refuses_by_rfc3629),
        cmocka_unit_test(test_sha256__known_answer_whole_and_piecewise),
        cmocka_unit_test(test_equal_in_constant_time__compares_all_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
