/*
 * charset: names in archives that say nothing of their character set, as UTF-8.
 *
 * Not every archive says how its names are written. What is valid UTF-8 is taken for that; other bytes for
 * one of the code pages that packers on DOS and Windows have used here: CP866 and CP1251 when they look like
 * Cyrillic words, CP437 otherwise. It is a guess: whoever shows it names the code page, and keeps the bytes.
 */
#ifndef KVALI_ARCHIVE_CHARSET_H
#define KVALI_ARCHIVE_CHARSET_H

#include "engine/base/buf.h"

struct charset;

/* In setup: loads the tables. -ENOMEM, or -ENOTSUP when iconv lacks one of them. */
int charset_new(struct charset **ret_charset);
void charset_free(struct charset *charset);

/* Appends the name as UTF-8, and says which character set it was taken for ("" when it is ASCII). `oem`: the
 * packer ran on DOS or Windows and wrote in its code page for consoles. */
const char *charset_decode(const struct charset *charset, const void *name, size_t size, bool oem,
                           struct buf *ret);

#endif
