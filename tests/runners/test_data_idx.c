/* IDX import: what comes out of good files, and that no lie in a bad one is believed. */

#include "tests/runners/data_case.h"
#include "tests/runners/data_files.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N = 30, SIDE = 4, PIXELS = N * SIDE * SIDE };

static const uint32_t IMAGE_SIZES[] = {N, SIDE, SIDE};
static const uint32_t LABEL_SIZES[] = {N};

/* Row i is all of value i; classes 2, 5 and 9 take turns. */
static void fill(uint8_t pixels[PIXELS], uint8_t labels[N]) {
    static const uint8_t CLASSES[] = {2, 5, 9};
    for (int i = 0; i < PIXELS; i++)
        pixels[i] = (uint8_t)(i / (SIDE * SIDE));
    for (int i = 0; i < N; i++)
        labels[i] = CLASSES[i % 3];
}

static struct bytes good_images(void) {
    uint8_t pixels[PIXELS], labels[N];
    fill(pixels, labels);
    return make_idx(IMAGE_SIZES, 3, pixels, PIXELS);
}

static struct bytes good_labels(void) {
    uint8_t pixels[PIXELS], labels[N];
    fill(pixels, labels);
    return make_idx(LABEL_SIZES, 1, labels, N);
}

static void add_good(struct data_case *c, const char *images, const char *labels) {
    struct bytes auto_bytes i = good_images(), l = good_labels();
    case_add(c, images, i.at, i.size);
    case_add(c, labels, l.at, l.size);
}

static void test_idx__keeps_pixels_labels_and_order(void **state) {
    struct data_case *c = *state;
    add_good(c, "images", "labels");
    case_run(c);
    case_assert_imported(c);
    const uint8_t *x = case_tensor(c, "x", TSH_U8, PIXELS);
    const int32_t *y = case_tensor(c, "y", TSH_I32, N);
    for (int i = 0; i < N; i++) {
        assert_int_equal(i, x[i * SIDE * SIDE]);
        assert_int_equal(i % 3, y[i]);
    }
    assert_string_equal("image", case_text(c->result, "kind"));
    assert_int_equal(N, case_int(c->result, "rows"));
    assert_int_equal(10, case_class(c, "2"));
    assert_int_equal(10, case_class(c, "9"));
    assert_int_equal(-1, case_class(c, "0"));
    assert_int_equal(24, case_int(json_object_get(c->result, "splits"), "train"));
}

static void test_idx__describes_the_pixels(void **state) {
    struct data_case *c = *state;
    add_good(c, "images", "labels");
    case_run(c);
    case_assert_imported(c);
    const json_t *pixel = case_column(c, "pixel");
    const json_t *statistics = json_object_get(pixel, "statistics");
    assert_int_equal(0, case_int(statistics, "min"));
    assert_int_equal(N - 1, case_int(statistics, "max"));
    assert_int_equal(14, case_int(statistics, "p50"));
    assert_float_equal(14.5, json_real_value(json_object_get(statistics, "mean")), 1e-9);
    const json_t *counts = json_object_get(json_object_get(pixel, "histogram"), "counts");
    assert_int_equal(32, json_array_size(counts));
    assert_int_equal(8 * SIDE * SIDE, json_integer_value(json_array_get(counts, 0)));
    const json_t *samples = json_object_get(c->result, "samples");
    assert_int_equal(N, json_array_size(json_object_get(samples, "items")));
    assert_int_equal(28, case_int(samples, "tile"));
}

static void test_idx__reads_gzip_and_keeps_the_test_files_apart(void **state) {
    struct data_case *c = *state;
    struct bytes auto_bytes i = good_images(), l = good_labels();
    struct bytes auto_bytes zi = make_gzip(i.at, i.size), zl = make_gzip(l.at, l.size);
    case_add(c, "t10k-images-idx3-ubyte.gz", zi.at, zi.size);
    case_add(c, "train-labels-idx1-ubyte.gz", zl.at, zl.size);
    case_add(c, "t10k-labels-idx1-ubyte.gz", zl.at, zl.size);
    case_add(c, "train-images-idx3-ubyte.gz", zi.at, zi.size);
    case_run(c);
    case_assert_imported(c);
    const uint8_t *split = case_tensor(c, "split", TSH_U8, 2 * N);
    for (int k = 0; k < N; k++) {
        assert_true(split[k] == 0 || split[k] == 1);
        assert_int_equal(2, split[N + k]);
    }
    const json_t *splits = json_object_get(c->result, "splits");
    assert_int_equal(27, case_int(splits, "train")); /* 8 : 1 of what is not test */
    assert_int_equal(3, case_int(splits, "validation"));
}

/* Both files as they are, then with one of them changed. */
struct change {
    const char *what;
    size_t at; /* of the image file */
    uint8_t value;
    const char *code, *place, *words;
};

static void test_idx__refuses_headers_that_lie(void **state) {
    static const struct change CHANGES[] = {
        {"magic", 0, 1, "unsupported", NULL, "only IDX"},
        {"element type", 2, 0x0d, "unsupported", "byte 2", "0x0d"},
        {"dimensions", 3, 4, "unsupported", "byte 3", "4 dimensions"},
        {"count + 2^25", 4, 2, "too_large", "byte 4", "more than is allowed"},
        {"one more picture", 7, N + 1, "invalid_data", "byte 4", "30 labels for the 31 pictures"},
        {"height 0", 11, 0, "invalid_data", "byte 16", "announces nothing"},
        {"height 260", 10, 1, "too_large", "byte 8", "larger than 256 x 256"},
        {"width 5", 15, 5, "invalid_data", "byte 496", "ends before"},
        {"width 3", 15, 3, "invalid_data", "byte 376", "goes on"},
    };
    for (size_t k = 0; k < sizeof CHANGES / sizeof *CHANGES; k++) {
        struct data_case *c = *state;
        struct bytes auto_bytes i = good_images(), l = good_labels();
        i.at[CHANGES[k].at] = CHANGES[k].value;
        case_again(c);
        case_add(c, "images", i.at, i.size);
        case_add(c, "labels", l.at, l.size);
        case_run(c);
        print_message("%s\n", CHANGES[k].what);
        case_assert_refused(c, CHANGES[k].code, CHANGES[k].place, CHANGES[k].words);
    }
}

static void test_idx__refuses_sizes_whose_product_overflows(void **state) {
    struct data_case *c = *state;
    const uint32_t sizes[] = {0xffffffff, 0xffffffff, 0xffffffff};
    struct bytes auto_bytes i = make_idx(sizes, 3, NULL, 0), l = good_labels();
    case_add(c, "images", i.at, i.size);
    case_add(c, "labels", l.at, l.size);
    case_run(c);
    case_assert_refused(c, "too_large", "byte 4", "more than is allowed");
}

static void test_idx__refuses_an_announcement_far_beyond_the_file(void **state) {
    struct data_case *c = *state;
    const uint32_t sizes[] = {1000000, 28, 28};
    struct bytes auto_bytes raw = make_idx(sizes, 3, (const uint8_t *)"abc", 3), l = good_labels();
    struct bytes auto_bytes i = make_gzip(raw.at, raw.size);
    case_add(c, "images.gz", i.at, i.size);
    case_add(c, "labels", l.at, l.size);
    case_run(c);
    case_assert_refused(c, "too_large", NULL, "100 times");
}

static void refuse_gzip(struct data_case *c, const struct bytes *images, const char *words) {
    struct bytes auto_bytes l = good_labels();
    case_again(c);
    case_add(c, "images.gz", images->at, images->size);
    case_add(c, "labels", l.at, l.size);
    case_run(c);
    case_assert_refused(c, "invalid_data", NULL, words);
    assert_string_equal("images.gz", case_text(c->refusal, "file"));
}

static void test_idx__refuses_damaged_gzip(void **state) {
    struct data_case *c = *state;
    struct bytes auto_bytes i = good_images();
    struct bytes auto_bytes whole = make_gzip(i.at, i.size), cut = make_gzip(i.at, i.size);
    struct bytes auto_bytes twice = make_gzip(whole.at, whole.size);
    cut.size -= 20;
    refuse_gzip(c, &cut, "ends before");
    refuse_gzip(c, &twice, "gzipped twice");
    whole.at[whole.size - 6] ^= 1; /* the checksum */
    refuse_gzip(c, &whole, "damaged");
}

static void test_idx__refuses_files_that_do_not_belong_together(void **state) {
    struct data_case *c = *state;
    struct bytes auto_bytes i = good_images(), l = good_labels();
    case_add(c, "images", i.at, i.size);
    case_run(c);
    case_assert_refused(c, "invalid_data", NULL, "missing");
    case_again(c);
    case_add(c, "images", i.at, i.size);
    case_add(c, "more-images", i.at, i.size);
    case_run(c);
    case_assert_refused(c, "invalid_data", NULL, "same part");
    case_again(c);
    case_add(c, "labels", l.at, l.size);
    case_add_text(c, "table.csv", "a,b\n1,2\n");
    case_run(c);
    case_assert_refused(c, "invalid_data", "byte 4", "not begin like an IDX");
}

static void test_idx__same_input_gives_same_bytes_and_another_seed_another_split(void **state) {
    struct data_case *c = *state;
    uint8_t splits[3][N];
    for (int k = 0; k < 3; k++) {
        case_again(c);
        case_spec(c, k < 2 ? "{\"split\":{\"seed\":1}}" : "{\"split\":{\"seed\":2}}");
        add_good(c, "images", "labels");
        case_run(c);
        case_assert_imported(c);
        memcpy(splits[k], case_tensor(c, "split", TSH_U8, N), N);
    }
    assert_memory_equal(splits[0], splits[1], N);
    assert_memory_not_equal(splits[0], splits[2], N);
}

static void test_import__refuses_a_wrong_spec(void **state) {
    static const struct {
        const char *spec, *field;
    } SPECS[] = {
        {"{\"format\":\"arff\"}", "format"},
        {"{\"target\":3}", "target"},
        {"{\"split\":{\"train\":0.9,\"validation\":0.2,\"test\":0.1}}", "split"},
        {"{\"split\":{\"train\":-1,\"validation\":1,\"test\":1}}", "split"},
        {"{\"split\":{\"train\":0,\"validation\":0.5,\"test\":0.5}}", "split.train"},
        {"{\"split\":{\"seed\":-1}}", "split.seed"},
        {"{\"split\":{\"sead\":1}}", "split"},
    };
    struct data_case *c = *state;
    for (size_t k = 0; k < sizeof SPECS / sizeof *SPECS; k++) {
        case_again(c);
        case_spec(c, SPECS[k].spec);
        add_good(c, "images", "labels");
        case_run(c);
        case_assert_refused(c, "invalid_spec", NULL, "");
        assert_string_equal(SPECS[k].field, case_text(c->refusal, "field"));
    }
}

/* 400 MB of zeros that take no room on disk: long enough to be interrupted. */
static void add_sparse(struct data_case *c, const char *name, const uint32_t *sizes, int dimensions,
                       off_t size) {
    char path[128];
    struct bytes auto_bytes head = make_idx(sizes, dimensions, NULL, 0);
    snprintf(path, sizeof path, "%s/inputs/%zu", c->dir, json_array_size(c->inputs));
    case_add(c, name, head.at, head.size);
    assert_int_equal(0, truncate(path, (off_t)head.size + size));
    json_t *input = json_array_get(c->inputs, json_array_size(c->inputs) - 1);
    json_object_set_new(input, "size_bytes", json_integer((json_int_t)head.size + size));
}

static void test_import__ends_soon_and_clean_when_cancelled(void **state) {
    struct data_case *c = *state;
    const uint32_t images[] = {500000, 28, 28}, labels[] = {500000};
    add_sparse(c, "images", images, 3, (off_t)500000 * 28 * 28);
    add_sparse(c, "labels", labels, 1, 500000);
    case_start(c);
    usleep(150 * 1000);
    assert_int_equal(0, kill(c->pid, SIGTERM));
    case_wait(c);
    assert_int_equal(3, c->status);
    char path[128];
    snprintf(path, sizeof path, "%s/outputs/data.safetensors.part", c->dir);
    assert_int_not_equal(0, access(path, F_OK));
    assert_null(c->result);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_idx__keeps_pixels_labels_and_order, case_begin,
                                        case_end),
        cmocka_unit_test_setup_teardown(test_idx__describes_the_pixels, case_begin, case_end),
        cmocka_unit_test_setup_teardown(test_idx__reads_gzip_and_keeps_the_test_files_apart,
                                        case_begin, case_end),
        cmocka_unit_test_setup_teardown(test_idx__refuses_headers_that_lie, case_begin, case_end),
        cmocka_unit_test_setup_teardown(test_idx__refuses_sizes_whose_product_overflows, case_begin,
                                        case_end),
        cmocka_unit_test_setup_teardown(test_idx__refuses_an_announcement_far_beyond_the_file,
                                        case_begin, case_end),
        cmocka_unit_test_setup_teardown(test_idx__refuses_damaged_gzip, case_begin, case_end),
        cmocka_unit_test_setup_teardown(test_idx__refuses_files_that_do_not_belong_together,
                                        case_begin, case_end),
        cmocka_unit_test_setup_teardown(
            test_idx__same_input_gives_same_bytes_and_another_seed_another_split, case_begin,
            case_end),
        cmocka_unit_test_setup_teardown(test_import__refuses_a_wrong_spec, case_begin, case_end),
        cmocka_unit_test_setup_teardown(test_import__ends_soon_and_clean_when_cancelled, case_begin,
                                        case_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
