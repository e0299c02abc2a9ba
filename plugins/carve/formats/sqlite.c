/*
 * sqlite: SQLite 3 databases [SQLite, Database File Format]. Pages of one size, the first with a header: a
 * b-tree of the schema, one b-tree for each table and index that it names, chains of overflow pages, a list
 * of free pages and, where space is reclaimed automatically, pages that say whose child each page is.
 *
 * All of them are walked. The walk goes through the file upwards as often as it takes, so that a large
 * database is read in order. Validated: every page is used exactly once; the cells, free blocks and fragments
 * of every b-tree page add up to it; records are as long as their headers say; rows ascend and are within
 * what the page above says; chains and free list are as long as they should be; pointer maps agree. Contents
 * have no checksum.
 *
 * The size is the header's when the header says that it is current, otherwise the last page that is used; and
 * the zeros that an application lets a file grow by, where they end at a multiple of 512 KiB. An encrypted
 * database has no header and cannot be told from noise.
 */
#include "plugins/carve/formats/sqlite_page.h"
#include "plugins/carve/formats/sqlite_queue.h"
#include "plugins/carve/formats/field.h"

#include <stdlib.h>
#include <string.h>

enum { PAGES_MAX = 1 << 24, DEPTH_MAX = 20, HEADER = 100, PAYLOAD_MAX = 1024 };
enum { LOCK_BYTE = 0x40000000, GROWTH = 512 * 1024, GROWTH_MAX = 16 * 1024 * 1024 };

/* What a page is used for; SOUND is added when it has been looked at and is that. */
enum role { UNUSED, SCHEMA, ROOT, TABLE, INDEX, OVERFLOW_FIRST, OVERFLOW_MORE, TRUNK, FREE, MAP, LOCK };
enum { SOUND = 0x80 };

/* Rows that a page may have: above `low` up to `high`. */
struct range {
    int64_t low, high;
};

struct database {
    struct reader *reader;
    struct carved *ret;
    uint32_t page_size, usable, pages, highest, used, bad, tables;
    uint32_t map_root, free_first, free_count, free_found, encoding;
    bool counted, no_memory;
    uint8_t *role;
    uint32_t *parent;
    struct range *range; /* of pages of tables */
    struct sqlite_queue queue;
    uint8_t title[CARVED_TITLE_SIZE];
    size_t title_size;
    uint8_t *page; /* a copy of the schema's page at hand */
};

static void set_bad(struct database *db, uint32_t number)
{
    if (db->bad == 0 || number < db->bad)
        db->bad = number;
}

static uint32_t lock_page(const struct database *db)
{
    return LOCK_BYTE / db->page_size + 1;
}

static bool is_map_page(const struct database *db, uint32_t number)
{
    uint32_t step = db->usable / 5 + 1, at = (number - 2) / step * step + 2;

    return db->map_root != 0 && number >= 2 && number == (at == lock_page(db) ? at + 1 : at);
}

/* `parent` uses page `number`: it is looked at when its turn comes. False: there is none, or it is used
 * twice. */
static bool claim(struct database *db, uint32_t number, enum role role, uint32_t extra, uint32_t parent)
{
    if (number == 0 || number > db->pages || db->role[number] != UNUSED || number == lock_page(db) ||
        is_map_page(db, number)) {
        set_bad(db, parent);
        return false;
    }
    db->role[number] = (uint8_t)role;
    db->parent[number] = parent;
    db->range[number] = (struct range){INT64_MIN, INT64_MAX};
    db->used++;
    db->highest = number > db->highest ? number : db->highest;
    if (role == FREE)
        return true;
    if (!sqlite_queue_push(&db->queue, number, extra))
        db->no_memory = true;
    return true;
}

static const uint8_t *page_at(struct database *db, uint32_t number)
{
    return reader_at(db->reader, (uint64_t)(number - 1) * db->page_size, db->page_size);
}

/* ------------------------------------------------------------------ the schema's rows */

/* The first bytes of a row's payload, from its overflow pages too. */
static size_t payload(struct database *db, const struct sqlite_cell *cell, uint8_t *out)
{
    size_t size = cell->local < PAYLOAD_MAX ? cell->local : PAYLOAD_MAX;
    size_t want = cell->payload < PAYLOAD_MAX ? (size_t)cell->payload : PAYLOAD_MAX;
    uint32_t next = cell->overflow;

    memcpy(out, cell->data, size);
    while (size < want && next != 0 && next <= db->pages) {
        const uint8_t *page = page_at(db, next);
        size_t some = want - size < db->usable - 4 ? want - size : db->usable - 4;

        if (page == NULL)
            break;
        memcpy(out + size, page + 4, some);
        size += some;
        next = field_be32(page);
    }
    return size;
}

/* A name goes to the title, in the database's encoding. */
static void add_title(struct database *db, const uint8_t *name, size_t size)
{
    static const char *const comma[] = {[1] = ", ", [2] = ",\0 \0", [3] = "\0,\0 "};
    size_t between = db->title_size == 0 ? 0 : db->encoding == 1 ? 2 : 4;

    if (size + between > sizeof db->title - db->title_size || (size >= 7 && memcmp(name, "sqlite_", 7) == 0))
        return;
    memcpy(db->title + db->title_size, comma[db->encoding], between);
    memcpy(db->title + db->title_size + between, name, size);
    db->title_size += between + size;
}

/* A row is (type, name, table, root page, statement). */
static void take_schema_row(struct database *db, const struct sqlite_cell *cell, uint32_t number)
{
    uint8_t data[PAYLOAD_MAX];
    struct sqlite_value values[4];
    size_t size = payload(db, cell, data);
    uint64_t root = 0;

    if (!sqlite_record(data, size, values, 4)) {
        set_bad(db, number);
        return;
    }
    for (size_t i = 0; i < values[3].size; i++)
        root = root << 8 | values[3].data[i];
    if (values[3].type == 9)
        root = 1; /* never legal: the schema itself */
    if (values[3].type > 6 || root == 0)
        return; /* views and triggers have none */
    if (root <= UINT32_MAX)
        claim(db, (uint32_t)root, ROOT, 0, number);
    else
        set_bad(db, number);
    if (values[0].size > 0 && (values[0].data[0] == 't' || values[0].data[values[0].size - 1] == 'e')) {
        db->tables++;
        add_title(db, values[1].data, values[1].size);
    }
}

/* ------------------------------------------------------------------ one page */

/* Everything that a b-tree page points to. */
static void claim_children(struct database *db, const struct sqlite_page *page, uint32_t number,
                           enum role role, uint32_t depth)
{
    enum role child = role == SCHEMA ? SCHEMA : page->is_index ? INDEX : TABLE;
    struct range range = db->range[number];
    struct sqlite_cell cell;

    for (uint32_t i = 0; i < page->cells; i++) {
        sqlite_page_cell(page, i, &cell);
        if (!page->is_leaf && claim(db, cell.child, child, depth + 1, number))
            db->range[cell.child] = (struct range){range.low, cell.row};
        range.low = cell.row;
        if (cell.overflow != 0)
            claim(db, cell.overflow, OVERFLOW_FIRST, (uint32_t)(cell.payload - cell.local), number);
    }
    if (!page->is_leaf && claim(db, page->right_child, child, depth + 1, number))
        db->range[page->right_child] = range;
    for (uint32_t i = 0; i < page->cells && role == SCHEMA && page->is_leaf; i++) {
        sqlite_page_cell(page, i, &cell);
        take_schema_row(db, &cell, number);
    }
}

/* Are the rows of a table's page those that its parent says? A root has none above it. */
static bool rows_fit(const struct sqlite_page *page, const struct range *range, bool has_parent)
{
    struct sqlite_cell first, last;

    if (!has_parent || page->cells == 0)
        return true;
    sqlite_page_cell(page, 0, &first);
    sqlite_page_cell(page, page->cells - 1, &last);
    return first.row > range->low && last.row <= range->high;
}

static bool look_at_tree(struct database *db, uint32_t number, enum role role, uint32_t depth)
{
    const uint8_t *data = page_at(db, number);
    struct sqlite_page page;

    if (data == NULL || depth > DEPTH_MAX)
        return false;
    if (role == SCHEMA)
        data = memcpy(db->page, data, db->page_size); /* its rows are read with other pages between */
    if (!sqlite_page_read(&page, data, db->usable, number == 1 ? HEADER : 0) || !sqlite_page_holds(&page))
        return false;
    if (page.is_index ? role == SCHEMA || role == TABLE : role == INDEX)
        return false;
    if (!page.is_index && !rows_fit(&page, &db->range[number], role == TABLE))
        return false;
    claim_children(db, &page, number, role, depth);
    return true;
}

static bool look_at_overflow(struct database *db, uint32_t number, uint32_t left)
{
    const uint8_t *data = page_at(db, number);
    uint32_t next;

    if (data == NULL)
        return false;
    next = field_be32(data);
    if (left <= db->usable - 4)
        return next == 0;
    return claim(db, next, OVERFLOW_MORE, left - (db->usable - 4), number);
}

/* A page of the free list: the next one, how many free pages it names, and those. */
static bool look_at_trunk(struct database *db, uint32_t number)
{
    const uint8_t *data = page_at(db, number);
    uint32_t next, count;

    if (data == NULL || (count = field_be32(data + 4)) > db->usable / 4 - 2)
        return false;
    next = field_be32(data);
    for (uint32_t i = 0; i < count; i++) {
        if (!claim(db, field_be32(data + 8 + 4 * (size_t)i), FREE, 0, number))
            return false;
    }
    db->free_found += count + 1;
    return next == 0 || claim(db, next, TRUNK, 0, number);
}

static void look_at(struct database *db, uint32_t number, uint32_t extra)
{
    enum role role = (enum role)db->role[number];
    bool holds;

    if (role == TRUNK)
        holds = look_at_trunk(db, number);
    else if (role == OVERFLOW_FIRST || role == OVERFLOW_MORE)
        holds = look_at_overflow(db, number, extra);
    else
        holds = look_at_tree(db, number, role, extra);
    if (!holds)
        set_bad(db, number);
    else if (role <= INDEX)
        db->role[number] = (uint8_t)(role | SOUND);
}

static void walk(struct database *db)
{
    uint32_t number, extra;

    claim(db, 1, SCHEMA, 0, 0);
    if (db->free_first != 0)
        claim(db, db->free_first, TRUNK, 0, 1);
    while (!db->no_memory && !reader_spent(db->reader) && sqlite_queue_pop(&db->queue, &number, &extra))
        look_at(db, number, extra);
    if (db->bad == 0 && db->free_found != db->free_count)
        set_bad(db, 1);
}

/* ------------------------------------------------------------------ pointer maps */

/* Does a map's entry say what the walk has found? */
static bool map_entry_holds(const struct database *db, uint32_t number, const uint8_t *entry)
{
    enum role role = (enum role)(db->role[number] & ~SOUND);
    uint32_t parent = field_be32(entry + 1);

    switch (entry[0]) {
    case 1:
        return role == ROOT && parent == 0;
    case 2:
        return (role == FREE || role == TRUNK) && parent == 0;
    case 3:
        return role == OVERFLOW_FIRST && parent == db->parent[number];
    case 4:
        return role == OVERFLOW_MORE && parent == db->parent[number];
    case 5:
        return (role == SCHEMA || role == TABLE || role == INDEX) && parent == db->parent[number];
    default:
        return role == LOCK;
    }
}

static bool map_holds(struct database *db, uint32_t number, uint32_t last)
{
    const uint8_t *data = page_at(db, number);
    uint32_t step = db->usable / 5 + 1, first = (number - 2) / step * step + 2;

    for (uint32_t i = 0; data != NULL && i < db->usable / 5 && first + 1 + i <= last; i++) {
        uint32_t other = first + 1 + i;

        if (db->role[other] != UNUSED && db->role[other] != MAP && db->role[other] != LOCK &&
            !map_entry_holds(db, other, data + 5 * (size_t)i))
            return false;
    }
    return data != NULL;
}

/* Pages that nothing points to because their place says what they are. */
static void look_at_fixed_pages(struct database *db, uint32_t last)
{
    uint32_t lock = lock_page(db), step = db->usable / 5 + 1;

    if (lock <= last) {
        db->role[lock] = LOCK;
        db->used++;
    }
    for (uint64_t at = 2; db->map_root != 0 && at <= last; at += step) {
        uint32_t number = (uint32_t)at == lock ? lock + 1 : (uint32_t)at;

        if (number > last)
            break;
        db->role[number] = MAP;
        db->used++;
        if (db->bad == 0 && !map_holds(db, number, last))
            set_bad(db, number);
    }
}

/* ------------------------------------------------------------------ the whole */

static bool read_header(struct database *db)
{
    static const uint8_t zero[20], fractions[] = {64, 32, 32};
    const uint8_t *head = reader_at(db->reader, 0, HEADER);
    uint32_t size, count;

    if (head == NULL || memcmp(head, "SQLite format 3", 16) != 0 || memcmp(head + 21, fractions, 3) != 0 ||
        memcmp(head + 72, zero, 20) != 0 || head[18] - 1U > 1 || head[19] - 1U > 1)
        return false;
    size = (uint32_t)(head[16] << 8 | head[17]);
    db->page_size = size == 1 ? 65536 : size;
    db->usable = db->page_size - head[20];
    if (db->page_size < 512 || (db->page_size & (db->page_size - 1)) != 0 || db->usable < 480)
        return false;
    count = field_be32(head + 28);
    db->counted = count != 0 && field_be32(head + 24) == field_be32(head + 92);
    db->free_first = field_be32(head + 32);
    db->free_count = field_be32(head + 36);
    db->map_root = field_be32(head + 52);
    db->encoding = field_be32(head + 56) == 0 ? 1 : field_be32(head + 56);
    db->pages = count;
    if (!db->counted)
        db->pages = reader_size(db->reader) / db->page_size < PAGES_MAX
                        ? (uint32_t)(reader_size(db->reader) / db->page_size)
                        : PAGES_MAX;
    return db->encoding <= 3 && db->pages > 0 && db->pages <= PAGES_MAX && field_be32(head + 44) <= 4;
}

/* Databases that their application marks. */
static const char *kind(struct database *db)
{
    static const struct {
        uint32_t id;
        const char *kind;
    } kinds[] = {
        {0xf9beb4d9, "Bitcoin Core wallet (SQLite)"},
        {0x0b110907, "Bitcoin Core wallet of the test network (SQLite)"},
        {0x0a03cf40, "Bitcoin Core wallet of the signet network (SQLite)"},
        {0xfabfb5da, "Bitcoin Core wallet of a private test network (SQLite)"},
        {0x47504b47, "GeoPackage (SQLite)"},
        {0x47503130, "GeoPackage (SQLite)"},
        {0x4d504258, "MBTiles map (SQLite)"},
        {0x0f055112, "Fossil repository (SQLite)"},
    };
    uint32_t id = 0;

    reader_be32(db->reader, 68, &id);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (kinds[i].id == id)
            return kinds[i].kind;
    }
    return NULL;
}

static enum carve_grade judge_broken(struct database *db)
{
    uint32_t good = db->bad > 0 ? db->bad - 1 : 0;
    uint64_t at = (uint64_t)(db->bad - 1) * db->page_size;

    /* where a page is not reached, what lies behind it may be at another place than it was */
    for (uint32_t i = 1; i <= good; i++) {
        if (db->role[i] == UNUSED)
            good = i - 1;
    }
    while (good > 0 && (db->role[good] & SOUND) == 0)
        good--;
    carved_partial(db->ret, (uint64_t)good * db->page_size, "page %u%s%.0u is not what it is used as%s",
                   db->bad, db->counted ? " of " : "", db->counted ? db->pages : 0,
                   at >= reader_size(db->reader) ? ": the data ends before it" : "");
    db->ret->broken = at < reader_size(db->reader) ? at + db->page_size : 0;
    if (good <= 1)
        db->ret->grade = good == 0 ? CARVE_NONE : CARVE_FRAGMENT;
    if (good == 0)
        db->ret->title[0] = '\0';
    return db->ret->grade;
}

/* The end of the file: applications let it grow by so many bytes that zeros may lie behind the last page.
 * They do when they end at a multiple of what is usual. */
static uint64_t file_end(struct database *db, uint64_t size)
{
    uint64_t end = size, most = size + GROWTH_MAX;

    while (end < most && reader_is_all(db->reader, end, GROWTH - end % GROWTH, 0))
        end += GROWTH - end % GROWTH;
    return end > size && end < most && !reader_is_all(db->reader, end, 1, 0) ? end : size;
}

static enum carve_grade judge(struct database *db)
{
    uint32_t last = db->counted ? db->pages : db->highest;
    uint64_t size = (uint64_t)last * db->page_size;
    static const char *const encodings[] = {NULL, "UTF-8", "UTF-16LE", "UTF-16BE"};

    carved_title(db->ret, db->title, db->title_size, encodings[db->encoding]);
    db->ret->format = kind(db);
    if (db->no_memory || reader_spent(db->reader))
        return carved_partial(db->ret, HEADER, "the effort allowed is spent");
    look_at_fixed_pages(db, last);
    if (db->bad == 0 && !reader_at(db->reader, size - 1, 1))
        db->bad = last;
    if (db->bad != 0)
        return judge_broken(db);
    return carved_whole(db->ret, db->used == last ? CARVE_VALIDATED : CARVE_COMPLETE, file_end(db, size));
}

static enum carve_grade examine_sqlite(struct reader *reader, struct carved *ret)
{
    struct database db = {.reader = reader, .ret = ret};

    if (!read_header(&db))
        return CARVE_NONE;
    db.role = calloc((size_t)db.pages + 1, sizeof db.role[0]);
    db.parent = calloc((size_t)db.pages + 1, sizeof db.parent[0]);
    db.range = calloc((size_t)db.pages + 1, sizeof db.range[0]);
    db.page = malloc(db.page_size);
    if (db.role != NULL && db.parent != NULL && db.range != NULL && db.page != NULL) {
        walk(&db);
        judge(&db);
    }
    free(db.role);
    free(db.parent);
    free(db.range);
    free(db.page);
    sqlite_queue_finish(&db.queue);
    return ret->grade;
}

/* May the page at `split` be one of the database? It begins with the header of a b-tree's page, with the
 * number of the next page of a chain, which is 0 on the last, or with the first entry of a pointer map. */
static bool page_begins(struct database *db, uint64_t split)
{
    static const uint8_t kinds[] = {2, 5, 10, 13};
    const uint8_t *page = reader_at(db->reader, split, 8);
    uint32_t free_block, cells, content, next;

    if (page == NULL)
        return false;
    if (is_map_page(db, (uint32_t)(split / db->page_size) + 1))
        return page[0] >= 1 && page[0] <= 5 && field_be32(page + 1) <= db->pages;
    free_block = field_be16(page + 1);
    cells = field_be16(page + 3);
    content = field_be16(page + 5) > 0 ? field_be16(page + 5) : 65536;
    next = field_be32(page);
    if (memchr(kinds, page[0], sizeof kinds) != NULL)
        return free_block < db->page_size && content <= db->page_size && content >= 8 + 2 * cells;
    return next <= db->pages && (next > 0 || !reader_is_all(db->reader, split, db->page_size, 0));
}

static bool sqlite_continues(struct reader *reader, const struct carved *carved, uint64_t split)
{
    struct database db = {.reader = reader};

    (void)carved;
    return read_header(&db) && (split % db.page_size != 0 || page_begins(&db, split));
}

static const struct carve_format sqlite_format = {"sqlite", examine_sqlite, sqlite_continues};
const struct carve_format *const carve_sqlite[] = {&sqlite_format, NULL};
