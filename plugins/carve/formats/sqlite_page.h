/*
 * sqlite_page: a page of a b-tree of an SQLite 3 database, its cells and the records in them [SQLite,
 * Database File Format, 1.6 "B-tree Pages", 2 "Schema Layer"]. Works on bytes in memory, which stay the
 * caller's and must outlive what points into them.
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_SQLITE_PAGE_H
#define KVALI_PLUGINS_CARVE_FORMATS_SQLITE_PAGE_H

#include "plugins/carve/format.h"

struct sqlite_page {
    const uint8_t *data;
    uint32_t usable; /* bytes of the page that are in use */
    uint32_t header; /* where the b-tree's header is: 100 on the first page, else 0 */
    uint32_t array;  /* where the cells' pointers are */
    uint32_t cells, content, fragments, first_free;
    uint32_t right_child; /* 0 on a leaf */
    bool is_index, is_leaf;
};

struct sqlite_cell {
    uint32_t offset, size; /* in the page */
    uint32_t child;        /* 0 on a leaf */
    int64_t row;           /* of a table */
    uint64_t payload;      /* bytes in all */
    const uint8_t *data;   /* the first `local` bytes of it; NULL when there is none (inside of a table) */
    uint32_t local;
    uint32_t overflow; /* the page that goes on with it; 0: none */
};

struct sqlite_value {
    uint64_t type; /* SQLite's serial type */
    const uint8_t *data;
    size_t size;
};

/* Takes the header of the b-tree page at `data`. False: it is none. */
bool sqlite_page_read(struct sqlite_page *page, const uint8_t *data, uint32_t usable, uint32_t header);
/* The cell with this number (below `cells`). False: it does not lie within the page. */
bool sqlite_page_cell(const struct sqlite_page *page, uint32_t index, struct sqlite_cell *ret);
/* Do its cells, free blocks and fragments fill it exactly, are its records well-formed and its rows in order?
 */
bool sqlite_page_holds(const struct sqlite_page *page);

/* The first `count` values of the record of which `size` bytes are at hand. False: they are not all there. */
bool sqlite_record(const uint8_t *data, size_t size, struct sqlite_value *ret, size_t count);

#endif
