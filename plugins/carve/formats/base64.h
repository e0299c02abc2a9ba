/*
 * base64: lines of base64 [RFC 4648, section 4], decoded without being kept, as PEM, OpenPGP armour and
 * PuTTY's keys have them.
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_BASE64_H
#define KVALI_PLUGINS_CARVE_FORMATS_BASE64_H

#include "plugins/carve/reader.h"

enum { BASE64_LINE_MAX = 1024, BASE64_KEPT_MAX = 8 * 1024 * 1024 };

/* Gets what is decoded, in order, at most a line's at a time; false ends it. */
typedef bool base64_take(void *context, const uint8_t *data, size_t size);
/* One that keeps it in a struct buf, its context; false beyond BASE64_KEPT_MAX bytes, or without memory. */
bool base64_keep(void *buf, const uint8_t *data, size_t size);

struct base64 {
    struct reader *reader;
    uint64_t at; /* where the next line begins */
    base64_take *take;
    void *context;
    uint64_t made, lines, lines_max; /* bytes decoded, lines taken; 0: any number of them */
    uint32_t bits;                   /* what is left between lines: */
    unsigned held;                   /* so many characters, 0 to 3 */
    unsigned padding;                /* '=' so far */
};

/* Takes lines from `at` on, and leaves `at` before the first that is not one of base64 alone (such as one
 * that begins with '-', or with '=' where no padding can be), that is longer than BASE64_LINE_MAX, or that
 * has no end. True when what was taken comes out even and nothing follows its padding. */
bool base64_lines(struct base64 *base64);

/* The line at `offset`: its length without its end of LF or CR LF, valid as reader_at; and where the next one
 * begins. A last line without an end is one too. NULL at the end of the data, or when it is too long. */
const uint8_t *text_line(struct reader *reader, uint64_t offset, size_t *ret_size, uint64_t *ret_next);
/* Behind the LF or CR LF at `offset`; `offset` itself where there is none. */
uint64_t text_line_end(struct reader *reader, uint64_t offset);

/* "-----END <label>-----" at `offset`; *ret_end: behind it and its line's end, if it has one. */
bool armour_ends(struct reader *reader, uint64_t offset, const char *label, uint64_t *ret_end);

#endif
