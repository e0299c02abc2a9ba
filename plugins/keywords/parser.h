/* parser: what parse.c and compile.c share while a keyword becomes a program. */
#ifndef KVALI_KEYWORDS_PARSER_H
#define KVALI_KEYWORDS_PARSER_H

#include "plugins/keywords/program.h"

struct parser {
    struct program *program;
    const char *at, *end;
    bool fold;
    unsigned depth;
    struct why *why;
    int failed;
};

/* Keeps the first reason; returns -EINVAL. */
int parser_fail(struct parser *parser, const char *what);
/* The tree at program->root as instructions. 0 or what failed. */
int parser_compile(struct parser *parser);

#endif
