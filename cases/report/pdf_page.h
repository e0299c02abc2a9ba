/*
 * pdf_page: pages of text and tables as PDF, by pango and cairo: the only file that includes them is
 * pdf_page.c. It runs in a process of its own (pdf_child.h), because it shapes text that comes from evidence.
 *
 * A4, fonts embedded (DejaVu Sans, which has Georgian: package fonts-dejavu-core), text that can be searched
 * and copied, an outline, and the same bytes for the same calls with the same fonts: the one time in it is
 * given. A document is written twice: first dry, to learn its pages, then for real.
 *
 * All text is UTF-8 without controls (safe.h). A character that the fonts do not have is shown as U+XXXX and
 * counted.
 */
#ifndef KVALI_CASES_REPORT_PDF_PAGE_H
#define KVALI_CASES_REPORT_PDF_PAGE_H

#include "cases/report/report_out.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct drawing;

struct pdf_about {
    const char *title, *author, *subject, *creator, *lang; /* lang: "en", "ka" */
    const char *when;                                      /* RFC 3339 */
    const char *head;                                      /* at the top of each page */
    const char *foot[2];   /* at its bottom: left, middle; on the right is the page's number */
    const char *page_word; /* "Page" */
};

enum pdf_style { PDF_TITLE, PDF_STRONG, PDF_TEXT, PDF_SMALL, PDF_CODE, PDF_STYLES };

/* `out` NULL: dry. `dry` is such a document, finished, of the same calls; NULL for the dry one. Borrows both.
 * -ENOMEM, or -ENOENT: no font with Georgian letters is installed. */
int page_new(struct report_out *out, const struct pdf_about *about, const struct drawing *dry,
            struct drawing **ret_pdf);
/* Ends the last page and the document; 0 or a negative errno of what went wrong on the way. */
int page_end(struct drawing *pdf);
void page_free(struct drawing *pdf);

/* A chapter (level 1: it begins in the list of contents and the outline) or a heading in it (2, and below that 3). */
void page_heading(struct drawing *pdf, int level, const char *text);
void page_text(struct drawing *pdf, enum pdf_style style, const char *text);
void page_gap(struct drawing *pdf, double points);
void page_break(struct drawing *pdf); /* what follows begins a page */
/* All chapters with their pages; in the dry document as many lines as are kept free for them. No links:
 * cairo 1.16 leaves an object out of files that have links, and readers then call them damaged; the outline
 * leads to the chapters. */
void page_contents(struct drawing *pdf);

struct pdf_column {
    const char *head;
    double share; /* of the width; all of a table's add up to 1 */
    enum pdf_style style;
    bool right; /* numbers */
};
enum { PDF_COLUMNS_MAX = 8 };
/* A table's head comes again on each page. A cell's text is cut in the middle when it is long. */
void page_table_begin(struct drawing *pdf, const struct pdf_column *columns, size_t count);
void page_row(struct drawing *pdf, const char *const *cells);
void page_table_end(struct drawing *pdf);

uint64_t page_missing(const struct drawing *pdf); /* characters without a glyph */
const char *pdf_version(void);               /* "pango 1.50.12, cairo 1.16.0" */

#endif
