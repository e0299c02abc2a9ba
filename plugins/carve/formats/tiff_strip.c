/*
 * tiff_strip: see tiff_strip.h. [Adobe, TIFF 6.0, sections 9, 13, 22; TIFF Technical Note 2; Adobe Photoshop
 * TIFF Technical Notes for Deflate]
 */
#include "plugins/carve/formats/tiff_strip.h"

#include "plugins/carve/formats/jpeg.h"

#include <string.h>

enum { LZW = 5, JPEG = 7, DEFLATE = 8, DEFLATE_OLD = 32946, PACKBITS = 32773, LOSSY_DNG = 34892 };
enum { CLEAR = 256, END = 257, CODES = 4096 };

/* The lengths of the strings that codes stand for are enough to count bytes. */
struct lzw {
    uint32_t lengths[CODES];
    unsigned next, last, width; /* last: CODES after a clear */
    uint64_t made;
    bool ended;
};

static void lzw_clear(struct lzw *lzw)
{
    lzw->next = END + 1;
    lzw->last = CODES;
    lzw->width = 9;
}

/* The width grows one code early [TIFF 6.0, section 13]. */
static bool lzw_code(struct lzw *lzw, unsigned code)
{
    if (code == CLEAR) {
        lzw_clear(lzw);
        return true;
    }
    if (code == END) {
        lzw->ended = true;
        return true;
    }
    if (lzw->last != CODES && lzw->next < CODES) {
        lzw->lengths[lzw->next++] = lzw->lengths[lzw->last] + 1;
        if (lzw->next == (1u << lzw->width) - 1 && lzw->width < 12)
            lzw->width++;
    }
    if (code >= lzw->next)
        return false;
    lzw->made += lzw->lengths[code];
    lzw->last = code;
    return true;
}

static enum tiff_strip_state check_lzw(struct reader *reader, const struct tiff_strip *strip)
{
    struct lzw lzw = {.width = 9};
    uint64_t word = 0;
    unsigned bits = 0;
    const uint8_t *p = reader_at(reader, strip->at, strip->size < 2 ? 1 : 2);

    if (p != NULL && p[0] == 0 && strip->size >= 2 && (p[1] & 1) != 0)
        return STRIP_UNCHECKED; /* the bit order of before TIFF 6.0 */
    for (unsigned i = 0; i < CLEAR; i++)
        lzw.lengths[i] = 1;
    lzw_clear(&lzw);
    for (uint64_t at = strip->at, left = strip->size; left > 0 && !lzw.ended;) {
        size_t span = reader_span(reader, at, &p);

        span = span < left ? span : (size_t)left;
        if (span == 0)
            return STRIP_WRONG;
        for (size_t i = 0; i < span && !lzw.ended; i++) {
            word = word << 8 | p[i];
            bits += 8;
            if (bits < lzw.width)
                continue;
            bits -= lzw.width;
            if (!lzw_code(&lzw, (unsigned)(word >> bits) & ((1u << lzw.width) - 1)))
                return STRIP_WRONG;
        }
        at += span;
        left -= span;
    }
    return (lzw.ended || lzw.made == strip->wanted) && lzw.made >= strip->wanted ? STRIP_HOLDS : STRIP_WRONG;
}

static enum tiff_strip_state check_packbits(struct reader *reader, const struct tiff_strip *strip)
{
    uint64_t at = strip->at, end = strip->at + strip->size, made = 0;
    uint8_t head;

    if (strip->wanted == 0)
        return STRIP_UNCHECKED;
    while (at < end && made < strip->wanted) {
        if (!reader_u8(reader, at, &head))
            return STRIP_WRONG;
        at += head < 128 ? head + 2u : head == 128 ? 1 : 2;
        made += head < 128 ? head + 1u : head == 128 ? 0 : 257u - head;
    }
    return made == strip->wanted && at <= end && end - at <= 1 ? STRIP_HOLDS : STRIP_WRONG;
}

static enum tiff_strip_state check_deflate(struct reader *reader, const struct tiff_strip *strip)
{
    uint64_t end, size;
    uint32_t crc;

    return reader_inflate(reader, READER_ZLIB, strip->at, strip->at + strip->size, UINT64_C(1) << 32, &end,
                          &size, &crc) &&
                   size >= strip->wanted
               ? STRIP_HOLDS
               : STRIP_WRONG;
}

static enum tiff_strip_state check_jpeg(struct reader *reader, const struct tiff_strip *strip)
{
    struct carved carved = {.grade = CARVE_NONE};

    switch (jpeg_check(reader, strip->at, strip->tables, strip->tables_size, &carved)) {
    case CARVE_VALIDATED:
        return carved.size <= strip->at + strip->size ? STRIP_HOLDS : STRIP_WRONG;
    case CARVE_COMPLETE:
        return STRIP_UNCHECKED;
    default:
        return STRIP_WRONG;
    }
}

enum tiff_strip_state tiff_strip_check(struct reader *reader, const struct tiff_strip *strip)
{
    switch (strip->compression) {
    case LZW:
        return check_lzw(reader, strip);
    case JPEG:
    case LOSSY_DNG:
        return check_jpeg(reader, strip);
    case DEFLATE:
    case DEFLATE_OLD:
        return check_deflate(reader, strip);
    case PACKBITS:
        return check_packbits(reader, strip);
    default:
        return STRIP_UNCHECKED;
    }
}
