/* predict_tensor.c: see predict_tensor.h. JSON data may be flat or nested in the tensor's shape or
 * any other way; it is walked in order and must have exactly the elements the shape says. */
#include "runners/predict_tensor.h"

#include <math.h>
#include <string.h>

enum { STRING_MAX_BYTES = 4096, NESTING_MAX = 16 };

static const struct {
    const char *name;
    size_t bytes; /* 0: each element carries its length */
    double min, max;
} DATATYPES[] = {
    [DATATYPE_BOOL] = {"BOOL", 1, 0, 1},
    [DATATYPE_UINT8] = {"UINT8", 1, 0, UINT8_MAX},
    [DATATYPE_UINT16] = {"UINT16", 2, 0, UINT16_MAX},
    [DATATYPE_UINT32] = {"UINT32", 4, 0, UINT32_MAX},
    [DATATYPE_UINT64] = {"UINT64", 8, 0, 18446744073709551615.0},
    [DATATYPE_INT8] = {"INT8", 1, INT8_MIN, INT8_MAX},
    [DATATYPE_INT16] = {"INT16", 2, INT16_MIN, INT16_MAX},
    [DATATYPE_INT32] = {"INT32", 4, INT32_MIN, INT32_MAX},
    [DATATYPE_INT64] = {"INT64", 8, -9223372036854775808.0, 9223372036854775808.0},
    [DATATYPE_FP32] = {"FP32", 4, -INFINITY, INFINITY},
    [DATATYPE_FP64] = {"FP64", 8, -INFINITY, INFINITY},
    [DATATYPE_BYTES] = {"BYTES", 0, 0, 0},
};

static bool read_datatype(const json_t *json, struct tensor *t, struct predict_failure *failure) {
    const char *name = json_string_value(json_object_get(json, "datatype"));
    for (unsigned i = 0; name && i < sizeof DATATYPES / sizeof *DATATYPES; i++)
        if (strcmp(DATATYPES[i].name, name) == 0) {
            t->datatype = (enum datatype)i;
            return true;
        }
    return predict_fail(failure, 400, "input \"%.60s\" has no supported datatype", t->name);
}

static bool read_shape(const json_t *json, struct tensor *t, struct predict_failure *failure) {
    const json_t *shape = json_object_get(json, "shape");
    size_t n = json_array_size(shape);
    if (n < 1 || n > TENSOR_DIMS_MAX)
        return predict_fail(failure, 400, "input \"%.60s\" needs a shape of 1 to %d dimensions",
                            t->name, TENSOR_DIMS_MAX);
    t->ndim = (int)n;
    t->count = 1;
    for (size_t i = 0; i < n; i++) {
        const json_t *dim = json_array_get(shape, i);
        t->shape[i] = json_integer_value(dim);
        if (!json_is_integer(dim) || t->shape[i] < 0 ||
            __builtin_mul_overflow(t->count, (size_t)t->shape[i], &t->count))
            return predict_fail(failure, 400, "input \"%.60s\" has an impossible shape", t->name);
    }
    return true;
}

/* parameters.binary_data_size moves the data behind the JSON. */
static bool read_data(const json_t *json, struct tensor_bytes *bytes, struct tensor *t,
                      struct predict_failure *failure) {
    const json_t *size = json_object_get(json_object_get(json, "parameters"), "binary_data_size");
    t->data = json_object_get(json, "data");
    if (!size) {
        if (json_is_array(t->data))
            return true;
        return predict_fail(failure, 400, "input \"%.60s\" has no data", t->name);
    }
    json_int_t wanted = json_integer_value(size);
    if (t->data || !json_is_integer(size) || wanted < 0 || (uint64_t)wanted > bytes->left)
        return predict_fail(failure, 400, "input \"%.60s\" has an impossible binary_data_size",
                            t->name);
    t->raw = bytes->at;
    t->raw_size = (size_t)wanted;
    bytes->at += wanted;
    bytes->left -= (size_t)wanted;
    return true;
}

bool tensor_read(const json_t *json, struct tensor_bytes *bytes, struct tensor *ret,
                 struct predict_failure *failure) {
    struct tensor t = {.name = json_string_value(json_object_get(json, "name"))};
    if (!t.name)
        return predict_fail(failure, 400, "an input has no name");
    if (!read_datatype(json, &t, failure) || !read_shape(json, &t, failure) ||
        !read_data(json, bytes, &t, failure))
        return false;
    *ret = t;
    return true;
}

/* Where a walk through JSON data stands. */
struct walk {
    const struct tensor *tensor;
    size_t seen;
    void (*put_number)(void *arg, size_t i, double value);
    void (*put_string)(void *arg, size_t i, const char *text);
    void *arg;
    struct predict_failure *failure;
};

static bool walk_element(struct walk *w, const json_t *value) {
    const struct tensor *t = w->tensor;
    if (w->seen >= t->count)
        return predict_fail(w->failure, 400,
                            "input \"%.60s\" has more than the %zu elements of its shape", t->name,
                            t->count);
    size_t i = w->seen++;
    if (w->put_string) {
        if (!json_is_string(value) && !json_is_null(value))
            return predict_fail(w->failure, 400, "input \"%.60s\": element %zu is not a string",
                                t->name, i);
        w->put_string(w->arg, i, json_string_value(value));
        return true;
    }
    bool boolean = json_is_boolean(value) && t->datatype == DATATYPE_BOOL;
    if (!boolean && !json_is_number(value) && !json_is_null(value))
        return predict_fail(w->failure, 400, "input \"%.60s\": element %zu is not a number",
                            t->name, i);
    double number = json_is_null(value) ? NAN
                    : boolean           ? json_is_true(value)
                                        : json_number_value(value);
    if (number < DATATYPES[t->datatype].min || number > DATATYPES[t->datatype].max ||
        (json_is_real(value) && t->datatype < DATATYPE_FP32))
        return predict_fail(w->failure, 400, "input \"%.60s\": element %zu is not a %s", t->name, i,
                            DATATYPES[t->datatype].name);
    w->put_number(w->arg, i, number);
    return true;
}

static bool walk_array(struct walk *w, const json_t *array, int depth) {
    size_t i;
    json_t *value;
    if (depth > NESTING_MAX)
        return predict_fail(w->failure, 400, "input \"%.60s\" is nested too deep", w->tensor->name);
    json_array_foreach(array, i, value) {
        if (!(json_is_array(value) ? walk_array(w, value, depth + 1) : walk_element(w, value)))
            return false;
    }
    return true;
}

static bool walk_json(struct walk *w) {
    if (!walk_array(w, w->tensor->data, 1))
        return false;
    if (w->seen == w->tensor->count)
        return true;
    return predict_fail(w->failure, 400, "input \"%.60s\" has %zu elements, its shape needs %zu",
                        w->tensor->name, w->seen, w->tensor->count);
}

#define LOAD(type)                                                                                 \
    {                                                                                              \
        type value_;                                                                               \
        memcpy(&value_, at, sizeof value_);                                                        \
        return (double)value_;                                                                     \
    }

/* Elements may lie unaligned in the body. */
static double load_number(enum datatype datatype, const uint8_t *at) {
    switch (datatype) {
    case DATATYPE_BOOL:
        return *at != 0;
    case DATATYPE_UINT8:
        return *at;
    case DATATYPE_UINT16:
        LOAD(uint16_t)
    case DATATYPE_UINT32:
        LOAD(uint32_t)
    case DATATYPE_UINT64:
        LOAD(uint64_t)
    case DATATYPE_INT8:
        LOAD(int8_t)
    case DATATYPE_INT16:
        LOAD(int16_t)
    case DATATYPE_INT32:
        LOAD(int32_t)
    case DATATYPE_INT64:
        LOAD(int64_t)
    case DATATYPE_FP32:
        LOAD(float)
    case DATATYPE_FP64:
        LOAD(double)
    case DATATYPE_BYTES:
        break;
    }
    return NAN;
}

bool tensor_numbers(const struct tensor *t, void (*put)(void *arg, size_t i, double value),
                    void *arg, struct predict_failure *failure) {
    if (t->datatype == DATATYPE_BYTES)
        return predict_fail(failure, 400, "input \"%.60s\" must be numeric, not BYTES", t->name);
    struct walk w = {.tensor = t, .put_number = put, .arg = arg, .failure = failure};
    if (t->data)
        return walk_json(&w);
    size_t element = DATATYPES[t->datatype].bytes, bytes;
    if (__builtin_mul_overflow(t->count, element, &bytes) || bytes != t->raw_size)
        return predict_fail(failure, 400,
                            "input \"%.60s\" has %zu bytes, its shape needs another number",
                            t->name, t->raw_size);
    for (size_t i = 0; i < t->count; i++)
        put(arg, i, load_number(t->datatype, t->raw + i * element));
    return true;
}

static bool raw_strings(struct walk *w) {
    const struct tensor *t = w->tensor;
    char text[STRING_MAX_BYTES + 1];
    size_t at = 0;
    for (size_t i = 0; i < t->count; i++) {
        uint32_t size = UINT32_MAX;
        if (t->raw_size - at >= sizeof size)
            memcpy(&size, t->raw + at, sizeof size);
        if (size > STRING_MAX_BYTES || size > t->raw_size - at - sizeof size)
            return predict_fail(w->failure, 400,
                                "input \"%.60s\": element %zu is cut short or too long", t->name,
                                i);
        memcpy(text, t->raw + at + sizeof size, size);
        text[size] = '\0';
        w->put_string(w->arg, i, text);
        at += sizeof size + size;
    }
    if (at != t->raw_size)
        return predict_fail(w->failure, 400, "input \"%.60s\" has bytes beyond its shape", t->name);
    return true;
}

bool tensor_strings(const struct tensor *t, void (*put)(void *arg, size_t i, const char *text),
                    void *arg, struct predict_failure *failure) {
    if (t->datatype != DATATYPE_BYTES)
        return predict_fail(failure, 400, "input \"%.60s\" must be BYTES, not %s", t->name,
                            DATATYPES[t->datatype].name);
    struct walk w = {.tensor = t, .put_string = put, .arg = arg, .failure = failure};
    return t->data ? walk_json(&w) : raw_strings(&w);
}
