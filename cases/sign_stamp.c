/*
 * sign_stamp: time stamps (RFC 3161): the request, asking for one, and whether an answer is good.
 */
#include "cases/sign_private.h"

#include "engine/base/when.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/http.h>
#include <openssl/pkcs7.h>
#include <openssl/rand.h>
#include <openssl/ts.h>
#include <stdio.h>
#include <string.h>

enum { NONCE_SIZE = 16, ANSWER_MAX = 1 << 20, SECONDS_MAX = 20 };

static BIO *memory(const void *data, size_t size)
{
    return size <= INT_MAX ? BIO_new_mem_buf(data, (int)size) : NULL;
}

/* ------------------------------------------------------------------ asking */

static bool set_imprint(TS_REQ *request, const void *data, size_t size)
{
    unsigned char digest[SHA256_SIZE];
    unsigned length = 0;
    TS_MSG_IMPRINT *imprint = TS_MSG_IMPRINT_new();
    X509_ALGOR *algorithm = X509_ALGOR_new();
    bool good = imprint && algorithm && EVP_Digest(data, size, digest, &length, EVP_sha256(), NULL) == 1 &&
                X509_ALGOR_set0(algorithm, OBJ_nid2obj(NID_sha256), V_ASN1_NULL, NULL) == 1 &&
                TS_MSG_IMPRINT_set_algo(imprint, algorithm) == 1 &&
                TS_MSG_IMPRINT_set_msg(imprint, digest, (int)length) == 1 &&
                TS_REQ_set_msg_imprint(request, imprint) == 1;
    X509_ALGOR_free(algorithm);
    TS_MSG_IMPRINT_free(imprint);
    return good;
}

static bool set_nonce(TS_REQ *request)
{
    unsigned char bytes[NONCE_SIZE];
    bool good = RAND_bytes(bytes, sizeof bytes) == 1;
    bytes[0] = (bytes[0] & 0x7f) | 0x40; /* positive, and never shorter */
    BIGNUM *number = good ? BN_bin2bn(bytes, sizeof bytes, NULL) : NULL;
    ASN1_INTEGER *nonce = number ? BN_to_ASN1_INTEGER(number, NULL) : NULL;
    good = nonce && TS_REQ_set_nonce(request, nonce) == 1;
    ASN1_INTEGER_free(nonce);
    BN_free(number);
    return good;
}

int stamp_request(const void *data, size_t size, struct buf *der, struct why *why)
{
    TS_REQ *request = TS_REQ_new();
    BIO *out = BIO_new(BIO_s_mem());
    bool good = request && out && TS_REQ_set_version(request, 1) == 1 && set_imprint(request, data, size) &&
                set_nonce(request) && TS_REQ_set_cert_req(request, 1) == 1 &&
                i2d_TS_REQ_bio(out, request) == 1;
    int code = good ? 0 : sign_why(why, -EIO, "no time stamp request can be made");
    if (good)
        sign_take(out, der);
    TS_REQ_free(request);
    BIO_free(out);
    return code;
}

int stamp_ask(const char *url, const void *request, size_t size, struct buf *answer, struct why *why)
{
    char *host = NULL, *port = NULL, *path = NULL;
    int tls = 0;
    if (strncmp(url, "http://", 7) != 0 ||
        OSSL_HTTP_parse_url(url, &tls, NULL, &host, &port, NULL, &path, NULL, NULL) != 1)
        return sign_why(
            why, -EINVAL,
            "%s: expected http://HOST/PATH (a stamp proves itself; for others make a request file)", url);
    BIO *in = memory(request, size);
    BIO *got = OSSL_HTTP_transfer(NULL, host, port, path, 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL,
                                  "application/timestamp-query", in, "application/timestamp-reply", 1,
                                  ANSWER_MAX, SECONDS_MAX, 0);
    int code = got ? 0 : sign_why(why, -EHOSTUNREACH, "%s: it gives no time stamp", url);
    unsigned char block[4096];
    int read;
    while (got && (read = BIO_read(got, block, sizeof block)) > 0)
        buf_append(answer, block, (size_t)read);
    ERR_clear_error();
    BIO_free(got);
    BIO_free(in);
    OPENSSL_free(host);
    OPENSSL_free(port);
    OPENSSL_free(path);
    return code;
}

/* ------------------------------------------------------------------ checking */

static void take_facts(TS_RESP *response, PKCS7 *token, struct stamp_facts *ret_facts)
{
    TS_TST_INFO *info = TS_RESP_get_tst_info(response);
    STACK_OF(X509) *signers = PKCS7_get0_signers(token, NULL, 0);
    *ret_facts = (struct stamp_facts){.time = sign_time((const ASN1_TIME *)TS_TST_INFO_get_time(info))};
    if (signers && sk_X509_num(signers) > 0)
        sign_name(X509_get_subject_name(sk_X509_value(signers, 0)), ret_facts->authority,
                  sizeof ret_facts->authority);
    BIGNUM *number = ASN1_INTEGER_to_BN(TS_TST_INFO_get_serial(info), NULL);
    char *hex = number ? BN_bn2hex(number) : NULL;
    if (hex)
        snprintf(ret_facts->serial, sizeof ret_facts->serial, "%s", hex);
    OPENSSL_free(hex);
    BN_free(number);
    sk_X509_free(signers);
}

/* The token's own signature, whoever made it. */
static bool is_signed(PKCS7 *token)
{
    BIO *out = BIO_new(BIO_s_mem());
    bool good = out && PKCS7_verify(token, NULL, NULL, NULL, out, PKCS7_NOVERIFY) == 1;
    BIO_free(out);
    return good;
}

static bool holds(TS_RESP *response, const void *data, size_t size, const void *request, size_t request_size,
                  const char *ca, struct why *why)
{
    const unsigned char *at = request;
    TS_REQ *asked = request && request_size <= LONG_MAX ? d2i_TS_REQ(NULL, &at, (long)request_size) : NULL;
    TS_VERIFY_CTX *context = TS_VERIFY_CTX_new();
    X509_STORE *store = ca ? sign_store(ca, WHEN_NONE, why) : NULL;
    bool ready = context && (!request || asked) && (!ca || store);
    if (ready && asked)
        ready = TS_REQ_to_TS_VERIFY_CTX(asked, context) != NULL;
    if (ready) {
        /* What the request asks for, the data itself, and, with roots, who says so. */
        int flags = (asked ? TS_VFY_NONCE : 0) | TS_VFY_VERSION | TS_VFY_DATA | (ca ? TS_VFY_SIGNATURE : 0);
        TS_VERIFY_CTX_set_flags(context, flags);
        TS_VERIFY_CTX_set_data(context, memory(data, size));
        if (store)
            TS_VERIFY_CTX_set_store(context, store); /* takes it */
        store = NULL;
    }
    bool good = ready && TS_RESP_verify_response(context, response) == 1;
    TS_VERIFY_CTX_free(context);
    X509_STORE_free(store);
    TS_REQ_free(asked);
    return good;
}

int stamp_check(const void *answer, size_t answer_size, const void *data, size_t size, const void *request,
                size_t request_size, const char *ca, struct stamp_facts *ret_facts, struct why *why)
{
    const unsigned char *at = answer;
    TS_RESP *response = answer_size <= LONG_MAX ? d2i_TS_RESP(NULL, &at, (long)answer_size) : NULL;
    PKCS7 *token = response ? TS_RESP_get_token(response) : NULL;
    int code = 0;
    if (!token)
        code = sign_why(why, -EKEYREJECTED, "it is no time stamp, or the authority refused");
    else if (at != (const unsigned char *)answer + answer_size)
        code = why_set(why, -EKEYREJECTED, "there are bytes behind the time stamp");
    else if (!is_signed(token))
        code = sign_why(why, -EKEYREJECTED, "the time stamp's signature does not hold");
    else if (!holds(response, data, size, request, request_size, ca, why))
        code = sign_why(why, -EKEYREJECTED, "the time stamp does not hold for this seal");
    else
        take_facts(response, token, ret_facts);
    ERR_clear_error();
    TS_RESP_free(response);
    return code;
}
