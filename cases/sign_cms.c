/*
 * sign_cms: the signature itself.
 */
#include "cases/sign_private.h"

#include "engine/base/when.h"

#include <errno.h>
#include <limits.h>
#include <openssl/cms.h>
#include <openssl/err.h>

enum { SIGN_FLAGS = CMS_DETACHED | CMS_BINARY | CMS_CADES | CMS_NOSMIMECAP | CMS_PARTIAL };

static BIO *memory(const void *data, size_t size)
{
    return size <= INT_MAX ? BIO_new_mem_buf(data, (int)size) : NULL;
}

int sign_data(struct sign_key *key, const void *data, size_t size, struct buf *der, struct why *why)
{
    BIO *in = memory(data, size), *out = BIO_new(BIO_s_mem());
    CMS_ContentInfo *cms = CMS_sign(NULL, NULL, key->above, NULL, SIGN_FLAGS);
    bool good = in && out && cms && CMS_add1_signer(cms, key->cert, key->key, EVP_sha384(), SIGN_FLAGS) &&
                CMS_final(cms, in, NULL, SIGN_FLAGS) == 1 && i2d_CMS_bio(out, cms) == 1;
    int code = good ? 0 : sign_why(why, -EKEYREJECTED, "the seal cannot be signed");
    if (good)
        sign_take(out, der);
    CMS_ContentInfo_free(cms);
    BIO_free(in);
    BIO_free(out);
    return code;
}

/* Fills ret_who with the one signer, as the certificate that the signature carries names it. */
static int find_signer(CMS_ContentInfo *cms, struct sign_who *ret_who, struct why *why)
{
    STACK_OF(X509) *signers = CMS_get0_signers(cms);
    int count = signers ? sk_X509_num(signers) : 0;
    if (count == 1)
        sign_who_of(sk_X509_value(signers, 0), ret_who);
    sk_X509_free(signers);
    return count == 1 ? 0 : why_set(why, -EKEYREJECTED, "the signature has %d signers, expected one", count);
}

int sign_check(const void *data, size_t size, const void *der, size_t der_size, const char *ca, int64_t at,
               struct sign_who *ret_who, struct why *why)
{
    BIO *in = memory(data, size), *signature = memory(der, der_size);
    X509_STORE *store = ca ? sign_store(ca, at, why) : NULL;
    CMS_ContentInfo *cms = signature ? d2i_CMS_bio(signature, NULL) : NULL;
    unsigned flags = CMS_DETACHED | CMS_BINARY | (ca ? CMS_CADES : CMS_NO_SIGNER_CERT_VERIFY);
    int code = 0;
    if (!in || !cms)
        code = sign_why(why, -EKEYREJECTED, "it is no CMS signature");
    else if (ca && !store)
        code = -EKEYREJECTED;
    else if (CMS_verify(cms, NULL, store, in, NULL, flags) != 1)
        code = sign_why(why, -EKEYREJECTED, "the signature does not hold");
    else
        code = find_signer(cms, ret_who, why);
    ERR_clear_error();
    CMS_ContentInfo_free(cms);
    X509_STORE_free(store);
    BIO_free(signature);
    BIO_free(in);
    return code;
}
