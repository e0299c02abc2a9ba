/*
 * tiff_strip: is a strip or tile of a TIFF picture what its compression says?
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_TIFF_STRIP_H
#define KVALI_PLUGINS_CARVE_FORMATS_TIFF_STRIP_H

#include "plugins/carve/reader.h"

enum tiff_strip_state { STRIP_UNCHECKED, STRIP_HOLDS, STRIP_WRONG };

struct tiff_strip {
    uint64_t at, size;
    uint64_t wanted;              /* bytes that come out; 0: not known */
    uint64_t tables, tables_size; /* JPEG tables; 0: none */
    uint32_t compression;         /* as the tag has it */
};

/* UNCHECKED: not compressed, or not in a way that is known here. The whole strip is there. */
enum tiff_strip_state tiff_strip_check(struct reader *reader, const struct tiff_strip *strip);

#endif
