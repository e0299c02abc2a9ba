/*
 * parts: which rules of a file are compiled together. Each part is the file's text without the rules that do
 * not belong to it, on the same lines.
 */
#ifndef KVALI_PLUGINS_YARA_PARTS_H
#define KVALI_PLUGINS_YARA_PARTS_H

#include "engine/base/buf.h"
#include "plugins/yara/files.h"

#include <stdbool.h>
#include <stdint.h>

enum rule_part {
    PART_ALL,
    PART_ALWAYS, /* rules that every content is asked about: those that demand nothing which could be told
                    without libyara, and those that cannot be cut out of their file */
};

/* May the rule say different things of equal contents? */
bool part_is_named(const struct rule_source *source, const struct rule_item *item);

/* Without `pe` rules are written for contents that are no PE file (withoutpe.h).
 *
 * What belongs to the part (1), and what such a rule uses (2), into `ret_keep`: one for each item, zeros
 * before. False when no rule belongs to it. */
bool part_choose(const struct rule_file *file, enum rule_part part, bool pe, uint8_t *ret_keep);
/* The same of the rules for which `keep` is 1 already. */
void part_complete(const struct rule_file *file, bool pe, uint8_t *keep);
/* Can a rule of the file be cut out of it? */
bool part_is_free(const struct rule_source *source);

/* Rules that do not belong become empty lines; those that are only used do not report. */
void part_write(const struct rule_file *file, const uint8_t *keep, bool pe, struct buf *buf);

#endif
