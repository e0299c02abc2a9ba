/*
 * digest: TLSH (Oliver, Cheng, Chen 2013) as C, over libtlsh, which is C++. Nothing is thrown to the caller.
 */
#ifndef KVALI_PLUGINS_TLSH_DIGEST_H
#define KVALI_PLUGINS_TLSH_DIGEST_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { TLSH_SIZE = 71 }; /* 70 hex digits and a NUL */

struct tlsh_digest;
struct tlsh_digest *tlsh_new(void); /* NULL: no memory */
void tlsh_free(struct tlsh_digest *digest);
/* At most 4 GiB in all: the caller's duty. -1: no memory. */
int tlsh_update(struct tlsh_digest *digest, const void *data, size_t size);
/* After the last byte. 0: what it was given has too little variety, or less than 256 bytes, for such a hash;
 * -1: no memory; else 1. */
int tlsh_text(struct tlsh_digest *digest, char ret[TLSH_SIZE]);

/* A digest from 70 hex digits, for tlsh_distance; NULL: it is none. */
struct tlsh_digest *tlsh_read(const char *text);
/* 0: the same hash; about 50: similar; above 200: not. */
int tlsh_distance(const struct tlsh_digest *a, const struct tlsh_digest *b);

#ifdef __cplusplus
}
#endif

#endif
