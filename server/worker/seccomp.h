/* The system calls a runner may not make, as a BPF program. */
#pragma once

#include "base/err.h"

#include <linux/filter.h>

/* Program in malloc'ed memory, the caller's to free. */
MUST_USE enum err seccomp_build(struct sock_fprog *ret, struct err_info *err);
