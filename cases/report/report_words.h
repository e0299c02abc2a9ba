/*
 * report_words: labels with their values, times, sizes and numbers in the form of a language: 2026-01-31
 * and 1.5 MiB in English, 31.01.2026 and 1,5 MiB in Georgian.
 */
#ifndef KVALI_CASES_REPORT_REPORT_WORDS_H
#define KVALI_CASES_REPORT_REPORT_WORDS_H

#include "cases/report/report_labels.h"
#include "engine/base/buf.h"

#include <stdint.h>

/* A label with its {1} {2} {3} replaced; NULL for those it does not have. Values are made safe (safe.h). */
void words_say(struct buf *buf, enum report_lang lang, enum report_label label, const char *one,
               const char *two, const char *three);
void words_say_numbers(struct buf *buf, enum report_lang lang, enum report_label label, uint64_t one,
                       uint64_t two);
/* A time in UTC without its zone's name, `offset` seconds later; nothing for WHEN_NONE. */
void words_when(struct buf *buf, enum report_lang lang, int64_t when, int64_t offset);
/* Which seal the report stands on, for the foot of a page; `number` 0: none. */
void words_page_seal(struct buf *buf, enum report_lang lang, unsigned number, const char *sha256);

/* How sure a recovered object is. NULL: no such grade. */
enum { WORDS_GRADES = 4 };
struct words_grade {
    const char *grade;
    enum report_label label, meaning;
};
extern const struct words_grade words_grades[WORDS_GRADES];
const struct words_grade *words_grade(const char *grade);
void words_size(struct buf *buf, enum report_lang lang, uint64_t size);

#endif
