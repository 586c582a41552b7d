/* spec.h: a train spec, read, checked and filled with its defaults. Plain C, no libtorch: slipwayd
 * checks a spec with it before a job is queued, the runner and the shim read the same struct.
 *
 * When you add a layer: a row in LAYER_KINDS and a shape rule in model.c, a case in net.cpp's build
 * and forward, its row in tests/shim/test_spec.c. */
#pragma once

#include "slipway_torch.h"

#include <jansson.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of one sample: [features] or [channels, height, width]. */
struct shape {
    int ndim;
    int64_t dim[3];
};

enum { SHAPE_TEXT_BYTES = 80 };

/* "[32, 28, 28]" into text, which is returned. */
const char *shape_to_string(const struct shape *shape, char text[SHAPE_TEXT_BYTES]);
bool shape_equal(const struct shape *a, const struct shape *b);
int64_t shape_count(const struct shape *shape);

enum loss { LOSS_CROSS_ENTROPY, LOSS_MSE };

enum layer_type {
    LAYER_LINEAR,
    LAYER_CONV2D,
    LAYER_MAXPOOL2D,
    LAYER_AVGPOOL2D,
    LAYER_GLOBAL_AVGPOOL2D,
    LAYER_BATCHNORM,
    LAYER_LAYERNORM,
    LAYER_RELU,
    LAYER_GELU,
    LAYER_SILU,
    LAYER_TANH,
    LAYER_SIGMOID,
    LAYER_DROPOUT,
    LAYER_FLATTEN,
    LAYER_RESIDUAL,
};

struct layer {
    enum layer_type type;
    int64_t out;    /* linear: features, conv2d: channels */
    int64_t kernel; /* conv2d, pools: square */
    int64_t stride;
    int64_t padding; /* "same" is resolved to (kernel - 1) / 2 */
    bool bias;
    double p;            /* dropout: share that is dropped */
    struct layer *inner; /* residual: owned, n_inner of them */
    size_t n_inner;
    struct shape in, result; /* of one sample */
    int64_t parameters;      /* trained numbers, inner ones included */
};

struct model {
    struct shape input;
    enum loss loss;
    struct layer *layers; /* owned */
    size_t n_layers;
    int64_t outputs; /* classes, 1 for mse */
    int64_t parameters;
};

/* What a data set offers a model. */
struct model_io {
    struct shape input;
    int64_t classes; /* replaces "out": "classes"; 0 = mse, which has one output */
};

/* Reads {"layers","loss"} and checks every shape. err->field starts with "model.". */
bool model_read(const json_t *json, const struct model_io *io, struct model *ret, tsh_error *err);

/* Reads what model_to_json wrote: {"input","layers","loss"} with every "out" a number. */
bool model_read_resolved(const json_t *json, struct model *ret, tsh_error *err);
json_t *model_to_json(const struct model *model);
void model_done(struct model *model);

/* {"layers":[{"index","type","output","parameters"}],"parameters"} */
json_t *model_report(const struct model *model);

/* "linear"; never NULL. */
const char *layer_type_name(enum layer_type type);

enum optimizer_type { OPTIMIZER_SGD, OPTIMIZER_ADAM, OPTIMIZER_ADAMW };
enum schedule_type { SCHEDULE_CONSTANT, SCHEDULE_STEP, SCHEDULE_COSINE, SCHEDULE_ONE_CYCLE };
enum device_type { DEVICE_AUTO, DEVICE_CPU, DEVICE_CUDA };
enum stop_metric { STOP_NONE, STOP_VAL_LOSS, STOP_VAL_ACCURACY, STOP_VAL_RMSE, STOP_VAL_MAE };

struct train_spec {
    enum loss loss;
    const char *target;     /* table column; NULL = the data set's. Borrowed from the JSON */
    const json_t *features; /* array of column names, NULL = all that fit. Borrowed */
    struct {
        enum optimizer_type type;
        double lr, momentum, beta1, beta2, eps, weight_decay;
        bool nesterov;
    } optimizer;
    struct {
        enum schedule_type type;
        double warmup_fraction; /* of all steps */
        int64_t step_epochs;
        double gamma;
        double final_lr_fraction; /* of lr */
    } schedule;
    int64_t batch_size, epochs, seed;
    enum device_type device;
    struct {
        enum stop_metric metric; /* STOP_NONE = off */
        int64_t patience;        /* epochs without an improvement */
        double min_delta;
    } early_stopping;
    double label_smoothing;
    double clip_norm; /* 0 = off */
    double checkpoint_seconds;
};

/* Everything but the layers, whose shapes need the data set. json must outlive *ret. */
bool train_spec_read(const json_t *json, struct train_spec *ret, tsh_error *err);

/* Learning rate of optimiser step `step` (from 0), a closed form, so that resuming needs no state.
 */
double train_spec_lr(const struct train_spec *spec, int64_t step, int64_t steps_per_epoch);

/* Which columns of a table's manifest a spec uses. */
struct table_plan {
    size_t target;     /* index into manifest columns */
    size_t *features;  /* owned; indices, in the spec's or the manifest's order */
    size_t n_features; /* columns; one may be several numbers of the input */
    json_t *classes;   /* owned; array of names, NULL for mse */
};

bool table_plan_read(const json_t *manifest, const struct train_spec *spec, struct table_plan *ret,
                     tsh_error *err);
void table_plan_done(struct table_plan *plan);

/* Shape of the input and number of classes that a manifest gives a spec. A table column's width
 * counts a flag for nulls when the manifest says that it has "nulls". */
bool model_io_read(const json_t *manifest, const struct train_spec *spec, struct model_io *ret,
                   tsh_error *err);

/* Numbers of the input that a column becomes: one per level, or the value and, when it has nulls,
 * a flag. */
int64_t table_column_width(const json_t *column, bool has_nulls);

/* Fills err; returns false so that checks read `return spec_fail(…)`. field may be NULL. */
bool spec_fail(tsh_error *err, tsh_code code, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* One member of a JSON object: how members_read checks and stores it. */
enum member_type { MEMBER_NUMBER, MEMBER_INTEGER, MEMBER_BOOLEAN, MEMBER_CHOICE, MEMBER_OTHER };

struct member {
    const char *name;
    enum member_type type;
    size_t offset; /* of a double, int64_t, bool or unsigned; unused by MEMBER_OTHER */
    double min, max;
    const char *const *choices; /* NULL-terminated; the index is stored */
    bool required;
};

/* Stores what the object has, leaves the rest as it is (the defaults), refuses unknown members.
 * MEMBER_OTHER rows are only known, not read. */
bool members_read(const json_t *object, const char *path, const struct member *table, size_t count,
                  void *into, tsh_error *err);

#ifdef __cplusplus
}
#endif
