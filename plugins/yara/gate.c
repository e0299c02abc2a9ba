/*
 * gate: see gate.h.
 *
 * The condition is cut at its "and"s into terms. One "or" at the same level makes all of them void, since
 * "and" binds closer. A term in brackets is looked into in the same way. What is left are terms such as
 * "uint16(0) == 0x5A4D", and only those of the few forms below count.
 */
#include "plugins/yara/gate.h"

#include "plugins/yara/lex.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TERM_MAX = 16, DEPTH_MAX = 8 };

struct token {
    enum lex_kind kind;
    const char *begin;
    size_t size;
};

struct condition {
    struct rule_item *item;
    const char *text;
};

static bool is(const struct token *token, const char *text)
{
    return strlen(text) == token->size && strncasecmp(token->begin, text, token->size) == 0;
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

static void bound(struct rule_gate *gate, uint64_t most)
{
    gate->most = most < gate->most ? most : gate->most;
}

/* filesize < 300KB, 300KB > filesize */
static void read_size(struct rule_gate *gate, const struct token *t, size_t count)
{
    bool first = count == 3 && is(&t[0], "filesize"), last = count == 3 && is(&t[2], "filesize");
    uint64_t value;

    if ((!first && !last) || !number(&t[first ? 2 : 0], &value))
        return;
    if (is(&t[1], first ? "<" : ">"))
        bound(gate, value > 0 ? value - 1 : 0);
    else if (is(&t[1], first ? "<=" : ">=") || is(&t[1], "=="))
        bound(gate, value);
}

/* uint16(0) == 0x5A4D, uint16be(0) == 0x4D5A */
static bool reads_mz(const struct token *t, size_t count)
{
    uint64_t place, value;

    if (count != 6 || !is(&t[1], "(") || !number(&t[2], &place) || !is(&t[3], ")") || !is(&t[4], "==") ||
        !number(&t[5], &value) || place != 0)
        return false;
    return (is(&t[0], "uint16") && value == 0x5a4d) || (is(&t[0], "uint16be") && value == 0x4d5a);
}

/* pe.is_pe, or a comparison or call that begins with something of a PE's: without one it is undefined, and
 * what is made of the undefined is never true. Constants (pe.DLL) are written in capitals and always there.
 */
static bool needs_pe(const struct token *t, size_t count)
{
    bool small = false;

    if (count < 3 || !is(&t[0], "pe") || !is(&t[1], ".") || t[2].kind != LEX_WORD)
        return false;
    if (is(&t[2], "is_pe"))
        return count == 3;
    for (size_t i = 0; i < t[2].size; i++)
        small |= t[2].begin[i] >= 'a' && t[2].begin[i] <= 'z';
    return small;
}

/* Does the string `name` begin with MZ, whatever its modifiers are? */
static bool string_is_mz(const struct condition *condition, const struct token *name)
{
    const struct rule_item *item = condition->item;
    struct lex lex = {
        .at = condition->text + item->strings, .end = condition->text + item->condition, .line = 1};

    while (item->strings > 0 && lex_next(&lex)) {
        if (lex.kind != LEX_WORD || lex.size != name->size || memcmp(lex.begin, name->begin, lex.size) != 0)
            continue;
        if (!lex_next(&lex) || !lex_is(&lex, "=") || !lex_next(&lex))
            return false;
        if (lex.kind == LEX_STRING) {
            bool mz = lex.size >= 4 && memcmp(lex.begin, "\"MZ", 3) == 0;

            /* "wide", "xor", "nocase", "base64" make something else of it */
            return mz && lex_next(&lex) &&
                   (lex.kind != LEX_WORD || lex.begin[0] == '$' || lex_is(&lex, "condition"));
        }
        return lex_is(&lex, "{") && lex_next(&lex) &&
               ((lex.size >= 4 && strncasecmp(lex.begin, "4d5a", 4) == 0) ||
                (lex.size == 2 && strncasecmp(lex.begin, "4d", 2) == 0 && lex_next(&lex) && lex.size >= 2 &&
                 strncasecmp(lex.begin, "5a", 2) == 0));
    }
    return false;
}

/* $mz at 0 */
static bool stands_first(const struct condition *condition, const struct token *t, size_t count)
{
    uint64_t place;

    return count == 3 && t[0].size > 1 && t[0].begin[0] == '$' && is(&t[1], "at") && number(&t[2], &place) &&
           place == 0 && string_is_mz(condition, &t[0]);
}

static void read_terms(const struct condition *condition, struct lex lex, unsigned depth);

static void read_term(const struct condition *condition, const struct token *t, size_t count,
                      struct lex inner, unsigned depth)
{
    struct rule_gate *gate = &condition->item->gate;

    if (inner.at != NULL && depth < DEPTH_MAX)
        read_terms(condition, inner, depth + 1);
    if (count == 0 || count > TERM_MAX)
        return;
    read_size(gate, t, count);
    gate->mz |= reads_mz(t, count) || needs_pe(t, count) || stands_first(condition, t, count);
}

/* Is there an "or" at this level? Conditions whose brackets do not match have one, to be safe. */
static bool has_or(struct lex lex)
{
    unsigned depth = 0;

    while (lex_next(&lex)) {
        depth += lex_is(&lex, "(") || lex_is(&lex, "[");
        if ((lex_is(&lex, ")") || lex_is(&lex, "]")) && depth-- == 0)
            return true;
        if (depth == 0 && lex_is(&lex, "or"))
            return true;
    }
    return depth > 0 || lex.kind == LEX_BAD;
}

/* All terms of `lex`. `inner` is a term's content when it is one pair of brackets and no more. */
static void read_terms(const struct condition *condition, struct lex lex, unsigned level)
{
    struct token tokens[TERM_MAX + 1];
    struct lex inner = {.at = NULL};
    size_t count = 0;
    unsigned depth = 0;
    bool more = true;

    if (has_or(lex))
        return;
    while (more) {
        more = lex_next(&lex);
        if (!more || (depth == 0 && lex_is(&lex, "and"))) {
            read_term(condition, tokens, count, inner, level);
            count = 0;
            inner.at = NULL;
            continue;
        }
        if (count == 0 && lex_is(&lex, "("))
            inner = (struct lex){.at = lex.at, .end = lex.at, .line = 1};
        else if (depth == 0)
            inner.at = NULL; /* something stands beside the brackets */
        depth += lex_is(&lex, "(") || lex_is(&lex, "[");
        if ((lex_is(&lex, ")") || lex_is(&lex, "]")) && depth > 0 && --depth == 0 && inner.at != NULL)
            inner.end = lex.begin;
        if (count <= TERM_MAX)
            tokens[count++] = (struct token){lex.kind, lex.begin, lex.size};
    }
}

void gate_find(struct rule_item *item, const char *text)
{
    static const char *const names[] = {"filename", "filepath", "extension", "owner", "deleted", "md5"};
    struct condition condition = {item, text};
    struct lex lex = rule_item_condition(item, text);

    read_terms(&condition, lex, 0);
    while (lex_next(&lex)) {
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            item->asks_for_names |= lex_is(&lex, names[i]);
    }
}

bool gate_counts_rules(const struct rule_item *item, const char *text)
{
    struct lex lex = rule_item_condition(item, text);
    bool name = false;

    while (lex_next(&lex)) {
        if (name && lex_is(&lex, "*") && lex_next(&lex) && (lex_is(&lex, ")") || lex_is(&lex, ",")))
            return true;
        name = lex.kind == LEX_WORD && lex.begin[0] != '$' && (lex.begin[0] < '0' || lex.begin[0] > '9');
    }
    return false;
}
