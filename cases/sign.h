/*
 * sign: a detached CMS signature (RFC 5652, with the signing certificate's attribute of CAdES, RFC 5126) over
 * a file, and a time stamp (RFC 3161) over that signature, by libcrypto. Everything that is written is what
 * `openssl cms -verify -cades` and `openssl ts -verify` read.
 *
 * Keys: ECDSA on P-384 or P-521, or RSA from 3072 bits on; others are refused. Digest: SHA-384; SHA-256 in
 * time stamps.
 */
#ifndef KVALI_CASES_SIGN_H
#define KVALI_CASES_SIGN_H

#include "engine/base/buf.h"
#include "engine/base/hash.h"
#include "engine/base/why.h"

#include <stdbool.h>
#include <stdint.h>

/* Where a key is. `key`: a PEM file, a PKCS#12 file (then it holds the certificate and its chain too), or a
 * "pkcs11:..." address of a token (RFC 7512; libengine-pkcs11-openssl has to be installed). `cert`: a PEM
 * file, the signer's certificate first and then those above it; NULL with PKCS#12. `passphrase` (of the file,
 * or the token's PIN) NULL: `ask` is called when one is needed, with what it is for; it returns a malloc'ed
 * text or NULL. */
struct sign_source {
    const char *key, *cert, *passphrase;
    char *(*ask)(const char *what);
};

struct sign_key;
/* -ENOENT and the like for files; -EKEYREJECTED: wrong passphrase, key and certificate do not belong
 * together, the certificate is not valid now, or the key is too weak; -ENOPKG: no PKCS#11 engine. */
int sign_key_open(const struct sign_source *source, struct sign_key **ret_key, struct why *why);
void sign_key_close(struct sign_key *key);

struct sign_who {
    char subject[256], issuer[256]; /* RFC 2253, UTF-8 */
    char sha256[SHA256_HEX_SIZE];   /* of the certificate */
    char algorithm[32];             /* "ECDSA P-384" */
    int64_t not_before, not_after;  /* when.h */
};
void sign_key_who(const struct sign_key *key, struct sign_who *ret_who);
/* Appends the certificate and those above it as PEM. */
void sign_key_chain(const struct sign_key *key, struct buf *pem);

/* Appends the signature in DER. */
int sign_data(struct sign_key *key, const void *data, size_t size, struct buf *der, struct why *why);

/* Is `der` a good signature over `data`? `ca` is a PEM file of roots that the signer's certificate has to
 * lead to at the time `at` (when.h; WHEN_NONE: now); NULL: that is not looked at, and ret_who says whose it
 * claims to be. -EKEYREJECTED: it is not. */
int sign_check(const void *data, size_t size, const void *der, size_t der_size, const char *ca, int64_t at,
               struct sign_who *ret_who, struct why *why);

/* Was the certificate that signed `der` revoked, by a list in `crl` (a PEM file of revocation lists, each signed by a root of
 * `ca` or by a certificate that the signature carries), before `at`? A signature that was there earlier stays good; WHEN_NONE:
 * when it was made is not known, so any revocation counts. What a list says counts whenever it was made; one that was out of
 * date at `made` (when the signature claims to be from) cannot say that nobody was revoked. 0: not, or no list that was in date
 * is of its issuer, which *ret_known tells. -EKEYREJECTED: it was, or a list is not good. */
int sign_revoked(const void *der, size_t der_size, const char *crl, const char *ca, int64_t at, int64_t made, bool *ret_known,
                 struct why *why);

/* Reads the revocation lists of a PEM file and appends them. -EKEYREJECTED: there is none in it, one that bears the name of the
 * issuer of `key`'s certificate is not signed by it (told only when the key came with that certificate), or it says that the
 * certificate was revoked. */
int sign_lists(const struct sign_key *key, const char *path, struct buf *pem, struct why *why);

/* ------------------------------------------------------------------ time stamps */

/* Appends a request for `data` in DER (SHA-256, with a nonce, asking for the certificate). */
int stamp_request(const void *data, size_t size, struct buf *der, struct why *why);
/* Asks a time stamp authority by HTTP (http:// only) and appends its answer. -EHOSTUNREACH when none came in
 * 20 seconds. */
int stamp_ask(const char *url, const void *request, size_t size, struct buf *answer, struct why *why);

struct stamp_facts {
    int64_t time;
    char authority[256], serial[80];
};
/* Is `answer` a good stamp over `data`? `request` (may be NULL) is what it has to answer, nonce and all; `ca`
 * as above. -EKEYREJECTED. */
int stamp_check(const void *answer, size_t answer_size, const void *data, size_t size, const void *request,
                size_t request_size, const char *ca, struct stamp_facts *ret_facts, struct why *why);

/* ------------------------------------------------------------------ a lab's own */

/* Makes keys for a lab that has none, in `folder`, which must not be there: lab-root.pem/.key (10 years),
 * examiner.p12 and .pem (2 years), tsa.pem/.key with tsa.cnf for `openssl ts -reply`, a TSA for tests;
 * lab-root.crl, a revocation list with nobody in it, and ca.cnf for `openssl ca`, which makes the next.
 * Private keys are encrypted with `passphrase`; NULL: not at all. tsa.key never is: it has to answer by
 * itself. */
int keys_make(const char *folder, const char *lab, const char *examiner, const char *passphrase,
              struct why *why);

#endif
