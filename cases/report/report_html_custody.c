/* report_html_custody: what people recorded: the case, persons, and for each exhibit what it is, how it was
 * seized, and in whose hands it was. */
#include "cases/report/report_sections.h"

#include "cases/report/report_custody.h"

static void put_fact(void *context, enum report_label label, const struct custody_words *value)
{
    struct html *html = context;
    section_pair_open(html, label);
    html_words(html, value->in);
    section_pair_close(html);
}

static void put_group(struct html *html, const struct report_model *model, enum custody_group group,
                      const char *exhibit)
{
    if (report_custody_facts(model, group, exhibit, NULL, NULL) == 0)
        return;
    html_raw(html, "<h3>");
    html_label(html, report_custody_heading(group));
    html_raw(html, "</h3>\n<dl class=\"pairs\">\n");
    report_custody_facts(model, group, exhibit, put_fact, html);
    html_raw(html, "</dl>\n");
}

static void put_cell(struct html *html, const struct custody_words *words)
{
    html_raw(html, "<td>");
    html_words(html, words->in);
    html_raw(html, "</td>");
}

static void put_two(struct html *html, const struct custody_words *first, const struct custody_words *second)
{
    html_raw(html, "<td>");
    html_words(html, first->in);
    html_raw(html, "<br>→ ");
    html_words(html, second->in);
    html_raw(html, "</td>");
}

static void put_event(void *context, const struct custody_row *row)
{
    struct html *html = context;
    html_raw(html, "<tr>");
    put_cell(html, &row->number);
    put_cell(html, &row->at);
    html_raw(html, "<td>");
    html_label(html, row->event);
    html_raw(html, "</td>");
    put_two(html, &row->from, &row->to);
    put_cell(html, &row->place);
    put_cell(html, &row->purpose);
    put_two(html, &row->seal_before, &row->seal_after);
    put_cell(html, &row->condition);
    html_cell(html, row->record);
    html_raw(html, "</tr>\n");
}

void section_custody_of(struct html *html, const struct report_model *model, const char *exhibit)
{
    static const enum report_label heads[] = {LABEL_C_NUMBER,  LABEL_C_AT,        LABEL_C_EVENT,
                                              LABEL_C_FROM_TO, LABEL_C_PLACE,     LABEL_C_PURPOSE,
                                              LABEL_C_SEAL,    LABEL_C_CONDITION, LABEL_C_RECORD};
    for (enum custody_group group = CUSTODY_OF_EXHIBIT; group < CUSTODY_GROUPS; group++)
        put_group(html, model, group, exhibit);
    html_raw(html, "<h3>");
    html_label(html, LABEL_C_CHAIN);
    html_raw(html, "</h3>\n");
    if (report_custody_events(model, exhibit, NULL, NULL) == 0) {
        html_raw(html, "<p class=\"warn\">▲ ");
        html_label(html, LABEL_C_NO_EVENTS);
        html_raw(html, "</p>\n");
        return;
    }
    section_table_open(html, heads, sizeof heads / sizeof *heads, 0);
    report_custody_events(model, exhibit, put_event, html);
    section_table_close(html, NULL);
}

static void put_person(void *context, const struct custody_human *human)
{
    struct html *html = context;
    html_raw(html, "<tr>");
    put_cell(html, &human->name);
    put_cell(html, &human->position);
    put_cell(html, &human->work);
    put_cell(html, &human->warned);
    html_raw(html, "</tr>\n");
}

void section_custody_case(struct html *html, const struct report_model *model)
{
    static const enum report_label heads[] = {LABEL_C_PERSON, LABEL_C_POSITION, LABEL_C_WORK, LABEL_C_WARNED};
    put_group(html, model, CUSTODY_OF_CASE, NULL);
    if (report_custody_persons(model, NULL, NULL) == 0)
        return;
    html_raw(html, "<h3>");
    html_label(html, LABEL_C_PERSONS);
    html_raw(html, "</h3>\n");
    section_table_open(html, heads, sizeof heads / sizeof *heads, 0);
    report_custody_persons(model, put_person, html);
    section_table_close(html, NULL);
}

/* ------------------------------------------------------------------ limitations and reviews */

static void put_cells(void *context, const struct custody_words cells[CUSTODY_COLUMNS], const char *record)
{
    struct html *html = context;
    html_raw(html, "<tr>");
    for (size_t i = 0; i < html->columns; i++)
        put_cell(html, &cells[i]);
    html_cell(html, record);
    html_raw(html, "</tr>\n");
}

void section_custody_table(struct html *html, const struct report_model *model, const struct custody_table *table)
{
    enum report_label heads[CUSTODY_COLUMNS + 1];
    size_t count = 0;
    if (report_custody_table(model, table, NULL, NULL) == 0)
        return;
    for (; count < CUSTODY_COLUMNS && table->fields[count]; count++)
        heads[count] = table->heads[count];
    heads[count] = LABEL_C_RECORD;
    html_raw(html, "<h3>");
    html_label(html, table->title);
    html_raw(html, "</h3>\n");
    section_table_open(html, heads, count + 1, 0);
    html->columns = count;
    report_custody_table(model, table, put_cells, html);
    section_table_close(html, NULL);
}
