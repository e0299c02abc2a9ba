/*
 * front: index and filter of a table, made while its entries go by in order. Both are kept in unlinked files
 * until the entries are written: how many of them will be left is known only then. They are made for as many
 * as there can be and folded when it turned out to be less than half. Private to engine/hashset.
 */
#ifndef KVALI_HASHSET_FRONT_H
#define KVALI_HASHSET_FRONT_H

#include <stddef.h>
#include <stdint.h>

struct front;

/* For at most `most` entries; files in `folder`. -ENOMEM, and what the disk says. */
int front_new(uint64_t most, const char *folder, struct front **ret_front);
void front_free(struct front *front); /* NULL allowed */

/* The next `count` entries, which have `step` bytes and begin with their keys. */
void front_take(struct front *front, const uint8_t *entries, size_t count, size_t step);
/* After the last: negative errno when something could not be written. */
int front_end(struct front *front, uint32_t *ret_index_bits);
/* Then each part's bytes, front to back, to `put`. Negative errno. */
int front_index(struct front *front, void (*put)(void *context, const void *data, size_t size),
                void *context);
int front_filter(struct front *front, void (*put)(void *context, const void *data, size_t size),
                 void *context);

#endif
