/*
 * sign_key: where keys and certificates come from, and what can be said of them.
 */
#include "cases/sign_private.h"

#include "engine/base/when.h"

#include <errno.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RSA_BITS_MIN = 3072 };

/* ------------------------------------------------------------------ words */

int sign_why(struct why *why, int code, const char *format, ...)
{
    char text[400], reason[120] = "";
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *data = NULL;
    int flags = 0;
    const char *words = ERR_reason_error_string(ERR_peek_last_error_all(NULL, NULL, NULL, &data, &flags));
    if (words) /* what is behind it says why a certificate is not good */
        snprintf(reason, sizeof reason, ": %s%s%.80s", words, data && *data && (flags & ERR_TXT_STRING) ? ": " : "",
                 data && (flags & ERR_TXT_STRING) ? data : "");
    ERR_clear_error();
    return why_set(why, code, "%s%s", text, reason);
}

void sign_take(BIO *bio, struct buf *buf)
{
    char *data;
    long size = BIO_get_mem_data(bio, &data);
    if (size > 0)
        buf_append(buf, data, (size_t)size);
}

void sign_name(const X509_NAME *name, char *ret, size_t size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    ret[0] = 0;
    if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) >= 0) {
        char *data;
        long length = BIO_get_mem_data(bio, &data);
        snprintf(ret, size, "%.*s", length > 0 ? (int)length : 0, data);
    }
    BIO_free(bio);
}

int64_t sign_time(const ASN1_TIME *time)
{
    int days, seconds;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    bool good = epoch && ASN1_TIME_diff(&days, &seconds, epoch, time) == 1;
    ASN1_TIME_free(epoch);
    return good ? when_from_unix((int64_t)days * 86400 + seconds, 0) : WHEN_NONE;
}

static void algorithm_of(const EVP_PKEY *key, char *ret, size_t size)
{
    char group[40] = "";
    if (EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA) {
        snprintf(ret, size, "RSA %d", EVP_PKEY_get_bits(key));
        return;
    }
    (void)EVP_PKEY_get_group_name(key, group, sizeof group, NULL);
    snprintf(ret, size, "%s",
             strcmp(group, "secp384r1") == 0   ? "ECDSA P-384"
             : strcmp(group, "secp521r1") == 0 ? "ECDSA P-521"
                                               : "");
}

void sign_who_of(X509 *cert, struct sign_who *ret_who)
{
    unsigned char *der = NULL;
    *ret_who = (struct sign_who){.not_before = sign_time(X509_get0_notBefore(cert)), .not_after = sign_time(X509_get0_notAfter(cert))};
    sign_name(X509_get_subject_name(cert), ret_who->subject, sizeof ret_who->subject);
    sign_name(X509_get_issuer_name(cert), ret_who->issuer, sizeof ret_who->issuer);
    EVP_PKEY *key = X509_get0_pubkey(cert);
    if (key)
        algorithm_of(key, ret_who->algorithm, sizeof ret_who->algorithm);
    int size = i2d_X509(cert, &der);
    if (size > 0)
        hash_sha256_hex(der, (size_t)size, ret_who->sha256);
    OPENSSL_free(der);
}

void sign_key_who(const struct sign_key *key, struct sign_who *ret_who)
{
    sign_who_of(key->cert, ret_who);
}

void sign_key_chain(const struct sign_key *key, struct buf *pem)
{
    BIO *bio = BIO_new(BIO_s_mem());
    if (bio && PEM_write_bio_X509(bio, key->cert) == 1)
        for (int i = 0; i < sk_X509_num(key->above); i++)
            (void)PEM_write_bio_X509(bio, sk_X509_value(key->above, i));
    if (bio)
        sign_take(bio, pem);
    BIO_free(bio);
}

X509_STORE *sign_store(const char *ca, int64_t at, struct why *why)
{
    X509_STORE *store = X509_STORE_new();
    if (store && X509_STORE_load_file(store, ca) == 1) {
        if (at != WHEN_NONE)
            X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), (time_t)(at / 1000000000));
        return store;
    }
    sign_why(why, -EKEYREJECTED, "%s: no root certificates can be read from it", ca);
    X509_STORE_free(store);
    return NULL;
}

/* ------------------------------------------------------------------ reading */

struct asking {
    const struct sign_source *source;
    const char *what;
};

static int passphrase(char *ret, int size, int writing, void *context)
{
    const struct asking *asking = context;
    (void)writing;
    char *asked = NULL;
    const char *given = asking->source->passphrase;
    if (!given && asking->source->ask)
        given = asked = asking->source->ask(asking->what);
    int length = given ? snprintf(ret, (size_t)size, "%s", given) : -1;
    if (asked)
        OPENSSL_cleanse(asked, strlen(asked));
    free(asked);
    return length >= 0 && length < size ? length : -1;
}

static int read_pem_key(struct sign_key *key, const struct sign_source *source, struct why *why)
{
    struct asking asking = {.source = source, .what = source->key};
    BIO *bio = BIO_new_file(source->key, "r");
    if (bio)
        key->key = PEM_read_bio_PrivateKey(bio, NULL, passphrase, &asking);
    BIO_free(bio);
    return key->key ? 0 : sign_why(why, -EKEYREJECTED, "%s: no private key can be read from it", source->key);
}

static int read_pem_certs(struct sign_key *key, const char *path, struct why *why)
{
    BIO *bio = BIO_new_file(path, "r");
    X509 *cert;
    while (bio && (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
        if (!key->cert)
            key->cert = cert;
        else if (!sk_X509_push(key->above, cert))
            X509_free(cert);
    BIO_free(bio);
    if (!key->cert)
        return sign_why(why, -EKEYREJECTED, "%s: no certificate can be read from it", path);
    ERR_clear_error(); /* the end of a PEM file is told as an error */
    return 0;
}

static int unpack(struct sign_key *key, PKCS12 *p12, const struct sign_source *source, struct why *why)
{
    struct asking asking = {.source = source, .what = source->key};
    char word[512] = "";
    STACK_OF(X509) *above = NULL;
    bool open = PKCS12_verify_mac(p12, "", 0) || PKCS12_verify_mac(p12, NULL, 0);
    if (!open && passphrase(word, sizeof word, 0, &asking) < 0)
        return sign_why(why, -EKEYREJECTED, "%s: it needs a passphrase", source->key);
    bool good = PKCS12_parse(p12, word, &key->key, &key->cert, &above) == 1;
    OPENSSL_cleanse(word, sizeof word);
    if (above) {
        sk_X509_free(key->above);
        key->above = above;
    }
    return good && key->key && key->cert
               ? 0
               : sign_why(why, -EKEYREJECTED, "%s: it cannot be opened: is the passphrase right",
                          source->key);
}

/* 1: it was PKCS#12. */
static int read_pkcs12(struct sign_key *key, const struct sign_source *source, struct why *why)
{
    BIO *bio = BIO_new_file(source->key, "rb");
    if (!bio)
        return sign_why(why, -errno ? -errno : -EIO, "%s", source->key);
    PKCS12 *p12 = d2i_PKCS12_bio(bio, NULL);
    BIO_free(bio);
    ERR_clear_error();
    if (!p12)
        return 0;
    int code = unpack(key, p12, source, why);
    PKCS12_free(p12);
    return code ? code : 1;
}

/* ------------------------------------------------------------------ is it good */

static int check(const struct sign_key *key, const char *path, struct why *why)
{
    struct sign_who who;
    sign_key_who(key, &who);
    bool rsa = strncmp(who.algorithm, "RSA", 3) == 0;
    if (!who.algorithm[0] || (rsa && EVP_PKEY_get_bits(key->key) < RSA_BITS_MIN))
        return why_set(why, -EKEYREJECTED,
                       "%s: a seal wants ECDSA on P-384 or P-521, or RSA from %d bits on; this is %s", path,
                       RSA_BITS_MIN, rsa ? who.algorithm : "something else");
    if (X509_check_private_key(key->cert, key->key) != 1)
        return sign_why(why, -EKEYREJECTED, "%s: key and certificate do not belong together", path);
    if (X509_cmp_current_time(X509_get0_notBefore(key->cert)) > 0 ||
        X509_cmp_current_time(X509_get0_notAfter(key->cert)) < 0)
        return why_set(why, -EKEYREJECTED, "%s: the certificate of %s is not valid today", path, who.subject);
    return 0;
}

static int open_file(struct sign_key *key, const struct sign_source *source, struct why *why)
{
    int code = read_pkcs12(key, source, why);
    if (code)
        return code < 0 ? code : 0;
    code = read_pem_key(key, source, why);
    return code           ? code
           : source->cert ? read_pem_certs(key, source->cert, why)
                          : why_set(why, -EKEYREJECTED, "%s: the certificate that belongs to it is missing",
                                    source->key);
}

int sign_key_open(const struct sign_source *source, struct sign_key **ret_key, struct why *why)
{
    struct sign_key *key = calloc(1, sizeof *key);
    if (key)
        key->above = sk_X509_new_null();
    int code = !key || !key->above                       ? why_set(why, -ENOMEM, "out of memory")
               : strncmp(source->key, "pkcs11:", 7) == 0 ? sign_token_open(key, source, why)
                                                         : open_file(key, source, why);
    if (code == 0 && !key->cert && source->cert)
        code = read_pem_certs(key, source->cert, why);
    if (code == 0)
        code = check(key, source->key, why);
    if (code) {
        sign_key_close(key);
        return code;
    }
    *ret_key = key;
    return 0;
}

void sign_key_close(struct sign_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->key);
    X509_free(key->cert);
    sk_X509_pop_free(key->above, X509_free);
    free(key);
}
