/* A raw path through the one decoding there is. What comes out has no segment that walks, no
 * control character and valid UTF-8, and decoding its own encoding gives it back. */
#include "tests/fuzz/fuzz.h"

#include "base/ident.h"
#include "http/gate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check_segments(const char *path) {
    const char *at = strchr(path, '/');
    while (at) {
        const char *next = strchr(at + 1, '/');
        size_t length = next ? (size_t)(next - at - 1) : strlen(at + 1);
        if ((length == 1 && at[1] == '.') || (length == 2 && at[1] == '.' && at[2] == '.'))
            abort();
        at = next;
    }
}

static void check_characters(const char *path) {
    for (const unsigned char *p = (const unsigned char *)path; *p; p++)
        if (*p == 0x7f)
            abort();
    if (!utf8_is_valid(path, strlen(path)))
        abort();
}

/* Every byte but "/" as an escape: the decoder must read it back, and change nothing else. */
static void check_round_trip(const char *path) {
    size_t length = strlen(path);
    char *raw = malloc(length * 3 + 1), *back = malloc(length * 3 + 1), *at = raw;
    if (!raw || !back)
        abort();
    for (const char *p = path; *p; p++)
        at += *p == '/' ? sprintf(at, "/") : sprintf(at, "%%%02x", (unsigned)(unsigned char)*p);
    *at = '\0';
    if (!gate_decode_path(raw, back) || strcmp(back, path) != 0)
        abort();
    free(raw);
    free(back);
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    char *raw = malloc(size + 2), *path = malloc(size + 2);
    bool printable = true;
    if (!raw || !path)
        abort();
    raw[0] = '/';
    memcpy(raw + 1, bytes, size);
    raw[size + 1] = '\0';
    /* What is not visible ASCII never passes the gate's alphabet. */
    for (const char *p = raw; *p; p++)
        printable = printable && *p > 0x20 && *p < 0x7f && *p != '\\';
    if (printable && gate_decode_path(raw, path)) {
        check_segments(path);
        check_characters(path);
        check_round_trip(path);
    }
    free(raw);
    free(path);
    return 0;
}
