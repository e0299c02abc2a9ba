/* report_html_known: hash sets: alerts on the first screen, then all of them, the sets in use, and what was
 * spared. */
#include "cases/report/report_sections.h"

#include <string.h>

enum { FIRST_SCREEN = 10 };

static void put_kind(struct html *html, const struct model_alert *alert)
{
    bool bad = strcmp(alert->kind, "alert") == 0;

    if (bad)
        html_raw(html, "<td class=\"bad\"><strong>▲▲ ");
    else
        html_raw(html, "<td class=\"warn\"><strong>▲ ");
    html_label(html, bad ? LABEL_SET_ALERT : LABEL_SET_NOTABLE);
    html_raw(html, "</strong></td>");
}

static void put_words(struct html *html, const struct model_alert *alert)
{
    const char *const words[] = {alert->category, alert->series, alert->tags};
    bool any = false;

    html_raw(html, "<td class=\"wide\">");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!*words[i])
            continue;
        if (any)
            html_raw(html, " · ");
        html_text(html, words[i]);
        any = true;
    }
    html_raw(html, "</td>");
}

static void put_alert(struct html *html, const struct model_alert *alert)
{
    html_raw(html, "<tr>");
    put_kind(html, alert);
    html_raw(html, "<td>");
    html_text(html, alert->set);
    html_raw(html, "<br><span class=\"soft small\">");
    html_text(html, alert->algorithm);
    html_raw(html, " · ");
    html_text(html, alert->source);
    html_raw(html, ":");
    html_number(html, alert->line);
    html_raw(html, "</span></td>");
    put_words(html, alert);
    html_cell(html, alert->exhibit);
    html_cell_evidence(html, alert->path);
    html_raw(html, "<td>");
    html_label(html, alert->deleted ? LABEL_DELETED : LABEL_LIVE);
    html_raw(html, "</td>");
    html_cell_size(html, alert->size);
    html_raw(html, "</tr>\n");
}

static void put_alerts(struct html *html, const struct report_model *model, size_t most)
{
    static const enum report_label heads[] = {LABEL_KIND_COLUMN, LABEL_SET,   LABEL_SET_SAYS, LABEL_EXHIBIT,
                                              LABEL_PATH,        LABEL_STATE, LABEL_SIZE};
    struct model_cut cut = model->alert_cut;

    if (cut.count > most)
        cut.count = most;
    section_table_open(html, heads, 7, 1U << 6);
    for (size_t i = 0; i < cut.count; i++)
        put_alert(html, &model->alerts[i]);
    section_table_close(html, &cut);
}

void section_alerts(struct html *html, const struct report_model *model)
{
    if (model->alert_cut.total == 0)
        return;
    html_raw(html, "<div class=\"verdict bad\" role=\"note\"><span class=\"symbol\" "
                   "aria-hidden=\"true\">✖</span><div><p>");
    html_say_numbers(html, LABEL_ALERTS, model->alert_contents, 0);
    html_raw(html, "</p><p>");
    html_label(html, LABEL_ALERTS_MORE);
    html_raw(html, "</p></div></div>\n");
    put_alerts(html, model, FIRST_SCREEN);
}

void section_spared(struct html *html, const struct report_model *model)
{
    if (model->set_cut.total == 0)
        return;
    html_raw(html, "<p>");
    html_say_numbers(html, LABEL_KNOWN_CONTENTS, model->known_contents, 0);
    html_raw(html, "</p>\n");
    if (model->spared_contents == 0)
        return;
    html_raw(html, "<p>▲ ");
    html_say_numbers(html, LABEL_SPARED, model->spared_contents, 0);
    html_raw(html, "<br><code>sqlite3 -readonly case.db \"SELECT exhibit, path, set_name, spared FROM known "
                   "WHERE spared &lt;&gt; "
                   "''\"</code></p>\n");
}

static void put_sets(struct html *html, const struct report_model *model)
{
    static const enum report_label heads[] = {LABEL_SET, LABEL_KIND_COLUMN, LABEL_SET_ENTRIES, LABEL_HITS,
                                              LABEL_SET_SPARED};

    section_table_open(html, heads, 5, 1U << 2 | 1U << 3 | 1U << 4);
    for (size_t i = 0; i < model->set_cut.count; i++) {
        const struct model_set *set = &model->sets[i];

        html_raw(html, "<tr><td>");
        html_text(html, set->name);
        html_raw(html, "<br><span class=\"code soft small\">");
        html_text(html, set->sha256);
        html_raw(html, "</span></td>");
        html_cell_term(html, TERM_SET, set->kind);
        html_cell_number(html, set->entries);
        html_cell_number(html, set->contents);
        html_cell_number(html, set->spared);
        html_raw(html, "</tr>\n");
    }
    section_table_close(html, &model->set_cut);
}

void section_hashsets(struct html *html, const struct report_model *model)
{
    if (model->set_cut.total == 0 && model->alert_cut.total == 0) {
        section_text(html, LABEL_NO_SETS);
        return;
    }
    section_text(html, LABEL_SETS_TEXT);
    put_sets(html, model);
    if (model->alert_cut.total == 0) {
        section_text(html, LABEL_NO_ALERTS);
        return;
    }
    put_alerts(html, model, model->alert_cut.count);
}
