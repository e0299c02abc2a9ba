/* What the yara plugin reads from the text of rules: where they stand, and what they demand of a content. */
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

static struct rule_gate gate_of(const char *strings, const char *condition)
{
    char text[1024];
    struct rule_gate gate;

    snprintf(text, sizeof text, "rule r { %s%s condition: %s }", strings[0] ? "strings: " : "", strings,
             condition);
    read_text(text);
    cr_assert_eq(source.count, 1, "%s", text);
    gate = source.items[0].gate;
    rule_source_finish(&source);
    return gate;
}

Test(yara_source, a_demand_in_a_chain_of_ands_is_found)
{
    static const char *const mz[] = {
        "uint16(0) == 0x5A4D",
        "filesize < 2MB and uint16(0) == 0x5a4d and any of them",
        "(uint16be(0) == 0x4d5a) and $a",
        "((uint16(0) == 23117 and filesize < 10) and ($a or $b))",
        "$mz at 0 and $a",
        "$hex at 0 and for any i in (1..#a) : (@a[i] > 3 or false)",
        "pe.is_pe and $a",
        "pe.number_of_sections > 3 and $a",
        "$a and pe.imphash() == \"0123\"",
    };
    const char *strings = "$mz = \"MZ\" $hex = { 4D 5A ?? } $a = \"a\" $b = \"b\"";

    for (size_t i = 0; i < sizeof mz / sizeof mz[0]; i++)
        cr_expect(gate_of(strings, mz[i]).mz, "%s", mz[i]);
    cr_expect_eq(gate_of("", "filesize < 300KB and true").most, 300 * 1024 - 1);
    cr_expect_eq(gate_of("", "true and (filesize <= 2MB)").most, 2 * 1024 * 1024);
    cr_expect_eq(gate_of("", "100 > filesize").most, 99);
    cr_expect_eq(gate_of("", "filesize == 5").most, 5);
    cr_expect_eq(gate_of("", "filesize < 10 and filesize < 7").most, 6);
}

Test(yara_source, what_is_no_demand_is_none)
{
    static const char *const none[] = {
        "uint16(0) == 0x5A4D or $a",
        "not uint16(0) == 0x5A4D and $a",
        "$a and (uint16(0) == 0x5A4D or $b)",
        "uint16(0) != 0x5A4D",
        "uint16(2) == 0x5A4D",
        "uint16(0) == 0x4D5A",
        "uint32(0) == 0x5A4D",
        "for any i in (0..1) : (uint16(0) == 0x5A4D and true)",
        "$wide at 0",
        "$xor at 0",
        "$jump at 0",
        "$mz at 1",
        "$mz",
        "pe.DLL == 0x2000",
        "not pe.is_pe and $a",
        "pe.is_pe == 0",
        "filesize > 100 and $a",
        "100 < filesize",
        "filesize < 100 or $a",
        "filesize < limit",
        "not (filesize < 100)",
        "(filesize < 100) == false",
    };
    const char *strings = "$mz = \"MZ\" $wide = \"MZ\" wide $xor = \"MZ\" xor $jump = { 4D [1-2] 5A } $a = \"a\" "
                          "$b = \"b\"";

    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        struct rule_gate gate = gate_of(strings, none[i]);

        cr_expect(!gate.mz && gate.most == UINT64_MAX, "%s", none[i]);
    }
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
