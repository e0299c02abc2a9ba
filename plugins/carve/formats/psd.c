/*
 * psd: Photoshop documents, PSD and PSB [Adobe, Photoshop File Formats]. Five sections; the last is the
 * picture with all layers merged, which tells its end by the lengths of its rows (RLE), by its sides (raw),
 * or by itself (zlib).
 *
 * Validated: the resources fill their section, the rows of the merged picture unpack to its width, and what
 * is not looked into (the layers) is not more than seven times what is.
 */
#include "plugins/carve/format.h"

#include "engine/base/bytes.h"

#include <string.h>

enum { HEAD = 26, RAW = 0, RLE = 1, ZIP = 2, ZIP_PREDICTED = 3, CHANNELS_MAX = 56, RESOURCES_MAX = 10000 };

struct psd {
    struct reader *reader;
    struct carved *carved;
    bool big;
    uint32_t channels, high, wide, depth;
    uint64_t offset, good, resources, layers;
};

static uint64_t row_size(const struct psd *psd)
{
    return ((uint64_t)psd->wide * psd->depth + 7) / 8;
}

static bool head_holds(struct psd *psd)
{
    const uint8_t *p = reader_at(psd->reader, 0, HEAD);
    uint16_t version, mode;
    struct bytes bytes;

    if (p == NULL || memcmp(p, "8BPS", 4) != 0 || memcmp(p + 6, "\0\0\0\0\0", 6) != 0)
        return false;
    bytes_init(&bytes, p, HEAD);
    bytes_skip(&bytes, 4);
    version = bytes_u16be(&bytes);
    bytes_skip(&bytes, 6);
    psd->channels = bytes_u16be(&bytes);
    psd->high = bytes_u32be(&bytes);
    psd->wide = bytes_u32be(&bytes);
    psd->depth = bytes_u16be(&bytes);
    mode = bytes_u16be(&bytes);
    psd->big = version == 2;
    return (version == 1 || version == 2) && psd->channels >= 1 && psd->channels <= CHANNELS_MAX &&
           psd->high > 0 && psd->wide > 0 && psd->high <= 300000 && psd->wide <= 300000 &&
           (psd->depth == 1 || psd->depth == 8 || psd->depth == 16 || psd->depth == 32) && mode <= 9;
}

/* The resources that fill [at, end): the thumbnail is a part. */
static bool resources_hold(struct psd *psd, uint64_t at, uint64_t end)
{
    for (unsigned i = 0; at < end && i < RESOURCES_MAX; i++) {
        const uint8_t *p = u64_range_fits(at, 12, end) ? reader_at(psd->reader, at, 7) : NULL;
        uint64_t data, id, length;
        uint32_t size;

        if (p == NULL ||
            (memcmp(p, "8BIM", 4) != 0 && memcmp(p, "MeSa", 4) != 0 && memcmp(p, "AgHg", 4) != 0 &&
             memcmp(p, "PHUT", 4) != 0 && memcmp(p, "DCSR", 4) != 0))
            return false;
        id = (uint64_t)p[4] << 8 | p[5];
        data = at + 6 + ((p[6] + 2u) & ~1u) + 4;
        if (!reader_be32(psd->reader, data - 4, &size) || !u64_range_fits(data, size, end))
            return false;
        length = (uint64_t)size + (size & 1);
        if (id == 1036 && size > 28)
            carved_part(psd->carved, data + 28, size - 28, "jpg");
        at = data + length;
    }
    return at == end || at == end + 1;
}

/* A section with its length in front. False: it is not all there. */
static bool pass_section(struct psd *psd, bool wide, uint64_t *ret_at, uint64_t *ret_size)
{
    uint32_t size = 0;
    uint64_t wide_size = 0;

    if (wide ? !reader_be64(psd->reader, psd->offset, &wide_size)
             : !reader_be32(psd->reader, psd->offset, &size))
        return false;
    *ret_at = psd->offset + (wide ? 8 : 4);
    *ret_size = wide ? wide_size : size;
    if (!u64_range_fits(*ret_at, *ret_size, reader_size(psd->reader)))
        return false;
    psd->offset = *ret_at + *ret_size;
    return true;
}

/* PackBits of one row, that fill [at, end). */
static bool row_holds(struct reader *reader, uint64_t at, uint64_t end, uint64_t wanted)
{
    uint64_t made = 0;
    uint8_t head;

    while (at < end) {
        if (!reader_u8(reader, at, &head))
            return false;
        at += head < 128 ? head + 2u : head == 128 ? 1 : 2;
        made += head < 128 ? head + 1u : head == 128 ? 0 : 257u - head;
    }
    return at == end && made == wanted;
}

/* The lengths of all rows of all channels, then the rows. *ret_end: how far they hold. The lengths are read
 * in blocks, so that the reader does not go to and fro. */
static bool rows_hold(struct psd *psd, uint64_t at, uint64_t *ret_end)
{
    size_t word = psd->big ? 4 : 2;
    uint64_t rows = (uint64_t)psd->channels * psd->high, data = at + rows * word;
    uint8_t lengths[16 * 1024];

    *ret_end = at;
    for (uint64_t row = 0; row < rows;) {
        uint64_t block = rows - row < sizeof lengths / word ? rows - row : sizeof lengths / word;
        const uint8_t *p = reader_at(psd->reader, at + row * word, (size_t)block * word);

        if (p == NULL)
            return false;
        memcpy(lengths, p, (size_t)block * word);
        for (uint64_t i = 0; i < block; i++, row++) {
            uint64_t length = 0;

            for (size_t k = 0; k < word; k++)
                length = length << 8 | lengths[i * word + k];
            if (!u64_range_fits(data, length, reader_size(psd->reader)) ||
                !row_holds(psd->reader, data, data + length, row_size(psd)))
                return false;
            data += length;
            *ret_end = data;
        }
    }
    return true;
}

/* The merged picture. False: it is cut or wrong behind *ret_end. */
static bool picture_holds(struct psd *psd, uint16_t compression, uint64_t *ret_end)
{
    uint64_t at = psd->offset + 2, size = row_size(psd) * psd->high * psd->channels, made;
    uint32_t crc;

    switch (compression) {
    case RAW:
        *ret_end = at;
        if (!u64_range_fits(at, size, reader_size(psd->reader)))
            return false;
        *ret_end = at + size;
        return true;
    case RLE:
        return rows_hold(psd, at, ret_end);
    default:
        return reader_inflate(psd->reader, READER_ZLIB, at, reader_size(psd->reader), size, ret_end, &made,
                              &crc) &&
               made == size;
    }
}

static enum carve_grade broken(struct psd *psd, struct carved *ret, uint64_t size, const char *what)
{
    carved_partial(ret, size, "%s behind byte %llu", what, (unsigned long long)size);
    ret->good = psd->good < size ? psd->good : size;
    return ret->grade;
}

static enum carve_grade walk(struct psd *psd, struct carved *ret)
{
    uint64_t at, size, end;
    uint16_t compression;

    psd->offset = psd->good = HEAD;
    if (!pass_section(psd, false, &at, &size))
        return broken(psd, ret, psd->offset, "the colours are cut");
    if (!pass_section(psd, false, &at, &size) || !resources_hold(psd, at, at + size))
        return broken(psd, ret, psd->good, "the resources are cut or wrong");
    psd->good = psd->offset;
    psd->resources = size;
    if (!pass_section(psd, psd->big, &at, &psd->layers))
        return broken(psd, ret, reader_size(psd->reader), "the layers are cut");
    if (!reader_be16(psd->reader, psd->offset, &compression) || compression > ZIP_PREDICTED)
        return broken(psd, ret, psd->offset, "no picture");
    if (compression == RAW && psd->resources == 0 && psd->layers == 0)
        return broken(psd, ret, psd->offset, "all sections are empty"); /* as a head before zeros would be */
    if (!picture_holds(psd, compression, &end))
        return broken(psd, ret, end, "the picture is cut or wrong");
    return carved_whole(
        ret, compression != RAW && psd->layers / 7 <= end - psd->offset ? CARVE_VALIDATED : CARVE_COMPLETE,
        end);
}

static enum carve_grade examine_psd(struct reader *reader, struct carved *ret)
{
    struct psd psd = {.reader = reader, .carved = ret};

    if (!head_holds(&psd))
        return CARVE_NONE;
    ret->extension = psd.big ? "psb" : "psd";
    walk(&psd, ret);
    if (ret->grade == CARVE_PARTIAL && psd.layers == 0 && ret->part_count == 0 && ret->size <= psd.good)
        ret->grade = CARVE_FRAGMENT;
    return ret->grade;
}

static const struct carve_format psd_format = {"psd", examine_psd};
const struct carve_format *const carve_psd[] = {&psd_format, NULL};
