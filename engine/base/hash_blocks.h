/*
 * hash_blocks: MD5, SHA-1 and SHA-256 of the same bytes in one loop. For hash.c only.
 *
 * MD5 is one long chain: each step waits for the one before, and most of a core stands idle meanwhile. The
 * two others, by the processor's own instructions for them, fit into that idle time, so that all three cost
 * little more than MD5 alone.
 */
#ifndef KVALI_BASE_HASH_BLOCKS_H
#define KVALI_BASE_HASH_BLOCKS_H

#include <stddef.h>
#include <stdint.h>

enum { HASH_BLOCK = 64 }; /* bytes, of all three */

struct hash_state {
    uint32_t md5[4], sha1[5], sha256[8];
};

/* What the three start from (RFC 1321, 3.3; FIPS 180-4, 5.3.1 and 5.3.3). */
extern const struct hash_state hash_state_start;

typedef void hash_blocks_fn(struct hash_state *state, const uint8_t *data, size_t blocks);

/* For this processor; NULL when it has no instructions for SHA, or is none that this was written for. */
hash_blocks_fn *hash_blocks(void);

/* What hash_all uses; NULL: libcrypto, one after the other. Set by hash_setup; tests set it to compare. */
extern hash_blocks_fn *hash_together;

#endif
