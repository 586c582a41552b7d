/* data_sprite.c: one PNG with up to a hundred samples, so that a page shows what is in a data set
 * with one request. Classes take turns, so that with ten of them each column is one class. Pixels
 * are read back from the file just written: what is shown is what will be trained on. */
#include "runners/data_pictures.h"
#include "runners/image.h"

#include <errno.h>
#include <png.h>
#include <string.h>

enum { TILES_A_ROW = 10, TILE_MIN = 28, TILE_MAX = 64 };

struct sprite {
    int tile; /* pixels of a side */
    size_t count;
    size_t rows[DATA_SAMPLES]; /* of the data set */
    struct image canvas;
};

/* Round k takes the k-th picture of each class, in the order of the classes. */
static enum run choose_rows(struct import *im, const struct pictures *p, struct sprite *sp) {
    size_t classes = json_array_size(p->classes);
    size_t rounds = (DATA_SAMPLES + classes - 1) / classes;
    auto_free size_t *chosen = calloc(classes * rounds, sizeof *chosen);
    auto_free size_t *seen = calloc(classes, sizeof *seen);
    if (!chosen || !seen)
        return crash(im->rn, "memory is short to choose samples");
    for (size_t i = 0; i < p->rows; i++) {
        size_t class = (size_t)p->labels[i];
        if (seen[class] < rounds)
            chosen[class * rounds + seen[class]++] = i;
    }
    for (size_t k = 0; k < rounds; k++)
        for (size_t class = 0; class < classes && sp->count < DATA_SAMPLES; class ++)
            if (k < seen[class])
                sp->rows[sp->count++] = chosen[class * rounds + k];
    return RUN_DONE;
}

/* Back from planes to interleaved pixels. */
static bool read_picture(const struct pictures *p, size_t row, struct image *ret) {
    size_t area = (size_t)p->height * (size_t)p->width, c = (size_t)p->channels;
    size_t bytes = area * c;
    *ret = (struct image){.width = p->width, .height = p->height, .channels = p->channels};
    ret->pixels = malloc(bytes);
    off_t at = (off_t)(p->pixels_at + (int64_t)(row * bytes));
    if (!ret->pixels || pread(fileno(p->file), p->planes, bytes, at) != (ssize_t)bytes)
        return false;
    for (size_t k = 0; k < c; k++)
        for (size_t i = 0; i < area; i++)
            ret->pixels[i * c + k] = p->planes[k * area + i];
    return true;
}

/* The whole picture, centred in the tile. */
static bool place_picture(struct sprite *sp, size_t index, const struct image *im) {
    int longest = im->width > im->height ? im->width : im->height;
    int width = im->width * sp->tile / longest, height = im->height * sp->tile / longest;
    struct image auto_image small = {0};
    if (!image_resize(im, width > 0 ? width : 1, height > 0 ? height : 1, &small))
        return false;
    size_t c = (size_t)im->channels, stride = (size_t)sp->canvas.width * c;
    size_t left = index % TILES_A_ROW * (size_t)sp->tile + (size_t)(sp->tile - small.width) / 2;
    size_t top = index / TILES_A_ROW * (size_t)sp->tile + (size_t)(sp->tile - small.height) / 2;
    for (size_t y = 0; y < (size_t)small.height; y++)
        memcpy(sp->canvas.pixels + (top + y) * stride + left * c,
               small.pixels + y * (size_t)small.width * c, (size_t)small.width * c);
    return true;
}

static enum run draw_tiles(struct import *im, const struct pictures *p, struct sprite *sp) {
    size_t lines = (sp->count + TILES_A_ROW - 1) / TILES_A_ROW;
    sp->canvas = (struct image){
        .width = TILES_A_ROW * sp->tile,
        .height = (int)lines * sp->tile,
        .channels = p->channels,
    };
    sp->canvas.pixels =
        calloc((size_t)sp->canvas.width * (size_t)sp->canvas.height, (size_t)p->channels);
    if (!sp->canvas.pixels)
        return crash(im->rn, "memory is short to draw samples");
    for (size_t i = 0; i < sp->count; i++) {
        struct image auto_image picture = {0};
        if (!read_picture(p, sp->rows[i], &picture) || !place_picture(sp, i, &picture))
            return crash(im->rn, "could not draw the samples: %s", strerror(errno));
    }
    return RUN_DONE;
}

static enum run save_png(struct import *im, const struct image *canvas) {
    int fd;
    TRY(runner_create_file(im->rn, DATA_SPRITE, &fd));
    FILE *file = fdopen(fd, "w");
    png_image png = {
        .version = PNG_IMAGE_VERSION,
        .width = (png_uint_32)canvas->width,
        .height = (png_uint_32)canvas->height,
        .format = canvas->channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB,
    };
    bool done = file && png_image_write_to_stdio(&png, file, 0, canvas->pixels, 0, NULL) &&
                fflush(file) == 0;
    enum run status = done ? runner_commit_file(im->rn, DATA_SPRITE, fd)
                           : crash(im->rn, "could not write the samples: %s", png.message);
    if (file)
        fclose(file);
    return status;
}

static json_t *sprite_items(const struct pictures *p, const struct sprite *sp) {
    json_t *items = json_array();
    for (size_t i = 0; i < sp->count; i++) {
        size_t row = sp->rows[i];
        json_array_append_new(items, json_pack("{s:I, s:O, s:s}", "row", (json_int_t)row, "label",
                                               json_array_get(p->classes, (size_t)p->labels[row]),
                                               "split", SPLIT_NAMES[p->split[row]]));
    }
    return items;
}

static enum run draw_and_save(struct import *im, const struct pictures *p, struct sprite *sp) {
    TRY(choose_rows(im, p, sp));
    TRY(draw_tiles(im, p, sp));
    return save_png(im, &sp->canvas);
}

enum run sprite_write(struct import *im, const struct pictures *p, json_t **ret) {
    int longest = p->width > p->height ? p->width : p->height;
    struct sprite sp = {.tile = longest < TILE_MIN   ? TILE_MIN
                                : longest > TILE_MAX ? TILE_MAX
                                                     : longest};
    enum run status = draw_and_save(im, p, &sp);
    image_done(&sp.canvas);
    if (status == RUN_DONE)
        *ret = json_pack("{s:i, s:i, s:o}", "tile", sp.tile, "columns", TILES_A_ROW, "items",
                         sprite_items(p, &sp));
    return status;
}
