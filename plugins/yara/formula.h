/*
 * formula: what the condition of a rule demands of every content that it matches, read from the condition's
 * text: which strings must be there, how large the content may be, what stands at a place.
 *
 * Sound, not complete: where a formula does not hold the condition is false, whatever else it says; what is
 * not understood demands nothing. libyara alone decides whether a rule matches.
 */
#ifndef KVALI_PLUGINS_YARA_FORMULA_H
#define KVALI_PLUGINS_YARA_FORMULA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yara.h>

enum { FORMULA_NONE = INT32_MAX }; /* demands nothing */

/* What rules may ask for beside the content: extension with its dot. */
struct formula_names {
    const char *filename, *extension, *filetype, *owner;
};

/* All rules' formulas, one behind the other. */
struct formulas {
    struct formula_node *nodes;
    uint32_t *strings; /* the lists of the nodes: indices in YR_RULES.strings_table */
    size_t node_count, node_capacity, string_count, string_capacity;
    bool failed; /* no memory */
};

void formulas_finish(struct formulas *formulas);

struct lex;
struct prefilter;
/* Adds the formula of `rule`, a rule of `rules`, with this condition, whose text must live as long; `others`
 * are the formulas of the rules before it. Where it begins; FORMULA_NONE. On want of memory formulas->failed.
 */
uint32_t formulas_add(struct formulas *formulas, const YR_RULES *rules, const YR_RULE *rule,
                      const uint32_t *others, struct lex condition);

/* A content, and for each string of `rules` whether it may match there (enum prefilter_may). */
struct formula_content {
    const YR_RULES *rules;
    const uint8_t *may;
    struct prefilter *ask; /* where this is to be asked; NULL: such strings are as demanded */
    bool none_to_ask;      /* such strings do not match */
    const uint8_t *data;
    size_t size;
    const struct formula_names *names; /* NULL: they are as demanded */
    bool any_size, any_data; /* no content in particular: its size, and what stands in it, are as demanded */
};

/* False: the rule does not match. */
bool formula_holds(const struct formulas *formulas, uint32_t begin, const struct formula_content *content);

#endif
