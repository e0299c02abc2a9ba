/*
 * choice: which rules come into question for a content, and where in it their strings may match.
 */
#ifndef KVALI_PLUGINS_YARA_CHOICE_H
#define KVALI_PLUGINS_YARA_CHOICE_H

#include "plugins/yara/rules.h"
#include "plugins/yara/windows.h"

#include <stddef.h>
#include <stdint.h>

struct scan;

/* Once, when rules->all and rules->places are there: makes what choice_make needs, and notes of each rule
 * whether every content must be asked about it (rule_item.always). -ENOMEM. */
int choice_prepare(struct rules *rules);

/* The rules that may match the content, beside those of `always`: their places in `all`, ascending, into
 * `ret_chosen`, which has room for `most`. How many there are; more than `most` when there is no room, or
 * when it cannot be told. `names`: NULL when a rule that asks for them may match whatever they are. */
size_t choice_make(struct rules *rules, struct scan *scan, const struct formula_names *names,
                   const uint8_t *data, size_t size, uint32_t *ret_chosen, size_t most);

/* May the rule match the content that choice_make was asked about last? Valid as long as that content's data.
 */
bool choice_may_match(const struct rules *rules, uint32_t rule);

/* Is it enough to search for the strings of the rule where choice_windows says? */
bool choice_has_windows(const struct rules *rules, uint32_t rule);
/* Where the strings of these rules and of those that they use may match in that content. -ENOMEM. */
int choice_windows(struct rules *rules, const uint32_t *chosen, size_t count, struct windows *ret);

#endif
