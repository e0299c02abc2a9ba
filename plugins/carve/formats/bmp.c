/*
 * bmp: Windows and OS/2 bitmaps [Microsoft, BITMAPFILEHEADER]. The end follows from the headers: where the
 * pixels (or the colour profile) end; the stored size of the file must agree, but for a few bytes that fill
 * up.
 *
 * Pixels have no checksum. Validated: RLE codes make exactly the picture; or, uncompressed, there is
 * something in the pixels that is always the same (the zeros that fill up a row; the fourth byte) and it is
 * so in all rows, and no long run of zeros is in them, for which zeros could stand that are not the
 * picture's.
 */
#include "plugins/carve/formats/dib.h"
#include "plugins/carve/format.h"

#include <string.h>

enum { FILE_HEADER = 14, PADDING_MAX = 3, ROWS_MIN = 8, RUN_MAX = 2048 };

struct rle {
    uint64_t x, y;
    bool ended;
};

/* One code of RLE4 or RLE8 [Microsoft, Bitmap Compression] at `at`: the bytes it takes, 0 for a wrong one. */
static uint64_t rle_code(struct reader *reader, const struct dib *dib, uint64_t at, struct rle *rle)
{
    const uint8_t *p = reader_at(reader, at, 2);
    uint64_t used = 2;

    if (p == NULL)
        return 0;
    if (p[0] > 0) {
        rle->x += p[0];
    } else if (p[1] == 0) {
        rle->x = 0;
        rle->y++;
    } else if (p[1] == 1) {
        rle->ended = true;
    } else if (p[1] == 2) {
        p = reader_at(reader, at, 4);
        if (p == NULL)
            return 0;
        rle->x += p[2];
        rle->y += p[3];
        used = 4;
    } else {
        rle->x += p[1];
        used = 2 + (dib->bits == 4 ? (p[1] + 3u) / 4 * 2 : (p[1] + 1u) / 2 * 2);
        if (reader_at(reader, at, (size_t)used) == NULL)
            return 0;
    }
    /* ImageMagick codes what fills up a row to a multiple of four bytes too. */
    return rle->x <= dib->wide + (dib->bits == 4 ? 7u : 3u) && rle->y <= dib->high ? used : 0;
}

/* False: a code is wrong or cut, at *ret_end. */
static bool rle_holds(struct reader *reader, const struct dib *dib, uint64_t at, uint64_t *ret_end)
{
    struct rle rle = {0};

    while (!rle.ended) {
        uint64_t used = rle_code(reader, dib, at, &rle);

        *ret_end = at;
        if (used == 0)
            return false;
        at += used;
    }
    *ret_end = at;
    return rle.y + 1 >= dib->high;
}

/* Is there something in the rows that could contradict, and does it not? */
static bool rows_hold(struct reader *reader, const struct dib *dib, uint64_t at)
{
    uint64_t used = ((uint64_t)dib->wide * dib->bits + 7) / 8, run = 0;
    bool filled = used < dib->stride;

    if ((!filled && (dib->bits != 32 || dib->compression != 0)) || dib->high < ROWS_MIN ||
        dib->stride > READER_AT_MAX)
        return false;
    for (uint32_t y = 0; y < dib->high; y++, at += dib->stride) {
        const uint8_t *p = reader_at(reader, at, (size_t)dib->stride);

        if (p == NULL)
            return false;
        for (uint64_t i = used; i < dib->stride; i++) {
            if (p[i] != 0)
                return false;
        }
        for (uint64_t i = 7; !filled && i < dib->stride; i += 4) {
            if (p[i] != p[3])
                return false;
        }
        run = p[0] == 0 && memcmp(p, p + 1, (size_t)dib->stride - 1) == 0 ? run + dib->stride : 0;
        if (run > RUN_MAX || (dib->stride > RUN_MAX && run > 0))
            return false;
    }
    return true;
}

static enum carve_grade finish(struct reader *reader, const struct dib *dib, uint64_t at, uint64_t stored,
                               struct carved *ret)
{
    bool packed = dib->compression != 0 && dib->compression != 3 && dib->compression != 6;
    uint64_t size = packed ? dib->image_size : dib->pixels, end = at + size, broken = at;
    bool rle = dib->compression == 1 || dib->compression == 2, holds = false;

    if (dib->profile_end > 0 && FILE_HEADER + dib->profile_end > end)
        end = FILE_HEADER + dib->profile_end;
    if (rle && !rle_holds(reader, dib, at, &broken))
        return carved_partial(ret, broken, "a run-length code that is cut or wrong at byte %llu",
                              (unsigned long long)broken);
    if (rle && size == 0)
        end = size = broken;
    if (stored > end && stored - end <= PADDING_MAX && reader_is_all(reader, end, stored - end, 0))
        end = stored;
    if (end > reader_size(reader)) {
        carved_partial(ret, reader_size(reader), "the last %llu of %llu bytes: the data ends here",
                       (unsigned long long)(end - reader_size(reader)), (unsigned long long)end);
        ret->good = at; /* nothing tells pixels from other bytes */
        return ret->grade;
    }
    if (rle)
        holds = broken - at <= size && size - (broken - at) <= PADDING_MAX;
    else if (!packed)
        holds = rows_hold(reader, dib, at);
    return carved_whole(ret, holds && stored == end ? CARVE_VALIDATED : CARVE_COMPLETE, end);
}

static enum carve_grade examine_bmp(struct reader *reader, struct carved *ret)
{
    uint32_t stored, reserved, at;
    struct dib dib;

    if (!reader_is(reader, 0, "BM", 2) || !reader_le32(reader, 2, &stored) ||
        !reader_le32(reader, 6, &reserved) || !reader_le32(reader, 10, &at) || reserved != 0 ||
        !dib_read(reader, FILE_HEADER, &dib))
        return CARVE_NONE;
    if (at < FILE_HEADER + dib.header || at > FILE_HEADER + dib.palette_at + dib.palette_size + 4096 ||
        (stored != 0 && stored < at))
        return CARVE_NONE;
    if (stored != 0 && stored != at + dib.pixels && dib.compression == 0 &&
        (stored < at + dib.pixels || stored - at - dib.pixels > PADDING_MAX) && dib.profile_end == 0 &&
        stored != dib.header + FILE_HEADER && stored != dib.pixels)
        return CARVE_NONE;
    if (at > reader_size(reader)) {
        carved_partial(ret, reader_size(reader), "all pixels: the data ends here");
        return ret->grade = CARVE_FRAGMENT;
    }
    finish(reader, &dib, at, stored, ret);
    if (ret->grade == CARVE_PARTIAL && ret->size <= at)
        ret->grade = CARVE_FRAGMENT;
    return ret->grade;
}

static const struct carve_format bmp_format = {"bmp", examine_bmp};
const struct carve_format *const carve_bmp[] = {&bmp_format, NULL};
