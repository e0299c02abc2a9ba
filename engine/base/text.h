/*
 * text: names and strings from evidence, made safe to show without losing a byte.
 *
 * The escaped form is valid UTF-8 with no control character: C0, DEL, C1, the line separators, the
 * bidirectional, zero-width and other invisible controls (U+00AD, U+061C, U+180E, U+200B-200F, U+2028-202E,
 * U+2060-206F, U+FEFF, U+FFF9-FFFB, U+E0000-E007F), noncharacters, and every byte that is not part of valid
 * UTF-8 are written byte by byte as \xNN; a backslash is written \\. So it is reversible.
 * Georgian and every other printable script stays as it is. Nothing is ever normalised.
 */
#ifndef KVALI_BASE_TEXT_H
#define KVALI_BASE_TEXT_H

#include "engine/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Appends the escaped form of `size` bytes at `data`. */
void text_escape(struct buf *buf, const void *data, size_t size);

/* The same for one component of a path: also '/' becomes \x2f, an empty component \-, and "." and ".." and a
 * last
 * '!' get their first (last) byte escaped, so that a path of escaped components joined by '/' is unambiguous.
 */
void text_escape_name(struct buf *buf, const void *data, size_t size);

/* Appends the bytes that `text` was escaped from, by either of the above. -EINVAL when it is not an escaped
 * form (it holds a character that escaping does not leave, or another escape); nothing is appended then. */
int text_unescape(struct buf *buf, const char *text);

/* Is it text as escaping leaves it: printable UTF-8, and after every backslash another, xNN, '-', or the '#'
 * by which forensic addresses mark a name that is there again? */
bool text_is_escaped(const char *text);
/* The length of one unit of such text, a character or an escape; 0 at the end and for what is neither. */
size_t text_escaped_unit(const char *text);
/* Cuts such text to at most `most` bytes, behind a whole unit. */
void text_escaped_cut(struct buf *text, size_t most);

bool text_is_utf8(const void *data, size_t size);

/* The length in bytes (1-4) of the UTF-8 character that `data` begins with and its code point; 0 when it is
 * not valid. */
size_t text_character(const void *data, size_t size, uint32_t *ret_code);
/* True for the characters that are escaped because they are controls or show nothing. */
bool text_is_hidden(uint32_t code);

/* Appends UTF-16 as UTF-8. `size` is in bytes; an unpaired surrogate becomes its three-byte form (WTF-8),
 * which text_escape then shows as \xNN, so nothing is lost. A last odd byte is appended as it is. */
void text_from_utf16(struct buf *buf, const void *data, size_t size, bool big_endian);

/* Appends 2 * size lower-case hex digits. */
void text_hex(struct buf *buf, const void *data, size_t size);
/* Reads exactly 2 * size hex digits of either case; false when `text` is not that. */
bool text_unhex(const char *text, void *ret_data, size_t size);

/* The extension of a file name without the dot, in lower-case ASCII, into `ret` (always terminated); "" when
 * there is none, when it is longer than fits, or when it holds anything but ASCII letters, digits, '-' and
 * '_'. */
void text_extension(const char *name, char *ret, size_t ret_size);

#endif
