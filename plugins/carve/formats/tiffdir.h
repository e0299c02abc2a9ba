/*
 * tiffdir: the directories (IFDs) of a TIFF structure [Adobe, TIFF 6.0; BigTIFF design of 2007], for TIFF
 * files, for the raw formats of cameras, and for the EXIF data [CIPA DC-008] inside of other pictures.
 *
 * All offsets are counted from the structure's first byte, the byte order mark; nothing outside of `size` is
 * ever read.
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_TIFFDIR_H
#define KVALI_PLUGINS_CARVE_FORMATS_TIFFDIR_H

#include "plugins/carve/format.h"

enum {
    TIFF_WIDTH = 0x100,
    TIFF_HEIGHT = 0x101,
    TIFF_DESCRIPTION = 0x10e,
    TIFF_MAKE = 0x10f,
    TIFF_MODEL = 0x110,
    TIFF_STRIP_OFFSETS = 0x111,
    TIFF_STRIP_SIZES = 0x117,
    TIFF_DATE = 0x132,
    TIFF_TILE_OFFSETS = 0x144,
    TIFF_TILE_SIZES = 0x145,
    TIFF_SUB_IFDS = 0x14a,
    TIFF_JPEG_OFFSET = 0x201,
    TIFF_JPEG_SIZE = 0x202,
    TIFF_EXIF = 0x8769,
    TIFF_GPS = 0x8825,
    TIFF_INTEROP = 0xa005,
    TIFF_DNG_VERSION = 0xc612,
    TIFF_DNG_PRIVATE = 0xc634,
};

struct tiffdir {
    struct reader *reader;
    uint64_t base, size;  /* in the object: where the structure begins, and the bytes it may have */
    uint64_t first;       /* of the first directory */
    bool big_endian, big; /* big: BigTIFF */
};

struct tiffdir_entry {
    uint16_t tag, type;
    uint64_t count;
    uint64_t at;   /* of the first value */
    uint64_t size; /* of all values, bytes; 0 for a type that is not known */
};

/* Reads the header at `base`. False: it is none. */
bool tiffdir_open(struct tiffdir *dir, struct reader *reader, uint64_t base, uint64_t size);
/* Bytes that a directory of `count` entries takes up, its count and the link to the next included. */
uint64_t tiffdir_size(const struct tiffdir *dir, uint64_t count);
/* How many entries the directory at `at` has, and where the next one is (0: none). False: it is not all
 * there, or has no entry. */
bool tiffdir_count(const struct tiffdir *dir, uint64_t at, uint64_t *ret_count, uint64_t *ret_next);
/* Entry `index` of the directory at `at`, which must be below its count. */
bool tiffdir_entry(const struct tiffdir *dir, uint64_t at, uint64_t index, struct tiffdir_entry *ret);
/* The first entry with this tag. */
bool tiffdir_find(const struct tiffdir *dir, uint64_t at, uint16_t tag, struct tiffdir_entry *ret);
/* Value `index` of an entry of whole numbers without sign or offsets. */
bool tiffdir_number(const struct tiffdir *dir, const struct tiffdir_entry *entry, uint64_t index,
                    uint64_t *ret);
/* The same for the first value of a tag. */
bool tiffdir_find_number(const struct tiffdir *dir, uint64_t at, uint16_t tag, uint64_t *ret);
/* The title that the first directory gives: the description, or camera and date. */
void tiffdir_title(const struct tiffdir *dir, struct carved *carved);
/* The JPEG thumbnail that the second directory names becomes a part. */
void tiffdir_thumbnail(const struct tiffdir *dir, struct carved *carved);

#endif
