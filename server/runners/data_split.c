/* data_split.c: which row goes to train, validation and test.
 *
 * The draw of a row is a pure function of (seed, row): the (row + 1)-th output of SplitMix64
 * started at seed. It needs no state, so the split of a row does not depend on threads or on how
 * the file was read. Rows are put in order of (class, draw) and dealt out along that order: each
 * goes to the split that lags furthest behind its share. So every split has its exact share of the
 * whole, of every class to within a row or two, and the first row of a class always goes to train:
 * a class that cannot be learned must not be tested. */
#include "runners/data.h"

#include <math.h>
#include <string.h>

const char *const SPLIT_NAMES[SPLIT_COUNT] = {"train", "validation", "test"};

struct draw {
    uint64_t key;
    int32_t class;
    uint32_t row;
};

static uint64_t draw_key(uint64_t seed, uint64_t row) {
    uint64_t z = seed + 0x9e3779b97f4a7c15 * (row + 1);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static int by_class_and_key(const void *a, const void *b) {
    const struct draw *x = a, *y = b;
    if (x->class != y->class)
        return x->class < y->class ? -1 : 1;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static enum run refuse_split(struct runner *rn, const char *field, const char *sentence) {
    return refuse_at(rn, REFUSE_INVALID_SPEC, (struct place){.field = field}, "%s", sentence);
}

enum run split_read(struct runner *rn, struct split_spec *ret) {
    struct split_spec spec = {.share = {0.8, 0.1, 0.1}, .seed = 42, .stratify = true};
    json_int_t seed = 42;
    int stratify = 1;
    json_error_t error;
    const json_t *split = json_object_get(rn->spec, "split");
    if (split &&
        json_unpack_ex((json_t *)split, &error, JSON_STRICT, "{s?F, s?F, s?F, s?I, s?b}", "train",
                       &spec.share[SPLIT_TRAIN], "validation", &spec.share[SPLIT_VALIDATION],
                       "test", &spec.share[SPLIT_TEST], "seed", &seed, "stratify", &stratify) != 0)
        return refuse_split(rn, "split", "split holds train, validation, test, seed and stratify");
    double sum = 0;
    for (int s = 0; s < SPLIT_COUNT; s++) {
        if (!(spec.share[s] >= 0 && spec.share[s] <= 1))
            return refuse_split(rn, "split", "a share of the split must be between 0 and 1");
        sum += spec.share[s];
    }
    if (fabs(sum - 1) > 1e-6)
        return refuse_split(rn, "split", "the shares of the split must add up to 1");
    if (spec.share[SPLIT_TRAIN] <= 0)
        return refuse_split(rn, "split.train", "the share of train must be above 0");
    if (seed < 0)
        return refuse_split(rn, "split.seed", "the seed must not be negative");
    spec.seed = (uint64_t)seed;
    spec.stratify = stratify != 0;
    *ret = spec;
    return RUN_DONE;
}

json_t *split_to_json(const struct split_spec *spec) {
    return json_pack("{s:f, s:f, s:f, s:I, s:b}", "train", spec->share[SPLIT_TRAIN], "validation",
                     spec->share[SPLIT_VALIDATION], "test", spec->share[SPLIT_TEST], "seed",
                     (json_int_t)spec->seed, "stratify", (int)spec->stratify);
}

/* The shares of the free rows: what is fixed already takes no more. */
static void free_shares(const struct split_spec *spec, const uint8_t *split, size_t rows,
                        double ret[SPLIT_COUNT]) {
    memcpy(ret, spec->share, sizeof spec->share);
    for (size_t i = 0; i < rows; i++)
        if (split[i] != SPLIT_FREE && split[i] != SPLIT_TRAIN)
            ret[split[i]] = 0;
    double sum = ret[SPLIT_TRAIN] + ret[SPLIT_VALIDATION] + ret[SPLIT_TEST];
    for (int s = 0; s < SPLIT_COUNT; s++)
        ret[s] /= sum;
}

static void deal(const struct draw *draws, size_t count, const double share[SPLIT_COUNT],
                 uint8_t *split) {
    double given[SPLIT_COUNT] = {0};
    for (size_t i = 0; i < count; i++) {
        int best = SPLIT_TRAIN;
        bool first_of_class = i == 0 || draws[i].class != draws[i - 1].class;
        for (int s = 1; s < SPLIT_COUNT && !first_of_class; s++)
            if (share[s] * (double)(i + 1) - given[s] > share[best] * (double)(i + 1) - given[best])
                best = s;
        given[best] += 1;
        split[draws[i].row] = (uint8_t)best;
    }
}

enum run split_assign(struct runner *rn, const struct split_spec *spec, const int32_t *classes,
                      size_t rows, uint8_t *split) {
    double share[SPLIT_COUNT];
    free_shares(spec, split, rows, share);
    auto_free struct draw *draws = malloc((rows + 1) * sizeof *draws);
    if (!draws)
        return crash(rn, "memory is short to split %zu rows", rows);
    size_t count = 0;
    for (size_t i = 0; i < rows; i++)
        if (split[i] == SPLIT_FREE)
            draws[count++] = (struct draw){.key = draw_key(spec->seed, i),
                                           .class = spec->stratify && classes ? classes[i] : 0,
                                           .row = (uint32_t)i};
    qsort(draws, count, sizeof *draws, by_class_and_key);
    deal(draws, count, share, split);
    return RUN_DONE;
}

json_t *split_counts(const uint8_t *split, size_t rows) {
    json_int_t count[SPLIT_COUNT] = {0};
    for (size_t i = 0; i < rows; i++)
        count[split[i]]++;
    return json_pack("{s:I, s:I, s:I}", "train", count[SPLIT_TRAIN], "validation",
                     count[SPLIT_VALIDATION], "test", count[SPLIT_TEST]);
}
