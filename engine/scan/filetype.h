/*
 * filetype: what kind of content some bytes are, as libmagic says; the filetype plugin's way to that library.
 */
#ifndef KVALI_SCAN_FILETYPE_H
#define KVALI_SCAN_FILETYPE_H

#include "engine/base/buf.h"
#include "engine/base/why.h"

#include <stdbool.h>
#include <stddef.h>

/* No more than this from the start of a stream is looked at. */
enum { FILETYPE_SIZE_MAX = 1024 * 1024 };

struct filetype;

/* How much is asked. TYPE: no description, which costs as much again. QUICK: nor what only libmagic's checks
 * of text tell apart, for which it takes most of its time: a source in C is text/plain, as is all that is
 * valid UTF-8 and nothing else; text that is not may be application/octet-stream. */
enum filetype_detail { FILETYPE_FULL, FILETYPE_TYPE, FILETYPE_QUICK };

/* Opens libmagic with this database and no other. `sieved`: the same answers, sooner (magic_sieve.h). -ENOENT,
 * -EINVAL, -ENOMEM. */
int filetype_open(const char *magic, enum filetype_detail detail, bool sieved, struct filetype **ret_filetype,
                  struct why *why);
void filetype_close(struct filetype *filetype);

/* Appends the media type ("image/png") and, in FULL detail, the description as escaped text. -EIO with
 * libmagic's words in `why`. */
int filetype_identify(struct filetype *filetype, const void *data, size_t size, struct buf *mime,
                      struct buf *description, struct why *why);

/* "libmagic 5.44". Static. */
const char *filetype_version(void);

#endif
