/*
 * lex: the words of a YARA source file, so far as it takes to tell where a rule begins and ends and what its
 * condition asks for. [YARA documentation, "Writing YARA rules"] libyara alone decides what is valid.
 */
#ifndef KVALI_PLUGINS_YARA_LEX_H
#define KVALI_PLUGINS_YARA_LEX_H

#include <stdbool.h>
#include <stddef.h>

enum lex_kind {
    LEX_END,
    LEX_WORD,   /* a name, a keyword, a number with its suffix; a string's name with its $ # @ or ! */
    LEX_STRING, /* with its quotes */
    LEX_REGEX,  /* with its slashes, without its flags */
    LEX_MARK,   /* one character, or one of == != <= >= << >> .. */
    LEX_BAD,    /* something that does not end */
};

struct lex {
    const char *at, *end; /* what is left */
    unsigned line;        /* of `at`, from 1 */
    /* the token */
    enum lex_kind kind;
    const char *begin;
    size_t size;
    unsigned begin_line;
};

/* False at the end and at what is bad. Comments are passed over. */
bool lex_next(struct lex *lex);

/* Is the token this word or mark? */
bool lex_is(const struct lex *lex, const char *text);

/* In a condition: does the token end a term, being "and", "or", a bracket that closes, or the end? */
bool lex_ends_term(const struct lex *lex);
/* Are the brackets that open at the token all of a term, as in "(a or b) and c", not in "(a + b) > c"? */
bool lex_brackets_term(struct lex lex);

#endif
