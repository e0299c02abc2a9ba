/*
 * crypt: libcrypto's and libargon2's functions in the forms that layers need.
 */
#include "engine/evidence/layer/crypt.h"

#include "engine/evidence/layer/elephant.h"

#include <argon2.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* LUKS says "whirlpool" and the like, of which libcrypto knows some only with its legacy provider. */
static EVP_MD *fetch(const char *name)
{
    return EVP_MD_fetch(NULL, name, NULL);
}

size_t crypt_digest(const char *name, const void *data, size_t size, uint8_t ret_digest[CRYPT_DIGEST_MAX])
{
    EVP_MD *md = fetch(name);
    unsigned length = 0;

    if (!md)
        return 0;
    if (EVP_MD_get_size(md) > CRYPT_DIGEST_MAX || EVP_Digest(data, size, ret_digest, &length, md, NULL) != 1)
        length = 0;
    EVP_MD_free(md);
    return length;
}

size_t crypt_digest_size(const char *name)
{
    EVP_MD *md = fetch(name);
    int size = md ? EVP_MD_get_size(md) : 0;

    EVP_MD_free(md);
    return size > 0 && size <= CRYPT_DIGEST_MAX ? (size_t)size : 0;
}

int crypt_pbkdf2(const char *hash, const void *secret, size_t secret_size, const void *salt, size_t salt_size,
                 uint32_t iterations, uint8_t *ret_key, size_t key_size)
{
    EVP_MD *md = fetch(hash);
    int code = -EINVAL;

    if (!md)
        return -ENOTSUP;
    if (iterations > 0 && iterations <= INT32_MAX && secret_size <= INT32_MAX && salt_size <= INT32_MAX &&
        key_size > 0 && key_size <= INT32_MAX &&
        PKCS5_PBKDF2_HMAC(secret, (int)secret_size, salt, (int)salt_size, (int)iterations, md, (int)key_size,
                          ret_key) == 1)
        code = 0;
    EVP_MD_free(md);
    return code;
}

int crypt_argon2(const char *kind, const void *secret, size_t secret_size, const void *salt, size_t salt_size,
                 uint32_t time, uint32_t memory, uint32_t lanes, uint8_t *ret_key, size_t key_size)
{
    argon2_context context = {
        .out = ret_key,
        .outlen = (uint32_t)key_size,
        .pwd = (uint8_t *)(uintptr_t)secret,
        .pwdlen = (uint32_t)secret_size,
        .salt = (uint8_t *)(uintptr_t)salt,
        .saltlen = (uint32_t)salt_size,
        .t_cost = time,
        .m_cost = memory,
        .lanes = lanes,
        .threads = 1, /* a worker cannot make threads, and the result does not depend on it */
        .version = ARGON2_VERSION_13,
        .flags = ARGON2_DEFAULT_FLAGS,
    };
    argon2_type type = strcmp(kind, "argon2i") == 0 ? Argon2_i : Argon2_id;
    int code;

    if (strcmp(kind, "argon2i") != 0 && strcmp(kind, "argon2id") != 0)
        return -ENOTSUP;
    if (key_size > UINT32_MAX || secret_size > UINT32_MAX || salt_size > UINT32_MAX)
        return -EINVAL;
    code = argon2_ctx(&context, type);
    return code == ARGON2_OK ? 0 : code == ARGON2_MEMORY_ALLOCATION_ERROR ? -ENOMEM : -EINVAL;
}

int crypt_unwrap(const uint8_t *key, size_t key_size, const uint8_t *data, size_t size, uint8_t *ret)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, key_size == 16 ? "AES-128-WRAP" : "AES-256-WRAP", NULL);
    EVP_CIPHER_CTX *context = cipher ? EVP_CIPHER_CTX_new() : NULL;
    uint8_t plain[CRYPT_WRAPPED_MAX];
    int length = 0, code = context ? -ENOKEY : -ENOTSUP;

    if (context && (key_size == 16 || key_size == 32) && size >= 24 && size <= sizeof plain) {
        EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
        if (EVP_CipherInit_ex2(context, cipher, key, NULL, 0, NULL) == 1 &&
            EVP_CipherUpdate(context, plain, &length, data, (int)size) == 1 && (size_t)length == size - 8) {
            memcpy(ret, plain, size - 8);
            code = 0;
        }
    }
    OPENSSL_cleanse(plain, sizeof plain);
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    return code;
}

int crypt_sha256_chain(uint8_t *data, size_t size, uint64_t first, uint64_t rounds)
{
    EVP_MD *md = fetch("sha256");
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = md && context && size >= 40;

    for (uint64_t i = first; good && i < first + rounds; i++) {
        for (size_t byte = 0; byte < 8; byte++)
            data[size - 8 + byte] = (uint8_t)(i >> (8 * byte));
        good = EVP_DigestInit_ex2(context, i == first ? md : NULL, NULL) == 1 &&
               EVP_DigestUpdate(context, data, size) == 1 && EVP_DigestFinal_ex(context, data, NULL) == 1;
    }
    EVP_MD_CTX_free(context);
    EVP_MD_free(md);
    return good ? 0 : -EIO;
}

int crypt_ccm_open(const uint8_t key[32], const uint8_t nonce[12], const uint8_t mac[16], const uint8_t *data, size_t size,
                   uint8_t *ret_plain)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, "AES-256-CCM", NULL);
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int length, code = cipher && context ? -ENOKEY : -ENOMEM;

    if (code == -ENOKEY && size <= INT32_MAX && EVP_DecryptInit_ex2(context, cipher, NULL, NULL, NULL) == 1 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, 12, NULL) == 1 &&
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, (uint8_t *)(uintptr_t)mac) == 1 &&
        EVP_DecryptInit_ex2(context, NULL, key, nonce, NULL) == 1 &&
        EVP_DecryptUpdate(context, ret_plain, &length, data, (int)size) == 1)
        code = 0;
    EVP_CIPHER_CTX_free(context);
    EVP_CIPHER_free(cipher);
    return code;
}

/* ------------------------------------------------------------------ sectors */

enum iv { IV_PLAIN, IV_PLAIN64, IV_ESSIV, IV_OFFSET };

struct crypt_sectors {
    EVP_CIPHER_CTX *context;
    EVP_CIPHER_CTX *iv_context; /* IV_ESSIV, IV_OFFSET: what encrypts the number */
    EVP_CIPHER_CTX *diffuser;   /* what makes the sector's key for the diffuser; NULL: there is none */
    enum iv iv;
};

static EVP_CIPHER_CTX *start(const char *name, const uint8_t *key, size_t key_size, bool encrypt)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
    EVP_CIPHER_CTX *context = cipher ? EVP_CIPHER_CTX_new() : NULL;

    if (context && ((size_t)EVP_CIPHER_get_key_length(cipher) != key_size ||
                    EVP_CipherInit_ex2(context, cipher, key, NULL, encrypt, NULL) != 1 ||
                    EVP_CIPHER_CTX_set_padding(context, 0) != 1)) {
        EVP_CIPHER_CTX_free(context);
        context = NULL;
    }
    EVP_CIPHER_free(cipher);
    return context;
}

/* ESSIV: the number, encrypted with the hash of the key. */
static int start_essiv(struct crypt_sectors *sectors, const char *family, const char *hash, const uint8_t *key,
                       size_t key_size)
{
    uint8_t digest[CRYPT_DIGEST_MAX];
    char name[32];
    size_t size = crypt_digest(hash, key, key_size, digest);

    (void)snprintf(name, sizeof name, "%s-%zu-ECB", family, size * 8);
    sectors->iv = IV_ESSIV;
    sectors->iv_context = size > 0 ? start(name, digest, size, true) : NULL;
    crypt_wipe(digest, sizeof digest);
    return sectors->iv_context ? 0 : -ENOTSUP;
}

/* BitLocker's: the byte where the sector begins, encrypted with the key of the data; and with a diffuser a second key. */
static int start_offset(struct crypt_sectors *sectors, const uint8_t *key, size_t key_size, bool diffuser)
{
    char name[32];

    (void)snprintf(name, sizeof name, "AES-%zu-ECB", key_size * 8);
    sectors->iv = IV_OFFSET;
    sectors->iv_context = start(name, key, key_size, true);
    if (diffuser)
        sectors->diffuser = start(name, key + key_size, key_size, true);
    return sectors->iv_context && (sectors->diffuser || !diffuser) ? 0 : -EINVAL;
}

static int choose(struct crypt_sectors *sectors, const char *cipher, const char *mode, const uint8_t *key,
                  size_t key_size)
{
    bool xts = strncmp(mode, "xts-", 4) == 0, cbc = strncmp(mode, "cbc-", 4) == 0;
    const char *iv = xts || cbc ? mode + 4 : "", *family = cipher[0] == 'a' ? "AES" : "CAMELLIA";
    bool diffuser = cbc && strcmp(iv, "elephant") == 0, offset = diffuser || (cbc && strcmp(iv, "eboiv") == 0);
    char name[32];

    if ((strcmp(cipher, "aes") != 0 && !(cbc && !offset && strcmp(cipher, "camellia") == 0)) || (!xts && !cbc))
        return -ENOTSUP;
    if (diffuser)
        key_size /= 2;
    (void)snprintf(name, sizeof name, "%s-%zu-%s", family,
                   xts ? key_size * 4 : key_size * 8, xts ? "XTS" : "CBC");
    sectors->context = start(name, key, key_size, false);
    if (!sectors->context)
        return -EINVAL;
    if (offset)
        return start_offset(sectors, key, key_size, diffuser);
    sectors->iv = strcmp(iv, "plain") == 0 ? IV_PLAIN : IV_PLAIN64;
    if (strncmp(iv, "essiv:", 6) == 0)
        return start_essiv(sectors, family, iv + 6, key, key_size);
    return strcmp(iv, "plain") == 0 || strcmp(iv, "plain64") == 0 ? 0 : -ENOTSUP;
}

int crypt_sectors_new(const char *cipher, const char *mode, const uint8_t *key, size_t key_size,
                      struct crypt_sectors **ret_sectors)
{
    struct crypt_sectors *sectors = calloc(1, sizeof *sectors);
    int code = sectors ? choose(sectors, cipher, mode, key, key_size) : -ENOMEM;

    if (code < 0) {
        crypt_sectors_free(sectors);
        return code;
    }
    *ret_sectors = sectors;
    return 0;
}

void crypt_sectors_free(struct crypt_sectors *sectors)
{
    if (!sectors)
        return;
    EVP_CIPHER_CTX_free(sectors->context); /* wipes */
    EVP_CIPHER_CTX_free(sectors->iv_context);
    EVP_CIPHER_CTX_free(sectors->diffuser);
    free(sectors);
}

static int make_iv(struct crypt_sectors *sectors, uint64_t number, size_t size, uint8_t iv[16])
{
    int length;

    memset(iv, 0, 16);
    if (sectors->iv == IV_OFFSET)
        number *= size;
    for (size_t i = 0; i < (sectors->iv == IV_PLAIN ? 4 : 8); i++)
        iv[i] = (uint8_t)(number >> (8 * i));
    if (!sectors->iv_context)
        return 0;
    return EVP_EncryptUpdate(sectors->iv_context, iv, &length, iv, 16) == 1 && length == 16 ? 0 : -EIO;
}

/* Of the byte where the sector begins, encrypted twice, once with a mark in the last byte. */
static int undo_diffuser(struct crypt_sectors *sectors, uint64_t offset, uint8_t *data, size_t size)
{
    uint8_t key[ELEPHANT_KEY_SIZE] = {0};
    int length;

    for (size_t i = 0; i < 8; i++)
        key[i] = key[16 + i] = (uint8_t)(offset >> (8 * i));
    key[31] = 0x80;
    if (size % ELEPHANT_KEY_SIZE != 0 || EVP_EncryptUpdate(sectors->diffuser, key, &length, key, sizeof key) != 1 ||
        length != (int)sizeof key)
        return -EIO;
    elephant_undo(data, size, key);
    return 0;
}

int crypt_sectors_decrypt(struct crypt_sectors *sectors, uint64_t number, uint8_t *data, size_t size)
{
    uint8_t iv[16];
    int length = 0;

    if (size > CRYPT_UNIT_MAX || size < 16 || make_iv(sectors, number, size, iv) < 0)
        return -EIO;
    if (EVP_CipherInit_ex2(sectors->context, NULL, NULL, iv, -1, NULL) != 1 ||
        EVP_CipherUpdate(sectors->context, data, &length, data, (int)size) != 1 || (size_t)length != size)
        return -EIO;
    return sectors->diffuser ? undo_diffuser(sectors, number * size, data, size) : 0;
}

/* ------------------------------------------------------------------ */

bool crypt_same(const void *a, const void *b, size_t size)
{
    return CRYPTO_memcmp(a, b, size) == 0;
}

void crypt_wipe(void *data, size_t size)
{
    if (data)
        OPENSSL_cleanse(data, size);
}

void crypt_warm(void)
{
    static const char *const hashes[] = {"sha1", "sha224", "sha256", "sha384", "sha512", "ripemd160"};
    struct crypt_sectors *sectors;
    uint8_t key[64], data[512] = {0};

    for (size_t i = 0; i < sizeof hashes / sizeof hashes[0]; i++)
        (void)crypt_digest(hashes[i], "", 0, key);
    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)i; /* libcrypto refuses XTS with two equal halves */
    if (crypt_pbkdf2("sha256", "", 0, "", 0, 1, data, 32) == 0 &&
        crypt_sectors_new("aes", "xts-plain64", key, sizeof key, &sectors) == 0) {
        (void)crypt_sectors_decrypt(sectors, 0, data, sizeof data);
        crypt_sectors_free(sectors);
    }
    if (crypt_sectors_new("aes", "cbc-essiv:sha256", key, 32, &sectors) == 0) {
        (void)crypt_sectors_decrypt(sectors, 0, data, sizeof data);
        crypt_sectors_free(sectors);
    }
    (void)crypt_unwrap(key, 16, data, 24, data);
    (void)crypt_unwrap(key, 32, data, 40, data);
    (void)crypt_argon2("argon2id", "", 0, "12345678", 8, 1, 64, 2, data, 32);
    (void)crypt_ccm_open(key, key, key, data, 32, data);
    (void)crypt_sha256_chain(data, 64, 0, 1);
    if (crypt_sectors_new("aes", "cbc-elephant", key, sizeof key, &sectors) == 0) {
        (void)crypt_sectors_decrypt(sectors, 0, data, sizeof data);
        crypt_sectors_free(sectors);
    }
}
