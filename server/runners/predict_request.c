/* predict_request.c: see predict_request.h. The order is: size and depth of the JSON, parse,
 * outputs wanted, inputs against the model's signature (each exactly once), number of rows, then
 * the values. */
#include "runners/image.h"
#include "runners/predict_tensor.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    JSON_DEPTH_MAX = 32,
    JSON_VALUES_MAX = 8 << 20, /* jansson needs 40 bytes for each */
    INPUTS_MAX = 4096,
};

const char *const PREDICT_OUTPUTS[OUTPUT_COUNT] = {"probabilities", "label", "value"};

bool predict_fail(struct predict_failure *failure, int status, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    failure->status = status;
    vsnprintf(failure->message, sizeof failure->message, fmt, args);
    va_end(args);
    return false;
}

void predict_request_done(struct predict_request *rq) {
    json_decref(rq->json);
    free(rq->samples);
    *rq = (struct predict_request){0};
}

/* One pass over the text before anything is allocated for it. */
static bool scan_json(const uint8_t *text, size_t size, struct predict_failure *failure) {
    size_t depth = 0, values = 1;
    bool in_string = false;
    for (size_t i = 0; i < size; i++) {
        uint8_t c = text[i];
        if (in_string) {
            i += c == '\\';
            in_string = c != '"';
            continue;
        }
        in_string = c == '"';
        values += c == ',';
        depth += c == '[' || c == '{';
        depth -= (c == ']' || c == '}') && depth > 0;
        if (depth > JSON_DEPTH_MAX)
            return predict_fail(failure, 400, "the request is nested deeper than %d",
                                JSON_DEPTH_MAX);
    }
    if (values > JSON_VALUES_MAX)
        return predict_fail(failure, 413, "the request holds more than %d values", JSON_VALUES_MAX);
    return true;
}

static bool parse_json(const uint8_t *text, size_t size, struct predict_request *rq,
                       struct predict_failure *failure) {
    json_error_t why;
    if (!scan_json(text, size, failure))
        return false;
    rq->json = json_loadb((const char *)text, size, JSON_REJECT_DUPLICATES, &why);
    if (!json_is_object(rq->json))
        return predict_fail(failure, 400, "the request is not a JSON object: %.120s",
                            rq->json ? "it is another kind of value" : why.text);
    const json_t *id = json_object_get(rq->json, "id");
    if (id && !json_is_string(id))
        return predict_fail(failure, 400, "id must be a string");
    rq->id = json_string_value(id);
    return true;
}

static bool model_has_output(const struct predict_model *m, unsigned output) {
    return m->labels ? output != OUTPUT_VALUE : output == OUTPUT_VALUE;
}

static bool want_output(const struct predict_model *m, const json_t *json, bool binary,
                        struct predict_request *rq, struct predict_failure *failure) {
    const char *name = json_string_value(json_object_get(json, "name"));
    for (unsigned i = 0; name && i < OUTPUT_COUNT; i++) {
        if (!model_has_output(m, i) || strcmp(name, PREDICT_OUTPUTS[i]) != 0)
            continue;
        if (rq->wanted[i])
            return predict_fail(failure, 400, "output \"%s\" is asked for twice", name);
        const json_t *own = json_object_get(json_object_get(json, "parameters"), "binary_data");
        rq->wanted[i] = true;
        rq->binary[i] = own ? json_is_true(own) : binary;
        return true;
    }
    return predict_fail(failure, 400, "the model has no output \"%.60s\"", name ? name : "");
}

static bool read_outputs(const struct predict_model *m, struct predict_request *rq,
                         struct predict_failure *failure) {
    const json_t *parameters = json_object_get(rq->json, "parameters");
    bool binary = json_is_true(json_object_get(parameters, "binary_data_output"));
    const json_t *outputs = json_object_get(rq->json, "outputs");
    for (unsigned i = 0; i < OUTPUT_COUNT && json_array_size(outputs) == 0; i++) {
        rq->wanted[i] = model_has_output(m, i);
        rq->binary[i] = binary;
    }
    size_t i;
    json_t *output;
    json_array_foreach(outputs, i, output) {
        if (!want_output(m, output, binary, rq, failure))
            return false;
    }
    return true;
}

static bool set_rows(const struct predict_model *m, int64_t rows, struct predict_request *rq,
                     struct predict_failure *failure) {
    if (rows < 1 || rows > PREDICT_ROWS_MAX)
        return predict_fail(failure, rows < 1 ? 400 : 413, "a request has 1 to %d rows, not %lld",
                            PREDICT_ROWS_MAX, (long long)rows);
    rq->rows = (size_t)rows;
    size_t count;
    if (!__builtin_mul_overflow(rq->rows, m->features.sample, &count))
        rq->samples = calloc(count, sizeof *rq->samples);
    if (!rq->samples)
        return predict_fail(failure, 413, "memory is short for %lld rows", (long long)rows);
    return true;
}

/* ---- pictures as tensors
 * ---------------------------------------------------------------------------- */

struct pixels {
    const struct features *features;
    float *samples;
    size_t area, first_bad; /* SIZE_MAX: all are numbers */
};

static void put_pixel(void *arg, size_t i, double value) {
    struct pixels *p = arg;
    size_t c = i / p->area % (size_t)p->features->channels;
    p->samples[i] = (float)value * p->features->scale[c] + p->features->shift[c];
    if (!isfinite(p->samples[i]) && p->first_bad == SIZE_MAX)
        p->first_bad = i;
}

static bool read_pixels(const struct predict_model *m, const struct tensor *t,
                        struct predict_request *rq, struct predict_failure *failure) {
    const struct features *f = &m->features;
    if (t->ndim != 4 || t->shape[1] != f->channels || t->shape[2] != f->height ||
        t->shape[3] != f->width)
        return predict_fail(failure, 400, "input \"input\" must have shape [N, %d, %d, %d]",
                            f->channels, f->height, f->width);
    if (!set_rows(m, t->shape[0], rq, failure))
        return false;
    struct pixels p = {f, rq->samples, (size_t)f->height * (size_t)f->width, SIZE_MAX};
    if (!tensor_numbers(t, put_pixel, &p, failure))
        return false;
    if (p.first_bad != SIZE_MAX)
        return predict_fail(failure, 400, "input \"input\": element %zu is not a finite number",
                            p.first_bad);
    return true;
}

static bool read_one_input(const struct predict_model *m, const struct tensor *inputs, size_t count,
                           struct predict_request *rq, struct predict_failure *failure) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(inputs[i].name, "input") != 0)
            return predict_fail(failure, 400, "the model has no input \"%.60s\"", inputs[i].name);
    if (count != 1)
        return predict_fail(failure, 400, "the model needs the input \"input\" once");
    return read_pixels(m, &inputs[0], rq, failure);
}

/* ---- columns of a table
 * ---------------------------------------------------------------------------- */

struct column {
    const struct feature *feature;
    float *samples;
    size_t sample;
};

static void put_number(void *arg, size_t i, double value) {
    const struct column *c = arg;
    feature_put_number(c->feature, value, c->samples + i * c->sample);
}

static void put_string(void *arg, size_t i, const char *text) {
    const struct column *c = arg;
    int64_t code = text ? feature_code(c->feature, text) : -1;
    feature_put_code(c->feature, code, c->samples + i * c->sample);
}

static const struct tensor *input_find(const struct tensor *inputs, size_t count, const char *name,
                                       size_t *ret_seen) {
    const struct tensor *found = NULL;
    *ret_seen = 0;
    for (size_t i = 0; i < count; i++)
        if (strcmp(inputs[i].name, name) == 0) {
            found = &inputs[i];
            ++*ret_seen;
        }
    return found;
}

static bool read_column(const struct predict_model *m, const struct feature *feature,
                        const struct tensor *t, struct predict_request *rq,
                        struct predict_failure *failure) {
    bool column = t->ndim == 1 || (t->ndim == 2 && t->shape[1] == 1);
    if (!column || (rq->rows > 0 && t->shape[0] != (int64_t)rq->rows))
        return predict_fail(failure, 400,
                            "input \"%.60s\" must have shape [N] with the same N as the others",
                            t->name);
    if (rq->rows == 0 && !set_rows(m, t->shape[0], rq, failure))
        return false;
    struct column c = {feature, rq->samples, m->features.sample};
    if (feature->type == FEATURE_CATEGORICAL)
        return tensor_strings(t, put_string, &c, failure);
    return tensor_numbers(t, put_number, &c, failure);
}

static bool read_columns(const struct predict_model *m, const struct tensor *inputs, size_t count,
                         struct predict_request *rq, struct predict_failure *failure) {
    const struct features *f = &m->features;
    size_t used = 0;
    for (size_t i = 0; i < f->n_columns; i++) {
        size_t seen;
        const struct tensor *t = input_find(inputs, count, f->columns[i].name, &seen);
        if (seen != 1)
            return predict_fail(failure, 400, "input \"%.60s\" is %s", f->columns[i].name,
                                seen ? "given twice" : "missing");
        if (!read_column(m, &f->columns[i], t, rq, failure))
            return false;
        used++;
    }
    for (size_t i = 0; i < count && used != count; i++) {
        bool known = false;
        for (size_t k = 0; k < f->n_columns && !known; k++)
            known = strcmp(inputs[i].name, f->columns[k].name) == 0;
        if (!known)
            return predict_fail(failure, 400, "the model has no input \"%.60s\"", inputs[i].name);
    }
    return true;
}

/* ---- the three contents
 * ------------------------------------------------------------------------------ */

static bool read_inputs(const struct predict_model *m, struct tensor_bytes *bytes,
                        struct predict_request *rq, struct predict_failure *failure) {
    const json_t *json = json_object_get(rq->json, "inputs");
    size_t count = json_array_size(json);
    if (count < 1 || count > INPUTS_MAX)
        return predict_fail(failure, 400, "\"inputs\" must be a list of 1 to %d tensors",
                            INPUTS_MAX);
    auto_free struct tensor *inputs = calloc(count, sizeof *inputs);
    if (!inputs)
        return predict_fail(failure, 413, "memory is short for %zu inputs", count);
    for (size_t i = 0; i < count; i++)
        if (!tensor_read(json_array_get(json, i), bytes, &inputs[i], failure))
            return false;
    if (bytes->left > 0)
        return predict_fail(failure, 400, "%zu bytes follow the last tensor", bytes->left);
    return m->features.is_image ? read_one_input(m, inputs, count, rq, failure)
                                : read_columns(m, inputs, count, rq, failure);
}

/* No JSON at all: the body is the only input's bytes, every output is wanted as bytes. */
static bool read_raw(const struct predict_model *m, const uint8_t *body, size_t size,
                     struct predict_request *rq, struct predict_failure *failure) {
    const struct features *f = &m->features;
    size_t row = f->sample * sizeof(float);
    if (!f->is_image || size == 0 || size % row != 0)
        return predict_fail(failure, 400, "a raw body must be FP32 samples of %zu bytes each", row);
    for (unsigned i = 0; i < OUTPUT_COUNT; i++)
        rq->wanted[i] = rq->binary[i] = model_has_output(m, i);
    struct tensor t = {.name = "input",
                       .datatype = DATATYPE_FP32,
                       .ndim = 4,
                       .shape = {(int64_t)(size / row), f->channels, f->height, f->width},
                       .count = size / sizeof(float),
                       .raw = body,
                       .raw_size = size};
    return read_pixels(m, &t, rq, failure);
}

/* The same steps as on import: grey or colour as the model has it, covered and cut to its size. */
static bool read_picture(const struct predict_model *m, const uint8_t *body, size_t size,
                         struct predict_request *rq, struct predict_failure *failure) {
    const struct features *f = &m->features;
    char why[IMAGE_ERROR_BYTES];
    struct image auto_image decoded = {0};
    struct image auto_image converted = {0};
    struct image auto_image fitted = {0};
    if (!f->is_image)
        return predict_fail(failure, 400, "the model takes the columns of a table, not a picture");
    if (!image_decode(body, size, &decoded, why))
        return predict_fail(failure, 400, "%s", why);
    if (!image_convert(&decoded, f->channels, &converted) ||
        !image_fit(&converted, f->width, f->height, &fitted))
        return predict_fail(failure, 413, "memory is short for the picture");
    for (unsigned i = 0; i < OUTPUT_COUNT; i++)
        rq->wanted[i] = model_has_output(m, i);
    if (!set_rows(m, 1, rq, failure))
        return false;
    size_t area = (size_t)f->width * (size_t)f->height, c = (size_t)f->channels;
    for (size_t i = 0; i < area * c; i++)
        rq->samples[i % c * area + i / c] =
            (float)fitted.pixels[i] * f->scale[i % c] + f->shift[i % c];
    return true;
}

static bool read_protocol(const struct predict_model *m, const uint8_t *body, size_t json_size,
                          size_t size, struct predict_request *rq,
                          struct predict_failure *failure) {
    struct tensor_bytes bytes = {body + json_size, size - json_size};
    return parse_json(body, json_size, rq, failure) && read_outputs(m, rq, failure) &&
           read_inputs(m, &bytes, rq, failure);
}

static bool read_content(const struct predict_model *m, enum predict_content content,
                         int64_t json_length, const uint8_t *body, size_t size,
                         struct predict_request *rq, struct predict_failure *failure) {
    if (content == CONTENT_IMAGE)
        return read_picture(m, body, size, rq, failure);
    if (content == CONTENT_JSON)
        return read_protocol(m, body, size, size, rq, failure);
    if (json_length < 0 || (uint64_t)json_length > size)
        return predict_fail(failure, 400, "Inference-Header-Content-Length is more than the body");
    if (json_length == 0)
        return read_raw(m, body, size, rq, failure);
    return read_protocol(m, body, (size_t)json_length, size, rq, failure);
}

bool predict_request_read(const struct predict_model *m, enum predict_content content,
                          int64_t json_length, const uint8_t *body, size_t size,
                          struct predict_request *ret, struct predict_failure *ret_failure) {
    struct predict_request auto_predict_request rq = {0};
    if (!read_content(m, content, json_length, body, size, &rq, ret_failure))
        return false;
    *ret = rq;
    rq = (struct predict_request){0};
    return true;
}
