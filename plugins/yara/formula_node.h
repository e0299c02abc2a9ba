/*
 * formula_node: what formulas are made of. For formula.c and holds.c alone.
 */
#ifndef KVALI_PLUGINS_YARA_FORMULA_NODE_H
#define KVALI_PLUGINS_YARA_FORMULA_NODE_H

#include <stdbool.h>
#include <stdint.h>

enum node_kind {
    NODE_AND,
    NODE_OR,
    NODE_STRINGS, /* at least `least` of the list */
    NODE_LARGER,  /* `least` bytes and more */
    NODE_SMALLER, /* at most `most` bytes */
    NODE_NUMBER,  /* `width` bytes at `place` are a number from `least` to `most` */
    NODE_TEXT,    /* the string `first` stands at `place` */
    NODE_WITHIN,  /* it begins between `least` and `most`, which (`big`) are counted back from the end */
    NODE_NAME,    /* the variable number `place` is `text` of `count` bytes */
    NODE_RULE,    /* the formula that begins at `first` holds */
    NODE_NEVER,
};

struct formula_node {
    uint8_t kind, width;
    bool big; /* big-endian; from the end */
    uint32_t end;
    uint32_t first, count; /* in formulas->strings */
    uint64_t place, least, most;
    const char *text;
};

#endif
