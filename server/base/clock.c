/* See clock.h. Civil dates are computed here rather than by gmtime/timegm, so that no locale or TZ
 * variable can change what a time means. */

#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static _Atomic int64_t frozen_wall_us;
static _Atomic int64_t frozen_mono_us;

static int64_t read_clock(clockid_t id) {
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t clock_now_us(void) {
    int64_t frozen = atomic_load_explicit(&frozen_wall_us, memory_order_relaxed);
    return frozen ? frozen : read_clock(CLOCK_REALTIME);
}

int64_t clock_mono_us(void) {
    int64_t frozen = atomic_load_explicit(&frozen_mono_us, memory_order_relaxed);
    return frozen ? frozen : read_clock(CLOCK_MONOTONIC);
}

void clock_freeze(int64_t wall_us, int64_t mono_us) {
    atomic_store(&frozen_wall_us, wall_us);
    atomic_store(&frozen_mono_us, mono_us);
}

/* Days since 1970-01-01 of a proleptic Gregorian date and back. Years begin in March, so that the
 * leap day is the last of its year; an era is 400 years, 146097 days. */
static int64_t days_from_civil(int64_t year, int month, int day) {
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static void civil_from_days(int64_t days, int *ret_year, int *ret_month, int *ret_day) {
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t d = z - era * 146097;
    int64_t y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
    int64_t day_of_year = d - (365 * y + y / 4 - y / 100);
    int64_t m = (5 * day_of_year + 2) / 153;
    *ret_day = (int)(day_of_year - (153 * m + 2) / 5 + 1);
    *ret_month = (int)(m < 10 ? m + 3 : m - 9);
    *ret_year = (int)(y + era * 400 + (*ret_month <= 2));
}

#define US_PER_DAY ((int64_t)86400 * 1000000)
#define YEAR_0_US (-(int64_t)719528 * US_PER_DAY)
#define YEAR_10000_US ((int64_t)2932897 * US_PER_DAY)

void time_to_string(int64_t at_us, char ret[TIME_TEXT_SIZE]) {
    /* Four digits of year are all the form has; what lies outside is shown as its nearest end. */
    if (at_us < YEAR_0_US)
        at_us = YEAR_0_US;
    if (at_us >= YEAR_10000_US)
        at_us = YEAR_10000_US - 1;
    int64_t days = at_us / US_PER_DAY - (at_us % US_PER_DAY < 0);
    int64_t us = at_us - days * US_PER_DAY;
    int year, month, day;
    civil_from_days(days, &year, &month, &day);
    unsigned second = (unsigned)(us / 1000000);
    snprintf(ret, TIME_TEXT_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u.%06uZ", (unsigned)year % 10000,
             (unsigned)month % 100, (unsigned)day % 100, second / 3600 % 100, second / 60 % 60,
             second % 60, (unsigned)(us % 1000000) % 1000000);
}

/* Reads exactly n digits. */
static bool read_digits(const char **p, int n, int *ret) {
    int value = 0;
    for (int i = 0; i < n; i++) {
        char c = (*p)[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *p += n;
    *ret = value;
    return true;
}

static bool read_char(const char **p, const char *any_of) {
    if (**p == '\0' || !strchr(any_of, **p))
        return false;
    (*p)++;
    return true;
}

static int days_in_month(int year, int month) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return month == 2 && leap ? 29 : days[month - 1];
}

/* One to nine digits of a second after the point; beyond microseconds they are cut off. */
static bool read_fraction(const char **p, int *ret_us) {
    int us = 0, digits = 0;
    for (; **p >= '0' && **p <= '9'; (*p)++, digits++)
        if (digits < 6)
            us = us * 10 + (**p - '0');
    for (int i = digits; i < 6; i++)
        us *= 10;
    *ret_us = us;
    return digits >= 1 && digits <= 9;
}

/* "Z", "+00", "+05:30": seconds east of UTC. PostgreSQL leaves the minutes out when they are 0. */
static bool read_zone(const char **p, int *ret_seconds) {
    *ret_seconds = 0;
    if (read_char(p, "Zz"))
        return true;
    int sign = **p == '-' ? -1 : 1;
    int hours, minutes = 0;
    if (!read_char(p, "+-") || !read_digits(p, 2, &hours))
        return false;
    if (read_char(p, ":") && !read_digits(p, 2, &minutes))
        return false;
    *ret_seconds = sign * (hours * 3600 + minutes * 60);
    return hours <= 23 && minutes <= 59;
}

bool time_from_string(const char *text, int64_t *ret_us) {
    const char *p = text;
    int year, month, day, hour, minute, second, us = 0, zone;
    if (!read_digits(&p, 4, &year) || !read_char(&p, "-") || !read_digits(&p, 2, &month) ||
        !read_char(&p, "-") || !read_digits(&p, 2, &day) || !read_char(&p, "Tt ") ||
        !read_digits(&p, 2, &hour) || !read_char(&p, ":") || !read_digits(&p, 2, &minute) ||
        !read_char(&p, ":") || !read_digits(&p, 2, &second))
        return false;
    if (read_char(&p, ".") && !read_fraction(&p, &us))
        return false;
    if (!read_zone(&p, &zone) || *p != '\0')
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour > 23 ||
        minute > 59 || second > 59)
        return false;
    int64_t seconds =
        days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    *ret_us = (seconds - zone) * 1000000 + us;
    return true;
}
