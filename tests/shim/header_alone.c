/* Convention 1: the header compiles alone, as C and (by CMakeLists.txt) as C++. */
#include "shim/slipway_torch.h"

int main(void) {
    return tsh_abi() == TSH_ABI ? 0 : 1;
}
