/* report_html_features: addresses, numbers, accounts and the like, the most frequent of each kind. */
#include "cases/report/report_sections.h"

#include <string.h>

static void put_rank(struct html *html, const char *rank)
{
    html_raw(html, "<td>");
    html_label(html, !strcmp(rank, "checksum")  ? LABEL_RANK_CHECKSUM
                     : !strcmp(rank, "context") ? LABEL_RANK_CONTEXT
                                                : LABEL_RANK_FORMAT);
    html_raw(html, "</td>");
}

void section_features(struct html *html, const struct report_model *model)
{
    static const enum report_label heads[] = {LABEL_FEATURE_KIND, LABEL_FEATURE_VALUE,    LABEL_FEATURE_RANK,
                                              LABEL_KEYWORD_HITS, LABEL_FEATURE_CONTENTS, LABEL_EXHIBIT};

    if (model->feature_cut.total == 0) {
        section_text(html, LABEL_NONE);
        return;
    }
    section_text(html, LABEL_FEATURES_TEXT);
    section_table_open(html, heads, 6, 1U << 3 | 1U << 4);
    for (size_t i = 0; i < model->feature_cut.count; i++) {
        const struct model_feature *feature = &model->features[i];

        html_raw(html, "<tr><td><span class=\"code\">");
        html_term(html, TERM_FEATURE, feature->kind);
        html_raw(html, "</span></td>");
        html_cell_evidence(html, feature->value);
        put_rank(html, feature->rank);
        html_cell_number(html, feature->count);
        html_cell_number(html, feature->contents);
        html_cell(html, feature->exhibits);
        html_raw(html, "</tr>\n");
    }
    section_table_close(html, &model->feature_cut);
}
