/*
 * magic_entry: one test of a compiled magic file of libmagic 5.44 (version 18, 376 bytes each, in the order
 * of the machine that compiled it) [file 5.44: src/file.h struct magic].
 */
#ifndef KVALI_SCAN_MAGIC_ENTRY_H
#define KVALI_SCAN_MAGIC_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAGIC_ENTRY_SIZE = 376, MAGIC_VALUE_MAX = 128, MAGIC_FLAG_AT = 2 };

/* flag */
enum {
    MAGIC_ELSEWHERE = 0x87, /* the offset is computed, or counted from the end */
    MAGIC_UNSIGNED = 0x08,
    MAGIC_BINARY = 0x20,
    MAGIC_TEXT = 0x40,
};

/* Bits of string_flags that change which bytes are equal: white space, and capital letters. */
enum { MAGIC_WHITE = 0x03, MAGIC_CASELESS = 0x0c };

enum magic_type {
    MAGIC_BYTE = 1,
    MAGIC_SHORT = 2,
    MAGIC_LONG = 4,
    MAGIC_STRING = 5,
    MAGIC_BESHORT = 7,
    MAGIC_BELONG = 8,
    MAGIC_LESHORT = 10,
    MAGIC_LELONG = 11,
    MAGIC_REGEX = 17,
    MAGIC_SEARCH = 20,
    MAGIC_QUAD = 24,
    MAGIC_LEQUAD = 25,
    MAGIC_BEQUAD = 26,
    MAGIC_INDIRECT = 41,
    MAGIC_USE = 46,
};

struct magic_entry {
    unsigned level; /* 0: a test, above: a continuation of the test before it */
    uint8_t flag, relation, type, mask_operation;
    size_t value_size;
    int32_t offset;
    uint64_t mask, number;        /* of a number */
    uint32_t range, string_flags; /* of a string */
    const uint8_t *value;         /* MAGIC_VALUE_MAX bytes, in the file */
    bool says;                    /* something, when it passes: a description or a media type */
};

/* Reads the entry at these MAGIC_ENTRY_SIZE bytes. */
void magic_entry_read(const uint8_t *at, struct magic_entry *ret_entry);

/* Bytes of a number of this type, 0 for another type. *ret_big: the first byte is the highest. */
size_t magic_entry_number_size(const struct magic_entry *entry, bool *ret_big);

#endif
