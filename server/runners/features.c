/* features.c: see features.h. The JSON is the only form in which preprocessing is kept: fitting
 * writes it, and training reads it back before use, so that training and serving cannot differ. */
#include "runners/features.h"

#include <math.h>
#include <string.h>

enum { FEATURES_SAMPLE_MAX = 1 << 20, FEATURES_SIDE_MAX = 8192 };

void features_done(struct features *f) {
    for (size_t i = 0; i < f->n_columns; i++)
        json_decref(f->columns[i].codes);
    free(f->columns);
    free(f->scale);
    free(f->shift);
    json_decref(f->json);
    *f = (struct features){0};
}

static bool read_image(struct features *f) {
    const json_t *shape = json_object_get(f->json, "shape");
    const json_t *mean = json_object_get(f->json, "mean");
    const json_t *stddev = json_object_get(f->json, "stddev");
    if (json_unpack((json_t *)shape, "[i,i,i!]", &f->channels, &f->height, &f->width) != 0 ||
        (f->channels != 1 && f->channels != 3) || f->height < 1 || f->width < 1 ||
        f->height > FEATURES_SIDE_MAX || f->width > FEATURES_SIDE_MAX)
        return false;
    size_t n = (size_t)f->channels;
    f->sample = n * (size_t)f->height * (size_t)f->width;
    f->scale = calloc(n, sizeof *f->scale);
    f->shift = calloc(n, sizeof *f->shift);
    for (size_t c = 0; c < n && f->scale && f->shift; c++) {
        double m = json_number_value(json_array_get(mean, c));
        double s = json_number_value(json_array_get(stddev, c));
        if (!(s > 0) || !isfinite(m))
            return false;
        f->scale[c] = (float)(1 / (255 * s));
        f->shift[c] = (float)(-m / s);
    }
    return f->scale && f->shift;
}

static bool read_type(const json_t *json, enum feature_type *ret) {
    static const char *const NAMES[] = {"numeric", "boolean", "categorical"};
    const char *text = json_string_value(json_object_get(json, "type"));
    for (unsigned i = 0; text && i < 3; i++)
        if (strcmp(text, NAMES[i]) == 0) {
            *ret = (enum feature_type)i;
            return true;
        }
    return false;
}

static bool read_levels(const json_t *json, struct feature *c) {
    c->levels = json_object_get(json, "levels");
    c->codes = json_object();
    size_t i;
    json_t *level;
    json_array_foreach(c->levels, i, level) {
        if (!json_is_string(level))
            return false;
        json_object_set_new(c->codes, json_string_value(level), json_integer((json_int_t)i));
    }
    c->width = json_array_size(c->levels);
    return c->codes != NULL;
}

static bool read_column(const json_t *json, struct feature *c) {
    c->name = json_string_value(json_object_get(json, "name"));
    if (!c->name || !read_type(json, &c->type))
        return false;
    if (c->type == FEATURE_CATEGORICAL)
        return read_levels(json, c);
    c->mean = json_number_value(json_object_get(json, "mean"));
    c->stddev = json_number_value(json_object_get(json, "stddev"));
    c->null_flag = json_is_true(json_object_get(json, "null_flag"));
    c->width = c->null_flag ? 2 : 1;
    return isfinite(c->mean) && c->stddev > 0;
}

static bool read_table(struct features *f) {
    const json_t *columns = json_object_get(f->json, "columns");
    f->columns = calloc(json_array_size(columns) + 1, sizeof *f->columns);
    size_t i;
    json_t *json;
    json_array_foreach(columns, i, json) {
        struct feature *c = f->columns ? &f->columns[f->n_columns++] : NULL;
        if (!c || !read_column(json, c))
            return false;
        c->offset = f->sample;
        f->sample += c->width;
    }
    const json_t *target = json_object_get(f->json, "target");
    f->target_mean = json_number_value(json_object_get(target, "mean"));
    f->target_stddev = json_number_value(json_object_get(target, "stddev"));
    return f->sample > 0 && f->sample <= FEATURES_SAMPLE_MAX;
}

bool features_from_json(json_t *json, struct features *ret) {
    struct features f = {.json = json};
    const char *kind = json_string_value(json_object_get(json, "kind"));
    f.is_image = kind && strcmp(kind, "image") == 0;
    if (!kind || !(f.is_image ? read_image(&f) : read_table(&f))) {
        features_done(&f);
        return false;
    }
    *ret = f;
    return true;
}

void feature_put_number(const struct feature *c, double value, float *sample) {
    bool null = !isfinite(value);
    sample[c->offset] = null ? 0 : (float)((value - c->mean) / c->stddev);
    if (c->null_flag)
        sample[c->offset + 1] = null ? 1 : 0;
}

void feature_put_code(const struct feature *c, int64_t code, float *sample) {
    memset(sample + c->offset, 0, c->width * sizeof *sample);
    if (code >= 0 && (uint64_t)code < c->width)
        sample[c->offset + (size_t)code] = 1;
}

int64_t feature_code(const struct feature *c, const char *level) {
    const json_t *code = json_object_get(c->codes, level);
    return code ? json_integer_value(code) : -1;
}
