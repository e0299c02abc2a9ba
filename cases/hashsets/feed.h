/*
 * feed: a file in large blocks, read and hashed by a thread of its own while the caller works on the block
 * before.
 */
#ifndef KVALI_CASES_HASHSETS_FEED_H
#define KVALI_CASES_HASHSETS_FEED_H

#include "engine/base/hash.h"
#include "engine/base/why.h"

#include <stddef.h>
#include <stdint.h>

enum { FEED_BLOCK = 4 << 20, FEED_LINE_MAX = 1 << 20 };

struct feed;

int feed_open(const char *path, struct feed **ret_feed, struct why *why);
void feed_close(struct feed *feed);          /* NULL allowed */
uint64_t feed_size(const struct feed *feed); /* of the file when it was opened */

/* The next bytes, valid until the next call: size, 0 at the end, negative errno. */
int64_t feed_next(struct feed *feed, const uint8_t **ret_data);
/* The next whole lines; the last one of the file may lack its LF. -EMSGSIZE: a line longer than
 * FEED_LINE_MAX. */
int64_t feed_lines(struct feed *feed, const uint8_t **ret_data);
/* After the end: of all of it, and how much it was. */
void feed_sha256(struct feed *feed, char ret[SHA256_HEX_SIZE], uint64_t *ret_size);

#endif
