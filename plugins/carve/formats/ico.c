/*
 * ico: icons and cursors of Windows [Microsoft, ICONDIR and ICONDIRENTRY]. A directory of pictures, each a
 * bitmap with a mask of one bit a pixel behind it, or a PNG file; they end where the furthest of them does.
 *
 * Validated: the pictures fill the file without a gap, each has the size that its head asks for, and those
 * that are PNG have all of their chunks and CRCs.
 */
#include "plugins/carve/formats/dib.h"
#include "plugins/carve/format.h"

#include "engine/base/bytes.h"

#include <string.h>

enum { HEAD = 6, ENTRY = 16, ENTRIES_MAX = 256, CHUNKS_MAX = 4096 };

struct entry {
    uint64_t at, size;
};

/* The chunks of a PNG file from its signature to IEND, which must end at its end. */
static bool png_holds(struct reader *reader, const struct entry *entry)
{
    uint64_t at = entry->at + 8, end = entry->at + entry->size;

    for (unsigned i = 0; i < CHUNKS_MAX; i++) {
        uint32_t length, stored, crc;
        bool last;

        if (!reader_be32(reader, at, &length) || !u64_range_fits(at, 12 + (uint64_t)length, end) ||
            !reader_be32(reader, at + 8 + length, &stored) ||
            !reader_crc32(reader, at + 4, 4 + (uint64_t)length, &crc) || crc != stored)
            return false;
        last = reader_is(reader, at + 4, "IEND", 4);
        at += 12 + (uint64_t)length;
        if (last)
            return at == end;
    }
    return false;
}

static bool dib_holds(struct reader *reader, const struct entry *entry)
{
    struct dib dib;
    uint64_t rows, mask;

    if (!dib_read(reader, entry->at, &dib) || dib.high % 2 != 0)
        return false;
    rows = dib.high / 2;
    mask = ((uint64_t)dib.wide + 31) / 32 * 4 * rows;
    rows *= dib.stride;
    /* some leave the mask out where pixels have a fourth byte */
    return entry->size == dib.header + dib.palette_size + rows + mask ||
           (dib.bits == 32 && entry->size == dib.header + rows);
}

static bool picture_holds(struct reader *reader, const struct entry *entry)
{
    if (reader_is(reader, entry->at, "\x89PNG\r\n\x1a\n", 8))
        return png_holds(reader, entry);
    return dib_holds(reader, entry);
}

/* Do the entries follow each other from the directory's end to `end`? The order may be any. */
static bool is_filled(const struct entry *entries, size_t count, uint64_t end)
{
    uint64_t at = HEAD + ENTRY * count;

    for (size_t done = 0; done < count; done++) {
        size_t i = 0;

        while (i < count && entries[i].at != at)
            i++;
        if (i == count)
            return false;
        at += entries[i].size;
    }
    return at == end;
}

static bool read_entry(struct reader *reader, size_t index, size_t count, bool cursor, struct entry *ret)
{
    const uint8_t *p = reader_at(reader, HEAD + ENTRY * index, ENTRY);
    struct bytes bytes;

    if (p == NULL || (!cursor && (p[4] > 1 || p[5] != 0 || p[6] > 32 || p[7] != 0)))
        return false;
    bytes_init(&bytes, p, ENTRY);
    bytes_skip(&bytes, 8);
    ret->size = bytes_u32le(&bytes);
    ret->at = bytes_u32le(&bytes);
    return ret->at >= HEAD + ENTRY * count && ret->size >= 40 && ret->size < 1 << 24 && ret->at < 1 << 28;
}

static enum carve_grade examine_ico(struct reader *reader, struct carved *ret)
{
    struct entry entries[ENTRIES_MAX];
    const uint8_t *p = reader_at(reader, 0, HEAD);
    uint64_t end = 0, good = HEAD, wrong = 0;
    size_t count;

    if (p == NULL || p[0] != 0 || p[1] != 0 || (p[2] != 1 && p[2] != 2) || p[3] != 0 || p[4] == 0 ||
        p[5] != 0)
        return CARVE_NONE;
    ret->extension = p[2] == 1 ? "ico" : "cur";
    ret->format = p[2] == 1 ? "Windows icon" : "Windows cursor";
    count = p[4];
    for (size_t i = 0; i < count; i++) {
        if (!read_entry(reader, i, count, ret->extension[0] == 'c', &entries[i]))
            return CARVE_NONE;
        end = entries[i].at + entries[i].size > end ? entries[i].at + entries[i].size : end;
    }
    for (size_t i = 0; i < count; i++) {
        bool holds = picture_holds(reader, &entries[i]);

        if (i == 0 && !holds && !reader_is(reader, entries[i].at, "\x89PNG\r\n\x1a\n", 8))
            return CARVE_NONE;
        wrong += !holds;
        good = wrong == 0 ? entries[i].at + entries[i].size : good;
    }
    if (end <= reader_size(reader) && wrong == 0)
        return carved_whole(ret, is_filled(entries, count, end) ? CARVE_VALIDATED : CARVE_COMPLETE, end);
    end = end < reader_size(reader) ? end : reader_size(reader);
    carved_partial(ret, end, "%llu of %zu pictures are cut or wrong", (unsigned long long)wrong, count);
    ret->good = good < end ? good : end;
    return ret->grade;
}

static const struct carve_format ico_format = {"ico", examine_ico};
const struct carve_format *const carve_ico[] = {&ico_format, NULL};
