/*
 * gif: Graphics Interchange Format [CompuServe, GIF89a specification]. Blocks from the header to the trailer
 * byte. Validated: the LZW codes of every image make exactly its pixels, and every extension has the size
 * that its label asks for.
 */
#include "plugins/carve/format.h"
#include "plugins/carve/formats/field.h"

#include <string.h>

enum { HEADER = 13, CODES = 4096, TRAILER = 0x3b, EXTENSION = 0x21, IMAGE = 0x2c, COMMENT = 0xfe };

/* The lengths of the strings that codes stand for are enough to count pixels. */
struct lzw {
    uint32_t lengths[CODES];
    unsigned minimum, width, next, last; /* last: CODES after a clear */
    uint32_t word;
    unsigned bits;
    uint64_t made, wanted;
    bool ended; /* the end code came, or all pixels are there */
};

struct gif {
    struct reader *reader;
    uint64_t offset, good;
    unsigned wide, high; /* of the screen */
    bool shown, odd;     /* odd: something that does not fit, though it can be read */
    struct lzw lzw;
};

static void lzw_clear(struct lzw *lzw)
{
    lzw->width = lzw->minimum + 1;
    lzw->next = (1u << lzw->minimum) + 2;
    lzw->last = CODES;
}

static void lzw_begin(struct lzw *lzw, unsigned minimum, uint64_t wanted)
{
    memset(lzw, 0, sizeof *lzw);
    for (unsigned i = 0; i < 1u << minimum; i++)
        lzw->lengths[i] = 1;
    lzw->minimum = minimum;
    lzw->wanted = wanted;
    lzw_clear(lzw);
}

/* False: the code cannot come here. */
static bool lzw_code(struct lzw *lzw, unsigned code)
{
    unsigned clear = 1u << lzw->minimum;

    if (code == clear) {
        lzw_clear(lzw);
        return true;
    }
    if (code == clear + 1) {
        lzw->ended = true;
        return lzw->made == lzw->wanted;
    }
    if (lzw->last != CODES && lzw->next < CODES) {
        lzw->lengths[lzw->next++] = lzw->lengths[lzw->last] + 1;
        if (lzw->next == 1u << lzw->width && lzw->width < 12)
            lzw->width++;
    }
    if (code >= lzw->next)
        return false;
    lzw->made += lzw->lengths[code];
    lzw->last = code;
    return lzw->made <= lzw->wanted;
}

static bool lzw_feed(struct lzw *lzw, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size && !lzw->ended; i++) {
        lzw->word |= (uint32_t)data[i] << lzw->bits;
        lzw->bits += 8;
        while (lzw->bits >= lzw->width && !lzw->ended) {
            unsigned code = lzw->word & ((1u << lzw->width) - 1);

            lzw->word >>= lzw->width;
            lzw->bits -= lzw->width;
            if (!lzw_code(lzw, code))
                return false;
        }
    }
    return true;
}

/* Sub-blocks from gif->offset to the empty one. With `lzw` they are its data. The first has `first` bytes
 * unless that is 0. A block is sure when the length of the one behind it is what it was before. */
static bool pass_blocks(struct gif *gif, struct lzw *lzw, uint8_t first)
{
    uint8_t usual = 0;

    for (;;) {
        const uint8_t *p = reader_at(gif->reader, gif->offset, 1);
        uint8_t size = p != NULL ? p[0] : 0;

        if (p == NULL || (first != 0 && size != first))
            return false;
        first = 0;
        if (usual == 0 || size == usual)
            gif->good = usual == 0 ? gif->offset : gif->offset - usual - 1u;
        if (size == 0) {
            gif->offset++;
            return true;
        }
        usual = usual == 0 ? size : usual;
        gif->odd |= lzw != NULL && lzw->ended;
        p = reader_at(gif->reader, gif->offset + 1, size);
        if (p == NULL || (lzw != NULL && !lzw_feed(lzw, p, size)))
            return false;
        gif->offset += size + 1u;
    }
}

static bool pass_extension(struct gif *gif, struct carved *ret)
{
    const uint8_t *p = reader_at(gif->reader, gif->offset, 3);
    uint8_t first;

    if (p == NULL)
        return false;
    first = p[1] == 0xf9 ? 4 : p[1] == 0x01 ? 12 : p[1] == 0xff ? 11 : 0;
    if (p[1] == COMMENT && ret->title[0] == '\0' && p[2] > 0) {
        uint8_t size = p[2];

        p = reader_at(gif->reader, gif->offset + 3, size);
        if (p != NULL)
            carved_title(ret, p, size, "UTF-8");
    }
    gif->offset += 2;
    return pass_blocks(gif, NULL, first);
}

static bool pass_image(struct gif *gif)
{
    const uint8_t *p = reader_at(gif->reader, gif->offset, 11);
    unsigned left, top, wide, high;

    if (p == NULL)
        return false;
    left = field_le16(p + 1);
    top = field_le16(p + 3);
    wide = field_le16(p + 5);
    high = field_le16(p + 7);
    gif->odd |= left + wide > gif->wide || top + high > gif->high;
    gif->offset += 10;
    if ((p[9] & 0x80) != 0)
        gif->offset += 3u << ((p[9] & 7) + 1);
    p = reader_at(gif->reader, gif->offset, 1);
    if (p == NULL || p[0] < 1 || p[0] > 11 || wide == 0 || high == 0)
        return false;
    lzw_begin(&gif->lzw, p[0], (uint64_t)wide * high);
    gif->offset++;
    if (!pass_blocks(gif, &gif->lzw, 0) || gif->lzw.made != gif->lzw.wanted) {
        gif->shown |= gif->lzw.made > 0;
        return false;
    }
    gif->shown = true;
    return true;
}

static enum carve_grade walk(struct gif *gif, struct carved *ret)
{
    for (;;) {
        uint64_t at = gif->offset;
        uint8_t kind = 0;
        bool there = reader_u8(gif->reader, at, &kind), holds = false;

        if (there && kind == TRAILER && gif->shown)
            return carved_whole(ret, gif->odd ? CARVE_COMPLETE : CARVE_VALIDATED, at + 1);
        if (there && kind == EXTENSION)
            holds = pass_extension(gif, ret);
        if (there && kind == IMAGE)
            holds = pass_image(gif);
        if (!holds) {
            if (gif->offset > reader_size(gif->reader)) /* in a colour table */
                gif->offset = reader_size(gif->reader);
            carved_partial(ret, gif->offset, "%s at byte %llu",
                           !there          ? "the data ends"
                           : kind == IMAGE ? "the pixels of an image are cut or wrong"
                                           : "no block",
                           (unsigned long long)gif->offset);
            ret->good = gif->good < ret->size ? gif->good : ret->size;
            return ret->grade;
        }
        gif->good = gif->offset;
    }
}

static enum carve_grade examine_gif(struct reader *reader, struct carved *ret)
{
    struct gif gif = {.reader = reader, .offset = HEADER};
    const uint8_t *p = reader_at(reader, 0, HEADER);

    if (p == NULL || (memcmp(p, "GIF89a", 6) != 0 && memcmp(p, "GIF87a", 6) != 0))
        return CARVE_NONE;
    gif.wide = field_le16(p + 6);
    gif.high = field_le16(p + 8);
    if ((p[10] & 0x80) != 0)
        gif.offset += 3u << ((p[10] & 7) + 1);
    gif.good = gif.offset;
    p = reader_at(reader, gif.offset, 1);
    if (p == NULL || (p[0] != EXTENSION && p[0] != IMAGE))
        return CARVE_NONE;
    walk(&gif, ret);
    if (ret->grade == CARVE_PARTIAL && !gif.shown)
        ret->grade = CARVE_FRAGMENT;
    return ret->grade;
}

static const struct carve_format gif_format = {"gif", examine_gif};
const struct carve_format *const carve_gif[] = {&gif_format, NULL};
