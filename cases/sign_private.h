/*
 * sign_private: what the files of sign share; the only header that shows libcrypto's types.
 */
#ifndef KVALI_CASES_SIGN_PRIVATE_H
#define KVALI_CASES_SIGN_PRIVATE_H

#include "cases/sign.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

struct sign_key {
    EVP_PKEY *key;
    X509 *cert;
    STACK_OF(X509) * above; /* the certificates above it, not NULL */
};

/* why_set with libcrypto's words for what went wrong last behind the text. */
int sign_why(struct why *why, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
void sign_who_of(X509 *cert, struct sign_who *ret_who);
/* A store with the roots of a PEM file, good for the time `at` (WHEN_NONE: now). */
X509_STORE *sign_store(const char *ca, int64_t at, struct why *why);
int64_t sign_time(const ASN1_TIME *time);
/* One line of RFC 2253 without control characters. */
void sign_name(const X509_NAME *name, char *ret, size_t size);
/* sign_token.c: key and, where the token has it, certificate by a "pkcs11:" address. */
int sign_token_open(struct sign_key *key, const struct sign_source *source, struct why *why);
/* What a memory BIO holds, appended. */
void sign_take(BIO *bio, struct buf *buf);

#endif
