/*
 * rules: YARA rule files, checked one by one and compiled together.
 *
 * Every file is a namespace of its own, named by its path below the folder that was given, without its
 * extension.
 */
#ifndef KVALI_PLUGINS_YARA_RULES_H
#define KVALI_PLUGINS_YARA_RULES_H

#include "engine/base/why.h"

#include <yara.h>

/* `list`: files and folders, separated by ':'. Tells setup_loaded of each file; one that does not compile is
 * named there and left out. `*ret_rules` is NULL when nothing is left. Negative errno when the list itself
 * cannot be used. */
int rules_load(const char *list, YR_RULES **ret_rules, struct why *why);

/* The variables that rules written for LOKI, THOR and kvali may ask for. */
int rules_define_variables(YR_COMPILER *compiler);

#endif
