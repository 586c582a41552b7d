/* Tables as text: the first byte chooses the format, the rest is the file. */
#include "tests/fuzz/data_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    static const char *const SPECS[] = {
        "{\"format\":\"csv\"}",
        "{\"format\":\"tsv\"}",
        "{\"format\":\"jsonl\"}",
        "{\"format\":\"csv\",\"target\":\"b\"}",
    };
    if (size < 1)
        return 0;
    const struct data_file file = {"table", bytes + 1, size - 1};
    data_target(SPECS[bytes[0] % 4], &file, 1);
    return 0;
}
