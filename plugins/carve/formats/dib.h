/*
 * dib: the device-independent bitmap of Windows and OS/2, in BMP files and icons.
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_DIB_H
#define KVALI_PLUGINS_CARVE_FORMATS_DIB_H

#include "plugins/carve/reader.h"

struct dib {
    uint32_t header, wide, high; /* high: of the picture; an icon's counts twice */
    uint16_t bits;               /* a pixel */
    uint32_t compression;        /* 0 none, 1 RLE8, 2 RLE4, 3 and 6 bit masks, 4 JPEG, 5 PNG */
    uint64_t palette_at;         /* from the header's first byte; masks and palette */
    uint64_t palette_size;       /* in bytes */
    uint32_t image_size;         /* as stored; 0: left out */
    uint64_t stride, pixels;     /* bytes a row, bytes of all rows when they are not compressed */
    uint64_t profile_end;        /* of a colour profile, from the header's first byte; 0: none */
};

/* Reads the header at `offset`. False: it is none. */
bool dib_read(struct reader *reader, uint64_t offset, struct dib *ret);

#endif
