/*
 * part: a stream of a PDF file as a stream of its own, and what its reader is asked all the time.
 */
#ifndef KVALI_PDF_PART_H
#define KVALI_PDF_PART_H

#include "engine/plugin.h"
#include "plugins/pdf/flate.h"

#include <qpdf/qpdf-c.h>

enum { PART_FIELDS = 7 };
extern const struct record_type pdf_part_type;

/* An attachment's name, by the number of its stream. */
struct named {
    int object;
    struct buf name, what;
    int64_t modified, born;
};

struct pdf {
    struct scan *scan;
    qpdf_data qpdf;
    const struct flate_limits *limits;
    struct named *files;
    size_t file_count;
    uint64_t budget; /* bytes of streams, as they are stored, that may still be read */
    uint64_t objects, streams, attachments, scripts, opened;
    unsigned items; /* looked at in one object */
    bool items_said;
    int code;
};

/* Raw text as it may be shown, in `room`; none when it is empty. */
struct value part_text(const struct buf *raw, struct buf *room);
/* A text string [7.9.2] as UTF-8 in place of what `ret` had; nothing when it is none. */
void part_string(struct pdf *pdf, qpdf_oh string, struct buf *ret);
/* A date [7.9.4]; WHEN_NONE. */
int64_t part_date(struct pdf *pdf, qpdf_oh string);
struct value part_when(struct pdf *pdf, qpdf_oh string);
/* What stands under `name`, null when `dictionary` is none. */
qpdf_oh part_key(struct pdf *pdf, qpdf_oh dictionary, const char *name);
bool part_name_is(struct pdf *pdf, qpdf_oh dictionary, const char *name, const char *value);
/* The attachment whose stream has this number; NULL. */
const struct named *part_file(const struct pdf *pdf, int object);

/* Gives bytes as a child; `flate`: what they unpack to. `values` are those of pdf_part_type. */
void part_give(struct pdf *pdf, const char *name, const uint8_t *data, size_t size, bool flate,
               const struct value *values);
/* Gives a stream object, when there is something in it that was not seen where it lies. */
void part_open(struct pdf *pdf, qpdf_oh stream, int object);

#endif
