/*
 * format: what a carving format is: an examiner that is given a place where an object may begin and says
 * whether one does, where it truly ends, and how sure that is. One small file a family of formats; formats.c
 * has the list.
 *
 * An examiner follows the format's own structure to its end. It never guesses: an end that the structure does
 * not name is no end. It reads through struct reader alone, keeps nothing between calls, and gives the same
 * answer for the same bytes. All of it is hostile: whatever it does is bounded by what it reads, and what it
 * reads by reader's budget.
 */
#ifndef KVALI_PLUGINS_CARVE_FORMAT_H
#define KVALI_PLUGINS_CARVE_FORMAT_H

#include "plugins/carve/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How much of the object is certain; a larger one is better. */
enum carve_grade {
    CARVE_NONE,      /* not an object of this format */
    CARVE_FRAGMENT,  /* it begins here, and hardly more: no content that could be shown */
    CARVE_PARTIAL,   /* it begins here and goes on to `size`, then it is cut: `lacks` says what is missing and
                        why */
    CARVE_COMPLETE,  /* the structure reaches its end; there is no checksum, or not all could be checked */
    CARVE_VALIDATED, /* complete, every structure well-formed, and every checksum and compressed stream that
                        the format has is right. For a format without checksums: everything in it that can
                        contradict itself does not (all offsets, counts and lengths agree, and the content
                        decodes where it can be decoded) */
};

enum { CARVED_PARTS_MAX = 8, CARVED_TITLE_SIZE = 256, CARVED_LACKS_SIZE = 160 };

/* An object of its own inside the carved one, such as the thumbnail in a picture's EXIF data. */
struct carved_part {
    uint64_t offset, size; /* from the object's first byte */
    const char *extension; /* "jpg"; static */
};

struct carved {
    enum carve_grade grade;
    uint64_t size; /* bytes from the first to the end of the object; PARTIAL: to the end of what holds */
    /* Up to here the bytes surely belong to the object: every structure that lies before it was well-formed.
     * Where an object is in two pieces on the medium, the break is not before this. At most `size`; equal to
     * it unless PARTIAL. */
    uint64_t good;
    /* PARTIAL, for a format that can be put together again: from here on it is certainly broken, so that the
     * break lies in [good, broken]; 0: not told. */
    uint64_t broken;
    uint64_t
        next; /* with `broken`: where the next structure must begin, wherever the break is; 0: not told */
    const char *extension; /* "docx", static; NULL: the one in the signature table */
    const char *format;    /* "Office Open XML document", static, a few words for people; NULL: the table's */
    char title[CARVED_TITLE_SIZE]; /* the name or title that the object carries inside, escaped text (text.h);
                                      "" */
    char lacks[CARVED_LACKS_SIZE]; /* PARTIAL and FRAGMENT: printable, "the last 3 of 12 chunks: the data ends
                                      here" */
    struct carved_part parts[CARVED_PARTS_MAX];
    size_t part_count;
};

struct carve_format {
    const char *name; /* [a-z][a-z0-9]*: what the signature table calls it */
    /* `ret` is all zero. Fills it and returns its grade. */
    enum carve_grade (*examine)(struct reader *reader, struct carved *ret);
    /* NULL: fragments of this format are not sought. A quick look, for a few microseconds: may the bytes from
     * `split` on, which were found elsewhere and put behind what `carved` holds, be how the object goes on?
     * Not when they cannot; when in doubt, yes. `split` lies in [good, broken]. */
    bool (*continues)(struct reader *reader, const struct carved *carved, uint64_t split);
};

/* NULL: unknown name; no format with this number (they count from 0). */
const struct carve_format *carve_format_find(const char *name);
const struct carve_format *carve_format_at(size_t index);

/* For examiners: sets the grade, size and good, and returns the grade. */
enum carve_grade carved_whole(struct carved *carved, enum carve_grade grade, uint64_t size);
/* PARTIAL with `lacks` from the format; size = good = `good`. */
enum carve_grade carved_partial(struct carved *carved, uint64_t good, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Takes a title of raw bytes in the encoding given ("UTF-8" or "UTF-16LE", "UTF-16BE"); cut to fit, controls
 * at its ends left out. */
void carved_title(struct carved *carved, const void *text, size_t size, const char *encoding);
/* Adds a part; ignores what does not fit. */
void carved_part(struct carved *carved, uint64_t offset, uint64_t size, const char *extension);

#endif
