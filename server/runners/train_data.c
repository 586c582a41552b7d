/* train_data.c: see train_data.h. Image pixels stay where they are mapped and are scaled batch by
 * batch; a table becomes one float matrix, because its columns are of different kinds.
 *
 * The file is a data runner's, but may have come through other hands: every tensor's type and
 * length is checked against the manifest before it is read. */
#include "runners/train_data.h"

#include "runners/event.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>

enum { MANIFEST_MAX_BYTES = 64 << 20 };

void train_data_done(struct train_data *data) {
    safetensors_done(&data->file);
    features_done(&data->features);
    json_decref(data->manifest);
    json_decref(data->classes);
    free(data->matrix);
    free(data->targets);
    for (int i = 0; i < SPLIT_COUNT; i++)
        free(data->rows[i]);
    *data = (struct train_data){0};
}

static enum run damaged(struct runner *rn, const char *what) {
    return refuse_at(rn, REFUSE_INVALID_DATA, (struct place){.file = "data.safetensors"},
                     "the data set cannot be used: %s", what);
}

static enum run open_inputs(struct runner *rn, struct train_data *data) {
    const struct runner_input *tensors = runner_input_find(rn, "data.safetensors");
    const struct runner_input *manifest = runner_input_find(rn, "manifest.json");
    if (!tensors || !manifest)
        return crash(rn, "the job has no data.safetensors or no manifest.json");
    TRY(runner_read_json(rn, manifest->path, "manifest.json", MANIFEST_MAX_BYTES, &data->manifest));
    auto_fd int fd = open(tensors->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return crash(rn, "could not open data.safetensors");
    char why[SAFETENSORS_ERROR_BYTES];
    if (!safetensors_open(fd, &data->file, why))
        return damaged(rn, why);
    return RUN_DONE;
}

/* The named tensor when it is of that type and its first dimension is rows; else NULL. */
static const tsh_view *column_find(const struct train_data *data, const char *name, tsh_dtype dtype,
                                   int64_t rows) {
    const struct safetensor *t = name ? safetensors_find(&data->file, name) : NULL;
    bool fits = t && t->view.dtype == dtype && t->view.ndim >= 1 && t->view.shape[0] == rows;
    return fits ? &t->view : NULL;
}

/* has_target[i] says whether row i may be used; the rest is left out of every split. */
static enum run divide_rows(struct runner *rn, struct train_data *data, const bool *has_target,
                            int64_t n) {
    const tsh_view *split = column_find(data, "split", TSH_U8, n);
    if (!split || split->ndim != 1)
        return damaged(rn, "the split of its rows is missing");
    for (int s = 0; s < SPLIT_COUNT; s++)
        if (!(data->rows[s] = calloc((size_t)n + 1, sizeof **data->rows)))
            return crash(rn, "memory is short for %lld rows", (long long)n);
    size_t left_out = 0;
    for (int64_t i = 0; i < n; i++) {
        uint8_t s = ((const uint8_t *)split->data)[i];
        if (s >= SPLIT_COUNT || !has_target[i])
            left_out++;
        else
            data->rows[s][data->n_rows[s]++] = i;
    }
    if (left_out > 0)
        event_log(EVENT_WARNING, "%zu rows without a target are left out", left_out);
    if (data->n_rows[SPLIT_TRAIN] < 2)
        return refuse(rn, REFUSE_INVALID_DATA,
                      "the train split has %zu usable rows; two are needed",
                      data->n_rows[SPLIT_TRAIN]);
    return RUN_DONE;
}

static json_t *numbers(const double *values, size_t n) {
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(array, json_real(values[i]));
    return array;
}

/* Exact: sums of bytes fit 64 bits, so the order of the rows cannot matter. */
static json_t *fit_pixels(const struct train_data *data) {
    size_t c = (size_t)data->x.shape[1];
    size_t area = (size_t)(data->x.shape[2] * data->x.shape[3]);
    double mean[3], stddev[3], n = (double)area * (double)data->n_rows[SPLIT_TRAIN];
    for (size_t k = 0; k < c; k++) {
        uint64_t sum = 0, squares = 0;
        for (size_t i = 0; i < data->n_rows[SPLIT_TRAIN]; i++) {
            size_t row = (size_t)data->rows[SPLIT_TRAIN][i];
            const uint8_t *at = (const uint8_t *)data->x.data + (row * c + k) * area;
            for (size_t p = 0; p < area; p++) {
                sum += at[p];
                squares += (uint64_t)at[p] * at[p];
            }
        }
        mean[k] = (double)sum / n / 255;
        double variance = (double)squares / n / 65025 - mean[k] * mean[k];
        stddev[k] = variance > 1e-8 ? sqrt(variance) : 1; /* one flat colour */
    }
    return json_pack("{s:s, s:[I,I,I], s:o, s:o}", "kind", "image", "shape",
                     (json_int_t)data->x.shape[1], (json_int_t)data->x.shape[2],
                     (json_int_t)data->x.shape[3], "mean", numbers(mean, c), "stddev",
                     numbers(stddev, c));
}

static enum run use_features(struct runner *rn, struct train_data *data, json_t *json) {
    if (!features_from_json(json, &data->features))
        return damaged(rn, "its preprocessing cannot be fitted");
    return RUN_DONE;
}

static enum run load_images(struct runner *rn, struct train_data *data) {
    const json_t *shape = json_object_get(data->manifest, "shape");
    int64_t n = json_integer_value(json_object_get(data->manifest, "rows"));
    const tsh_view *x = column_find(data, "x", TSH_U8, n), *y = column_find(data, "y", TSH_I32, n);
    if (!x || !y || x->ndim != 4 || y->ndim != 1 || (x->shape[1] != 1 && x->shape[1] != 3))
        return damaged(rn, "its images or labels are missing");
    for (size_t i = 0; i < 3; i++)
        if (x->shape[i + 1] != json_integer_value(json_array_get(shape, i)))
            return damaged(rn, "its images are not of the shape the manifest says");
    data->x = *x;
    data->y = *y;
    data->classes = json_incref(json_object_get(data->manifest, "classes"));
    auto_free bool *labelled = calloc((size_t)n + 1, sizeof *labelled);
    if (!labelled)
        return crash(rn, "memory is short for %lld rows", (long long)n);
    for (int64_t i = 0; i < n; i++) {
        int32_t label = ((const int32_t *)y->data)[i];
        labelled[i] = label >= 0 && (size_t)label < json_array_size(data->classes);
    }
    TRY(divide_rows(rn, data, labelled, n));
    return use_features(rn, data, fit_pixels(data));
}

/* ---- tables
 * -------------------------------------------------------------------------------------- */

/* A column of the manifest with its tensor. */
struct source {
    const json_t *column;
    const float *numbers; /* numeric, boolean */
    const int32_t *codes; /* categorical */
};

static enum run find_source(struct runner *rn, const struct train_data *data, size_t index,
                            int64_t rows, struct source *ret) {
    const json_t *column = json_array_get(json_object_get(data->manifest, "columns"), index);
    const char *tensor = json_string_value(json_object_get(column, "tensor"));
    const char *type = json_string_value(json_object_get(column, "type"));
    bool categorical = type && strcmp(type, "categorical") == 0;
    const tsh_view *view = column_find(data, tensor, categorical ? TSH_I32 : TSH_F32, rows);
    if (!view || view->ndim != 1)
        return damaged(rn, "a column's numbers are missing");
    *ret = (struct source){.column = column,
                           .numbers = categorical ? NULL : view->data,
                           .codes = categorical ? view->data : NULL};
    return RUN_DONE;
}

struct moments {
    double mean, stddev;
    bool has_nulls; /* anywhere, not only in the rows given */
};

/* Mean and deviation over the train rows that are not null, by Welford's recurrence. */
static struct moments measure(const float *values, const struct train_data *data, int64_t n) {
    double mean = 0, m2 = 0, count = 0;
    for (size_t i = 0; i < data->n_rows[SPLIT_TRAIN]; i++) {
        double v = (double)values[data->rows[SPLIT_TRAIN][i]];
        if (!isfinite(v))
            continue;
        count++;
        double delta = v - mean;
        mean += delta / count;
        m2 += delta * (v - mean);
    }
    double stddev = count > 1 ? sqrt(m2 / count) : 0;
    struct moments m = {mean, stddev > 1e-12 ? stddev : 1, false};
    for (int64_t i = 0; i < n && !m.has_nulls; i++)
        m.has_nulls = !isfinite(values[i]);
    return m;
}

static json_t *fit_column(const struct source *from, const struct train_data *data, int64_t n) {
    const char *name = json_string_value(json_object_get(from->column, "name"));
    const char *type = json_string_value(json_object_get(from->column, "type"));
    if (from->codes)
        return json_pack("{s:s, s:s, s:O}", "name", name, "type", type, "levels",
                         json_object_get(from->column, "levels"));
    struct moments m = measure(from->numbers, data, n);
    bool boolean = strcmp(type, "boolean") == 0;
    return json_pack("{s:s, s:s, s:f, s:f, s:b}", "name", name, "type", type, "mean", m.mean,
                     "stddev", boolean ? 1.0 : m.stddev, "null_flag", m.has_nulls);
}

static void fill_column(const struct source *from, const struct feature *c, size_t sample,
                        int64_t n, float *matrix) {
    for (int64_t i = 0; i < n; i++) {
        float *row = matrix + (size_t)i * sample;
        if (from->codes)
            feature_put_code(c, from->codes[i], row);
        else
            feature_put_number(c, (double)from->numbers[i], row);
    }
}

/* has_target says which rows have one; classes are int32, values float32. */
static enum run read_target(struct runner *rn, struct train_data *data, const struct source *from,
                            const struct train_spec *spec, int64_t n, bool *has_target) {
    data->targets = calloc((size_t)n + 1, sizeof(int32_t));
    if (!data->targets)
        return crash(rn, "memory is short for %lld rows", (long long)n);
    int32_t *codes = data->targets;
    float *values = data->targets;
    size_t classes = json_array_size(data->classes);
    for (int64_t i = 0; i < n; i++) {
        if (spec->loss == LOSS_MSE) {
            values[i] = from->numbers[i];
            has_target[i] = isfinite(values[i]);
            continue;
        }
        float number = from->codes ? 0 : from->numbers[i];
        codes[i] = from->codes ? from->codes[i] : isnan(number) ? -1 : number != 0;
        has_target[i] = codes[i] >= 0 && (size_t)codes[i] < classes;
    }
    bool mse = spec->loss == LOSS_MSE;
    data->y = (tsh_view){.dtype = mse ? TSH_F32 : TSH_I32,
                         .ndim = 1,
                         .shape = {n},
                         .data = data->targets,
                         .size_bytes = (size_t)n * sizeof(int32_t)};
    return RUN_DONE;
}

/* Values are learned standardised, so that one learning rate fits prices and percentages. */
static json_t *fit_target(struct train_data *data, const struct source *from, int64_t n) {
    const char *name = json_string_value(json_object_get(from->column, "name"));
    if (data->y.dtype != TSH_F32)
        return json_pack("{s:s}", "name", name);
    float *values = data->targets;
    struct moments m = measure(values, data, n);
    for (int64_t i = 0; i < n; i++)
        values[i] = (float)(((double)values[i] - m.mean) / m.stddev);
    return json_pack("{s:s, s:f, s:f}", "name", name, "mean", m.mean, "stddev", m.stddev);
}

static enum run fill_matrix(struct runner *rn, struct train_data *data, const struct source *from,
                            int64_t n) {
    size_t bytes, sample = data->features.sample;
    if (__builtin_mul_overflow((size_t)n, sample * sizeof(float), &bytes) ||
        (rn->memory_bytes > 0 && bytes > (size_t)rn->memory_bytes / 2))
        return refuse(rn, REFUSE_TOO_LARGE,
                      "%lld rows of %zu numbers do not fit in memory; choose fewer features",
                      (long long)n, sample);
    data->matrix = calloc(bytes, 1);
    if (!data->matrix)
        return crash(rn, "memory is short for %zu bytes of features", bytes);
    for (size_t i = 0; i < data->features.n_columns; i++)
        fill_column(&from[i], &data->features.columns[i], sample, n, data->matrix);
    data->x = (tsh_view){.dtype = TSH_F32,
                         .ndim = 2,
                         .shape = {n, (int64_t)sample},
                         .data = data->matrix,
                         .size_bytes = bytes};
    return RUN_DONE;
}

static enum run load_columns(struct runner *rn, const struct train_spec *spec,
                             const struct table_plan *plan, struct train_data *data) {
    int64_t n = json_integer_value(json_object_get(data->manifest, "rows"));
    if (n < 1)
        return damaged(rn, "it has no rows");
    auto_free struct source *from = calloc(plan->n_features + 1, sizeof *from);
    auto_free bool *has_target = calloc((size_t)n, sizeof *has_target);
    if (!from || !has_target)
        return crash(rn, "memory is short for %lld rows", (long long)n);
    struct source target;
    TRY(find_source(rn, data, plan->target, n, &target));
    TRY(read_target(rn, data, &target, spec, n, has_target));
    TRY(divide_rows(rn, data, has_target, n));
    json_t *columns = json_array();
    json_t *fitted = json_pack("{s:s, s:o, s:o}", "kind", "table", "columns", columns, "target",
                               fit_target(data, &target, n));
    for (size_t i = 0; i < plan->n_features; i++) {
        if (find_source(rn, data, plan->features[i], n, &from[i]) != RUN_DONE) {
            json_decref(fitted);
            return RUN_REFUSED;
        }
        json_array_append_new(columns, fit_column(&from[i], data, n));
    }
    TRY(use_features(rn, data, fitted));
    return fill_matrix(rn, data, from, n);
}

static enum run load_table(struct runner *rn, const struct train_spec *spec,
                           struct train_data *data) {
    struct table_plan plan;
    tsh_error err;
    if (!table_plan_read(data->manifest, spec, &plan, &err))
        return refuse_at(rn, REFUSE_INVALID_SPEC, (struct place){.field = err.field}, "%s",
                         err.message);
    data->classes = plan.classes ? json_incref(plan.classes) : NULL;
    enum run status = load_columns(rn, spec, &plan, data);
    table_plan_done(&plan);
    return status;
}

enum run train_data_load(struct runner *rn, const struct train_spec *spec, struct train_data *ret) {
    struct train_data auto_train_data data = {0};
    TRY(open_inputs(rn, &data));
    struct model_io io;
    tsh_error err;
    if (!model_io_read(data.manifest, spec, &io, &err))
        return refuse_at(rn, REFUSE_INVALID_SPEC,
                         (struct place){.field = err.field[0] ? err.field : NULL}, "%s",
                         err.message);
    TRY(io.input.ndim == 3 ? load_images(rn, &data) : load_table(rn, spec, &data));
    if (!data.features.is_image)
        io.input.dim[0] = (int64_t)data.features.sample;
    data.io = io;
    *ret = data;
    data = (struct train_data){0};
    return RUN_DONE;
}
