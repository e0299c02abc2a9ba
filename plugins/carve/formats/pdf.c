/*
 * pdf: Portable Document Format [ISO 32000-1, 7.5]. The file is gone over from object to object, stream data
 * by its length or by inflating it, up to each `startxref` and `%%EOF`. Such an end belongs to the document
 * when it names a cross-reference section that was met, whose chain of previous sections was met too (the
 * first one of a linearized file names none), and, for a later revision, when that lies behind the revision
 * before and leads back to it. Validated: every entry of the sections points to its object, every stream ends
 * where its length says, those of FlateDecode inflate, those of DCTDecode are JPEG. Encrypted ones are
 * complete.
 */
#include "plugins/carve/formats/pdf.h"

#include "plugins/carve/format.h"

#include "engine/base/bytes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADER = 8,
    SECTOR = 512,
    EOL = 2,
    MISCOUNT_MAX = 1024, /* bytes */
    OBJECTS_MAX = 1 << 22,
    SECTIONS_MAX = 1 << 16,
    SEARCH = 1 << 20,         /* for the end of a stream beyond where its length says */
    SEARCH_OPEN = 256 << 20,  /* when the length stands in another object */
    INFLATE_LAG = 128 * 1024, /* bytes that inflate may take before it sees that they are not its own */
};
#define MADE_MAX (UINT64_C(4) << 30) /* out of one stream */

/* Makes room for one more. */
static bool grow(void **array, size_t count, size_t *room, size_t size, size_t most)
{
    size_t wanted = *room > 0 ? *room * 2 : 64;
    void *more;

    if (count < *room)
        return true;
    if (count >= most || (more = realloc(*array, wanted * size)) == NULL)
        return false;
    *array = more;
    *room = wanted;
    return true;
}

static bool keep_object(struct pdf *pdf, const struct pdf_object *object)
{
    void *array = pdf->objects;
    bool fits = grow(&array, pdf->object_count, &pdf->object_room, sizeof *object, OBJECTS_MAX);

    pdf->objects = array;
    if (fits)
        pdf->objects[pdf->object_count++] = *object;
    return fits;
}

/* The section at `offset`, whose dictionary is in pdf->dict. */
static bool keep_section(struct pdf *pdf, uint64_t offset, bool is_stream)
{
    struct pdf_section section = {.offset = offset, .is_stream = is_stream};
    void *array = pdf->sections;
    bool is_ref, fits = grow(&array, pdf->section_count, &pdf->section_room, sizeof section, SECTIONS_MAX);
    size_t left;

    pdf->sections = array;
    if (!fits)
        return false;
    if (!pdf_find_number(&pdf->dict, "/Prev", &section.prev, &is_ref) || is_ref)
        section.prev = 0;
    section.encrypted = pdf_find(&pdf->dict, "/Encrypt", &left) != NULL;
    pdf->sections[pdf->section_count++] = section;
    return true;
}

enum pdf_end pdf_object_text(struct pdf *pdf, struct pdf_object *ret)
{
    struct pdf_lex *lex = &pdf->lex;
    uint64_t number, generation;

    ret->offset = lex->at;
    if (!pdf_number(lex, &number) || number > UINT32_MAX)
        return PDF_BROKEN;
    pdf_skip_space(lex);
    if (!pdf_number(lex, &generation) || generation > UINT16_MAX)
        return PDF_BROKEN;
    pdf_skip_space(lex);
    if (!pdf_word(lex, "obj"))
        return PDF_BROKEN;
    ret->number = (uint32_t)number;
    ret->generation = (uint32_t)generation;
    return pdf_body(lex, &pdf->dict);
}

/* Is `endstream` at `offset`, or behind an end of line there? It is gone over. */
static bool take_endstream(struct pdf *pdf, uint64_t offset)
{
    pdf_seek(&pdf->lex, offset);
    for (int i = 0; i < 3 && !reader_is(pdf->reader, pdf->lex.at, "endstream", 9); i++) {
        uint8_t c;

        if (!reader_u8(pdf->reader, pdf->lex.at, &c) || (c != '\r' && c != '\n' && c != ' '))
            return false;
        pdf_seek(&pdf->lex, pdf->lex.at + 1);
    }
    return pdf_word(&pdf->lex, "endstream");
}

/* A stream that does not end where it should, if it does not end well at all: the first one is where the
 * object may be broken in two. A length that is off by a few bytes is a writer's mistake. */
static bool search_endstream(struct pdf *pdf, uint64_t doubt, uint64_t data, uint64_t length)
{
    uint64_t should = u64_add_saturating(data, length);
    uint64_t at = reader_find(pdf->reader, data, u64_add_saturating(should, SEARCH), "endstream", 9);
    uint64_t off = at > should ? at - should : should - at;

    if (at != UINT64_MAX && off < MISCOUNT_MAX && (off + EOL) % SECTOR > 2 * EOL)
        pdf->loose = true;
    else if (pdf->doubt == 0)
        pdf->doubt = doubt;
    if (at != UINT64_MAX)
        pdf_seek(&pdf->lex, at + 9);
    return at != UINT64_MAX;
}

/* From its first marker to its last, with nothing behind 0xFF that JPEG [ITU-T T.81, B.1.1] does not have:
 * enough to see that something else was written over it. */
static bool jpeg_holds(struct reader *reader, uint64_t at, uint64_t end)
{
    uint16_t length;

    if (end - at < 4 || !reader_is(reader, at, "\xff\xd8\xff", 3))
        return false;
    for (at += 2; at + 4 <= end && !reader_is(reader, at, "\xff\xda", 2); at += 2u + length) {
        if (!reader_is(reader, at, "\xff", 1) || !reader_be16(reader, at + 2, &length))
            return false;
    }
    while (at < end) {
        const uint8_t *data, *found;
        size_t span = reader_span(reader, at, &data);
        uint8_t next;

        span = span < end - at ? span : (size_t)(end - at);
        found = span > 0 ? memchr(data, 0xff, span) : NULL;
        at += found != NULL ? (size_t)(found - data) + 1 : span;
        if (span == 0)
            return false;
        if (found != NULL && at < end && reader_u8(reader, at, &next) && next > 0 && next < 0xc0)
            return false;
    }
    return true;
}

/* The data at `data` up to and with `endstream`. */
static bool stream_data(struct pdf *pdf, uint64_t data)
{
    uint64_t length = 0, end = data, size, doubt;
    bool is_ref = false, known, flate, ends = false;
    uint32_t crc;

    known = pdf_find_number(&pdf->dict, "/Length", &length, &is_ref) && !is_ref &&
            u64_range_fits(data, length, reader_size(pdf->reader));
    flate = pdf_find_name(&pdf->dict, "/Filter", "/FlateDecode");
    if (flate)
        ends = reader_inflate(pdf->reader, READER_ZLIB, data,
                              known ? data + length : reader_size(pdf->reader), MADE_MAX, &end, &size, &crc);
    pdf->broken_stream |= flate && !ends;
    if (known && pdf_find_name(&pdf->dict, "/Filter", "/DCTDecode"))
        pdf->broken_stream |= !jpeg_holds(pdf->reader, data, data + length);
    if (known && take_endstream(pdf, data + length))
        return true;
    if (ends && take_endstream(pdf, end)) {
        pdf->loose |= !is_ref;
        return true;
    }
    doubt = flate && !ends && end - data > INFLATE_LAG ? end - INFLATE_LAG : data;
    if (is_ref && !flate) {
        uint64_t at = reader_find(pdf->reader, data, u64_add_saturating(data, SEARCH_OPEN), "endstream", 9);

        pdf_seek(&pdf->lex, at == UINT64_MAX ? data : at + 9);
        if (at == UINT64_MAX)
            pdf->doubt = pdf->doubt == 0 ? doubt : pdf->doubt;
        return at != UINT64_MAX;
    }
    return search_endstream(pdf, doubt, data, length);
}

/* Behind `stream`: its data, `endstream` and `endobj`. */
static bool follow_stream(struct pdf *pdf)
{
    struct pdf_lex *lex = &pdf->lex;

    while (pdf_peek(lex) == ' ')
        pdf_next(lex);
    if (pdf_peek(lex) == '\r')
        pdf_next(lex);
    if (pdf_peek(lex) == '\n')
        pdf_next(lex);
    if (!stream_data(pdf, lex->at))
        return false;
    pdf_skip_space(lex);
    pdf->loose |= !pdf_word(lex, "endobj");
    return true;
}

static bool follow_object(struct pdf *pdf)
{
    struct pdf_object object;
    enum pdf_end end = pdf_object_text(pdf, &object);

    if (end == PDF_BROKEN || !keep_object(pdf, &object))
        return false;
    pdf->loose |= end == PDF_OTHER;
    if (end != PDF_STREAM)
        return true;
    if (pdf_find_name(&pdf->dict, "/Type", "/XRef") && !keep_section(pdf, object.offset, true))
        return false;
    return follow_stream(pdf);
}

static bool follow_table(struct pdf *pdf)
{
    uint64_t offset = pdf->lex.at, used, wrong;

    return pdf_table(pdf, false, &used, &wrong) && keep_section(pdf, offset, false);
}

/* Do all sections that lead on from `section` stand where they should? *ret_newest: the one of the revision
 * before was among them. */
static bool chain_holds(const struct pdf *pdf, const struct pdf_section *section, bool *ret_newest)
{
    size_t steps = 0;

    *ret_newest = false;
    while (section != NULL && steps++ <= pdf->section_count) {
        *ret_newest |= section == &pdf->sections[pdf->newest];
        if (section->prev == 0)
            return true;
        section = pdf_section_at(pdf, section->prev);
    }
    return false;
}

/* Many writers count wrong. The end is still the document's when the section stands right before it and is
 * off by what no gap between two fragments could be, which are whole sectors. */
static bool is_miscounted(const struct pdf *pdf, uint64_t offset)
{
    uint64_t last = pdf->section_count > 0 ? pdf->sections[pdf->section_count - 1].offset : 0;
    uint64_t off = last > offset ? last - offset : offset - last;

    return last > 0 && offset > 0 && last == pdf->item && pdf->end == 0 && pdf->doubt == 0 &&
           off < MISCOUNT_MAX && off % SECTOR != 0;
}

/* At `startxref`, up to and with the end of line behind `%%EOF`. */
static bool follow_end(struct pdf *pdf)
{
    struct pdf_lex *lex = &pdf->lex;
    const struct pdf_section *section;
    uint64_t offset, used, wrong, end;
    bool newest;

    if (!pdf_word(lex, "startxref"))
        return false;
    pdf_skip_space(lex);
    if (!pdf_number(lex, &offset))
        return false;
    pdf_skip_space(lex);
    if (!pdf_word(lex, "%%EOF"))
        return false;
    if (pdf_peek(lex) == '\r')
        pdf_next(lex);
    if (pdf_peek(lex) == '\n')
        pdf_next(lex);
    end = lex->at;
    section = offset == 0 ? NULL : pdf_section_at(pdf, offset);
    if (section != NULL && !chain_holds(pdf, section, &newest))
        return true;
    if (section == NULL) {
        if (!is_miscounted(pdf, offset)) {
            pdf->foreign |= pdf->end > 0;
            return true;
        }
        pdf->loose = true;
        section = &pdf->sections[pdf->section_count - 1];
    }
    if (pdf->end > 0 &&
        (section->offset < pdf->end || !newest || !pdf_check(pdf, section, &used, &wrong) || wrong > 0)) {
        pdf->foreign = true;
        return false;
    }
    pdf->newest = (size_t)(section - pdf->sections);
    pdf->end = end;
    pdf_seek(lex, end);
    return true;
}

static void walk(struct pdf *pdf)
{
    bool goes_on = true;

    pdf_seek(&pdf->lex, HEADER);
    pdf_skip_comment(&pdf->lex);
    while (goes_on) {
        int c;

        pdf_skip_space(&pdf->lex);
        c = pdf_peek(&pdf->lex);
        if (c == '%' && !reader_is(pdf->reader, pdf->lex.at, "%PDF-", 5)) {
            pdf_seek(&pdf->lex, pdf->lex.at);
            pdf_skip_comment(&pdf->lex);
        } else {
            uint64_t item = pdf->lex.at;

            goes_on = c >= '0' && c <= '9' ? follow_object(pdf)
                      : c == 'x'           ? follow_table(pdf)
                      : c == 's'           ? follow_end(pdf)
                                           : false;
            pdf->item = item;
        }
        if (goes_on)
            pdf->good = pdf->lex.at;
    }
}

/* Every entry of every section of the document is right, and there are some. */
static bool entries_hold(struct pdf *pdf)
{
    const struct pdf_section *section = &pdf->sections[pdf->newest];
    uint64_t used, wrong, all = 0;

    for (size_t steps = 0; section != NULL && steps <= pdf->section_count; steps++) {
        if (!pdf_check(pdf, section, &used, &wrong) || wrong > 0)
            return false;
        all += used;
        section = section->prev == 0 ? NULL : pdf_section_at(pdf, section->prev);
    }
    return all > 0;
}

/* Latin letters of one byte each, as PDFDocEncoding has them where it matters, as UTF-8. */
static void latin_title(struct carved *ret, const uint8_t *text, size_t size)
{
    uint8_t utf8[2 * CARVED_TITLE_SIZE];
    size_t out = 0;

    for (size_t i = 0; i < size && out + 2 <= sizeof utf8; i++) {
        if (text[i] >= 0x80)
            utf8[out++] = (uint8_t)(0xc0 | text[i] >> 6);
        utf8[out++] = text[i] >= 0x80 ? (uint8_t)(0x80 | (text[i] & 0x3f)) : text[i];
    }
    carved_title(ret, utf8, out, "UTF-8");
}

static int hex(uint8_t c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The bytes of the string at p, `(...)` or `<...>`; how many. */
static size_t string_bytes(const uint8_t *p, size_t left, uint8_t *out, size_t room)
{
    size_t n = 0, digits = 0;
    int depth = 1;

    for (size_t i = 1; i < left && n < room; i++) {
        uint8_t c = p[i];

        if (p[0] == '<') {
            if (c == '>')
                break;
            if (hex(c) < 0)
                continue;
            out[n] = (uint8_t)(digits % 2 == 0 ? hex(c) << 4 : out[n] | hex(c));
            n += digits++ % 2;
            continue;
        }
        depth += c == '(' ? 1 : c == ')' ? -1 : 0;
        if (depth == 0)
            break;
        if (c == '\\' && i + 1 < left) {
            c = p[++i];
            if (c >= '0' && c <= '7') {
                unsigned value = 0;

                for (int k = 0; k < 3 && i < left && p[i] >= '0' && p[i] <= '7'; k++)
                    value = value * 8 + (p[i++] - '0');
                i--;
                c = (uint8_t)value;
            } else {
                c = c == 'n' ? '\n' : c == 'r' ? '\r' : c == 't' ? '\t' : c;
            }
        }
        out[n++] = c;
    }
    return n;
}

/* The title in the document's information dictionary, where that is an object that stands for itself. */
static void take_title(struct pdf *pdf, struct carved *ret)
{
    const struct pdf_section *section = &pdf->sections[pdf->newest];
    struct pdf_object object;
    uint64_t number, used, wrong;
    uint8_t title[4 * CARVED_TITLE_SIZE];
    const uint8_t *p;
    bool is_ref;
    size_t left, size, i = pdf->object_count;

    pdf_seek(&pdf->lex, section->offset);
    if (section->encrypted || (section->is_stream ? pdf_object_text(pdf, &object) != PDF_STREAM
                                                  : !pdf_table(pdf, false, &used, &wrong)))
        return;
    if (!pdf_find_number(&pdf->dict, "/Info", &number, &is_ref) || !is_ref)
        return;
    while (i > 0 && (pdf->objects[i - 1].number != number || pdf->objects[i - 1].offset >= pdf->end))
        i--;
    if (i == 0)
        return;
    pdf_seek(&pdf->lex, pdf->objects[i - 1].offset);
    if (pdf_object_text(pdf, &object) == PDF_BROKEN || (p = pdf_find(&pdf->dict, "/Title", &left)) == NULL ||
        (p[0] != '(' && p[0] != '<'))
        return;
    size = string_bytes(p, left, title, sizeof title);
    if (size >= 2 && title[0] == 0xfe && title[1] == 0xff)
        carved_title(ret, title + 2, size - 2, "UTF-16BE");
    else if (size >= 3 && memcmp(title, "\xef\xbb\xbf", 3) == 0)
        carved_title(ret, title + 3, size - 3, "UTF-8");
    else
        latin_title(ret, title, size);
}

/* Objects follow right behind the last end, and break off before they come to one of their own. */
static bool is_cut_later(const struct pdf *pdf)
{
    const struct pdf_object *last = &pdf->objects[pdf->object_count - 1];

    return last->offset >= pdf->end && !pdf->foreign;
}

static enum carve_grade judge(struct pdf *pdf, struct carved *ret)
{
    uint64_t good = pdf->doubt > 0 && pdf->doubt < pdf->good ? pdf->doubt : pdf->good;
    bool encrypted, holds;

    if (pdf->object_count == 0)
        return CARVE_NONE;
    if (pdf->end == 0) {
        good = pdf->doubt > 0 ? pdf->doubt : good;
        carved_partial(ret, good, "its end: after %zu objects the data is cut or damaged", pdf->object_count);
        if (pdf->object_count < 2)
            ret->grade = CARVE_FRAGMENT;
        return ret->grade;
    }
    encrypted = pdf->sections[pdf->newest].encrypted;
    holds = !pdf->loose && pdf->doubt == 0 && !encrypted && !pdf->broken_stream && entries_hold(pdf);
    if (is_cut_later(pdf))
        carved_partial(ret, good, "the end of a later revision, which begins at byte %llu",
                       (unsigned long long)pdf->end);
    else
        carved_whole(ret, holds ? CARVE_VALIDATED : CARVE_COMPLETE, pdf->end);
    if (ret->grade == CARVE_COMPLETE && !encrypted && pdf->broken_stream)
        (void)snprintf(ret->lacks, sizeof ret->lacks, "nothing, but a compressed stream in it is damaged");
    take_title(pdf, ret);
    return ret->grade;
}

static enum carve_grade examine_pdf(struct reader *reader, struct carved *ret)
{
    const uint8_t *head = reader_at(reader, 0, HEADER);
    struct pdf *pdf;

    if (head == NULL || memcmp(head, "%PDF-", 5) != 0 || (head[5] != '1' && head[5] != '2') || head[6] != '.')
        return CARVE_NONE;
    pdf = calloc(1, sizeof *pdf);
    if (pdf == NULL)
        return CARVE_NONE;
    pdf->reader = pdf->lex.reader = reader;
    walk(pdf);
    judge(pdf, ret);
    free(pdf->objects);
    free(pdf->sections);
    free(pdf);
    return ret->grade;
}

static const struct carve_format pdf_format = {"pdf", examine_pdf};
const struct carve_format *const carve_pdf[] = {&pdf_format, NULL};
