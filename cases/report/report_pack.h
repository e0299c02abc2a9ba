/*
 * report_pack: data for the script of the HTML report, small: columns as bytes, deflated [RFC 1950], in
 * base64 [RFC 4648, section 4]. A browser takes a string of that many letters as it is, where it would have
 * to read through a list in JSON; and nothing in it can end the string or the script.
 */
#ifndef KVALI_CASES_REPORT_REPORT_PACK_H
#define KVALI_CASES_REPORT_REPORT_PACK_H

#include "engine/base/buf.h"

#include <stddef.h>
#include <stdint.h>

/* Seven bits a byte, the lowest first; the highest bit says that more follow. */
void report_pack_number(struct buf *buf, uint64_t number);
/* A length and so many bytes. */
void report_pack_text(struct buf *buf, const char *text, size_t size);
/* Seconds since 1970 of `when` (nanoseconds): 0 for WHEN_NONE, else one more than the difference to *last,
 * which it becomes, with the sign in the lowest bit. */
void report_pack_when(struct buf *buf, int64_t when, int64_t *last);

/* A column of whole numbers as a script takes it at once, without a loop: a byte 4 and signed 32-bit numbers,
 * or a byte 8 and doubles, when one of them is too large; little-endian both. PACK_NONE stands as -2^31, or
 * as NaN. */
#define PACK_NONE INT64_MIN
void report_pack_column(struct buf *buf, const int64_t *numbers, size_t count);

/* Names, each with a '/' behind it in `names` (`count` of them), as the script puts them together again: T
 * alphabet; for each name N bytes that it begins with as the one before it, N bytes that follow; then these.
 * When the names have at most PACK_LETTERS characters beyond ASCII (a name has no control characters), the
 * alphabet are these, and each character is one byte: 0xa0 to 0xff, then 0x01 to 0x1f, in the alphabet's
 * order. A browser then keeps one byte a letter and need not decode anything. Otherwise the alphabet is "/"
 * and the names are UTF-8. -ENOMEM. */
enum { PACK_LETTERS = 96 + 31 };
int report_pack_names(struct buf *buf, const struct buf *names);

/* Appends `data`, deflated, as base64. -ENOMEM. */
int report_pack(struct buf *to, const struct buf *data);

#endif
