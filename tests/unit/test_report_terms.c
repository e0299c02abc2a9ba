/* report_terms: every word that the case may have and that is ours has Georgian; names and what people typed
 * stay as they are. */
#include "cases/report/report_terms.h"

#include "cases/custody.h"
#include "engine/evidence/found.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(report_terms);

static bool has_georgian(enum report_term group, const char *word)
{
    struct buf buf = {0};
    report_term(&buf, REPORT_KA, group, word);
    bool has = strstr(buf_cstr(&buf), "\xe1\x83") != NULL; /* U+10C0 to U+10FF */
    buf_finish(&buf);
    return has;
}

/* Every word that a record may have where words are given, but those of events, which have labels. */
Test(report_terms, every_choice_of_a_record_has_georgian)
{
    const struct custody_kind *kind;
    size_t words = 0;
    for (size_t i = 0; (kind = custody_kind(i)); i++)
        for (const struct custody_field *field = kind->fields; field->name; field++)
            for (const char *at = field->words; at && *at && strcmp(field->name, "event") != 0;) {
                char word[64];
                size_t size = strcspn(at, " ");
                snprintf(word, sizeof word, "%.*s", (int)size, at);
                for (char *blank = word; (blank = strchr(blank, '_'));)
                    *blank = ' ';
                cr_assert(has_georgian(TERM_CHOICE, word), "%s of %s", word, field->name);
                at += size + (at[size] == ' ');
                words++;
            }
    cr_assert_gt(words, 20);
}

Test(report_terms, every_kind_of_fault_and_of_name_has_georgian)
{
    for (enum fault_kind kind = 0; kind < FAULT_KINDS; kind++)
        cr_assert(has_georgian(TERM_FAULT, fault_kind_name(kind)), "%s", fault_kind_name(kind));
    for (enum entry_type type = 0; type < ENTRY_TYPES; type++)
        cr_assert(has_georgian(TERM_TYPE, entry_type_name(type)), "%s", entry_type_name(type));
}

static const struct {
    enum report_term group;
    const char *word, *georgian;
} rows[] = {
#define LABEL(id, en, ka)
#define UNREAD(id, en, ka)
#define TERM(group, word, ka) {TERM_##group, word, ka},
#include "cases/report/report_labels.inc"
#undef LABEL
#undef UNREAD
#undef TERM
};

static void put_star(struct buf *buf, const char *pattern)
{
    buf_printf(buf, "%s%s", *pattern == '*' ? "X" : "", *pattern == '*' ? pattern + 1 : pattern);
}

/* No row is hidden by one before it. */
Test(report_terms, every_row_is_reached)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf word = {0}, want = {0}, got = {0};
        put_star(&word, rows[i].word);
        put_star(&want, rows[i].georgian);
        report_term(&got, REPORT_KA, rows[i].group, buf_cstr(&word));
        cr_expect_str_eq(buf_cstr(&got), buf_cstr(&want), "%s", rows[i].word);
        buf_finish(&word);
        buf_finish(&want);
        buf_finish(&got);
    }
}

static void check_term(enum report_lang lang, enum report_term group, const char *word, const char *want)
{
    struct buf buf = {0};
    report_term(&buf, lang, group, word);
    cr_assert_str_eq(buf_cstr(&buf), want);
    buf_finish(&buf);
}

Test(report_terms, words_of_the_case_are_in_the_language_and_names_stay)
{
    check_term(REPORT_EN, TERM_CHOICE, "cloud_data", "cloud data");
    check_term(REPORT_EN, TERM_FEATURE, "ge_plate", "ge_plate");
    check_term(REPORT_KA, TERM_SAID, "not readable", "არ იკითხება");
    check_term(REPORT_KA, TERM_SAID, "none left", "none left");
    check_term(REPORT_KA, TERM_WRITING, "romanised,utf-16le", "ლათინური ასოებით, utf-16le");
    check_term(REPORT_KA, TERM_HOST, "seccomp, few capabilities",
               "seccomp, შეზღუდული უფლებამოსილება (capabilities)");
    check_term(REPORT_KA, TERM_FORMAT, "JPEG picture", "JPEG სურათი");
    check_term(REPORT_KA, TERM_FORMAT, "gzip-packed file", "gzip-ით შეკუმშული ფაილი");
    check_term(REPORT_KA, TERM_FORMAT, "picture", "picture");
    check_term(REPORT_KA, TERM_FORMAT, "", "");
    check_term(REPORT_KA, REPORT_TERMS, "none", "none");
}

Test(report_terms, times_of_records_are_in_the_form_of_the_language)
{
    static const char *const times[][3] = {
        {"2026-01-31T12:00:05+04:00", "2026-01-31 12:00:05 UTC+04:00", "31.01.2026 12:00:05 UTC+04:00"},
        {"2026-01-31T12:00Z", "2026-01-31 12:00 UTC", "31.01.2026 12:00 UTC"},
        {"2026-01-31", "2026-01-31", "31.01.2026"},
        {"2026-01-31, by N. Beridze", "2026-01-31, by N. Beridze", "2026-01-31, by N. Beridze"},
        {"2026-01-31 12:00, by judge X", "2026-01-31 12:00, by judge X", "2026-01-31 12:00, by judge X"},
        {"2026-01-31 12:00", "2026-01-31 12:00", "2026-01-31 12:00"}, /* of which zone nobody said */
        {"not readable", "not readable", "not readable"},
        {"2026-01-3", "2026-01-3", "2026-01-3"},
        {"", "", ""}};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        for (enum report_lang lang = 0; lang < REPORT_LANGS; lang++) {
            struct buf buf = {0};
            report_moment(&buf, lang, times[i][0]);
            cr_assert_str_eq(buf_cstr(&buf), times[i][1 + lang]);
            buf_finish(&buf);
        }
}
