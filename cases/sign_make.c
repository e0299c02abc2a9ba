/*
 * sign_make: keys and certificates for a lab that has none: a root, an examiner, and a time stamp authority
 * for tests.
 */
#include "cases/sign_private.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, YEAR = 365, P12_ROUNDS = 100000 };

struct made {
    EVP_PKEY *key;
    X509 *cert;
};

struct wanted {
    const char *name, *lab; /* CN and O */
    int days;
    const char *const *extensions; /* name, value, ... NULL */
};

static const char *const root_extensions[] = {"basicConstraints", "critical,CA:TRUE,pathlen:1", "keyUsage",
                                              "critical,keyCertSign,cRLSign", NULL};
static const char *const examiner_extensions[] = {"basicConstraints", "critical,CA:FALSE", "keyUsage",
                                                  "critical,digitalSignature,nonRepudiation", NULL};
static const char *const tsa_extensions[] = {
    "basicConstraints", "critical,CA:FALSE",     "keyUsage", "critical,digitalSignature,nonRepudiation",
    "extendedKeyUsage", "critical,timeStamping", NULL};

static bool add_extension(X509 *cert, X509 *issuer, const char *name, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_nconf(NULL, &context, name, value);
    bool good = extension && X509_add_ext(cert, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

static bool set_serial(X509 *cert)
{
    unsigned char bytes[16];
    bool good = RAND_bytes(bytes, sizeof bytes) == 1;
    bytes[0] = (bytes[0] & 0x7f) | 0x40;
    BIGNUM *number = good ? BN_bin2bn(bytes, sizeof bytes, NULL) : NULL;
    good = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert)) != NULL;
    BN_free(number);
    return good;
}

static bool set_names(X509 *cert, X509 *issuer, const struct wanted *wanted)
{
    X509_NAME *name = X509_get_subject_name(cert);
    return X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)wanted->lab, -1, -1,
                                      0) == 1 &&
           X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)wanted->name, -1, -1,
                                      0) == 1 &&
           X509_set_issuer_name(cert, X509_get_subject_name(issuer)) == 1;
}

/* `root` NULL: it signs itself. */
static bool make(const struct wanted *wanted, const struct made *root, struct made *ret_made)
{
    struct made made = {.key = EVP_EC_gen("P-384"), .cert = X509_new()};
    X509 *issuer = root ? root->cert : made.cert;
    bool good = made.key && made.cert && X509_set_version(made.cert, X509_VERSION_3) == 1 &&
                set_serial(made.cert) && X509_gmtime_adj(X509_getm_notBefore(made.cert), -60) &&
                X509_time_adj_ex(X509_getm_notAfter(made.cert), wanted->days, 0, NULL) &&
                X509_set_pubkey(made.cert, made.key) == 1 && set_names(made.cert, issuer, wanted) &&
                add_extension(made.cert, issuer, "subjectKeyIdentifier", "hash") &&
                (!root || add_extension(made.cert, issuer, "authorityKeyIdentifier", "keyid"));
    for (const char *const *e = wanted->extensions; good && *e; e += 2)
        good = add_extension(made.cert, issuer, e[0], e[1]);
    good = good && X509_sign(made.cert, root ? root->key : made.key, EVP_sha384()) > 0;
    *ret_made = made;
    return good;
}

static void forget(struct made *made)
{
    EVP_PKEY_free(made->key);
    X509_free(made->cert);
}

/* ------------------------------------------------------------------ files */

static BIO *create(const char *folder, const char *name, mode_t mode)
{
    char path[PATH_SIZE];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= PATH_SIZE)
        return NULL;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "wb");
    if (!file && fd >= 0)
        close(fd);
    return file ? BIO_new_fp(file, BIO_CLOSE) : NULL;
}

static bool put_key(const char *folder, const char *name, EVP_PKEY *key, const char *passphrase)
{
    BIO *bio = create(folder, name, 0600);
    bool good =
        bio && PEM_write_bio_PKCS8PrivateKey(bio, key, passphrase ? EVP_aes_256_cbc() : NULL, passphrase,
                                             passphrase ? (int)strlen(passphrase) : 0, NULL, NULL) == 1;
    return BIO_free(bio) && good;
}

static bool put_certs(const char *folder, const char *name, X509 *cert, X509 *above)
{
    BIO *bio = create(folder, name, 0644);
    bool good = bio && PEM_write_bio_X509(bio, cert) == 1 && (!above || PEM_write_bio_X509(bio, above) == 1);
    return BIO_free(bio) && good;
}

static bool put_p12(const char *folder, const char *name, const struct made *made, X509 *root,
                    const char *passphrase)
{
    STACK_OF(X509) *above = sk_X509_new_null();
    BIO *bio = create(folder, name, 0600);
    bool good = above && bio && sk_X509_push(above, root) > 0;
    PKCS12 *p12 = good ? PKCS12_create(passphrase ? passphrase : "", "kvali seal", made->key, made->cert,
                                       above, 0, 0, P12_ROUNDS, P12_ROUNDS, 0)
                       : NULL;
    good = p12 && i2d_PKCS12_bio(bio, p12) == 1;
    PKCS12_free(p12);
    sk_X509_free(above);
    return BIO_free(bio) && good;
}

static bool put_text(const char *folder, const char *name, const char *text)
{
    BIO *bio = create(folder, name, 0644);
    bool good = bio && BIO_puts(bio, text) == (int)strlen(text);
    return BIO_free(bio) && good;
}

/* For `openssl ts -reply -config tsa.cnf -queryfile Q.tsq -out Q.tsr`, run in the folder. */
static const char tsa_config[] =
    "[tsa]\ndefault_tsa = lab\n[lab]\ndir = .\nserial = $dir/tsa-serial\n"
    "signer_cert = $dir/tsa.pem\nsigner_key = $dir/tsa.key\ncerts = $dir/lab-root.pem\n"
    "signer_digest = sha384\ndigests = sha256, sha384, sha512\n"
    "default_policy = 1.3.6.1.4.1.99999.1\naccuracy = secs:1\nordering = no\n"
    "tsa_name = yes\ness_cert_id_chain = no\ness_cert_id_alg = sha256\n";

/* For `openssl ca -config ca.cnf -revoke CERT` and `openssl ca -config ca.cnf -gencrl -out lab-root.crl`, run in the folder. */
static const char ca_config[] =
    "[ca]\ndefault_ca = lab\n[lab]\ndatabase = ca-index\nserial = ca-serial\ncrlnumber = ca-crlnumber\n"
    "new_certs_dir = .\ncertificate = lab-root.pem\nprivate_key = lab-root.key\ndefault_md = sha384\n"
    "default_crl_days = 365\npolicy = any\n[any]\ncommonName = supplied\n";

/* A revocation list in which nobody is. */
static bool put_list(const char *folder, const char *name, const struct made *root)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *now = X509_gmtime_adj(NULL, 0), *next = X509_gmtime_adj(NULL, 365L * 24 * 3600);
    BIO *bio = create(folder, name, 0644);
    bool good = crl && now && next && bio && X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
                X509_CRL_set_issuer_name(crl, X509_get_subject_name(root->cert)) == 1 &&
                X509_CRL_set1_lastUpdate(crl, now) == 1 && X509_CRL_set1_nextUpdate(crl, next) == 1 &&
                X509_CRL_sign(crl, root->key, EVP_sha384()) > 0 && PEM_write_bio_X509_CRL(bio, crl) == 1;
    ASN1_TIME_free(now);
    ASN1_TIME_free(next);
    X509_CRL_free(crl);
    return BIO_free(bio) && good;
}

static bool put_all(const char *folder, const struct made *root, const struct made *examiner,
                    const struct made *tsa, const char *passphrase)
{
    return put_key(folder, "lab-root.key", root->key, passphrase) &&
           put_certs(folder, "lab-root.pem", root->cert, NULL) &&
           put_p12(folder, "examiner.p12", examiner, root->cert, passphrase) &&
           put_certs(folder, "examiner.pem", examiner->cert, root->cert) &&
           put_key(folder, "tsa.key", tsa->key, NULL) && put_certs(folder, "tsa.pem", tsa->cert, NULL) &&
           put_text(folder, "tsa.cnf", tsa_config) && put_text(folder, "tsa-serial", "01\n") &&
           put_list(folder, "lab-root.crl", root) && put_text(folder, "ca.cnf", ca_config) &&
           put_text(folder, "ca-index", "") && put_text(folder, "ca-serial", "01\n") &&
           put_text(folder, "ca-crlnumber", "01\n");
}

int keys_make(const char *folder, const char *lab, const char *examiner, const char *passphrase,
              struct why *why)
{
    struct made root = {0}, person = {0}, tsa = {0};
    char root_name[256], tsa_name[256];
    snprintf(root_name, sizeof root_name, "%s: root", lab);
    snprintf(tsa_name, sizeof tsa_name, "%s: time stamps (test)", lab);
    if (mkdir(folder, 0700))
        return why_set(why, -errno, "%s: %s", folder, strerror(errno));
    bool good = make(&(struct wanted){root_name, lab, 10 * YEAR, root_extensions}, NULL, &root) &&
                make(&(struct wanted){examiner, lab, 2 * YEAR, examiner_extensions}, &root, &person) &&
                make(&(struct wanted){tsa_name, lab, 10 * YEAR - 1, tsa_extensions}, &root, &tsa);
    int code = good ? 0 : sign_why(why, -EIO, "the keys cannot be made");
    if (good && !put_all(folder, &root, &person, &tsa, passphrase))
        code = sign_why(why, -EIO, "%s: the keys cannot be written", folder);
    forget(&root);
    forget(&person);
    forget(&tsa);
    return code;
}
