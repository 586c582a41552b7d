/* A train spec, checked against a set of pictures and against a table. */
#include "tests/fuzz/fuzz.h"

#include "shim/slipway_torch.h"

#include <stdlib.h>
#include <string.h>

static const char *const MANIFESTS[] = {
    "{\"kind\":\"image\",\"shape\":[3,28,28],\"classes\":[\"a\",\"b\",\"c\"]}",
    "{\"kind\":\"table\",\"target\":\"t\",\"columns\":[{\"name\":\"n\",\"type\":\"numeric\","
    "\"nulls\":1},"
    "{\"name\":\"c\",\"type\":\"categorical\",\"levels\":[\"x\",\"y\"]},"
    "{\"name\":\"t\",\"type\":\"boolean\"}]}",
};

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    char *spec = malloc(size + 1);
    if (!spec)
        return 0;
    memcpy(spec, bytes, size);
    spec[size] = '\0';
    for (int i = 0; i < 2; i++) {
        char *report = NULL;
        tsh_error err;
        if (tsh_spec_check(spec, MANIFESTS[i], &report, &err) == TSH_OK)
            free(report);
    }
    free(spec);
    return 0;
}
