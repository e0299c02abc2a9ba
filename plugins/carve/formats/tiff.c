/*
 * tiff: TIFF [Adobe, TIFF 6.0], BigTIFF, and the raw formats of cameras that are built upon it: CR2, NEF,
 * ARW, PEF, SRW, DNG [Adobe, Digital Negative 1.7]. Nothing in such a file tells its length: it ends behind
 * the furthest byte that a directory, a value, a strip or a tile of any directory reaches.
 *
 * Validated: every directory and value lies where it can, and at least seven eighths of the bytes of the
 * pictures are strips and tiles whose compression (LZW, Deflate, PackBits, JPEG also lossless) comes out
 * right. What is not compressed, or by a way that is not known here, has nothing to check: complete.
 */
#include "plugins/carve/formats/tiffdir.h"
#include "plugins/carve/formats/jpeg.h"
#include "plugins/carve/formats/tiff_strip.h"

#include "engine/base/bytes.h"

#include <string.h>

/* DATA: what may lie before the first directory of a file that was written in one go. */
enum {
    DATA_MIN = 64,
    DATA_MAX = 1 << 30,
    DIRECTORIES_MAX = 512,
    CFA = 32803,
    LINEAR_RAW = 34892,
    OLD_JPEG = 6,
    JPEG = 7
};

struct tiff {
    struct tiffdir dir;
    struct carved *carved;
    struct {
        uint64_t at;
        bool aside; /* about the picture: what is not there of it makes the picture no less whole */
    } queue[DIRECTORIES_MAX];
    size_t queued;
    uint64_t end;     /* furthest byte so far */
    uint64_t data_at; /* the first strip or tile that is not known to be right */
    uint64_t checked, unchecked;
    uint64_t wrong; /* strips and tiles whose data is not right */
    uint64_t lost;  /* directories that are not there */
    bool raw, image, odd;
    bool forgiving; /* a JPEG stream that may be only the head of one: before TIFF Technical Note 2 */
};

static void reach(struct tiff *tiff, uint64_t at, uint64_t size)
{
    uint64_t end = u64_add_saturating(at, size);

    tiff->end = end > tiff->end ? end : tiff->end;
}

static void enqueue(struct tiff *tiff, uint64_t at, bool aside)
{
    if (at == 0 || tiff->queued == DIRECTORIES_MAX)
        return;
    for (size_t i = 0; i < tiff->queued; i++) {
        if (tiff->queue[i].at == at)
            return;
    }
    tiff->queue[tiff->queued].at = at;
    tiff->queue[tiff->queued++].aside = aside;
}

static uint64_t number_or(const struct tiff *tiff, uint64_t at, uint16_t tag, uint64_t otherwise)
{
    uint64_t value;

    return tiffdir_find_number(&tiff->dir, at, tag, &value) ? value : otherwise;
}

/* ------------------------------------------------------------------ strips and tiles */

struct layout {
    uint64_t wide, high; /* of a strip or tile */
    uint64_t rows;       /* of the picture: strips only, 0 for tiles */
    uint64_t row_bytes;  /* 0: not known */
    uint64_t per_plane;  /* strips */
    struct tiff_strip strip;
};

static void read_layout(const struct tiff *tiff, uint64_t at, bool tiles, struct layout *ret)
{
    uint64_t samples = number_or(tiff, at, 0x115, 1), bits = number_or(tiff, at, 0x102, 1);
    uint64_t high = number_or(tiff, at, TIFF_HEIGHT, 0);
    struct tiffdir_entry tables;

    memset(ret, 0, sizeof *ret);
    ret->wide = number_or(tiff, at, tiles ? 0x142 : TIFF_WIDTH, 0);
    ret->high = number_or(tiff, at, tiles ? 0x143 : 0x116, high);
    ret->high = !tiles && ret->high > high ? high : ret->high;
    ret->rows = tiles ? 0 : high;
    ret->per_plane = ret->high > 0 ? (ret->rows + ret->high - 1) / ret->high : 0;
    if (number_or(tiff, at, 0x11c, 1) == 2)
        samples = 1;
    if (number_or(tiff, at, 0x106, 0) != 6 && samples < 1024 && bits <= 64 && ret->wide < UINT32_MAX)
        ret->row_bytes = (ret->wide * samples * bits + 7) / 8;
    ret->strip.compression = (uint32_t)number_or(tiff, at, 0x103, 1);
    if (tiffdir_find(&tiff->dir, at, 0x15b, &tables) && tables.size < READER_AT_MAX) {
        ret->strip.tables = tables.at;
        ret->strip.tables_size = tables.size;
    }
}

static uint64_t wanted(const struct layout *layout, uint64_t index)
{
    uint64_t high = layout->high;

    if (layout->per_plane > 0 && index % layout->per_plane == layout->per_plane - 1)
        high = layout->rows - (layout->per_plane - 1) * layout->high;
    return u64_mul_saturating(high, layout->row_bytes);
}

static void check(struct tiff *tiff, const struct tiff_strip *strip)
{
    enum tiff_strip_state state = STRIP_UNCHECKED;

    /* Strips that lie on each other, again and again, would be work without end. */
    if (u64_add_saturating(tiff->checked, tiff->unchecked) > reader_size(tiff->dir.reader))
        tiff->odd = true;
    else if (u64_range_fits(strip->at, strip->size, reader_size(tiff->dir.reader)))
        state = tiff_strip_check(tiff->dir.reader, strip);
    if (state == STRIP_WRONG && tiff->forgiving)
        state = STRIP_UNCHECKED;
    if (state == STRIP_HOLDS) {
        tiff->checked += strip->size;
        return;
    }
    tiff->unchecked = u64_add_saturating(tiff->unchecked, strip->size);
    tiff->wrong += state == STRIP_WRONG;
    if (strip->at < tiff->data_at)
        tiff->data_at = strip->at;
}

/* A JPEG picture that is one strip, as cameras keep their previews. */
static void take_preview(struct tiff *tiff, const struct tiff_strip *strip, uint64_t count)
{
    if (count == 1 && (strip->compression == OLD_JPEG || strip->compression == JPEG) &&
        strip->tables_size == 0 && reader_is(tiff->dir.reader, strip->at, "\xff\xd8\xff", 3))
        carved_part(tiff->carved, strip->at, strip->size, "jpg");
}

/* False: they do not lie in the file as far as it can be. */
static bool take_strips(struct tiff *tiff, uint64_t at, uint16_t offsets_tag, uint16_t sizes_tag)
{
    struct tiffdir_entry offsets, sizes;
    struct layout layout;
    bool sized = tiffdir_find(&tiff->dir, at, sizes_tag, &sizes);

    if (!tiffdir_find(&tiff->dir, at, offsets_tag, &offsets))
        return true;
    /* some name their tiles as strips */
    read_layout(tiff, at, number_or(tiff, at, 0x142, 0) > 0, &layout);
    if (sized ? sizes.count != offsets.count : layout.strip.compression != 1 || layout.row_bytes == 0)
        return false;
    tiff->image = true;
    for (uint64_t i = 0; i < offsets.count; i++) {
        struct tiff_strip *strip = &layout.strip;

        strip->wanted = wanted(&layout, i);
        strip->size = strip->wanted;
        if (!tiffdir_number(&tiff->dir, &offsets, i, &strip->at) ||
            (sized && !tiffdir_number(&tiff->dir, &sizes, i, &strip->size)) || strip->size > tiff->dir.size ||
            strip->at > tiff->dir.size)
            return false;
        if (strip->size == 0 || strip->at == 0)
            continue; /* sparse: not stored */
        reach(tiff, strip->at, strip->size);
        check(tiff, strip);
        if (i == 0)
            take_preview(tiff, strip, offsets.count);
    }
    return true;
}

static bool take_jpeg(struct tiff *tiff, uint64_t at)
{
    struct tiff_strip strip = {.compression = JPEG};

    if (!tiffdir_find_number(&tiff->dir, at, TIFF_JPEG_OFFSET, &strip.at) ||
        !tiffdir_find_number(&tiff->dir, at, TIFF_JPEG_SIZE, &strip.size) || strip.size == 0)
        return true;
    if (strip.size > tiff->dir.size || strip.at > tiff->dir.size)
        return false;
    reach(tiff, strip.at, strip.size);
    if (reader_is(tiff->dir.reader, strip.at, "\xff\xd8\xff", 3)) {
        tiff->forgiving = number_or(tiff, at, 0x103, 0) == OLD_JPEG;
        check(tiff, &strip);
        tiff->forgiving = false;
        carved_part(tiff->carved, strip.at, strip.size, "jpg");
    }
    return true;
}

/* ------------------------------------------------------------------ directories */

static bool is_pointer(uint16_t tag)
{
    return tag == TIFF_SUB_IFDS || tag == TIFF_EXIF || tag == TIFF_GPS || tag == TIFF_INTEROP;
}

static bool take_entry(struct tiff *tiff, const struct tiffdir_entry *entry)
{
    uint64_t next;

    if (entry->type == 0 || entry->size > tiff->dir.size || entry->at > tiff->dir.size)
        return false;
    reach(tiff, entry->at, entry->size);
    for (uint64_t i = 0; is_pointer(entry->tag) && i < entry->count && i < DIRECTORIES_MAX; i++) {
        if (tiffdir_number(&tiff->dir, entry, i, &next))
            enqueue(tiff, next, entry->tag != TIFF_SUB_IFDS);
    }
    if (entry->tag == 0x106 && tiffdir_number(&tiff->dir, entry, 0, &next))
        tiff->raw |= next == CFA || next == LINEAR_RAW;
    return true;
}

/* Sony keeps a directory, and the place and size of a second one that is encrypted, at the place that the
 * private data's value is. */
static void take_sony(struct tiff *tiff, uint64_t at)
{
    uint64_t private, hidden, size, count, next;
    struct tiffdir_entry entry;

    if (!tiffdir_find(&tiff->dir, at, TIFF_DNG_PRIVATE, &entry) || entry.size != 4)
        return;
    entry.type = 4;
    entry.count = 1;
    if (!tiffdir_number(&tiff->dir, &entry, 0, &private) ||
        !tiffdir_count(&tiff->dir, private, &count, &next))
        return;
    enqueue(tiff, private, true);
    if (tiffdir_find_number(&tiff->dir, private, 0x7200, &hidden) &&
        tiffdir_find_number(&tiff->dir, private, 0x7201, &size) && size < 1 << 24 && hidden < tiff->dir.size)
        reach(tiff, hidden, size);
}

static bool take_directory(struct tiff *tiff, uint64_t at, bool aside)
{
    uint64_t count, next;

    if (!tiffdir_count(&tiff->dir, at, &count, &next))
        return false;
    for (uint64_t i = 0; i < count; i++) {
        struct tiffdir_entry entry;

        if (!tiffdir_entry(&tiff->dir, at, i, &entry) || !take_entry(tiff, &entry))
            return false;
    }
    reach(tiff, at, tiffdir_size(&tiff->dir, count));
    if (aside)
        return true;
    take_sony(tiff, at);
    enqueue(tiff, next, false);
    return take_strips(tiff, at, TIFF_STRIP_OFFSETS, TIFF_STRIP_SIZES) &&
           take_strips(tiff, at, TIFF_TILE_OFFSETS, TIFF_TILE_SIZES) && take_jpeg(tiff, at);
}

static bool make_is(const struct tiff *tiff, const char *make)
{
    struct tiffdir_entry entry;

    return tiffdir_find(&tiff->dir, tiff->dir.first, TIFF_MAKE, &entry) && entry.size > strlen(make) &&
           reader_is(tiff->dir.reader, entry.at, make, strlen(make));
}

static void name_kind(struct tiff *tiff)
{
    static const struct {
        const char *make, *extension, *format;
    } kinds[] = {{"NIKON", "nef", "Nikon raw picture"},
                 {"SONY", "arw", "Sony raw picture"},
                 {"PENTAX", "pef", "Pentax raw picture"},
                 {"SAMSUNG", "srw", "Samsung raw picture"},
                 {"Canon", "cr2", "Canon raw picture"}};
    struct tiffdir_entry entry;
    bool cr2 = reader_is(tiff->dir.reader, 8, "CR\2\0", 4);

    if (tiffdir_find(&tiff->dir, tiff->dir.first, TIFF_DNG_VERSION, &entry)) {
        tiff->carved->extension = "dng";
        tiff->carved->format = "Digital Negative";
        return;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (make_is(tiff, kinds[i].make) && (strcmp(kinds[i].extension, "cr2") == 0 ? cr2 : tiff->raw)) {
            tiff->carved->extension = kinds[i].extension;
            tiff->carved->format = kinds[i].format;
        }
    }
}

/* Photoshop fills its files up to a multiple of four. */
static void fill_up(struct tiff *tiff)
{
    struct tiffdir_entry software;
    uint64_t fill = (4 - tiff->end % 4) % 4;

    if (fill > 0 && tiffdir_find(&tiff->dir, tiff->dir.first, 0x131, &software) && software.size > 15 &&
        reader_is(tiff->dir.reader, software.at, "Adobe Photoshop", 15) &&
        reader_is_all(tiff->dir.reader, tiff->end, fill, 0))
        tiff->end += fill;
}

static enum carve_grade finish(struct tiff *tiff, struct carved *ret)
{
    uint64_t there = reader_size(tiff->dir.reader), end;
    bool validated = tiff->checked / 7 >= tiff->unchecked && tiff->checked > 0 && !tiff->odd;

    fill_up(tiff);
    end = tiff->end;
    name_kind(tiff);
    tiffdir_title(&tiff->dir, ret);
    if (end <= there && tiff->wrong == 0 && tiff->lost == 0)
        return carved_whole(ret, validated ? CARVE_VALIDATED : CARVE_COMPLETE, end);
    if (end > there)
        carved_partial(ret, there, "the last %llu of %llu bytes: the data ends here",
                       (unsigned long long)(end - there), (unsigned long long)end);
    else if (tiff->wrong > 0)
        carved_partial(ret, end, "%llu strips or tiles whose data is not right",
                       (unsigned long long)tiff->wrong);
    else
        carved_partial(ret, end, "%llu directories that are not where they should be",
                       (unsigned long long)tiff->lost);
    ret->good = tiff->data_at < ret->size ? tiff->data_at : ret->size;
    return ret->grade;
}

/* The first directory must show a picture or lead to one: EXIF data has the same structure. */
static bool leads_to_image(const struct tiff *tiff)
{
    struct tiffdir_entry entry;
    uint64_t first = tiff->dir.first;

    return tiffdir_find(&tiff->dir, first, TIFF_STRIP_OFFSETS, &entry) ||
           tiffdir_find(&tiff->dir, first, TIFF_TILE_OFFSETS, &entry) ||
           tiffdir_find(&tiff->dir, first, TIFF_SUB_IFDS, &entry) ||
           (tiffdir_find(&tiff->dir, first, TIFF_WIDTH, &entry) &&
            tiffdir_find(&tiff->dir, first, TIFF_JPEG_OFFSET, &entry));
}

static enum carve_grade examine_tiff(struct reader *reader, struct carved *ret)
{
    struct tiff tiff = {.carved = ret, .data_at = UINT64_MAX};
    const uint8_t *p = reader_at(reader, 0, 4);
    uint64_t count, next;

    if (p == NULL || (memcmp(p, "II\x2a\0", 4) != 0 && memcmp(p, "MM\0\x2a", 4) != 0 &&
                      memcmp(p, "II\x2b\0", 4) != 0 && memcmp(p, "MM\0\x2b", 4) != 0))
        return CARVE_NONE;
    if (!tiffdir_open(&tiff.dir, reader, 0, UINT64_C(1) << 40) || tiff.dir.first >= tiff.dir.size)
        return CARVE_NONE;
    if (!tiffdir_count(&tiff.dir, tiff.dir.first, &count, &next)) {
        if (tiff.dir.first < DATA_MIN || tiff.dir.first > DATA_MAX)
            return CARVE_NONE;
        carved_partial(ret, 8, "the directory at byte %llu is not there", (unsigned long long)tiff.dir.first);
        return ret->grade = CARVE_FRAGMENT;
    }
    if (!leads_to_image(&tiff))
        return CARVE_NONE;
    enqueue(&tiff, tiff.dir.first, false);
    for (size_t i = 0; i < tiff.queued; i++) {
        bool holds = take_directory(&tiff, tiff.queue[i].at, tiff.queue[i].aside);

        tiff.odd |= !holds;
        tiff.lost += !holds && !tiff.queue[i].aside;
    }
    if (!tiff.image && tiff.lost > 0)
        return CARVE_NONE;
    finish(&tiff, ret);
    if (ret->grade == CARVE_PARTIAL && ret->good == 0)
        ret->grade = CARVE_FRAGMENT;
    return ret->grade;
}

static const struct carve_format tiff_format = {"tiff", examine_tiff};
const struct carve_format *const carve_tiff[] = {&tiff_format, NULL};
