/* part: see part.h. [ISO 32000-1: 7.3.8, 7.4] */
#include "plugins/pdf/part.h"

#include "engine/base/text.h"
#include "engine/base/when.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILTERS_MAX = 16 };
/* Bytes that qpdf may unpack by itself: at most 1,032 times as many come out. */
#define CHAIN_MAX ((size_t)512 << 10)

static const struct field part_fields[] = {
    {"kind", FIELD_TEXT, "", "attachment, script, picture, stream"},
    {"name", FIELD_TEXT, "", "an attachment's file name"},
    {"what", FIELD_TEXT, "", "an attachment's description"},
    {"type", FIELD_TEXT, "", "what it is, as the document says"},
    {"object", FIELD_U64, "", "number of the object"},
    {"modified", FIELD_WHEN, "", "an attachment's last change"},
    {"born", FIELD_WHEN, "", "an attachment's creation"},
};
_Static_assert(sizeof part_fields / sizeof part_fields[0] == PART_FIELDS, "a value for each field");
const struct record_type pdf_part_type = {"part", 1, "a stream of a PDF file", part_fields, PART_FIELDS};
struct value part_text(const struct buf *raw, struct buf *room)
{
    return raw->size > 0 ? value_escaped(room, raw->data, raw->size) : value_none();
}

static struct value when(int64_t time)
{
    return time != WHEN_NONE ? value_i64(time) : value_none();
}

void part_string(struct pdf *pdf, qpdf_oh string, struct buf *ret)
{
    size_t size = 0;
    const char *data;

    buf_clear(ret);
    if (!qpdf_oh_is_string(pdf->qpdf, string))
        return;
    data = qpdf_oh_get_binary_utf8_value(pdf->qpdf, string, &size);
    buf_append(ret, data, size < RECORD_SIZE_MAX ? size : RECORD_SIZE_MAX);
}

/* "D:20240102030405+04'00'" [7.9.4]; what is left out is the smallest. */
int64_t part_date(struct pdf *pdf, qpdf_oh string)
{
    unsigned part[6] = {0, 1, 1, 0, 0, 0}, zone[2] = {0, 0};
    static const unsigned width[] = {4, 2, 2, 2, 2, 2};
    char time[64], sign = '+';
    struct buf raw = {0};
    const char *at;
    int64_t when = WHEN_NONE;

    part_string(pdf, string, &raw);
    at = buf_cstr(&raw);
    at += strncmp(at, "D:", 2) == 0 ? 2 : 0;
    for (size_t i = 0; i < 6 && *at >= '0' && *at <= '9'; i++) {
        unsigned value = 0;

        for (unsigned digit = 0; digit < width[i] && *at >= '0' && *at <= '9'; digit++)
            value = value * 10 + (unsigned)(*at++ - '0');
        part[i] = value;
    }
    if (*at == '+' || *at == '-') {
        sign = *at;
        if (sscanf(at + 1, "%2u'%2u", &zone[0], &zone[1]) < 1)
            zone[0] = zone[1] = 0;
    }
    snprintf(time, sizeof time, "%04u-%02u-%02uT%02u:%02u:%02u%c%02u:%02u", part[0] % 10000, part[1], part[2],
             part[3], part[4], part[5], sign, zone[0], zone[1]);
    if (part[0] == 0 || !when_parse(time, &when))
        when = WHEN_NONE;
    buf_finish(&raw);
    return when;
}

struct value part_when(struct pdf *pdf, qpdf_oh string)
{
    return when(part_date(pdf, string));
}

qpdf_oh part_key(struct pdf *pdf, qpdf_oh dictionary, const char *name)
{
    return qpdf_oh_get_key_if_dict(pdf->qpdf, dictionary, name);
}

/* ------------------------------------------------------------------ streams */

/* Gives bytes as a child; `flate`: as what they unpack to. */
void part_give(struct pdf *pdf, const char *name, const uint8_t *data, size_t size, bool flate,
               const struct value *values)
{
    const struct child child = {.name = name,
                                .name_size = strlen(name),
                                .kind = STREAM_CHILD,
                                .about = &pdf_part_type,
                                .values = values};
    struct sink *sink = scan_child(pdf->scan, &child);
    enum flate_end end = FLATE_WHOLE;
    uint64_t out = size;

    if (sink == NULL) {
        pdf->code = -ENOSPC;
        return;
    }
    if (flate)
        end = flate_write(data, size, pdf->limits, sink, &out);
    else if (size > 0 && sink_write(sink, data, size) < 0)
        end = FLATE_FULL;
    if (end == FLATE_TOO_MUCH)
        scan_limited(pdf->scan, 0,
                     "archive.ratio: %" PRIu64
                     " bytes came out of %zu in a stream of a PDF file: the rest was not unpacked",
                     out, size);
    sink_close(sink, end == FLATE_WHOLE ? SCAN_WHOLE : SCAN_CUT);
    pdf->code = end == FLATE_FULL ? -ENOSPC : 0;
    pdf->opened++;
}

/* How a stream is packed: what can be done with it. */
enum packing { PACKED_NOT, PACKED_FLATE, PACKED_JPEG, PACKED_JPEG2000, PACKED_CHAIN, PACKED_PICTURE };

static enum packing packing_of_filter(struct pdf *pdf, qpdf_oh filter)
{
    const char *name = qpdf_oh_is_name(pdf->qpdf, filter) ? qpdf_oh_get_name(pdf->qpdf, filter) : "";

    if (strcmp(name, "/FlateDecode") == 0 || strcmp(name, "/Fl") == 0)
        return PACKED_FLATE;
    if (strcmp(name, "/DCTDecode") == 0 || strcmp(name, "/DCT") == 0)
        return PACKED_JPEG;
    if (strcmp(name, "/JPXDecode") == 0)
        return PACKED_JPEG2000;
    if (strcmp(name, "/JBIG2Decode") == 0 || strcmp(name, "/CCITTFaxDecode") == 0 ||
        strcmp(name, "/CCF") == 0)
        return PACKED_PICTURE;
    return strcmp(name, "/Crypt") == 0 ? PACKED_NOT : PACKED_CHAIN;
}

static bool has_predictor(struct pdf *pdf, qpdf_oh dictionary)
{
    qpdf_oh parameters = part_key(pdf, dictionary, "/DecodeParms");
    int value = 1;

    if (qpdf_oh_is_array(pdf->qpdf, parameters))
        parameters = qpdf_oh_get_array_item(pdf->qpdf, parameters, 0);
    return qpdf_oh_get_value_as_int(pdf->qpdf, part_key(pdf, parameters, "/Predictor"), &value) && value > 1;
}

static enum packing packing_of(struct pdf *pdf, qpdf_oh dictionary)
{
    qpdf_oh filter = part_key(pdf, dictionary, "/Filter");
    enum packing packing;

    if (qpdf_oh_is_array(pdf->qpdf, filter)) {
        int count = qpdf_oh_get_array_n_items(pdf->qpdf, filter);

        if (count == 0)
            return PACKED_NOT;
        if (count > 1)
            return PACKED_CHAIN;
        filter = qpdf_oh_get_array_item(pdf->qpdf, filter, 0);
    }
    if (!qpdf_oh_is_name(pdf->qpdf, filter))
        return PACKED_NOT;
    packing = packing_of_filter(pdf, filter);
    return packing == PACKED_FLATE && has_predictor(pdf, dictionary) ? PACKED_CHAIN : packing;
}

/* In a chain of filters: is there at most one that can make much of little, and none that qpdf leaves alone?
 */
static bool chain_is_safe(struct pdf *pdf, qpdf_oh dictionary)
{
    qpdf_oh filter = part_key(pdf, dictionary, "/Filter");
    int count = qpdf_oh_is_array(pdf->qpdf, filter) ? qpdf_oh_get_array_n_items(pdf->qpdf, filter) : 0,
        grows = 0;

    if (count > FILTERS_MAX) /* one list may serve every stream of a file */
        return false;
    for (int i = 0; i < count; i++) {
        qpdf_oh one = qpdf_oh_get_array_item(pdf->qpdf, filter, i);
        const char *name = qpdf_oh_is_name(pdf->qpdf, one) ? qpdf_oh_get_name(pdf->qpdf, one) : "";

        grows += strcmp(name, "/ASCIIHexDecode") != 0 && strcmp(name, "/AHx") != 0 &&
                 strcmp(name, "/ASCII85Decode") != 0 && strcmp(name, "/A85") != 0 &&
                 strcmp(name, "/Crypt") != 0;
    }
    return grows <= 1;
}

bool part_name_is(struct pdf *pdf, qpdf_oh dictionary, const char *name, const char *value)
{
    qpdf_oh object = part_key(pdf, dictionary, name);

    return qpdf_oh_is_name(pdf->qpdf, object) && strcmp(qpdf_oh_get_name(pdf->qpdf, object), value) == 0;
}

/* What shows how something looks and says nothing: outlines of letters, colours, a picture's points. */
static bool is_dull(struct pdf *pdf, qpdf_oh dictionary, enum packing packing)
{
    static const char *const fonts[] = {"/Type1C", "/CIDFontType0C", "/OpenType"};

    for (size_t i = 0; i < sizeof fonts / sizeof fonts[0]; i++) {
        if (part_name_is(pdf, dictionary, "/Subtype", fonts[i]))
            return true;
    }
    if (qpdf_oh_has_key(pdf->qpdf, dictionary, "/Length1") || part_name_is(pdf, dictionary, "/Type", "/XRef"))
        return true;
    return part_name_is(pdf, dictionary, "/Subtype", "/Image") && packing != PACKED_JPEG &&
           packing != PACKED_JPEG2000;
}

const struct named *part_file(const struct pdf *pdf, int object)
{
    for (size_t i = 0; i < pdf->file_count; i++) {
        if (pdf->files[i].object == object)
            return &pdf->files[i];
    }
    return NULL;
}

static const char *ending(struct pdf *pdf, qpdf_oh dictionary, enum packing packing)
{
    if (packing == PACKED_JPEG || packing == PACKED_JPEG2000)
        return packing == PACKED_JPEG ? ".jpg" : ".jp2";
    if (part_name_is(pdf, dictionary, "/Type", "/Metadata"))
        return ".xml";
    return part_name_is(pdf, dictionary, "/Type", "/ObjStm") ? ".objects" : ".stream";
}

static void type_of(struct pdf *pdf, qpdf_oh dictionary, struct buf *ret)
{
    static const char *const keys[] = {"/Type", "/Subtype"};

    for (size_t i = 0; i < 2; i++) {
        qpdf_oh name = part_key(pdf, dictionary, keys[i]);

        if (qpdf_oh_is_name(pdf->qpdf, name))
            buf_printf(ret, "%s%.100s", ret->size > 0 ? " " : "", qpdf_oh_get_name(pdf->qpdf, name) + 1);
    }
}

/* The stream's bytes as far as they can be had without qpdf making much of little. The caller frees them. */
static uint8_t *bytes_of(struct pdf *pdf, qpdf_oh stream, qpdf_oh dictionary, enum packing packing,
                         int object, size_t *ret_size)
{
    unsigned char *data = NULL, *unpacked = NULL;
    QPDF_BOOL filtered = QPDF_FALSE;
    size_t size = 0;

    qpdf_oh_get_stream_data(pdf->qpdf, stream, qpdf_dl_none, &filtered, &data, &size);
    pdf->budget -= size < pdf->budget ? size : pdf->budget;
    if (data != NULL && packing == PACKED_CHAIN) {
        if (size > CHAIN_MAX || !chain_is_safe(pdf, dictionary)) {
            scan_limited(pdf->scan, 0,
                         "object %d: a stream whose filters may make much of little: it is not unpacked",
                         object);
        } else {
            qpdf_oh_get_stream_data(pdf->qpdf, stream, qpdf_dl_generalized, &filtered, &unpacked, ret_size);
            if (unpacked != NULL) {
                free(data);
                return unpacked;
            }
            scan_note(pdf->scan, 0, "object %d: its filters cannot be undone: given as it is stored", object);
        }
    }
    *ret_size = size;
    return data;
}

/* Streams may lie over one another, each of them as large as the file. */
static bool may_go_on(struct pdf *pdf)
{
    if (pdf->budget > 0)
        return true;
    scan_limited(pdf->scan, 0,
                 "the streams of a PDF file lie over one another: the rest of them was not read");
    pdf->code = -ENOSPC;
    return false;
}

void part_open(struct pdf *pdf, qpdf_oh stream, int object)
{
    qpdf_oh dictionary = qpdf_oh_get_dict(pdf->qpdf, stream);
    enum packing packing = packing_of(pdf, dictionary);
    const struct named *file = part_file(pdf, object);
    struct buf type = {0}, rooms[3] = {{0}};
    enum flate_end first = FLATE_FULL;
    uint8_t *data;
    size_t size = 0;
    char name[48];

    pdf->streams++;
    if (file == NULL &&
        (packing == PACKED_NOT || packing == PACKED_PICTURE || is_dull(pdf, dictionary, packing)))
        return;
    data = bytes_of(pdf, stream, dictionary, packing, object, &size);
    if (!may_go_on(pdf)) {
        free(data);
        return;
    }
    snprintf(name, sizeof name, "object-%d%s", object, ending(pdf, dictionary, packing));
    type_of(pdf, dictionary, &type);
    if (data != NULL && packing == PACKED_FLATE)
        first = flate_begins(data, size);
    if (data == NULL || (first == FLATE_CUT && file == NULL)) {
        scan_note(pdf->scan, 0, "object %d: a stream that cannot be read", object);
    } else if (file != NULL || first == FLATE_FULL) {
        const struct value values[PART_FIELDS] = {
            value_text(file != NULL                                           ? "attachment"
                       : packing == PACKED_JPEG || packing == PACKED_JPEG2000 ? "picture"
                                                                              : "stream"),
            file != NULL ? part_text(&file->name, &rooms[0]) : value_none(),
            file != NULL ? part_text(&file->what, &rooms[1]) : value_none(),
            part_text(&type, &rooms[2]),
            value_u64((uint64_t)object),
            file != NULL ? when(file->modified) : value_none(),
            file != NULL ? when(file->born) : value_none(),
        };

        pdf->attachments += file != NULL;
        part_give(pdf, file != NULL && file->name.size > 0 ? (const char *)file->name.data : name, data, size,
                  packing == PACKED_FLATE, values);
    }
    free(data);
    buf_finish(&type);
    for (size_t i = 0; i < 3; i++)
        buf_finish(&rooms[i]);
}
