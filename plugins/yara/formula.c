/*
 * formula: see formula.h. Nodes stand in the order in which the condition is read, each with where the one
 * beside it begins. A node that demands nothing is not kept: it drops out of an "and", and takes its whole
 * "or" along.
 */
#include "plugins/yara/formula.h"

#include "plugins/yara/formula_node.h"
#include "plugins/yara/lex.h"

#include <stdlib.h>
#include <string.h>

enum {
    TERM_MAX = 64,
    DEPTH_MAX = 32,
    WITHIN_MAX = 4096,
    RULES_DEPTH_MAX = 8, /* rules that use rules that use rules */
};

struct token {
    enum lex_kind kind;
    const char *begin;
    size_t size;
};

struct reading {
    struct formulas *formulas;
    const YR_RULES *rules;
    const YR_RULE *rule;
    const uint32_t *others; /* the formulas of the rules before it */
    struct lex lex;         /* its token is the next one to be read */
    unsigned depth;
};

void formulas_finish(struct formulas *formulas)
{
    free(formulas->nodes);
    free(formulas->strings);
    *formulas = (struct formulas){.nodes = NULL};
}

/* ------------------------------------------------------------------ building */

static uint32_t node_new(struct formulas *formulas, struct formula_node node)
{
    if (formulas->node_count == formulas->node_capacity) {
        size_t capacity = formulas->node_capacity * 2 + 64;
        struct formula_node *nodes = reallocarray(formulas->nodes, capacity, sizeof nodes[0]);

        if (nodes == NULL) {
            formulas->failed = true;
            return FORMULA_NONE;
        }
        formulas->nodes = nodes;
        formulas->node_capacity = capacity;
    }
    node.end = (uint32_t)formulas->node_count + 1;
    formulas->nodes[formulas->node_count] = node;
    return (uint32_t)formulas->node_count++;
}

static void string_add(struct formulas *formulas, uint32_t index)
{
    if (formulas->string_count == formulas->string_capacity) {
        size_t capacity = formulas->string_capacity * 2 + 256;
        uint32_t *strings = reallocarray(formulas->strings, capacity, sizeof strings[0]);

        if (strings == NULL) {
            formulas->failed = true;
            return;
        }
        formulas->strings = strings;
        formulas->string_capacity = capacity;
    }
    formulas->strings[formulas->string_count++] = index;
}

static bool is(const struct token *token, const char *text)
{
    return strlen(text) == token->size && memcmp(token->begin, text, token->size) == 0;
}

/* A number with KB or MB behind it, or not; false for anything else. */
static bool number(const struct token *token, uint64_t *ret)
{
    char digits[32], *end;
    uint64_t value, unit;

    if (token->kind != LEX_WORD || token->size >= sizeof digits || token->begin[0] < '0' ||
        token->begin[0] > '9')
        return false;
    memcpy(digits, token->begin, token->size);
    digits[token->size] = '\0';
    value = strncmp(digits, "0o", 2) == 0 ? strtoull(digits + 2, &end, 8)
                                          : strtoull(digits, &end, strncmp(digits, "0x", 2) == 0 ? 16 : 10);
    unit = strcmp(end, "KB") == 0 ? 1024 : strcmp(end, "MB") == 0 ? 1024 * 1024 : 1;
    if ((unit == 1 && *end != '\0') || value > (uint64_t)INT64_MAX / unit)
        return false;
    *ret = value * unit;
    return true;
}

/* ------------------------------------------------------------------ sets of strings */

/* Adds the strings that `name` ("$a", or "$" alone for those without a name) means; `open`: a "*" follows. A
 * string in several parts counts once. How many. */
static uint32_t name_add(struct reading *r, const char *name, size_t size, bool open)
{
    const YR_STRING *string;
    uint32_t count = 0;

    yr_rule_strings_foreach(r->rule, string)
    {
        size_t length = strlen(string->identifier);

        if (string->chained_to != NULL || length < size || memcmp(string->identifier, name, size) != 0 ||
            (!open && length != size))
            continue;
        string_add(r->formulas, string->idx);
        count++;
    }
    return count;
}

/* What stands in the brackets behind "of": names of strings. False: also something else, or nothing. */
static bool set_add(struct reading *r, const struct token *t, size_t count, size_t at)
{
    while (at < count && t[at].kind == LEX_WORD && t[at].begin[0] == '$') {
        bool open = at + 1 < count && is(&t[at + 1], "*");

        if (name_add(r, t[at].begin, t[at].size, open) == 0)
            return false;
        at += open ? 2 : 1;
        if (at >= count || is(&t[at], ")"))
            return at < count;
        if (!is(&t[at], ","))
            return false;
        at++;
    }
    return false;
}

static bool strings_node(struct reading *r, uint32_t first, uint64_t least)
{
    struct formula_node node = {.kind = NODE_STRINGS, .first = first, .least = least};

    node.count = (uint32_t)r->formulas->string_count - first;
    if (node.count == 0)
        return false;
    node.least = least == UINT64_MAX ? node.count : least;
    return node.least > 0 && node_new(r->formulas, node) != FORMULA_NONE;
}

/* any of them, 2 of ($a*, $b), all of ($c*) in (0..100) */
static bool read_of(struct reading *r, const struct token *t, size_t count)
{
    uint32_t first = (uint32_t)r->formulas->string_count;
    uint64_t least = 1;
    size_t of = count > 1 && is(&t[1], "%") ? 2 : 1;

    if (count < of + 2 || !is(&t[of], "of"))
        return false;
    if (is(&t[0], "all"))
        least = UINT64_MAX;
    else if (!is(&t[0], "any") && !number(&t[0], &least))
        return false;
    if (of == 2 && least > 0)
        least = 1; /* a share */
    if (is(&t[of + 1], "them"))
        return name_add(r, "$", 1, true) > 0 && strings_node(r, first, least);
    return is(&t[of + 1], "(") && set_add(r, t, count, of + 2) && strings_node(r, first, least);
}

/* ------------------------------------------------------------------ single terms */

/* The string's bytes as they stand in the content, when only one writing of it can. */
static bool is_plain(const YR_STRING *string)
{
    return STRING_IS_LITERAL(string) && STRING_IS_ASCII(string) && !STRING_IS_WIDE(string) &&
           !STRING_IS_NO_CASE(string) && (string->flags & STRING_FLAGS_XOR) == 0 &&
           string->chained_to == NULL && !STRING_IS_CHAIN_PART(string);
}

/* A string whose bytes are known, but for zeros between. */
static bool is_written(const YR_STRING *string)
{
    return STRING_IS_LITERAL(string) && !STRING_IS_NO_CASE(string) && !STRING_IS_XOR(string) &&
           string->chained_to == NULL && !STRING_IS_CHAIN_PART(string);
}

/* (0..100), (filesize-100..filesize): whether it is as short as can be looked through. */
static bool read_range(const struct token *t, size_t count, struct formula_node *node)
{
    node->kind = NODE_WITHIN;
    if (count == 5 && is(&t[0], "(") && number(&t[1], &node->least) && is(&t[2], "..") &&
        number(&t[3], &node->most) && is(&t[4], ")"))
        return node->most >= node->least && node->most - node->least <= WITHIN_MAX;
    node->big = true;
    node->least = 0;
    return count == 7 && is(&t[0], "(") && is(&t[1], "filesize") && is(&t[2], "-") &&
           number(&t[3], &node->most) && is(&t[4], "..") && is(&t[5], "filesize") && is(&t[6], ")") &&
           node->most <= WITHIN_MAX;
}

/* $a; $a at 0x3c; $a in (0..100) */
static bool read_string(struct reading *r, const struct token *t, size_t count)
{
    uint32_t first = (uint32_t)r->formulas->string_count;
    struct formula_node text = {.kind = NODE_TEXT, .first = first}, within = {.first = first};

    if (t[0].kind != LEX_WORD || t[0].begin[0] != '$' || t[0].size < 2 ||
        (count > 1 && !is(&t[1], "at") && !is(&t[1], "in")) || name_add(r, t[0].begin, t[0].size, false) != 1)
        return false;
    if (count == 3 && is(&t[1], "at") && number(&t[2], &text.place) &&
        is_plain(&r->rules->strings_table[r->formulas->strings[first]]))
        return node_new(r->formulas, text) != FORMULA_NONE;
    if (count > 2 && is(&t[1], "in") && read_range(t + 2, count - 2, &within) &&
        is_written(&r->rules->strings_table[r->formulas->strings[first]]))
        return node_new(r->formulas, within) != FORMULA_NONE;
    return strings_node(r, first, 1);
}

/* The string that "#a", "@a" or "!a" is about. */
static bool count_add(struct reading *r, const struct token *name)
{
    char text[256] = "$";

    if (name->size < 2 || name->size >= sizeof text)
        return false;
    memcpy(text + 1, name->begin + 1, name->size - 1);
    return name_add(r, text, name->size, false) == 1;
}

static bool need_match(struct reading *r, const struct token *name)
{
    uint32_t first = (uint32_t)r->formulas->string_count;

    return count_add(r, name) && strings_node(r, first, 1);
}

/* Counts and numbers, added: not less than nothing. */
static bool is_sum(const struct token *t, size_t count)
{
    uint64_t value;

    for (size_t i = 0; i < count; i++) {
        bool small = number(&t[i], &value) && value < UINT32_MAX;

        if (!is(&t[i], "+") && !is(&t[i], "(") && !is(&t[i], ")") && !small &&
            (t[i].kind != LEX_WORD || t[i].begin[0] != '#'))
            return false;
    }
    return count > 0;
}

/* #a > #b, (#a + #b) > #c + 1: one of the first is there. */
static bool read_more(struct reading *r, const struct token *t, size_t count)
{
    uint32_t first = (uint32_t)r->formulas->string_count;
    size_t more = 0;
    uint64_t value;

    while (more < count && !is(&t[more], ">"))
        more++;
    if (!is_sum(t, more) || more + 1 >= count || !is_sum(t + more + 1, count - more - 1))
        return false;
    for (size_t i = 0; i < more; i++) {
        if (number(&t[i], &value) || (t[i].kind == LEX_WORD && !count_add(r, &t[i])))
            return false;
    }
    return strings_node(r, first, 1);
}

/* #a > 2 */
static bool read_count(struct reading *r, const struct token *t, size_t count)
{
    uint64_t value;

    return count == 3 && t[0].kind == LEX_WORD && t[0].begin[0] == '#' && number(&t[2], &value) &&
           (is(&t[1], ">") || ((is(&t[1], ">=") || is(&t[1], "==")) && value > 0)) && need_match(r, &t[0]);
}

/* @a < 100, uint32(@a[1] + !a[1]) == 7: without a match it is undefined, and so is what is made of that, and
 * never true. Not so where a term has terms within. */
static bool read_place(struct reading *r, const struct token *t, size_t count)
{
    static const char *const within[] = {"for", "of", "and", "or", "not", "defined", "in"};
    const struct token *name = NULL;

    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < sizeof within / sizeof within[0]; k++) {
            if (is(&t[i], within[k]))
                return false;
        }
        if (name == NULL && t[i].kind == LEX_WORD && (t[i].begin[0] == '@' || t[i].begin[0] == '!'))
            name = &t[i];
    }
    return name != NULL && need_match(r, name);
}

/* filesize < 300KB, 300KB > filesize */
static bool read_size(struct reading *r, const struct token *t, size_t count)
{
    bool first = count == 3 && is(&t[0], "filesize"), last = count == 3 && is(&t[2], "filesize");
    struct formula_node node = {.kind = NODE_SMALLER};
    uint64_t value;

    if ((!first && !last) || !number(&t[first ? 2 : 0], &value))
        return false;
    if (is(&t[1], first ? "<" : ">") && value > 0) {
        node.most = value - 1;
    } else if (is(&t[1], first ? "<=" : ">=") || is(&t[1], "==")) {
        node.most = value;
    } else if (is(&t[1], first ? ">" : "<") || is(&t[1], first ? ">=" : "<=")) {
        node.kind = NODE_LARGER;
        node.least = value;
    } else {
        return false;
    }
    return node_new(r->formulas, node) != FORMULA_NONE;
}

static bool number_name(const struct token *token, struct formula_node *node)
{
    static const struct {
        const char *name;
        uint8_t width;
        bool big;
    } names[] = {{"uint8", 1, false},   {"uint16", 2, false},  {"uint32", 4, false},
                 {"uint16be", 2, true}, {"uint32be", 4, true}, {"uint8be", 1, true}};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (is(token, names[i].name)) {
            node->width = names[i].width;
            node->big = names[i].big;
            return true;
        }
    }
    return false;
}

/* uint16(0) == 0x5A4D. What lies beyond the end is undefined, and no comparison with that is true. */
static bool read_number(struct reading *r, const struct token *t, size_t count)
{
    struct formula_node node = {.kind = NODE_NUMBER, .most = UINT64_MAX};
    uint64_t value;

    if (count != 6 || !number_name(&t[0], &node) || !is(&t[1], "(") || !number(&t[2], &node.place) ||
        !is(&t[3], ")") || !number(&t[5], &value))
        return false;
    if (is(&t[4], "=="))
        node.least = node.most = value;
    else if (is(&t[4], ">") || is(&t[4], ">="))
        node.least = value + (t[4].size == 1);
    else if (is(&t[4], "<=") || (is(&t[4], "<") && value > 0))
        node.most = value - (t[4].size == 1);
    else
        return false;
    return node_new(r->formulas, node) != FORMULA_NONE;
}

/* The variable that is always "". */
static bool read_empty(struct reading *r, const struct token *t, size_t count)
{
    if (count != 3 || !is(&t[0], "md5") || !is(&t[1], "==") || t[2].kind != LEX_STRING || t[2].size <= 2)
        return false;
    return node_new(r->formulas, (struct formula_node){.kind = NODE_NEVER}) != FORMULA_NONE;
}

/* filename == "x", extension == ".x", filetype == "x". */
static bool read_name(struct reading *r, const struct token *t, size_t count)
{
    static const char *const names[] = {"filename", "extension", "filetype", "owner"};
    struct formula_node node = {.kind = NODE_NAME};

    if (count != 3 || !is(&t[1], "==") || t[2].kind != LEX_STRING || t[2].size < 2 ||
        memchr(t[2].begin, '\\', t[2].size) != NULL)
        return false;
    node.text = t[2].begin + 1;
    node.count = (uint32_t)(t[2].size - 2);
    while (node.place < 4 && !is(&t[0], names[node.place]))
        node.place++;
    return node.place < 4 && node_new(r->formulas, node) != FORMULA_NONE;
}

/* How many rules deep. */
static uint64_t rules_depth(const struct formulas *formulas, uint32_t begin)
{
    uint64_t most = 0;

    for (uint32_t i = begin; i < formulas->nodes[begin].end; i++) {
        if (formulas->nodes[i].kind == NODE_RULE && formulas->nodes[i].least > most)
            most = formulas->nodes[i].least;
    }
    return most + 1;
}

/* The name of a rule that stands before this one in its file. */
static bool read_rule(struct reading *r, const struct token *t, size_t count)
{
    struct formula_node node = {.kind = NODE_RULE};
    uint32_t at = (uint32_t)(r->rule - r->rules->rules_table);

    while (count == 1 && at-- > 0 && r->rules->rules_table[at].ns == r->rule->ns) {
        if (!is(&t[0], r->rules->rules_table[at].identifier))
            continue;
        node.first = r->others[at];
        if (node.first == FORMULA_NONE)
            return false;
        node.least = rules_depth(r->formulas, node.first);
        return node.least <= RULES_DEPTH_MAX && node_new(r->formulas, node) != FORMULA_NONE;
    }
    return false;
}

/* pe.is_pe, or a comparison or call that begins with something of a PE's: without one it is undefined, and
 * what is made of the undefined is never true. Constants (pe.DLL) are written in capitals and always there.
 */
static bool read_pe(struct reading *r, const struct token *t, size_t count)
{
    struct formula_node mz = {.kind = NODE_NUMBER, .width = 2, .least = 0x5a4d, .most = 0x5a4d};
    bool small = false;

    if (count < 3 || !is(&t[0], "pe") || !is(&t[1], ".") || t[2].kind != LEX_WORD)
        return false;
    for (size_t i = 0; i < t[2].size; i++)
        small |= t[2].begin[i] >= 'a' && t[2].begin[i] <= 'z';
    if (!small || (is(&t[2], "is_pe") && count != 3))
        return false;
    return node_new(r->formulas, mz) != FORMULA_NONE;
}

static bool is_pe_data(const struct token *t, size_t count, size_t at)
{
    return at + 2 < count && is(&t[at], "pe") && is(&t[at + 1], ".") && t[at + 2].begin[0] >= 'a' &&
           t[at + 2].begin[0] <= 'z';
}

/* for any i in (0..pe.number_of_signatures) : (...), for any s in pe.sections : (...): nothing to go over. */
static bool read_for_pe(struct reading *r, const struct token *t, size_t count)
{
    struct formula_node mz = {.kind = NODE_NUMBER, .width = 2, .least = 0x5a4d, .most = 0x5a4d};
    bool over = is_pe_data(t, count, 4);

    if (count < 6 || !is(&t[0], "for") || !is(&t[1], "any") || !is(&t[3], "in"))
        return false;
    for (size_t i = 4; i < count && !is(&t[i], ":"); i++)
        over |= is(&t[4], "(") && is_pe_data(t, count, i);
    return over && node_new(r->formulas, mz) != FORMULA_NONE;
}

/* ------------------------------------------------------------------ the grammar */

/* The tokens to the end of the term; how many there are, of which TERM_MAX are noted. */
static size_t read_tokens(struct reading *r, struct token *t)
{
    size_t count = 0;
    unsigned open = 0;

    while (r->lex.kind != LEX_END && r->lex.kind != LEX_BAD && (open > 0 || !lex_ends_term(&r->lex))) {
        open += lex_is(&r->lex, "(") || lex_is(&r->lex, "[");
        open -= open > 0 && (lex_is(&r->lex, ")") || lex_is(&r->lex, "]"));
        if (count < TERM_MAX)
            t[count] = (struct token){r->lex.kind, r->lex.begin, r->lex.size};
        count++;
        lex_next(&r->lex);
    }
    return count;
}

/* Whether a term demands something; then its node was added. */
static bool read_term(struct reading *r)
{
    struct token t[TERM_MAX];
    size_t count = read_tokens(r, t);

    if (count == 0)
        return false;
    if (count > TERM_MAX) /* of a loop the head is enough */
        return read_for_pe(r, t, TERM_MAX);
    return read_of(r, t, count) || read_string(r, t, count) || read_count(r, t, count) ||
           read_more(r, t, count) || read_place(r, t, count) || read_size(r, t, count) ||
           read_number(r, t, count) || read_empty(r, t, count) || read_name(r, t, count) ||
           read_rule(r, t, count) || read_pe(r, t, count) || read_for_pe(r, t, count);
}

static bool read_or(struct reading *r);

static bool read_brackets(struct reading *r)
{
    bool demands;

    lex_next(&r->lex);
    demands = read_or(r);
    if (lex_is(&r->lex, ")"))
        lex_next(&r->lex);
    return demands;
}

static void forget(struct reading *r, size_t nodes)
{
    r->formulas->node_count = nodes;
}

static bool read_not(struct reading *r)
{
    size_t nodes = r->formulas->node_count;
    bool demands = true;

    while (lex_is(&r->lex, "not") || lex_is(&r->lex, "defined")) {
        demands = false;
        lex_next(&r->lex);
    }
    if (lex_is(&r->lex, "(") && r->depth < DEPTH_MAX && lex_brackets_term(r->lex)) {
        r->depth++;
        demands &= read_brackets(r);
        r->depth--;
    } else {
        demands &= read_term(r);
    }
    if (!demands)
        forget(r, nodes);
    return demands;
}

/* The node at `begin` ends here. */
static void close_node(struct reading *r, uint32_t begin)
{
    if (begin < r->formulas->node_count)
        r->formulas->nodes[begin].end = (uint32_t)r->formulas->node_count;
}

static bool read_and(struct reading *r)
{
    size_t nodes = r->formulas->node_count;
    uint32_t begin = node_new(r->formulas, (struct formula_node){.kind = NODE_AND});
    bool demands = read_not(r);

    while (lex_is(&r->lex, "and")) {
        lex_next(&r->lex);
        demands |= read_not(r);
    }
    close_node(r, begin);
    if (!demands)
        forget(r, nodes);
    return demands;
}

static bool read_or(struct reading *r)
{
    size_t nodes = r->formulas->node_count;
    uint32_t begin = node_new(r->formulas, (struct formula_node){.kind = NODE_OR});
    bool demands = read_and(r);

    while (lex_is(&r->lex, "or")) {
        lex_next(&r->lex);
        demands &= read_and(r);
    }
    close_node(r, begin);
    if (!demands)
        forget(r, nodes);
    return demands;
}

uint32_t formulas_add(struct formulas *formulas, const YR_RULES *rules, const YR_RULE *rule,
                      const uint32_t *others, struct lex condition)
{
    struct reading r = {
        .formulas = formulas, .rules = rules, .rule = rule, .others = others, .lex = condition};
    size_t begin = formulas->node_count, strings = formulas->string_count;
    bool demands;

    lex_next(&r.lex);
    demands = read_or(&r);
    if (demands && r.lex.kind == LEX_END && !formulas->failed)
        return (uint32_t)begin;
    formulas->node_count = begin; /* also for what was not followed to its end */
    formulas->string_count = strings;
    return FORMULA_NONE;
}
