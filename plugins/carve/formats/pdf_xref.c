/*
 * pdf_xref: cross-reference tables and streams [ISO 32000-1, 7.5.4 to 7.5.8] against the objects that were
 * found. Streams are inflated, and PNG's filters None, Sub and Up undone, which is what writers use.
 */
#include "plugins/carve/formats/pdf.h"

#include "plugins/carve/formats/unpack.h"

#include <stdlib.h>
#include <string.h>

enum { STREAM_MAX = 32 << 20, ROW_MAX = 64, RANGES = 512, SLACK = 2 };

const struct pdf_object *pdf_object_at(const struct pdf *pdf, uint64_t offset)
{
    size_t low = 0, high = pdf->object_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (pdf->objects[middle].offset < offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == pdf->object_count || pdf->objects[low].offset - offset > SLACK)
        return NULL;
    return &pdf->objects[low];
}

const struct pdf_section *pdf_section_at(const struct pdf *pdf, uint64_t offset)
{
    for (size_t i = pdf->section_count; i-- > 0;) {
        if (pdf->sections[i].offset >= offset && pdf->sections[i].offset - offset <= SLACK)
            return &pdf->sections[i];
    }
    return NULL;
}

static void check_entry(const struct pdf *pdf, uint64_t number, uint64_t generation, uint64_t offset,
                        uint64_t *ret_used, uint64_t *ret_wrong)
{
    const struct pdf_object *object = pdf_object_at(pdf, offset);

    if (offset == 0)
        return; /* free, as some writers say it */
    ++*ret_used;
    if (object == NULL || object->number != number || object->generation != generation)
        ++*ret_wrong;
}

/* `offset generation n` or `f`. */
static bool table_entry(struct pdf *pdf, bool check, uint64_t number, uint64_t *ret_used, uint64_t *ret_wrong)
{
    struct pdf_lex *lex = &pdf->lex;
    uint64_t offset, generation;
    int kind;

    pdf_skip_space(lex);
    if (!pdf_number(lex, &offset))
        return false;
    pdf_skip_space(lex);
    if (!pdf_number(lex, &generation))
        return false;
    pdf_skip_space(lex);
    kind = pdf_peek(lex);
    if (kind != 'n' && kind != 'f')
        return false;
    pdf_next(lex);
    if (check && kind == 'n')
        check_entry(pdf, number, generation, offset, ret_used, ret_wrong);
    return true;
}

bool pdf_table(struct pdf *pdf, bool check, uint64_t *ret_used, uint64_t *ret_wrong)
{
    struct pdf_lex *lex = &pdf->lex;
    uint64_t first, count;

    *ret_used = *ret_wrong = 0;
    if (!pdf_word(lex, "xref"))
        return false;
    for (;;) {
        pdf_skip_space(lex);
        if (!pdf_number(lex, &first))
            break;
        pdf_skip_space(lex);
        if (!pdf_number(lex, &count))
            return false;
        for (uint64_t i = 0; i < count; i++) {
            if (!table_entry(pdf, check, first + i, ret_used, ret_wrong))
                return false;
        }
    }
    return pdf_word(lex, "trailer") && pdf_body(lex, &pdf->dict) != PDF_BROKEN;
}

struct rows {
    uint8_t *data;
    size_t size, width; /* width: of a row, without its filter byte */
    bool filtered;
};

/* The rows without their filters; false: there is one that this does not know. */
static bool undo_filters(struct rows *rows)
{
    size_t step = rows->width + 1, out = 0;

    for (size_t at = 0; at + step <= rows->size; at += step) {
        uint8_t filter = rows->data[at], *row = rows->data + out;

        if (filter > 2)
            return false;
        memmove(row, rows->data + at + 1, rows->width);
        for (size_t i = 0; i < rows->width; i++) {
            if (filter == 1 && i > 0)
                row[i] = (uint8_t)(row[i] + row[i - 1]);
            if (filter == 2 && out > 0)
                row[i] = (uint8_t)(row[i] + (row - rows->width)[i]);
        }
        out += rows->width;
    }
    rows->size = out;
    return true;
}

static uint64_t field(const uint8_t *p, size_t width)
{
    uint64_t n = 0;

    for (size_t i = 0; i < width; i++)
        n = n << 8 | p[i];
    return n;
}

static bool check_rows(const struct pdf *pdf, const struct rows *rows, const uint64_t *widths,
                       const uint64_t *ranges, size_t range_count, uint64_t *ret_used, uint64_t *ret_wrong)
{
    const uint8_t *p = rows->data;
    size_t left = rows->size / rows->width;

    for (size_t r = 0; r + 1 < range_count; r += 2) {
        if (ranges[r + 1] > left)
            return false;
        for (uint64_t i = 0; i < ranges[r + 1]; i++, p += rows->width) {
            uint64_t type = widths[0] == 0 ? 1 : field(p, (size_t)widths[0]);
            const uint8_t *rest = p + widths[0];

            if (type == 1)
                check_entry(pdf, ranges[r] + i, field(rest + widths[1], (size_t)widths[2]),
                            field(rest, (size_t)widths[1]), ret_used, ret_wrong);
        }
        left -= (size_t)ranges[r + 1];
    }
    return true;
}

static bool load_rows(struct pdf *pdf, uint64_t data, struct rows *rows)
{
    bool flate = pdf_find_name(&pdf->dict, "/Filter", "/FlateDecode"), is_ref;
    uint64_t length;

    if (!pdf_find_number(&pdf->dict, "/Length", &length, &is_ref) || is_ref || length > STREAM_MAX)
        length = STREAM_MAX;
    rows->data = malloc(STREAM_MAX);
    if (rows->data == NULL)
        return false;
    rows->filtered = flate && pdf_find_inner(&pdf->dict, "/Predictor", 1) >= 10;
    if (flate)
        rows->size = unpack_inflate(pdf->reader, READER_ZLIB, data, data + length, rows->data, STREAM_MAX);
    else
        rows->size = unpack_stored(pdf->reader, data, data + length, rows->data, STREAM_MAX);
    return !rows->filtered || undo_filters(rows);
}

/* Behind `stream`: the first byte of its data. */
static uint64_t stream_data(struct pdf_lex *lex)
{
    if (pdf_peek(lex) == '\r')
        pdf_next(lex);
    if (pdf_peek(lex) == '\n')
        pdf_next(lex);
    return lex->at;
}

static bool check_stream(struct pdf *pdf, uint64_t *ret_used, uint64_t *ret_wrong)
{
    uint64_t widths[3], ranges[RANGES] = {0};
    struct rows rows = {0};
    struct pdf_object object;
    size_t range_count;
    bool is_ref, done;

    if (pdf_object_text(pdf, &object) != PDF_STREAM || pdf_find_array(&pdf->dict, "/W", widths, 3) != 3 ||
        widths[0] > 8 || widths[1] > 8 || widths[2] > 8 || widths[0] + widths[1] + widths[2] == 0)
        return false;
    rows.width = (size_t)(widths[0] + widths[1] + widths[2]);
    range_count = pdf_find_array(&pdf->dict, "/Index", ranges, RANGES);
    if (range_count == 0) {
        range_count = 2;
        if (!pdf_find_number(&pdf->dict, "/Size", &ranges[1], &is_ref))
            return false;
    }
    done = load_rows(pdf, stream_data(&pdf->lex), &rows) &&
           check_rows(pdf, &rows, widths, ranges, range_count, ret_used, ret_wrong);
    free(rows.data);
    return done;
}

bool pdf_check(struct pdf *pdf, const struct pdf_section *section, uint64_t *ret_used, uint64_t *ret_wrong)
{
    *ret_used = *ret_wrong = 0;
    pdf_seek(&pdf->lex, section->offset);
    return section->is_stream ? check_stream(pdf, ret_used, ret_wrong)
                              : pdf_table(pdf, true, ret_used, ret_wrong);
}
