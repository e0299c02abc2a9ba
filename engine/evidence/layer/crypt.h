/*
 * crypt: the few primitives that encrypted volumes are opened with, by libcrypto and libargon2. Everything is
 * done in this thread: libargon2 is asked for as many lanes as the volume says, and computes them one after
 * the other.
 */
#ifndef KVALI_EVIDENCE_LAYER_CRYPT_H
#define KVALI_EVIDENCE_LAYER_CRYPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CRYPT_DIGEST_MAX = 64, CRYPT_SECTOR_MAX = 4096, CRYPT_UNIT_MAX = 1 << 20, CRYPT_WRAPPED_MAX = 72 };

/* The digest `name` ("sha1", "sha256", "sha512", "ripemd160" ...) of `size` bytes: its size, 0 when libcrypto
 * does not know it. */
size_t crypt_digest(const char *name, const void *data, size_t size, uint8_t ret_digest[CRYPT_DIGEST_MAX]);
size_t crypt_digest_size(const char *name);

/* Derives `key_size` bytes. -ENOTSUP: the hash is not known; -EINVAL: the numbers are not; -ENOMEM. */
int crypt_pbkdf2(const char *hash, const void *secret, size_t secret_size, const void *salt, size_t salt_size,
                 uint32_t iterations, uint8_t *ret_key, size_t key_size);
/* `kind` is "argon2i" or "argon2id", `memory` is in KiB. */
int crypt_argon2(const char *kind, const void *secret, size_t secret_size, const void *salt, size_t salt_size,
                 uint32_t time, uint32_t memory, uint32_t lanes, uint8_t *ret_key, size_t key_size);

/* What is wrapped with a key of AES (RFC 3394): `size` - 8 bytes, at least 16. -ENOKEY: it is not this key.
 */
int crypt_unwrap(const uint8_t *key, size_t key_size, const uint8_t *data, size_t size, uint8_t *ret);

/* `rounds` times: the first 32 of the `size` bytes become the SHA-256 of all of them, of which the last eight are the
 * number of the round, counted from `first`. -EIO. */
int crypt_sha256_chain(uint8_t *data, size_t size, uint64_t first, uint64_t rounds);

/* AES-256-CCM with a nonce of 12 bytes. -ENOKEY: the code of authentication is not that of the data; -ENOMEM. */
int crypt_ccm_open(const uint8_t key[32], const uint8_t nonce[12], const uint8_t mac[16], const uint8_t *data, size_t size,
                   uint8_t *ret_plain);

/* A cipher over sectors, as dm-crypt names them: aes-xts-plain64, aes-xts-plain, aes-cbc-plain,
 * aes-cbc-plain64, aes-cbc-essiv:<hash>, aes-cbc-eboiv, aes-cbc-elephant (with a second key behind the first), and
 * these but the last two of camellia in CBC. -ENOTSUP: another one; -EINVAL: the key's size is not its. */
struct crypt_sectors;
int crypt_sectors_new(const char *cipher, const char *mode, const uint8_t *key, size_t key_size,
                      struct crypt_sectors **ret_sectors);
/* Wipes the key. */
void crypt_sectors_free(struct crypt_sectors *sectors);
/* Decrypts in place: one sector of `size` bytes (16 to CRYPT_UNIT_MAX; CBC: a multiple of 16) with this
 * number. -EIO. */
int crypt_sectors_decrypt(struct crypt_sectors *sectors, uint64_t number, uint8_t *data, size_t size);

/* True when both are the same, in a time that does not depend on where they differ. */
bool crypt_same(const void *a, const void *b, size_t size);
/* Overwrites what must not stay in memory. */
void crypt_wipe(void *data, size_t size);

/* Loads what libcrypto loads at first use. Before the sandbox closes. */
void crypt_warm(void);

#endif
