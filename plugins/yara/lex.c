/*
 * lex: see lex.h. A slash that begins no comment begins a regular expression: YARA divides by a backslash.
 */
#include "plugins/yara/lex.h"

#include <ctype.h>
#include <string.h>

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static void step(struct lex *lex)
{
    lex->line += *lex->at == '\n';
    lex->at++;
}

static bool begins(const struct lex *lex, const char *text)
{
    size_t size = strlen(text);

    return (size_t)(lex->end - lex->at) >= size && memcmp(lex->at, text, size) == 0;
}

/* False for a comment that does not end. */
static bool pass_space(struct lex *lex)
{
    for (;;) {
        if (lex->at < lex->end && isspace((unsigned char)*lex->at)) {
            step(lex);
        } else if (begins(lex, "//")) {
            while (lex->at < lex->end && *lex->at != '\n')
                lex->at++;
        } else if (begins(lex, "/*")) {
            while (lex->at < lex->end && !begins(lex, "*/"))
                step(lex);
            if (lex->at == lex->end)
                return false;
            lex->at += 2;
        } else {
            return true;
        }
    }
}

/* To behind the next `quote` that has no backslash before it, on this line. */
static bool pass_quoted(struct lex *lex, char quote)
{
    for (lex->at++; lex->at < lex->end && *lex->at != '\n'; lex->at++) {
        if (*lex->at == '\\' && lex->at + 1 < lex->end && lex->at[1] != '\n')
            lex->at++;
        else if (*lex->at == quote)
            return lex->at++ != NULL;
    }
    return false;
}

static enum lex_kind pass_token(struct lex *lex)
{
    static const char *const pairs[] = {"==", "!=", "<=", ">=", "<<", ">>", ".."};
    char c = *lex->at;

    if (c == '"')
        return pass_quoted(lex, '"') ? LEX_STRING : LEX_BAD;
    if (c == '/')
        return pass_quoted(lex, '/') ? LEX_REGEX : LEX_BAD;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        if (begins(lex, pairs[i])) {
            lex->at += 2;
            return LEX_MARK;
        }
    }
    lex->at++;
    if (!is_word(c) && c != '$' && c != '#' && c != '@' && c != '!')
        return LEX_MARK;
    while (lex->at < lex->end && is_word(*lex->at))
        lex->at++;
    return LEX_WORD;
}

bool lex_next(struct lex *lex)
{
    bool spaced = pass_space(lex);

    lex->begin = lex->at;
    lex->begin_line = lex->line;
    if (!spaced)
        lex->kind = LEX_BAD;
    else
        lex->kind = lex->at < lex->end ? pass_token(lex) : LEX_END;
    lex->size = (size_t)(lex->at - lex->begin);
    return lex->kind != LEX_END && lex->kind != LEX_BAD;
}

bool lex_is(const struct lex *lex, const char *text)
{
    return (lex->kind == LEX_WORD || lex->kind == LEX_MARK) && strlen(text) == lex->size &&
           memcmp(lex->begin, text, lex->size) == 0;
}

bool lex_ends_term(const struct lex *lex)
{
    return lex->kind == LEX_END || lex->kind == LEX_BAD || lex_is(lex, "and") || lex_is(lex, "or") ||
           lex_is(lex, ")");
}

bool lex_brackets_term(struct lex lex)
{
    unsigned open = 0;

    do {
        open += lex_is(&lex, "(") || lex_is(&lex, "[");
        open -= open > 0 && (lex_is(&lex, ")") || lex_is(&lex, "]"));
        if (!lex_next(&lex) && lex.kind == LEX_BAD)
            return false;
    } while (open > 0 && lex.kind != LEX_END);
    return open == 0 && lex_ends_term(&lex);
}
