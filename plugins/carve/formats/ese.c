/*
 * ese: databases of the Extensible Storage Engine [Microsoft, Extensible-Storage-Engine documentation and J.
 * Metz, Extensible Storage Engine (ESE) Database File format]. Two copies of a header, and pages of one size;
 * each page that was ever written has a checksum that takes in its own number. How many pages there are is
 * told by the last extent that the database's root owns: a tree, whose last leaf is looked up.
 *
 * Validated: the header's checksum, and every page to the last one is zero or has the right checksum: an XOR
 * of all its words (in large pages: of each quarter); the newer form's error-correcting half says nothing
 * more of what is undamaged and is left out. Where the file has just grown by one more extent, of zeros, it
 * belongs to it.
 */
#include "plugins/carve/format.h"
#include "plugins/carve/formats/field.h"

#include <string.h>

enum { HEADER = 668, PAGES_BEFORE = 2, DEPTH_MAX = 8, SEED = (int)0x89abcdef };
enum { FLAG_LEAF = 2, LARGE_PAGE = 16384, ROOT = 1 };

struct ese {
    struct reader *reader;
    uint32_t page_size, revision, last, grown; /* last page; pages of the last extent */
    uint64_t zero_pages, pages;
};

static uint32_t xor_of(const uint8_t *data, size_t begin, size_t end)
{
    uint32_t sum = 0;

    for (size_t i = begin; i < end; i += 4)
        sum ^= field_le32(data + i);
    return sum;
}

static bool read_header(struct ese *ese)
{
    const uint8_t *head = reader_at(ese->reader, 0, HEADER);
    uint32_t size;

    if (head == NULL || field_le32(head + 4) != (uint32_t)SEED || field_le32(head + 8) != 0x620 ||
        field_le32(head + 12) > 1)
        return false;
    ese->revision = field_le32(head + 232);
    size = field_le32(head + 236) == 0 ? 4096 : field_le32(head + 236);
    if (size < 2048 || size > 32768 || (size & (size - 1)) != 0)
        return false;
    ese->page_size = size;
    head = reader_at(ese->reader, 0, size);
    return head != NULL && ((uint32_t)SEED ^ xor_of(head, 4, size)) == field_le32(head);
}

static bool is_large(const struct ese *ese)
{
    return ese->revision >= 0x11 && ese->page_size >= LARGE_PAGE;
}

static const uint8_t *page_at(struct ese *ese, uint32_t number)
{
    return reader_at(ese->reader, (number + (uint64_t)PAGES_BEFORE - 1) * ese->page_size, ese->page_size);
}

static bool page_holds(const struct ese *ese, const uint8_t *page, uint32_t number)
{
    uint32_t quarter = ese->page_size / 4;

    if (field_le32(page + 4) == number &&
        ((uint32_t)SEED ^ xor_of(page, 4, ese->page_size)) == field_le32(page))
        return true; /* the form before ECC */
    if (!is_large(ese))
        return (number ^ xor_of(page, 8, ese->page_size)) == field_le32(page);
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t stored = field_le32(page + (i == 0 ? 0 : 32 + 8 * (size_t)i));

        if ((number ^ xor_of(page, i == 0 ? 8 : i * quarter, (i + 1) * quarter)) != stored)
            return false;
    }
    return true;
}

/* Value `index` of the page; *ret_flags are its tag's. NULL: it does not lie within the page. */
static const uint8_t *value(const struct ese *ese, const uint8_t *page, uint32_t index, uint32_t *ret_size,
                            uint32_t *ret_flags)
{
    uint32_t base = is_large(ese) ? 80 : 40, mask = is_large(ese) ? 0x7fff : 0x1fff;
    const uint8_t *tag = page + ese->page_size - 4 * ((size_t)index + 1);
    uint32_t size = field_le16(tag) & mask, offset = base + (field_le16(tag + 2) & mask);

    if (offset + size > ese->page_size - 4 * (index + 1))
        return NULL;
    *ret_size = size;
    *ret_flags = is_large(ese) && size >= 2 ? page[offset + 1] >> 5U : field_le16(tag + 2) >> 13;
    return page + offset;
}

/* An entry: a key of which the first bytes may be the page's common ones, and what it leads to. */
struct entry {
    uint8_t key[4];
    size_t key_size;
    const uint8_t *data;
    uint32_t data_size;
};

static bool last_entry(const struct ese *ese, const uint8_t *page, struct entry *ret)
{
    uint32_t tags = field_le16(page + 34) & 0x0fff, size = 0, flags = 0, common_size = 0, common = 0, own;
    const uint8_t *at, *prefix;

    if (tags < 2 || tags > ese->page_size / 8 ||
        (prefix = value(ese, page, 0, &common_size, &flags)) == NULL ||
        (at = value(ese, page, tags - 1, &size, &flags)) == NULL)
        return false;
    if ((flags & 4) != 0) {
        if (size < 2 || (common = field_le16(at) & 0x1fff) > common_size || common > 4)
            return false;
        at += 2;
        size -= 2;
    }
    if (size < 2 || (own = field_le16(at) & 0x1fff) > size - 2 || common + own > 4)
        return false;
    memcpy(ret->key, prefix, common);
    memcpy(ret->key + common, at + 2, own);
    ret->key_size = common + own;
    ret->data = at + 2 + own;
    ret->data_size = size - 2 - own;
    return true;
}

/* The last page of the last extent that the root owns. */
static bool find_last_page(struct ese *ese)
{
    uint32_t size, flags, tree;
    const uint8_t *page = page_at(ese, ROOT), *root;
    struct entry entry;

    if (page == NULL || !page_holds(ese, page, ROOT) || (root = value(ese, page, 0, &size, &flags)) == NULL ||
        size < 16)
        return false;
    tree = field_le32(root + 12);
    for (int depth = 0; depth < DEPTH_MAX; depth++) {
        page = tree == 0 ? NULL : page_at(ese, tree);
        if (page == NULL || !page_holds(ese, page, tree) || !last_entry(ese, page, &entry) ||
            entry.data_size < 4)
            return false;
        if ((page[36] & FLAG_LEAF) != 0)
            break;
        tree = field_le32(entry.data);
    }
    ese->last = (uint32_t)entry.key[0] << 24 | (uint32_t)entry.key[1] << 16 | (uint32_t)entry.key[2] << 8 |
                entry.key[3];
    ese->grown = field_le32(entry.data);
    return entry.key_size == 4 && (page[36] & FLAG_LEAF) != 0 && ese->last >= tree && ese->grown <= ese->last;
}

static bool is_zero(const uint8_t *page, size_t size)
{
    return page[0] == 0 && memcmp(page, page + 1, size - 1) == 0;
}

/* Every page to the last; 0: all hold, else the first that does not. *ret_good: behind the last one before it
 * that does and is not zero. */
static uint32_t walk(struct ese *ese, bool zeros_too, uint64_t *ret_good)
{
    for (uint32_t number = 1; number <= ese->last; number++) {
        const uint8_t *page = page_at(ese, number);

        if (page == NULL || !((zeros_too && is_zero(page, ese->page_size)) || page_holds(ese, page, number)))
            return number;
        if (page[36] != 0 || page[37] != 0)
            *ret_good = (number + (uint64_t)PAGES_BEFORE) * ese->page_size;
    }
    return 0;
}

static enum carve_grade examine_ese(struct reader *reader, struct carved *ret)
{
    struct ese ese = {.reader = reader};
    uint64_t good, end, grown;
    uint32_t bad;
    bool known;

    if (!read_header(&ese))
        return CARVE_NONE;
    good = ese.page_size;
    known = find_last_page(&ese);
    if (!known)
        ese.last = UINT32_MAX - 1;
    bad = walk(&ese, known, &good);
    if (bad != 0 || !known) {
        if (known)
            carved_partial(ret, good, "page %u of %u is cut or its checksum is wrong", bad, ese.last);
        else
            carved_partial(ret, good, "page %u is cut or its checksum is wrong, or how many there are", bad);
        if (good <= ese.page_size)
            ret->grade = CARVE_FRAGMENT;
        return ret->grade;
    }
    end = (ese.last + (uint64_t)PAGES_BEFORE) * ese.page_size;
    grown = (uint64_t)ese.grown * ese.page_size;
    if (reader_is_all(reader, end, grown, 0) && !reader_is_all(reader, end + grown, ese.page_size, 0))
        end += grown;
    return carved_whole(ret, CARVE_VALIDATED, end);
}

static const struct carve_format ese_format = {"ese", examine_ese};
const struct carve_format *const carve_ese[] = {&ese_format, NULL};
