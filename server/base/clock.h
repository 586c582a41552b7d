/* Time, with a seam for tests: clock_freeze() makes both clocks stand at chosen values. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int64_t clock_now_us(void);                          /* wall clock, microseconds since 1970 UTC */
int64_t clock_mono_us(void);                         /* monotonic, for deadlines and durations */
void clock_freeze(int64_t wall_us, int64_t mono_us); /* tests only; 0, 0 thaws */

#define TIME_TEXT_SIZE 28
void time_to_string(int64_t at_us, char ret[TIME_TEXT_SIZE]); /* 2026-11-21T09:18:23.000001Z */
bool time_from_string(const char *text, int64_t *ret_us);     /* RFC 3339, and PostgreSQL's form */
