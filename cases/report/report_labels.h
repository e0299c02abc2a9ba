/*
 * report_labels: every word that a report prints, in one table with a column a language.
 *
 * {1} {2} {3} stand for values. A text that has no Georgian yet is shown in English. The Georgian labels were
 * written without a native examiner: one must review them before a report in Georgian goes out, those marked UNREAD first.
 */
#ifndef KVALI_CASES_REPORT_REPORT_LABELS_H
#define KVALI_CASES_REPORT_REPORT_LABELS_H

#include <stdbool.h>
#include <stddef.h>

enum report_lang { REPORT_EN, REPORT_KA, REPORT_LANGS };

/* "en", "ka". */
const char *report_lang_name(enum report_lang lang);
bool report_lang_parse(const char *name, enum report_lang *ret_lang);

enum report_label {
#define LABEL(id, en, ka)  LABEL_##id,
#define UNREAD(id, en, ka) LABEL_##id,
#include "cases/report/report_labels.inc"
#undef LABEL
#undef UNREAD
    REPORT_LABELS,
};

/* Never NULL; English where the language has none. */
const char *report_label(enum report_lang lang, enum report_label label);
/* The language that report_label gives: for the lang attribute of the element around it. */
enum report_lang report_label_lang(enum report_lang lang, enum report_label label);

/* The glossary: word, meaning; two equal labels end it. */
extern const enum report_label report_glossary[][2];

#endif
