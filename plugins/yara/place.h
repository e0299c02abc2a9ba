/*
 * place: where rules stand, in their files and among all.
 */
#ifndef KVALI_PLUGINS_YARA_PLACE_H
#define KVALI_PLUGINS_YARA_PLACE_H

#include "plugins/yara/rules.h"

/* Once, when rules->all is compiled. -ENOMEM. */
int place_all(struct rules *rules);

/* The place in `all` of a rule of any of these sets. */
uint32_t rules_index(const struct rules *rules, const YR_RULE *rule);

/* Where a rule stands in its file. NULL: not known. */
const struct rule_place *rules_place(const struct rules *rules, const YR_RULE *rule);

#endif
