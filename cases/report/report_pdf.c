/*
 * report_pdf: the report on paper: cover with contents, exhibits, methods, findings, limitations and faults,
 * annex. On each page are the report's number, the ledger's head and the page's number of all; the last line
 * says that it is the last.
 *
 * A chapter is a function and a line in `chapters`.
 */
#include "cases/report/report_pdf.h"

#include "cases/report/pdf_child.h"
#include "cases/report/report_formats.h"
#include "cases/report/safe.h"
#include "engine/base/version.h"
#include "engine/base/when.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *pdf_word(const struct pdf_report *r, enum report_label label)
{
    return report_label(r->from->lang, label);
}

void pdf_label(struct pdf_report *r, enum pdf_style style, enum report_label label)
{
    pdf_text(r->pdf, style, report_label(r->from->lang, label));
}

void pdf_say(struct pdf_report *r, enum pdf_style style, enum report_label label, const char *one,
             const char *two, const char *three)
{
    struct buf text = {0};
    words_say(&text, r->from->lang, label, one, two, three);
    pdf_text(r->pdf, style, buf_cstr(&text));
    buf_finish(&text);
}

void pdf_say_numbers(struct pdf_report *r, enum pdf_style style, enum report_label label, uint64_t one,
                     uint64_t two)
{
    struct buf text = {0};
    words_say_numbers(&text, r->from->lang, label, one, two);
    pdf_text(r->pdf, style, buf_cstr(&text));
    buf_finish(&text);
}

void pdf_subheading(struct pdf_report *r, enum report_label label)
{
    pdf_heading(r->pdf, 2, report_label(r->from->lang, label));
}

void pdf_pairs_begin(struct pdf_report *r)
{
    static const struct pdf_column columns[] = {{"", 0.32, PDF_STRONG, false}, {"", 0.68, PDF_TEXT, false}};
    pdf_table_begin(r->pdf, columns, 2);
}

void pdf_pair(struct pdf_report *r, enum report_label label, const char *value)
{
    const char *const cells[] = {report_label(r->from->lang, label), value};
    pdf_row(r->pdf, cells);
}

void pdf_pair_number(struct pdf_report *r, enum report_label label, uint64_t number)
{
    struct buf text = {0};
    safe_number(&text, number);
    pdf_pair(r, label, buf_cstr(&text));
    buf_finish(&text);
}

const char *pdf_term(const struct pdf_report *r, struct buf *buf, enum report_term group, const char *word)
{
    buf_clear(buf);
    report_term(buf, r->from->lang, group, word);
    return buf_cstr(buf);
}

void pdf_cut(struct pdf_report *r, const struct model_cut *cut)
{
    if (cut->count < cut->total) {
        pdf_say_numbers(r, PDF_SMALL, LABEL_MORE, cut->count, cut->total);
        pdf_text(r->pdf, PDF_CODE, cut->query);
    }
}

const char *pdf_when(const struct pdf_report *r, struct buf *buf, int64_t when)
{
    buf_clear(buf);
    words_when(buf, r->from->lang, when, 0);
    if (when != WHEN_NONE)
        buf_text(buf, " UTC");
    return buf_cstr(buf);
}

/* ------------------------------------------------------------------ cells */

void pdf_cells_finish(struct pdf_cells *cells)
{
    for (size_t i = 0; i < PDF_CELLS_MAX; i++)
        buf_finish(&cells->bufs[i]);
}

void pdf_cell_number(struct pdf_cells *cells, size_t at, uint64_t number)
{
    buf_clear(&cells->bufs[at]);
    safe_number(&cells->bufs[at], number);
    cells->texts[at] = buf_cstr(&cells->bufs[at]);
}

void pdf_cell_size(const struct pdf_report *r, struct pdf_cells *cells, size_t at, uint64_t size)
{
    buf_clear(&cells->bufs[at]);
    words_size(&cells->bufs[at], r->from->lang, size);
    cells->texts[at] = buf_cstr(&cells->bufs[at]);
}

void pdf_cell_text(struct pdf_cells *cells, size_t at, const char *text)
{
    buf_clear(&cells->bufs[at]);
    safe_text(&cells->bufs[at], text, strlen(text));
    cells->texts[at] = buf_cstr(&cells->bufs[at]);
}

void pdf_cell_term(const struct pdf_report *r, struct pdf_cells *cells, size_t at, enum report_term group,
                   const char *word)
{
    cells->texts[at] = pdf_term(r, &cells->bufs[at], group, word);
}

void pdf_cell_when(const struct pdf_report *r, struct pdf_cells *cells, size_t at, int64_t when)
{
    cells->texts[at] = pdf_when(r, &cells->bufs[at], when);
}

void pdf_cell_printf(struct pdf_cells *cells, size_t at, const char *format, ...)
{
    va_list args;
    buf_clear(&cells->bufs[at]);
    va_start(args, format);
    buf_vprintf(&cells->bufs[at], format, args);
    va_end(args);
    cells->texts[at] = buf_cstr(&cells->bufs[at]);
}

/* ------------------------------------------------------------------ cover */

static void put_both_times(struct pdf_report *r, enum report_label label, int64_t when)
{
    struct buf text = {0};
    if (when == WHEN_NONE)
        return;
    pdf_when(r, &text, when);
    buf_text(&text, " · ");
    words_when(&text, r->from->lang, when, 4 * 3600L);
    buf_printf(&text, " %s", report_label(r->from->lang, LABEL_TBILISI));
    pdf_pair(r, label, buf_cstr(&text));
    buf_finish(&text);
}

static void put_verdict(struct pdf_report *r)
{
    const struct report_model *model = r->from->model;
    switch (report_model_verdict(model)) {
    case VERDICT_NOTHING:
        pdf_label(r, PDF_STRONG, LABEL_VERDICT_NOTHING);
        break;
    case VERDICT_MISMATCH:
        pdf_label(r, PDF_STRONG, LABEL_VERDICT_MISMATCH);
        break;
    case VERDICT_UNOPENED:
        pdf_say_numbers(r, PDF_STRONG, LABEL_VERDICT_UNOPENED, model->unopened, model->exhibit_cut.total);
        break;
    case VERDICT_PENDING:
        pdf_say_numbers(r, PDF_STRONG, LABEL_VERDICT_PENDING, model->pending_contents,
                        model->pending_expands);
        break;
    case VERDICT_FAULTS:
        pdf_say_numbers(r, PDF_STRONG, model->total.faults == 1 ? LABEL_VERDICT_FAULT : LABEL_VERDICT_FAULTS,
                        model->total.faults, 0);
        break;
    case VERDICT_WHOLE:
        pdf_label(r, PDF_STRONG, LABEL_VERDICT_WHOLE);
        break;
    }
}

static void put_cover_facts(struct pdf_report *r)
{
    const struct report_model *model = r->from->model;
    struct buf tool = {0};
    buf_printf(&tool, "kvali %s (commit %s)", kvali_version(), kvali_commit());
    pdf_pairs_begin(r);
    pdf_pair(r, LABEL_CASE_NUMBER, model->number);
    pdf_pair(r, LABEL_EXAMINER,
             *model->examiner ? model->examiner : report_label(r->from->lang, LABEL_NOT_STATED));
    pdf_pair(r, LABEL_REPORT_NUMBER, r->from->name);
    put_both_times(r, LABEL_REPORT_DATE, model->now);
    put_both_times(r, LABEL_CASE_MADE, model->created);
    pdf_pair(r, LABEL_TOOL, buf_cstr(&tool));
    pdf_pair(r, LABEL_LEDGER_HEAD, model->ledger_head);
    pdf_pair_number(r, LABEL_LEDGER_COUNT, model->ledger_count);
    pdf_pair(r, LABEL_FINDINGS_DIGEST,
             *model->findings_digest ? model->findings_digest
                                     : report_label(r->from->lang, LABEL_DIGEST_PENDING));
    pdf_table_end(r->pdf);
    buf_finish(&tool);
}

static void put_cover(struct pdf_report *r)
{
    pdf_label(r, PDF_SMALL, LABEL_KIND);
    pdf_label(r, PDF_TITLE, LABEL_TITLE);
    pdf_gap(r->pdf, 6);
    pdf_label(r, PDF_STRONG, LABEL_NOT_OPINION_LONG);
    pdf_label(r, PDF_TEXT, LABEL_SCOPE);
    pdf_gap(r->pdf, 8);
    put_cover_facts(r);
    put_verdict(r);
    pdf_gap(r->pdf, 12);
    pdf_label(r, PDF_STRONG, LABEL_CONTENTS);
    pdf_contents(r->pdf);
    pdf_new_page(r->pdf);
}

/* ------------------------------------------------------------------ all */

static const struct {
    enum report_label title;
    int (*write)(struct pdf_report *r);
} chapters[] = {
    {LABEL_SUMMARY, pdf_summary},   {LABEL_EXHIBITS, pdf_exhibits},   {LABEL_METHOD, pdf_method},
    {LABEL_FINDINGS, pdf_findings}, {LABEL_RECOVERED, pdf_recovered}, {LABEL_LIMITS, pdf_limits},
    {LABEL_FAULTS, pdf_faults},     {LABEL_CUSTODY, pdf_custody},     {LABEL_ANNEX, pdf_annex},
};

static int write_document(struct pdf_report *r)
{
    int code = 0;
    put_cover(r);
    for (size_t i = 0; i < sizeof chapters / sizeof *chapters && code == 0; i++) {
        pdf_heading(r->pdf, 1, report_label(r->from->lang, chapters[i].title));
        code = chapters[i].write(r);
    }
    pdf_gap(r->pdf, 16);
    pdf_text(r->pdf, PDF_STRONG, "* * *");
    pdf_label(r, PDF_STRONG, LABEL_END);
    return code;
}

/* What stands on each page. */
struct margins {
    struct buf title, head, foot, chain;
    char when[WHEN_TEXT_SIZE];
};

static void set_margins(struct margins *m, const struct report_from *from)
{
    const struct report_model *model = from->model;
    struct buf count = {0};
    safe_number(&count, model->ledger_count);
    buf_printf(&m->title, "%s – %s", report_label(from->lang, LABEL_TITLE), model->number);
    buf_printf(&m->head, "%s · %s", report_label(from->lang, LABEL_TITLE),
               report_label(from->lang, LABEL_NOT_OPINION));
    buf_printf(&m->foot, "%s %s · %s %.48s", report_label(from->lang, LABEL_REPORT_NUMBER), from->name,
               report_label(from->lang, LABEL_CASE_NUMBER), model->number);
    words_say(&m->chain, from->lang, LABEL_PAGE_CHAIN, model->ledger_head, buf_cstr(&count), NULL);
    buf_text(&m->foot, " · ");
    words_page_seal(&m->foot, from->lang, model->seal.number, model->seal.sha256);
    when_format(model->now == WHEN_NONE ? 0 : model->now - model->now % 1000000000, m->when);
    buf_finish(&count);
}

static void margins_finish(struct margins *m)
{
    buf_finish(&m->title);
    buf_finish(&m->head);
    buf_finish(&m->foot);
    buf_finish(&m->chain);
}

int report_write_pdf(struct report_out *out, const struct report_from *from)
{
    struct margins m = {0};
    char creator[64];
    struct pdf_report r = {.from = from};
    set_margins(&m, from);
    snprintf(creator, sizeof creator, "kvali %s", kvali_version());
    const struct pdf_about about = {.title = buf_cstr(&m.title),
                                    .author = from->model->examiner,
                                    .subject = from->name,
                                    .creator = creator,
                                    .lang = report_lang_name(from->lang),
                                    .when = m.when,
                                    .head = buf_cstr(&m.head),
                                    .foot = {buf_cstr(&m.foot), buf_cstr(&m.chain)},
                                    .page_word = report_label(from->lang, LABEL_PAGE)};
    struct pdf pdf = {0};
    r.pdf = &pdf;
    int code = write_document(&r);
    if (code == 0)
        code = pdf_child_make(&pdf, &about, out, from->why);
    pdf_finish(&pdf);
    margins_finish(&m);
    return code;
}
