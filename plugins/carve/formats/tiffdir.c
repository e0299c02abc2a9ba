/*
 * tiffdir: see tiffdir.h.
 */
#include "plugins/carve/formats/tiffdir.h"

#include "engine/base/bytes.h"

#include <string.h>

enum { ENTRY_SIZE = 12, ENTRY_SIZE_BIG = 20, COUNT_MAX = 4096, TEXT_MAX = 200 };

static bool number(const struct tiffdir *dir, uint64_t at, size_t size, uint64_t *ret)
{
    const uint8_t *p =
        u64_range_fits(at, size, dir->size) ? reader_at(dir->reader, dir->base + at, size) : NULL;

    *ret = 0;
    for (size_t i = 0; p != NULL && i < size; i++)
        *ret = *ret << 8 | p[dir->big_endian ? i : size - 1 - i];
    return p != NULL;
}

bool tiffdir_open(struct tiffdir *dir, struct reader *reader, uint64_t base, uint64_t size)
{
    const uint8_t *p = size >= 8 ? reader_at(reader, base, 8) : NULL;
    uint64_t version, word;

    if (p == NULL || p[0] != p[1] || (p[0] != 'I' && p[0] != 'M'))
        return false;
    *dir = (struct tiffdir){.reader = reader, .base = base, .size = size, .big_endian = p[0] == 'M'};
    if (!number(dir, 2, 2, &version))
        return false;
    dir->big = version == 43;
    if (!dir->big)
        return number(dir, 4, 4, &dir->first) && dir->first >= 8;
    return number(dir, 4, 4, &word) && word == (dir->big_endian ? 0x80000 : 8) &&
           number(dir, 8, 8, &dir->first) && dir->first >= 16;
}

uint64_t tiffdir_size(const struct tiffdir *dir, uint64_t count)
{
    return dir->big ? 16 + count * ENTRY_SIZE_BIG : 6 + count * ENTRY_SIZE;
}

bool tiffdir_count(const struct tiffdir *dir, uint64_t at, uint64_t *ret_count, uint64_t *ret_next)
{
    size_t word = dir->big ? 8 : 2;
    uint64_t count, next;

    if (!number(dir, at, word, &count) || count == 0 || count > COUNT_MAX ||
        !number(dir, at + tiffdir_size(dir, count) - (dir->big ? 8 : 4), dir->big ? 8 : 4, &next))
        return false;
    *ret_count = count;
    *ret_next = next;
    return true;
}

static uint64_t type_size(uint16_t type)
{
    static const uint8_t sizes[] = {0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8};

    return type < sizeof sizes ? sizes[type] : 0;
}

bool tiffdir_entry(const struct tiffdir *dir, uint64_t at, uint64_t index, struct tiffdir_entry *ret)
{
    size_t word = dir->big ? 8 : 4;
    uint64_t place = at + (dir->big ? 8 + index * ENTRY_SIZE_BIG : 2 + index * ENTRY_SIZE), tag, type;

    if (!number(dir, place, 2, &tag) || !number(dir, place + 2, 2, &type) ||
        !number(dir, place + 4, word, &ret->count) || !number(dir, place + 4 + word, word, &ret->at))
        return false;
    ret->tag = (uint16_t)tag;
    ret->type = (uint16_t)type;
    ret->size = u64_mul_saturating(ret->count, type_size(ret->type));
    if (ret->size <= word)
        ret->at = place + 4 + word;
    return true;
}

bool tiffdir_find(const struct tiffdir *dir, uint64_t at, uint16_t tag, struct tiffdir_entry *ret)
{
    uint64_t count, next;

    if (!tiffdir_count(dir, at, &count, &next))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        if (tiffdir_entry(dir, at, i, ret) && ret->tag == tag)
            return true;
    }
    return false;
}

bool tiffdir_number(const struct tiffdir *dir, const struct tiffdir_entry *entry, uint64_t index,
                    uint64_t *ret)
{
    uint64_t size = type_size(entry->type), value;

    if (index >= entry->count || size == 0 || entry->type == 5 || entry->type == 10)
        return false;
    if (!number(dir, u64_add_saturating(entry->at, index * size), (size_t)size, &value))
        return false;
    *ret = value;
    return true;
}

bool tiffdir_find_number(const struct tiffdir *dir, uint64_t at, uint16_t tag, uint64_t *ret)
{
    struct tiffdir_entry entry;

    return tiffdir_find(dir, at, tag, &entry) && tiffdir_number(dir, &entry, 0, ret);
}

/* A text's bytes without what pads it; how many went into `ret`. */
static size_t text(const struct tiffdir *dir, uint16_t tag, char ret[TEXT_MAX])
{
    struct tiffdir_entry entry;
    const uint8_t *p;
    size_t size;

    if (!tiffdir_find(dir, dir->first, tag, &entry) || entry.type != 2)
        return 0;
    size = entry.size < TEXT_MAX ? (size_t)entry.size : TEXT_MAX;
    p = u64_range_fits(entry.at, size, dir->size) ? reader_at(dir->reader, dir->base + entry.at, size) : NULL;
    if (p == NULL)
        return 0;
    size = strnlen((const char *)p, size);
    while (size > 0 && p[size - 1] <= ' ')
        size--;
    memcpy(ret, p, size);
    return size;
}

void tiffdir_title(const struct tiffdir *dir, struct carved *carved)
{
    static const uint16_t tags[] = {TIFF_MODEL, TIFF_DATE};
    char title[3 * (TEXT_MAX + 1)];
    size_t size = text(dir, TIFF_DESCRIPTION, title);

    for (size_t i = 0, had = size; had == 0 && i < 2; i++) {
        size_t more = text(dir, tags[i], title + size + (size > 0));

        if (more > 0 && size > 0)
            title[size++] = ' ';
        size += more;
    }
    if (size > 0)
        carved_title(carved, title, size, "UTF-8");
}

void tiffdir_thumbnail(const struct tiffdir *dir, struct carved *carved)
{
    uint64_t count, next, at, size;

    if (!tiffdir_count(dir, dir->first, &count, &next) || next == 0 ||
        !tiffdir_find_number(dir, next, TIFF_JPEG_OFFSET, &at) ||
        !tiffdir_find_number(dir, next, TIFF_JPEG_SIZE, &size) || !u64_range_fits(at, size, dir->size) ||
        size < 4 || !reader_is(dir->reader, dir->base + at, "\xff\xd8\xff", 3))
        return;
    carved_part(carved, dir->base + at, size, "jpg");
}
