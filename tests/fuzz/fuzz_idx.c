/* IDX: u16 BE size of the label file · label file · image file. */
#include "tests/fuzz/data_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (size < 2)
        return 0;
    size_t labels = (size_t)bytes[0] << 8 | bytes[1];
    if (labels > size - 2)
        labels = size - 2;
    const struct data_file files[] = {{"labels", bytes + 2, labels},
                                      {"images", bytes + 2 + labels, size - 2 - labels}};
    data_target("{\"format\":\"idx\"}", files, 2);
    return 0;
}
