/* data_pictures.c: see data_pictures.h. Pixels are counted by value as they pass; a channel has 256
 * of them, so every figure of its profile is exact and costs one table. */
#include "runners/data_pictures.h"

#include "safetensors.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { PIXEL_BINS = 32, WRITE_BUFFER_BYTES = 1 << 20 };

static size_t picture_bytes(const struct pictures *p) {
    return (size_t)p->channels * (size_t)p->height * (size_t)p->width;
}

enum run pictures_alloc(struct import *im, struct pictures *p) {
    p->labels = calloc(p->rows + 1, sizeof *p->labels);
    p->split = malloc(p->rows + 1);
    if (!p->labels || !p->split)
        return crash(im->rn, "memory is short for %zu pictures", p->rows);
    memset(p->split, SPLIT_FREE, p->rows);
    return RUN_DONE;
}

void pictures_done(struct pictures *p) {
    if (p->file)
        fclose(p->file);
    free(p->labels);
    free(p->split);
    free(p->planes);
    json_decref(p->classes);
    *p = (struct pictures){0};
}

static enum run check_size(struct import *im, const struct pictures *p) {
    uint64_t bytes = picture_bytes(p);
    if (p->rows == 0)
        return refuse(im->rn, REFUSE_INVALID_DATA, "there are no pictures");
    if (p->rows > DATA_ROWS_MAX || bytes * p->rows > (uint64_t)DATA_TENSOR_MAX)
        return refuse(im->rn, REFUSE_TOO_LARGE,
                      "%zu pictures of %d x %d are more than the %lld GiB a data set may have",
                      p->rows, p->width, p->height, (long long)(DATA_TENSOR_MAX >> 30));
    return RUN_DONE;
}

static bool write_head(struct pictures *p) {
    size_t bytes = picture_bytes(p);
    int64_t n = (int64_t)p->rows;
    struct safetensor tensors[] = {
        {"x", {TSH_U8, 4, {n, p->channels, p->height, p->width}, NULL, bytes * p->rows}},
        {"y", {TSH_I32, 1, {n}, NULL, p->rows * sizeof *p->labels}},
        {"split", {TSH_U8, 1, {n}, NULL, p->rows}},
    };
    size_t count = sizeof tensors / sizeof *tensors;
    if (!safetensors_write_header(fileno(p->file), tensors, count, NULL))
        return false;
    /* The header sorts by element size and name: y, split, x. The pixels come last by design. */
    for (size_t i = 0; i < count; i++)
        if (strcmp(tensors[i].name, "y") == 0)
            tensors[i].view.data = p->labels;
        else if (strcmp(tensors[i].name, "split") == 0)
            tensors[i].view.data = p->split;
    for (size_t i = 0; i < count && tensors[i].view.data; i++)
        if (!safetensors_write_bytes(fileno(p->file), tensors[i].view.data,
                                     tensors[i].view.size_bytes))
            return false;
    p->pixels_at = lseek(fileno(p->file), 0, SEEK_CUR);
    return p->pixels_at > 0;
}

enum run pictures_begin(struct import *im, struct pictures *p) {
    TRY(check_size(im, p));
    TRY(split_assign(im->rn, &im->split, p->labels, p->rows, p->split));
    int fd;
    TRY(runner_create_file(im->rn, DATA_TENSORS, &fd));
    p->file = fdopen(fd, "r+");
    p->planes = malloc(picture_bytes(p));
    if (!p->file || !p->planes || setvbuf(p->file, NULL, _IOFBF, WRITE_BUFFER_BYTES) != 0)
        return crash(im->rn, "memory is short to write pictures");
    if (!write_head(p))
        return crash(im->rn, "could not write the pictures: %s", strerror(errno));
    return RUN_DONE;
}

enum run pictures_add(struct import *im, struct pictures *p, const uint8_t *pixels) {
    size_t area = (size_t)p->height * (size_t)p->width, channels = (size_t)p->channels;
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < area; i++) {
            uint8_t value = pixels[i * channels + c];
            p->planes[c * area + i] = value;
            p->levels[c][value]++;
        }
    if (fwrite(p->planes, 1, area * channels, p->file) != area * channels)
        return crash(im->rn, "could not write the pictures: %s", strerror(errno));
    p->written++;
    return RUN_DONE;
}

/* The smallest value that at least this part of the pixels does not exceed. */
static int level_quantile(const uint64_t levels[PICTURE_LEVELS], double part, double total) {
    double seen = 0;
    for (int v = 0; v < PICTURE_LEVELS; v++) {
        seen += (double)levels[v];
        if (seen >= part * total)
            return v;
    }
    return PICTURE_LEVELS - 1;
}

static json_t *level_statistics(const uint64_t levels[PICTURE_LEVELS]) {
    double total = 0, sum = 0, squares = 0;
    int min = -1, max = 0;
    for (int v = 0; v < PICTURE_LEVELS; v++) {
        double n = (double)levels[v];
        total += n;
        sum += n * v;
        squares += n * v * v;
        if (n > 0 && min < 0)
            min = v;
        if (n > 0)
            max = v;
    }
    double mean = sum / total, variance = fmax(0, squares / total - mean * mean);
    return json_pack(
        "{s:i, s:i, s:f, s:f, s:i, s:i, s:i, s:i, s:i}", "min", min, "max", max, "mean", mean,
        "stddev", sqrt(variance), "p05", level_quantile(levels, 0.05, total), "p25",
        level_quantile(levels, 0.25, total), "p50", level_quantile(levels, 0.5, total), "p75",
        level_quantile(levels, 0.75, total), "p95", level_quantile(levels, 0.95, total));
}

static json_t *level_histogram(const uint64_t levels[PICTURE_LEVELS]) {
    enum { WIDTH = PICTURE_LEVELS / PIXEL_BINS };
    json_t *edges = json_array(), *counts = json_array();
    for (int bin = 0; bin < PIXEL_BINS; bin++) {
        uint64_t n = 0;
        for (int v = bin * WIDTH; v < (bin + 1) * WIDTH; v++)
            n += levels[v];
        json_array_append_new(edges, json_integer(bin * WIDTH));
        json_array_append_new(counts, json_integer((json_int_t)n));
    }
    json_array_append_new(edges, json_integer(PICTURE_LEVELS - 1));
    return json_pack("{s:o, s:o}", "edges", edges, "counts", counts);
}

static json_t *channel_column(const struct pictures *p, int channel) {
    static const char *const NAMES[] = {"red", "green", "blue"};
    const uint64_t *levels = p->levels[channel];
    int distinct = 0;
    for (int v = 0; v < PICTURE_LEVELS; v++)
        distinct += levels[v] > 0;
    return json_pack("{s:s, s:s, s:i, s:i, s:o, s:o, s:n}", "name",
                     p->channels == 1 ? "pixel" : NAMES[channel], "type", "pixel", "nulls", 0,
                     "distinct", distinct, "statistics", level_statistics(levels), "histogram",
                     level_histogram(levels), "top");
}

struct class_count {
    size_t class;
    json_int_t count;
};

static int by_count(const void *a, const void *b) {
    const struct class_count *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return (x->class > y->class) - (x->class < y->class);
}

/* The label as a column of its own, and all classes with their counts in *ret_classes. */
static enum run label_column(struct import *im, const struct pictures *p, json_t **ret,
                             json_t **ret_classes) {
    size_t n = json_array_size(p->classes);
    auto_free struct class_count *counts = calloc(n + 1, sizeof *counts);
    if (!counts)
        return crash(im->rn, "memory is short for %zu classes", n);
    for (size_t i = 0; i < n; i++)
        counts[i].class = i;
    for (size_t i = 0; i < p->rows; i++)
        counts[p->labels[i]].count++;
    *ret_classes = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(*ret_classes,
                              json_pack("{s:O, s:I}", "name", json_array_get(p->classes, i),
                                        "count", counts[i].count));
    qsort(counts, n, sizeof *counts, by_count);
    json_t *top = json_array();
    for (size_t i = 0; i < n && i < DATA_TOP_VALUES; i++)
        json_array_append_new(top, json_pack("{s:O, s:I}", "value",
                                             json_array_get(p->classes, counts[i].class), "count",
                                             counts[i].count));
    *ret = json_pack("{s:s, s:s, s:i, s:I, s:n, s:n, s:o}", "name", "label", "type", "categorical",
                     "nulls", 0, "distinct", (json_int_t)n, "statistics", "histogram", "top", top);
    return RUN_DONE;
}

static enum run describe(struct import *im, const struct pictures *p, json_t *samples) {
    json_t *label, *classes;
    TRY(label_column(im, p, &label, &classes));
    json_t *columns = json_array();
    for (int c = 0; c < p->channels; c++)
        json_array_append_new(columns, channel_column(p, c));
    json_array_append_new(columns, label);
    json_t *shape = json_pack("[i,i,i]", p->channels, p->height, p->width);
    json_t *splits = split_counts(p->split, p->rows);
    json_object_update_new(im->result, json_pack("{s:s, s:I, s:O, s:o, s:n, s:O, s:o, s:o}", "kind",
                                                 "image", "rows", (json_int_t)p->rows, "shape",
                                                 shape, "classes", classes, "target", "splits",
                                                 splits, "columns", columns, "samples", samples));
    json_object_update_new(im->manifest,
                           json_pack("{s:s, s:I, s:o, s:O, s:n, s:[], s:o}", "kind", "image",
                                     "rows", (json_int_t)p->rows, "shape", shape, "classes",
                                     p->classes, "target", "columns", "splits", splits));
    return RUN_DONE;
}

enum run pictures_finish(struct import *im, struct pictures *p) {
    TRY(import_progress(im, 0.96, "drawing samples"));
    if (fflush(p->file) != 0)
        return crash(im->rn, "could not write the pictures: %s", strerror(errno));
    json_t *samples;
    TRY(sprite_write(im, p, &samples));
    enum run status = describe(im, p, samples);
    return status == RUN_DONE ? runner_commit_file(im->rn, DATA_TENSORS, fileno(p->file)) : status;
}
