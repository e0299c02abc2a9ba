/*
 * choice: which rules come into question for a content.
 */
#ifndef KVALI_PLUGINS_YARA_CHOICE_H
#define KVALI_PLUGINS_YARA_CHOICE_H

#include "plugins/yara/rules.h"

#include <stddef.h>
#include <stdint.h>

struct scan;

/* Once, when rules->all and rules->places are there: makes what choice_make needs, and notes of each rule
 * whether every content must be asked about it (rule_item.always). -ENOMEM. */
int choice_prepare(struct rules *rules);

/* What comes into question for a program that has nothing to do with any rule does so for most contents: such
 * rules, too, are asked of every content, for all together they take less time than one by one. Only time
 * depends on this. `program` is the path of such a program, not of evidence; nothing is learnt when it cannot
 * be read. */
void choice_learn(struct rules *rules, const char *program);

/* The rules that may match the content, beside those of `always`: their places in `all`, ascending, into
 * `ret_chosen`, which has room for `most`. How many there are; more than `most` when there is no room, or
 * when it cannot be told. */
size_t choice_make(struct rules *rules, struct scan *scan, const uint8_t *data, size_t size,
                   uint32_t *ret_chosen, size_t most);

/* May the rule match the content that choice_make was asked about last? Valid as long as that content's data.
 */
bool choice_may_match(const struct rules *rules, uint32_t rule);

#endif
