/*
 * pst: Outlook's personal folders and offline stores [MS-PST]. A header with two CRCs, the file's size and
 * the roots of two B-trees of pages: of nodes, and of blocks of data. Pages and blocks have CRCs and a
 * signature made of their place; at fixed places lie pages that map what is allocated.
 *
 * Validated: the header, every page of both trees, every block and every map, checked in the order of the
 * file. Of the form with pages of 4 KiB (offline stores since Outlook 2013) the header alone is checked:
 * complete at best.
 */
#include "plugins/carve/format.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { PAGE = 512, MAP_FIRST = 0x4400, MAP_STEP = 253952, DEPTH_MAX = 8, BLOCK_MAX = 8192 };
enum { TYPE_BLOCKS = 0x80, TYPE_NODES = 0x81, TYPE_MAP = 0x84, KIND_BLOCK = 0, KIND_NONE = 0xff };
enum { ITEMS_MAX = 16 * 1024 * 1024, ITEM_PLACE = 64 };

/* A page or a block: `size` without its trailer; `kind` is a page's type. */
struct item {
    uint64_t offset, id;
    uint32_t size;
    uint8_t kind;
};

struct pst {
    struct reader *reader;
    uint64_t end, map_last;
    unsigned width; /* of a number: 8, or 4 in the older form */
    bool large_pages, maps_hold, too_many;
    struct item *items;
    size_t count, room;
};

static uint64_t number(const uint8_t *p, unsigned width)
{
    uint64_t n = 0;

    for (unsigned i = width; i > 0; i--)
        n = n << 8 | p[i - 1];
    return n;
}

/* The specification's CRC begins with zero and is not inverted. */
static uint32_t crc_of(const uint8_t *data, size_t size)
{
    return (uint32_t)~crc32(UINT32_MAX, data, (uInt)size);
}

static bool read_header(struct pst *pst)
{
    const uint8_t *head = reader_at(pst->reader, 0, 568);
    unsigned version, width;

    if (head == NULL || memcmp(head, "!BDN", 4) != 0 || head[8] != 'S' ||
        (head[9] != 'M' && head[9] != 'O') || crc_of(head + 8, 471) != number(head + 4, 4))
        return false;
    version = head[10];
    if (head[11] != 0 || (version != 14 && version != 15 && version < 21) || version > 40)
        return false;
    pst->width = width = version < 21 ? 4 : 8;
    pst->large_pages = version >= 36;
    if (width == 8 && crc_of(head + 8, 516) != number(head + 524, 4))
        return false;
    head += width == 8 ? 184 : 168; /* in the root structure */
    pst->end = number(head, width);
    pst->map_last = number(head + width, width);
    pst->maps_hold = head[8 * (size_t)width] != 0;
    return pst->end > MAP_FIRST && pst->map_last < pst->end;
}

/* ------------------------------------------------------------------ what there is */

static void add(struct pst *pst, struct item item)
{
    /* no more than can lie beside each other: trees that share pages are none */
    if (pst->count >= ITEMS_MAX || pst->count > reader_size(pst->reader) / ITEM_PLACE + MAP_FIRST) {
        pst->too_many = true;
        return;
    }
    if (pst->count == pst->room) {
        size_t room = pst->room * 2 + 256;
        struct item *items = realloc(pst->items, room * sizeof items[0]);

        if (items == NULL) {
            pst->too_many = true;
            return;
        }
        pst->items = items;
        pst->room = room;
    }
    pst->items[pst->count++] = item;
}

static uint32_t signature(uint64_t offset, uint64_t id)
{
    uint32_t mixed = (uint32_t)(offset ^ id);

    return (mixed >> 16 ^ mixed) & 0xffff;
}

/* Trailer of a page or block, with `size` bytes before it. */
static bool trailer_holds(const struct pst *pst, const struct item *item, const uint8_t *data)
{
    const uint8_t *trailer = data + item->size;
    bool is_wide = pst->width == 8;
    const uint8_t *sum = trailer + (is_wide ? 4 : 8), *id = trailer + (is_wide ? 8 : 4);

    return number(sum, 4) == crc_of(data, item->size) && number(id, pst->width) == item->id &&
           number(trailer + 2, 2) == signature(item->offset, item->id);
}

static uint32_t page_size(const struct pst *pst)
{
    return pst->width == 8 ? PAGE - 16 : PAGE - 12;
}

static bool item_holds(struct pst *pst, const struct item *item)
{
    uint32_t trailer = PAGE - page_size(pst), place;
    const uint8_t *data;

    if (item->kind == KIND_BLOCK) { /* the trailer ends the last 64 bytes that the block takes */
        place = (item->size + trailer + 63) / 64 * 64;
        data = reader_at(pst->reader, item->offset, place);
        if (data == NULL)
            return false;
        data += place - trailer;
        return number(data, 2) == item->size &&
               number(data + (pst->width == 8 ? 8 : 4), pst->width) == item->id &&
               number(data + 2, 2) == signature(item->offset, item->id) &&
               number(data + (pst->width == 8 ? 4 : 8), 4) == crc_of(data + trailer - place, item->size);
    }
    data = reader_at(pst->reader, item->offset, PAGE);
    if (data == NULL || data[item->size] != item->kind || data[item->size + 1] != item->kind)
        return false;
    if (item->kind == TYPE_MAP)
        return number(data + item->size + (pst->width == 8 ? 4 : 8), 4) == crc_of(data, item->size);
    return trailer_holds(pst, item, data);
}

/* What the tree's page at `item` leads to; pages at `level` 0 have the blocks, or the nodes, which are of no
 * interest here. */
static void gather(struct pst *pst, struct item item, int level)
{
    uint8_t page[PAGE];
    unsigned width = pst->width, entry = 3 * width, count_at = page_size(pst) - (width == 8 ? 8 : 4);
    const uint8_t *data;

    add(pst, item);
    if (level < 0 || item.offset % PAGE != 0 || !item_holds(pst, &item) ||
        (data = reader_at(pst->reader, item.offset, PAGE)) == NULL)
        return;
    memcpy(page, data, PAGE);
    if (page[count_at] * (unsigned)page[count_at + 2] > count_at || page[count_at + 3] > level)
        return;
    level = page[count_at + 3];
    if (level == 0 && item.kind == TYPE_NODES)
        return;
    for (unsigned i = 0; i < page[count_at] && page[count_at + 2] >= entry && !pst->too_many; i++) {
        const uint8_t *at = page + i * page[count_at + 2];
        struct item found = {.size = item.size, .kind = item.kind};

        at += level > 0 ? width : 0;
        found.id = number(at, width);
        found.offset = number(at + width, width);
        if (level == 0) {
            found.kind = KIND_BLOCK;
            found.size = (uint32_t)number(at + 2 * (size_t)width, 2);
        }
        if (found.offset >= pst->end || found.size > BLOCK_MAX) { /* the page is not what it seems */
            found.offset = item.offset;
            found.kind = KIND_NONE;
        }
        if (level > 0 && found.kind == item.kind)
            gather(pst, found, level - 1);
        else
            add(pst, found);
    }
}

static void gather_all(struct pst *pst)
{
    const uint8_t *root = reader_at(pst->reader, pst->width == 8 ? 216 : 184, 4 * (size_t)pst->width);
    struct item nodes = {.size = page_size(pst), .kind = TYPE_NODES};
    struct item blocks = {.size = page_size(pst), .kind = TYPE_BLOCKS};

    if (root == NULL)
        return;
    nodes.id = number(root, pst->width);
    nodes.offset = number(root + pst->width, pst->width);
    blocks.id = number(root + 2 * (size_t)pst->width, pst->width);
    blocks.offset = number(root + 3 * (size_t)pst->width, pst->width);
    gather(pst, nodes, DEPTH_MAX);
    gather(pst, blocks, DEPTH_MAX);
    for (uint64_t at = MAP_FIRST; pst->maps_hold && at <= pst->map_last && !pst->too_many; at += MAP_STEP)
        add(pst, (struct item){.offset = at, .size = page_size(pst), .kind = TYPE_MAP});
}

/* ------------------------------------------------------------------ the whole */

static int by_offset(const void *a, const void *b)
{
    const struct item *first = a, *second = b;

    return first->offset < second->offset ? -1 : first->offset > second->offset;
}

static enum carve_grade check_all(struct pst *pst, struct carved *ret)
{
    uint64_t good = 568, end;
    uint32_t trailer = PAGE - page_size(pst);

    qsort(pst->items, pst->count, sizeof pst->items[0], by_offset);
    for (size_t i = 0; i < pst->count; i++) {
        const struct item *item = &pst->items[i];

        if (!item_holds(pst, item)) {
            carved_partial(ret, good, "the %s at byte %llu of %llu is cut or its CRC is wrong",
                           item->kind == KIND_BLOCK ? "block" : "page", (unsigned long long)item->offset,
                           (unsigned long long)pst->end);
            if (good < MAP_FIRST)
                ret->grade = CARVE_FRAGMENT;
            return ret->grade;
        }
        end = item->offset + (item->kind == KIND_BLOCK ? (item->size + trailer + 63) / 64 * 64 : PAGE);
        good = end > good ? end : good;
    }
    if (reader_at(pst->reader, pst->end - 1, 1) == NULL)
        return carved_partial(ret, good, "the data ends before byte %llu", (unsigned long long)pst->end);
    return carved_whole(ret, CARVE_VALIDATED, pst->end);
}

static enum carve_grade examine_pst(struct reader *reader, struct carved *ret)
{
    struct pst pst = {.reader = reader};

    if (!read_header(&pst))
        return CARVE_NONE;
    if (pst.large_pages) {
        if (reader_at(reader, pst.end - 1, 1) != NULL)
            return carved_whole(ret, CARVE_COMPLETE, pst.end);
        carved_partial(ret, 568, "the data ends before byte %llu", (unsigned long long)pst.end);
        return ret->grade = CARVE_FRAGMENT;
    }
    gather_all(&pst);
    if (pst.too_many)
        carved_partial(ret, 568, "more than its first %zu parts could not be held", pst.count);
    else
        check_all(&pst, ret);
    free(pst.items);
    return ret->grade;
}

static const struct carve_format pst_format = {"pst", examine_pst};
const struct carve_format *const carve_pst[] = {&pst_format, NULL};
