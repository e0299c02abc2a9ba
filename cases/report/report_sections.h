/*
 * report_sections: the sections of the HTML report: one function each, in the table in report_html.c.
 */
#ifndef KVALI_CASES_REPORT_REPORT_SECTIONS_H
#define KVALI_CASES_REPORT_REPORT_SECTIONS_H

#include "cases/report/html.h"
#include "cases/report/report_custody.h"
#include "cases/report/report_model.h"

/* report_html_medium.c */
void section_completeness(struct html *html, const struct report_model *model);
/* report_html_account.c: the second half of completeness. */
void section_account(struct html *html, const struct report_model *model);
void section_exhibits(struct html *html, const struct report_model *model);

/* report_html_findings.c */
void section_findings(struct html *html, const struct report_model *model);
/* report_html_known.c: alerts before everything else, nothing when there are none; of completeness, what is known and was
 * spared; the section. */
void section_alerts(struct html *html, const struct report_model *model);
void section_spared(struct html *html, const struct report_model *model);
void section_hashsets(struct html *html, const struct report_model *model);
void section_locked(struct html *html, const struct report_model *model);
void section_mismatches(struct html *html, const struct report_model *model);
void section_types(struct html *html, const struct report_model *model);

/* report_html_keywords.c */
void section_keywords(struct html *html, const struct report_model *model);

/* report_html_recovered.c */
void section_recovered(struct html *html, const struct report_model *model);
void section_gallery(struct html *html, const struct report_model *model);

/* report_html_features.c */
void section_features(struct html *html, const struct report_model *model);

/* report_html_custody.c: what people recorded of one exhibit, under its facts; of the case and its persons. */
void section_custody_of(struct html *html, const struct report_model *model, const char *exhibit);
void section_custody_case(struct html *html, const struct report_model *model);
/* Nothing when there are none. */
void section_custody_table(struct html *html, const struct report_model *model, const struct custody_table *table);

/* report_html_files.c */
void section_files(struct html *html, const struct report_model *model);

/* report_html_method.c */
void section_limits(struct html *html, const struct report_model *model);
void section_faults(struct html *html, const struct report_model *model);
void section_notes(struct html *html, const struct report_model *model);
void section_method(struct html *html, const struct report_model *model);
void section_custody(struct html *html, const struct report_model *model);
void section_glossary(struct html *html, const struct report_model *model);

/* What the sections share. */

/* "Pass 2" on a line of its own, small; nothing for the first. */
void section_pass(struct html *html, uint64_t pass);

/* A paragraph with a label. */
void section_text(struct html *html, enum report_label label);
/* Opens a table with these heads; a head with the bit set in `numbers` is right-aligned. */
void section_table_open(struct html *html, const enum report_label *heads, size_t count, unsigned numbers);
/* Closes it, and says how many rows are not shown and how to see them. */
void section_more(struct html *html, const struct model_cut *cut); /* how many rows are not shown; nothing when all are */
void section_table_close(struct html *html, const struct model_cut *cut);
/* <dt> and open <dd> … </dd> of a list of pairs. */
void section_pair_open(struct html *html, enum report_label label);
void section_pair_close(struct html *html);
/* "✔ words" in the colour of its class: symbol, words and colour say the same. */
void section_verified(struct html *html, enum model_verification verification, enum report_label label);

#endif
