/* The codec of chunks and the merge, without a database, against plain sorted arrays. */
#include "tracking/chunk.h"

#include "tests/support/cmocka_all.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static uint64_t seed;

static uint64_t random_below(uint64_t limit) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    return (seed >> 33) % limit;
}

/* Values of all kinds: whole, single, double, huge, not finite, zeros of both signs. */
static double random_value(void) {
    static const double ODD[] = {0.0, -0.0, 1e308, -1e308, 5e-324, 1e39, -1e-40, 0.1};
    switch (random_below(8)) {
    case 0:
        return (double)NAN;
    case 1:
        return random_below(2) ? (double)INFINITY : -(double)INFINITY;
    case 2:
        return ODD[random_below(sizeof(ODD) / sizeof(ODD[0]))];
    case 3:
        return (double)(float)random_below(1000) / 8;
    default:
        return (double)random_below(1000) / 7;
    }
}

/* kinds: 0 = a usual series, 1 = much the same steps and times, 2 = anything. */
static struct sample random_sample(int kind, size_t i) {
    struct sample s = {(int64_t)i, 1790000000000000 + (int64_t)(i * 20000 + random_below(900)),
                       random_value()};
    if (kind == 1)
        s = (struct sample){(int64_t)random_below(3),
                            1790000000000000 + (int64_t)random_below(3) * 1000,
                            sample_value((double)random_below(40))};
    if (kind == 2) {
        uint64_t wide = random_below(UINT64_C(1) << 31) << 33 | random_below(UINT64_C(1) << 31)
                                                                    << 2;
        s.step = (int64_t)(wide >> 1) - ((int64_t)1 << 62);
        s.at_us = (int64_t)wide;
    }
    s.value = sample_value(s.value);
    return s;
}

static int compare_any(const void *a, const void *b) {
    return sample_compare(a, b);
}

static bool same(const struct sample *a, const struct sample *b) {
    return sample_compare(a, b) == 0 && signbit(a->value) == signbit(b->value);
}

static void test_codec__gives_back_what_it_got(void **state) {
    (void)state;
    struct sample samples[700], decoded[700];
    unsigned char bytes[CHUNK_SIZE_MAX(700)];
    for (seed = 1; seed < 600; seed++) {
        uint64_t start = seed;
        size_t count = 1 + random_below(700), decoded_count = 0;
        for (size_t i = 0; i < count; i++)
            samples[i] = random_sample((int)(start % 3), i);
        size_t size = chunk_encode(samples, count, bytes);
        assert_true(size <= CHUNK_SIZE_MAX(count));
        assert_true(chunk_decode(bytes, size, decoded, 700, &decoded_count));
        assert_int_equal(decoded_count, count);
        for (size_t i = 0; i < count; i++)
            assert_true(same(&samples[i], &decoded[i]));
        assert_false(chunk_decode(bytes, size, decoded, count - 1, &decoded_count));
        seed = start;
    }
}

static size_t size_of_ramp(double value, int64_t unit) {
    struct sample samples[CHUNK_MAX];
    unsigned char bytes[CHUNK_SIZE_MAX(CHUNK_MAX)];
    for (size_t i = 0; i < CHUNK_MAX; i++)
        samples[i] = (struct sample){(int64_t)i, 1790000000000000 + (int64_t)i * 20 * unit,
                                     value / (double)(i + 1)};
    return chunk_encode(samples, CHUNK_MAX, bytes) / CHUNK_MAX;
}

static void test_codec__takes_few_bytes_for_a_usual_series(void **state) {
    (void)state;
    assert_int_equal(size_of_ramp(1, 1001), 12); /* double precision, microseconds */
    assert_int_equal(size_of_ramp(1, 1000), 10); /* milliseconds */
    assert_int_equal(size_of_ramp(0, 1000), 6);  /* single precision */
}

/* Every byte cut off or changed: refused or decoded, never read beyond (AddressSanitizer looks). */
static void test_codec__survives_damage(void **state) {
    (void)state;
    struct sample samples[40], decoded[64];
    unsigned char bytes[CHUNK_SIZE_MAX(40)];
    size_t count;
    for (size_t i = 0; i < 40; i++)
        samples[i] = random_sample(2, i);
    size_t size = chunk_encode(samples, 40, bytes);
    for (size_t cut = 0; cut < size; cut++) {
        unsigned char *part = malloc(cut + 1);
        memcpy(part, bytes, cut);
        assert_false(chunk_decode(part, cut, decoded, 64, &count));
        free(part);
    }
    for (seed = 7; seed < 20000; seed++) {
        unsigned char *damaged = malloc(size);
        memcpy(damaged, bytes, size);
        for (int i = 0; i < 3; i++)
            damaged[random_below(size)] = (unsigned char)random_below(256);
        if (chunk_decode(damaged, size, decoded, 64, &count))
            assert_true(count <= 64);
        free(damaged);
    }
}

static void test_codec__reads_plain_samples(void **state) {
    (void)state;
    static const unsigned char BYTES[] = {4, 1, 255, 255, 255, 255, 255, 255, 255, 254, 0, 0, 0,
                                          0, 0, 0,   0,   7,   127, 248, 0,   0,   0,   0, 0, 0};
    struct sample s;
    size_t count;
    assert_true(chunk_decode(BYTES, sizeof(BYTES), &s, 1, &count));
    assert_int_equal(count, 1);
    assert_int_equal(s.step, -2);
    assert_int_equal(s.at_us, 7);
    assert_true(isnan(s.value));
    assert_false(chunk_decode(BYTES, sizeof(BYTES) - 1, &s, 1, &count));
}

static void test_order__is_postgresqls(void **state) {
    (void)state;
    const struct sample sorted[] = {{-5, 9, 1},
                                    {1, 1, -(double)INFINITY},
                                    {1, 1, -1},
                                    {1, 1, 0},
                                    {1, 1, (double)INFINITY},
                                    {1, 1, (double)NAN},
                                    {1, 2, -100},
                                    {2, 0, 0}};
    size_t count = sizeof(sorted) / sizeof(sorted[0]);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < count; k++)
            assert_int_equal(sample_compare(&sorted[i], &sorted[k]), (i > k) - (i < k));
    assert_int_equal(sample_compare_by_time(&sorted[0], &sorted[6]), 1);
}

static void test_summary__is_of_finite_values(void **state) {
    (void)state;
    const struct sample some[] = {
        {1, 5, 2}, {2, 4, (double)NAN}, {3, 9, -3}, {4, 6, (double)INFINITY}};
    struct chunk_summary s = chunk_summarise(some, 4);
    assert_int_equal(s.points, 4);
    assert_int_equal(s.non_finite, 2);
    assert_float_equal(s.least, -3, 0);
    assert_float_equal(s.greatest, 2, 0);
    assert_int_equal(s.min_at, 4);
    assert_int_equal(s.max_at, 9);
    s = chunk_summarise(some + 1, 1);
    assert_true(isnan(s.least) && isnan(s.greatest));
}

/* --- merging: a series kept as the server keeps it, beside a plain sorted array --- */

enum { SERIES_MAX = 20000 };

struct model {
    struct arena *arena;
    struct chunk chunks[400];
    size_t chunk_count;
    struct sample all[SERIES_MAX]; /* what should be there */
    size_t count;
};

static size_t chunk_of(const struct model *m, const struct sample *s) {
    size_t at = 0;
    while (at + 1 < m->chunk_count && sample_compare(&m->chunks[at + 1].samples[0], s) <= 0)
        at++;
    return at;
}

static void drop_chunk(struct model *m, const struct sample *first) {
    size_t at = chunk_of(m, first);
    assert_int_equal(sample_compare(&m->chunks[at].samples[0], first), 0);
    memmove(&m->chunks[at], &m->chunks[at + 1], (m->chunk_count - at - 1) * sizeof(m->chunks[0]));
    m->chunk_count--;
}

static void put_chunk(struct model *m, struct chunk chunk) {
    size_t at = 0;
    while (at < m->chunk_count && sample_compare(&m->chunks[at].samples[0], &chunk.samples[0]) < 0)
        at++;
    bool replaces =
        at < m->chunk_count && sample_compare(&m->chunks[at].samples[0], &chunk.samples[0]) == 0;
    if (!replaces) {
        memmove(&m->chunks[at + 1], &m->chunks[at], (m->chunk_count - at) * sizeof(m->chunks[0]));
        m->chunk_count++;
    }
    m->chunks[at] = chunk;
}

/* As fold.c does: only the chunks in which the samples have their places are given. */
static size_t merge_into(struct model *m, struct sample *samples, size_t count) {
    struct chunk touched[400];
    size_t touched_count = 0, last = SIZE_MAX;
    count = samples_sort(samples, count);
    for (size_t i = 0; i < count && m->chunk_count; i++) {
        size_t at = chunk_of(m, &samples[i]);
        if (at != last)
            touched[touched_count++] = m->chunks[last = at];
    }
    struct chunk_changes changes = chunk_merge(
        m->arena, touched, touched_count, m->count ? &m->all[m->count - 1] : NULL, samples, count);
    for (size_t i = 0; i < changes.count; i++)
        if (changes.items[i].drop)
            drop_chunk(m, changes.items[i].drop);
    for (size_t i = 0; i < changes.count; i++)
        if (changes.items[i].put.count)
            put_chunk(m, changes.items[i].put);
    memcpy(m->all + m->count, samples, count * sizeof(*samples));
    size_t before = m->count;
    m->count = samples_sort(m->all, m->count + count);
    assert_int_equal(changes.added.count, m->count - before);
    return changes.count;
}

static void assert_model(const struct model *m) {
    size_t at = 0;
    for (size_t i = 0; i < m->chunk_count; i++) {
        const struct chunk *c = &m->chunks[i];
        assert_true(c->count >= 1 && c->count <= CHUNK_MAX);
        assert_true(at + c->count <= m->count);
        for (size_t k = 0; k < c->count; k++)
            assert_int_equal(sample_compare(&c->samples[k], &m->all[at++]), 0);
    }
    assert_int_equal(at, m->count);
}

static struct model *model_new(void) {
    struct model *m = calloc(1, sizeof(*m));
    m->arena = arena_new();
    return m;
}

static void model_free(struct model *m) {
    arena_free(m->arena);
    free(m);
}

static void test_merge__agrees_with_a_sorted_array(void **state) {
    (void)state;
    for (uint64_t round = 1; round <= 60; round++) {
        struct model *m = model_new();
        seed = round * 977;
        for (size_t batch = 0; batch < 12; batch++) {
            struct sample samples[900];
            size_t count = 1 + random_below(900), first = random_below(4000);
            for (size_t i = 0; i < count; i++)
                samples[i] = random_sample((int)(round % 3),
                                           random_below(3) ? first + i : random_below(5000));
            merge_into(m, samples, count);
            assert_model(m);
        }
        model_free(m);
    }
}

static void test_merge__leaves_a_repeated_batch_alone(void **state) {
    (void)state;
    struct model *m = model_new();
    struct sample samples[3000], again[100];
    for (size_t i = 0; i < 3000; i++)
        samples[i] = random_sample(0, i);
    merge_into(m, samples, 3000);
    memcpy(again, samples + 1500, sizeof(again));
    assert_int_equal(merge_into(m, again, 100), 0);
    model_free(m);
}

static void test_merge__fills_chunks_that_grow_at_the_end(void **state) {
    (void)state;
    struct model *m = model_new();
    for (size_t i = 0; i < 5000; i += 50) {
        struct sample samples[50];
        for (size_t k = 0; k < 50; k++)
            samples[k] = random_sample(0, i + (k * 7) % 50);
        merge_into(m, samples, 50);
    }
    assert_model(m);
    assert_int_equal(m->chunk_count, (5000 + CHUNK_MAX - 1) / CHUNK_MAX);
    model_free(m);
}

static void test_merge__takes_ten_thousand_points_of_one_step(void **state) {
    (void)state;
    struct model *m = model_new();
    struct sample samples[1000];
    for (size_t batch = 0; batch < 10; batch++) {
        for (size_t i = 0; i < 1000; i++)
            samples[i] = (struct sample){0, (int64_t)((i * 10 + batch) * 3 % 10007), (double)batch};
        merge_into(m, samples, 1000);
        assert_model(m);
    }
    assert_int_equal(m->count, 10000);
    qsort(m->all, m->count, sizeof(m->all[0]), compare_any);
    assert_model(m);
    model_free(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codec__gives_back_what_it_got),
        cmocka_unit_test(test_codec__takes_few_bytes_for_a_usual_series),
        cmocka_unit_test(test_codec__survives_damage),
        cmocka_unit_test(test_codec__reads_plain_samples),
        cmocka_unit_test(test_order__is_postgresqls),
        cmocka_unit_test(test_summary__is_of_finite_values),
        cmocka_unit_test(test_merge__agrees_with_a_sorted_array),
        cmocka_unit_test(test_merge__leaves_a_repeated_batch_alone),
        cmocka_unit_test(test_merge__fills_chunks_that_grow_at_the_end),
        cmocka_unit_test(test_merge__takes_ten_thousand_points_of_one_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
