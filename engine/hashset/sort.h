/*
 * sort: more entries of one width than memory holds, put in bytewise order.
 *
 * Two buffers: one is filled while a thread of its own sorts the other and writes it as a run into an
 * unlinked file; in the end the runs are merged. What fits into one buffer never touches the disk. Private to
 * engine/hashset.
 */
#ifndef KVALI_HASHSET_SORT_H
#define KVALI_HASHSET_SORT_H

#include <stddef.h>
#include <stdint.h>

struct sorter;

enum { SORTER_STEP_MAX = 64 };

/* Entries of `step` bytes (8 to SORTER_STEP_MAX); two buffers of `memory` bytes each, touched only as they
 * fill; the unlinked file is made in `folder` (borrowed) when it is needed. -ENOMEM. */
int sorter_new(size_t step, size_t memory, const char *folder, struct sorter **ret_sorter);
void sorter_free(struct sorter *sorter); /* NULL allowed */

/* Where the next entry is to be written; NULL on an error, which sorter_sort returns. */
uint8_t *sorter_slot(struct sorter *sorter);
uint64_t sorter_count(const struct sorter *sorter);

/* After the last entry. Negative errno of the disk. Then sorter_next gives one after the other, valid until
 * the next call; NULL at the end or on an error, which sorter_error tells. */
int sorter_sort(struct sorter *sorter);
const uint8_t *sorter_next(struct sorter *sorter);
int sorter_error(const struct sorter *sorter);

/* An unlinked file in `folder` for reading and writing, or a negative errno. */
int unlinked_file(const char *folder);
/* Writes all of it, from `offset` on. 0 or negative errno. */
int write_all(int fd, const void *data, size_t size, uint64_t offset);

#endif
