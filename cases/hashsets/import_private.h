/*
 * import_private: what the readers of the formats share.
 */
#ifndef KVALI_CASES_HASHSETS_IMPORT_PRIVATE_H
#define KVALI_CASES_HASHSETS_IMPORT_PRIVATE_H

#include "cases/hashsets/import.h"

#include "engine/base/buf.h"

/* One file on its way into the set. */
struct driver;
struct import {
    struct hashset_build *build;
    struct driver *driver; /* import.c's */
    struct import_result *result;
    struct why *why;
    const char *path;
    void *state; /* the format's own */
};

/* A format. `is` looks at the file's beginning (without a byte order mark), which ends where the file or 64
 * KiB end. */
struct import_format {
    const char *name;
    bool lines;          /* `data` is given whole lines; else blocks as they come */
    unsigned algorithms; /* of how many a file has hashes at most; 0: not known */
    bool labelled;       /* has categories, series or tags */
    bool (*is)(const uint8_t *head, size_t size);
    size_t state_size; /* zeroed */
    int (*data)(struct import *import, const uint8_t *data, size_t size);
    int (*end)(struct import *import);     /* NULL: nothing to do; -EBADMSG: cut short. */
    void (*finish)(struct import *import); /* frees what the state owns; NULL: nothing */
    int (*file)(struct import *import);    /* instead of `data`: reads the file by its path (SQLite) */
};

extern const struct import_format import_nsrl2, import_hashdeep, import_list, import_csv, import_json,
    import_encase, import_sqlite,
    import_similar;

/* The next line without its end; false when there is none. */
bool import_line(const uint8_t **at, const uint8_t *end, const uint8_t **ret_line, size_t *ret_size);
/* Reads 2 * size hex digits; false when one is none. `text` need not end. */
bool import_unhex(const uint8_t *text, uint8_t *ret, size_t size);
/* How many hex digits `text` begins with, at most `size`. */
size_t import_hex_run(const uint8_t *text, size_t size);
/* Adds a row of line result->lines; with no key at all it is bad. */
int import_row(struct import *import, const uint8_t *const keys[HASHSET_ALGORITHMS], uint32_t label);
/* Shows progress; negative: stop. For a reader that goes long without a new block. */
int import_look(struct import *import);
/* Counts line result->lines as no row. */
void import_bad(struct import *import);
/* The word of a column or key: lower-case letters and digits only. */
void import_word(const uint8_t *text, size_t size, char *ret, size_t ret_size);
bool import_is_true(const char *text, size_t size);

/* The parts of a row that comes as named values, in any order: CSV, JSON. */
struct import_fields {
    uint8_t keys[HASHSET_ALGORITHMS][HASHSET_KEY_MAX];
    bool has[HASHSET_ALGORITHMS], wrong;
    struct buf category, series, tags;
};
enum import_column {
    COLUMN_NONE,
    COLUMN_HASH, /* algorithm by its length */
    COLUMN_CATEGORY,
    COLUMN_SERIES,
    COLUMN_TAGS,
    COLUMN_VICTIM,
    COLUMN_OFFENDER,
    COLUMN_DISTRIBUTED,
};
enum import_column import_column_of(const uint8_t *name, size_t size);
void import_fields_clear(struct import_fields *fields);
void import_fields_finish(struct import_fields *fields);
void import_fields_take(struct import_fields *fields, enum import_column column, const uint8_t *text,
                        size_t size);
int import_fields_row(struct import *import, struct import_fields *fields);

#endif
