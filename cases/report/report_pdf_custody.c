/* report_pdf_custody: what people recorded, on paper: the case, persons, and for each exhibit how it came and
 * in whose hands it was. */
#include "cases/report/report_pdf.h"

#include "cases/report/report_custody.h"

static const char *label_of(const struct pdf_report *r, enum report_label label)
{
    return report_label(r->from->lang, label);
}

static void put_fact(void *context, enum report_label label, const char *value)
{
    pdf_pair(context, label, value);
}

static void put_group(struct pdf_report *r, enum custody_group group, const char *exhibit)
{
    if (report_custody_facts(r->from->model, group, exhibit, NULL, NULL) == 0)
        return;
    pdf_heading(r->pdf, 3, label_of(r, report_custody_heading(group)));
    pdf_pairs_begin(r);
    report_custody_facts(r->from->model, group, exhibit, put_fact, r);
    pdf_table_end(r->pdf);
}

static void put_event(void *context, const struct custody_row *row)
{
    struct pdf_report *r = context;
    struct buf what = {0}, hands = {0}, where = {0}, seal = {0};
    buf_printf(&what, "%s · %s", label_of(r, row->event), row->at);
    buf_printf(&hands, "%s → %s", row->from, row->to);
    buf_printf(&where, "%s · %s", row->place, row->purpose);
    buf_printf(&seal, "%s → %s", row->seal_before, row->seal_after);
    const char *const cells[] = {row->number,     buf_cstr(&what), buf_cstr(&hands), buf_cstr(&where),
                                 buf_cstr(&seal), row->condition,  row->record};
    pdf_row(r->pdf, cells);
    buf_finish(&what);
    buf_finish(&hands);
    buf_finish(&where);
    buf_finish(&seal);
}

static void put_events(struct pdf_report *r, const char *exhibit)
{
    struct buf place = {0};
    buf_printf(&place, "%s, %s", label_of(r, LABEL_C_PLACE), label_of(r, LABEL_C_PURPOSE));
    const struct pdf_column columns[] = {{label_of(r, LABEL_C_NUMBER), 0.05, PDF_SMALL, false},
                                         {label_of(r, LABEL_C_EVENT), 0.17, PDF_SMALL, false},
                                         {label_of(r, LABEL_C_FROM_TO), 0.22, PDF_SMALL, false},
                                         {buf_cstr(&place), 0.2, PDF_SMALL, false},
                                         {label_of(r, LABEL_C_SEAL), 0.14, PDF_SMALL, false},
                                         {label_of(r, LABEL_C_CONDITION), 0.13, PDF_SMALL, false},
                                         {label_of(r, LABEL_C_RECORD), 0.09, PDF_SMALL, false}};
    pdf_table_begin(r->pdf, columns, sizeof columns / sizeof *columns);
    report_custody_events(r->from->model, exhibit, put_event, r);
    pdf_table_end(r->pdf);
    buf_finish(&place);
}

void pdf_custody_of(struct pdf_report *r, const char *exhibit)
{
    for (enum custody_group group = CUSTODY_OF_EXHIBIT; group < CUSTODY_GROUPS; group++)
        put_group(r, group, exhibit);
    pdf_heading(r->pdf, 3, label_of(r, LABEL_C_CHAIN));
    if (report_custody_events(r->from->model, exhibit, NULL, NULL) == 0)
        pdf_label(r, PDF_TEXT, LABEL_C_NO_EVENTS);
    else
        put_events(r, exhibit);
}

static void put_person(void *context, const struct custody_human *human)
{
    struct pdf_report *r = context;
    const char *const cells[] = {human->name, human->position, human->work, human->warned};
    pdf_row(r->pdf, cells);
}

void pdf_custody_case(struct pdf_report *r)
{
    const struct pdf_column columns[] = {{label_of(r, LABEL_C_PERSON), 0.2, PDF_SMALL, false},
                                         {label_of(r, LABEL_C_POSITION), 0.3, PDF_SMALL, false},
                                         {label_of(r, LABEL_C_WORK), 0.28, PDF_SMALL, false},
                                         {label_of(r, LABEL_C_WARNED), 0.22, PDF_SMALL, false}};
    put_group(r, CUSTODY_OF_CASE, NULL);
    if (report_custody_persons(r->from->model, NULL, NULL) == 0)
        return;
    pdf_heading(r->pdf, 3, label_of(r, LABEL_C_PERSONS));
    pdf_table_begin(r->pdf, columns, sizeof columns / sizeof *columns);
    report_custody_persons(r->from->model, put_person, r);
    pdf_table_end(r->pdf);
}
