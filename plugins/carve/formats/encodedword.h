/*
 * encodedword: "=?utf-8?B?...?=" in the headers of mails [RFC 2047].
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_ENCODEDWORD_H
#define KVALI_PLUGINS_CARVE_FORMATS_ENCODEDWORD_H

#include <stddef.h>

/* Writes `text` with its encoded words decoded that are UTF-8 or ASCII (others stay as they are) into `ret`,
 * which has room for `room` bytes; what does not fit is left out. How many bytes were written. */
size_t encodedword_decode(const char *text, size_t size, char *ret, size_t room);

#endif
