/* Chunks: the points of one series, packed.
 *
 * A series is kept as chunks of at most CHUNK_MAX samples in the order (step, time, value). Chunks
 * of one series do not overlap in that order and no sample is there twice, so they are the leaves
 * of a search tree whose inner nodes are PostgreSQL's index on their first samples. Nothing here
 * talks to the database. */
#pragma once

#include "base/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Chosen for PostgreSQL's pages of 8 KiB, in which rows of chunks lie whole: of full chunks of the
 * usual kinds (double or single precision, times in micro- or milliseconds) two, three or four fill
 * a page. Out of line, in pieces of 2,000 bytes, they took half as much again. */
#define CHUNK_MAX 312

struct sample {
    int64_t step;
    int64_t at_us;
    double value;
};

/* The order of a series: step, time, value; NaN above all values and equal to itself, as in
 * PostgreSQL. */
int sample_compare(const struct sample *a, const struct sample *b);
/* The order of a history: time, step, value. */
int sample_compare_by_time(const struct sample *a, const struct sample *b);
/* One form for equal values: a single NaN, no -0. */
double sample_value(double value);
/* Sorts and leaves each sample once; returns how many are left. */
size_t samples_sort(struct sample *samples, size_t count);

/* Room that chunk_encode() may need. */
#define CHUNK_SIZE_MAX(count) (16 + 28 * (size_t)(count))
/* Packs samples in any order; returns the size. */
size_t chunk_encode(const struct sample *samples, size_t count, unsigned char *ret);
/* Into an array of cap samples. False when the bytes are not what chunk_encode() makes of at most
 * cap samples. */
bool chunk_decode(const void *data, size_t size, struct sample *ret, size_t cap, size_t *ret_count);

/* Numbers of 1 to 10 bytes, least significant seven bits first. */
unsigned char *varint_put(unsigned char *at, uint64_t value);
/* NULL when it does not end before `end`. */
const unsigned char *varint_get(const unsigned char *at, const unsigned char *end, uint64_t *ret);

/* What a reader may want to know of samples without reading them. */
struct chunk_summary {
    struct sample first, last; /* in the series' order */
    int64_t points, non_finite;
    double least, greatest; /* of the finite ones; NaN when there is none */
    int64_t min_at, max_at;
};
/* Of at least one sample, sorted. */
struct chunk_summary chunk_summarise(const struct sample *samples, size_t count);

/* A chunk as it is stored: its samples. */
struct chunk {
    struct sample *samples;
    size_t count;
};

struct chunk_change {
    struct chunk put;          /* to be stored under its first sample; count 0 = none */
    const struct sample *drop; /* the first sample of a chunk to be removed; or NULL */
};

/* Merges new samples (sorted, each once) into chunks (in order, disjoint). The caller gives, of all
 * chunks of the series, at least each to which one of the samples belongs. Returns what
 * has to change and which samples were new. last is the series' last sample before; NULL = it had
 * none. */
struct chunk_changes {
    struct chunk_change *items;
    size_t count;
    struct chunk added; /* the samples that were not there before */
};
struct chunk_changes chunk_merge(struct arena *arena, const struct chunk *chunks,
                                 size_t chunk_count, const struct sample *last,
                                 const struct sample *samples, size_t count);
