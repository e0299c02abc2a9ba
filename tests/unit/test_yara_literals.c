/* A literal of a string stands in every content that the string matches: otherwise the match would be lost.
 */
#include "plugins/yara/literals.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *string, *content;
    size_t size;
} cases[] = {
#define CONTENT(text) text, sizeof text - 1
    {"\"alphabet\"", CONTENT("an alphabet")},
    {"\"alphabet\" nocase", CONTENT("an AlphaBET")},
    {"\"alphabet\" wide", CONTENT("Xa\0l\0p\0h\0a\0b\0e\0t\0")},
    {"\"alphabet\" ascii wide nocase", CONTENT("XA\0l\0p\0H\0a\0b\0e\0t\0Y")},
    {"\"alphabet\" xor", CONTENT("@MQI@CDU")},
    {"\"alphabet\" xor wide", CONTENT("@!M!Q!I!@!C!D!U!")},
    {"\"alphabet\" base64", CONTENT("x YWxwaGFiZXQg")},
    {"\"https://example.org/a/long/path/which/says/more/than/the/first/bytes/do\"",
     CONTENT("https://example.org/a/long/path/which/says/more/than/the/first/bytes/do")},
    {"/.{0,3}alpha/ wide", CONTENT("Xa\0l\0p\0h\0a\0")},
    {"/.{0,3}alpha/ wide", CONTENT("a\0l\0p\0h\0a\0")},
    {"/lima.{0,5}mike/ wide", CONTENT("l\0i\0m\0a\0m\0i\0k\0e\0Y")},
    {"\"a\"", CONTENT("xxa")},
    {"\"a\" nocase", CONTENT("xxA")},
    {"\"a\" wide", CONTENT("Xa\0")},
    {"\"a\" wide nocase", CONTENT("A\0")},
    {"\"ab\"", CONTENT("ab")},
    {"\"ab\" nocase", CONTENT("xaB")},
    {"\"aB\" nocase", CONTENT("Ab")},
    {"/lima.{0,5}mike/ ascii wide", CONTENT("limaXXXXXmike")},
    {"/x?.{0,4}bravo/ wide", CONTENT("Yb\0r\0a\0v\0o\0")},
    {"/[^x]bravo\\b/ wide", CONTENT("y\0b\0r\0a\0v\0o\0")},
    {"/(lima|mike)november/", CONTENT("mikenovember")},
    {"/br?avo(charlie)?delta/ nocase", CONTENT("BAVODELTA")},
    {"/(alpha){2}/", CONTENT("alphaalpha")},
    {"/(ab)*cdefgh/", CONTENT("cdefgh")},
    {"/\\bhotel[0-9]+golf$/", CONTENT("hotel77golf")},
    {"{ 61 62 63 64 [2-4] 65 66 67 68 69 6A 6B 6C }", CONTENT("abcdXXefghijkl")},
    {"{ 61 62 ?? 64 65 ( 66 | 67 68 ) 69 6A }", CONTENT("abZdeghij")},
    {"{ 4? 6C 70 ?5 61 62 63 }", CONTENT("AlpUabc")},
    {"{ 61 62 63 [0-300] 64 65 66 67 }", CONTENT("abcdefg")},
    {"{ ?? ?? 61 62 63 64 65 }", CONTENT("XYabcde")},
};

static int on_match(YR_SCAN_CONTEXT *context, int message, void *data, void *user)
{
    (void)context, (void)data;
    *(bool *)user |= message == CALLBACK_MSG_RULE_MATCHING;
    return CALLBACK_CONTINUE;
}

static YR_RULES *compile(const char *string)
{
    char text[512];
    YR_COMPILER *compiler;
    YR_RULES *rules;

    snprintf(text, sizeof text, "rule one { strings: $a = %s condition: $a }", string);
    cr_assert_eq(yr_compiler_create(&compiler), 0);
    cr_assert_eq(yr_compiler_add_string(compiler, text, NULL), 0, "%s", string);
    cr_assert_eq(yr_compiler_get_rules(compiler, &rules), 0);
    yr_compiler_destroy(compiler);
    return rules;
}

/* Searched slowly and plainly, to hold what searches fast against it. */
static bool stands(const struct literal *literal, const uint8_t *data, size_t size)
{
    for (size_t at = 0; at + literal->size + (literal->difference ? 1 : 0) <= size; at++) {
        size_t same = 0;

        while (same < literal->size) {
            uint8_t byte = data[at + same];

            if (literal->difference)
                byte ^= data[at + same + 1];
            if (literal->nocase && byte >= 'A' && byte <= 'Z')
                byte = (uint8_t)(byte + 32);
            if (byte != literal->bytes[same])
                break;
            same++;
        }
        if (same == literal->size)
            return true;
    }
    return false;
}

static bool one_stands(const struct literals *literals, uint32_t string, const uint8_t *data, size_t size)
{
    static struct literal_pairs pairs;
    bool any = literals->anywhere[string] == ANYWHERE_ALL;

    literal_pairs_learn(&pairs, data, size);

    for (size_t i = 0; i < literals->count; i++)
        any |= literals->items[i].string == string && stands(&literals->items[i], data, size);
    for (size_t i = 0; i < literals->short_count; i++)
        any |= literals->shorts[i].string == string && literal_pairs_have(&pairs, &literals->shorts[i]);
    return any;
}

Test(yara_literals, one_stands_wherever_the_string_matches)
{
    cr_assert_eq(yr_initialize(), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const uint8_t *data = (const uint8_t *)cases[i].content;
        YR_RULES *rules = compile(cases[i].string);
        struct literals literals;
        bool matches = false;

        cr_assert_eq(
            yr_rules_scan_mem(rules, data, cases[i].size, SCAN_FLAGS_NO_TRYCATCH, on_match, &matches, 0), 0);
        cr_assert(matches, "libyara does not match %s", cases[i].string);
        cr_assert_eq(literals_find(rules, &literals), 0);
        for (uint32_t string = 0; string < rules->num_strings; string++)
            cr_expect(one_stands(&literals, string, data, cases[i].size),
                      "%s: no literal of string %u stands", cases[i].string, string);
        literals_finish(&literals);
        yr_rules_destroy(rules);
    }
    yr_finalize();
}

Test(yara_literals, what_does_not_stand_is_not_had)
{
    static struct literal_pairs pairs;

    literal_pairs_learn(&pairs, (const uint8_t *)"ba", 2);
    cr_assert_not(literal_pairs_have(&pairs, &(struct literal){.bytes = "ab", .size = 2}));
    cr_assert_not(literal_pairs_have(&pairs, &(struct literal){.bytes = "c", .size = 1}));
    cr_assert(literal_pairs_have(&pairs, &(struct literal){.bytes = "a", .size = 1}));
    literal_pairs_learn(&pairs, (const uint8_t *)"c", 1);
    cr_assert_not(literal_pairs_have(&pairs, &(struct literal){.bytes = "a", .size = 1}));
}
