/*
 * report_pdf: the chapters of the PDF report, and what they share.
 */
#ifndef KVALI_CASES_REPORT_REPORT_PDF_H
#define KVALI_CASES_REPORT_REPORT_PDF_H

#include "cases/report/pdf_script.h"
#include "cases/report/report_custody.h"
#include "cases/report/report_formats.h"
#include "cases/report/report_terms.h"
#include "cases/report/report_words.h"

struct pdf_report {
    struct pdf *pdf;
    const struct report_from *from;
    size_t columns; /* of the table that is being written, where that is needed */
};

/* A row of a table: its texts lie in `bufs` or are borrowed. All zero before; it may be written over again and again. */
enum { PDF_CELLS_MAX = 8 };
struct pdf_cells {
    struct buf bufs[PDF_CELLS_MAX];
    const char *texts[PDF_CELLS_MAX]; /* as pdf_row takes them */
};
void pdf_cells_finish(struct pdf_cells *cells);
void pdf_cell_number(struct pdf_cells *cells, size_t at, uint64_t number);
void pdf_cell_size(const struct pdf_report *r, struct pdf_cells *cells, size_t at, uint64_t size);
void pdf_cell_text(struct pdf_cells *cells, size_t at, const char *text); /* made safe (safe.h) */
void pdf_cell_term(const struct pdf_report *r, struct pdf_cells *cells, size_t at, enum report_term group,
                   const char *word);
void pdf_cell_when(const struct pdf_report *r, struct pdf_cells *cells, size_t at, int64_t when);
void pdf_cell_printf(struct pdf_cells *cells, size_t at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A label's words in the report's language. */
const char *pdf_word(const struct pdf_report *r, enum report_label label);

/* Chapters: 0 or a negative errno of the database. Their headings are written. */
int pdf_summary(struct pdf_report *r);
int pdf_exhibits(struct pdf_report *r);
int pdf_method(struct pdf_report *r);
int pdf_findings(struct pdf_report *r);
int pdf_recovered(struct pdf_report *r);
int pdf_limits(struct pdf_report *r);
int pdf_faults(struct pdf_report *r);
int pdf_custody(struct pdf_report *r);
int pdf_annex(struct pdf_report *r);

/* Parts of them: rule files; keywords and features that were found. */
int pdf_loaded(struct pdf_report *r);
void pdf_keywords(struct pdf_report *r);
int pdf_features(struct pdf_report *r);

/* Parts of them, of what people recorded. */
void pdf_custody_case(struct pdf_report *r);
/* Nothing when there are none. */
void pdf_custody_table(struct pdf_report *r, const struct custody_table *table);
void pdf_custody_of(struct pdf_report *r, const char *exhibit);

void pdf_label(struct pdf_report *r, enum pdf_style style, enum report_label label);
void pdf_say(struct pdf_report *r, enum pdf_style style, enum report_label label, const char *one,
             const char *two, const char *three);
void pdf_say_numbers(struct pdf_report *r, enum pdf_style style, enum report_label label, uint64_t one,
                     uint64_t two);
void pdf_subheading(struct pdf_report *r, enum report_label label);
/* A list of labels and values: pdf_table_end ends it. */
void pdf_pairs_begin(struct pdf_report *r);
void pdf_pair(struct pdf_report *r, enum report_label label, const char *value);
void pdf_pair_number(struct pdf_report *r, enum report_label label, uint64_t number);
/* That a table has more rows, and what shows them; nothing when it has not. */
void pdf_cut(struct pdf_report *r, const struct model_cut *cut);
/* A word of the case that is ours (report_terms.h), into `buf`, which is emptied before. */
const char *pdf_term(const struct pdf_report *r, struct buf *buf, enum report_term group, const char *word);
/* "31.01.2026 23:59:59 UTC" into `buf`, which is emptied before; "" for WHEN_NONE. */
const char *pdf_when(const struct pdf_report *r, struct buf *buf, int64_t when);

#endif
