/* A safetensors file as it is. What is accepted is read in full, so that a view beyond the bytes is
 * seen by the sanitizer. */
#include "tests/fuzz/fuzz.h"

#include "shim/safetensors.h"

static volatile uint8_t seen;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    struct safetensors file;
    char error[SAFETENSORS_ERROR_BYTES];
    if (!safetensors_parse(bytes, size, &file, error))
        return 0;
    for (size_t i = 0; i < file.count; i++) {
        const uint8_t *data = file.tensors[i].view.data;
        for (size_t k = 0; k < file.tensors[i].view.size_bytes; k++)
            seen = data[k];
    }
    safetensors_done(&file);
    return 0;
}
