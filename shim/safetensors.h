/* safetensors.h: reading and writing the safetensors format, in plain C.
 *
 * u64 LE header length · JSON {"name":{"dtype","shape","data_offsets":[b,e]},…,"__metadata__":{…}}
 * · the tensors' bytes. A reader of hostile bytes: everything is checked before anything is used,
 * and nothing is copied or executed. The file is mapped, so a data set larger than memory can be
 * read. */
#pragma once

#include "slipway_torch.h"

#include <jansson.h>
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    SAFETENSORS_HEADER_MAX = 16 << 20, /* bytes of JSON; the format allows 100 MB */
    SAFETENSORS_ERROR_BYTES = 200,
};

struct safetensor {
    const char *name; /* reading: owned by the file; writing: the caller's */
    tsh_view view;    /* data is aligned to its element size */
};

struct safetensors {
    struct safetensor *tensors; /* in the order of their bytes */
    size_t count;
    json_t *header;         /* owns the names */
    const json_t *metadata; /* string → string; NULL when the file has none */
    void *map;              /* NULL when parsed from memory */
    size_t map_bytes;
    void *copies; /* of tensors whose bytes lie unaligned; NULL usually */
};

#define auto_safetensors __attribute__((cleanup(safetensors_done)))

/* Maps the file. False with a sentence in error when it is not wholly valid. */
bool safetensors_open(int fd, struct safetensors *ret, char error[SAFETENSORS_ERROR_BYTES]);

/* The same on bytes that stay valid until safetensors_done. */
bool safetensors_parse(const void *bytes, size_t size, struct safetensors *ret,
                       char error[SAFETENSORS_ERROR_BYTES]);

void safetensors_done(struct safetensors *file);

/* The tensor of that name, NULL when there is none. */
const struct safetensor *safetensors_find(const struct safetensors *file, const char *name);

/* Sorts tensors so that each lies aligned (largest elements first, then by name), then writes the
 * header. The caller then writes the tensors' bytes in that order; view.data may be NULL so far.
 * metadata: string → string, may be NULL. False with errno set. */
bool safetensors_write_header(int fd, struct safetensor *tensors, size_t count,
                              const json_t *metadata);

/* Header and data. False with errno set. The file is not synced. */
bool safetensors_write(int fd, struct safetensor *tensors, size_t count, const json_t *metadata);

/* Bytes of one element. */
size_t safetensors_element_bytes(tsh_dtype dtype);

/* Writes all of it, however many calls it takes. False with errno set. */
bool safetensors_write_bytes(int fd, const void *bytes, size_t size);

#ifdef __cplusplus
}
#endif
