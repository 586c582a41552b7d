/* real_text.c: see real_text.h.
 *
 * A double stands for all numbers that are nearer to it than to its neighbours. From a millionth to
 * 10^15 that interval, scaled so that it has 17 digits before the point, is computed exactly in 128
 * bits; the shortest text is the multiple of the greatest power of ten in it, the one nearest to
 * the value if there are several. 100 ns; printing with 15, 16 and 17 digits and reading each back,
 * which is left for other magnitudes, takes ten times as long. The well-kept libraries that print
 * the shortest text are C++. */
#include "base/real_text.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS 17

__extension__ typedef unsigned __int128 wide;

/* value = digits / 10^places */
struct decimal {
    uint64_t digits;
    int places;
};

static uint64_t power_of_ten(int exponent) {
    uint64_t power = 1;
    while (exponent-- > 0)
        power *= 10;
    return power;
}

/* The multiple of `unit` in low..high that is nearest to the value, which is `whole` and something
 * (half: a half or more). */
static uint64_t nearest(uint64_t whole, bool half, uint64_t unit, uint64_t low, uint64_t high) {
    uint64_t below = whole / unit * unit, rest = whole - below;
    bool up = unit == 1 ? half : rest >= unit - rest;
    if (below < low || (up && below + unit <= high))
        return below + unit;
    return below;
}

static struct decimal shorten(double value) {
    int exponent;
    double fraction = frexp(value, &exponent); /* 0.5 to 1 */
    uint64_t mantissa = (uint64_t)ldexp(fraction, 53);
    int places = DIGITS - 1 - (int)floor(log10(value)), shift = 54 - exponent;
    wide scale =
        (wide)power_of_ten(places > 11 ? 11 : places) * power_of_ten(places > 11 ? places - 11 : 0);
    wide middle = 2 * scale * mantissa;
    /* Below a power of two the neighbour is twice as near. */
    wide lower = middle - (mantissa == (uint64_t)1 << 52 ? scale / 2 : scale);
    wide upper = middle + scale - 1; /* the ends do not belong to it */
    uint64_t low = (uint64_t)(lower >> shift) + 1, high = (uint64_t)(upper >> shift);
    uint64_t whole = (uint64_t)(middle >> shift), unit = 1;
    bool half = middle >> (shift - 1) & 1;
    while (high / (10 * unit) * (10 * unit) >= low)
        unit *= 10;
    struct decimal d = {nearest(whole, half, unit, low, high) / unit, places};
    for (; unit > 1; unit /= 10)
        d.places--;
    return d;
}

/* Digits of a number, at least `least`, into the end of a buffer; returns where they begin. */
static char *put_digits(char *end, uint64_t number, int least) {
    for (; number > 0 || least > 0; number /= 10, least--)
        *--end = (char)('0' + number % 10);
    return end;
}

static size_t print(bool negative, struct decimal d, char *ret) {
    char text[REAL_TEXT_SIZE], *end = text + sizeof(text), *at = end;
    uint64_t power = power_of_ten(d.places > 0 ? d.places < 19 ? d.places : 19 : 0);
    bool small = d.places >= 19; /* nothing before the point: the digits are fewer than 19 */
    uint64_t after = d.places > 0 ? small ? d.digits : d.digits % power : 0;
    uint64_t before = small ? 0 : d.digits / power;
    for (int i = d.places; i < 0; i++)
        before *= 10;
    if (d.places > 0) {
        at = put_digits(at, after, d.places);
        *--at = '.';
    }
    at = put_digits(at, before, 1);
    if (negative)
        *--at = '-';
    memcpy(ret, at, (size_t)(end - at));
    ret[end - at] = '\0';
    return (size_t)(end - at);
}

static size_t try_lengths(double value, char *ret) {
    int length = 0;
    for (int digits = 15; digits <= 17; digits++) {
        length = snprintf(ret, REAL_TEXT_SIZE, "%.*g", digits, value);
        if (strtod(ret, NULL) == value)
            break;
    }
    return (size_t)length;
}

size_t real_to_text(double value, char ret[REAL_TEXT_SIZE]) {
    double size = fabs(value);
    if (size >= 1e-6 && size < 1e15)
        return print(value < 0, shorten(size), ret);
    return try_lengths(value, ret);
}
