/*
 * rules: YARA rule files, checked and compiled together.
 *
 * Every file is a namespace of its own, named by its path below the folder that was given, without its
 * extension. What a rule demands of a content before anything else (gate.h) decides in which of a few
 * compiled sets it stands: a text need not be searched for the strings of rules that only a program can
 * match.
 */
#ifndef KVALI_PLUGINS_YARA_RULES_H
#define KVALI_PLUGINS_YARA_RULES_H

#include "engine/base/why.h"

#include <stdbool.h>
#include <stdint.h>
#include <yara.h>

enum { RULES_CLASSES = 4 };

struct rule_place {
    char *space, *name; /* as libyara has them */
    char *set;
    unsigned line, last_line;
    bool used; /* by another rule */
};

/* What compiles of the rules. NULL where there are none. */
struct rules {
    /* By what the content is: not MZ or MZ, small or large. The same pointer where the rules are the same. */
    YR_RULES *classes[RULES_CLASSES];
    YR_RULES *named; /* rules that ask for a content's name, or whether it was deleted */
    struct rule_place *places;
    size_t place_count;
};

/* `list`: files and folders, separated by ':'. Tells setup_loaded of each file, each set of files and each
 * rule that does not compile, which is left out; with `remarks` also of what is odd about rules in use. 0
 * with empty `ret` when nothing is left. Negative errno when the list itself cannot be used. */
int rules_load(const char *list, bool remarks, struct rules *ret, struct why *why);
void rules_finish(struct rules *rules);

/* Those that may match a content of `size` bytes that begins with `data`. NULL: none. */
YR_RULES *rules_for(const struct rules *rules, const uint8_t *data, size_t size);

/* Where a rule stands in its file. NULL: not known. */
const struct rule_place *rules_place(const struct rules *rules, const YR_RULE *rule);

#endif
