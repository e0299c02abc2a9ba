/*
 * shrink: a picture that comes row by row, from the top, scaled down as it comes: each pixel of the small one
 * is the mean of the pixels that fall into it (a box filter). Only the small picture and one row of sums are
 * held.
 */
#ifndef KVALI_PLUGINS_THUMBNAIL_SHRINK_H
#define KVALI_PLUGINS_THUMBNAIL_SHRINK_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SHRINK_SIDE = 160, /* pixels, at most, of the small picture's longer side */
    SHRINK_CHANNELS = 3,
};

struct shrink {
    uint32_t width, height;         /* of the rows that come, each 1 to INT32_MAX */
    uint32_t out_width, out_height; /* 1 to SHRINK_SIDE; never larger than the picture itself */
    uint32_t row;                   /* the next one to come */
    uint64_t sums[SHRINK_SIDE * SHRINK_CHANNELS];
    uint32_t counts[SHRINK_SIDE];      /* pixels in each sum */
    uint32_t columns[SHRINK_SIDE + 1]; /* column i is made of [columns[i], columns[i + 1]) */
    uint8_t pixels[SHRINK_SIDE * SHRINK_SIDE * SHRINK_CHANNELS]; /* RGB; grey where no row came */
};

/* Ready for the first row. `width` and `height` are not 0. */
void shrink_begin(struct shrink *shrink, uint32_t width, uint32_t height);
/* The next row: `width` pixels of RGB. What comes behind the last row is not looked at. */
void shrink_row(struct shrink *shrink, const uint8_t *rgb);
/* No more rows come: what was begun counts. False when not one pixel is known. */
bool shrink_end(struct shrink *shrink);

#endif
