/*
 * bdb: Berkeley DB databases, such as Bitcoin's wallet.dat [Oracle, Berkeley DB, dbinc/db_page.h],
 * little-endian. Pages of one size; the first, of metadata, has the number of the last one. Every page that
 * was written has its own number, a type, and the numbers of its neighbours.
 *
 * Validated: every page to the last has its number and a type that the database can have, its neighbours
 * point back at it, and its entries lie within it. Pages that a hash table or queue has not come to are
 * zeros.
 */
#include "plugins/carve/format.h"
#include "plugins/carve/formats/field.h"

#include <stdlib.h>
#include <string.h>

enum { META = 92, HEADER = 26, MAGIC_BTREE = 0x053162, MAGIC_HASH = 0x061561, PAGES_MAX = 1 << 24 };
enum page_type {
    FREE = 0,
    HASH_OLD = 2,
    BTREE_INNER,
    RECNO_INNER,
    BTREE,
    RECNO,
    OVERFLOW,
    HASH_META,
    BTREE_META
};
enum {
    DUPLICATES = 12,
    HASH = 13,
    ITEM_DATA = 1,
    ITEM_DUPLICATE = 2,
    ITEM_OVERFLOW = 3,
    MARKED_DELETED = 0x80
};

struct database {
    struct reader *reader;
    struct carved *ret;
    uint32_t page_size, last, magic, root;
    uint32_t *next, *previous; /* of every page; 0: none */
    bool has_sums, has_hash;
};

static bool read_meta(struct database *db)
{
    const uint8_t *head = reader_at(db->reader, 0, META);

    if (head == NULL || field_le32(head + 8) != 0)
        return false;
    db->magic = field_le32(head + 12);
    db->page_size = field_le32(head + 20);
    db->last = field_le32(head + 32);
    db->has_sums = (head[26] & 1) != 0;
    db->has_hash = db->magic == MAGIC_HASH;
    db->root = db->has_hash ? 0 : field_le32(head + 88);
    return (db->magic == MAGIC_BTREE || db->magic == MAGIC_HASH) && field_le32(head + 16) >= 7 &&
           field_le32(head + 16) <= 10 && db->page_size >= 512 && db->page_size <= 65536 &&
           (db->page_size & (db->page_size - 1)) == 0 && head[24] == 0 &&
           head[25] == (db->magic == MAGIC_HASH ? HASH_META : BTREE_META) && db->last > 0 &&
           db->last < PAGES_MAX && field_le32(head + 28) <= db->last;
}

/* An entry of a tree's page: bytes, or where they go on. */
static bool item_holds(const struct database *db, const uint8_t *page, uint32_t at)
{
    uint32_t left = db->page_size - at, kind;

    if (left < 3)
        return false;
    if (page[25] == RECNO_INNER)
        return left >= 8 && field_le32(page + at) <= db->last;
    kind = page[at + 2] & ~(uint32_t)MARKED_DELETED;
    if (page[25] == BTREE_INNER)
        return left >= 12 && kind >= ITEM_DATA && kind <= ITEM_OVERFLOW &&
               field_le16(page + at) <= left - 12 && field_le32(page + at + 4) <= db->last;
    if (kind == ITEM_DUPLICATE || kind == ITEM_OVERFLOW)
        return left >= 12 && field_le32(page + at + 4) <= db->last;
    return kind == ITEM_DATA && field_le16(page + at) <= left - 3;
}

static bool entries_hold(const struct database *db, const uint8_t *page)
{
    uint32_t count = field_le16(page + 20), lowest = field_le16(page + 22),
             header = HEADER + (db->has_sums ? 4U : 0);
    bool is_hash = page[25] == HASH || page[25] == HASH_OLD;

    header += db->has_sums ? 2 : 0; /* the checksum is aligned */
    if (lowest == 0 && db->page_size == 65536)
        lowest = 65536;
    if (header + 2 * count > lowest || lowest > db->page_size)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = field_le16(page + header + 2 * (size_t)i);

        if (at < lowest || at >= db->page_size || (!is_hash && !item_holds(db, page, at)))
            return false;
    }
    return true;
}

static bool is_zero(const uint8_t *page, size_t size)
{
    return page[0] == 0 && memcmp(page, page + 1, size - 1) == 0;
}

/* A page that was written; its neighbours are noted. */
static bool page_holds(struct database *db, const uint8_t *page, uint32_t number)
{
    uint32_t type = page[25], previous = field_le32(page + 12), next = field_le32(page + 16);

    if (field_le32(page + 8) != number)
        return false;
    if (type == HASH_META || type == BTREE_META) {
        db->has_hash |= type == HASH_META;
        return previous == MAGIC_HASH || previous == MAGIC_BTREE;
    }
    if (number == db->root)
        previous = 0; /* it may be a count of records there */
    if (next > db->last || (previous > db->last && type != RECNO_INNER))
        return false;
    if (type == FREE)
        return true;
    if (type != BTREE_INNER && type != RECNO_INNER) { /* theirs are not kept up */
        db->previous[number] = previous;
        db->next[number] = next;
    }
    db->has_hash |= type == HASH;
    if (type == OVERFLOW)
        return field_le16(page + 22) <= db->page_size - HEADER;
    return (type < HASH_META || type == DUPLICATES || type == HASH) && type != 1 && entries_hold(db, page);
}

/* Every page; 0: all hold, else the first that does not. *ret_good: behind the last one before it that was
 * written. */
static uint32_t walk(struct database *db, uint32_t *ret_good)
{
    for (uint32_t number = 1; number <= db->last; number++) {
        const uint8_t *page = reader_at(db->reader, (uint64_t)number * db->page_size, db->page_size);

        if (page == NULL)
            return number;
        if (is_zero(page, db->page_size) && db->has_hash)
            continue;
        if (!page_holds(db, page, number))
            return number;
        *ret_good = number; /* what it holds may be another's */
    }
    return 0;
}

static bool neighbours_agree(const struct database *db)
{
    for (uint32_t i = 1; i <= db->last; i++) {
        if ((db->next[i] != 0 && db->previous[db->next[i]] != i) ||
            (db->previous[i] != 0 && db->next[db->previous[i]] != i))
            return false;
    }
    return true;
}

/* The first database in the file: in a tree of names the first key. */
static void take_title(struct database *db)
{
    uint8_t root[4] = {0};
    const uint8_t *page = reader_at(db->reader, 88, sizeof root);
    uint32_t at, size;

    if (page == NULL || db->magic != MAGIC_BTREE)
        return;
    at = field_le32(page);
    if (at == 0 || at > db->last ||
        (page = reader_at(db->reader, (uint64_t)at * db->page_size, db->page_size)) == NULL ||
        page[25] != BTREE || field_le16(page + 20) != 2)
        return; /* names of databases are the only keys of which there are few */
    at = field_le16(page + HEADER + (db->has_sums ? 6U : 0));
    size = field_le16(page + at);
    if (at + 3 + size <= db->page_size)
        carved_title(db->ret, page + at + 3, size, "UTF-8");
}

static enum carve_grade judge(struct database *db)
{
    uint32_t good = 1, bad = walk(db, &good);

    if (bad != 0) {
        carved_partial(db->ret, (uint64_t)good * db->page_size, "page %u of %u is cut or none of a database",
                       bad, db->last);
        if (good <= 1)
            db->ret->grade = CARVE_FRAGMENT;
        return db->ret->grade;
    }
    take_title(db);
    return carved_whole(db->ret, neighbours_agree(db) ? CARVE_VALIDATED : CARVE_COMPLETE,
                        (db->last + (uint64_t)1) * db->page_size);
}

static enum carve_grade examine_bdb(struct reader *reader, struct carved *ret)
{
    struct database db = {.reader = reader, .ret = ret};

    if (!read_meta(&db) || reader_at(reader, 0, db.page_size) == NULL)
        return CARVE_NONE;
    db.next = calloc((size_t)db.last + 1, sizeof db.next[0]);
    db.previous = calloc((size_t)db.last + 1, sizeof db.previous[0]);
    if (db.next != NULL && db.previous != NULL)
        judge(&db);
    free(db.next);
    free(db.previous);
    return ret->grade;
}

static const struct carve_format bdb_format = {"bdb", examine_bdb};
const struct carve_format *const carve_bdb[] = {&bdb_format, NULL};
