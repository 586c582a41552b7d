/* data_idx.c: IDX files, the form MNIST and its relatives come in, plain or gzipped.
 *
 * 00 00 type dimensions · one u32 BE a dimension · the elements. Pictures are three-dimensional,
 * labels one-dimensional, both of unsigned bytes. The header is believed only as far as the file
 * bears it out: the product of the sizes is limited first, then exactly that many bytes must
 * follow, not one more, and the gzip checksum must be right.
 *
 * Files are told apart by their dimensions, train and test by the name people gave them. */
#include "runners/data_pictures.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum {
    IDX_UBYTE = 8,
    IDX_DIMENSIONS_MAX = 3,
    IDX_ROLES = 2,      /* train, test */
    LABEL_VALUES = 256, /* of an unsigned byte */
    READ_BUFFER_BYTES = 256 * 1024,
};

struct idx_file {
    const struct runner_input *in; /* NULL: this file was not sent */
    gzFile gz;
    int dimensions; /* 1 or 3 */
    uint32_t size[IDX_DIMENSIONS_MAX];
    int64_t at; /* bytes read, unpacked */
};

struct idx_set {
    struct idx_file images[IDX_ROLES], labels[IDX_ROLES];
    uint8_t *values; /* labels of all files, as they stand in them */
};

static enum run refuse_idx(struct import *im, const struct idx_file *f, const char *sentence) {
    char place[32];
    snprintf(place, sizeof place, "byte %lld", (long long)f->at);
    return refuse_input(im, REFUSE_INVALID_DATA, f->in, place, "%s", sentence);
}

static enum run idx_read(struct import *im, struct idx_file *f, void *ret, size_t size) {
    for (size_t got = 0; got < size;) {
        size_t left = size - got;
        int n = gzread(f->gz, (char *)ret + got, left < (1 << 30) ? (unsigned)left : 1 << 30);
        int code;
        const char *why = gzerror(f->gz, &code);
        if (n < 0 && code == Z_ERRNO)
            return crash(im->rn, "could not read %s: %s", f->in->path, strerror(errno));
        if (n < 0)
            return refuse_input(im, REFUSE_INVALID_DATA, f->in, NULL,
                                "the gzip data is damaged: %s", why);
        if (n == 0)
            return refuse_idx(im, f, "the file ends before everything its header announces");
        got += (size_t)n;
        f->at += n;
    }
    return RUN_DONE;
}

/* Reading on at the end is also what makes zlib compare the checksum. */
static enum run idx_expect_end(struct import *im, struct idx_file *f) {
    char extra;
    int n = gzread(f->gz, &extra, 1), code;
    const char *why = gzerror(f->gz, &code);
    if (n > 0)
        return refuse_idx(im, f, "the file goes on after everything its header announces");
    if (n < 0 || code == Z_BUF_ERROR)
        return refuse_input(im, REFUSE_INVALID_DATA, f->in, NULL, "the gzip data is damaged: %s",
                            why);
    return RUN_DONE;
}

static uint32_t u32_be(const uint8_t b[4]) {
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static enum run check_magic(struct import *im, const struct idx_file *f, const uint8_t magic[4]) {
    if (magic[0] != 0 || magic[1] != 0)
        return refuse_idx(im, f, "the file does not begin like an IDX file");
    if (magic[2] != IDX_UBYTE)
        return refuse_input(im, REFUSE_UNSUPPORTED, f->in, "byte 2",
                            "IDX elements of type 0x%02x are not supported, only unsigned bytes",
                            magic[2]);
    if (magic[3] != 1 && magic[3] != 3)
        return refuse_input(im, REFUSE_UNSUPPORTED, f->in, "byte 3",
                            "an IDX file of %u dimensions is neither labels (1) nor pictures (3)",
                            magic[3]);
    return RUN_DONE;
}

static enum run check_sizes(struct import *im, const struct idx_file *f) {
    uint64_t bytes = 1;
    for (int i = 0; i < f->dimensions; i++)
        if (f->size[i] == 0)
            return refuse_idx(im, f, "the header announces nothing");
        else if (__builtin_mul_overflow(bytes, (uint64_t)f->size[i], &bytes))
            bytes = UINT64_MAX;
    if (f->size[0] > DATA_ROWS_MAX || bytes > (uint64_t)DATA_TENSOR_MAX)
        return refuse_input(im, REFUSE_TOO_LARGE, f->in, "byte 4",
                            "the header announces %u rows and %llu bytes, more than is allowed",
                            f->size[0], (unsigned long long)bytes);
    if (f->dimensions == 3 && (f->size[1] > DATA_SIDE_MAX || f->size[2] > DATA_SIDE_MAX))
        return refuse_input(im, REFUSE_TOO_LARGE, f->in, "byte 8",
                            "pictures of %u x %u are larger than %d x %d", f->size[2], f->size[1],
                            DATA_SIDE_MAX, DATA_SIDE_MAX);
    return import_check_ratio(im, f->in, (int64_t)bytes);
}

static enum run idx_open(struct import *im, const struct runner_input *in, struct idx_file *f) {
    *f = (struct idx_file){.in = in, .gz = gzopen(in->path, "rb")};
    if (!f->gz)
        return crash(im->rn, "could not open %s: %s", in->path, strerror(errno));
    gzbuffer(f->gz, READ_BUFFER_BYTES);
    uint8_t magic[4], size[4];
    TRY(idx_read(im, f, magic, sizeof magic));
    TRY(check_magic(im, f, magic));
    f->dimensions = magic[3];
    for (int i = 0; i < f->dimensions; i++) {
        TRY(idx_read(im, f, size, sizeof size));
        f->size[i] = u32_be(size);
    }
    return check_sizes(im, f);
}

static bool name_says_test(const char *name) {
    const char *slash = strrchr(name, '/');
    const char *base = slash ? slash + 1 : name;
    return strcasestr(base, "t10k") || strcasestr(base, "test");
}

static enum run place_file(struct import *im, struct idx_set *set, struct idx_file *f) {
    int role = name_says_test(f->in->file_name);
    struct idx_file *to = f->dimensions == 1 ? &set->labels[role] : &set->images[role];
    if (to->in)
        return refuse_input(im, REFUSE_INVALID_DATA, f->in, NULL,
                            "the file holds %s of the same part as %s",
                            f->dimensions == 1 ? "labels" : "pictures", to->in->file_name);
    *to = *f;
    f->gz = NULL; /* now the set's */
    return RUN_DONE;
}

static enum run open_files(struct import *im, struct idx_set *set) {
    for (size_t i = 0; i < im->rn->n_inputs; i++) {
        struct idx_file f = {0};
        enum run status = idx_open(im, &im->rn->inputs[i], &f);
        if (status == RUN_DONE)
            status = place_file(im, set, &f);
        if (f.gz)
            gzclose(f.gz);
        TRY(status);
    }
    return RUN_DONE;
}

static void swap_files(struct idx_file *a, struct idx_file *b) {
    struct idx_file f = *a;
    *a = *b;
    *b = f;
}

/* Pictures and labels belong together in number, and all pictures have one size. */
static enum run check_pairs(struct import *im, struct idx_set *set) {
    if (!set->images[0].in && !set->labels[0].in) { /* only "test" files: they are the whole set */
        swap_files(&set->images[0], &set->images[1]);
        swap_files(&set->labels[0], &set->labels[1]);
    }
    for (int r = 0; r < IDX_ROLES; r++) {
        const struct idx_file *images = &set->images[r], *labels = &set->labels[r];
        if (!images->in && !labels->in)
            continue;
        if (!images->in || !labels->in)
            return refuse_input(im, REFUSE_INVALID_DATA, images->in ? images->in : labels->in, NULL,
                                "the file with the %s that belong to it is missing",
                                images->in ? "labels" : "pictures");
        if (images->size[0] != labels->size[0])
            return refuse_input(im, REFUSE_INVALID_DATA, labels->in, "byte 4",
                                "there are %u labels for the %u pictures of %s", labels->size[0],
                                images->size[0], images->in->file_name);
        if (images->size[1] != set->images[0].size[1] || images->size[2] != set->images[0].size[2])
            return refuse_input(im, REFUSE_INVALID_DATA, images->in, "byte 8",
                                "its pictures are %u x %u, those of %s are %u x %u",
                                images->size[2], images->size[1], set->images[0].in->file_name,
                                set->images[0].size[2], set->images[0].size[1]);
    }
    return RUN_DONE;
}

static enum run read_labels(struct import *im, struct idx_set *set, struct pictures *p) {
    set->values = malloc(p->rows + 1);
    if (!set->values)
        return crash(im->rn, "memory is short for %zu labels", p->rows);
    size_t row = 0;
    for (int r = 0; r < IDX_ROLES; r++) {
        struct idx_file *f = &set->labels[r];
        if (!f->in)
            continue;
        TRY(idx_read(im, f, set->values + row, f->size[0]));
        TRY(idx_expect_end(im, f));
        if (r == 1)
            memset(p->split + row, SPLIT_TEST, f->size[0]);
        row += f->size[0];
    }
    return RUN_DONE;
}

/* Classes are the values that occur, in their order. */
static void number_classes(const struct idx_set *set, struct pictures *p) {
    int32_t index[LABEL_VALUES];
    bool seen[LABEL_VALUES] = {false};
    for (size_t i = 0; i < p->rows; i++)
        seen[set->values[i]] = true;
    p->classes = json_array();
    for (int v = 0; v < LABEL_VALUES; v++) {
        if (!seen[v])
            continue;
        index[v] = (int32_t)json_array_size(p->classes);
        json_array_append_new(p->classes, json_sprintf("%d", v));
    }
    for (size_t i = 0; i < p->rows; i++)
        p->labels[i] = index[set->values[i]];
}

static enum run copy_pictures(struct import *im, struct idx_file *f, struct pictures *p) {
    size_t bytes = (size_t)p->height * (size_t)p->width;
    auto_free uint8_t *pixels = malloc(bytes);
    if (!pixels)
        return crash(im->rn, "memory is short for a picture");
    for (uint32_t i = 0; i < f->size[0]; i++) {
        TRY(idx_read(im, f, pixels, bytes));
        TRY(pictures_add(im, p, pixels));
        if (i % 256 == 0)
            TRY(import_progress(im, 0.05 + 0.9 * (double)p->written / (double)p->rows,
                                "reading pictures"));
    }
    return idx_expect_end(im, f);
}

static enum run import_set(struct import *im, struct idx_set *set, struct pictures *p) {
    TRY(open_files(im, set));
    TRY(check_pairs(im, set));
    const struct idx_file *first = &set->images[0];
    p->rows = (size_t)first->size[0] + (set->images[1].in ? set->images[1].size[0] : 0);
    p->channels = 1;
    p->height = (int)first->size[1];
    p->width = (int)first->size[2];
    TRY(pictures_alloc(im, p));
    TRY(read_labels(im, set, p));
    number_classes(set, p);
    TRY(pictures_begin(im, p));
    for (int r = 0; r < IDX_ROLES; r++)
        if (set->images[r].in)
            TRY(copy_pictures(im, &set->images[r], p));
    return pictures_finish(im, p);
}

enum run idx_import(struct import *im) {
    struct pictures auto_pictures pictures = {0};
    struct idx_set set = {0};
    enum run status = import_set(im, &set, &pictures);
    for (int r = 0; r < IDX_ROLES; r++) {
        if (set.images[r].gz)
            gzclose(set.images[r].gz);
        if (set.labels[r].gz)
            gzclose(set.labels[r].gz);
    }
    free(set.values);
    return status;
}
