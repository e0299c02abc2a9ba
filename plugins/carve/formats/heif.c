/*
 * heif: High Efficiency Image Format [ISO/IEC 23008-12] and AV1 Image File Format [AOM, AVIF 1.1] in the box
 * structure of ISO/IEC 14496-12; Canon's CR3, which is of it too. Top-level boxes follow each other from ftyp
 * to the last that is one.
 *
 * Validated: all extents of all items lie in the boxes, and items are what their type says: HEVC items are
 * units with their lengths in front, that end where the item ends, and without the bytes that a unit cannot
 * hold; AV1 items are units with their lengths. That tells shifted or foreign data only where there are
 * several items: where one makes up most of the file it is complete only, as is what has tracks, or codecs
 * that are not known here.
 */
#include "plugins/carve/formats/isobox.h"
#include "plugins/carve/formats/tiffdir.h"

#include "engine/base/bytes.h"

#include <string.h>

enum { BOXES_MAX = 4096, ITEMS_MAX = 100000, UNITS_MAX = 1 << 20 };

struct heif {
    struct reader *reader;
    struct carved *carved;
    uint64_t end, limit;
    struct isobox iloc, iinf;
    bool has_meta, has_tracks, has_data, cr3, unknown;
    unsigned length_size;    /* of the units of HEVC items */
    uint64_t total, largest; /* bytes of items that were checked */
    uint64_t wrong_at;       /* first extent that is not right; UINT64_MAX: none */
    uint64_t before;         /* the last item in front of that: the fault may lie in it */
    bool again;              /* this pass is only for `before` */
    uint64_t data_at;        /* content of the first data box */
    uint64_t furthest;       /* end of the furthest extent */
};

/* ------------------------------------------------------------------ what items hold */

/* An HEVC unit has no run 00 00 00, 00 00 01 or 00 00 02 [ITU-T H.265, 7.3.1.1 and 7.4.2]. */
static bool unit_holds(struct reader *reader, uint64_t at, uint64_t size)
{
    while (size >= 3) {
        const uint8_t *data, *p;
        size_t span;

        if (reader_at(reader, at, 3) == NULL)
            return false;
        span = reader_span(reader, at, &data);
        span = span < size ? span : (size_t)size;
        for (p = data; (p = memmem(p, span - (size_t)(p - data), "\0\0", 2)) != NULL && p + 2 < data + span;
             p++) {
            if (p[2] < 3)
                return false;
        }
        at += span - 2;
        size -= span - 2;
    }
    return true;
}

static bool hevc_holds(struct heif *heif, uint64_t at, uint64_t size)
{
    uint64_t end = at + size;

    for (unsigned i = 0; at < end && i < UNITS_MAX; i++) {
        const uint8_t *p = reader_at(heif->reader, at, heif->length_size + 2u);
        uint64_t length = 0;

        for (unsigned k = 0; p != NULL && k < heif->length_size; k++)
            length = length << 8 | p[k];
        if (p == NULL || length < 2 || length > end - at - heif->length_size ||
            (p[heif->length_size] & 0x80) != 0 || (p[heif->length_size + 1] & 7) == 0)
            return false;
        if (!unit_holds(heif->reader, at + heif->length_size, length))
            return false;
        at += heif->length_size + length;
    }
    return at == end;
}

/* AV1: units of a head, a length of seven bits a byte, the content [AOM, AV1 Bitstream, 5.3]. */
static bool av1_holds(struct heif *heif, uint64_t at, uint64_t size)
{
    uint64_t end = at + size;

    for (unsigned i = 0; at < end && i < UNITS_MAX; i++) {
        const uint8_t *p = reader_at(heif->reader, at, 1);
        uint64_t head, length = 0;
        uint8_t byte = 0x80;

        if (p == NULL || (p[0] & 0x81) != 0)
            return false;
        head = at + 1 + (p[0] >> 2 & 1);
        if ((p[0] & 2) == 0)
            return head < end; /* the last one may leave its length out */
        for (unsigned k = 0; k < 8 && (byte & 0x80) != 0; k++) {
            if (!reader_u8(heif->reader, head++, &byte))
                return false;
            length |= (uint64_t)(byte & 0x7f) << 7 * k;
        }
        if ((byte & 0x80) != 0 || head > end || length > end - head)
            return false;
        at = head + length;
    }
    return at == end;
}

static void take_exif(struct heif *heif, uint64_t at, uint64_t size)
{
    struct tiffdir dir;
    uint32_t skip;

    if (heif->carved->title[0] == '\0' && size > 12 && reader_be32(heif->reader, at, &skip) &&
        skip < size - 4 && tiffdir_open(&dir, heif->reader, at + 4 + skip, size - 4 - skip))
        tiffdir_title(&dir, heif->carved);
}

/* A whole item, in one extent. */
static void take_item(struct heif *heif, uint32_t type, uint64_t at, uint64_t size)
{
    bool holds = true;

    if (heif->again) {
        if (at < heif->wrong_at && at > heif->before)
            heif->before = at;
        return;
    }
    switch (type) {
    case ISOBOX_TYPE('h', 'v', 'c', '1'):
        holds = hevc_holds(heif, at, size);
        break;
    case ISOBOX_TYPE('a', 'v', '0', '1'):
        holds = av1_holds(heif, at, size);
        break;
    case ISOBOX_TYPE('E', 'x', 'i', 'f'):
        take_exif(heif, at, size);
        return;
    default:
        heif->unknown |= size > 64 * 1024;
        return;
    }
    heif->total += size;
    heif->largest = size > heif->largest ? size : heif->largest;
    if (!holds && at < heif->wrong_at)
        heif->wrong_at = at;
}

/* ------------------------------------------------------------------ where items are: iloc, iinf */

/* Numbers of the location box, one after the other. */
struct cursor {
    struct reader *reader;
    uint64_t at, limit;
    bool failed;
};

static uint64_t take(struct cursor *cursor, unsigned size)
{
    const uint8_t *p = NULL;
    uint64_t value = 0;

    if (size > 0 && !cursor->failed && u64_range_fits(cursor->at, size, cursor->limit))
        p = reader_at(cursor->reader, cursor->at, size);
    cursor->failed |= size > 0 && p == NULL;
    for (unsigned i = 0; p != NULL && i < size; i++)
        value = value << 8 | p[i];
    cursor->at += size;
    return value;
}

/* The type of an item; 0: not told. */
static uint32_t item_type(struct heif *heif, uint64_t item)
{
    uint8_t version = 0, entry_version;
    struct isobox entry;
    uint64_t at, end = heif->iinf.at + heif->iinf.size;
    uint32_t type = 0;

    if (heif->iinf.size == 0 || !reader_u8(heif->reader, heif->iinf.content, &version))
        return 0;
    at = heif->iinf.content + (version == 0 ? 6 : 8);
    while (isobox_read(heif->reader, at, end, &entry) && entry.size > 0) {
        struct cursor cursor = {heif->reader, entry.content, entry.at + entry.size, false};

        entry_version = (uint8_t)take(&cursor, 1);
        take(&cursor, 3);
        if (entry_version >= 2 && take(&cursor, entry_version == 2 ? 2 : 4) == item) {
            take(&cursor, 2);
            type = (uint32_t)take(&cursor, 4);
            return cursor.failed ? 0 : type;
        }
        at += entry.size;
    }
    return 0;
}

struct layout {
    uint8_t version, offset_size, length_size, base_size, index_size;
};

/* One item of the location box. False: it is cut, or an extent lies outside of everything. */
static bool take_location(struct heif *heif, struct cursor *cursor, const struct layout *layout)
{
    uint64_t item = take(cursor, layout->version < 2 ? 2 : 4);
    unsigned method = layout->version > 0 ? (unsigned)take(cursor, 2) & 15 : 0;
    uint64_t base, count, at = 0, size = 0;

    take(cursor, 2);
    base = take(cursor, layout->base_size);
    count = take(cursor, 2);
    if (count > 1 && layout->offset_size + layout->length_size == 0)
        return false; /* extents that take no place in the box either */
    for (uint64_t i = 0; i < count && !cursor->failed; i++) {
        take(cursor, layout->version > 0 ? layout->index_size : 0);
        at = u64_add_saturating(base, take(cursor, layout->offset_size));
        size = take(cursor, layout->length_size);
        if (method == 0 && (size == 0 || !u64_range_fits(at, size, heif->limit)))
            return false;
        if (method == 0 && at + size > heif->furthest)
            heif->furthest = at + size;
    }
    if (!cursor->failed && method == 0 && count == 1 && at + size <= reader_size(heif->reader))
        take_item(heif, item_type(heif, item), at, size);
    return !cursor->failed;
}

static bool take_locations(struct heif *heif)
{
    struct cursor cursor = {heif->reader, heif->iloc.content, heif->iloc.at + heif->iloc.size, false};
    struct layout layout = {.version = (uint8_t)take(&cursor, 1)};
    uint64_t sizes, count;

    take(&cursor, 3);
    sizes = take(&cursor, 2);
    layout.offset_size = sizes >> 12 & 15;
    layout.length_size = sizes >> 8 & 15;
    layout.base_size = sizes >> 4 & 15;
    layout.index_size = sizes & 15;
    count = take(&cursor, layout.version < 2 ? 2 : 4);
    if (layout.version > 2 || layout.offset_size > 8 || layout.length_size > 8 || layout.base_size > 8 ||
        layout.index_size > 8 || count > ITEMS_MAX)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        if (!take_location(heif, &cursor, &layout))
            return false;
    }
    return !cursor.failed;
}

/* ------------------------------------------------------------------ boxes */

static bool is_top_level(uint32_t type)
{
    static const char types[][5] = {"ftyp", "meta", "mdat", "free", "skip", "moov", "uuid",
                                    "mpvd", "moof", "mfra", "sidx", "styp", "wide", "sefd"};

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (type == ISOBOX_TYPE(types[i][0], types[i][1], types[i][2], types[i][3]))
            return true;
    }
    return false;
}

static void take_meta(struct heif *heif, const struct isobox *box)
{
    uint64_t at = box->content + 4, end = box->at + box->size, configuration;
    uint8_t bits = 3;

    heif->has_meta = isobox_find(heif->reader, at, end, ISOBOX_TYPE('i', 'l', 'o', 'c'), &heif->iloc);
    (void)isobox_find(heif->reader, at, end, ISOBOX_TYPE('i', 'i', 'n', 'f'), &heif->iinf);
    configuration = reader_find(heif->reader, at, end, "hvcC", 4);
    if (configuration != UINT64_MAX)
        (void)reader_u8(heif->reader, configuration + 4 + 21, &bits);
    heif->length_size = (bits & 3u) + 1;
}

/* Follows the boxes; heif->end is where they end. False: the last is cut. */
static bool walk(struct heif *heif)
{
    struct isobox box;

    for (unsigned i = 0; i < BOXES_MAX; i++) {
        if (!isobox_read(heif->reader, heif->end, UINT64_C(1) << 48, &box) || !is_top_level(box.type) ||
            (i > 0 && box.type == ISOBOX_TYPE('f', 't', 'y', 'p')))
            return true;
        if (box.type == ISOBOX_TYPE('m', 'e', 't', 'a') && !heif->has_meta && box.size > 0)
            take_meta(heif, &box);
        heif->has_tracks |= box.type == ISOBOX_TYPE('m', 'o', 'o', 'v');
        if (box.type == ISOBOX_TYPE('m', 'd', 'a', 't') && !heif->has_data) {
            heif->has_data = true;
            heif->data_at = box.content;
        }
        if (box.size == 0 || !u64_range_fits(box.at, box.size, reader_size(heif->reader))) {
            heif->limit = box.size == 0 ? reader_size(heif->reader) : box.at + box.size;
            return false;
        }
        heif->end = box.at + box.size;
        heif->limit = heif->end;
    }
    return true;
}

/* Where the data is surely the object's: up to the item before the first that is not right, or is not there.
 */
static uint64_t good_end(struct heif *heif)
{
    if (!heif->has_data)
        return heif->end;
    heif->before = heif->data_at;
    if (heif->wrong_at > reader_size(heif->reader))
        heif->wrong_at = reader_size(heif->reader);
    heif->again = true;
    if (heif->has_meta && !take_locations(heif))
        return heif->data_at;
    return heif->before;
}

static enum carve_grade broken(struct heif *heif, struct carved *ret, uint64_t size, const char *what)
{
    uint64_t good = good_end(heif);

    carved_partial(ret, size, "%s", what);
    ret->good = good < size ? good : size;
    return ret->grade;
}

static enum carve_grade finish(struct heif *heif, bool whole, bool items, struct carved *ret)
{
    bool apart = heif->total > 0 && heif->largest <= heif->total / 3 && !heif->has_tracks && !heif->unknown;
    uint64_t there = reader_size(heif->reader);

    if (items && heif->wrong_at != UINT64_MAX)
        return broken(heif, ret, whole ? heif->end : there, "the data of an item is not right");
    if (!whole && heif->limit == there && items && heif->furthest > heif->end)
        return carved_whole(ret, CARVE_COMPLETE, heif->furthest); /* the last box has no size */
    if (!whole)
        return broken(heif, ret, there, "the data ends inside of a box");
    if (!heif->has_data && heif->furthest == 0)
        return broken(heif, ret, heif->end, "no box with data follows");
    if (!heif->cr3 && !items)
        return broken(heif, ret, heif->end, "an item is not in the boxes that are there");
    return carved_whole(ret, apart ? CARVE_VALIDATED : CARVE_COMPLETE, heif->end);
}

/* What kind the brands tell; false: none that is known here. */
static bool name_kind(struct heif *heif, const struct isobox *ftyp)
{
    static const struct {
        const char brand[5], *extension, *format;
    } kinds[] = {{"avif", "avif", "AVIF picture"},     {"avis", "avif", "AVIF picture"},
                 {"heic", "heic", "HEIC picture"},     {"heix", "heic", "HEIC picture"},
                 {"heim", "heic", "HEIC picture"},     {"heis", "heic", "HEIC picture"},
                 {"hevc", "heic", "HEIC picture"},     {"hevx", "heic", "HEIC picture"},
                 {"crx ", "cr3", "Canon raw picture"}, {"mif1", "heif", "HEIF picture"},
                 {"msf1", "heif", "HEIF picture"},     {"miaf", "heif", "HEIF picture"}};
    const uint8_t *p =
        ftyp->size >= 16 && ftyp->size <= 512 ? reader_at(heif->reader, 0, (size_t)ftyp->size) : NULL;

    for (size_t i = 0; p != NULL && i < sizeof kinds / sizeof kinds[0]; i++) {
        for (size_t at = 8; at + 4 <= ftyp->size; at += at == 8 ? 8 : 4) {
            if (memcmp(p + at, kinds[i].brand, 4) == 0) {
                heif->carved->extension = kinds[i].extension;
                heif->carved->format = kinds[i].format;
                heif->cr3 = strcmp(kinds[i].extension, "cr3") == 0;
                return true;
            }
        }
    }
    return false;
}

static enum carve_grade examine_heif(struct reader *reader, struct carved *ret)
{
    struct heif heif = {.reader = reader, .carved = ret, .wrong_at = UINT64_MAX};
    struct isobox ftyp, next;
    bool whole, items;

    if (!isobox_read(reader, 0, UINT64_MAX, &ftyp) || ftyp.type != ISOBOX_TYPE('f', 't', 'y', 'p') ||
        !name_kind(&heif, &ftyp) || !isobox_read(reader, ftyp.size, UINT64_C(1) << 48, &next) ||
        !is_top_level(next.type)) {
        *ret = (struct carved){.grade = CARVE_NONE};
        return CARVE_NONE;
    }
    whole = walk(&heif);
    items = heif.has_meta && take_locations(&heif);
    finish(&heif, whole, items, ret);
    if (ret->grade == CARVE_PARTIAL && !heif.has_data)
        ret->grade = CARVE_FRAGMENT;
    return ret->grade;
}

static const struct carve_format heif_format = {"heif", examine_heif};
const struct carve_format *const carve_heif[] = {&heif_format, NULL};
