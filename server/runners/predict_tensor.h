/* predict_tensor.h: one input tensor of an Open Inference Protocol request, as JSON or as bytes. */
#pragma once

#include "runners/predict_request.h"

enum datatype {
    DATATYPE_BOOL,
    DATATYPE_UINT8,
    DATATYPE_UINT16,
    DATATYPE_UINT32,
    DATATYPE_UINT64,
    DATATYPE_INT8,
    DATATYPE_INT16,
    DATATYPE_INT32,
    DATATYPE_INT64,
    DATATYPE_FP32,
    DATATYPE_FP64,
    DATATYPE_BYTES,
};

enum { TENSOR_DIMS_MAX = 8 };

struct tensor {
    const char *name; /* borrowed from the request, like data */
    enum datatype datatype;
    int ndim;
    int64_t shape[TENSOR_DIMS_MAX];
    size_t count;       /* product of the shape */
    const json_t *data; /* NULL when the tensor is binary */
    const uint8_t *raw; /* binary: raw_size bytes in the request's body */
    size_t raw_size;
};

/* The unread rest of a body that carries tensors after its JSON. */
struct tensor_bytes {
    const uint8_t *at;
    size_t left;
};

/* Reads name, datatype and shape, and takes the tensor's bytes when it is binary. */
bool tensor_read(const json_t *json, struct tensor_bytes *bytes, struct tensor *ret,
                 struct predict_failure *failure);

/* Calls put(arg, i, value) for each element in row-major order; value is NaN for null (JSON only).
 * Wrong counts, types and ranges are refused. */
bool tensor_numbers(const struct tensor *t, void (*put)(void *arg, size_t i, double value),
                    void *arg, struct predict_failure *failure);

/* The same for BYTES; text is not terminated in place, so it is copied, at most 4 KiB of it. NULL
 * is null. */
bool tensor_strings(const struct tensor *t, void (*put)(void *arg, size_t i, const char *text),
                    void *arg, struct predict_failure *failure);
