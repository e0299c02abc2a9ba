/* report_html_keywords: hits of the investigator's keywords. */
#include "cases/report/report_sections.h"

static void put_keywords(struct html *html, const struct report_model *model)
{
    static const enum report_label heads[] = {LABEL_KEYWORD_GROUP, LABEL_KEYWORD, LABEL_KEYWORD_WRITINGS,
                                              LABEL_KEYWORD_HITS, LABEL_HITS};
    section_table_open(html, heads, 5, 1U << 3 | 1U << 4);
    for (size_t i = 0; i < model->keyword_cut.count; i++) {
        const struct model_keyword *keyword = &model->keywords[i];
        html_raw(html, "<tr>");
        html_cell(html, keyword->group);
        html_raw(html, "<td class=\"wide\"><strong>");
        html_text(html, keyword->keyword);
        html_raw(html, "</strong><br><span class=\"soft small\">");
        html_text(html, keyword->list);
        html_raw(html, "</span></td>");
        html_cell_term(html, TERM_WRITING, keyword->writings);
        html_cell_number(html, keyword->hits);
        html_cell_number(html, keyword->contents);
        html_raw(html, "</tr>\n");
    }
    section_table_close(html, &model->keyword_cut);
}

static void put_hits(struct html *html, const struct report_model *model)
{
    static const enum report_label heads[] = {LABEL_KEYWORD, LABEL_EXHIBIT, LABEL_PATH, LABEL_OFFSET,
                                              LABEL_KEYWORD_CONTEXT};
    section_table_open(html, heads, 5, 1U << 3);
    for (size_t i = 0; i < model->hit_cut.count; i++) {
        const struct model_hit *hit = &model->hits[i];
        html_raw(html, "<tr>");
        html_cell(html, hit->keyword);
        html_cell(html, hit->exhibit);
        html_cell_evidence(html, hit->path);
        html_cell_number(html, hit->offset);
        html_raw(html, "<td class=\"wide\">");
        html_evidence(html, hit->before);
        html_raw(html, "<mark>");
        html_evidence(html, hit->text);
        html_raw(html, "</mark>");
        html_evidence(html, hit->after);
        html_raw(html, "<br><span class=\"soft small\">");
        html_term(html, TERM_WRITING, hit->writing);
        html_raw(html, "</span></td></tr>\n");
    }
    section_table_close(html, &model->hit_cut);
}

void section_keywords(struct html *html, const struct report_model *model)
{
    if (!model->has_keywords && model->hit_cut.total == 0) {
        section_text(html, LABEL_KEYWORDS_NO_LIST);
        return;
    }
    if (model->hit_cut.total == 0) {
        section_text(html, LABEL_KEYWORDS_NONE);
        return;
    }
    section_text(html, LABEL_KEYWORDS_TEXT);
    put_keywords(html, model);
    put_hits(html, model);
}
