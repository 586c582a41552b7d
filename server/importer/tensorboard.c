/* tensorboard.c: directories with event files, one run each.
 *
 * A file is a row of records: length (8 bytes, little-endian), its checksum, the data, its checksum
 * (CRC-32C, masked as TFRecord has it). The data is an Event message of protocol buffers, of which
 * wall_time, step and the scalar values of its summary are read here; pictures, histograms, graphs
 * and texts stay where they are and are counted. */
#include "importer/importer.h"
#include "importer/tree.h"

#include "base/buf.h"
#include "base/cleanup.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_MAX_BYTES ((size_t)64 << 20)

struct board {
    struct importer *im;
    char *root, *experiment;
};

/* ---- protocol buffers: a field at a time */

struct wire {
    const unsigned char *at, *end;
};

struct field {
    unsigned number, type;     /* 0 varint, 1 eight bytes, 2 bytes, 5 four bytes */
    uint64_t value;            /* of types 0, 1 and 5, as it stands */
    const unsigned char *data; /* type 2 */
    size_t size;
};

static bool take_varint(struct wire *w, uint64_t *ret) {
    *ret = 0;
    for (unsigned shift = 0; shift < 64 && w->at < w->end; shift += 7) {
        unsigned char byte = *w->at++;
        *ret |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return true;
    }
    return false;
}

static bool take_fixed(struct wire *w, size_t size, uint64_t *ret) {
    if ((size_t)(w->end - w->at) < size)
        return false;
    *ret = 0;
    for (size_t i = 0; i < size; i++)
        *ret |= (uint64_t)w->at[i] << (8 * i);
    w->at += size;
    return true;
}

static bool take_bytes(struct wire *w, struct field *f) {
    uint64_t size;
    if (!take_varint(w, &size) || size > (uint64_t)(w->end - w->at))
        return false;
    f->data = w->at;
    f->size = (size_t)size;
    w->at += size;
    return true;
}

/* False at the end, and where the bytes make no sense. */
static bool take_field(struct wire *w, struct field *f) {
    uint64_t key;
    *f = (struct field){0};
    if (w->at == w->end || !take_varint(w, &key))
        return false;
    f->number = (unsigned)(key >> 3);
    f->type = (unsigned)(key & 7);
    if (f->type == 0)
        return take_varint(w, &f->value);
    if (f->type == 2)
        return take_bytes(w, f);
    return (f->type == 1 || f->type == 5) && take_fixed(w, f->type == 1 ? 8 : 4, &f->value);
}

static double double_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

static double float_of(uint64_t bits) {
    uint32_t narrow = (uint32_t)bits;
    float value;
    memcpy(&value, &narrow, sizeof(value));
    return (double)value;
}

/* ---- events */

struct point {
    char key[250];
    double value;
};

struct event {
    double wall_time;
    int64_t step;
    struct point *points;
    size_t count;
    int64_t others; /* values that are no scalars */
};

/* TensorProto: dtype = 1, tensor_content = 4, float_val = 5, double_val = 6. One element only. */
static bool tensor_scalar(struct field *tensor, double *ret) {
    struct wire w = {tensor->data, tensor->data + tensor->size};
    struct field f;
    uint64_t dtype = 0;
    bool found = false;
    while (take_field(&w, &f)) {
        struct wire packed = {f.data, f.data + f.size};
        uint64_t bits = f.value;
        bool wide = f.number == 6 || (f.number == 4 && dtype == 2);
        if (f.number == 1)
            dtype = f.value;
        if (f.number < 4 || f.number > 6)
            continue;
        if (f.type == 2 && (f.size != (wide ? 8 : 4) || !take_fixed(&packed, f.size, &bits)))
            return false;
        *ret = wide ? double_of(bits) : float_of(bits);
        found = true;
    }
    return found && (dtype == 1 || dtype == 2);
}

/* Summary.Value: tag = 1, simple_value = 2, tensor = 8. */
static void read_value(struct field *value, struct event *event) {
    struct wire w = {value->data, value->data + value->size};
    struct field f;
    struct point point = {.key = ""};
    bool scalar = false;
    while (take_field(&w, &f)) {
        if (f.number == 1 && f.type == 2)
            snprintf(point.key, sizeof(point.key), "%.*s", (int)f.size, (const char *)f.data);
        else if (f.number == 2 && f.type == 5) {
            point.value = float_of(f.value);
            scalar = true;
        } else if (f.number == 8 && f.type == 2)
            scalar = tensor_scalar(&f, &point.value);
    }
    if (!scalar || !*point.key) {
        event->others++;
        return;
    }
    struct point *grown = realloc(event->points, (event->count + 1) * sizeof(point));
    if (!grown)
        abort();
    event->points = grown;
    event->points[event->count++] = point;
}

/* Event: wall_time = 1, step = 2, summary = 5. */
static void read_event(const unsigned char *data, size_t size, struct event *ret) {
    struct wire w = {data, data + size};
    struct field f, value;
    ret->count = 0;
    ret->step = 0;
    while (take_field(&w, &f)) {
        if (f.number == 1 && f.type == 1)
            ret->wall_time = double_of(f.value);
        else if (f.number == 2 && f.type == 0)
            ret->step = (int64_t)f.value;
        else if (f.number == 5 && f.type == 2) {
            struct wire summary = {f.data, f.data + f.size};
            while (take_field(&summary, &value))
                if (value.number == 1 && value.type == 2)
                    read_value(&value, ret);
        }
    }
}

/* ---- records */

/* CRC-32C, rotated and offset (tensorflow's record format). */
static uint32_t checksum(const unsigned char *data, size_t size) {
    uint32_t crc = ~0u;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78u : 0);
    }
    crc = ~crc;
    return (crc >> 15 | crc << 17) + 0xA282EAD8u;
}

static uint64_t number_at(const unsigned char *data, int size) {
    uint64_t value = 0;
    for (int i = size - 1; i >= 0; i--)
        value = value << 8 | data[i];
    return value;
}

typedef enum err event_fn(void *arg, const struct event *event, struct err_info *err);

/* The next record's data in *data; false at the end. A record cut short is the end too: its writer
 * may still be at work. */
static bool take_record(FILE *file, unsigned char **data, size_t *ret_size, bool *ret_damaged) {
    unsigned char head[12], tail[4];
    *ret_damaged = false;
    if (fread(head, 1, 12, file) != 12)
        return false;
    uint64_t size = number_at(head, 8);
    *ret_damaged = checksum(head, 8) != number_at(head + 8, 4) || size > RECORD_MAX_BYTES;
    if (*ret_damaged)
        return false;
    unsigned char *grown = realloc(*data, (size_t)size + 1);
    if (!grown)
        abort();
    *data = grown;
    if (fread(*data, 1, (size_t)size, file) != size || fread(tail, 1, 4, file) != 4)
        return false;
    *ret_damaged = checksum(*data, (size_t)size) != number_at(tail, 4);
    *ret_size = (size_t)size;
    return !*ret_damaged;
}

static enum err read_file(struct board *b, const char *path, event_fn *fn, void *arg,
                          struct err_info *err) {
    auto_file *file = fopen(path, "re");
    auto_free unsigned char *data = NULL;
    auto_free struct point *points = NULL;
    struct event event = {0};
    size_t size;
    bool damaged = false;
    enum err told = OK;
    while (file && told == OK && take_record(file, &data, &size, &damaged)) {
        read_event(data, size, &event);
        points = event.points;
        told = fn(arg, &event, err);
    }
    if (damaged)
        left_out(b->im, "the rest of %s: it is damaged at byte %ld", path, ftell(file));
    if (event.others)
        left_out(b->im,
                 "%lld values of %s that are no scalars (pictures, histograms, graphs, texts)",
                 (long long)event.others, path);
    return told;
}

static bool is_event_file(const char *name) {
    return strstr(name, "tfevents") != NULL;
}

/* Each event of each event file that lies in this directory itself. */
static enum err read_directory(struct board *b, const char *path, event_fn *fn, void *arg,
                               struct err_info *err) {
    auto_json *names = tree_names(path, DT_REG);
    size_t i;
    json_t *name;
    json_array_foreach(names, i, name) {
        auto_buf file = {0};
        buf_printf(&file, "%s/%s", path, json_string_value(name));
        if (is_event_file(json_string_value(name)))
            TRY(read_file(b, file.data, fn, arg, err));
    }
    return OK;
}

/* ---- the source */

static enum err board_experiments(void *self, json_fn *fn, void *arg, struct err_info *err) {
    struct board *b = self;
    auto_json *experiment =
        json_pack("{s:s, s:s}", "experiment_id", b->experiment, "name", b->experiment);
    return fn(arg, experiment, err);
}

static enum err note_directory(void *directories, const char *path, const char *name,
                               struct err_info *err) {
    (void)path, (void)err;
    const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
    auto_buf directory = {0};
    buf_printf(&directory, "%.*s", slash ? (int)(slash - name) : 0, name);
    if (is_event_file(base))
        json_object_set_new(directories, directory.data ? directory.data : "", json_true());
    return OK;
}

struct span {
    double first, last;
};

static enum err note_time(void *arg, const struct event *event, struct err_info *err) {
    struct span *s = arg;
    (void)err;
    if (s->first == 0 || event->wall_time < s->first)
        s->first = event->wall_time;
    if (event->wall_time > s->last)
        s->last = event->wall_time;
    return OK;
}

static json_int_t milliseconds(double seconds) {
    return isfinite(seconds) && seconds > 0 && seconds < 1e11 ? (json_int_t)(seconds * 1000) : 0;
}

static enum err board_runs(void *self, const char *experiment_id, json_fn *fn, void *arg,
                           struct err_info *err) {
    struct board *b = self;
    auto_json *directories = json_object();
    const char *name;
    json_t *ignored;
    (void)experiment_id;
    TRY(tree_walk(b->root, note_directory, directories, err));
    json_object_foreach(directories, name, ignored) {
        struct span span = {0, 0};
        size_t left = json_array_size(b->im->left); /* said again when the points are read */
        auto_buf path = {0};
        buf_printf(&path, "%s%s%s", b->root, *name ? "/" : "", name);
        TRY(read_directory(b, path.data, note_time, &span, err));
        while (json_array_size(b->im->left) > left)
            json_array_remove(b->im->left, json_array_size(b->im->left) - 1);
        auto_json *run =
            json_pack("{s:{s:s, s:s, s:s, s:I, s:I, s:s}, s:{}}", "info", "run_id",
                      *name ? name : ".", "run_name", *name ? name : b->experiment, "status",
                      "FINISHED", "start_time", milliseconds(span.first), "end_time",
                      milliseconds(span.last), "directory", path.data, "data");
        TRY(fn(arg, run, err));
    }
    return OK;
}

static enum err add_points(void *batch, const struct event *event, struct err_info *err) {
    for (size_t i = 0; i < event->count; i++)
        TRY(point_add(batch, event->points[i].key, event->points[i].value,
                      milliseconds(event->wall_time), event->step, err));
    return OK;
}

static enum err board_points(void *self, json_t *run, json_fn *fn, void *arg,
                             struct err_info *err) {
    auto_json *points = json_array();
    struct point_batch batch = {points, fn, arg};
    const char *directory = text_of(json_object_get(run, "info"), "directory");
    TRY(read_directory(self, directory, add_points, &batch, err));
    return point_flush(&batch, err);
}

static enum err board_files(void *self, json_t *owner, file_fn *fn, void *arg,
                            struct err_info *err) {
    (void)self, (void)owner, (void)fn, (void)arg, (void)err;
    return OK; /* event files have no files of their own */
}

static void board_free(void *self) {
    struct board *b = self;
    free(b->root);
    free(b->experiment);
    free(b);
}

enum err source_tensorboard(struct importer *im, const char *directory, const char *experiment,
                            struct source *ret, struct err_info *err) {
    auto_json *directories = json_object();
    TRY(tree_walk(directory, note_directory, directories, err));
    if (json_object_size(directories) == 0)
        return err_set(err, ERR_NOT_FOUND, "source", "there are no event files below \"%s\"",
                       directory);
    struct board *b = calloc(1, sizeof(*b));
    if (!b)
        abort();
    *b = (struct board){im, strdup(directory), strdup(experiment)};
    *ret = (struct source){.self = b,
                           .experiments = board_experiments,
                           .runs = board_runs,
                           .points = board_points,
                           .files = board_files,
                           .free = board_free};
    return OK;
}
