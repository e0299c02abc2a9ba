/*
 * extensions: the table of file extensions that go with a media type (rules/filetype/extensions.tsv).
 *
 * A line is a media type, a tab and extensions with a space between them; # begins a comment line. Lower
 * case.
 */
#ifndef KVALI_PLUGINS_FILETYPE_EXTENSIONS_H
#define KVALI_PLUGINS_FILETYPE_EXTENSIONS_H

#include "engine/base/hash.h"
#include "engine/base/why.h"

#include <stdbool.h>
#include <stddef.h>

struct extensions;

/* -EINVAL names the line. `ret_count`: media types in it; `ret_sha256` of the file. */
int extensions_load(const char *path, struct extensions **ret_extensions, size_t *ret_count,
                    char ret_sha256[SHA256_HEX_SIZE], struct why *why);
void extensions_free(struct extensions *extensions);

/* The extensions of a media type as in the table; NULL when it is not there or `extensions` is NULL.
 * Borrowed. */
const char *extensions_expected(const struct extensions *extensions, const char *mime);

/* Is `extension` one of the words of `expected`? */
bool extensions_has(const char *expected, const char *extension);

#endif
