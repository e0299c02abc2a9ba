/*
 * picture: a file's bytes to rows of RGB, with bounds that a hostile file cannot pass. One file a format;
 * each keeps its library's longjmp to itself.
 *
 * All of them work on bytes in memory, open nothing, and allocate no more than PICTURE_MEMORY_MAX at a time.
 */
#ifndef KVALI_PLUGINS_THUMBNAIL_PICTURE_H
#define KVALI_PLUGINS_THUMBNAIL_PICTURE_H

#include "plugins/thumbnail/shrink.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PICTURE_SIDE_MAX = 100000, PICTURE_WHY_MAX = 200 };
#define PICTURE_PIXELS_MAX UINT64_C(200000000)
#define PICTURE_MEMORY_MAX (UINT64_C(384) << 20)
/* Decoding steps over pixels: a progressive picture passes over all of them once a scan, and there may be
 * many. */
#define PICTURE_WORK_MAX (UINT64_C(16) * PICTURE_PIXELS_MAX)

struct picture {
    uint32_t width, height;    /* of the original; 0 while nothing is known */
    bool damaged;              /* the decoder had to guess, or some of it is missing */
    bool refused;              /* too large in itself: not decoded */
    char why[PICTURE_WHY_MAX]; /* what was wrong, the library's own words; "" nothing. Not escaped */
};

/* Decodes `data` into `shrink`, which is begun and ended here. False: no row came of it, and picture->why
 * says why. */
bool picture_jpeg(const uint8_t *data, size_t size, struct shrink *shrink, struct picture *ret_picture);
bool picture_png(const uint8_t *data, size_t size, struct shrink *shrink, struct picture *ret_picture);

/* Is that size within the bounds? If not, fills in `refused` and `why`. */
bool picture_fits(struct picture *picture);

/* The small picture as a baseline JPEG of RGB without metadata, at most `max` bytes, malloc'ed: with a lower
 * quality where it would be larger. NULL: no memory, or not even then. */
uint8_t *picture_write(const struct shrink *shrink, size_t max, size_t *ret_size);

#endif
