/* pdf_page: see pdf_page.h. */
#include "cases/report/pdf_page.h"

#include "cases/report/safe.h"
#include "engine/base/text.h"

#include <cairo-pdf.h>
#include <pango/pangocairo.h>

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double page_width = 595.28, page_height = 841.89, margin = 48, top = 58, bottom = 62,
                    cell_gap = 6;

enum { CHAPTERS_MAX = 32, CELL_MAX = 480, MISSES = 64 };

static const struct {
    const char *font;
    double grey;
} styles[PDF_STYLES] = {
    [PDF_TITLE] = {"DejaVu Sans Bold 19", 0}, [PDF_STRONG] = {"DejaVu Sans Bold 9", 0},
    [PDF_TEXT] = {"DejaVu Sans 9", 0},        [PDF_SMALL] = {"DejaVu Sans 7.5", 0.25},
    [PDF_CODE] = {"DejaVu Sans Mono 7.5", 0},
};
static const char *const heading_fonts[] = {"DejaVu Sans Bold 14", "DejaVu Sans Bold 10.5", "DejaVu Sans Bold 9"};

struct chapter {
    char *title;
    unsigned page;
};

struct drawing {
    struct report_out *out; /* NULL: dry */
    const struct pdf_about *about;
    const struct drawing *dry;
    cairo_surface_t *surface;
    cairo_t *cr;
    PangoLayout *layout, *probe;
    double y;
    unsigned page;
    bool open; /* a page is begun */
    struct chapter chapters[CHAPTERS_MAX];
    size_t chapter_count;
    struct pdf_column columns[PDF_COLUMNS_MAX];
    size_t column_count;
    uint64_t missing;
    int error;
};

/* ------------------------------------------------------------------ the document */

static cairo_status_t take(void *context, const unsigned char *data, unsigned int size)
{
    struct drawing *pdf = context;
    if (!pdf->out)
        return CAIRO_STATUS_SUCCESS;
    buf_append(&pdf->out->buf, data, size);
    return report_out_row(pdf->out) < 0 ? CAIRO_STATUS_WRITE_ERROR : CAIRO_STATUS_SUCCESS;
}

/* Nothing of how text is laid out may come from the user's or the desktop's settings. */
static PangoLayout *new_layout(struct drawing *pdf)
{
    PangoLayout *layout = pango_cairo_create_layout(pdf->cr);
    PangoContext *context = pango_layout_get_context(layout);
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    pango_cairo_context_set_font_options(context, options);
    pango_cairo_context_set_resolution(context, 72);
    pango_context_set_language(context, pango_language_from_string(pdf->about->lang));
    pango_context_set_base_dir(context, PANGO_DIRECTION_LTR);
    cairo_font_options_destroy(options);
    pango_layout_set_auto_dir(layout, FALSE);
    pango_layout_set_wrap(layout, PANGO_WRAP_WORD_CHAR);
    /* A hyphen at a line's end would look like a part of a hash value or a name. */
    PangoAttrList *attributes = pango_attr_list_new();
    pango_attr_list_insert(attributes, pango_attr_insert_hyphens_new(FALSE));
    pango_layout_set_attributes(layout, attributes);
    pango_attr_list_unref(attributes);
    return layout;
}

static void set_font(PangoLayout *layout, const char *font)
{
    PangoFontDescription *description = pango_font_description_from_string(font);
    pango_layout_set_font_description(layout, description);
    pango_font_description_free(description);
}

static void set_about(struct drawing *pdf)
{
    const struct pdf_about *about = pdf->about;
    cairo_pdf_surface_set_metadata(pdf->surface, CAIRO_PDF_METADATA_TITLE, about->title);
    cairo_pdf_surface_set_metadata(pdf->surface, CAIRO_PDF_METADATA_AUTHOR, about->author);
    cairo_pdf_surface_set_metadata(pdf->surface, CAIRO_PDF_METADATA_SUBJECT, about->subject);
    cairo_pdf_surface_set_metadata(pdf->surface, CAIRO_PDF_METADATA_CREATOR, about->creator);
    cairo_pdf_surface_set_metadata(pdf->surface, CAIRO_PDF_METADATA_CREATE_DATE, about->when);
    cairo_pdf_surface_set_metadata(pdf->surface, CAIRO_PDF_METADATA_MOD_DATE, about->when);
}

int page_new(struct report_out *out, const struct pdf_about *about, const struct drawing *dry,
            struct drawing **ret_pdf)
{
    struct drawing *pdf = calloc(1, sizeof *pdf);
    if (!pdf)
        return -ENOMEM;
    *pdf = (struct drawing){.out = out, .about = about, .dry = dry};
    pdf->surface = cairo_pdf_surface_create_for_stream(take, pdf, page_width, page_height);
    pdf->cr = cairo_create(pdf->surface);
    set_about(pdf);
    pdf->layout = new_layout(pdf);
    pdf->probe = new_layout(pdf);
    set_font(pdf->probe, styles[PDF_TEXT].font);
    pango_layout_set_text(pdf->probe, "\u10d0\u10f0",
                          -1); /* the first and the last letter of the Georgian alphabet */
    int code = cairo_status(pdf->cr)                               ? -ENOMEM
               : pango_layout_get_unknown_glyphs_count(pdf->probe) ? -ENOENT
                                                                   : 0;
    if (code < 0)
        page_free(pdf);
    else
        *ret_pdf = pdf;
    return code;
}

void page_free(struct drawing *pdf)
{
    if (!pdf)
        return;
    g_clear_object(&pdf->layout);
    g_clear_object(&pdf->probe);
    cairo_destroy(pdf->cr);
    cairo_surface_destroy(pdf->surface);
    for (size_t i = 0; i < pdf->chapter_count; i++)
        free(pdf->chapters[i].title);
    free(pdf);
}

uint64_t page_missing(const struct drawing *pdf)
{
    return pdf->missing;
}

const char *pdf_version(void)
{
    static char text[64];
    snprintf(text, sizeof text, "pango %s, cairo %s", pango_version_string(), cairo_version_string());
    return text;
}

/* ------------------------------------------------------------------ text */

static bool has_glyph(struct drawing *pdf, const char *character, size_t size)
{
    pango_layout_set_text(pdf->probe, character, (int)size);
    return pango_layout_get_unknown_glyphs_count(pdf->probe) == 0;
}

static void name_missing(struct drawing *pdf, const char *text, struct buf *named)
{
    for (size_t size; *text; text += size) {
        uint32_t code = 0;
        size = text_character(text, strlen(text), &code);
        if (size == 0)
            size = 1;
        if (code < 0x80 || has_glyph(pdf, text, size)) {
            buf_append(named, text, size);
            continue;
        }
        buf_printf(named, "[U+%04X]", code);
        pdf->missing++;
    }
}

/* The layout then has the text, wrapped at `width` points; its height comes back. */
static double lay(struct drawing *pdf, const char *font, const char *text, double width, bool right)
{
    int height = 0;
    set_font(pdf->layout, font);
    pango_layout_set_width(pdf->layout, (int)(width * PANGO_SCALE));
    pango_layout_set_alignment(pdf->layout, right ? PANGO_ALIGN_RIGHT : PANGO_ALIGN_LEFT);
    pango_layout_set_text(pdf->layout, text, -1);
    if (pango_layout_get_unknown_glyphs_count(pdf->layout) > 0) {
        struct buf named = {0};
        name_missing(pdf, text, &named);
        pango_layout_set_text(pdf->layout, buf_cstr(&named), -1);
        buf_finish(&named);
    }
    pango_layout_get_size(pdf->layout, NULL, &height);
    return (double)height / PANGO_SCALE;
}

static void show(struct drawing *pdf, double x, double y, double grey)
{
    if (!pdf->out)
        return;
    cairo_set_source_rgb(pdf->cr, grey, grey, grey);
    cairo_move_to(pdf->cr, x, y);
    pango_cairo_show_layout(pdf->cr, pdf->layout);
}

static void rule(struct drawing *pdf, double y, double grey)
{
    if (!pdf->out)
        return;
    cairo_set_source_rgb(pdf->cr, grey, grey, grey);
    cairo_set_line_width(pdf->cr, 0.5);
    cairo_move_to(pdf->cr, margin, y);
    cairo_line_to(pdf->cr, page_width - margin, y);
    cairo_stroke(pdf->cr);
}

/* ------------------------------------------------------------------ pages */

static void put_footer(struct drawing *pdf)
{
    char number[96];
    const double width = page_width - 2 * margin, y = page_height - bottom + 20;
    lay(pdf, styles[PDF_SMALL].font, pdf->about->head, width, false);
    show(pdf, margin, 30, styles[PDF_SMALL].grey);
    rule(pdf, 44, 0.6);
    rule(pdf, y - 4, 0.6);
    double height = lay(pdf, styles[PDF_SMALL].font, pdf->about->foot[0], width - 90, false);
    show(pdf, margin, y, styles[PDF_SMALL].grey);
    lay(pdf, styles[PDF_SMALL].font, pdf->about->foot[1], width, false);
    show(pdf, margin, y + height, styles[PDF_SMALL].grey);
    snprintf(number, sizeof number, "%s %u / %u", pdf->about->page_word, pdf->page,
             pdf->dry ? pdf->dry->page : pdf->page);
    lay(pdf, styles[PDF_SMALL].font, number, width, true);
    show(pdf, margin, y, styles[PDF_SMALL].grey);
}

static void close_page(struct drawing *pdf)
{
    if (!pdf->open)
        return;
    put_footer(pdf);
    cairo_show_page(pdf->cr);
    pdf->open = false;
}

static void open_page(struct drawing *pdf)
{
    if (pdf->open)
        return;
    pdf->open = true;
    pdf->page++;
    pdf->y = top;
}

void page_break(struct drawing *pdf)
{
    close_page(pdf);
}

/* Room for so many points, on the next page when this one has not got it. True: that is another page. */
static bool need(struct drawing *pdf, double height)
{
    if (pdf->open && pdf->y + height <= page_height - bottom)
        return false;
    close_page(pdf);
    open_page(pdf);
    return true;
}

int page_end(struct drawing *pdf)
{
    close_page(pdf);
    cairo_surface_finish(pdf->surface);
    cairo_status_t status = cairo_surface_status(pdf->surface);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_status(pdf->cr);
    return status == CAIRO_STATUS_SUCCESS     ? 0
           : status == CAIRO_STATUS_NO_MEMORY ? -ENOMEM
           : pdf->out && pdf->out->error      ? pdf->out->error
                                              : -EIO;
}

void page_gap(struct drawing *pdf, double points)
{
    if (pdf->open)
        pdf->y += points;
}

/* Line by line, so that a long text goes over pages. */
static void put_lines(struct drawing *pdf, double x, double grey)
{
    PangoLayoutIter *iter = pango_layout_get_iter(pdf->layout);
    do {
        PangoRectangle extents;
        pango_layout_iter_get_line_extents(iter, NULL, &extents);
        double height = (double)extents.height / PANGO_SCALE;
        double baseline = (double)(pango_layout_iter_get_baseline(iter) - extents.y) / PANGO_SCALE;
        PangoLayoutLine *line = pango_layout_line_ref(pango_layout_iter_get_line_readonly(iter));
        if (!pdf->open || pdf->y + height > page_height - bottom) {
            /* The foot of the page is laid out with the same layout. */
            PangoLayout *kept = pdf->layout;
            pdf->layout = new_layout(pdf);
            need(pdf, height);
            g_object_unref(pdf->layout);
            pdf->layout = kept;
        }
        if (pdf->out) {
            cairo_set_source_rgb(pdf->cr, grey, grey, grey);
            cairo_move_to(pdf->cr, x + (double)extents.x / PANGO_SCALE, pdf->y + baseline);
            pango_cairo_show_layout_line(pdf->cr, line);
        }
        pango_layout_line_unref(line);
        pdf->y += height;
    } while (pango_layout_iter_next_line(iter));
    pango_layout_iter_free(iter);
}

void page_text(struct drawing *pdf, enum pdf_style style, const char *text)
{
    open_page(pdf);
    lay(pdf, styles[style].font, text, page_width - 2 * margin, false);
    put_lines(pdf, margin, styles[style].grey);
    pdf->y += 3;
}

static void add_chapter(struct drawing *pdf, const char *text)
{
    char link[48];
    char *title = strdup(text);
    if (!title || pdf->chapter_count == CHAPTERS_MAX) {
        free(title);
        return;
    }
    pdf->chapters[pdf->chapter_count++] = (struct chapter){title, pdf->page};
    snprintf(link, sizeof link, "page=%u", pdf->page);
    cairo_pdf_surface_add_outline(pdf->surface, CAIRO_PDF_OUTLINE_ROOT, text, link, 0);
}

void page_heading(struct drawing *pdf, int level, const char *text)
{
    assert(level >= 1 && level <= 3);
    const char *font = heading_fonts[level - 1];
    double height = lay(pdf, font, text, page_width - 2 * margin, false);
    if (pdf->open)
        pdf->y += level == 1 ? 14 : 8;
    need(pdf, height + (level == 1 ? 90 : 60)); /* not alone at the end of a page */
    lay(pdf, font, text, page_width - 2 * margin, false);
    if (level == 1)
        add_chapter(pdf, text);
    show(pdf, margin, pdf->y, 0);
    pdf->y += height + 4;
}

void page_contents(struct drawing *pdf)
{
    char number[16];
    const double width = page_width - 2 * margin;
    const struct drawing *known = pdf->dry;
    for (size_t i = 0; i < (known ? known->chapter_count : 12); i++) {
        double height =
            lay(pdf, styles[PDF_TEXT].font, known ? known->chapters[i].title : " ", width - 40, false);
        if (need(pdf, height + 3))
            lay(pdf, styles[PDF_TEXT].font, known ? known->chapters[i].title : " ", width - 40, false);
        if (!known) {
            pdf->y += height + 3;
            continue;
        }
        show(pdf, margin, pdf->y, 0);
        snprintf(number, sizeof number, "%u", known->chapters[i].page);
        lay(pdf, styles[PDF_TEXT].font, number, width, true);
        show(pdf, margin, pdf->y, 0);
        pdf->y += height + 3;
    }
}

/* ------------------------------------------------------------------ tables */

/* The cells' texts, laid out one after the other; `paint` false only measures. */
static double put_cells(struct drawing *pdf, const char *const *cells, bool head, bool paint)
{
    const double width = page_width - 2 * margin;
    double x = margin, highest = 0;
    for (size_t i = 0; i < pdf->column_count; i++) {
        const struct pdf_column *column = &pdf->columns[i];
        enum pdf_style style = head ? PDF_SMALL : column->style;
        double height = lay(pdf, styles[style].font, cells[i] ? cells[i] : "",
                            width * column->share - cell_gap, column->right);
        if (paint)
            show(pdf, x, pdf->y, styles[style].grey);
        highest = height > highest ? height : highest;
        x += width * column->share;
    }
    return highest;
}

static void put_head(struct drawing *pdf)
{
    const char *heads[PDF_COLUMNS_MAX];
    for (size_t i = 0; i < pdf->column_count; i++)
        heads[i] = pdf->columns[i].head;
    bool any = false;
    for (size_t i = 0; i < pdf->column_count; i++)
        any = any || (heads[i] && *heads[i]);
    if (any)
        pdf->y += put_cells(pdf, heads, true, true) + 2;
    rule(pdf, pdf->y, 0.3);
    pdf->y += 2;
}

void page_table_begin(struct drawing *pdf, const struct pdf_column *columns, size_t count)
{
    assert(count <= PDF_COLUMNS_MAX);
    memcpy(pdf->columns, columns, count * sizeof *columns);
    pdf->column_count = count;
    need(pdf, 50);
    put_head(pdf);
}

void page_row(struct drawing *pdf, const char *const *cells)
{
    struct buf cut[PDF_COLUMNS_MAX] = {0};
    const char *texts[PDF_COLUMNS_MAX];
    uint64_t missing = pdf->missing;
    for (size_t i = 0; i < pdf->column_count; i++) {
        safe_text_cut(&cut[i], cells[i] ? cells[i] : "", strlen(cells[i] ? cells[i] : ""), CELL_MAX);
        texts[i] = buf_cstr(&cut[i]);
    }
    double height = put_cells(pdf, texts, false, false);
    pdf->missing = missing; /* they are laid out once more */
    if (need(pdf, height + 3))
        put_head(pdf);
    put_cells(pdf, texts, false, true);
    pdf->y += height + 1.5;
    rule(pdf, pdf->y, 0.85);
    pdf->y += 1.5;
    for (size_t i = 0; i < pdf->column_count; i++)
        buf_finish(&cut[i]);
}

void page_table_end(struct drawing *pdf)
{
    pdf->column_count = 0;
    pdf->y += 6;
}
