/* What the yara plugin reads from the text of rules: where they stand, and what they use. */
#include "plugins/yara/lex.h"
#include "plugins/yara/source.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct rule_source source;

static void read_text(const char *text)
{
    cr_assert_eq(rule_source_read(&source, text), 0);
}

static bool named(size_t index, const char *name)
{
    const struct rule_item *item = &source.items[index];

    return item->name_size == strlen(name) && memcmp(item->name, name, item->name_size) == 0;
}

Test(yara_source, items_have_names_and_lines_whatever_stands_in_strings_and_comments)
{
    read_text("import \"pe\" // rule no { }\n"
              "/* rule no\n { } */\n"
              "private global rule one : tag { meta: a = \"} rule x {\" condition: true }\n"
              "rule two {\n strings:\n  $a = { 4D 5A [2-4] (41 | 42) /* } */ }\n  $b = /}\\/{\"/ nocase\n"
              "  $c = \"\\\"}\"\n condition:\n  any of them\n}\n"
              "include \"other.yar\"\n");
    cr_assert_eq(source.count, 4);
    cr_assert(source.whole);
    cr_assert(source.global);
    cr_assert(source.items[0].kind == ITEM_IMPORT && named(0, "pe"));
    cr_assert(source.items[1].kind == ITEM_RULE && named(1, "one"));
    cr_assert(source.items[1].global && source.items[1].line == 4 && source.items[1].last_line == 4);
    cr_assert(named(2, "two") && source.items[2].line == 5 && source.items[2].last_line == 12);
    cr_assert(source.items[3].kind == ITEM_INCLUDE && named(3, "other.yar"));
    cr_assert_eq(rule_source_at_line(&source, 8), &source.items[2]);
    cr_assert_null(rule_source_at_line(&source, 2));
    rule_source_finish(&source);
}

Test(yara_source, what_does_not_end_ends_the_list)
{
    static const char *const broken[] = {
        "rule a { condition: true } rule b { condition: (true }  rule c { strings: $a = \"x",
        "rule a { condition: true } rule b { strings: $a = /x\n/ condition: $a }",
        "rule a { condition: true } /* for ever",
        "rule a { condition: true } rul b { condition: true }",
        "rule a { condition: true } rule b { meta: x = 1 }",
    };

    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        read_text(broken[i]);
        cr_assert(source.count >= 1 && named(0, "a"), "%s", broken[i]);
        cr_assert_not(source.whole, "%s", broken[i]);
        rule_source_finish(&source);
    }
}

Test(yara_source, uses_of_rules_and_names_are_followed)
{
    size_t used;
    struct lex lex;
    const char *text = "rule a { condition: filename == \"x\" } rule b { condition: a and filesize > 1 }\n"
                       "rule c { strings: $a = \"a\" condition: $a } rule d { condition: not b }";

    read_text(text);
    cr_assert(source.items[0].asks_for_names && source.items[1].asks_for_names);
    cr_assert(!source.items[2].asks_for_names && source.items[3].asks_for_names);
    cr_assert(source.items[0].used && source.items[1].used && !source.items[2].used);
    lex = rule_item_condition(&source.items[3], text);
    cr_assert(rule_source_next_use(&source, &lex, &used));
    cr_assert_eq(used, 1);
    cr_assert_not(rule_source_next_use(&source, &lex, &used));
    rule_source_finish(&source);
}

Test(yara_source, rules_counted_by_wildcard_stay_together)
{
    read_text("rule a1 { condition: true } rule b { condition: any of (a*) }");
    cr_assert(source.wildcards);
    rule_source_finish(&source);
    read_text("rule b { strings: $a1 = \"x\" condition: any of ($a*) and filesize * 2 > 3 }");
    cr_assert_not(source.wildcards);
    rule_source_finish(&source);
}
