/* slipway_torch.h: training and inference as a narrow C interface over libtorch.
 *
 * Why it exists: Slipway is C, libtorch is C++ and changes its own interface from release to
 * release. This header is all that the runners see of it; one source tree behind it compiles
 * against libtorch 1.13 and 2.x, and the program that uses it need not be rebuilt when libtorch
 * changes.
 *
 * Conventions
 *  1. C11; compiles alone in C and C++. No exception and no C++ type crosses.
 *  2. Every call that can fail returns a code and fills a tsh_error that the caller owns. err may
 * not be NULL. Outputs are untouched on failure.
 *  3. Handles are opaque, made into T **ret and freed by their _free; freeing NULL does nothing.
 *     A handle holds what it was made from: free in any order, but ctx last.
 *  4. Tensors cross as tsh_view: contiguous, row-major, host memory. A view in an argument is read
 *     during the call only, unless the function says that it borrows.
 *  5. Shapes are written [N, C, H, W]; N is the number of samples.
 *  6. Threads: one thread at a time per net, data and job; different ones concurrently are fine.
 *     tsh_predict may be called from many threads on one net. tsh_job_cancel may be called from any
 *     thread and from a signal handler.
 *  7. Files are descriptors, never paths. They are written from the current offset and not synced.
 *  8. Nothing here logs, exits, reads the environment or touches a global random generator: every
 *     random number is a function of (seed, purpose, counter), which is why a resumed job repeats
 *     the uninterrupted one bit for bit on the same number of threads.
 *  9. Additions only: members are appended to structs, and TSH_ABI grows with them. */
#ifndef SLIPWAY_TORCH_H
#define SLIPWAY_TORCH_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TSH_ABI 1

typedef enum {
    TSH_OK = 0,
    TSH_EARG,      /* the caller broke a rule of this header */
    TSH_ESPEC,     /* the spec has a wrong member; field says which */
    TSH_ESHAPE,    /* two shapes that must fit do not; both are in the message */
    TSH_EOOM,      /* memory is short, on the host or the device */
    TSH_EIO,       /* a file could not be read or written, or is damaged */
    TSH_ECANCEL,   /* tsh_job_cancel was called */
    TSH_ENAN,      /* the loss is no longer a finite number */
    TSH_EUNSUP,    /* this build or machine cannot do it */
    TSH_EINTERNAL, /* libtorch failed in a way that has no better name */
} tsh_code;

typedef struct {
    tsh_code code;
    char message[512]; /* one sentence for the user, without a path or a backtrace */
    char field[128];   /* of the spec, "model.layers[2].kernel"; "" when none */
} tsh_error;

typedef enum {
    TSH_F32 = 0,
    TSH_F64,
    TSH_I32,
    TSH_I64,
    TSH_U8,
    TSH_BOOL,
    TSH_I8,
    TSH_I16,
    TSH_F16,  /* read and written by safetensors.h, not computed with */
    TSH_BF16, /* likewise */
} tsh_dtype;

typedef struct {
    tsh_dtype dtype;
    int ndim;         /* 0..8 */
    int64_t shape[8]; /* the first ndim are used */
    const void *data;
    size_t size_bytes; /* of data: the product of the shape times the element size */
} tsh_view;

typedef struct tsh_ctx tsh_ctx;
typedef struct tsh_data tsh_data;
typedef struct tsh_net tsh_net;
typedef struct tsh_job tsh_job;

/* The TSH_ABI the library was built with. */
int tsh_abi(void);

/* ---- specs: in the library slipway_spec, which needs no libtorch ------------------------------
 */

/* Checks a train spec (JSON text) against the manifest (JSON text) of the data set it is to train
 * on: members, ranges and the shape of every layer. *ret_report is owned (free()):
 * {"layers":[{"index","type","output":[…],"parameters"}],"parameters"}. */
tsh_code tsh_spec_check(const char *spec, const char *manifest, char **ret_report, tsh_error *err);

/* ---- context: a device and a number of threads ------------------------------------------------
 */

typedef struct {
    const char *device; /* "auto", "cpu" or "cuda"; NULL = "auto" */
    int threads;        /* of one operation; 0 = 1 */
    int no_fast_path;   /* non-zero: always differentiate automatically (tests compare the two) */
} tsh_ctx_options;

tsh_code tsh_ctx_new(const tsh_ctx_options *options, tsh_ctx **ret, tsh_error *err);
void tsh_ctx_free(tsh_ctx *ctx);

typedef struct {
    char torch[32];  /* "1.13.1": of the libtorch that is loaded */
    char device[16]; /* "cpu" or "cuda": the one in use */
    int threads;
    int cuda_devices; /* 0 without CUDA */
} tsh_device;

void tsh_device_get(const tsh_ctx *ctx, tsh_device *ret);

/* Multiplies two 512 x 512 float32 matrices for about 50 ms; GFLOP/s. Below 20 on a CPU means that
 * a reference BLAS is loaded. */
tsh_code tsh_gemm_gflops(tsh_ctx *ctx, double *ret, tsh_error *err);

/* ---- data: samples and targets, some rows of a larger tensor ----------------------------------
 */

typedef struct {
    tsh_view x;          /* uint8 or float32 [N, …]; borrowed until tsh_data_free on a CPU */
    tsh_view y;          /* int32 [N] class indices or float32 [N] values; borrowed likewise */
    const int64_t *rows; /* which of the N, in this order; copied. NULL = all */
    size_t n_rows;
    const float *scale; /* per channel (shape[1] of x): sample = x * scale + shift; copied. */
    const float *shift; /* NULL = x as it is */
} tsh_data_options;

tsh_code tsh_data_new(tsh_ctx *ctx, const tsh_data_options *options, tsh_data **ret,
                      tsh_error *err);
void tsh_data_free(tsh_data *data);

/* ---- nets: layers and their weights -----------------------------------------------------------
 */

/* model: {"input":[1,28,28],"layers":[…],"loss":"cross_entropy"} with every "out" a number.
 * Weights are drawn from seed as PyTorch's layers do: uniform in ±1/sqrt(fan in). */
tsh_code tsh_net_new(tsh_ctx *ctx, const char *model, uint64_t seed, tsh_net **ret, tsh_error *err);
void tsh_net_free(tsh_net *net);

/* safetensors, names as "layers.0.weight". Loading wants exactly the net's tensors. */
tsh_code tsh_net_load(tsh_net *net, int fd, tsh_error *err);
tsh_code tsh_net_save(const tsh_net *net, int fd, tsh_error *err);

typedef struct {
    int64_t parameters;
    int64_t outputs; /* classes, or 1 for mse */
    char path[16];   /* how it is trained: "mlp" by hand, "autograd" otherwise */
} tsh_net_facts;

void tsh_net_get(const tsh_net *net, tsh_net_facts *ret);

/* x: float32 [N, …input], already scaled. ret: float32 [N, outputs], the caller's; probabilities
 * for cross_entropy, values for mse. ret_count is the number of floats it holds. */
tsh_code tsh_predict(tsh_net *net, const tsh_view *x, float *ret, size_t ret_count, tsh_error *err);

typedef struct {
    int64_t rows;
    double loss;
    double accuracy; /* cross_entropy; else 0 */
    double rmse;     /* mse; else 0 */
    double mae;      /* mse; else 0 */
} tsh_metrics;

/* ret_confusion: [outputs, outputs] counts, row = truth, column = prediction; may be NULL. */
tsh_code tsh_evaluate(tsh_net *net, const tsh_data *data, tsh_metrics *ret, int64_t *ret_confusion,
                      tsh_error *err);

/* ---- jobs: one training of one net ------------------------------------------------------------
 */

/* spec: a train spec; its model, target and features are not read again. val may be NULL or empty.
 * Borrows net, train and val until tsh_job_free. */
tsh_code tsh_job_new(tsh_net *net, const tsh_data *train, const tsh_data *val, const char *spec,
                     tsh_job **ret, tsh_error *err);
void tsh_job_free(tsh_job *job);

typedef struct {
    int64_t step, steps_total;   /* optimiser steps done, and at most to do */
    int64_t epoch, epochs_total; /* epochs finished */
    double epoch_fraction;       /* epochs done as a real number */
    double lr;                   /* of the last step */
    double loss, accuracy;       /* mean over the samples trained on since the last call */
    int64_t samples;             /* how many those are */
    int epoch_ended;             /* 1: val and best were just updated */
    tsh_metrics val;             /* of the last finished epoch; rows 0 without validation */
    int64_t best_epoch;          /* 1-based; 0 before the first epoch ended */
    int finished;                /* 1: every epoch is done or stopping came early */
    int early_stopped;
} tsh_progress;

typedef struct {
    int64_t steps;  /* return after so many; 0 = no limit */
    double seconds; /* return after the first step past this time; 0 = no limit */
} tsh_slice;

/* Trains on until the slice is used up, an epoch ends, or all is done. TSH_ECANCEL within one step
 * after tsh_job_cancel; TSH_ENAN when the loss leaves the finite numbers. */
tsh_code tsh_job_run(tsh_job *job, const tsh_slice *slice, tsh_progress *ret, tsh_error *err);
void tsh_job_cancel(tsh_job *job);

/* Weights, optimiser, position, best weights and the history early stopping needs, as safetensors.
 */
tsh_code tsh_job_checkpoint(const tsh_job *job, int fd, tsh_error *err);
tsh_code tsh_job_resume(tsh_job *job, int fd, tsh_error *err);

/* Puts the weights of the best epoch into the net. */
tsh_code tsh_job_take_best(tsh_job *job, tsh_error *err);

#ifdef __cplusplus
}
#endif

#endif
