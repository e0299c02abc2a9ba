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

/* The parts 0 to 3 are for classes of contents, as these bits say; then all rules; then those that ask for
 * names. */
enum { CLASS_MZ = 1, CLASS_LARGE = 2, PART_ALL = 4, PART_NAMED = 5 };

enum { LARGE = 1024 * 1024 /* bytes: many rules ask for less */ };

/* May the rule say different things of equal contents? */
bool part_is_named(const struct rule_source *source, const struct rule_item *item);

/* What belongs to the part (1), and what such a rule uses (2), into `ret_keep`: one for each item, zeros
 * before. False when no rule belongs to it. */
bool part_choose(const struct rule_file *file, unsigned part, uint8_t *ret_keep);

/* Rules that do not belong become empty lines; those that are only used do not report. */
void part_write(const struct rule_file *file, const uint8_t *keep, struct buf *buf);

#endif
