/*
 * pdf: what is inside of PDF files: attachments under their names, scripts, pictures and packed streams as
 * streams; what the document says of itself as a record; whether and how it is encrypted. qpdf reads the
 * file. [ISO 32000-1: 7.3.8, 7.4, 7.11, 12.6.4.16, 14.3.3]
 */
#include "engine/base/text.h"
#include "engine/base/when.h"
#include "engine/plugin.h"
#include "plugins/pdf/closed.h"
#include "plugins/pdf/flate.h"

#include <errno.h>
#include <inttypes.h>
#include <qpdf/qpdf-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEAD = 1024,
    OBJECTS_MAX = 1000000,
    GENERATIONS = 100000,
    FILES_MAX = 10000,
    DEPTH_MAX = 12,
    ITEMS_MAX = 20000,
    TEXT_MAX = 4096,
    OBJECT_SIZE = 14, /* "1 0 obj\nendobj" */
};
#define PDF_MAX ((size_t)1 << 30) /* qpdf keeps a copy */
#define CHAIN_MAX                                                                                            \
    ((size_t)512 << 10) /* bytes that qpdf may unpack by itself, at most 1,032 times as many come out */

struct pdf_worker {
    struct flate_limits limits;
};

static const struct field document_fields[] = {
    {"version", FIELD_TEXT, "", "of PDF"},
    {"encryption", FIELD_TEXT, "", "how it is encrypted"},
    {"password", FIELD_TEXT, "",
     "needed: it cannot be read without; not needed: it opens with the empty one"},
    {"objects", FIELD_U64, "", "objects that the file has room for"},
    {"streams", FIELD_U64, "", "streams in it"},
    {"attachments", FIELD_U64, "", "of these, files that are attached or embedded"},
    {"scripts", FIELD_U64, "", "JavaScript actions"},
    {"opened", FIELD_U64, "", "streams and scripts that became streams here"},
    {"title", FIELD_TEXT, "", "title, as the document says"},
    {"author", FIELD_TEXT, "", "author, as the document says"},
    {"creator", FIELD_TEXT, "", "the program that wrote the document"},
    {"producer", FIELD_TEXT, "", "the program that made the PDF"},
    {"born", FIELD_WHEN, "", "creation, as the document says"},
    {"modified", FIELD_WHEN, "", "last change, as the document says"},
};
enum { DOCUMENT_FIELDS = sizeof document_fields / sizeof document_fields[0] };
static const struct record_type document_type = {"document", 1, "what a PDF file says of itself",
                                                 document_fields, DOCUMENT_FIELDS};

static const struct field part_fields[] = {
    {"kind", FIELD_TEXT, "", "attachment, script, picture, stream"},
    {"name", FIELD_TEXT, "", "an attachment's file name"},
    {"what", FIELD_TEXT, "", "an attachment's description"},
    {"type", FIELD_TEXT, "", "what it is, as the document says"},
    {"object", FIELD_U64, "", "number of the object"},
    {"modified", FIELD_WHEN, "", "an attachment's last change"},
    {"born", FIELD_WHEN, "", "an attachment's creation"},
};
enum { PART_FIELDS = sizeof part_fields / sizeof part_fields[0] };
static const struct record_type part_type = {"part", 1, "a stream of a PDF file", part_fields, PART_FIELDS};
static const struct record_type *const pdf_emits[] = {&document_type, &part_type, NULL};

static int pdf_setup(void *worker, const struct settings *settings, struct why *why)
{
    struct pdf_worker *mine = worker;

    (void)why;
    mine->limits = (struct flate_limits){settings_number(settings, "archive.ratio"),
                                         settings_number(settings, "archive.ratio_from")};
    return 0;
}

static enum plugin_want pdf_start(struct scan *scan)
{
    const struct stream_info *info = scan_stream(scan);
    size_t size = scan_kept(scan) < HEAD ? (size_t)scan_kept(scan) : HEAD;
    const uint8_t *head;

    if (info->kind != STREAM_FILE && info->kind != STREAM_ADS && info->kind != STREAM_CHILD &&
        info->kind != STREAM_CARVED)
        return PLUGIN_SKIP;
    return size > 8 && scan_peek(scan, 0, size, &head) == 0 && memmem(head, size, "%PDF-", 5) != NULL
               ? PLUGIN_PEEK
               : PLUGIN_SKIP;
}

/* ------------------------------------------------------------------ */

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
    uint64_t objects, streams, attachments, scripts, opened;
    unsigned items; /* looked at in one object */
    int code;
};

static struct value text(const struct buf *raw, struct buf *room)
{
    buf_clear(room);
    if (raw->size == 0)
        return value_none();
    text_escape(room, raw->data, raw->size < TEXT_MAX ? raw->size : TEXT_MAX);
    return value_text(buf_cstr(room));
}

static struct value when(int64_t time)
{
    return time != WHEN_NONE ? value_i64(time) : value_none();
}

static void set_string(struct pdf *pdf, qpdf_oh string, struct buf *ret)
{
    size_t size = 0;
    const char *data;

    buf_clear(ret);
    if (!qpdf_oh_is_string(pdf->qpdf, string))
        return;
    data = qpdf_oh_get_binary_utf8_value(pdf->qpdf, string, &size);
    buf_append(ret, data, size < TEXT_MAX ? size : TEXT_MAX);
}

/* "D:20240102030405+04'00'" [7.9.4]; what is left out is the smallest. */
static int64_t date_of(struct pdf *pdf, qpdf_oh string)
{
    unsigned part[6] = {0, 1, 1, 0, 0, 0}, zone[2] = {0, 0};
    static const unsigned width[] = {4, 2, 2, 2, 2, 2};
    char time[64], sign = '+';
    struct buf raw = {0};
    const char *at;
    int64_t when = WHEN_NONE;

    set_string(pdf, string, &raw);
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

static struct value date(struct pdf *pdf, qpdf_oh string)
{
    return when(date_of(pdf, string));
}

static qpdf_oh key(struct pdf *pdf, qpdf_oh dictionary, const char *name)
{
    return qpdf_oh_get_key_if_dict(pdf->qpdf, dictionary, name);
}

/* ------------------------------------------------------------------ streams */

/* Gives bytes as a child; `flate`: as what they unpack to. */
static void give(struct pdf *pdf, const char *name, const uint8_t *data, size_t size, bool flate,
                 const struct value *values)
{
    const struct child child = {
        .name = name, .name_size = strlen(name), .kind = STREAM_CHILD, .about = &part_type, .values = values};
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
    qpdf_oh parameters = key(pdf, dictionary, "/DecodeParms");
    int value = 1;

    if (qpdf_oh_is_array(pdf->qpdf, parameters))
        parameters = qpdf_oh_get_array_item(pdf->qpdf, parameters, 0);
    return qpdf_oh_get_value_as_int(pdf->qpdf, key(pdf, parameters, "/Predictor"), &value) && value > 1;
}

static enum packing packing_of(struct pdf *pdf, qpdf_oh dictionary)
{
    qpdf_oh filter = key(pdf, dictionary, "/Filter");
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
    qpdf_oh filter = key(pdf, dictionary, "/Filter");
    int count = qpdf_oh_is_array(pdf->qpdf, filter) ? qpdf_oh_get_array_n_items(pdf->qpdf, filter) : 0,
        grows = 0;

    for (int i = 0; i < count; i++) {
        qpdf_oh one = qpdf_oh_get_array_item(pdf->qpdf, filter, i);
        const char *name = qpdf_oh_is_name(pdf->qpdf, one) ? qpdf_oh_get_name(pdf->qpdf, one) : "";

        grows += strcmp(name, "/ASCIIHexDecode") != 0 && strcmp(name, "/AHx") != 0 &&
                 strcmp(name, "/ASCII85Decode") != 0 && strcmp(name, "/A85") != 0 &&
                 strcmp(name, "/Crypt") != 0;
    }
    return grows <= 1;
}

static bool name_is(struct pdf *pdf, qpdf_oh dictionary, const char *name, const char *value)
{
    qpdf_oh object = key(pdf, dictionary, name);

    return qpdf_oh_is_name(pdf->qpdf, object) && strcmp(qpdf_oh_get_name(pdf->qpdf, object), value) == 0;
}

/* What shows how something looks and says nothing: outlines of letters, colours, a picture's points. */
static bool is_dull(struct pdf *pdf, qpdf_oh dictionary, enum packing packing)
{
    static const char *const fonts[] = {"/Type1C", "/CIDFontType0C", "/OpenType"};

    for (size_t i = 0; i < sizeof fonts / sizeof fonts[0]; i++) {
        if (name_is(pdf, dictionary, "/Subtype", fonts[i]))
            return true;
    }
    if (qpdf_oh_has_key(pdf->qpdf, dictionary, "/Length1") || name_is(pdf, dictionary, "/Type", "/XRef"))
        return true;
    return name_is(pdf, dictionary, "/Subtype", "/Image") && packing != PACKED_JPEG &&
           packing != PACKED_JPEG2000;
}

static const struct named *file_of(const struct pdf *pdf, int object)
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
    if (name_is(pdf, dictionary, "/Type", "/Metadata"))
        return ".xml";
    return name_is(pdf, dictionary, "/Type", "/ObjStm") ? ".objects" : ".stream";
}

static void type_of(struct pdf *pdf, qpdf_oh dictionary, struct buf *ret)
{
    static const char *const keys[] = {"/Type", "/Subtype"};

    for (size_t i = 0; i < 2; i++) {
        qpdf_oh name = key(pdf, dictionary, keys[i]);

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
    if (data != NULL && packing == PACKED_CHAIN) {
        if (size > CHAIN_MAX || !chain_is_safe(pdf, dictionary)) {
            scan_limited(pdf->scan, 0,
                         "object %d: a stream that is packed several times, or with a predictor, and large: "
                         "it is not unpacked",
                         object);
        } else {
            qpdf_oh_get_stream_data(pdf->qpdf, stream, qpdf_dl_generalized, &filtered, &unpacked, ret_size);
            if (unpacked != NULL) {
                free(data);
                return unpacked;
            }
        }
    }
    *ret_size = size;
    return data;
}

static void open_stream(struct pdf *pdf, qpdf_oh stream, int object)
{
    qpdf_oh dictionary = qpdf_oh_get_dict(pdf->qpdf, stream);
    enum packing packing = packing_of(pdf, dictionary);
    const struct named *file = file_of(pdf, object);
    struct buf type = {0}, rooms[3] = {{0}};
    uint8_t *data;
    size_t size = 0;
    char name[48];

    pdf->streams++;
    if (file == NULL &&
        (packing == PACKED_NOT || packing == PACKED_PICTURE || is_dull(pdf, dictionary, packing)))
        return;
    data = bytes_of(pdf, stream, dictionary, packing, object, &size);
    snprintf(name, sizeof name, "object-%d%s", object, ending(pdf, dictionary, packing));
    type_of(pdf, dictionary, &type);
    if (data == NULL) {
        scan_note(pdf->scan, 0, "object %d: a stream that cannot be read", object);
    } else if (file != NULL || packing != PACKED_FLATE || flate_begins(data, size)) {
        const struct value values[PART_FIELDS] = {
            value_text(file != NULL                                           ? "attachment"
                       : packing == PACKED_JPEG || packing == PACKED_JPEG2000 ? "picture"
                                                                              : "stream"),
            file != NULL ? text(&file->name, &rooms[0]) : value_none(),
            file != NULL ? text(&file->what, &rooms[1]) : value_none(),
            text(&type, &rooms[2]),
            value_u64((uint64_t)object),
            file != NULL ? when(file->modified) : value_none(),
            file != NULL ? when(file->born) : value_none(),
        };

        pdf->attachments += file != NULL;
        give(pdf, file != NULL && file->name.size > 0 ? (const char *)file->name.data : name, data, size,
             packing == PACKED_FLATE, values);
    }
    free(data);
    buf_finish(&type);
    for (size_t i = 0; i < 3; i++)
        buf_finish(&rooms[i]);
}

/* ------------------------------------------------------------------ names and scripts */

static void add_file(struct pdf *pdf, qpdf_oh specification, qpdf_oh stream)
{
    static const char *const keys[] = {"/UF", "/F", "/Unix", "/DOS", "/Mac"};
    qpdf_oh parameters = key(pdf, qpdf_oh_get_dict(pdf->qpdf, stream), "/Params");
    int object = qpdf_oh_get_object_id(pdf->qpdf, stream);
    struct named *files, *file;

    if (object <= 0 || file_of(pdf, object) != NULL)
        return;
    if (pdf->file_count == FILES_MAX) {
        scan_limited(pdf->scan, 0, "more than %d attachments: the names of the others were not read",
                     FILES_MAX);
        return;
    }
    files = reallocarray(pdf->files, pdf->file_count + 1, sizeof *files);
    if (files == NULL) {
        pdf->code = -ENOMEM;
        return;
    }
    pdf->files = files;
    file = &files[pdf->file_count++];
    *file = (struct named){.object = object,
                           .modified = date_of(pdf, key(pdf, parameters, "/ModDate")),
                           .born = date_of(pdf, key(pdf, parameters, "/CreationDate"))};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && file->name.size == 0; i++)
        set_string(pdf, key(pdf, specification, keys[i]), &file->name);
    buf_cstr(&file->name); /* ends it with a NUL */
    set_string(pdf, key(pdf, specification, "/Desc"), &file->what);
}

static void take_file(struct pdf *pdf, qpdf_oh specification)
{
    static const char *const keys[] = {"/UF", "/F", "/Unix", "/DOS", "/Mac"};
    qpdf_oh embedded = key(pdf, specification, "/EF");

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        qpdf_oh stream = key(pdf, embedded, keys[i]);

        if (qpdf_oh_is_stream(pdf->qpdf, stream))
            add_file(pdf, specification, stream);
    }
}

static void take_script(struct pdf *pdf, qpdf_oh action, int object)
{
    const struct value values[PART_FIELDS] = {
        value_text("script"),        value_none(), value_none(), value_none(),
        value_u64((uint64_t)object), value_none(), value_none()};
    qpdf_oh script = key(pdf, action, "/JS");
    char name[48];
    size_t size = 0;

    pdf->scripts++;
    if (!qpdf_oh_is_string(pdf->qpdf, script))
        return; /* a stream of its own */
    snprintf(name, sizeof name, "object-%d.js", object);
    {
        const char *data = qpdf_oh_get_binary_utf8_value(pdf->qpdf, script, &size);

        give(pdf, name, (const uint8_t *)data, size, false, values);
    }
}

enum look { LOOK_FILES, LOOK_SCRIPTS };

static void visit(struct pdf *pdf, qpdf_oh thing, int object, enum look look, int depth);

static void visit_items(struct pdf *pdf, qpdf_oh array, int object, enum look look, int depth)
{
    int count = qpdf_oh_get_array_n_items(pdf->qpdf, array);

    for (int i = 0; i < count && pdf->code == 0 && pdf->items < ITEMS_MAX; i++)
        visit(pdf, qpdf_oh_get_array_item(pdf->qpdf, array, i), object, look, depth);
}

/* What is an object of its own is visited as one; here what stands inside of this one. At most DEPTH_MAX
 * deep. */
static void visit(struct pdf *pdf, qpdf_oh thing, int object, enum look look, int depth)
{
    static const char *const keys[] = {"/FS",         "/F",      "/AF",    "/Names", "/EmbeddedFiles",
                                       "/JavaScript", "/Kids",   "/A",     "/AA",    "/OpenAction",
                                       "/Next",       "/O",      "/C",     "/K",     "/V",
                                       "/D",          "/U",      "/Fo",    "/Bl",    "/PO",
                                       "/PC",         "/WC",     "/WS",    "/DS",    "/WP",
                                       "/DP",         "/Annots", "/Assets"};

    if (depth > DEPTH_MAX || ++pdf->items > ITEMS_MAX || (depth > 0 && qpdf_oh_is_indirect(pdf->qpdf, thing)))
        return;
    if (qpdf_oh_is_array(pdf->qpdf, thing)) {
        visit_items(pdf, thing, object, look, depth + 1);
        return;
    }
    if (!qpdf_oh_is_dictionary(pdf->qpdf, thing))
        return;
    if (look == LOOK_FILES && qpdf_oh_has_key(pdf->qpdf, thing, "/EF"))
        take_file(pdf, thing);
    if (look == LOOK_SCRIPTS && name_is(pdf, thing, "/S", "/JavaScript"))
        take_script(pdf, thing, object);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && pdf->code == 0; i++) {
        if (qpdf_oh_has_key(pdf->qpdf, thing, keys[i]))
            visit(pdf, key(pdf, thing, keys[i]), object, look, depth + 1);
    }
}

/* ------------------------------------------------------------------ the file */

static void each_object(struct pdf *pdf, void (*take)(struct pdf *, qpdf_oh, int))
{
    for (int id = 1; (uint64_t)id < pdf->objects && pdf->code == 0; id++) {
        /* An object's generation is nearly always 0; a number used again has another. */
        for (int generation = 0; generation < (id < GENERATIONS ? 3 : 1); generation++) {
            qpdf_oh object = qpdf_get_object_by_id(pdf->qpdf, id, generation);
            bool there = !qpdf_oh_is_null(pdf->qpdf, object);

            if (there)
                take(pdf, object, id);
            qpdf_oh_release_all(pdf->qpdf);
            if (there)
                break;
        }
    }
}

static void look_for_files(struct pdf *pdf, qpdf_oh object, int id)
{
    pdf->items = 0;
    visit(pdf, object, id, LOOK_FILES, 0);
}

static void open_object(struct pdf *pdf, qpdf_oh object, int id)
{
    pdf->items = 0;
    if (qpdf_oh_is_stream(pdf->qpdf, object))
        open_stream(pdf, object, id);
    else
        visit(pdf, object, id, LOOK_SCRIPTS, 0);
}

static void count_objects(struct pdf *pdf, size_t size)
{
    qpdf_oh trailer = qpdf_get_trailer(pdf->qpdf);
    int count = 0;

    if (!qpdf_oh_get_value_as_int(pdf->qpdf, key(pdf, trailer, "/Size"), &count) || count < 0)
        count = 0;
    pdf->objects = (uint64_t)count < size ? (uint64_t)count : size; /* a byte each, at least */
    if (pdf->objects > OBJECTS_MAX) {
        scan_limited(pdf->scan, 0, "%d objects in a PDF file: the first %d were looked at", count,
                     OBJECTS_MAX);
        pdf->objects = OBJECTS_MAX;
    }
}

static void emit_document(struct pdf *pdf, bool opened, const char *encryption)
{
    static const char *const keys[] = {"/Title", "/Author", "/Creator", "/Producer"};
    qpdf_oh info = opened ? key(pdf, qpdf_get_trailer(pdf->qpdf), "/Info") : 0;
    struct buf raw = {0}, rooms[5] = {{0}};
    struct value shown[5] = {{0}};

    /* First of all: qpdf gives the next text in the same place. */
    if (opened)
        buf_text(&raw, qpdf_get_pdf_version(pdf->qpdf));
    shown[4] = text(&raw, &rooms[4]);
    for (size_t i = 0; i < 4 && opened; i++) {
        set_string(pdf, key(pdf, info, keys[i]), &raw);
        shown[i] = text(&raw, &rooms[i]);
    }
    {
        const struct value values[DOCUMENT_FIELDS] = {
            shown[4],
            value_text(encryption),
            encryption == NULL ? value_none() : value_text(opened ? "not needed" : "needed"),
            value_u64(pdf->objects),
            value_u64(pdf->streams),
            value_u64(pdf->attachments),
            value_u64(pdf->scripts),
            value_u64(pdf->opened),
            shown[0],
            shown[1],
            shown[2],
            shown[3],
            opened ? date(pdf, key(pdf, info, "/CreationDate")) : value_none(),
            opened ? date(pdf, key(pdf, info, "/ModDate")) : value_none(),
        };

        scan_emit(pdf->scan, &document_type, values);
    }
    buf_finish(&raw);
    for (size_t i = 0; i < 5; i++)
        buf_finish(&rooms[i]);
}

/* Into a new reader; the last one is closed. The bytes stay where they are while it lives. */
static bool read_memory(struct pdf *pdf, const uint8_t *data, size_t size)
{
    if (pdf->qpdf != NULL)
        qpdf_cleanup(&pdf->qpdf);
    pdf->qpdf = qpdf_init();
    qpdf_silence_errors(pdf->qpdf);
    qpdf_set_suppress_warnings(pdf->qpdf, QPDF_TRUE);
    return (qpdf_read_memory(pdf->qpdf, "document", (const char *)data, size, "") & QPDF_ERRORS) == 0;
}

static bool wants_password(struct pdf *pdf)
{
    qpdf_error error = qpdf_has_error(pdf->qpdf) ? qpdf_get_error(pdf->qpdf) : NULL;

    return error != NULL && qpdf_get_error_code(pdf->qpdf, error) == qpdf_e_password;
}

/* Where the end is lost, so are the trailer and perhaps the catalogue, without which qpdf opens nothing:
 * others take their place, behind what there is. The document's own objects are then found by their
 * beginnings. */
static void read_broken(struct pdf *pdf, const uint8_t *data, size_t size)
{
    static const char end[] =
        "\n8388606 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n8388607 0 obj<</Type/Catalog/Pages "
        "8388606 0 R>>endobj\ntrailer<</Size 8388608/Root 8388607 0 R>>\n";
    uint8_t *whole = malloc(size + sizeof end);
    bool opened = false;

    if (whole != NULL) {
        memcpy(whole, data, size);
        memcpy(whole + size, end, sizeof end);
        opened = read_memory(pdf, whole, size + sizeof end - 1);
        scan_note(pdf->scan, 0, "%s",
                  opened ? "a PDF file without its end: its objects are found by their beginnings"
                         : "a PDF file that is damaged: its objects cannot be found");
    }
    if (opened) {
        pdf->objects = size / OBJECT_SIZE < OBJECTS_MAX ? size / OBJECT_SIZE + 1 : OBJECTS_MAX;
        each_object(pdf, look_for_files);
        each_object(pdf, open_object);
        emit_document(pdf, true, NULL);
        qpdf_cleanup(&pdf->qpdf); /* before what it reads from */
    }
    free(whole);
}

static void read_file(struct pdf *pdf, const uint8_t *data, size_t size)
{
    char method[CLOSED_SIZE] = "unknown";
    bool closed = closed_method(data, size, method), opened = read_memory(pdf, data, size);

    if (opened) {
        count_objects(pdf, size);
        each_object(pdf, look_for_files);
        each_object(pdf, open_object);
    } else if (wants_password(pdf)) {
        closed = true;
    } else if (!closed) {
        read_broken(pdf, data, size);
    }
    if (opened || closed)
        emit_document(pdf, opened, closed ? method : NULL);
}

static int pdf_finish(struct scan *scan, enum scan_status status)
{
    const struct pdf_worker *mine = scan_worker(scan);
    struct pdf pdf = {.scan = scan, .limits = &mine->limits};
    uint64_t size = scan_kept(scan);
    const uint8_t *data;

    if (status == SCAN_SPARED || size == 0)
        return 0;
    if (size > PDF_MAX) {
        scan_limited(scan, 0, "a PDF file of more than 1 GiB: it is not opened");
        return 0;
    }
    if (scan_peek(scan, 0, (size_t)size, &data) < 0)
        return 0;
    read_file(&pdf, data, (size_t)size);
    if (pdf.qpdf != NULL)
        qpdf_cleanup(&pdf.qpdf);
    for (size_t i = 0; i < pdf.file_count; i++) {
        buf_finish(&pdf.files[i].name);
        buf_finish(&pdf.files[i].what);
    }
    free(pdf.files);
    return pdf.code == -ENOSPC ? 0 : pdf.code;
}

const struct plugin plugin_pdf = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "pdf",
    .summary = "PDF files: attachments, scripts, pictures and packed streams as streams; encryption",
    .emits = pdf_emits,
    .worker_size = sizeof(struct pdf_worker),
    .setup = pdf_setup,
    .start = pdf_start,
    .finish = pdf_finish,
    .traits = PLUGIN_SPARED,
};
