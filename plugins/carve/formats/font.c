/*
 * font: TrueType and OpenType fonts and collections [Microsoft, OpenType specification 1.9, The OpenType Font
 * File; Apple, TrueType Reference Manual]. The end is the furthest of the tables in the directory, with the
 * padding to four bytes where it is there. Validated: every table has the checksum that the directory says,
 * and a single font as a whole the one of its head table. The title is the full name.
 */
#include "plugins/carve/format.h"

#include "plugins/carve/formats/field.h"

#include <string.h>

enum { TABLES_MAX = 96, FONTS_MAX = 64, ENTRY = 16, NAMES_MAX = 512, PIECE = 32 * 1024 };

#define HEAD_MAGIC UINT32_C(0xB1B0AFBA)

struct font {
    struct reader *reader;
    uint64_t end, bad; /* bad: of the first table whose checksum is wrong; UINT64_MAX: none */
    uint32_t wrong;
    uint32_t sum; /* of directory and tables */
    bool adjusted, postscript, collection;
    uint32_t adjustment;
};

static bool tag_is_legal(const uint8_t *p)
{
    for (size_t i = 0; i < 4; i++) {
        if (p[i] < ' ' || p[i] > '~')
            return false;
    }
    return p[0] != ' ';
}

/* The sum of big-endian words, the last one filled with zeros. */
static bool add_words(struct reader *reader, uint64_t offset, uint64_t size, uint32_t *sum)
{
    for (uint64_t done = 0; done < size; done += PIECE) {
        size_t n = size - done < PIECE ? (size_t)(size - done) : PIECE, i;
        const uint8_t *p = reader_at(reader, offset + done, n);

        if (p == NULL)
            return false;
        for (i = 0; i + 4 <= n; i += 4)
            *sum += field_be32(p + i);
        for (size_t k = 0; i + k < n; k++)
            *sum += (uint32_t)p[i + k] << (24 - 8 * k);
    }
    return true;
}

static void find_name(struct font *font, uint64_t offset, uint64_t size, struct carved *ret)
{
    const uint8_t *p = size >= 6 ? reader_at(font->reader, offset, 6) : NULL;
    uint32_t count = p != NULL ? field_be16(p + 2) : 0, strings = p != NULL ? field_be16(p + 4) : 0;

    for (uint32_t i = 0; i < count && i < NAMES_MAX && ret->title[0] == '\0'; i++) {
        bool windows;
        uint32_t length, at;

        if ((p = reader_at(font->reader, offset + 6 + 12 * (uint64_t)i, 12)) == NULL)
            return;
        windows = field_be16(p) == 3 || field_be16(p) == 0;
        length = field_be16(p + 8);
        at = strings + field_be16(p + 10);
        if (field_be16(p + 6) != 4 || length == 0 || length > 512 || (uint64_t)at + length > size ||
            (field_be16(p) == 3 && field_be16(p + 4) != 0x409) ||
            (field_be16(p) == 1 && field_be16(p + 2) != 0) || field_be16(p) == 2 ||
            (p = reader_at(font->reader, offset + at, length)) == NULL)
            continue;
        carved_title(ret, p, length, windows ? "UTF-16BE" : "UTF-8");
    }
}

/* One table of the directory: within the data, with its checksum. */
static bool take_table(struct font *font, const uint8_t entry[ENTRY], struct carved *ret)
{
    uint64_t offset = field_be32(entry + 8), size = field_be32(entry + 12);
    bool head = memcmp(entry, "head", 4) == 0;
    uint32_t sum = 0, stored = field_be32(entry + 4);

    if (offset + size > font->end)
        font->end = offset + size;
    if (size == 0)
        return true;
    if (!add_words(font->reader, offset, size, &sum))
        return false;
    if (head && size >= 12) {
        if (!reader_be32(font->reader, offset + 8, &font->adjustment))
            return false;
        sum -= font->adjustment; /* counts as zero */
        font->adjusted = true;
    }
    font->sum += sum;
    font->postscript |= memcmp(entry, "CFF", 3) == 0;
    if (memcmp(entry, "name", 4) == 0)
        find_name(font, offset, size, ret);
    if (sum != stored && head && font->collection) {
        /* FontForge writes another one there: then the table's own magic number has to do. */
        font->wrong += size < 16 || !reader_is(font->reader, offset + 12, "\x5f\x0f\x3c\xf5", 4);
    } else if (sum != stored) {
        font->wrong++;
        font->bad = offset < font->bad ? offset : font->bad;
    }
    return true;
}

/* A directory at `at`: false when it is none. What it names goes to `tables`, in the order of the data. */
static bool read_directory(struct font *font, uint64_t at, uint8_t tables[TABLES_MAX][ENTRY],
                           uint32_t *ret_count)
{
    const uint8_t *p = reader_at(font->reader, at, 12);
    uint32_t count, version, before = 0;

    if (p == NULL)
        return false;
    version = field_be32(p);
    count = field_be16(p + 4);
    if ((version != 0x00010000 && version != 0x4f54544f && version != 0x74727565) || count == 0 ||
        count > TABLES_MAX || (p = reader_at(font->reader, at, 12 + (size_t)count * ENTRY)) == NULL)
        return false;
    p += 12;
    for (uint32_t i = 0; i < count; i++, p += ENTRY) {
        uint32_t k = i;

        if (!tag_is_legal(p) || field_be32(p) <= before || field_be32(p + 8) < 12)
            return false;
        before = field_be32(p);
        for (; k > 0 && field_be32(tables[k - 1] + 8) > field_be32(p + 8); k--)
            memcpy(tables[k], tables[k - 1], ENTRY);
        memcpy(tables[k], p, ENTRY);
    }
    *ret_count = count;
    return true;
}

static bool has_head(uint8_t tables[TABLES_MAX][ENTRY], uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (memcmp(tables[i], "head", 4) == 0)
            return true;
    }
    return false;
}

/* True unless the data ends before the font does. */
static bool take_tables(struct font *font, uint8_t tables[TABLES_MAX][ENTRY], uint32_t count,
                        struct carved *ret)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!take_table(font, tables[i], ret))
            return false;
    }
    return true;
}

/* Tables are padded to four bytes; whether the last one is, the bytes there tell. */
static uint64_t padded(const struct font *font)
{
    uint64_t padding = -font->end & 3;

    return padding > 0 && reader_is_all(font->reader, font->end, padding, 0) ? font->end + padding
                                                                             : font->end;
}

static enum carve_grade finish(struct font *font, bool right, struct carved *ret)
{
    uint64_t end = padded(font);

    if (font->end > reader_size(font->reader))
        return carved_partial(ret,
                              font->bad < reader_size(font->reader) ? font->bad : reader_size(font->reader),
                              "the data ends before the last table does");
    if (font->wrong > 1 && font->bad != UINT64_MAX) {
        carved_partial(ret, font->bad, "the tables from byte %llu have other checksums",
                       (unsigned long long)font->bad);
        ret->size = end;
        return ret->grade;
    }
    return carved_whole(ret, right && font->wrong == 0 ? CARVE_VALIDATED : CARVE_COMPLETE, end);
}

static enum carve_grade examine_font(struct reader *reader, struct carved *ret)
{
    struct font font = {.reader = reader, .bad = UINT64_MAX};
    uint8_t tables[TABLES_MAX][ENTRY];
    uint32_t count;

    if (!read_directory(&font, 0, tables, &count))
        return CARVE_NONE;
    font.end = 12 + (uint64_t)count * ENTRY;
    if (!has_head(tables, count) || field_be32(tables[0] + 8) < font.end ||
        !add_words(reader, 0, font.end, &font.sum))
        return CARVE_NONE;
    if (!take_tables(&font, tables, count, ret)) {
        for (uint32_t i = 0; i < count; i++) {
            uint64_t end = (uint64_t)field_be32(tables[i] + 8) + field_be32(tables[i] + 12);

            font.end = end > font.end ? end : font.end;
        }
    }
    ret->extension = font.postscript ? "otf" : "ttf";
    ret->format = font.postscript ? "OpenType font" : "TrueType font";
    return finish(&font, font.adjusted && font.sum + font.adjustment == HEAD_MAGIC, ret);
}

static enum carve_grade examine_collection(struct reader *reader, struct carved *ret)
{
    struct font font = {.reader = reader, .bad = UINT64_MAX, .collection = true};
    uint8_t tables[TABLES_MAX][ENTRY], offsets[FONTS_MAX * 4 + 12];
    const uint8_t *p = reader_at(reader, 0, 12);
    uint32_t fonts = p != NULL ? field_be32(p + 8) : 0, count = 0, version;
    bool cut = false;

    if (p == NULL || memcmp(p, "ttcf\0", 5) != 0 || (p[5] != 1 && p[5] != 2) || fonts == 0 ||
        fonts > FONTS_MAX)
        return CARVE_NONE;
    version = p[5];
    font.end = 12 + 4 * (uint64_t)fonts + (version == 2 ? 12 : 0);
    if ((p = reader_at(reader, 12, (size_t)font.end - 12)) == NULL)
        return CARVE_NONE;
    memcpy(offsets, p, (size_t)font.end - 12);
    for (uint32_t i = 0; i < fonts && !cut; i++) {
        uint64_t at = field_be32(offsets + 4 * (size_t)i);

        if (at < font.end && i == 0)
            return CARVE_NONE;
        if (!read_directory(&font, at, tables, &count))
            return i == 0
                       ? CARVE_NONE
                       : carved_partial(ret, font.end < reader_size(reader) ? font.end : reader_size(reader),
                                        "the directory of font %u of %u", i + 1, fonts);
        cut = !take_tables(&font, tables, count, ret);
    }
    p = offsets + 4 * (size_t)fonts;
    if (version == 2 && memcmp(p, "DSIG", 4) == 0 &&
        (uint64_t)field_be32(p + 8) + field_be32(p + 4) > font.end)
        font.end = (uint64_t)field_be32(p + 8) + field_be32(p + 4);
    ret->extension = "ttc";
    ret->format = "font collection";
    return finish(&font, true, ret);
}

static const struct carve_format font_format = {"font", examine_font};
static const struct carve_format collection_format = {"ttc", examine_collection};
const struct carve_format *const carve_font[] = {&font_format, &collection_format, NULL};
