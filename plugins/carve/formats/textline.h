/*
 * textline: lines of text, for formats that consist of them. Text is whatever has no control characters but
 * TAB, form feed and the escapes of ISO 2022; bytes from 0x80 on are either UTF-8 or of an older character
 * set.
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_TEXTLINE_H
#define KVALI_PLUGINS_CARVE_FORMATS_TEXTLINE_H

#include "plugins/carve/reader.h"

enum { TEXTLINE_MAX = 60 * 1024 }; /* a longer one is no line */

struct textline {
    const uint8_t *data; /* valid until the next call of a reader function */
    size_t size;         /* without its end */
    size_t whole;        /* with its end: LF or CR LF; none where it is `open` */
    bool open;           /* the text ends before the line does */
    bool open_at_nul;    /* and it does so at a NUL, or with the data: as a file's last line does */
    bool is_utf8;        /* ASCII, or UTF-8 */
};

/* The line that begins at `offset`, as far as it is text. False: there is nothing, or it is too long. */
bool textline_at(struct reader *reader, uint64_t offset, struct textline *ret);

/* Does it begin with `text`, upper case or lower case? */
bool textline_begins(const struct textline *line, const char *text);
/* Is it exactly that? */
bool textline_equals(const struct textline *line, const char *text);

#endif
