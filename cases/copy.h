/*
 * copy: files that go from a host's local scratch to a folder that hosts share.
 */
#ifndef KVALI_CASES_COPY_H
#define KVALI_CASES_COPY_H

#include "engine/base/hash.h"
#include "engine/base/why.h"

#include <stddef.h>
#include <stdint.h>

/* Writes `head` and then the file `from` under a name of its own beside `to`, syncs and renames
 * it to `to`: it is there whole or not at all, whoever else does the same at the same time. */
int copy_into_place(const char *head, size_t head_size, const char *from, const char *to,
                    struct why *why);
/* Renames `from` to `to`, and has the folder know it. */
int move_into_place(const char *from, const char *to, struct why *why);

/* Copies `size` bytes at `offset` of `from` to `to`, which is made anew (nobody else has it open), and hashes them. -EBADMSG: there are
 * fewer. */
int copy_out(const char *from, uint64_t offset, uint64_t size, const char *to,
             char ret_sha256[SHA256_HEX_SIZE], struct why *why);

/* Removes a folder and the files in it. */
void remove_folder(const char *path);

#endif
