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
    YR_RULES *named; /* of all, those that ask for names: what is left to ask of a content that is known */
    struct formulas formulas;
    uint32_t *formula; /* of each rule of `all`; FORMULA_NONE: there is none, or it reports nothing */
    bool *together;    /* it has one, but is one of `always` */
    uint32_t *gated;   /* of these, those that ask more of a content than strings that stand anywhere */
    size_t gated_count;
    uint32_t *asked; /* by rule: the number of the content that it was last chosen or not chosen for */
    uint32_t contents;
    struct prefilter *prefilter;
    struct formula_content content; /* that choice_make was asked about last */
};

/* `list`: files and folders, separated by ':'. Tells setup_loaded of each file, each set of files and each
 * rule that does not compile, which is left out; with `remarks` also of what is odd about rules in use. 0
 * with empty `ret` when nothing is left. `program`: see choice_learn; NULL: none. Negative errno when the
 * list itself cannot be used. */
int rules_load(const char *list, bool remarks, const char *program, struct rules *ret, struct why *why);
void rules_finish(struct rules *rules);

/* Some of `all`, as choice_make gives them, with the rules that they use, compiled anew, without `pe` for
 * contents that are no PE file; for yr_rules_destroy. NULL: no memory. */
YR_RULES *rules_some(const struct rules *rules, const uint32_t *chosen, size_t count, bool pe);

#endif
