/*
 * atoms: what libyara seeks regular expressions and hex strings by, read from the automaton and the code of
 * the compiled rules (libyara 4.2).
 */
#ifndef KVALI_PLUGINS_YARA_ATOMS_H
#define KVALI_PLUGINS_YARA_ATOMS_H

#include "plugins/yara/literals.h"

/* Literals for all strings of `rules` that are not STRING_IS_LITERAL: each atom with the bytes that stand
 * beside it in every match. A string that has an atom of less than LITERAL_MIN bytes may match anywhere. */
void atoms_add(const YR_RULES *rules, struct literals *literals);

#endif
