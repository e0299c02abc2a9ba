/*
 * scratch: files without names, for what memory is not to hold. Private to engine/hashset.
 */
#ifndef KVALI_HASHSET_SCRATCH_H
#define KVALI_HASHSET_SCRATCH_H

#include <stddef.h>
#include <stdint.h>

/* An unlinked file in `folder` for reading and writing, or a negative errno. */
int unlinked_file(const char *folder);
/* Writes or reads all of it, from `offset` on. 0 or negative errno; -EIO at a file's end. */
int write_all(int fd, const void *data, size_t size, uint64_t offset);
int read_all(int fd, void *data, size_t size, uint64_t offset);

#endif
