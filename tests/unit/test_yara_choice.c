/* What is asked of a content must not change what matches: thousands of rules at once, made up at random, and
 * the few that are chosen for the content say the same. */
#include "plugins/yara/choice.h"
#include "plugins/yara/hexstring.h"
#include "plugins/yara/place.h"
#include "plugins/yara/rules.h"

#include "engine/base/buf.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RULES = 500, CONTENTS = 400, CONTENT_MAX = 400 };

static uint64_t state = 20261126;

static unsigned pick(unsigned below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(state >> 33) % below;
}

static const char *word(void)
{
    static const char *const words[] = {"alpha",  "bravo",    "MZ",   "char",   "delta echo",
                                        "ab",     "foxtrot",  "Golf", "hotel7", "\\x00\\x01india",
                                        "MZkilo", "http://x", "lima", "aaaa",   "mike.november"};
    return words[pick(sizeof words / sizeof words[0])];
}

static void write_string(struct buf *buf, char name)
{
    static const char *const modifiers[] = {
        "",        "",        "", " nocase", " wide", " ascii wide", " xor", " fullword", " wide nocase",
        " base64", " private"};
    static const char *const hex[] = {"{ 4D 5A }",
                                      "{ 61 6C 70 68 61 }",
                                      "{ 61 6C [1-3] 61 }",
                                      "{ 6? 6C 70 ?? 61 /* a */ 20 }",
                                      "{ 62 72 61 76 6F ( 20 | 00 ) 63 }",
                                      "{ 6D 69 6B 65 2E 6E 6F 76 65 6D [0-200] 61 6C 70 68 61 }",
                                      "{ 00 01 69 6E 64 69 61 }",
                                      "{ 4D 5A 6B 69 6C 6F ?? [2-4] 68 }"};
    static const char *const regex[] = {"/al[pq]ha/",        "/[a-c]{2}/", "/br?avo/ nocase",
                                        "/ho.el[0-9]/ wide", "/^MZ/",      "/(lima|mike)\\.?n/",
                                        "/\\x00\\x01./s",    "/a{3,}/"};
    unsigned kind = pick(10);
    const char *text = word();

    if (kind < 6)
        buf_printf(buf, "  $%c%u = \"%s\"%s\n", name, pick(2), strlen(text) < 3 ? "kilo" : text,
                   modifiers[pick(sizeof modifiers / sizeof modifiers[0])]);
    else if (kind < 8)
        buf_printf(buf, "  $%c%u = %s\n", name, pick(2), hex[pick(sizeof hex / sizeof hex[0])]);
    else
        buf_printf(buf, "  $%c%u = %s\n", name, pick(2), regex[pick(sizeof regex / sizeof regex[0])]);
}

static void write_condition(struct buf *buf, unsigned depth);

static const char *const terms[] = {
    "any of them",
    "all of them",
    "2 of them",
    "1 of ($a*)",
    "all of ($b*, $c*)",
    "none of them",
    "any of ($a*) in (0..20)",
    "50% of them",
    "for any of them : ($ at 0)",
    "for all of ($a*) : (# > 1)",
    "for any i in (1..3) : (uint8(i) == 0x5a)",
    "filesize < 100",
    "200 > filesize",
    "filesize >= 50",
    "filesize == 0",
    "uint16(0) == 0x5A4D",
    "uint16be(0) == 0x4D5A",
    "uint8(1) > 0x60",
    "uint32(2) <= 0x70000000",
    "uint8(5000) < 9",
    "uint16(0) != 0x5A4D",
    "pe.is_pe",
    "not pe.is_pe",
    "pe.is_pe == 0",
    "pe.number_of_sections > 2",
    "pe.number_of_sections == 0",
    "pe.imphash() == \"0\"",
    "pe.timestamp < 5 or true",
    "for any i in (0..pe.number_of_sections) : (pe.sections[i].name == \"x\")",
    "for any s in pe.sections : (s.name == \"x\")",
    "for all i in (0..pe.number_of_sections) : (i > 9)",
    "(pe.machine + 1) > 0",
    "pe.DLL == 0x2000",
    "pe.is_dll()",
    "pe.imports(\"a.dll\")",
    "pe.exports(\"a\")",
    "pe.is_64bit()",
    "pe.number_of_signatures > 0",
    "pe.version_info[\"a\"] contains \"b\"",
    "defined pe.timestamp",
    "math.entropy(0, filesize) > 3.0",
    "owner == \"x\"",
    "owner == \"\"",
    "md5 != \"x\"",
    "true",
    "false",
    "(filesize < 100) == false",
    "not (filesize < 100)",
    "pe.rich_signature.version(1) > 0",
    "pe.locale(5)",
    "pe.language(5)",
    "pe.calculate_checksum() == pe.checksum",
    "pe.section_index(\"x\") == 0",
    "pe.rva_to_offset(3) == 0",
    "pe.rich_signature.toolid(1) == 0",
    "pe.exports_index(\"a\") == 0",
    "pe.characteristics & pe.DLL",
    "pe.entry_point == 0"};

static void write_term(struct buf *buf)
{
    buf_text(buf, terms[pick(sizeof terms / sizeof terms[0])]);
}

/* A term about one of the rule's strings, a0 or a1, which is always there. */
static void write_about(struct buf *buf, const char *name)
{
    static const char *const forms[] = {"$%s",
                                        "$%s at 0",
                                        "$%s at 3",
                                        "$%s in (0..9)",
                                        "#%s > 1",
                                        "#%s == 1",
                                        "#%s >= 0",
                                        "#%s < 2",
                                        "@%s < 30",
                                        "@%s[2] > 1",
                                        "!%s > 4",
                                        "uint8(@%s + 1) == 0x6c",
                                        "not $%s",
                                        "not @%s[1] < 10",
                                        "#%s == 0",
                                        "(@%s[1] > 2) == false",
                                        "defined @%s",
                                        "$%s and $%s",
                                        "$%s or filesize > 300"};
    const char *form = forms[pick(sizeof forms / sizeof forms[0])];

    for (const char *at = form; *at != '\0'; at++) {
        if (at[0] == '%' && at[1] == 's')
            buf_text(buf, name), at++;
        else
            buf_u8(buf, (uint8_t)*at);
    }
}

static char first_name[3];

static void write_condition(struct buf *buf, unsigned depth)
{
    unsigned count = 1 + pick(3);

    for (unsigned i = 0; i < count; i++) {
        if (i > 0)
            buf_text(buf, pick(3) > 0 ? " and " : " or ");
        if (pick(6) == 0)
            buf_text(buf, "not ");
        if (depth < 3 && pick(4) == 0) {
            buf_text(buf, "(");
            write_condition(buf, depth + 1);
            buf_text(buf, ")");
        } else if (pick(2) == 0) {
            write_about(buf, first_name);
        } else {
            write_term(buf);
        }
    }
}

static void write_rule(struct buf *buf, unsigned number)
{
    buf_printf(buf, "%srule r%u {\n strings:\n", number % 40 == 7 ? "private " : "", number);
    snprintf(first_name, sizeof first_name, "a%u", 5 + pick(2));
    buf_printf(buf, "  $%s = \"%s\"\n", first_name, pick(3) == 0 ? "MZ" : "bravo");
    write_string(buf, 'a');
    write_string(buf, 'b');
    write_string(buf, 'c');
    buf_text(buf, " condition:\n  ");
    if (number % 40 == 8)
        buf_printf(buf, "r%u and ", number - 1);
    buf_text(buf, "(true or any of them) and ("); /* libyara wants every string to be used */
    write_condition(buf, 0);
    buf_text(buf, ")\n}\n");
}

static size_t make_content(uint8_t *data)
{
    struct buf buf = {0};
    unsigned parts = pick(7);
    size_t size;

    if (pick(3) == 0)
        buf_text(&buf, "MZ");
    for (unsigned i = 0; i < parts; i++) {
        const char *text = word();
        bool wide = pick(4) == 0;
        uint8_t key = pick(5) == 0 ? 0x21 : 0;

        for (; *text != '\0'; text++) {
            buf_u8(&buf, (uint8_t)*text ^ key);
            if (wide)
                buf_u8(&buf, key);
        }
        for (unsigned k = pick(12); k > 0; k--)
            buf_u8(&buf, (uint8_t) " \0a.MZ/"[pick(7)]);
    }
    size = buf.size < CONTENT_MAX ? buf.size : CONTENT_MAX;
    if (size > 0)
        memcpy(data, buf.data, size);
    buf_finish(&buf);
    return size;
}

struct seen {
    const struct rules *rules;
    uint8_t *of_place;
};

static int on_match(YR_SCAN_CONTEXT *context, int message, void *data, void *user)
{
    struct seen *seen = user;

    (void)context;
    if (message == CALLBACK_MSG_RULE_MATCHING)
        seen->of_place[rules_place(seen->rules, data) - seen->rules->places]++;
    return CALLBACK_CONTINUE;
}

static void ask(YR_RULES *compiled, const uint8_t *data, size_t size, struct seen *seen)
{
    if (compiled != NULL)
        cr_assert_eq(yr_rules_scan_mem(compiled, data, size, SCAN_FLAGS_NO_TRYCATCH, on_match, seen, 0), 0);
}

static void check_content(struct rules *rules, const uint8_t *data, size_t size, size_t *ret_matches,
                          size_t *ret_asked)
{
    bool pe = size >= 2 && data[0] == 'M' && data[1] == 'Z';
    struct seen all = {rules, calloc(rules->place_count, 1)}, few = {rules, calloc(rules->place_count, 1)};
    uint32_t *chosen = calloc(rules->all->num_rules, sizeof chosen[0]);
    size_t count = choice_make(rules, NULL, data, size, chosen, rules->all->num_rules);

    cr_assert(all.of_place != NULL && few.of_place != NULL && chosen != NULL &&
              count <= rules->all->num_rules);
    ask(rules->all, data, size, &all);
    ask(pe ? rules->always : rules->always_no_pe, data, size, &few);
    if (count > 0) {
        YR_RULES *some = rules_some(rules, chosen, count, pe);

        cr_assert_not_null(some);
        ask(some, data, size, &few);
        yr_rules_destroy(some);
    }
    for (size_t i = 0; i < rules->place_count; i++) {
        *ret_matches += all.of_place[i];
        cr_assert_eq(all.of_place[i], few.of_place[i],
                     "%s: %u of all, %u of the chosen, content of %zu bytes \"%.40s\"", rules->places[i].name,
                     all.of_place[i], few.of_place[i], size, (const char *)data);
    }
    *ret_asked += count;
    free(all.of_place);
    free(few.of_place);
    free(chosen);
}

static void load(struct rules *rules)
{
    char path[] = "/tmp/kvali-rules-XXXXXX";
    struct buf buf = {0};
    struct why why = {.text = ""};
    int fd = mkstemp(path);

    buf_text(&buf, "import \"pe\"\nimport \"math\"\n");
    for (unsigned i = 0; i < RULES; i++)
        write_rule(&buf, i);
    cr_assert(fd >= 0 && write(fd, buf.data, buf.size) == (ssize_t)buf.size);
    close(fd);
    buf_finish(&buf);
    cr_assert_eq(yr_initialize(), 0);
    cr_assert_eq(rules_load(path, false, NULL, rules, &why), 0, "%s", why.text);
    unlink(path);
}

Test(yara_choice, the_chosen_rules_say_what_all_rules_say)
{
    struct rules rules = {.places = NULL};
    size_t matches = 0, asked = 0;

    load(&rules);
    cr_assert_gt(rules.all->num_rules, RULES * 3 / 4, "%u rules compile", rules.all->num_rules);
    for (unsigned i = 0; i < CONTENTS; i++) {
        uint8_t data[CONTENT_MAX];
        size_t size = make_content(data);

        check_content(&rules, data, size, &matches, &asked);
    }
    /* It would prove nothing if nothing matched, or if all were always asked. */
    cr_assert_gt(matches, CONTENTS * 10, "%zu matches", matches);
    cr_assert_lt(rules.always->num_rules, rules.all->num_rules * 3 / 4, "%u always", rules.always->num_rules);
    cr_assert_lt(asked / CONTENTS, rules.all->num_rules / 4, "%zu asked", asked / CONTENTS);
    rules_finish(&rules);
    yr_finalize();
}

Test(yara_choice, a_hex_string_surely_has_its_longest_telling_row)
{
    static const struct {
        const char *text, *bytes;
    } cases[] = {
        {" 4D 5A ", "MZ"},
        {"4d5a ?? 61626364", "abcd"},
        {"61 6? 62 63", "bc"},
        {"?1 41 42 [4] 43", "AB"},
        {"41 42 [43-50] 44 (45 46 47 48 | 49) 4A", "AB"},
        {"41 /* 42 43 44 */ 45 // 46 47 48\n 49", "AEI"},
        {"00 00 00 00 00 ?? 61 62", "ab"},
        {"~41 42 43", "BC"},
        {"?? ??", ""},
        {"4", ""},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint8_t bytes[PREFILTER_PIECE_MAX];
        size_t size = hexstring_bytes(cases[i].text, strlen(cases[i].text), bytes, sizeof bytes);

        cr_expect_eq(size, strlen(cases[i].bytes), "%s: %zu", cases[i].text, size);
        cr_expect(size != strlen(cases[i].bytes) || memcmp(bytes, cases[i].bytes, size) == 0, "%s",
                  cases[i].text);
    }
}
