/*
 * harness: examines bytes in memory as the plugin would examine them in a stream.
 */
#ifndef KVALI_TESTS_CARVE_HARNESS_H
#define KVALI_TESTS_CARVE_HARNESS_H

#include "plugins/carve/format.h"

/* The format's verdict on what begins at data[0]. A name that is not known ends the test. */
struct carved harness_examine(const char *format, const void *data, size_t size);
/* What of the reader's budget the examination of these bytes takes. */
uint64_t harness_effort(const char *format, const void *data, size_t size);
/* The same as harness_examine with the bytes in two pieces, `gap` bytes of other data (0xA5) between them. */
struct carved harness_examine_split(const char *format, const void *data, size_t size, size_t split,
                                    size_t gap);

/* Is the object put together again from two pieces, the first `split` bytes long (a multiple of 4096), with
 * `gap` such blocks of pseudo-random bytes between them? Its grade must be VALIDATED and its size `size`. */
bool harness_mends(const char *format, const void *data, size_t size, size_t split, size_t gap);

/* What every format owes for a whole object of `size` bytes that is followed by `behind` bytes of junk: the
 * grade is `grade` and the size `size`, with junk of zeros, of 0xFF and of pseudo-random bytes behind it; no
 * prefix of it is VALIDATED (a prefix from `complete_from` on may be: pass `size` when none may), none claims
 * more bytes than there are, and good <= size. True, or false with what is wrong on standard error. At most
 * some 2,000 prefixes are tried, all of the short ones among them. */
bool harness_holds(const char *format, const void *data, size_t size, enum carve_grade grade,
                   size_t complete_from);

const char *harness_grade(enum carve_grade grade); /* "none", "fragment" ... */

#endif
