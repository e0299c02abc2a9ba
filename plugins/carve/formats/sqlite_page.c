/*
 * sqlite_page: see sqlite_page.h.
 */
#include "plugins/carve/formats/sqlite_page.h"
#include "plugins/carve/formats/field.h"

#include <string.h>

enum { INTERIOR_INDEX = 2, INTERIOR_TABLE = 5, LEAF_INDEX = 10, LEAF_TABLE = 13, CELL_MIN = 4 };

/* The variable-length number at `at`; how many bytes it has, 0: it goes past `end`. */
static size_t varint(const uint8_t *at, const uint8_t *end, uint64_t *ret)
{
    uint64_t n = 0;

    for (size_t i = 0; i < 9 && at + i < end; i++) {
        n = i == 8 ? n << 8 | at[i] : n << 7 | (at[i] & 0x7f);
        if (i == 8 || at[i] < 0x80) {
            *ret = n;
            return i + 1;
        }
    }
    return 0;
}

bool sqlite_page_read(struct sqlite_page *page, const uint8_t *data, uint32_t usable, uint32_t header)
{
    const uint8_t *head = data + header;

    if (head[0] != INTERIOR_INDEX && head[0] != INTERIOR_TABLE && head[0] != LEAF_INDEX &&
        head[0] != LEAF_TABLE)
        return false;
    *page = (struct sqlite_page){.data = data, .usable = usable, .header = header};
    page->is_index = head[0] == INTERIOR_INDEX || head[0] == LEAF_INDEX;
    page->is_leaf = head[0] >= LEAF_INDEX;
    page->array = header + (page->is_leaf ? 8 : 12);
    page->first_free = field_be16(head + 1);
    page->cells = field_be16(head + 3);
    page->content = field_be16(head + 5) == 0 ? 65536 : field_be16(head + 5);
    page->fragments = head[7];
    page->right_child = page->is_leaf ? 0 : field_be32(head + 8);
    return page->content <= usable && page->array + 2 * page->cells <= page->content;
}

/* How much of a payload lies in the page itself. */
static uint32_t local_size(const struct sqlite_page *page, uint64_t payload)
{
    uint32_t most = page->is_index ? (page->usable - 12) * 64 / 255 - 23 : page->usable - 35;
    uint32_t least = (page->usable - 12) * 32 / 255 - 23;
    uint64_t fits;

    if (payload <= most)
        return (uint32_t)payload;
    fits = least + (payload - least) % (page->usable - 4);
    return fits <= most ? (uint32_t)fits : least;
}

/* What follows the numbers that a cell begins with. */
static bool take_payload(const struct sqlite_page *page, struct sqlite_cell *cell, const uint8_t *at)
{
    const uint8_t *end = page->data + page->usable;

    cell->local = local_size(page, cell->payload);
    cell->data = at;
    if (cell->payload > INT32_MAX || cell->local > (size_t)(end - at))
        return false;
    at += cell->local;
    if (cell->local < cell->payload) {
        if (end - at < 4)
            return false;
        cell->overflow = field_be32(at);
        at += 4;
    }
    cell->size = (uint32_t)(at - page->data) - cell->offset;
    return true;
}

bool sqlite_page_cell(const struct sqlite_page *page, uint32_t index, struct sqlite_cell *ret)
{
    uint32_t offset = field_be16(page->data + page->array + 2 * (size_t)index);
    const uint8_t *at = page->data + offset, *end = page->data + page->usable;
    uint64_t number = 0;
    size_t size;

    *ret = (struct sqlite_cell){.offset = offset};
    if (offset < page->content || page->usable - CELL_MIN < offset)
        return false;
    if (!page->is_leaf) {
        ret->child = field_be32(at);
        at += 4;
    }
    if (page->is_leaf || page->is_index) {
        if ((size = varint(at, end, &ret->payload)) == 0)
            return false;
        at += size;
    }
    if (!page->is_index) {
        if ((size = varint(at, end, &number)) == 0)
            return false;
        at += size;
        ret->row = (int64_t)number;
    }
    if (page->is_leaf || page->is_index) {
        if (!take_payload(page, ret, at))
            return false;
    } else {
        ret->size = (uint32_t)(at - page->data) - offset;
    }
    if (ret->size < CELL_MIN)
        ret->size = CELL_MIN;
    return ret->size <= page->usable - offset;
}

/* The bytes in free blocks, which ascend; more than any page has when they do not. */
static uint32_t free_bytes(const struct sqlite_page *page)
{
    uint32_t at = page->first_free, sum = 0;

    while (at != 0) {
        uint32_t next, size;

        if (at < page->content || at > page->usable - 4)
            return UINT32_MAX;
        next = field_be16(page->data + at);
        size = field_be16(page->data + at + 2);
        if (size < 4 || size > page->usable - at || (next != 0 && next < at + size))
            return UINT32_MAX;
        sum += size;
        at = next;
    }
    return sum;
}

/* Bytes of a value of this type; UINT64_MAX: there is no such type. */
static uint64_t value_size(uint64_t type)
{
    static const uint8_t sizes[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0};

    if (type < sizeof sizes)
        return sizes[type];
    return type < 12 ? UINT64_MAX : (type - 12) / 2;
}

/* Is the record as long as its header says? Where the header itself overflows it cannot be told. */
static bool record_holds(const struct sqlite_cell *cell)
{
    const uint8_t *at = cell->data, *end = at + cell->local;
    uint64_t header, sum, type;
    size_t size = varint(at, end, &header);

    if (size == 0 || header < size || header > cell->payload)
        return false;
    if (header > cell->local)
        return true;
    end = cell->data + header;
    sum = header;
    for (at += size; at < end; at += size) {
        size = varint(at, end, &type);
        if (size == 0 || value_size(type) > cell->payload)
            return false;
        sum += value_size(type);
    }
    return sum == cell->payload;
}

bool sqlite_page_holds(const struct sqlite_page *page)
{
    uint32_t sum = free_bytes(page);
    int64_t row = INT64_MIN;

    if (sum > page->usable)
        return false;
    for (uint32_t i = 0; i < page->cells; i++) {
        struct sqlite_cell cell;

        if (!sqlite_page_cell(page, i, &cell) || (cell.data != NULL && !record_holds(&cell)))
            return false;
        if (!page->is_index && i > 0 && cell.row <= row)
            return false;
        row = cell.row;
        sum += cell.size;
        if (sum > page->usable) /* cells that share bytes: there may be thousands of them */
            return false;
    }
    return sum + page->fragments == page->usable - page->content;
}

bool sqlite_record(const uint8_t *data, size_t size, struct sqlite_value *ret, size_t count)
{
    const uint8_t *at = data, *end = data + size;
    uint64_t header, value;
    size_t taken = varint(at, end, &header);

    if (taken == 0 || header > size)
        return false;
    at += taken;
    value = header;
    for (size_t i = 0; i < count; i++) {
        taken = varint(at, data + header, &ret[i].type);
        if (taken == 0 || value_size(ret[i].type) > size - value)
            return false;
        ret[i].size = (size_t)value_size(ret[i].type);
        ret[i].data = data + value;
        value += ret[i].size;
        at += taken;
    }
    return true;
}
