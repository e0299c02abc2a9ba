/*
 * isobox: the boxes of which ISO base media files [ISO/IEC 14496-12, 4.2] and JPEG 2000 files [ITU-T T.800,
 * annex I] are made: a size, a type of four characters, the content.
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_ISOBOX_H
#define KVALI_PLUGINS_CARVE_FORMATS_ISOBOX_H

#include "plugins/carve/reader.h"

#define ISOBOX_TYPE(a, b, c, d)                                                                              \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

struct isobox {
    uint64_t at, size; /* with its head; size 0: to the end of the file */
    uint64_t content;  /* offset of what is behind the head */
    uint32_t type;
};

/* Reads the head of the box at `at`, which must end at `limit` or before. False: there is none. Its content
 * need not be there. */
bool isobox_read(struct reader *reader, uint64_t at, uint64_t limit, struct isobox *ret);
/* The first box of this type among those that fill [at, limit). */
bool isobox_find(struct reader *reader, uint64_t at, uint64_t limit, uint32_t type, struct isobox *ret);

#endif
