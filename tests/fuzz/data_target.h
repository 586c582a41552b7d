/* data_target.h: one import in this process, for the fuzz targets of the data runner. */
#ifndef SLIPWAY_TESTS_FUZZ_DATA_TARGET_H
#define SLIPWAY_TESTS_FUZZ_DATA_TARGET_H

#include "tests/fuzz/fuzz.h"

struct data_file {
    const char *name; /* as the user called it */
    const uint8_t *bytes;
    size_t size;
};

/* Imports the files and aborts when the runner breaks a promise: every input is either imported or
 * refused with a reason, and a refusal leaves no file behind. */
void data_target(const char *spec, const struct data_file *files, size_t count);

#endif
