/* Times: round trips over the whole range, the forms accepted, the forms refused. */

#include "base/clock.h"
#include "tests/support/cmocka_all.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static void test_time__round_trips(void **state) {
    (void)state;
    /* Steps that hit leap days, century ends, negative times and every microsecond digit. */
    for (int64_t at = INT64_C(-62135596800000000); at < INT64_C(253402300799999999);
         at += INT64_C(86399999999) * 311 + 1234567) {
        char text[TIME_TEXT_SIZE];
        int64_t back = -1;
        time_to_string(at, text);
        assert_int_equal(27, strlen(text));
        assert_true(time_from_string(text, &back));
        assert_true(at == back);
    }
}

static void test_time__agrees_with_the_c_library(void **state) {
    (void)state;
    for (int64_t s = -5000000000; s < 7000000000; s += 86400 * 97 + 12345) {
        time_t seconds = (time_t)s;
        struct tm utc;
        char expected[40], text[TIME_TEXT_SIZE];
        gmtime_r(&seconds, &utc);
        strftime(expected, sizeof(expected), "%Y-%m-%dT%H:%M:%S.000000Z", &utc);
        time_to_string(s * 1000000, text);
        assert_string_equal(expected, text);
    }
}

static void test_time__reads_rfc3339_and_postgresql(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t at_us;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01t00:00:00z", 0},
        {"1970-01-01 00:00:01+00", 1000000},
        {"1969-12-31T23:59:59.999999Z", -1},
        {"2026-11-21T09:18:23.5Z", INT64_C(1795252703500000)},
        {"2026-11-21T14:48:23.5+05:30", INT64_C(1795252703500000)},
        {"2026-11-21 09:18:23.000001+00", INT64_C(1795252703000001)},
        {"2024-02-29T00:00:00-08:00", INT64_C(1709193600000000)},
        {"2026-11-21T09:18:23.123456789Z", INT64_C(1795252703123456)},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t at = 7;
        assert_true(time_from_string(cases[i].text, &at));
        if (at != cases[i].at_us)
            fail_msg("%s gave %lld", cases[i].text, (long long)at);
    }
}

static void test_time__refuses_other_forms(void **state) {
    (void)state;
    static const char *const cases[] = {
        "",
        "2026",
        "2026-11-21",
        "2026-11-21T09:18:23",
        "2026-11-21T09:18Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-11-21T24:00:00Z",
        "2026-11-21T09:60:00Z",
        "2026-11-21T09:18:60Z",
        "2026-11-21T09:18:23.Z",
        "2026-11-21T09:18:23.1234567890Z",
        "2026-11-21T09:18:23+5",
        "2026-11-21T09:18:23+24:00",
        "2026-11-21T09:18:23Z ",
        " 2026-11-21T09:18:23Z",
        "2026-11-21T09:18:23ZZ",
        "+026-11-21T09:18:23Z",
        "infinity",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t at = 7;
        if (time_from_string(cases[i], &at) || at != 7)
            fail_msg("\"%s\" was read", cases[i]);
    }
}

static void test_clock__freezes_and_thaws(void **state) {
    (void)state;
    clock_freeze(1000, 2000);
    assert_int_equal(1000, clock_now_us());
    assert_int_equal(2000, clock_mono_us());
    clock_freeze(0, 0);
    assert_true(clock_now_us() > INT64_C(1700000000000000));
    int64_t first = clock_mono_us();
    assert_true(clock_mono_us() >= first);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_time__round_trips),
        cmocka_unit_test(test_time__agrees_with_the_c_library),
        cmocka_unit_test(test_time__reads_rfc3339_and_postgresql),
        cmocka_unit_test(test_time__refuses_other_forms),
        cmocka_unit_test(test_clock__freezes_and_thaws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
