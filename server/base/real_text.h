/* Numbers as the shortest decimal text that reads back the same: 0.1, 100, 1e-07. */
#pragma once

#include <stddef.h>

#define REAL_TEXT_SIZE 32

/* Of a finite value; returns the length. */
size_t real_to_text(double value, char ret[REAL_TEXT_SIZE]);
