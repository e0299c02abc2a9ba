/*
 * gate: what the condition of a rule demands of every content that it matches, read from the condition's
 * text.
 *
 * Sound, not complete: only what stands in a chain of "and" is used, so a content that a gate keeps out makes
 * the condition false whatever the rest of it says.
 */
#ifndef KVALI_PLUGINS_YARA_GATE_H
#define KVALI_PLUGINS_YARA_GATE_H

#include "plugins/yara/source.h"

/* Fills item->gate and item->asks_for_names. `item` is a rule in `text`. */
void gate_find(struct rule_item *item, const char *text);

/* Does the condition count rules by a wildcard, as in "any of (Family*)"? Then which rules are there decides.
 */
bool gate_counts_rules(const struct rule_item *item, const char *text);

#endif
