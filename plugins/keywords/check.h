/*
 * check: what `kvali keywords check` prints: every keyword with every writing that is searched for, as text
 * and as bytes, and every line that is wrong.
 */
#ifndef KVALI_KEYWORDS_CHECK_H
#define KVALI_KEYWORDS_CHECK_H

#include "engine/base/buf.h"
#include "engine/base/why.h"

#include <stdint.h>

/* Appends it for the lists in `paths`, ':' between. *ret_wrong: lines that are no keywords. */
int keywords_check(const char *paths, struct buf *ret_text, uint64_t *ret_wrong, struct why *why);

#endif
