/* Numbers as text: nothing is lost, and no shorter text would do. */
#include "base/real_text.h"
#include "tests/support/cmocka_all.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How many digits from the first that is not zero to the last. */
static int digits_of(const char *text) {
    int count = 0, zeros = 0;
    for (; *text && *text != 'e'; text++) {
        if (*text < '0' || *text > '9' || (count == 0 && *text == '0'))
            continue;
        count++;
        zeros = *text == '0' ? zeros + 1 : 0;
    }
    return count - zeros;
}

static int fewest_digits(double value) {
    char text[64];
    int digits = 0;
    do
        snprintf(text, sizeof(text), "%.*e", digits++, value);
    while (strtod(text, NULL) != value);
    return digits_of(text);
}

static void check(double value) {
    char text[REAL_TEXT_SIZE];
    size_t length = real_to_text(value, text);
    if (length != strlen(text) || length > 25 || strtod(text, NULL) != value)
        fail_msg("%.17g was written as %s", value, text);
    bool exact = fabs(value) >= 1e-6 && fabs(value) < 1e15; /* else 15 digits are not shortened */
    if (exact && digits_of(text) > fewest_digits(value))
        fail_msg("%.17g was written as %s: longer than needed", value, text);
}

static uint64_t next(uint64_t *seed) {
    *seed ^= *seed << 13, *seed ^= *seed >> 7, *seed ^= *seed << 17;
    return *seed;
}

static void test_real_text__is_the_shortest_that_reads_back(void **state) {
    uint64_t seed = 88172645463325252u;
    (void)state;
    for (int i = 0; i < 100000; i++) {
        double fraction = (double)(next(&seed) >> 11) / 0x1p53;
        check(ldexp(fraction, (int)(next(&seed) % 70) - 20));
        check((double)(int64_t)(next(&seed) % 2000000000) / 1000);
        check((double)(float)fraction);
    }
}

/* Powers of two and of ten, and their neighbours: where intervals are lopsided and digits carry. */
static void test_real_text__at_the_borders(void **state) {
    (void)state;
    for (int i = -25; i < 60; i++) {
        double power = ldexp(1, i), ten = pow(10, i % 18);
        check(power);
        check(-nextafter(power, 0));
        check(nextafter(power, HUGE_VAL));
        check(ten);
        check(nextafter(ten, 0));
        check(nextafter(ten, HUGE_VAL));
        check(5 * ten);
    }
    check(9007199254740993.0);
    check(0x1.fffffffffffffp1023);
    check(0x1p-1074);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real_text__is_the_shortest_that_reads_back),
        cmocka_unit_test(test_real_text__at_the_borders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
