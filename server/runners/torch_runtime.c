/* torch_runtime.c: see torch_runtime.h. Measured on 2 cores: threads that spin while they wait made
 * steps 5 to 28 times slower beside another busy process; AVX-512 doubles exp() in Debian's
 * libtorch, which does not choose it by itself; Debian's OpenBLAS takes a processor it has never
 * heard of for one of 2004 and multiplies at 35 instead of 178 GFLOP/s. */
#include "runners/torch_runtime.h"

#include <malloc.h>
#include <string.h>

struct setting {
    const char *name, *value;
};

#if defined(__x86_64__)
static bool cpu_has_avx512(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

static const char *vector_capability(void) {
    return cpu_has_avx512() ? "avx512" : NULL;
}

static const char *blas_core(void) {
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    return cpu_has_avx512() ? "SKYLAKEX" : avx2 ? "HASWELL" : NULL;
}
#else
static const char *vector_capability(void) {
    return NULL;
}

static const char *blas_core(void) {
    return NULL;
}
#endif

void torch_runtime_prepare(char **argv) {
    const struct setting settings[] = {
        {"OMP_WAIT_POLICY", "passive"},
        {"ATEN_CPU_CAPABILITY", vector_capability()},
        {"OPENBLAS_CORETYPE", blas_core()},
    };
    bool changed = false;
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        if (!settings[i].value || getenv(settings[i].name))
            continue;
        setenv(settings[i].name, settings[i].value, 0);
        changed = true;
    }
    /* The libraries have read their environment already, so the program starts again, once. Where a
     * sandbox forbids that, everything works, slower. */
    if (changed)
        execv("/proc/self/exe", argv);
}

void torch_runtime_keep_memory(void) {
    mallopt(M_MMAP_MAX, 0);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_TOP_PAD, 16 << 20);
}

enum run torch_failure(struct runner *rn, const tsh_error *err) {
    struct place at = {.field = err->field[0] ? err->field : NULL};
    switch (err->code) {
    case TSH_ESPEC:
    case TSH_ESHAPE:
        return refuse_at(rn, REFUSE_INVALID_SPEC, at, "%s", err->message);
    case TSH_ENAN:
        at.field = "optimizer.lr";
        return refuse_at(rn, REFUSE_INVALID_SPEC, at, "%s", err->message);
    case TSH_EARG:
        return refuse_at(rn, REFUSE_INVALID_DATA, at, "%s", err->message);
    case TSH_EOOM:
        at.field = "batch_size";
        return refuse_at(rn, REFUSE_TOO_LARGE, at, "%s", err->message);
    case TSH_EUNSUP:
        at.field = "device";
        return refuse_at(rn, REFUSE_UNSUPPORTED, at, "%s", err->message);
    case TSH_ECANCEL:
        return RUN_CANCELLED;
    default:
        return crash(rn, "%s", err->message);
    }
}
