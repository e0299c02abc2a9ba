/* pdf_script: see pdf_script.h. */
#include "cases/report/pdf_script.h"

#include "engine/base/bytes.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

void pdf_heading(struct pdf *pdf, int level, const char *text)
{
    buf_u8(&pdf->script, 'h');
    buf_u8(&pdf->script, (uint8_t)level);
    buf_string(&pdf->script, text);
}

void pdf_text(struct pdf *pdf, enum pdf_style style, const char *text)
{
    buf_u8(&pdf->script, 't');
    buf_u8(&pdf->script, (uint8_t)style);
    buf_string(&pdf->script, text);
}

void pdf_text_missing(struct pdf *pdf, enum pdf_style style, const char *text)
{
    buf_u8(&pdf->script, 'm');
    buf_u8(&pdf->script, (uint8_t)style);
    buf_string(&pdf->script, text);
}

void pdf_gap(struct pdf *pdf, unsigned points)
{
    buf_u8(&pdf->script, 'g');
    buf_u32le(&pdf->script, points);
}

void pdf_new_page(struct pdf *pdf)
{
    buf_u8(&pdf->script, 'p');
}

void pdf_contents(struct pdf *pdf)
{
    buf_u8(&pdf->script, 'c');
}

void pdf_table_begin(struct pdf *pdf, const struct pdf_column *columns, size_t count)
{
    assert(count <= PDF_COLUMNS_MAX);
    buf_u8(&pdf->script, 'T');
    buf_u8(&pdf->script, (uint8_t)count);
    for (size_t i = 0; i < count; i++) {
        buf_string(&pdf->script, columns[i].head);
        buf_blob(&pdf->script, &columns[i].share, sizeof columns[i].share);
        buf_u8(&pdf->script, (uint8_t)columns[i].style);
        buf_u8(&pdf->script, columns[i].right);
    }
    pdf->columns = count;
}

void pdf_row(struct pdf *pdf, const char *const *cells)
{
    buf_u8(&pdf->script, 'r');
    for (size_t i = 0; i < pdf->columns; i++)
        buf_string(&pdf->script, cells[i]);
}

void pdf_table_end(struct pdf *pdf)
{
    buf_u8(&pdf->script, 'e');
    pdf->columns = 0;
}

void pdf_finish(struct pdf *pdf)
{
    buf_finish(&pdf->script);
}

/* ------------------------------------------------------------------ making pages */

static const char *take_text(struct bytes *bytes)
{
    const char *text = bytes_string(bytes);
    return text ? text : "";
}

static enum pdf_style take_style(struct bytes *bytes)
{
    uint8_t style = bytes_u8(bytes);
    return style < PDF_STYLES ? (enum pdf_style)style : PDF_TEXT;
}

static size_t play_table(struct bytes *bytes, struct drawing *drawing)
{
    struct pdf_column columns[PDF_COLUMNS_MAX];
    size_t count = bytes_u8(bytes), size;
    if (count > PDF_COLUMNS_MAX)
        bytes_fail(bytes);
    for (size_t i = 0; i < count && !bytes_failed(bytes); i++) {
        columns[i].head = take_text(bytes);
        const uint8_t *share = bytes_blob(bytes, &size);
        if (share && size == sizeof columns[i].share)
            memcpy(&columns[i].share, share, size);
        else
            bytes_fail(bytes);
        columns[i].style = take_style(bytes);
        columns[i].right = bytes_u8(bytes);
    }
    if (!bytes_failed(bytes))
        page_table_begin(drawing, columns, count);
    return count;
}

static void play_row(struct bytes *bytes, struct drawing *drawing, size_t columns)
{
    const char *cells[PDF_COLUMNS_MAX];
    for (size_t i = 0; i < columns; i++)
        cells[i] = take_text(bytes);
    if (!bytes_failed(bytes))
        page_row(drawing, cells);
}

static void play_missing(struct bytes *bytes, struct drawing *drawing, const struct drawing *dry)
{
    struct buf text = {0};
    enum pdf_style style = take_style(bytes);
    const char *words = take_text(bytes), *place = strstr(words, "{1}");
    if (place) {
        buf_append(&text, words, (size_t)(place - words));
        buf_printf(&text, "%llu%s", dry ? (unsigned long long)page_missing(dry) : 0ULL, place + 3);
    }
    page_text(drawing, style, buf_cstr(&text));
    buf_finish(&text);
}

static int play(const struct pdf *pdf, struct drawing *drawing, const struct drawing *dry)
{
    struct bytes bytes;
    size_t columns = 0;
    bytes_init(&bytes, pdf->script.data, pdf->script.size);
    while (bytes_left(&bytes) > 0 && !bytes_failed(&bytes)) {
        uint8_t what = bytes_u8(&bytes), small;
        switch (what) {
        case 'h':
            small = bytes_u8(&bytes);
            small = small >= 1 && small <= 3 ? small : 3;
            page_heading(drawing, small, take_text(&bytes));
            break;
        case 't':
            small = (uint8_t)take_style(&bytes);
            page_text(drawing, (enum pdf_style)small, take_text(&bytes));
            break;
        case 'm':
            play_missing(&bytes, drawing, dry);
            break;
        case 'g':
            page_gap(drawing, bytes_u32le(&bytes));
            break;
        case 'p':
            page_break(drawing);
            break;
        case 'c':
            page_contents(drawing);
            break;
        case 'T':
            columns = play_table(&bytes, drawing);
            break;
        case 'r':
            play_row(&bytes, drawing, columns);
            break;
        case 'e':
            page_table_end(drawing);
            columns = 0;
            break;
        default:
            bytes_fail(&bytes);
        }
    }
    int ended = page_end(drawing);
    return bytes_failed(&bytes) ? -EINVAL : ended;
}

int pdf_script_play(const struct pdf *pdf, const struct pdf_about *about, struct report_out *out)
{
    struct drawing *dry = NULL, *real = NULL;
    int code = buf_failed(&pdf->script) ? -ENOMEM : page_new(NULL, about, NULL, &dry);
    if (code == 0)
        code = play(pdf, dry, NULL);
    if (code == 0)
        code = page_new(out, about, dry, &real);
    if (code == 0)
        code = play(pdf, real, dry);
    page_free(real);
    page_free(dry);
    return code;
}
