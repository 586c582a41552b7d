/* image.h: pictures as users send them, decoded to plain bytes. Used by the data runner on import
 * and by the predict runner, so that a picture means the same pixels in training and in serving.
 *
 * PNG, JPEG and WebP from memory; the size is read and limited before anything is allocated. Pixels
 * are interleaved, row-major, 8 bits, 1 channel (grey) or 3 (RGB). Alpha is flattened onto black,
 * 16-bit samples are scaled to 8. Functions are safe from any thread on different pictures. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IMAGE_PIXELS_MAX = 40 * 1000 * 1000, IMAGE_ERROR_BYTES = 160 };

struct image {
    int width, height;
    int channels;    /* 1 or 3 */
    uint8_t *pixels; /* owned; height * width * channels bytes */
};

#define auto_image __attribute__((cleanup(image_done)))

void image_done(struct image *im);

/* False with a sentence in error when the bytes are no such picture, damaged, or above the cap. */
bool image_decode(const void *bytes, size_t size, struct image *ret, char error[IMAGE_ERROR_BYTES]);

/* Bilinear; when shrinking the triangle widens with the ratio, so that no pixel is skipped. All
 * three return a new picture in *ret, which may not be im; false when memory is short. */
bool image_resize(const struct image *im, int width, int height, struct image *ret);

/* Resizes so that width x height is covered, then cuts the centre: the shape is kept undistorted.
 */
bool image_fit(const struct image *im, int width, int height, struct image *ret);

/* Grey from RGB by Rec. 601 luma, RGB from grey by repeating. */
bool image_convert(const struct image *im, int channels, struct image *ret);
