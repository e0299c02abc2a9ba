/* What is asked of a content, and where, must not change what matches: hundreds of rules at once, made up at
 * random, and the few that are chosen for the content, searched only around what was found of them, say the
 * same, with the same strings at the same places. */
#include "plugins/yara/choice.h"
#include "plugins/yara/place.h"
#include "plugins/yara/rules.h"

#include "engine/base/buf.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RULES = 500, CONTENTS = 400, CONTENT_MAX = 60000, GAP_MAX = 20000 };

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
    static const char *const regex[] = {"/al[pq]ha/",
                                        "/[a-c]{2}/",
                                        "/br?avo/ nocase",
                                        "/ho.el[0-9]/ wide",
                                        "/^MZ/",
                                        "/(lima|mike)\\.?n/",
                                        "/\\x00\\x01./s",
                                        "/a{3,}/",
                                        "/.{0,3}alpha/ wide",
                                        "/lima.{0,5}mike/ ascii wide"};
    unsigned kind = pick(10);
    const char *text = word();

    if (kind < 6)
        buf_printf(buf, "  $%c%u = \"%s\"%s\n", name, pick(2),
                   strlen(text) < 3 && pick(4) != 0 ? "kilo" : text,
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
    "filename == \"x\"",
    "filename == \"\"",
    "extension == \".x\" or filetype == \"EXE\"",
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
                                        "$%s in (3..4000)",
                                        "$%s in (filesize-20..filesize)",
                                        "not $%s in (0..100)",
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
                                        "#%s > #%s",
                                        "(#%s + #%s) > (#%s + 1)",
                                        "#%s + 1 > #%s",
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
    if (number % 40 == 9)
        buf_printf(buf, "(r%u or r%u) and ", number - 1, number - 2);
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
        for (unsigned k = pick(8) == 0 ? pick(GAP_MAX) : 0; k > 0; k--)
            buf_u8(&buf, (uint8_t) " \0ab.MZ/l"[pick(9)]);
    }
    size = buf.size < CONTENT_MAX ? buf.size : CONTENT_MAX;
    if (size > 0)
        memcpy(data, buf.data, size);
    buf_finish(&buf);
    return size;
}

/* By place: how often a rule matched, and a sum over the places and lengths of its strings. */
struct seen {
    const struct rules *rules;
    uint32_t *times;
    uint64_t *sums;
};

static uint64_t sum_of(YR_SCAN_CONTEXT *context, const YR_RULE *rule)
{
    const YR_STRING *string;
    uint64_t sum = 0;
    YR_MATCH match;

    yr_rule_strings_foreach(rule, string)
    {
        for (const void *at = context->matches[string->idx].head; at != NULL; at = match.next) {
            memcpy(&match, at, sizeof match);
            sum = sum * 31 + (uint64_t)(match.base + match.offset);
            sum = sum * 31 + (uint64_t)match.match_length;
            sum = sum * 31 + (uint8_t)string->identifier[1];
        }
    }
    return sum;
}

static int on_match(YR_SCAN_CONTEXT *context, int message, void *data, void *user)
{
    struct seen *seen = user;
    size_t place;

    if (message != CALLBACK_MSG_RULE_MATCHING)
        return CALLBACK_CONTINUE;
    place = (size_t)(rules_place(seen->rules, data) - seen->rules->places);
    seen->times[place]++;
    seen->sums[place] = sum_of(context, data);
    return CALLBACK_CONTINUE;
}

/* `windows` NULL: everywhere. */
static void ask(YR_RULES *compiled, const struct windows *windows, const uint8_t *data, size_t size,
                struct seen *seen)
{
    YR_SCANNER *scanner;

    if (compiled == NULL)
        return;
    cr_assert_eq(yr_scanner_create(compiled, &scanner), 0);
    yr_scanner_set_flags(scanner, SCAN_FLAGS_NO_TRYCATCH);
    yr_scanner_set_callback(scanner, on_match, seen);
    cr_assert_eq(windows != NULL ? windows_scan(windows, scanner, data, size)
                                 : yr_scanner_scan_mem(scanner, data, size),
                 0);
    yr_scanner_destroy(scanner);
}

/* The chosen rules that have windows, or those that have none, together. How many. */
static size_t ask_some(struct rules *rules, const uint32_t *chosen, size_t count, bool windowed,
                       const uint8_t *data, size_t size, struct seen *seen)
{
    uint32_t *taken = calloc(count + 1, sizeof taken[0]);
    struct windows windows = {.items = NULL};
    size_t some = 0;

    for (size_t i = 0; i < count; i++) {
        if (choice_has_windows(rules, chosen[i]) == windowed)
            taken[some++] = chosen[i];
    }
    if (some > 0) {
        YR_RULES *compiled = rules_some(rules, taken, some, size >= 2 && data[0] == 'M' && data[1] == 'Z');

        cr_assert_not_null(compiled);
        cr_assert_eq(choice_windows(rules, taken, some, &windows), 0);
        ask(compiled, windowed ? &windows : NULL, data, size, seen);
        yr_rules_destroy(compiled);
    }
    windows_finish(&windows);
    free(taken);
    return some;
}

static struct seen seen_new(const struct rules *rules)
{
    struct seen seen = {rules, calloc(rules->place_count, sizeof seen.times[0]),
                        calloc(rules->place_count, sizeof seen.sums[0])};

    cr_assert(seen.times != NULL && seen.sums != NULL);
    return seen;
}

static void seen_free(struct seen *seen)
{
    free(seen->times);
    free(seen->sums);
}

struct totals {
    size_t matches, asked, windowed;
};

static void compare(const struct seen *all, const struct seen *few, const uint8_t *data, size_t size,
                    struct totals *totals)
{
    for (size_t i = 0; i < all->rules->place_count; i++) {
        const char *name = all->rules->places[i].name;

        totals->matches += all->times[i];
        cr_assert_eq(all->times[i], few->times[i],
                     "%s: %u of all, %u of the chosen, content of %zu bytes \"%.40s\"", name, all->times[i],
                     few->times[i], size, (const char *)data);
        cr_assert_eq(all->sums[i], few->sums[i], "%s: other strings, content of %zu bytes \"%.40s\"", name,
                     size, (const char *)data);
    }
}

static void check_content(struct rules *rules, const uint8_t *data, size_t size, struct totals *totals)
{
    static const struct formula_names names = {"", "", "", ""};
    static const struct windows nowhere = {.items = NULL};
    bool pe = size >= 2 && data[0] == 'M' && data[1] == 'Z';
    struct seen all = seen_new(rules), few = seen_new(rules);
    uint32_t *chosen = calloc(rules->all->num_rules, sizeof chosen[0]);
    size_t count = choice_make(rules, NULL, &names, data, size, chosen, rules->all->num_rules);

    cr_assert(chosen != NULL && count <= rules->all->num_rules);
    ask(rules->all, NULL, data, size, &all);
    ask(pe ? rules->always : rules->always_no_pe, rules->always_searches ? NULL : &nowhere, data, size, &few);
    totals->windowed += ask_some(rules, chosen, count, true, data, size, &few);
    ask_some(rules, chosen, count, false, data, size, &few);
    totals->asked += count;
    compare(&all, &few, data, size, totals);
    seen_free(&all);
    seen_free(&few);
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
    cr_assert_eq(rules_load(path, false, rules, &why), 0, "%s", why.text);
    unlink(path);
}

Test(yara_choice, the_chosen_rules_say_what_all_rules_say)
{
    struct rules rules = {.places = NULL};
    static uint8_t data[CONTENT_MAX];
    struct totals totals = {0};

    load(&rules);
    cr_assert_gt(rules.all->num_rules, RULES * 3 / 4, "%u rules compile", rules.all->num_rules);
    for (unsigned i = 0; i < CONTENTS; i++)
        check_content(&rules, data, make_content(data), &totals);
    /* It would prove nothing if nothing matched, or if all were always asked everywhere. */
    cr_assert_gt(totals.matches, CONTENTS * 10, "%zu matches", totals.matches);
    cr_assert_lt(rules.always->num_rules, rules.all->num_rules * 3 / 4, "%u always", rules.always->num_rules);
    cr_assert_lt(totals.asked / CONTENTS, rules.all->num_rules / 4, "%zu asked", totals.asked / CONTENTS);
    cr_assert_gt(totals.windowed, totals.asked / 4, "%zu of %zu with windows", totals.windowed, totals.asked);
    rules_finish(&rules);
    yr_finalize();
}
