/*
 * hash: MD5, SHA-1, SHA-256 (libcrypto, or a loop of our own that was held against it) and XXH3-128 (xxHash), alone or
 * all in one pass.
 *
 * hash_setup fetches the algorithms; call it once per process before any other, and before a sandbox closes.
 */
#ifndef KVALI_BASE_HASH_H
#define KVALI_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

enum { MD5_SIZE = 16, SHA1_SIZE = 20, SHA256_SIZE = 32, XXH3_SIZE = 16, SHA256_HEX_SIZE = 65 };

/* What libcrypto asks for and does not get it does not survive, or takes for something else: `end`, which does not return, is called
 * then. Before libcrypto is used at all. */
void hash_need_memory(void (*end)(void));

/* 0, or -ENOTSUP when libcrypto refuses an algorithm. May be called again. */
int hash_setup(void);

struct hash_set {
    uint8_t md5[MD5_SIZE], sha1[SHA1_SIZE], sha256[SHA256_SIZE];
    uint8_t xxh3[XXH3_SIZE]; /* canonical (big-endian) form, as `xxhsum -H2` prints it */
};

/* All four in one pass over the data. */
struct hash_all;
struct hash_all *hash_all_new(void); /* NULL: no memory */
void hash_all_free(struct hash_all *hash);
/* Ready for the next stream. Where libcrypto does it, its three small states are allocated anew here; update and final
 * allocate nothing. */
void hash_all_reset(struct hash_all *hash);
void hash_all_update(struct hash_all *hash, const void *data, size_t size);
void hash_all_final(struct hash_all *hash, struct hash_set *ret_set); /* then reset before the next update */

/* SHA-256 alone. */
struct hash_sha256;
struct hash_sha256 *hash_sha256_new(void);
void hash_sha256_free(struct hash_sha256 *hash);
void hash_sha256_update(struct hash_sha256 *hash, const void *data, size_t size);
void hash_sha256_final(struct hash_sha256 *hash, uint8_t ret[SHA256_SIZE]); /* and starts anew */

/* Of one piece of memory, as 64 hex digits and a NUL. */
void hash_sha256_hex(const void *data, size_t size, char ret[SHA256_HEX_SIZE]);
/* Of a whole file; negative errno when it cannot be read. */
int hash_sha256_file(const char *path, char ret[SHA256_HEX_SIZE]);

/* For tables in memory: XXH3-64. With a seed that nobody knows, nobody can make texts that meet in one place of a table. */
uint64_t hash_keyed(const void *data, size_t size, uint64_t seed);

/* "libcrypto 3.0.19" and "xxHash 0.8.1", for --version. Static. */
const char *hash_version_crypto(void);
const char *hash_version_xxhash(void);

#endif
