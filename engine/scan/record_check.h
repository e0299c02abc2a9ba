/*
 * record_check: is a text what a record says it is? Used when records are made and, above all, when they
 * arrive.
 */
#ifndef KVALI_SCAN_RECORD_CHECK_H
#define KVALI_SCAN_RECORD_CHECK_H

#include <stdbool.h>
#include <stddef.h>

/* UTF-8 without a character that is escaped because it is hidden (text_is_hidden). */
bool record_text_is_printable(const void *data, size_t size);

/* Exactly one JSON value (RFC 8259), nested at most 64 deep, printable as above. */
bool record_json_is_valid(const void *data, size_t size);

#endif
