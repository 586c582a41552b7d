/* data_pictures.h: the image tensor of a data set, written picture by picture.
 *
 * The caller knows the number, size and class of all pictures before it decodes the first, because
 * labels and splits stand before the pixels in the file. Memory stays at one picture and the
 * labels, whatever the size of the set. */
#ifndef SLIPWAY_RUNNERS_DATA_PICTURES_H
#define SLIPWAY_RUNNERS_DATA_PICTURES_H

#include "runners/data.h"

#include <stdio.h>

enum { PICTURE_CHANNELS_MAX = 3, PICTURE_LEVELS = 256 };

struct pictures {
    size_t rows;
    int channels, height, width; /* 1 or 3; 1..DATA_SIDE_MAX each */
    int32_t *labels;             /* rows of them, index into classes; owned */
    uint8_t *split;              /* rows of them, SPLIT_FREE where still to be drawn; owned */
    json_t *classes;             /* names; owned */

    /* while writing */
    FILE *file;
    int64_t pixels_at; /* offset of the first picture in the file */
    size_t written;
    uint8_t *planes; /* one picture as [C, H, W] */
    uint64_t levels[PICTURE_CHANNELS_MAX][PICTURE_LEVELS];
};

#define auto_pictures __attribute__((cleanup(pictures_done)))

/* Allocates labels (all 0) and split (all SPLIT_FREE) for p->rows. */
MUST_USE enum run pictures_alloc(struct import *im, struct pictures *p);
void pictures_done(struct pictures *p);

/* Checks the size of it all, draws the splits and writes everything that stands before the pixels.
 */
MUST_USE enum run pictures_begin(struct import *im, struct pictures *p);

/* The next picture: height * width * channels interleaved bytes. */
MUST_USE enum run pictures_add(struct import *im, struct pictures *p, const uint8_t *pixels);

/* After the last one: closes the file, draws the samples, fills manifest and result. */
MUST_USE enum run pictures_finish(struct import *im, struct pictures *p);

/* Draws outputs/samples.png from the written file; *ret describes it. (data_sprite.c) */
MUST_USE enum run sprite_write(struct import *im, const struct pictures *p, json_t **ret);

#endif
