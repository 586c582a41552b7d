/* Pictures: the three formats decode to the pixels that went in, floods and damage are refused, and
 * resizing keeps what it should. */
#include "tests/support/cmocka_all.h"

#include "runners/image.h"

#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <webp/encode.h>

#include <jpeglib.h>

enum { W = 6, H = 4 };

/* A gradient; green and blue differ from red so that a swapped channel shows. */
static void fill(uint8_t *pixels, int channels) {
    for (int i = 0; i < W * H; i++)
        for (int c = 0; c < channels; c++)
            pixels[i * channels + c] = (uint8_t)(10 * i + 3 * c);
}

static void *make_png(png_uint_32 format, const void *pixels, size_t *ret_size) {
    png_image png = {.version = PNG_IMAGE_VERSION, .width = W, .height = H, .format = format};
    png_alloc_size_t size = 0;
    assert_true(png_image_write_to_memory(&png, NULL, &size, 0, pixels, 0, NULL));
    void *bytes = malloc(size);
    assert_non_null(bytes);
    assert_true(png_image_write_to_memory(&png, bytes, &size, 0, pixels, 0, NULL));
    *ret_size = size;
    return bytes;
}

static unsigned char *make_jpeg(int channels, uint8_t *pixels, unsigned long *ret_size) {
    struct jpeg_compress_struct cinfo;
    struct jpeg_error_mgr manager;
    unsigned char *bytes = NULL;
    *ret_size = 0;
    cinfo.err = jpeg_std_error(&manager);
    jpeg_create_compress(&cinfo);
    jpeg_mem_dest(&cinfo, &bytes, ret_size);
    cinfo.image_width = W;
    cinfo.image_height = H;
    cinfo.input_components = channels;
    cinfo.in_color_space = channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&cinfo);
    jpeg_set_quality(&cinfo, 100, TRUE);
    jpeg_start_compress(&cinfo, TRUE);
    for (int y = 0; y < H; y++) {
        JSAMPROW row = pixels + (ptrdiff_t)y * W * channels;
        jpeg_write_scanlines(&cinfo, &row, 1);
    }
    jpeg_finish_compress(&cinfo);
    jpeg_destroy_compress(&cinfo);
    return bytes;
}

static void decode(const void *bytes, size_t size, struct image *ret) {
    char error[IMAGE_ERROR_BYTES] = "";
    if (!image_decode(bytes, size, ret, error))
        fail_msg("%s", error);
}

static void assert_refused(const void *bytes, size_t size, const char *words) {
    struct image im = {0};
    char error[IMAGE_ERROR_BYTES] = "";
    assert_false(image_decode(bytes, size, &im, error));
    assert_null(im.pixels);
    if (!strstr(error, words))
        fail_msg("%s", error);
}

static void test_png__grey_and_colour_are_exact(void **state) {
    (void)state;
    static const png_uint_32 FORMATS[] = {PNG_FORMAT_GRAY, PNG_FORMAT_RGB};
    for (int i = 0; i < 2; i++) {
        uint8_t pixels[W * H * 3];
        int channels = i == 0 ? 1 : 3;
        fill(pixels, channels);
        size_t size;
        void *bytes = make_png(FORMATS[i], pixels, &size);
        struct image auto_image im = {0};
        decode(bytes, size, &im);
        assert_int_equal(W, im.width);
        assert_int_equal(H, im.height);
        assert_int_equal(channels, im.channels);
        assert_memory_equal(pixels, im.pixels, (size_t)(W * H * channels));
        free(bytes);
    }
}

static void test_png__alpha_is_flattened_onto_black(void **state) {
    (void)state;
    uint8_t pixels[W * H * 2];
    for (int i = 0; i < W * H; i++) {
        pixels[2 * i] = 200;
        pixels[2 * i + 1] = i % 2 ? 255 : 0;
    }
    size_t size;
    void *bytes = make_png(PNG_FORMAT_GA, pixels, &size);
    struct image auto_image im = {0};
    decode(bytes, size, &im);
    assert_int_equal(1, im.channels);
    assert_int_equal(0, im.pixels[0]);
    assert_int_equal(200, im.pixels[1]);
    free(bytes);
}

static void test_jpeg__decodes_near_what_went_in(void **state) {
    (void)state;
    for (int channels = 1; channels <= 3; channels += 2) {
        uint8_t pixels[W * H * 3];
        memset(pixels, 120, sizeof pixels);
        unsigned long size;
        unsigned char *bytes = make_jpeg(channels, pixels, &size);
        struct image auto_image im = {0};
        decode(bytes, size, &im);
        assert_int_equal(channels, im.channels);
        assert_in_range(im.pixels[W * H * channels - 1], 118, 122);
        assert_refused(bytes, size / 2, "JPEG");
        free(bytes);
    }
}

static void test_webp__decodes_to_colour(void **state) {
    (void)state;
    uint8_t pixels[W * H * 3], *bytes = NULL;
    fill(pixels, 3);
    size_t size = WebPEncodeLosslessRGB(pixels, W, H, W * 3, &bytes);
    struct image auto_image im = {0};
    decode(bytes, size, &im);
    assert_int_equal(3, im.channels);
    assert_memory_equal(pixels, im.pixels, sizeof pixels);
    assert_refused(bytes, size - 6, "WebP");
    WebPFree(bytes);
}

static uint32_t crc32_of(const uint8_t *bytes, size_t size) {
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

static void put_be32(uint8_t *to, uint32_t value) {
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* A few bytes that claim to be a picture of gigabytes. */
static void test_png__flood_is_refused_before_allocating(void **state) {
    (void)state;
    uint8_t pixels[W * H] = {0};
    size_t size;
    uint8_t *bytes = make_png(PNG_FORMAT_GRAY, pixels, &size);
    put_be32(bytes + 16, 60000);
    put_be32(bytes + 20, 60000);
    put_be32(bytes + 29, crc32_of(bytes + 12, 17));
    assert_refused(bytes, size, "60000 x 60000 pixels, more than 40 million");
    free(bytes);
}

static void test_jpeg__flood_is_refused_before_allocating(void **state) {
    (void)state;
    uint8_t pixels[W * H] = {0};
    unsigned long size;
    unsigned char *bytes = make_jpeg(1, pixels, &size);
    for (unsigned long i = 0; i + 9 < size; i++)
        if (bytes[i] == 0xff && bytes[i + 1] == 0xc0)
            memcpy(bytes + i + 5, "\xff\x00\xff\x00", 4);
    assert_refused(bytes, size, "more than 40 million");
    free(bytes);
}

static void test_decode__refuses_damage_and_strangers(void **state) {
    (void)state;
    uint8_t pixels[W * H];
    fill(pixels, 1);
    size_t size;
    uint8_t *bytes = make_png(PNG_FORMAT_GRAY, pixels, &size);
    assert_refused(bytes, size / 2, "PNG is damaged");
    bytes[size / 2] ^= 0xff;
    assert_refused(bytes, size, "PNG is damaged");
    free(bytes);
    assert_refused("GIF89a", 6, "not a PNG, JPEG or WebP");
    assert_refused("", 0, "not a PNG, JPEG or WebP");
    assert_refused("RIFF\4\0\0\0WEBP", 12, "WebP is damaged");
}

static struct image grey(int width, int height, const uint8_t *pixels) {
    struct image im = {width, height, 1, malloc((size_t)(width * height))};
    assert_non_null(im.pixels);
    memcpy(im.pixels, pixels, (size_t)(width * height));
    return im;
}

static void test_resize__keeps_flat_areas_and_means(void **state) {
    (void)state;
    static const uint8_t CHECKS[] = {0, 100, 100, 0, 0, 100, 100, 0};
    struct image auto_image im = grey(4, 2, CHECKS);
    struct image auto_image small = {0}, big = {0}, same = {0};
    assert_true(image_resize(&im, 2, 1, &small));
    assert_in_range(small.pixels[0], 30, 70);
    assert_int_equal(small.pixels[0], small.pixels[1]);
    assert_true(image_resize(&im, 8, 4, &big));
    assert_int_equal(0, big.pixels[0]);
    assert_true(image_resize(&im, 4, 2, &same));
    assert_memory_equal(CHECKS, same.pixels, sizeof CHECKS);
}

/* Twice as wide as high: the middle square stays. */
static void test_fit__covers_and_cuts_the_centre(void **state) {
    (void)state;
    static const uint8_t BANDS[] = {0, 200, 200, 0, 0, 200, 200, 0};
    struct image auto_image im = grey(4, 2, BANDS);
    struct image auto_image fitted = {0};
    assert_true(image_fit(&im, 2, 2, &fitted));
    for (int i = 0; i < 4; i++)
        assert_int_equal(200, fitted.pixels[i]);
}

static void test_fit__bounds_a_sliver(void **state) {
    (void)state;
    struct image im = {1, 1000000, 1, calloc(1000000, 1)};
    assert_non_null(im.pixels);
    struct image auto_image fitted = {0};
    assert_true(image_fit(&im, 256, 256, &fitted));
    assert_int_equal(256, fitted.height);
    image_done(&im);
}

static void test_convert__grey_by_luma_and_back(void **state) {
    (void)state;
    uint8_t *red = calloc(3, 1);
    assert_non_null(red);
    red[0] = 255;
    struct image auto_image im = {1, 1, 3, red};
    struct image auto_image one = {0}, three = {0};
    assert_true(image_convert(&im, 1, &one));
    assert_int_equal(76, one.pixels[0]);
    assert_true(image_convert(&one, 3, &three));
    assert_int_equal(76, three.pixels[2]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_png__grey_and_colour_are_exact),
        cmocka_unit_test(test_png__alpha_is_flattened_onto_black),
        cmocka_unit_test(test_jpeg__decodes_near_what_went_in),
        cmocka_unit_test(test_webp__decodes_to_colour),
        cmocka_unit_test(test_png__flood_is_refused_before_allocating),
        cmocka_unit_test(test_jpeg__flood_is_refused_before_allocating),
        cmocka_unit_test(test_decode__refuses_damage_and_strangers),
        cmocka_unit_test(test_resize__keeps_flat_areas_and_means),
        cmocka_unit_test(test_fit__covers_and_cuts_the_centre),
        cmocka_unit_test(test_fit__bounds_a_sliver),
        cmocka_unit_test(test_convert__grey_by_luma_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
