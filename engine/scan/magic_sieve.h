/*
 * magic_sieve: which of libmagic's tests cannot pass on a content, found out without libmagic.
 *
 * A compiled magic file is a list of tests, each with its continuations, that libmagic tries one after the
 * other until one says a type [file 5.44: src/file.h struct magic, src/softmagic.c match()]. Of the 3,548 of
 * Debian 12 nearly all ask for given bytes at a given offset, and on most contents none of these passes:
 * text, what is encrypted, what is unknown. The sieve looks for those bytes itself. Where none is there,
 * libmagic is asked with the rest of its tests only, and answers the same: a test that fails leaves nothing
 * behind. Of the rest, those that look into text are switched off where what they search is not in it.
 */
#ifndef KVALI_SCAN_MAGIC_SIEVE_H
#define KVALI_SCAN_MAGIC_SIEVE_H

#include "engine/base/why.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct magic_sieve;

/* Reads a compiled magic file. NULL in *ret_sieve when it is not one of libmagic 5.44's, or has tests that
 * the sieve cannot take out: then libmagic is to be asked with all of it, always. -ENOENT ..., -ENOMEM. */
int magic_sieve_open(const char *path, struct magic_sieve **ret_sieve, struct why *why);
void magic_sieve_close(struct magic_sieve *sieve);

/* The rest, as a compiled file for magic_load_buffers(3), which keeps the address: the sieve's, and changed
 * by magic_sieve_passes. */
void *magic_sieve_rest(struct magic_sieve *sieve, size_t *ret_size);

/* true: libmagic is to be asked with all of its tests. false: the rest gives the same answer, to this content
 * and until the next call. `text`: it will look into text, too. */
bool magic_sieve_passes(struct magic_sieve *sieve, const uint8_t *data, size_t size, bool text);

#endif
