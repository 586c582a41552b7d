/* The draw itself: its exact shares, its independence, and the promise that a seed keeps. */

#include "runners/data.h"

#include "tests/support/cmocka_all.h"

#include <stdlib.h>
#include <string.h>

enum { ROWS = 10000 };

static const struct split_spec USUAL = {.share = {0.8, 0.1, 0.1}, .seed = 42, .stratify = true};

static void assign(const struct split_spec *spec, const int32_t *classes, uint8_t *split,
                   size_t rows, size_t count[SPLIT_COUNT]) {
    struct runner rn = {0};
    assert_int_equal(RUN_DONE, split_assign(&rn, spec, classes, rows, split));
    memset(count, 0, SPLIT_COUNT * sizeof *count);
    for (size_t i = 0; i < rows; i++) {
        assert_true(split[i] < SPLIT_COUNT);
        count[split[i]]++;
    }
}

static void test_split__has_exact_shares(void **state) {
    (void)state;
    static uint8_t split[ROWS];
    size_t count[SPLIT_COUNT];
    memset(split, SPLIT_FREE, ROWS);
    assign(&USUAL, NULL, split, ROWS, count);
    assert_int_equal(8000, count[SPLIT_TRAIN]);
    assert_int_equal(1000, count[SPLIT_VALIDATION]);
    assert_int_equal(1000, count[SPLIT_TEST]);
}

/* Pinned: a data set imported today must be split the same by every later release. */
static void test_split__of_a_seed_never_changes(void **state) {
    (void)state;
    static const uint8_t EXPECTED[] = {0, 1, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2};
    uint8_t split[sizeof EXPECTED];
    size_t count[SPLIT_COUNT];
    memset(split, SPLIT_FREE, sizeof split);
    assign(&USUAL, NULL, split, sizeof split, count);
    assert_memory_equal(EXPECTED, split, sizeof split);
}

static void test_split__is_proportional_in_every_class(void **state) {
    (void)state;
    static uint8_t split[ROWS];
    static int32_t classes[ROWS];
    size_t count[SPLIT_COUNT], rare[SPLIT_COUNT] = {0};
    for (int i = 0; i < ROWS; i++)
        classes[i] = i % 100 == 7;
    memset(split, SPLIT_FREE, ROWS);
    assign(&USUAL, classes, split, ROWS, count);
    for (int i = 0; i < ROWS; i++)
        if (classes[i])
            rare[split[i]]++;
    assert_in_range(rare[SPLIT_TRAIN], 79, 81);
    assert_in_range(rare[SPLIT_VALIDATION], 9, 11);
    assert_in_range(rare[SPLIT_TEST], 9, 11);
}

static void test_split__gives_each_class_to_train_first(void **state) {
    (void)state;
    uint8_t split[300];
    int32_t classes[300];
    size_t count[SPLIT_COUNT];
    bool trained[100] = {false};
    for (int i = 0; i < 300; i++)
        classes[i] = i / 3;
    memset(split, SPLIT_FREE, sizeof split);
    const struct split_spec half = {.share = {0.4, 0.3, 0.3}, .seed = 7, .stratify = true};
    assign(&half, classes, split, 300, count);
    for (int i = 0; i < 300; i++)
        trained[classes[i]] |= split[i] == SPLIT_TRAIN;
    for (int k = 0; k < 100; k++)
        assert_true(trained[k]);
}

static void test_split__keeps_rows_that_are_fixed(void **state) {
    (void)state;
    uint8_t split[90];
    size_t count[SPLIT_COUNT];
    memset(split, SPLIT_FREE, sizeof split);
    memset(split + 45, SPLIT_TEST, 45);
    assign(&USUAL, NULL, split, 90, count);
    assert_int_equal(45, count[SPLIT_TEST]);
    assert_int_equal(5, count[SPLIT_VALIDATION]);
    for (int i = 45; i < 90; i++)
        assert_int_equal(SPLIT_TEST, split[i]);
}

/* Neighbouring seeds must not give related splits: of 1000 test rows about 100 are shared. */
static void test_split__of_neighbouring_seeds_is_unrelated(void **state) {
    (void)state;
    static uint8_t a[ROWS], b[ROWS];
    size_t count[SPLIT_COUNT];
    struct split_spec next = USUAL;
    next.seed++;
    memset(a, SPLIT_FREE, ROWS);
    memset(b, SPLIT_FREE, ROWS);
    assign(&USUAL, NULL, a, ROWS, count);
    assign(&next, NULL, b, ROWS, count);
    int shared = 0;
    for (int i = 0; i < ROWS; i++)
        shared += a[i] == SPLIT_TEST && b[i] == SPLIT_TEST;
    assert_in_range(shared, 60, 140);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_split__has_exact_shares),
        cmocka_unit_test(test_split__of_a_seed_never_changes),
        cmocka_unit_test(test_split__is_proportional_in_every_class),
        cmocka_unit_test(test_split__gives_each_class_to_train_first),
        cmocka_unit_test(test_split__keeps_rows_that_are_fixed),
        cmocka_unit_test(test_split__of_neighbouring_seeds_is_unrelated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
