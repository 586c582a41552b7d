/* chunk.c: samples ↔ bytes.
 *
 * By column, because neighbours in a column are alike: a byte of flags, the number of samples, then
 * all steps, all times, all values. Steps and times are differences to the one before, zigzagged
 * and of variable length: a step that rises by one is one byte. Arithmetic is modulo 2^64, so no
 * difference overflows. Times that are whole milliseconds (MLflow's always are) are written as
 * such. Values are eight bytes, or four when no value of the chunk loses by it, which is so for
 * what was computed in single precision. A usual series takes 10 to 12 bytes a sample, or 6 to 8.
 *
 * Decoding trusts nothing: every read is checked against the end, and what remains is damage. */
#include "tracking/chunk.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FLAG_SINGLE 1 /* values are four bytes */
#define FLAG_MILLIS 2 /* times are milliseconds */
#define FLAG_PLAIN                                                                                 \
    4 /* alone: three eight-byte numbers a sample, the most significant byte first                 \
       */

static int compare_int(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

static int compare_real(double a, double b) {
    if (isnan(a) || isnan(b))
        return isnan(a) - isnan(b);
    return (a > b) - (a < b);
}

int sample_compare(const struct sample *a, const struct sample *b) {
    int order = compare_int(a->step, b->step);
    if (order == 0)
        order = compare_int(a->at_us, b->at_us);
    return order ? order : compare_real(a->value, b->value);
}

int sample_compare_by_time(const struct sample *a, const struct sample *b) {
    int order = compare_int(a->at_us, b->at_us);
    if (order == 0)
        order = compare_int(a->step, b->step);
    return order ? order : compare_real(a->value, b->value);
}

double sample_value(double value) {
    return isnan(value) ? (double)NAN : value == 0 ? 0 : value;
}

static int compare_any(const void *a, const void *b) {
    return sample_compare(a, b);
}

size_t samples_sort(struct sample *samples, size_t count) {
    size_t i = 1, kept = count > 0;
    while (i < count && sample_compare(&samples[i - 1], &samples[i]) < 0)
        i++;
    if (i >= count)
        return count; /* as nearly always: they came in order */
    qsort(samples, count, sizeof(*samples), compare_any);
    for (i = 1; i < count; i++)
        if (sample_compare(&samples[kept - 1], &samples[i]) != 0)
            samples[kept++] = samples[i];
    return kept;
}

unsigned char *varint_put(unsigned char *at, uint64_t value) {
    for (; value >= 128; value >>= 7)
        *at++ = (unsigned char)(value | 128);
    *at++ = (unsigned char)value;
    return at;
}

const unsigned char *varint_get(const unsigned char *at, const unsigned char *end, uint64_t *ret) {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && at < end; shift += 7) {
        unsigned char byte = *at++;
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128) {
            *ret = value;
            return at;
        }
    }
    return NULL;
}

static uint64_t zigzag(uint64_t difference) {
    return difference << 1 ^ (difference >> 63 ? UINT64_MAX : 0);
}

static uint64_t unzigzag(uint64_t value) {
    return value >> 1 ^ (value & 1 ? UINT64_MAX : 0);
}

static unsigned flags_of(const struct sample *samples, size_t count) {
    unsigned flags = FLAG_SINGLE | FLAG_MILLIS;
    for (size_t i = 0; i < count; i++) {
        double value = samples[i].value;
        bool fits = !isfinite(value) || (fabs(value) < 3e38 && (double)(float)value == value);
        flags &= fits ? ~0U : ~(unsigned)FLAG_SINGLE;
        flags &= samples[i].at_us % 1000 == 0 ? ~0U : ~(unsigned)FLAG_MILLIS;
    }
    return flags;
}

static unsigned char *put_values(unsigned char *at, const struct sample *samples, size_t count,
                                 bool single) {
    for (size_t i = 0; i < count; i++) {
        double value = sample_value(samples[i].value);
        float narrow = (float)value;
        memcpy(at, single ? (void *)&narrow : (void *)&value,
               single ? sizeof(narrow) : sizeof(value));
        at += single ? sizeof(narrow) : sizeof(value);
    }
    return at;
}

size_t chunk_encode(const struct sample *samples, size_t count, unsigned char *ret) {
    unsigned flags = flags_of(samples, count);
    int64_t unit = flags & FLAG_MILLIS ? 1000 : 1;
    unsigned char *at = ret;
    *at++ = (unsigned char)flags;
    at = varint_put(at, count);
    uint64_t before = 0;
    for (size_t i = 0; i < count; before = (uint64_t)samples[i++].step)
        at = varint_put(at, zigzag((uint64_t)samples[i].step - before));
    before = 0;
    for (size_t i = 0; i < count; before = (uint64_t)(samples[i++].at_us / unit))
        at = varint_put(at, zigzag((uint64_t)(samples[i].at_us / unit) - before));
    return (size_t)(put_values(at, samples, count, flags & FLAG_SINGLE) - ret);
}

static const unsigned char *get_steps(const unsigned char *at, const unsigned char *end,
                                      struct sample *ret, size_t count) {
    uint64_t step = 0, difference;
    for (size_t i = 0; i < count && at; i++) {
        if ((at = varint_get(at, end, &difference)))
            step += unzigzag(difference);
        ret[i].step = (int64_t)step;
    }
    return at;
}

static const unsigned char *get_times(const unsigned char *at, const unsigned char *end,
                                      struct sample *ret, size_t count, uint64_t unit) {
    uint64_t time = 0, difference;
    for (size_t i = 0; i < count && at; i++) {
        if ((at = varint_get(at, end, &difference)))
            time += unzigzag(difference);
        ret[i].at_us = (int64_t)(time * unit);
    }
    return at;
}

static uint64_t big_endian(const unsigned char *at) {
    uint64_t value = 0;
    for (size_t i = 0; i < 8; i++)
        value = value << 8 | at[i];
    return value;
}

static bool decode_plain(const unsigned char *at, const unsigned char *end, struct sample *ret,
                         size_t count) {
    if ((size_t)(end - at) != 24 * count)
        return false;
    for (size_t i = 0; i < count; i++, at += 24) {
        uint64_t bits = big_endian(at + 16);
        double value;
        memcpy(&value, &bits, sizeof(value));
        ret[i] = (struct sample){(int64_t)big_endian(at), (int64_t)big_endian(at + 8),
                                 sample_value(value)};
    }
    return true;
}

static bool decode_values(const unsigned char *at, const unsigned char *end, struct sample *ret,
                          size_t count, bool single) {
    size_t width = single ? sizeof(float) : sizeof(double);
    if ((size_t)(end - at) != count * width)
        return false;
    for (size_t i = 0; i < count; i++, at += width) {
        float narrow = 0;
        double wide = 0;
        memcpy(single ? (void *)&narrow : (void *)&wide, at, width);
        ret[i].value = sample_value(single ? (double)narrow : wide);
    }
    return true;
}

bool chunk_decode(const void *data, size_t size, struct sample *ret, size_t cap,
                  size_t *ret_count) {
    const unsigned char *at = data, *end = at + size;
    uint64_t count;
    if (size == 0 || *at > FLAG_PLAIN)
        return false;
    unsigned flags = *at++;
    if (!(at = varint_get(at, end, &count)) || count > cap)
        return false;
    *ret_count = count;
    if (flags & FLAG_PLAIN)
        return decode_plain(at, end, ret, count);
    return (at = get_steps(at, end, ret, count)) &&
           (at = get_times(at, end, ret, count, flags & FLAG_MILLIS ? 1000 : 1)) &&
           decode_values(at, end, ret, count, flags & FLAG_SINGLE);
}

struct chunk_summary chunk_summarise(const struct sample *samples, size_t count) {
    struct chunk_summary s = {.first = samples[0],
                              .last = samples[count - 1],
                              .points = (int64_t)count,
                              .least = NAN,
                              .greatest = NAN,
                              .min_at = samples[0].at_us,
                              .max_at = samples[0].at_us};
    for (size_t i = 0; i < count; i++) {
        s.non_finite += !isfinite(samples[i].value);
        if (isfinite(samples[i].value)) {
            s.least = fmin(s.least, samples[i].value); /* of NaN and a number: the number */
            s.greatest = fmax(s.greatest, samples[i].value);
        }
        s.min_at = samples[i].at_us < s.min_at ? samples[i].at_us : s.min_at;
        s.max_at = samples[i].at_us > s.max_at ? samples[i].at_us : s.max_at;
    }
    return s;
}
