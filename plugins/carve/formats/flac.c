/*
 * flac: Free Lossless Audio Codec [RFC 9639]. The marker fLaC, metadata blocks, and frames, each with a CRC-8
 * over its head and a CRC-16 over all of it. A frame does not tell its size: it ends where the next one
 * begins, which has the next number, and the last one where its content does.
 *
 * Validated: every CRC is right, and the frames hold just as many samples as STREAMINFO says.
 */
#include "plugins/carve/formats/field.h"
#include "plugins/carve/formats/flac_frame.h"
#include "plugins/carve/formats/id3.h"

#include "engine/base/bytes.h"

#include <string.h>

enum { STREAMINFO = 34, BLOCKS_MAX = 1024, FRAME_MOST = 16 * 1024 * 1024 };

struct flac {
    struct reader *reader;
    struct carved *ret;
    struct crc crc8, crc16;
    unsigned bits, frame_most; /* of a sample; bytes of the largest frame, 0: not known */
    uint64_t total;            /* samples; 0: not known */
    uint64_t at, samples, frames;
    uint64_t block;        /* behind the head of the last metadata block */
    struct flac_head head; /* of the frame at `at` */
};

static bool take_streaminfo(struct flac *flac, const uint8_t *p)
{
    unsigned block_least = field_be16(p), block_most = field_be16(p + 2);

    flac->frame_most = (unsigned)p[7] << 16 | field_be16(p + 8);
    flac->bits = ((p[12] & 1u) << 4 | p[13] >> 4) + 1;
    flac->total = (uint64_t)(p[13] & 15) << 32 | field_be32(p + 14);
    return block_least >= 16 && block_least <= block_most && flac->bits >= 4;
}

/* TITLE= of a VORBIS_COMMENT block. */
static void take_comments(struct flac *flac, uint64_t at, uint64_t end)
{
    uint32_t size, count;

    if (!reader_le32(flac->reader, at, &size) || size > end - at ||
        !reader_le32(flac->reader, at + 4 + size, &count))
        return;
    at += 8 + (uint64_t)size;
    for (uint32_t i = 0; i < count && at + 4 <= end; i++, at += 4 + (uint64_t)size) {
        const uint8_t *p;

        if (!reader_le32(flac->reader, at, &size) || size > end - at)
            return;
        p = size > 6 && size < 2048 ? reader_at(flac->reader, at + 4, size) : NULL;
        if (p != NULL && strncasecmp((const char *)p, "TITLE=", 6) == 0) {
            carved_title(flac->ret, p + 6, size - 6, "UTF-8");
            return;
        }
    }
}

/* PICTURE: type, media type, description, four numbers, and the picture. */
static void take_picture(struct flac *flac, uint64_t at, uint64_t end)
{
    uint32_t type, description, size;

    if (!reader_be32(flac->reader, at + 4, &type) || !reader_be32(flac->reader, at + 8 + type, &description))
        return;
    at += 12 + (uint64_t)type + description + 16;
    if (!reader_be32(flac->reader, at, &size) || !u64_range_fits(at + 4, size, end))
        return;
    if (reader_is(flac->reader, at + 4, "\xff\xd8\xff", 3))
        carved_part(flac->ret, at + 4, size, "jpg");
    else if (reader_is(flac->reader, at + 4, "\x89PNG", 4))
        carved_part(flac->ret, at + 4, size, "png");
}

/* The metadata blocks; false: not all well-formed. */
static bool walk_metadata(struct flac *flac)
{
    for (int i = 0; i < BLOCKS_MAX; i++) {
        const uint8_t *p = reader_at(flac->reader, flac->at, 4);
        uint64_t begin = flac->at + 4, size;
        unsigned type;
        bool last;

        if (p == NULL)
            return false;
        type = p[0] & 0x7f;
        last = (p[0] & 0x80) != 0;
        size = (uint64_t)p[1] << 16 | (uint64_t)p[2] << 8 | p[3];
        if (type == 127 || (type == 0) != (i == 0) || !u64_range_fits(begin, size, reader_size(flac->reader)))
            return false;
        if (type == 4)
            take_comments(flac, begin, begin + size);
        else if (type == 6)
            take_picture(flac, begin, begin + size);
        flac->block = begin;
        flac->at = begin + size;
        if (last)
            return true;
    }
    return false;
}

/* ------------------------------------------------------------------ frames */

static bool head_at(struct flac *flac, uint64_t offset, struct flac_head *ret)
{
    uint64_t left = offset < reader_size(flac->reader) ? reader_size(flac->reader) - offset : 0;
    size_t size = left < FLAC_HEAD_MAX ? (size_t)left : FLAC_HEAD_MAX;
    const uint8_t *p = size > 0 ? reader_at(flac->reader, offset, size) : NULL;

    return p != NULL && flac_head(p, size, &flac->crc8, ret);
}

/* The number that a frame must have here. */
static bool is_next(const struct flac *flac, const struct flac_head *head, uint64_t samples, uint64_t frames)
{
    return head->number == (head->variable ? samples : frames) && (flac->total == 0 || samples < flac->total);
}

/* Is [at, end) a frame by its CRC-16? `*state` is that of the bytes up to `*done`, and moves on. */
static bool crc_holds(struct flac *flac, uint64_t end, uint64_t *done, uint32_t *state)
{
    /* Over a frame with its CRC the register comes to zero. */
    if (!crc_reader(&flac->crc16, flac->reader, *done, end - *done, state))
        return false;
    *done = end;
    return crc_value(&flac->crc16, *state) == 0;
}

/* The end of the frame at `at`: where the frame that follows begins; 0 when none does within `most`. */
static uint64_t end_by_next(struct flac *flac, uint64_t most, struct flac_head *ret_next)
{
    uint64_t limit = u64_add_saturating(flac->at, most), from = flac->at + flac->head.size, done = flac->at;
    uint32_t state = crc_begin(&flac->crc16, 0);
    uint8_t sync[2] = {0xff, flac->head.variable ? 0xf9 : 0xf8};

    while ((from = reader_find(flac->reader, from, limit, sync, 2)) != UINT64_MAX) {
        if (head_at(flac, from, ret_next) &&
            is_next(flac, ret_next, flac->samples + flac->head.block, flac->frames + 1) &&
            crc_holds(flac, from, &done, &state))
            return from;
        from++;
    }
    return 0;
}

/* The end of the last frame: what its content and its CRC-16 say. */
static uint64_t end_by_content(struct flac *flac, uint64_t most)
{
    unsigned bits = flac->head.bits != 0 ? flac->head.bits : flac->bits;
    uint64_t end = flac_frame_end(flac->reader, flac->at, &flac->head, bits, most), done = flac->at;
    uint32_t state = crc_begin(&flac->crc16, 0);

    return end > flac->at + 2 && end <= reader_size(flac->reader) && crc_holds(flac, end, &done, &state) ? end
                                                                                                         : 0;
}

/* One frame; false: the one at `at` does not hold. */
static bool frame(struct flac *flac)
{
    uint64_t most = flac->frame_most > 0 ? flac->frame_most : FRAME_MOST, end = 0;
    struct flac_head next;
    bool last = flac->total > 0 && flac->samples + flac->head.block >= flac->total;

    if (!last)
        end = end_by_next(flac, most + 1, &next);
    if (end == 0 && (end = end_by_content(flac, most + 2)) == 0)
        return false;
    flac->at = end;
    flac->samples += flac->head.block;
    flac->frames++;
    return true;
}

static void walk_frames(struct flac *flac)
{
    while ((flac->total == 0 || flac->samples < flac->total) && head_at(flac, flac->at, &flac->head) &&
           is_next(flac, &flac->head, flac->samples, flac->frames)) {
        if (!frame(flac))
            return;
    }
}

static enum carve_grade finish(struct flac *flac)
{
    struct carved *ret = flac->ret;

    if (flac->total == 0 && flac->frames > 0)
        return carved_whole(ret, CARVE_COMPLETE, id3_behind(flac->reader, flac->at, ret));
    if (flac->samples == flac->total && flac->frames > 0)
        return carved_whole(ret, CARVE_VALIDATED, id3_behind(flac->reader, flac->at, ret));
    carved_partial(ret, flac->frames > 0 ? flac->at : flac->block,
                   "the sound behind %llu of %llu samples: the frame there is cut or not its own",
                   (unsigned long long)flac->samples, (unsigned long long)flac->total);
    return ret->grade = flac->frames > 0 ? CARVE_PARTIAL : CARVE_FRAGMENT;
}

static enum carve_grade examine_flac(struct reader *reader, struct carved *ret)
{
    struct flac flac = {.reader = reader, .ret = ret, .at = 4};
    const uint8_t *p = reader_at(reader, 0, 8 + STREAMINFO);

    if (p == NULL || memcmp(p, "fLaC", 4) != 0 || (p[4] & 0x7f) != 0 || p[5] != 0 || p[6] != 0 ||
        p[7] != STREAMINFO || !take_streaminfo(&flac, p + 8))
        return CARVE_NONE;
    if (!walk_metadata(&flac)) {
        carved_partial(ret, flac.at, "the metadata behind byte %llu, and the sound",
                       (unsigned long long)flac.at);
        return ret->grade = CARVE_FRAGMENT;
    }
    crc_init(&flac.crc8, 8, 0x07);
    crc_init(&flac.crc16, 16, 0x8005);
    walk_frames(&flac);
    return finish(&flac);
}

static const struct carve_format flac_format = {"flac", examine_flac};
const struct carve_format *const carve_flac[] = {&flac_format, NULL};
