/*
 * uses: which rules use which others in their conditions.
 */
#ifndef KVALI_PLUGINS_YARA_USES_H
#define KVALI_PLUGINS_YARA_USES_H

#include "plugins/yara/rules.h"

/* Notes in `rules` what a rule of `all`, which stands at `place`, uses, and what that uses: rules before it,
 * of which it must have been noted. -E2BIG: too many, or `place` is NULL; then it seems to use none. -ENOMEM.
 */
int uses_find(struct rules *rules, uint32_t rule, const struct rule_place *place);
/* When all are found: by whom each is used. -ENOMEM. */
int uses_turn(struct rules *rules);

#endif
