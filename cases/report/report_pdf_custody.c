/* report_pdf_custody: what people recorded, on paper: the case, persons, and for each exhibit how it came and
 * in whose hands it was. */
#include "cases/report/report_pdf.h"

#include "cases/report/report_custody.h"

static void put_fact(void *context, enum report_label label, const struct custody_words *value)
{
    struct pdf_report *r = context;
    pdf_pair(r, label, value->in[r->from->lang]);
}

static void put_group(struct pdf_report *r, enum custody_group group, const char *exhibit)
{
    if (report_custody_facts(r->from->model, group, exhibit, NULL, NULL) == 0)
        return;
    pdf_heading(r->pdf, 3, pdf_word(r, report_custody_heading(group)));
    pdf_pairs_begin(r);
    report_custody_facts(r->from->model, group, exhibit, put_fact, r);
    pdf_table_end(r->pdf);
}

static void put_event(void *context, const struct custody_row *row)
{
    struct pdf_report *r = context;
    enum report_lang lang = r->from->lang;
    struct pdf_cells cells = {0};
    cells.texts[0] = row->number.in[lang];
    pdf_cell_printf(&cells, 1, "%s · %s", pdf_word(r, row->event), row->at.in[lang]);
    pdf_cell_printf(&cells, 2, "%s → %s", row->from.in[lang], row->to.in[lang]);
    pdf_cell_printf(&cells, 3, "%s · %s", row->place.in[lang], row->purpose.in[lang]);
    pdf_cell_printf(&cells, 4, "%s → %s", row->seal_before.in[lang], row->seal_after.in[lang]);
    cells.texts[5] = row->condition.in[lang];
    cells.texts[6] = row->record;
    pdf_row(r->pdf, cells.texts);
    pdf_cells_finish(&cells);
}

static void put_events(struct pdf_report *r, const char *exhibit)
{
    struct buf place = {0};
    buf_printf(&place, "%s, %s", pdf_word(r, LABEL_C_PLACE), pdf_word(r, LABEL_C_PURPOSE));
    const struct pdf_column columns[] = {{pdf_word(r, LABEL_C_NUMBER), 0.05, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_C_EVENT), 0.17, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_C_FROM_TO), 0.22, PDF_SMALL, false},
                                         {buf_cstr(&place), 0.2, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_C_SEAL), 0.14, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_C_CONDITION), 0.13, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_C_RECORD), 0.09, PDF_SMALL, false}};
    pdf_table_begin(r->pdf, columns, sizeof columns / sizeof *columns);
    report_custody_events(r->from->model, exhibit, put_event, r);
    pdf_table_end(r->pdf);
    buf_finish(&place);
}

void pdf_custody_of(struct pdf_report *r, const char *exhibit)
{
    for (enum custody_group group = CUSTODY_OF_EXHIBIT; group < CUSTODY_GROUPS; group++)
        put_group(r, group, exhibit);
    pdf_heading(r->pdf, 3, pdf_word(r, LABEL_C_CHAIN));
    if (report_custody_events(r->from->model, exhibit, NULL, NULL) == 0)
        pdf_label(r, PDF_TEXT, LABEL_C_NO_EVENTS);
    else
        put_events(r, exhibit);
}

static void put_person(void *context, const struct custody_human *human)
{
    struct pdf_report *r = context;
    enum report_lang lang = r->from->lang;
    const char *const cells[] = {human->name.in[lang], human->position.in[lang], human->work.in[lang],
                                 human->warned.in[lang]};
    pdf_row(r->pdf, cells);
}

void pdf_custody_case(struct pdf_report *r)
{
    const struct pdf_column columns[] = {{pdf_word(r, LABEL_C_PERSON), 0.2, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_C_POSITION), 0.3, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_C_WORK), 0.28, PDF_SMALL, false},
                                         {pdf_word(r, LABEL_C_WARNED), 0.22, PDF_SMALL, false}};
    put_group(r, CUSTODY_OF_CASE, NULL);
    if (report_custody_persons(r->from->model, NULL, NULL) == 0)
        return;
    pdf_heading(r->pdf, 3, pdf_word(r, LABEL_C_PERSONS));
    pdf_table_begin(r->pdf, columns, sizeof columns / sizeof *columns);
    report_custody_persons(r->from->model, put_person, r);
    pdf_table_end(r->pdf);
}

/* ------------------------------------------------------------------ limitations and reviews */

static void put_cells(void *context, const struct custody_words words[CUSTODY_COLUMNS], const char *record)
{
    struct pdf_report *r = context;
    const char *cells[CUSTODY_COLUMNS + 1];
    for (size_t i = 0; i < r->columns; i++)
        cells[i] = words[i].in[r->from->lang];
    cells[r->columns] = record;
    pdf_row(r->pdf, cells);
}

void pdf_custody_table(struct pdf_report *r, const struct custody_table *table)
{
    struct pdf_column columns[CUSTODY_COLUMNS + 1] = {0};
    size_t count = 0;
    if (report_custody_table(r->from->model, table, NULL, NULL) == 0)
        return;
    while (count < CUSTODY_COLUMNS && table->fields[count])
        count++;
    for (size_t i = 0; i < count; i++)
        columns[i] = (struct pdf_column){pdf_word(r, table->heads[i]), 0.9 / (double)count, PDF_SMALL, false};
    columns[count] = (struct pdf_column){pdf_word(r, LABEL_C_RECORD), 0.1, PDF_SMALL, false};
    pdf_subheading(r, table->title);
    pdf_table_begin(r->pdf, columns, count + 1);
    r->columns = count;
    report_custody_table(r->from->model, table, put_cells, r);
    pdf_table_end(r->pdf);
}
