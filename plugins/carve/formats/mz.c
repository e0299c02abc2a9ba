/*
 * mz: programs for DOS [Microsoft, MS-DOS Programmer's Reference, EXE file header] and 16-bit Windows (NE)
 * [Microsoft, Executable-File Header Format, KB 65260]. A DOS program's header counts its 512-byte pages;
 * what an overlay adds behind them is not named anywhere. An NE's end is the furthest of its segments,
 * resources and tables. Neither has a checksum that anybody sets: complete at best.
 */
#include "plugins/carve/format.h"

#include "plugins/carve/formats/field.h"

#include <string.h>

enum {
    HEADER = 28,
    PAGE = 512,
    NE_HEADER = 64,
    RELOCATIONS_MAX = 16 * 1024,
    IMAGE_MAX = 1024 * 1024, /* what 20 address lines reach; random bytes behind "MZ" mostly say more */
};

/* Where the load image ends; 0: the header contradicts itself. */
static uint64_t image_end(const uint8_t *p)
{
    uint32_t last = field_le16(p + 2), pages = field_le16(p + 4), relocations = field_le16(p + 6);
    uint32_t header = field_le16(p + 8) * 16u, table = field_le16(p + 24);
    uint64_t end;

    if (last >= PAGE || pages == 0)
        return 0;
    end = (uint64_t)pages * PAGE - (last > 0 ? PAGE - last : 0);
    if (header < HEADER || header >= end || field_le16(p + 10) > field_le16(p + 12) ||
        (relocations > 0 && (table < HEADER || table + relocations * 4 > header)))
        return 0;
    return end;
}

/* Linear address in the image of SEGMENT:OFFSET, whose segment may be negative (a COM turned into an EXE). */
static uint32_t linear(const uint8_t *offset, const uint8_t *segment)
{
    return (((uint32_t)field_le16(segment) << 4) + field_le16(offset)) & 0xfffff;
}

static bool relocations_fit(struct reader *reader, const uint8_t *head, uint64_t image)
{
    uint32_t count = field_le16(head + 6), table = field_le16(head + 24);

    for (uint32_t i = 0; i < count && i < RELOCATIONS_MAX; i++) {
        const uint8_t *p = reader_at(reader, table + 4 * (uint64_t)i, 4);

        if (p == NULL || linear(p, p + 2) + 2 > image)
            return false;
    }
    return true;
}

static void furthest(uint64_t *end, uint64_t candidate)
{
    if (candidate > *end)
        *end = candidate;
}

/* Segments: sector, length, flags, minimum; with relocations behind those that say so. */
static bool ne_segments(struct reader *reader, uint64_t table, uint32_t count, uint32_t shift, uint64_t *end)
{
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *p = reader_at(reader, table + 8 * (uint64_t)i, 8);
        uint64_t offset = p != NULL ? (uint64_t)field_le16(p) << shift : 0, last;
        uint16_t fixups = 0;

        if (p == NULL)
            return false;
        if (offset == 0)
            continue;
        last = offset + (field_le16(p + 2) != 0 ? field_le16(p + 2) : 65536);
        if ((field_le16(p + 4) & 0x0100) != 0 && reader_le16(reader, last, &fixups))
            last += 2 + 8 * (uint64_t)fixups;
        furthest(end, last);
    }
    return true;
}

/* Resources: a shift, then types with their resources, until a type of 0. */
static bool ne_resources(struct reader *reader, uint64_t at, uint64_t limit, uint64_t *end)
{
    uint16_t shift, type, count;

    if (!reader_le16(reader, at, &shift) || shift > 15)
        return false;
    at += 2;
    while (at < limit && reader_le16(reader, at, &type) && type != 0) {
        if (!reader_le16(reader, at + 2, &count))
            return false;
        at += 8;
        for (uint16_t i = 0; i < count; i++, at += 12) {
            const uint8_t *p = reader_at(reader, at, 12);

            if (p == NULL || at >= limit)
                return false;
            furthest(end, ((uint64_t)field_le16(p) + field_le16(p + 2)) << shift);
        }
    }
    return true;
}

static enum carve_grade examine_ne(struct reader *reader, uint32_t at, struct carved *ret)
{
    const uint8_t *p = reader_at(reader, at, NE_HEADER);
    uint32_t segments, shift, names, resources, resident, entries, entries_size;
    uint64_t end;

    if (p == NULL || p[2] > 10 || field_le16(p + 0x1c) == 0 || field_le16(p + 0x1c) > 1024 || p[0x36] > 5 ||
        field_le16(p + 0x32) > 15)
        return CARVE_NONE;
    segments = field_le16(p + 0x1c);
    shift = field_le16(p + 0x32) != 0 ? field_le16(p + 0x32) : 9;
    names = field_le32(p + 0x2c);
    resources = field_le16(p + 0x24);
    resident = field_le16(p + 0x26);
    entries = field_le16(p + 0x04);
    entries_size = field_le16(p + 0x06);
    end = (uint64_t)at + entries + entries_size;
    furthest(&end, (uint64_t)names + field_le16(p + 0x20));
    ret->extension = (field_le16(p + 0x0c) & 0x8000) != 0 ? "dll" : "exe";
    ret->format = "16-bit Windows program";
    if (resident < resources ||
        !ne_segments(reader, (uint64_t)at + field_le16(p + 0x22), segments, shift, &end) ||
        (resident > resources &&
         !ne_resources(reader, (uint64_t)at + resources, (uint64_t)at + resident, &end)))
        return CARVE_NONE;
    if (end > reader_size(reader))
        return carved_partial(ret, reader_size(reader),
                              "the data ends before the last segment or resource does");
    return carved_whole(ret, CARVE_COMPLETE, end);
}

static enum carve_grade examine_mz(struct reader *reader, struct carved *ret)
{
    const uint8_t *p = reader_at(reader, 0, 64), *next;
    uint8_t head[64];
    uint64_t end, image;
    uint32_t lfanew;

    if (p == NULL || p[0] != 'M' || p[1] != 'Z' || (end = image_end(p)) == 0)
        return CARVE_NONE;
    memcpy(head, p, sizeof head);
    lfanew = field_le32(head + 0x3c);
    next = field_le16(head + 24) >= 64 && lfanew >= 64 && lfanew < 1024 * 1024 ? reader_at(reader, lfanew, 4)
                                                                               : NULL;
    if (next != NULL && memcmp(next, "NE", 2) == 0)
        return examine_ne(reader, lfanew, ret);
    if (next != NULL &&
        (memcmp(next, "PE\0\0", 4) == 0 || memcmp(next, "LE\0\0", 4) == 0 || memcmp(next, "LX\0\0", 4) == 0))
        return CARVE_NONE;
    image = end - field_le16(head + 8) * 16u;
    /* The entry point lies in the image, and so does each place that is relocated. */
    if (image > IMAGE_MAX || linear(head + 20, head + 22) >= image || !relocations_fit(reader, head, image))
        return CARVE_NONE;
    if (end > reader_size(reader))
        return carved_partial(ret, reader_size(reader), "the data ends before the program's last page");
    return carved_whole(ret, CARVE_COMPLETE, end);
}

static const struct carve_format mz_format = {"mz", examine_mz};
const struct carve_format *const carve_mz[] = {&mz_format, NULL};
