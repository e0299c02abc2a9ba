/*
 * pdf_script: a document as a list of what stands in it, one thing after the other. Whoever knows the case
 * writes the list; who makes pages of it (pdf_child.h) knows nothing else.
 *
 * The list is bytes: a letter for what it is, then its parts as engine/base/buf.h writes them.
 */
#ifndef KVALI_CASES_REPORT_PDF_SCRIPT_H
#define KVALI_CASES_REPORT_PDF_SCRIPT_H

#include "cases/report/pdf_page.h"
#include "engine/base/buf.h"

struct pdf {
    struct buf script; /* its sticky error is the document's */
    size_t columns;    /* of the table that is open */
};

/* The same as in pdf_page.h, written down. */
void pdf_heading(struct pdf *pdf, int level, const char *text);
void pdf_text(struct pdf *pdf, enum pdf_style style, const char *text);
/* A text of our own in which {1} stands for the number of characters without a glyph: that is known when all
 * pages are made. */
void pdf_text_missing(struct pdf *pdf, enum pdf_style style, const char *text);
void pdf_gap(struct pdf *pdf, unsigned points);
void pdf_new_page(struct pdf *pdf);
void pdf_contents(struct pdf *pdf);
void pdf_table_begin(struct pdf *pdf, const struct pdf_column *columns, size_t count);
void pdf_row(struct pdf *pdf, const char *const *cells); /* as many as its table has columns */
void pdf_table_end(struct pdf *pdf);
void pdf_finish(struct pdf *pdf);

/* Makes the pages, as pdf_page.h says; twice: dry, to learn their numbers, then into `out`. -EINVAL: it is no
 * list. */
int pdf_script_play(const struct pdf *pdf, const struct pdf_about *about, struct report_out *out);

#endif
