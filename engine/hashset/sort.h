/*
 * sort: more entries of one width than memory holds, put in bytewise order.
 *
 * An entry goes at once to the part of its first byte. Parts are small enough to be sorted in the processor's
 * cache, one after the other, when they are asked for; while the caller works on one, a thread sorts the
 * next. What memory cannot hold is written, part by part and unsorted, to an unlinked file by a thread of its
 * own, and read back part by part. A part that is too large, because keys do not spread, is sorted the same
 * way by its next byte. Private to engine/hashset.
 */
#ifndef KVALI_HASHSET_SORT_H
#define KVALI_HASHSET_SORT_H

#include <stddef.h>
#include <stdint.h>

struct sorter;

enum { SORTER_STEP_MAX = 64 };

/* Entries of `step` bytes (8 to SORTER_STEP_MAX); about `memory` bytes at most, touched only as they fill;
 * the unlinked file is made in `folder` (borrowed) when it is needed. -ENOMEM. */
int sorter_new(size_t step, size_t memory, const char *folder, struct sorter **ret_sorter);
void sorter_free(struct sorter *sorter); /* NULL allowed */

/* Where the next entry is to be written, whose first byte is `first`; NULL on an error, which sorter_sort
 * returns. */
uint8_t *sorter_slot(struct sorter *sorter, uint8_t first);
uint64_t sorter_count(const struct sorter *sorter);

/* After the last entry. Negative errno of the disk. */
int sorter_sort(struct sorter *sorter);
/* Then the next entries in order, valid until the next call: how many; 0 at the end;
 * negative errno. */
int64_t sorter_next(struct sorter *sorter, const uint8_t **ret_entries);

#endif
