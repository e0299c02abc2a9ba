/*
 * hash: libcrypto's EVP digests and xxHash, the only file that includes them. Algorithms are fetched once and contexts
 * are reused, so that nothing is loaded or allocated while evidence is read.
 */
#include "engine/base/hash.h"

#include "engine/base/buf.h"
#include "engine/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

enum { MD5, SHA1, SHA256, ALGORITHMS, SLICE = 16 * 1024 };

static EVP_MD *algorithms[ALGORITHMS];

int hash_setup(void)
{
    static const char *const names[] = {"MD5", "SHA1", "SHA256"};
    for (int i = 0; i < ALGORITHMS; i++) {
        if (!algorithms[i])
            algorithms[i] = EVP_MD_fetch(NULL, names[i], NULL);
        if (!algorithms[i])
            return -ENOTSUP;
    }
    return 0;
}

struct hash_all {
    EVP_MD_CTX *contexts[ALGORITHMS];
    XXH3_state_t *xxh3;
};

void hash_all_free(struct hash_all *hash)
{
    if (!hash)
        return;
    for (int i = 0; i < ALGORITHMS; i++)
        EVP_MD_CTX_free(hash->contexts[i]);
    XXH3_freeState(hash->xxh3);
    free(hash);
}

struct hash_all *hash_all_new(void)
{
    if (hash_setup())
        return NULL;
    struct hash_all *hash = calloc(1, sizeof *hash);
    if (!hash)
        return NULL;
    bool whole = (hash->xxh3 = XXH3_createState()) != NULL;
    for (int i = 0; i < ALGORITHMS; i++)
        whole = (hash->contexts[i] = EVP_MD_CTX_new()) != NULL && whole;
    if (!whole) {
        hash_all_free(hash);
        return NULL;
    }
    hash_all_reset(hash);
    return hash;
}

void hash_all_reset(struct hash_all *hash)
{
    for (int i = 0; i < ALGORITHMS; i++)
        EVP_DigestInit_ex2(hash->contexts[i], algorithms[i], NULL);
    XXH3_128bits_reset(hash->xxh3);
}

void hash_all_update(struct hash_all *hash, const void *data, size_t size)
{
    const uint8_t *at = data;
    while (size) { /* slice by slice, so that the bytes are still in the first cache for the next algorithm */
        size_t slice = size < SLICE ? size : SLICE;
        for (int i = 0; i < ALGORITHMS; i++)
            EVP_DigestUpdate(hash->contexts[i], at, slice);
        XXH3_128bits_update(hash->xxh3, at, slice);
        at += slice;
        size -= slice;
    }
}

void hash_all_final(struct hash_all *hash, struct hash_set *ret_set)
{
    XXH128_canonical_t canonical;
    EVP_DigestFinal_ex(hash->contexts[MD5], ret_set->md5, NULL);
    EVP_DigestFinal_ex(hash->contexts[SHA1], ret_set->sha1, NULL);
    EVP_DigestFinal_ex(hash->contexts[SHA256], ret_set->sha256, NULL);
    XXH128_canonicalFromHash(&canonical, XXH3_128bits_digest(hash->xxh3));
    memcpy(ret_set->xxh3, canonical.digest, XXH3_SIZE);
}

struct hash_sha256 {
    EVP_MD_CTX *context;
};

struct hash_sha256 *hash_sha256_new(void)
{
    struct hash_sha256 *hash = hash_setup() ? NULL : calloc(1, sizeof *hash);
    if (!hash)
        return NULL;
    hash->context = EVP_MD_CTX_new();
    if (!hash->context) {
        free(hash);
        return NULL;
    }
    EVP_DigestInit_ex2(hash->context, algorithms[SHA256], NULL);
    return hash;
}

void hash_sha256_free(struct hash_sha256 *hash)
{
    if (!hash)
        return;
    EVP_MD_CTX_free(hash->context);
    free(hash);
}

void hash_sha256_update(struct hash_sha256 *hash, const void *data, size_t size)
{
    EVP_DigestUpdate(hash->context, data, size);
}

void hash_sha256_final(struct hash_sha256 *hash, uint8_t ret[SHA256_SIZE])
{
    EVP_DigestFinal_ex(hash->context, ret, NULL);
    EVP_DigestInit_ex2(hash->context, algorithms[SHA256], NULL);
}

static void to_hex(const uint8_t digest[SHA256_SIZE], char ret[SHA256_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_SIZE; i++) {
        ret[2 * i] = digits[digest[i] >> 4];
        ret[2 * i + 1] = digits[digest[i] & 15];
    }
    ret[SHA256_HEX_SIZE - 1] = 0;
}

void hash_sha256_hex(const void *data, size_t size, char ret[SHA256_HEX_SIZE])
{
    uint8_t digest[SHA256_SIZE] = {0};
    if (hash_setup() == 0)
        EVP_Digest(data, size, digest, NULL, algorithms[SHA256], NULL);
    to_hex(digest, ret);
}

int hash_sha256_file(const char *path, char ret[SHA256_HEX_SIZE])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    struct hash_sha256 *hash = hash_sha256_new();
    uint8_t digest[SHA256_SIZE];
    static const size_t block_size = 256 * 1024;
    uint8_t *block = malloc(block_size);
    ssize_t got = -1;
    int code = hash && block ? 0 : -ENOMEM;
    while (code == 0 && (got = read(fd, block, block_size)) != 0) {
        if (got > 0)
            hash_sha256_update(hash, block, (size_t)got);
        else if (errno != EINTR)
            code = -errno;
    }
    close(fd);
    if (code == 0) {
        hash_sha256_final(hash, digest);
        to_hex(digest, ret);
    }
    free(block);
    hash_sha256_free(hash);
    return code;
}

const char *hash_version_crypto(void)
{
    static char text[64];
    if (!text[0]) {
        strcpy(text, "libcrypto ");
        strncat(text, OpenSSL_version(OPENSSL_VERSION_STRING), sizeof text - strlen(text) - 1);
    }
    return text;
}

const char *hash_version_xxhash(void)
{
    static char text[32];
    unsigned version = XXH_versionNumber();
    if (!text[0]) {
        struct buf buf = {0};
        buf_printf(&buf, "xxHash %u.%u.%u", version / 10000, version / 100 % 100, version % 100);
        strncat(text, buf_cstr(&buf), sizeof text - 1);
        buf_finish(&buf);
    }
    return text;
}
