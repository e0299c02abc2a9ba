/*
 * sign_revoked: revocation lists (RFC 5280, section 5). OpenSSL's own check refuses a list that is younger
 * than the signature, and a certificate that was revoked later; a seal with a time stamp from before that day
 * stays good, so the dates are compared here.
 */
#include "cases/sign_private.h"

#include "engine/base/when.h"

#include <errno.h>
#include <limits.h>
#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>

struct looking {
    X509 *signer;
    STACK_OF(X509) * issuers; /* those that the signature carries */
    X509_STORE *roots;
    int64_t at, made;
    bool known;
};

/* The list's signature is by one who has the issuer's name. */
static bool is_signed_by(X509_CRL *crl, X509 *cert)
{
    EVP_PKEY *key = X509_get0_pubkey(cert);
    return key && X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(cert)) == 0 &&
           X509_CRL_verify(crl, key) == 1;
}

static bool is_good(const struct looking *l, X509_CRL *crl)
{
    bool good = false;
    STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(l->roots);
    for (int i = 0; i < sk_X509_OBJECT_num(objects) && !good; i++) {
        X509 *cert = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
        good = cert && is_signed_by(crl, cert);
    }
    for (int i = 0; i < sk_X509_num(l->issuers) && !good; i++)
        good = sk_X509_value(l->issuers, i) != l->signer && is_signed_by(crl, sk_X509_value(l->issuers, i));
    return good;
}

/* A list without an end is from before RFC 5280, which wants one. */
static bool is_in_date(X509_CRL *crl, int64_t made)
{
    const ASN1_TIME *next = X509_CRL_get0_nextUpdate(crl);
    int64_t end = next ? sign_time(next) : WHEN_NONE;
    return end == WHEN_NONE || end >= made;
}

static int look(struct looking *l, X509_CRL *crl, struct why *why)
{
    char day[WHEN_TEXT_SIZE];
    X509_REVOKED *revoked = NULL;
    if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_issuer_name(l->signer)) != 0)
        return 0;
    if (!is_good(l, crl))
        return why_set(why, -EKEYREJECTED,
                       "a revocation list bears its issuer's name, and not its signature");
    l->known = l->known || is_in_date(crl, l->made);
    if (X509_CRL_get0_by_cert(crl, &revoked, l->signer) != 1) /* 2: it was taken from the list again */
        return 0;
    int64_t when = sign_time(X509_REVOKED_get0_revocationDate(revoked));
    if (l->at != WHEN_NONE && when != WHEN_NONE && l->at < when)
        return 0;
    return why_set(why, -EKEYREJECTED, "the signer's certificate was revoked on %s%s",
                   when == WHEN_NONE ? "?" : when_format(when, day),
                   l->at == WHEN_NONE ? ", and no trusted time stamp says that the signature is older"
                                      : ", before it signed");
}

static int look_at_lists(struct looking *l, const char *path, struct why *why)
{
    BIO *bio = BIO_new_file(path, "r");
    X509_CRL *crl = NULL;
    int code = 0, count = 0;
    while (bio && code == 0 && (crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL))) {
        code = look(l, crl, why);
        X509_CRL_free(crl);
        count++;
    }
    BIO_free(bio);
    return code == 0 && count == 0
               ? sign_why(why, -EKEYREJECTED, "%s: no revocation list can be read from it", path)
               : code;
}

/* ------------------------------------------------------------------ before it signs */

static int look_at_own(const struct sign_key *key, X509_CRL *crl, const char *path, struct why *why)
{
    X509_REVOKED *revoked = NULL;
    bool above = false, good = false;
    if (X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_issuer_name(key->cert)) != 0)
        return 0;
    for (int i = 0; i < sk_X509_num(key->above); i++) {
        X509 *cert = sk_X509_value(key->above, i);
        above = above || X509_NAME_cmp(X509_CRL_get_issuer(crl), X509_get_subject_name(cert)) == 0;
        good = good || is_signed_by(crl, cert);
    }
    if (above && !good)
        return why_set(why, -EKEYREJECTED, "%s: a revocation list bears its issuer's name, and not its signature", path);
    return X509_CRL_get0_by_cert(crl, &revoked, key->cert) == 1
               ? why_set(why, -EKEYREJECTED, "%s: it says that the certificate was revoked", path)
               : 0;
}

int sign_lists(const struct sign_key *key, const char *path, struct buf *pem, struct why *why)
{
    BIO *bio = BIO_new_file(path, "r"), *out = BIO_new(BIO_s_mem());
    X509_CRL *crl = NULL;
    int code = 0, count = 0;
    if (!bio)
        code = why_set(why, -ENOENT, "%s: it cannot be opened", path);
    while (bio && out && code == 0 && (crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL))) {
        code = look_at_own(key, crl, path, why);
        if (code == 0 && PEM_write_bio_X509_CRL(out, crl) != 1)
            code = -ENOMEM;
        X509_CRL_free(crl);
        count++;
    }
    if (code == 0 && count == 0)
        code = sign_why(why, -EKEYREJECTED, "%s: no revocation list can be read from it", path);
    if (code == 0)
        sign_take(out, pem);
    ERR_clear_error();
    BIO_free(bio);
    BIO_free(out);
    return code;
}

/* ------------------------------------------------------------------ afterwards */

int sign_revoked(const void *der, size_t der_size, const char *crl, const char *ca, int64_t at,
                 int64_t made, bool *ret_known, struct why *why)
{
    BIO *bio = der_size <= INT_MAX ? BIO_new_mem_buf(der, (int)der_size) : NULL;
    CMS_ContentInfo *cms = bio ? d2i_CMS_bio(bio, NULL) : NULL;
    STACK_OF(X509) *certs = cms ? CMS_get1_certs(cms) : NULL;
    /* Without a check of the signature nobody is set as its signer yet. */
    STACK_OF(CMS_SignerInfo) *infos = cms ? CMS_get0_SignerInfos(cms) : NULL;
    struct looking l = {.issuers = certs, .at = at, .made = made, .roots = sign_store(ca, WHEN_NONE, why)};
    for (int i = 0; infos && sk_CMS_SignerInfo_num(infos) == 1 && i < sk_X509_num(certs); i++)
        if (CMS_SignerInfo_cert_cmp(sk_CMS_SignerInfo_value(infos, 0), sk_X509_value(certs, i)) == 0)
            l.signer = sk_X509_value(certs, i);
    int code = !l.roots ? -EKEYREJECTED
               : !l.signer
                   ? why_set(why, -EKEYREJECTED, "the signature does not carry its signer's certificate")
                   : look_at_lists(&l, crl, why);
    *ret_known = l.known;
    ERR_clear_error();
    X509_STORE_free(l.roots);
    sk_X509_pop_free(certs, X509_free);
    CMS_ContentInfo_free(cms);
    BIO_free(bio);
    return code;
}
