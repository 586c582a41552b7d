/* safetensors.c: see safetensors.h. The order of the checks is the order of trust: lengths against
 * the file, the header's size, JSON without duplicate keys, each entry by itself (dtype, shape,
 * product without overflow, length equal to the product), then all together: sorted by offset they
 * must tile the data exactly, which excludes overlaps, holes and bytes that belong to nobody. */
#include "safetensors.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct {
    const char *name;
    tsh_dtype dtype;
    size_t bytes;
} DTYPES[] = {
    {"F32", TSH_F32, 4}, {"F64", TSH_F64, 8},   {"I32", TSH_I32, 4}, {"I64", TSH_I64, 8},
    {"U8", TSH_U8, 1},   {"BOOL", TSH_BOOL, 1}, {"I8", TSH_I8, 1},   {"I16", TSH_I16, 2},
    {"F16", TSH_F16, 2}, {"BF16", TSH_BF16, 2},
};

enum { DTYPE_COUNT = sizeof DTYPES / sizeof *DTYPES };

size_t safetensors_element_bytes(tsh_dtype dtype) {
    for (size_t i = 0; i < DTYPE_COUNT; i++)
        if (DTYPES[i].dtype == dtype)
            return DTYPES[i].bytes;
    return 0;
}

static const char *dtype_name(tsh_dtype dtype) {
    for (size_t i = 0; i < DTYPE_COUNT; i++)
        if (DTYPES[i].dtype == dtype)
            return DTYPES[i].name;
    return NULL;
}

__attribute__((format(printf, 2, 3))) static bool complain(char *error, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    vsnprintf(error, SAFETENSORS_ERROR_BYTES, fmt, args);
    va_end(args);
    return false;
}

static bool read_dtype(const json_t *entry, tsh_dtype *ret) {
    const char *name = json_string_value(json_object_get(entry, "dtype"));
    for (size_t i = 0; name && i < DTYPE_COUNT; i++)
        if (strcmp(DTYPES[i].name, name) == 0) {
            *ret = DTYPES[i].dtype;
            return true;
        }
    return false;
}

/* Fills the shape and the size it asks for; false on too many dimensions or overflow. */
static bool read_shape(const json_t *entry, tsh_view *view) {
    const json_t *shape = json_object_get(entry, "shape");
    if (!json_is_array(shape) || json_array_size(shape) > 8)
        return false;
    view->ndim = (int)json_array_size(shape);
    view->size_bytes = safetensors_element_bytes(view->dtype);
    for (int i = 0; i < view->ndim; i++) {
        const json_t *dim = json_array_get(shape, (size_t)i);
        if (!json_is_integer(dim) || json_integer_value(dim) < 0)
            return false;
        view->shape[i] = json_integer_value(dim);
        if (__builtin_mul_overflow(view->size_bytes, (size_t)view->shape[i], &view->size_bytes))
            return false;
    }
    return true;
}

/* ret->data becomes the offset into the data, as a pointer from base. */
static bool read_entry(const char *name, const json_t *entry, const uint8_t *base,
                       size_t data_bytes, struct safetensor *ret, char *error) {
    *ret = (struct safetensor){.name = name};
    if (!json_is_object(entry) || json_object_size(entry) != 3)
        return complain(error, "tensor \"%.80s\" must have dtype, shape and data_offsets", name);
    if (!read_dtype(entry, &ret->view.dtype))
        return complain(error, "tensor \"%.80s\" has an unknown dtype", name);
    if (!read_shape(entry, &ret->view))
        return complain(error, "tensor \"%.80s\" has an impossible shape", name);
    const json_t *offsets = json_object_get(entry, "data_offsets");
    const json_t *begin = json_array_get(offsets, 0), *end = json_array_get(offsets, 1);
    if (json_array_size(offsets) != 2 || !json_is_integer(begin) || !json_is_integer(end))
        return complain(error, "tensor \"%.80s\" has no pair of data_offsets", name);
    json_int_t b = json_integer_value(begin), e = json_integer_value(end);
    if (b < 0 || e < b || (uint64_t)e > data_bytes)
        return complain(error, "tensor \"%.80s\" lies outside the file", name);
    if ((size_t)(e - b) != ret->view.size_bytes)
        return complain(error, "tensor \"%.80s\" has %zu bytes for a shape of %zu", name,
                        (size_t)(e - b), ret->view.size_bytes);
    ret->view.data = base + b;
    return true;
}

static int by_offset(const void *a, const void *b) {
    const tsh_view *x = &((const struct safetensor *)a)->view;
    const tsh_view *y = &((const struct safetensor *)b)->view;
    if (x->data != y->data)
        return x->data < y->data ? -1 : 1;
    return (x->size_bytes > y->size_bytes) - (x->size_bytes < y->size_bytes);
}

static bool check_tiling(const struct safetensors *file, const uint8_t *base, size_t data_bytes,
                         char *error) {
    const uint8_t *at = base;
    for (size_t i = 0; i < file->count; i++) {
        if (file->tensors[i].view.data != at)
            return complain(error, "tensor \"%.80s\" overlaps another or leaves a hole",
                            file->tensors[i].name);
        at += file->tensors[i].view.size_bytes;
    }
    if (at != base + data_bytes)
        return complain(error, "%zu bytes belong to no tensor", (size_t)(base + data_bytes - at));
    return true;
}

/* Other writers need not align; nobody who reads a float should have to care. */
static bool align_tensors(struct safetensors *file, char *error) {
    size_t total = 0;
    for (size_t i = 0; i < file->count; i++) {
        const tsh_view *v = &file->tensors[i].view;
        if ((uintptr_t)v->data % safetensors_element_bytes(v->dtype) != 0)
            total += (v->size_bytes + 15) & ~(size_t)15;
    }
    if (total == 0)
        return true;
    char *to = file->copies = malloc(total);
    if (!to)
        return complain(error, "memory is short for unaligned tensors");
    for (size_t i = 0; i < file->count; i++) {
        tsh_view *v = &file->tensors[i].view;
        if ((uintptr_t)v->data % safetensors_element_bytes(v->dtype) == 0)
            continue;
        memcpy(to, v->data, v->size_bytes);
        v->data = to;
        to += (v->size_bytes + 15) & ~(size_t)15;
    }
    return true;
}

static bool check_metadata(const json_t *metadata, char *error) {
    if (!json_is_object(metadata))
        return complain(error, "__metadata__ is not an object");
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)metadata, key, value) if (!json_is_string(value)) return complain(
        error, "__metadata__ may hold strings only");
    return true;
}

static bool read_entries(struct safetensors *file, const uint8_t *base, size_t data_bytes,
                         char *error) {
    file->tensors = calloc(json_object_size(file->header) + 1, sizeof *file->tensors);
    if (!file->tensors)
        return complain(error, "memory is short for the header");
    const char *name;
    json_t *entry;
    json_object_foreach(file->header, name, entry) {
        if (strcmp(name, "__metadata__") == 0) {
            if (!check_metadata(entry, error))
                return false;
            file->metadata = entry;
            continue;
        }
        if (!read_entry(name, entry, base, data_bytes, &file->tensors[file->count], error))
            return false;
        file->count++;
    }
    qsort(file->tensors, file->count, sizeof *file->tensors, by_offset);
    return check_tiling(file, base, data_bytes, error) && align_tensors(file, error);
}

static bool parse(const uint8_t *bytes, size_t size, struct safetensors *file, char *error) {
    if (size < 8)
        return complain(error, "the file has %zu bytes, too few for a header", size);
    uint64_t length = 0;
    for (int i = 7; i >= 0; i--)
        length = length << 8 | bytes[i];
    if (length > SAFETENSORS_HEADER_MAX || length > size - 8)
        return complain(error, "the header is said to have %llu bytes, more than there can be",
                        (unsigned long long)length);
    if (length < 2 || bytes[8] != '{')
        return complain(error, "the header is not a JSON object");
    json_error_t why;
    file->header =
        json_loadb((const char *)bytes + 8, (size_t)length, JSON_REJECT_DUPLICATES, &why);
    if (!file->header)
        return complain(error, "the header is not valid JSON: %.100s", why.text);
    return read_entries(file, bytes + 8 + length, size - 8 - (size_t)length, error);
}

bool safetensors_parse(const void *bytes, size_t size, struct safetensors *ret,
                       char error[SAFETENSORS_ERROR_BYTES]) {
    struct safetensors file = {0};
    if (!parse(bytes, size, &file, error)) {
        safetensors_done(&file);
        return false;
    }
    *ret = file;
    return true;
}

bool safetensors_open(int fd, struct safetensors *ret, char error[SAFETENSORS_ERROR_BYTES]) {
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0)
        return complain(error, "the file is empty or not a file");
    size_t size = (size_t)st.st_size;
    void *map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (map == MAP_FAILED)
        return complain(error, "could not map the file: %s", strerror(errno));
    if (!safetensors_parse(map, size, ret, error)) {
        munmap(map, size);
        return false;
    }
    ret->map = map;
    ret->map_bytes = size;
    return true;
}

void safetensors_done(struct safetensors *file) {
    free(file->tensors);
    free(file->copies);
    json_decref(file->header);
    if (file->map)
        munmap(file->map, file->map_bytes);
    *file = (struct safetensors){0};
}

const struct safetensor *safetensors_find(const struct safetensors *file, const char *name) {
    for (size_t i = 0; i < file->count; i++)
        if (strcmp(file->tensors[i].name, name) == 0)
            return &file->tensors[i];
    return NULL;
}

static int by_alignment(const void *a, const void *b) {
    const struct safetensor *x = a, *y = b;
    size_t n = safetensors_element_bytes(x->view.dtype);
    size_t m = safetensors_element_bytes(y->view.dtype);
    return n != m ? (n > m ? -1 : 1) : strcmp(x->name, y->name);
}

static json_t *entry_of(const tsh_view *view, size_t begin) {
    json_t *shape = json_array();
    for (int i = 0; i < view->ndim; i++)
        json_array_append_new(shape, json_integer(view->shape[i]));
    return json_pack("{s:s, s:o, s:[I,I]}", "dtype", dtype_name(view->dtype), "shape", shape,
                     "data_offsets", (json_int_t)begin, (json_int_t)(begin + view->size_bytes));
}

bool safetensors_write_bytes(int fd, const void *bytes, size_t size) {
    const char *at = bytes;
    while (size > 0) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

bool safetensors_write_header(int fd, struct safetensor *tensors, size_t count,
                              const json_t *metadata) {
    qsort(tensors, count, sizeof *tensors, by_alignment);
    json_t *header = json_object();
    if (metadata)
        json_object_set(header, "__metadata__", (json_t *)metadata);
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        json_object_set_new(header, tensors[i].name, entry_of(&tensors[i].view, at));
        at += tensors[i].view.size_bytes;
    }
    char *text = json_dumps(header, JSON_COMPACT);
    json_decref(header);
    if (!text) {
        errno = ENOMEM;
        return false;
    }
    /* Spaces after the JSON bring the data to a multiple of 8, so that every tensor is aligned. */
    size_t length = strlen(text), padded = (length + 7) & ~(size_t)7;
    uint8_t prefix[8];
    for (int i = 0; i < 8; i++)
        prefix[i] = (uint8_t)((uint64_t)padded >> (8 * i));
    bool done = safetensors_write_bytes(fd, prefix, 8) &&
                safetensors_write_bytes(fd, text, length) &&
                safetensors_write_bytes(fd, "        ", padded - length);
    free(text);
    return done;
}

bool safetensors_write(int fd, struct safetensor *tensors, size_t count, const json_t *metadata) {
    if (!safetensors_write_header(fd, tensors, count, metadata))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!safetensors_write_bytes(fd, tensors[i].view.data, tensors[i].view.size_bytes))
            return false;
    return true;
}
