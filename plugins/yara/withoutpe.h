/*
 * withoutpe: a rule's condition for contents that are no PE file, for which all that libyara's module pe says
 * is undefined. The module takes as long to say so as the search for the strings of thousands of rules.
 */
#ifndef KVALI_PLUGINS_YARA_WITHOUTPE_H
#define KVALI_PLUGINS_YARA_WITHOUTPE_H

#include "engine/base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Writes the condition with each term that begins with something of a PE's replaced by what is undefined in
 * every content, and pe.is_pe by false. NULL `buf`: writes nothing. True when the module is still named. */
bool withoutpe_write(struct buf *buf, const char *condition, size_t size);

#endif
