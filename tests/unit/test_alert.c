/* alert: what an examiner hears of at once, and what not. */
#include "engine/job/alert.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const struct field match_fields[] = {{"rule", FIELD_TEXT, "", ""}, {"severity", FIELD_U64, "", ""}};
static const struct record_type match = {"match", 1, "", match_fields, 2};
static const struct field set_fields[] = {{"set_name", FIELD_TEXT, "", ""}, {"set_kind", FIELD_TEXT, "", ""}};
static const struct record_type set = {"hashset", 1, "", set_fields, 2};
static const struct field word_fields[] = {{"offset", FIELD_U64, "", ""}, {"keyword", FIELD_TEXT, "", ""}};
static const struct record_type word = {"keywords", 1, "", word_fields, 2};
static const struct record_type other = {"digest", 1, "", word_fields, 2};

/* Its kind and name, or "". */
static const char *told(const struct record_type *type, struct value first, struct value second)
{
    static char words[64];
    struct job_found found;
    words[0] = '\0';
    if (alert_of(type, (const struct value[]){first, second}, &found))
        snprintf(words, sizeof words, "%s %.*s", found.kind, (int)found.name_size, found.name);
    return words;
}

Test(alert, a_severe_rule_is_one_and_others_are_not)
{
    cr_expect_str_eq(told(&match, value_text("Stealer"), value_u64(JOB_SEVERE)), "rule Stealer");
    cr_expect_str_eq(told(&match, value_text("Packer"), value_u64(JOB_SEVERE - 1)), "");
    cr_expect_str_eq(told(&match, value_text("Packer"), value_none()), "", "no severity is none");
}

Test(alert, a_hash_set_is_one_unless_it_is_of_what_is_known)
{
    cr_expect_str_eq(told(&set, value_text("wanted"), value_text("alert")), "hash set wanted");
    cr_expect_str_eq(told(&set, value_text("wanted"), value_text("notable")), "hash set wanted");
    cr_expect_str_eq(told(&set, value_text("NSRL"), value_text("known")), "");
}

Test(alert, a_keyword_is_one_and_a_hash_is_not)
{
    cr_expect_str_eq(told(&word, value_u64(7), value_text("gun")), "keyword gun");
    cr_expect_str_eq(told(&other, value_u64(7), value_text("gun")), "");
}
