/* Archives of pictures: the input is the zip, tar or tar.gz. */
#include "tests/fuzz/data_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    const struct data_file file = {"set.zip", bytes, size};
    data_target("{\"format\":\"images\"}", &file, 1);
    return 0;
}
