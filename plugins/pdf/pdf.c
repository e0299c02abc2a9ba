/*
 * pdf: what is inside of PDF files: attachments under their names, scripts, pictures and packed streams as
 * streams; what the document says of itself as a record; whether and how it is encrypted. qpdf reads the
 * file. [ISO 32000-1: 7.3.8, 7.4, 7.11, 12.6.4.16, 14.3.3]
 */
#include "engine/base/text.h"
#include "engine/base/when.h"
#include "engine/plugin.h"
#include "plugins/pdf/closed.h"
#include "plugins/pdf/part.h"

#include <errno.h>
#include <inttypes.h>
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
    OBJECT_SIZE = 14, /* "1 0 obj\nendobj" */
};
#define PDF_MAX      ((size_t)1 << 30) /* qpdf keeps a copy */
#define BUDGET(size) ((UINT64_C(256) << 20) + 16 * (size))

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

static const struct record_type *const pdf_emits[] = {&document_type, &pdf_part_type, NULL};

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
/* ------------------------------------------------------------------ names and scripts */

static void add_file(struct pdf *pdf, qpdf_oh specification, qpdf_oh stream)
{
    static const char *const keys[] = {"/UF", "/F", "/Unix", "/DOS", "/Mac"};
    qpdf_oh parameters = part_key(pdf, qpdf_oh_get_dict(pdf->qpdf, stream), "/Params");
    int object = qpdf_oh_get_object_id(pdf->qpdf, stream);
    struct named *files, *file;

    if (object <= 0 || part_file(pdf, object) != NULL)
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
                           .modified = part_date(pdf, part_key(pdf, parameters, "/ModDate")),
                           .born = part_date(pdf, part_key(pdf, parameters, "/CreationDate"))};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && file->name.size == 0; i++)
        part_string(pdf, part_key(pdf, specification, keys[i]), &file->name);
    buf_cstr(&file->name); /* ends it with a NUL */
    part_string(pdf, part_key(pdf, specification, "/Desc"), &file->what);
}

static void take_file(struct pdf *pdf, qpdf_oh specification)
{
    static const char *const keys[] = {"/UF", "/F", "/Unix", "/DOS", "/Mac"};
    qpdf_oh embedded = part_key(pdf, specification, "/EF");

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        qpdf_oh stream = part_key(pdf, embedded, keys[i]);

        if (qpdf_oh_is_stream(pdf->qpdf, stream))
            add_file(pdf, specification, stream);
    }
}

static void take_script(struct pdf *pdf, qpdf_oh action, int object)
{
    const struct value values[PART_FIELDS] = {
        value_text("script"),        value_none(), value_none(), value_none(),
        value_u64((uint64_t)object), value_none(), value_none()};
    qpdf_oh script = part_key(pdf, action, "/JS");
    char name[48];
    size_t size = 0;

    pdf->scripts++;
    if (!qpdf_oh_is_string(pdf->qpdf, script))
        return; /* a stream of its own */
    snprintf(name, sizeof name, "object-%d.js", object);
    {
        const char *data = qpdf_oh_get_binary_utf8_value(pdf->qpdf, script, &size);

        part_give(pdf, name, (const uint8_t *)data, size, false, values);
    }
}

enum look { LOOK_FILES, LOOK_SCRIPTS };

static void visit(struct pdf *pdf, qpdf_oh thing, int object, enum look look, int depth);

/* Is there no end of what stands inside of this object? */
static bool is_too_much(struct pdf *pdf, int object, int depth)
{
    if (depth <= DEPTH_MAX && pdf->items < ITEMS_MAX)
        return false;
    if (!pdf->items_said)
        scan_limited(
            pdf->scan, 0,
            "object %d holds more than %d things, or more than %d levels deep: names of attachments and "
            "scripts were not looked for behind them, nor in other objects like it",
            object, ITEMS_MAX, DEPTH_MAX);
    pdf->items_said = true;
    return true;
}

static void visit_items(struct pdf *pdf, qpdf_oh array, int object, enum look look, int depth)
{
    int count = qpdf_oh_get_array_n_items(pdf->qpdf, array);

    for (int i = 0; i < count && pdf->code == 0; i++) {
        qpdf_oh item = qpdf_oh_get_array_item(pdf->qpdf, array, i);

        visit(pdf, item, object, look, depth);
        qpdf_oh_release(pdf->qpdf, item);
    }
}

/* What is an object of its own is visited as one; here what stands inside of this one. At most DEPTH_MAX
 * deep. */
static void visit(struct pdf *pdf, qpdf_oh thing, int object, enum look look, int depth)
{
    static const char *const keys[] = {"/FS",         "/F",      "/AF",       "/Names", "/EmbeddedFiles",
                                       "/JavaScript", "/Kids",   "/A",        "/AA",    "/OpenAction",
                                       "/Next",       "/O",      "/C",        "/K",     "/V",
                                       "/D",          "/U",      "/Fo",       "/Bl",    "/PO",
                                       "/PC",         "/WC",     "/WS",       "/DS",    "/WP",
                                       "/DP",         "/Annots", "/Assets",   "/E",     "/X",
                                       "/PV",         "/PI",     "/AcroForm", "/Fields"};

    if (depth > 0 && qpdf_oh_is_indirect(pdf->qpdf, thing))
        return;
    if (!qpdf_oh_is_array(pdf->qpdf, thing) && !qpdf_oh_is_dictionary(pdf->qpdf, thing))
        return;
    if (is_too_much(pdf, object, depth))
        return;
    pdf->items++;
    if (qpdf_oh_is_array(pdf->qpdf, thing)) {
        visit_items(pdf, thing, object, look, depth + 1);
        return;
    }
    if (look == LOOK_FILES && qpdf_oh_has_key(pdf->qpdf, thing, "/EF"))
        take_file(pdf, thing);
    if (look == LOOK_SCRIPTS && part_name_is(pdf, thing, "/S", "/JavaScript"))
        take_script(pdf, thing, object);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && pdf->code == 0; i++) {
        if (qpdf_oh_has_key(pdf->qpdf, thing, keys[i]))
            visit(pdf, part_key(pdf, thing, keys[i]), object, look, depth + 1);
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
        part_open(pdf, object, id);
    else
        visit(pdf, object, id, LOOK_SCRIPTS, 0);
}

static void limit_objects(struct pdf *pdf)
{
    if (pdf->objects <= OBJECTS_MAX)
        return;
    scan_limited(pdf->scan, 0, "%" PRIu64 " objects in a PDF file: the first %d were looked at", pdf->objects,
                 OBJECTS_MAX);
    pdf->objects = OBJECTS_MAX;
}

static void count_objects(struct pdf *pdf, size_t size)
{
    qpdf_oh trailer = qpdf_get_trailer(pdf->qpdf);
    int count = 0;

    if (!qpdf_oh_get_value_as_int(pdf->qpdf, part_key(pdf, trailer, "/Size"), &count) || count < 0)
        count = 0;
    pdf->objects = (uint64_t)count < size ? (uint64_t)count : size; /* a byte each, at least */
    limit_objects(pdf);
}

static void emit_document(struct pdf *pdf, bool opened, const char *encryption)
{
    static const char *const keys[] = {"/Title", "/Author", "/Creator", "/Producer"};
    qpdf_oh info = opened ? part_key(pdf, qpdf_get_trailer(pdf->qpdf), "/Info") : 0;
    struct buf raw = {0}, rooms[5] = {{0}};
    struct value shown[5] = {{0}};

    /* First of all: qpdf gives the next text in the same place. */
    if (opened)
        buf_text(&raw, qpdf_get_pdf_version(pdf->qpdf));
    shown[4] = part_text(&raw, &rooms[4]);
    for (size_t i = 0; i < 4 && opened; i++) {
        part_string(pdf, part_key(pdf, info, keys[i]), &raw);
        shown[i] = part_text(&raw, &rooms[i]);
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
            opened ? part_when(pdf, part_key(pdf, info, "/CreationDate")) : value_none(),
            opened ? part_when(pdf, part_key(pdf, info, "/ModDate")) : value_none(),
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

/* The largest number of an object that begins in the bytes ("12 0 obj"). */
static uint64_t largest_object(const uint8_t *data, size_t size)
{
    const uint8_t *end = data + size;
    uint64_t largest = 0;

    for (const uint8_t *at = data; (at = memmem(at, (size_t)(end - at), " obj", 4)) != NULL; at += 4) {
        const uint8_t *digit = at;
        uint64_t number = 0, place = 1;

        while (digit > data && digit[-1] >= '0' && digit[-1] <= '9')
            digit--;
        while (digit > data && digit[-1] == ' ')
            digit--;
        for (; digit > data && digit[-1] >= '0' && digit[-1] <= '9' && place < OBJECTS_MAX * 10; place *= 10)
            number += (uint64_t)(*--digit - '0') * place;
        largest = number > largest ? number : largest;
    }
    return largest;
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
    uint64_t largest;
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
        largest = largest_object(data, size) + 1; /* what is lost may be nearly all of it */
        pdf->objects = largest > pdf->objects ? largest : pdf->objects;
        limit_objects(pdf);
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
        closed = qpdf_is_encrypted(pdf->qpdf); /* it knows; the bytes may only speak of it */
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
    uint64_t size = scan_kept(scan);
    struct pdf pdf = {.scan = scan, .limits = &mine->limits, .budget = BUDGET(size)};
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
    .version = 3,
    .name = "pdf",
    .summary = "PDF files: attachments, scripts, pictures and packed streams as streams; encryption",
    .emits = pdf_emits,
    .worker_size = sizeof(struct pdf_worker),
    .setup = pdf_setup,
    .start = pdf_start,
    .finish = pdf_finish,
    .traits = PLUGIN_SPARED,
};
