/*
 * hash: MD5 (RFC 1321), SHA-1 and SHA-256 (FIPS 180-4) by hash_blocks.c where the processor has what that
 * needs, else by libcrypto's EVP; XXH3-128 by libxxhash.
 *
 * This is the one file that includes either. All four run over the same slice before the next slice is
 * touched, so that memory is read once and the others read the cache. libcrypto can only fail here for
 * lack of memory; a digest that might be wrong must never leave, so then the process ends, which the
 * supervisor records as a crash.
 */
#include "engine/base/hash.h"

#include "engine/base/hash_blocks.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <xxh_x86dispatch.h> /* the widest instructions that the processor has */
#else
#include <xxhash.h>
#endif

enum { SLICE = 16 * 1024, FILE_BLOCK = 64 * 1024 };

static EVP_MD *md5, *sha1, *sha256;
hash_blocks_fn *hash_together;

static void (*without_memory)(void);

static void *take(size_t size, const char *file, int line)
{
    void *memory = malloc(size);

    (void)file, (void)line;
    if (memory == NULL && size > 0)
        without_memory();
    return memory;
}

static void *take_more(void *memory, size_t size, const char *file, int line)
{
    void *more = realloc(memory, size);

    (void)file, (void)line;
    if (more == NULL && size > 0)
        without_memory();
    return more;
}

static void give(void *memory, const char *file, int line)
{
    (void)file, (void)line;
    free(memory);
}

void hash_need_memory(void (*end)(void))
{
    without_memory = end;
    (void)CRYPTO_set_mem_functions(take, take_more, give);
}

static int fetch(EVP_MD **md, const char *name)
{
    if (*md == NULL)
        *md = EVP_MD_fetch(NULL, name, NULL);
    return *md != NULL ? 0 : -ENOTSUP;
}

static bool ready(void)
{
    return (md5 != NULL && sha1 != NULL && sha256 != NULL) || hash_setup() == 0;
}

static void must(int ok)
{
    if (ok != 1)
        abort();
}

static EVP_MD_CTX *context_new(const EVP_MD *md)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();

    if (context != NULL && EVP_DigestInit_ex2(context, md, NULL) != 1) {
        EVP_MD_CTX_free(context);
        return NULL;
    }
    return context;
}

struct hash_all {
    XXH3_state_t *xxh3;
    EVP_MD_CTX *md5, *sha1, *sha256; /* unless they are done together */
    struct hash_state state;
    uint8_t rest[HASH_BLOCK]; /* what does not fill a block yet */
    size_t rest_size;
    uint64_t size; /* bytes, of all updates */
};

struct hash_all *hash_all_new(void)
{
    struct hash_all *hash = ready() ? calloc(1, sizeof *hash) : NULL;

    if (hash == NULL)
        return NULL;
    hash->md5 = context_new(md5);
    hash->sha1 = context_new(sha1);
    hash->sha256 = context_new(sha256);
    hash->xxh3 = XXH3_createState();
    if (hash->md5 == NULL || hash->sha1 == NULL || hash->sha256 == NULL || hash->xxh3 == NULL) {
        hash_all_free(hash);
        return NULL;
    }
    hash->state = hash_state_start;
    XXH3_128bits_reset(hash->xxh3);
    return hash;
}

void hash_all_free(struct hash_all *hash)
{
    if (hash == NULL)
        return;
    EVP_MD_CTX_free(hash->md5);
    EVP_MD_CTX_free(hash->sha1);
    EVP_MD_CTX_free(hash->sha256);
    XXH3_freeState(hash->xxh3);
    free(hash);
}

void hash_all_reset(struct hash_all *hash)
{
    XXH3_128bits_reset(hash->xxh3);
    if (hash_together != NULL) {
        hash->state = hash_state_start;
        hash->rest_size = 0;
        hash->size = 0;
        return;
    }
    must(EVP_DigestInit_ex2(hash->md5, md5, NULL));
    must(EVP_DigestInit_ex2(hash->sha1, sha1, NULL));
    must(EVP_DigestInit_ex2(hash->sha256, sha256, NULL));
}

static void update_together(struct hash_all *hash, const uint8_t *from, size_t size)
{
    size_t blocks;

    hash->size += size;
    if (hash->rest_size > 0) {
        size_t n = HASH_BLOCK - hash->rest_size < size ? HASH_BLOCK - hash->rest_size : size;

        memcpy(hash->rest + hash->rest_size, from, n);
        hash->rest_size += n;
        if (hash->rest_size < HASH_BLOCK)
            return;
        hash_together(&hash->state, hash->rest, 1);
        from += n;
        size -= n;
    }
    blocks = size / HASH_BLOCK;
    hash_together(&hash->state, from, blocks);
    hash->rest_size = size % HASH_BLOCK;
    memcpy(hash->rest, from + blocks * HASH_BLOCK, hash->rest_size);
}

static void put_words(uint8_t *to, const uint32_t *words, size_t count, bool big_endian)
{
    for (size_t i = 0; i < 4 * count; i++)
        to[i] = (uint8_t)(words[i / 4] >> 8 * (big_endian ? 3 - i % 4 : i % 4));
}

/* The end of all three: a bit, zeros, and the size in bits in the last eight bytes. MD5 alone has it
 * little-endian, so it is done from a state of its own. */
static void final_together(struct hash_all *hash, struct hash_set *ret_set)
{
    uint8_t end[2 * HASH_BLOCK] = {0};
    size_t blocks = hash->rest_size < HASH_BLOCK - 8 ? 1 : 2;
    struct hash_state sha = hash->state, of_md5 = hash->state;

    memcpy(end, hash->rest, hash->rest_size);
    end[hash->rest_size] = 0x80;
    for (size_t i = 0; i < 8; i++)
        end[blocks * HASH_BLOCK - 1 - i] = (uint8_t)(hash->size << 3 >> 8 * i);
    hash_together(&sha, end, blocks);
    for (size_t i = 0; i < 8; i++)
        end[blocks * HASH_BLOCK - 8 + i] = (uint8_t)(hash->size << 3 >> 8 * i);
    hash_together(&of_md5, end, blocks);
    put_words(ret_set->md5, of_md5.md5, 4, false);
    put_words(ret_set->sha1, sha.sha1, 5, true);
    put_words(ret_set->sha256, sha.sha256, 8, true);
}

void hash_all_update(struct hash_all *hash, const void *data, size_t size)
{
    const uint8_t *from = data;

    while (size > 0) {
        size_t n = size < SLICE ? size : SLICE;

        XXH3_128bits_update(hash->xxh3, from, n);
        if (hash_together != NULL) {
            update_together(hash, from, n);
        } else {
            must(EVP_DigestUpdate(hash->md5, from, n));
            must(EVP_DigestUpdate(hash->sha1, from, n));
            must(EVP_DigestUpdate(hash->sha256, from, n));
        }
        from += n;
        size -= n;
    }
}

void hash_all_final(struct hash_all *hash, struct hash_set *ret_set)
{
    XXH128_canonical_t canonical;

    if (hash_together != NULL) {
        final_together(hash, ret_set);
    } else {
        must(EVP_DigestFinal_ex(hash->md5, ret_set->md5, NULL));
        must(EVP_DigestFinal_ex(hash->sha1, ret_set->sha1, NULL));
        must(EVP_DigestFinal_ex(hash->sha256, ret_set->sha256, NULL));
    }
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(hash->xxh3));
    static_assert(sizeof canonical.digest == XXH3_SIZE, "XXH3-128 has 128 bits");
    for (size_t i = 0; i < XXH3_SIZE; i++)
        ret_set->xxh3[i] = canonical.digest[i];
}

static bool digests_are(const uint8_t *data, size_t size, const struct hash_set *set)
{
    uint8_t a[MD5_SIZE], b[SHA1_SIZE], c[SHA256_SIZE];

    return EVP_Digest(data, size, a, NULL, md5, NULL) == 1 && memcmp(a, set->md5, sizeof a) == 0 &&
           EVP_Digest(data, size, b, NULL, sha1, NULL) == 1 && memcmp(b, set->sha1, sizeof b) == 0 &&
           EVP_Digest(data, size, c, NULL, sha256, NULL) == 1 && memcmp(c, set->sha256, sizeof c) == 0;
}

/* Our loop is used on a machine only after it gave there what libcrypto gives. */
static void choose(void)
{
    struct hash_all hash = {.state = hash_state_start};
    uint8_t data[5 * HASH_BLOCK - 3];
    struct hash_set set;

    hash_together = hash_blocks();
    if (hash_together == NULL)
        return;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 167 + 13);
    update_together(&hash, data, sizeof data);
    final_together(&hash, &set);
    if (!digests_are(data, sizeof data, &set))
        hash_together = NULL;
}

int hash_setup(void)
{
    static bool done;
    int r = fetch(&md5, "MD5");

    if (r == 0)
        r = fetch(&sha1, "SHA1");
    if (r == 0)
        r = fetch(&sha256, "SHA256");
    if (r == 0 && !done)
        choose();
    done = done || r == 0;
    return r;
}

struct hash_sha256 {
    EVP_MD_CTX *context;
};

struct hash_sha256 *hash_sha256_new(void)
{
    struct hash_sha256 *hash = ready() ? calloc(1, sizeof *hash) : NULL;

    if (hash == NULL)
        return NULL;
    hash->context = context_new(sha256);
    if (hash->context == NULL) {
        free(hash);
        return NULL;
    }
    return hash;
}

void hash_sha256_free(struct hash_sha256 *hash)
{
    if (hash == NULL)
        return;
    EVP_MD_CTX_free(hash->context);
    free(hash);
}

void hash_sha256_update(struct hash_sha256 *hash, const void *data, size_t size)
{
    must(EVP_DigestUpdate(hash->context, data, size));
}

void hash_sha256_final(struct hash_sha256 *hash, uint8_t ret[SHA256_SIZE])
{
    must(EVP_DigestFinal_ex(hash->context, ret, NULL));
    must(EVP_DigestInit_ex2(hash->context, sha256, NULL));
}

static void hex(const uint8_t digest[SHA256_SIZE], char ret[SHA256_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < SHA256_SIZE; i++) {
        ret[2 * i] = digits[digest[i] >> 4];
        ret[2 * i + 1] = digits[digest[i] & 0x0f];
    }
    ret[2 * (size_t)SHA256_SIZE] = '\0';
}

void hash_sha256_hex(const void *data, size_t size, char ret[SHA256_HEX_SIZE])
{
    uint8_t digest[SHA256_SIZE];

    must(ready());
    must(EVP_Digest(data, size, digest, NULL, sha256, NULL));
    hex(digest, ret);
}

static int update_from_file(struct hash_sha256 *hash, int fd, uint8_t *block)
{
    for (;;) {
        ssize_t n = read(fd, block, FILE_BLOCK);

        if (n == 0)
            return 0;
        if (n > 0)
            hash_sha256_update(hash, block, (size_t)n);
        else if (errno != EINTR)
            return -errno;
    }
}

int hash_sha256_file(const char *path, char ret[SHA256_HEX_SIZE])
{
    struct hash_sha256 *hash = hash_sha256_new();
    uint8_t *block = malloc(FILE_BLOCK);
    uint8_t digest[SHA256_SIZE];
    int fd = -1, r = -ENOMEM;

    if (hash == NULL || block == NULL)
        goto out;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    r = fd < 0 ? -errno : update_from_file(hash, fd, block);
    if (r == 0) {
        hash_sha256_final(hash, digest);
        hex(digest, ret);
    }
out:
    if (fd >= 0)
        close(fd);
    free(block);
    hash_sha256_free(hash);
    return r;
}

uint64_t hash_keyed(const void *data, size_t size, uint64_t seed)
{
    return XXH3_64bits_withSeed(data, size, seed);
}

const char *hash_version_crypto(void)
{
    static char text[64];

    snprintf(text, sizeof text, "libcrypto %s", OpenSSL_version(OPENSSL_VERSION_STRING));
    return text;
}

const char *hash_version_xxhash(void)
{
    static char text[64];
    unsigned number = XXH_versionNumber();

    snprintf(text, sizeof text, "xxHash %u.%u.%u", number / 10000, number / 100 % 100, number % 100);
    return text;
}
