/*
 * rules: YARA rule files, checked and compiled together.
 *
 * Every file is a namespace of its own, named by its path below the folder that was given, without its
 * extension. For most contents few rules come into question (formula.h, prefilter.h); those are compiled
 * alone, each when it is first wanted, so that a content need not be searched for the strings of all.
 */
#ifndef KVALI_PLUGINS_YARA_RULES_H
#define KVALI_PLUGINS_YARA_RULES_H

#include "engine/base/why.h"
#include "plugins/yara/files.h"
#include "plugins/yara/formula.h"
#include "plugins/yara/prefilter.h"

#include <stdbool.h>
#include <stdint.h>
#include <yara.h>

/* The condition of one rule asks for another, or for one that asks for it. */
struct rule_use {
    uint32_t user, used;
};

struct rule_place {
    char *space, *name; /* as libyara has them */
    const char *set;
    unsigned line, last_line;
    bool used;  /* by another rule */
    bool named; /* asks for a content's name, or whether it was deleted: of equal contents it may say
                   different things */
    const struct rule_file *file;
    size_t item; /* of the file's source */
};

/* What compiles of the rules. NULL where there are none. */
struct rules {
    struct rule_files files;
    struct rule_place *places;
    size_t place_count;
    YR_RULES *all;
    uint32_t *by_name;      /* its rules, sorted by namespace and name */
    YR_RULES *always;       /* of all, those that every content is asked about */
    YR_RULES *always_no_pe; /* the same for contents that are no PE file (withoutpe.h) */
    bool always_searches;   /* they have strings, which may be anywhere */
    /* what choice.h needs, by rule of `all` */
    struct prefilter *prefilter;
    struct formulas formulas;
    uint32_t *formula; /* FORMULA_NONE: it demands nothing */
    bool *windowed;    /* its strings, and those of the rules it uses, need be sought around hits only */
    uint32_t *gated;   /* rules that ask more of a content than strings that stand anywhere; not by rule */
    size_t gated_count;
    struct rule_use *uses, *users; /* by user from use_begin[rule] to use_begin[rule + 1]; by what is used */
    size_t use_count, use_capacity;
    uint32_t *use_begin, *user_begin;
    uint32_t *asked; /* the number of the content that it was last chosen or not chosen for */
    uint32_t contents;
    bool *wanted;
    /* the content that choice_make was asked about last */
    bool told; /* it could be searched: otherwise any rule may match */
    struct formula_content content;
    struct prefilter_answer answer;
};

/* `list`: files and folders, separated by ':'. Tells setup_loaded of each file, each set of files and each
 * rule that does not compile, which is left out; with `remarks` also of what is odd about rules in use. 0
 * with empty `ret` when nothing is left. Negative errno when the list itself cannot be used. */
int rules_load(const char *list, bool remarks, struct rules *ret, struct why *why);
void rules_finish(struct rules *rules);

/* Some of `all`, as choice_make gives them, with the rules that they use, compiled anew, without `pe` for
 * contents that are no PE file; for yr_rules_destroy. NULL: no memory. */
YR_RULES *rules_some(const struct rules *rules, const uint32_t *chosen, size_t count, bool pe);

#endif
