/* torch_runtime.h: what the train and predict runners do alike around the shim. */
#pragma once

#include "runners/runner.h"
#include "shim/slipway_torch.h"

/* Sets what OpenMP, OpenBLAS and libtorch read from the environment before main: waiting without
 * spinning, the kernels of this processor. Values that are set already stay. */
void torch_runtime_prepare(char **argv);

/* Keeps freed blocks in the process: a training step frees and allocates the same megabytes, and
 * giving them back to the kernel costs a page fault for every 4 KiB, each step anew. */
void torch_runtime_keep_memory(void);

/* A shim's failure as the runner's: wrong specs and short memory are refused, the rest crashes. */
MUST_USE enum run torch_failure(struct runner *rn, const tsh_error *err);
