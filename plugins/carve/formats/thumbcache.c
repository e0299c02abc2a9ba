/*
 * thumbcache: Windows Explorer's cache of thumbnails, thumbcache_*.db of Vista to 11 [J. Metz, Windows
 * Explorer Thumbnail Cache database file format specification, 2024]. A header of 24 bytes and entries, each
 * with its size; the last is free room to the file's end. The checksums are a CRC-64 whose polynomial is not
 * published: complete at best. The first pictures are parts.
 */
#include "plugins/carve/format.h"

#include "plugins/carve/formats/field.h"

#include <string.h>

enum { HEADER = 24, ENTRY_MAX = 256 * 1024 * 1024, ENTRIES_MAX = 1 << 20 };

struct entry {
    uint32_t size, head, name, padding, data;
};

/* An entry's head: 48 bytes in Windows 7, 56 in the others, of which Vista has an extension in it. */
static bool read_entry(struct reader *reader, uint32_t version, uint64_t at, struct entry *ret)
{
    size_t sizes = version == 20 ? 24 : 16;
    const uint8_t *p = reader_at(reader, at, sizes + 12);

    ret->head = version == 21 ? 48 : 56;
    if (p == NULL || memcmp(p, "CMMM", 4) != 0)
        return false;
    ret->size = field_le32(p + 4);
    ret->name = field_le32(p + sizes);
    ret->padding = field_le32(p + sizes + 4);
    ret->data = field_le32(p + sizes + 8);
    return ret->size >= ret->head && ret->size <= ENTRY_MAX && ret->name <= 4096 && ret->padding <= 4096 &&
           (uint64_t)ret->head + ret->name + ret->padding + ret->data <= ret->size;
}

static void take_picture(struct reader *reader, uint64_t at, uint32_t size, struct carved *ret)
{
    const char *extension = reader_is(reader, at, "\xff\xd8\xff", 3)  ? "jpg"
                            : reader_is(reader, at, "\x89PNG\r\n", 6) ? "png"
                            : reader_is(reader, at, "BM", 2)          ? "bmp"
                                                                      : NULL;

    if (extension != NULL)
        carved_part(ret, at, size, extension);
}

static bool header_is_sane(const uint8_t *p)
{
    uint32_t version = field_le32(p + 4);

    return memcmp(p, "CMMM", 4) == 0 &&
           (version == 20 || version == 21 || (version >= 26 && version <= 32)) && field_le32(p + 8) <= 16;
}

static enum carve_grade examine_thumbcache(struct reader *reader, struct carved *ret)
{
    const uint8_t *p = reader_at(reader, 0, HEADER);
    uint32_t version, entries = 0;
    uint64_t at = HEADER;
    struct entry entry;

    if (p == NULL || !header_is_sane(p))
        return CARVE_NONE;
    version = field_le32(p + 4);
    while (entries < ENTRIES_MAX && read_entry(reader, version, at, &entry)) {
        if (at + entry.size > reader_size(reader))
            return carved_partial(ret, at, "the data ends within the entry at byte %llu",
                                  (unsigned long long)at);
        if (entry.data > 0)
            take_picture(reader, at + entry.head + entry.name + entry.padding, entry.data, ret);
        at += entry.size;
        entries++;
    }
    if (entries == 0)
        return CARVE_NONE;
    return carved_whole(ret, CARVE_COMPLETE, at);
}

static const struct carve_format thumbcache_format = {"thumbcache", examine_thumbcache};
const struct carve_format *const carve_thumbcache[] = {&thumbcache_format, NULL};
