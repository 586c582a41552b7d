/* data.c: slipway-run-data. Files as people have them in, a data set the trainer can map out. */
#include "runners/data.h"

int main(int argc, char **argv) {
    return runner_main(argc, argv, "dataset.import", data_import);
}
