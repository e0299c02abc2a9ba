/*
 * excerpt: bytes around a hit as text that can be read: decoded from its writing, blanks and controls as one
 * blank, what is no character as U+FFFD, invisible characters escaped.
 */
#ifndef KVALI_KEYWORDS_EXCERPT_H
#define KVALI_KEYWORDS_EXCERPT_H

#include "engine/base/buf.h"
#include "plugins/keywords/writing.h"

enum {
    EXCERPT_CHARACTERS = 40,                /* before and behind a hit */
    EXCERPT_BYTES = 4 * EXCERPT_CHARACTERS, /* that are looked at for them */
};

/* Appends `size` bytes, at most `characters` of them; with `last` the last ones instead of the first. */
void excerpt(struct buf *buf, const struct writing *writing, const uint8_t *data, size_t size,
             size_t characters, bool last);

#endif
