/*
 * hexstring: the bytes that every match of a hex string has, read from its text: { 4D 5A ?? [2-4] (41 | 42)
 * }.
 */
#ifndef KVALI_PLUGINS_YARA_HEXSTRING_H
#define KVALI_PLUGINS_YARA_HEXSTRING_H

#include <stddef.h>
#include <stdint.h>

/* The up to `most` bytes in a row that say most, of the text between the braces, into `ret`. How many; 0 when
 * there are none. */
size_t hexstring_bytes(const char *text, size_t size, uint8_t *ret, size_t most);

#endif
