/*
 * hash: MD5 (RFC 1321), SHA-1 and SHA-256 (FIPS 180-4) by libcrypto's EVP; XXH3-128 by libxxhash.
 *
 * This is the one file that includes either. All four run over the same slice before the next slice is
 * touched, so that memory is read once and the other three read the cache. libcrypto can only fail here for
 * lack of memory; a digest that might be wrong must never leave, so then the process ends, which the
 * supervisor records as a crash.
 */
#include "engine/base/hash.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <xxhash.h>

enum { SLICE = 16 * 1024, FILE_BLOCK = 64 * 1024 };

static EVP_MD *md5, *sha1, *sha256;

static int fetch(EVP_MD **md, const char *name)
{
    if (*md == NULL)
        *md = EVP_MD_fetch(NULL, name, NULL);
    return *md != NULL ? 0 : -ENOTSUP;
}

int hash_setup(void)
{
    int r = fetch(&md5, "MD5");

    if (r == 0)
        r = fetch(&sha1, "SHA1");
    if (r == 0)
        r = fetch(&sha256, "SHA256");
    return r;
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
    EVP_MD_CTX *md5, *sha1, *sha256;
    XXH3_state_t *xxh3;
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
    must(EVP_DigestInit_ex2(hash->md5, md5, NULL));
    must(EVP_DigestInit_ex2(hash->sha1, sha1, NULL));
    must(EVP_DigestInit_ex2(hash->sha256, sha256, NULL));
    XXH3_128bits_reset(hash->xxh3);
}

void hash_all_update(struct hash_all *hash, const void *data, size_t size)
{
    const uint8_t *from = data;

    while (size > 0) {
        size_t n = size < SLICE ? size : SLICE;

        XXH3_128bits_update(hash->xxh3, from, n);
        must(EVP_DigestUpdate(hash->md5, from, n));
        must(EVP_DigestUpdate(hash->sha1, from, n));
        must(EVP_DigestUpdate(hash->sha256, from, n));
        from += n;
        size -= n;
    }
}

void hash_all_final(struct hash_all *hash, struct hash_set *ret_set)
{
    XXH128_canonical_t canonical;

    must(EVP_DigestFinal_ex(hash->md5, ret_set->md5, NULL));
    must(EVP_DigestFinal_ex(hash->sha1, ret_set->sha1, NULL));
    must(EVP_DigestFinal_ex(hash->sha256, ret_set->sha256, NULL));
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(hash->xxh3));
    static_assert(sizeof canonical.digest == XXH3_SIZE, "XXH3-128 has 128 bits");
    for (size_t i = 0; i < XXH3_SIZE; i++)
        ret_set->xxh3[i] = canonical.digest[i];
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
