/* image.c: the three decoders behind one function, and the geometry both runners share.
 *
 * Decoders report by jumping (libjpeg), by a message (libpng's simplified interface) or by a null
 * (libwebp); each leaves here as false with a sentence. A truncated file is refused, not shown half
 * grey. libjpeg's scan count is bounded: a small progressive file can otherwise take minutes. */
#include "runners/image.h"

#include <math.h>
#include <png.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <webp/decode.h>

/* libjpeg's headers use FILE and size_t without including what declares them. */
#include <jerror.h>
#include <jpeglib.h>

enum { JPEG_SCANS_MAX = 200 };

void image_done(struct image *im) {
    free(im->pixels);
    *im = (struct image){0};
}

__attribute__((format(printf, 2, 3))) static bool complain(char *error, const char *fmt, ...) {
    va_list args;
    va_start(args, fmt);
    vsnprintf(error, IMAGE_ERROR_BYTES, fmt, args);
    va_end(args);
    return false;
}

static bool image_alloc(struct image *im, int width, int height, int channels) {
    *im = (struct image){.width = width, .height = height, .channels = channels};
    im->pixels = calloc((size_t)width * (size_t)height, (size_t)channels);
    return im->pixels != NULL;
}

/* The cap stands before every allocation. */
static bool image_admit(struct image *im, uint64_t width, uint64_t height, int channels,
                        char *error) {
    if (width == 0 || height == 0)
        return complain(error, "the picture has no pixels");
    if (width > IMAGE_PIXELS_MAX || height > IMAGE_PIXELS_MAX || width * height > IMAGE_PIXELS_MAX)
        return complain(error, "the picture has %llu x %llu pixels, more than 40 million",
                        (unsigned long long)width, (unsigned long long)height);
    if (!image_alloc(im, (int)width, (int)height, channels))
        return complain(error, "memory is short for %llu x %llu pixels", (unsigned long long)width,
                        (unsigned long long)height);
    return true;
}

static bool decode_png(const void *bytes, size_t size, struct image *im, char *error) {
    png_image png = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_memory(&png, bytes, size))
        return complain(error, "the PNG is damaged: %s", png.message);
    bool colour = (png.format & PNG_FORMAT_FLAG_COLOR) != 0;
    png.flags |= PNG_IMAGE_FLAG_16BIT_sRGB; /* untagged 16-bit samples are not linear light */
    png.format = colour ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY;
    bool done = image_admit(im, png.width, png.height, colour ? 3 : 1, error);
    if (done && !png_image_finish_read(&png, &(png_color){0}, im->pixels, 0, NULL))
        done = complain(error, "the PNG is damaged: %s", png.message);
    png_image_free(&png);
    return done;
}

struct jpeg_failure {
    struct jpeg_error_mgr manager; /* first: libjpeg hands back a pointer to it */
    jmp_buf jump;
    char text[JMSG_LENGTH_MAX];
};

static void jpeg_fail(j_common_ptr cinfo) {
    struct jpeg_failure *failure = (struct jpeg_failure *)cinfo->err;
    failure->manager.format_message(cinfo, failure->text);
    longjmp(failure->jump, 1);
}

/* Warnings are common in healthy files; only the end of the bytes is fatal. */
static void jpeg_message(j_common_ptr cinfo, int level) {
    if (level < 0 && cinfo->err->msg_code == JWRN_JPEG_EOF)
        jpeg_fail(cinfo);
}

static void jpeg_progress(j_common_ptr cinfo) {
    struct jpeg_failure *failure = (struct jpeg_failure *)cinfo->err;
    if (cinfo->is_decompressor && ((j_decompress_ptr)cinfo)->input_scan_number > JPEG_SCANS_MAX) {
        snprintf(failure->text, sizeof failure->text, "more than %d scans", JPEG_SCANS_MAX);
        longjmp(failure->jump, 1);
    }
}

static bool jpeg_read(j_decompress_ptr cinfo, struct image *im, char *error) {
    jpeg_read_header(cinfo, TRUE);
    bool grey = cinfo->jpeg_color_space == JCS_GRAYSCALE;
    if (cinfo->jpeg_color_space == JCS_CMYK || cinfo->jpeg_color_space == JCS_YCCK)
        return complain(error, "the JPEG is in CMYK; save it as RGB");
    cinfo->out_color_space = grey ? JCS_GRAYSCALE : JCS_RGB;
    if (!image_admit(im, cinfo->image_width, cinfo->image_height, grey ? 1 : 3, error))
        return false;
    jpeg_start_decompress(cinfo);
    size_t stride = (size_t)im->width * (size_t)im->channels;
    while (cinfo->output_scanline < cinfo->output_height) {
        JSAMPROW row = im->pixels + cinfo->output_scanline * stride;
        jpeg_read_scanlines(cinfo, &row, 1);
    }
    jpeg_finish_decompress(cinfo);
    return true;
}

static bool decode_jpeg(const void *bytes, size_t size, struct image *im, char *error) {
    struct jpeg_failure failure;
    struct jpeg_progress_mgr progress = {.progress_monitor = jpeg_progress};
    struct jpeg_decompress_struct cinfo = {.err = jpeg_std_error(&failure.manager)};
    failure.manager.error_exit = jpeg_fail;
    failure.manager.emit_message = jpeg_message;
    volatile bool done = false;
    if (setjmp(failure.jump) == 0) {
        jpeg_create_decompress(&cinfo);
        cinfo.progress = &progress;
        jpeg_mem_src(&cinfo, bytes, (unsigned long)size);
        done = jpeg_read(&cinfo, im, error);
    } else {
        done = complain(error, "the JPEG is damaged: %s", failure.text);
    }
    jpeg_destroy_decompress(&cinfo);
    return done;
}

static bool decode_webp(const void *bytes, size_t size, struct image *im, char *error) {
    WebPDecoderConfig config;
    if (!WebPInitDecoderConfig(&config) ||
        WebPGetFeatures(bytes, size, &config.input) != VP8_STATUS_OK)
        return complain(error, "the WebP is damaged");
    if (config.input.has_animation)
        return complain(error, "the WebP is an animation, not one picture");
    if (!image_admit(im, (uint64_t)config.input.width, (uint64_t)config.input.height, 3, error))
        return false;
    size_t stride = (size_t)im->width * 3;
    config.output.colorspace = MODE_RGB;
    config.output.is_external_memory = 1;
    config.output.u.RGBA.rgba = im->pixels;
    config.output.u.RGBA.stride = (int)stride;
    config.output.u.RGBA.size = stride * (size_t)im->height;
    if (WebPDecode(bytes, size, &config) != VP8_STATUS_OK)
        return complain(error, "the WebP is damaged or cut short");
    return true;
}

bool image_decode(const void *bytes, size_t size, struct image *ret,
                  char error[IMAGE_ERROR_BYTES]) {
    static const uint8_t PNG[8] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    const uint8_t *b = bytes;
    struct image im = {0};
    bool done;
    if (size >= 8 && memcmp(b, PNG, 8) == 0)
        done = decode_png(bytes, size, &im, error);
    else if (size >= 3 && b[0] == 0xff && b[1] == 0xd8 && b[2] == 0xff)
        done = decode_jpeg(bytes, size, &im, error);
    else if (size >= 12 && memcmp(b, "RIFF", 4) == 0 && memcmp(b + 8, "WEBP", 4) == 0)
        done = decode_webp(bytes, size, &im, error);
    else
        done = complain(error, "the bytes are not a PNG, JPEG or WebP picture");
    if (!done) {
        image_done(&im);
        return false;
    }
    *ret = im;
    return true;
}

/* A picture's bytes, or the floats between the two passes; one of them is NULL. */
struct samples {
    const uint8_t *bytes;
    const float *floats;
};

/* One line of n samples, stride apart, resampled to m. The triangle's half width is one source
 * sample when growing and the ratio when shrinking. */
static void resample_line(struct samples from, size_t stride, int n, float *to, int m) {
    double ratio = (double)n / m, reach = ratio > 1 ? ratio : 1;
    for (int i = 0; i < m; i++) {
        double centre = (i + 0.5) * ratio;
        int first = (int)fmax(0, floor(centre - reach));
        int last = (int)fmin(n, ceil(centre + reach));
        double sum = 0, weights = 0;
        for (int k = first; k < last; k++) {
            double weight = 1 - fabs(k + 0.5 - centre) / reach;
            size_t at = (size_t)k * stride;
            if (weight <= 0)
                continue;
            sum += weight * (from.bytes ? from.bytes[at] : (double)from.floats[at]);
            weights += weight;
        }
        to[(size_t)i * stride] = (float)(sum / weights);
    }
}

static struct samples samples_at(struct samples from, size_t offset) {
    return (struct samples){from.bytes ? from.bytes + offset : NULL,
                            from.floats ? from.floats + offset : NULL};
}

/* [height, width, c] → [height, m, c] */
static void resample_columns(struct samples from, int height, int width, size_t c, float *to,
                             int m) {
    for (size_t y = 0; y < (size_t)height; y++)
        for (size_t k = 0; k < c; k++)
            resample_line(samples_at(from, y * (size_t)width * c + k), c, width,
                          to + y * (size_t)m * c + k, m);
}

/* [height, row] → [m, row] */
static void resample_rows(struct samples from, int height, size_t row, float *to, int m) {
    for (size_t x = 0; x < row; x++)
        resample_line(samples_at(from, x), row, height, to + x, m);
}

bool image_resize(const struct image *im, int width, int height, struct image *ret) {
    size_t c = (size_t)im->channels, out_count = (size_t)width * (size_t)height * c;
    /* The pass that leaves less goes first: one line of 40 million pixels must not become 256. */
    size_t narrow = (size_t)im->height * (size_t)width, low = (size_t)im->width * (size_t)height;
    struct samples from = {.bytes = im->pixels};
    struct image out = {0};
    float *half = malloc((narrow < low ? narrow : low) * c * sizeof *half);
    float *whole = malloc(out_count * sizeof *whole);
    bool done = half && whole && image_alloc(&out, width, height, im->channels);
    if (done && narrow < low) {
        resample_columns(from, im->height, im->width, c, half, width);
        resample_rows((struct samples){.floats = half}, im->height, (size_t)width * c, whole,
                      height);
    } else if (done) {
        resample_rows(from, im->height, (size_t)im->width * c, half, height);
        resample_columns((struct samples){.floats = half}, height, im->width, c, whole, width);
    }
    for (size_t i = 0; done && i < out_count; i++)
        out.pixels[i] = (uint8_t)fminf(255.0F, fmaxf(0, whole[i] + 0.5F));
    free(half);
    free(whole);
    if (done)
        *ret = out;
    return done;
}

static bool image_crop_centre(const struct image *im, int width, int height, struct image *ret) {
    struct image out;
    if (!image_alloc(&out, width, height, im->channels))
        return false;
    size_t c = (size_t)im->channels;
    size_t left = (size_t)(im->width - width) / 2, top = (size_t)(im->height - height) / 2;
    for (size_t y = 0; y < (size_t)height; y++)
        memcpy(out.pixels + y * (size_t)width * c,
               im->pixels + ((top + y) * (size_t)im->width + left) * c, (size_t)width * c);
    *ret = out;
    return true;
}

bool image_fit(const struct image *im, int width, int height, struct image *ret) {
    double scale = fmax((double)width / im->width, (double)height / im->height);
    double w = fmax(width, round(im->width * scale)), h = fmax(height, round(im->height * scale));
    /* A sliver of 1 x 40,000,000 pixels would cover the square only by becoming huge. */
    if (w * h > IMAGE_PIXELS_MAX)
        return image_resize(im, width, height, ret);
    struct image auto_image covering = {0};
    return image_resize(im, (int)w, (int)h, &covering) &&
           image_crop_centre(&covering, width, height, ret);
}

bool image_convert(const struct image *im, int channels, struct image *ret) {
    struct image out;
    if (!image_alloc(&out, im->width, im->height, channels))
        return false;
    size_t n = (size_t)im->width * (size_t)im->height;
    const uint8_t *from = im->pixels;
    for (size_t i = 0; i < n && channels == im->channels; i++)
        memcpy(out.pixels + i * (size_t)channels, from + i * (size_t)channels, (size_t)channels);
    for (size_t i = 0; i < n && channels == 3 && im->channels == 1; i++)
        memset(out.pixels + 3 * i, from[i], 3);
    for (size_t i = 0; i < n && channels == 1 && im->channels == 3; i++)
        out.pixels[i] =
            (uint8_t)((299 * from[3 * i] + 587 * from[3 * i + 1] + 114 * from[3 * i + 2] + 500) /
                      1000);
    *ret = out;
    return true;
}
