/*
 * pem: private keys, certificates and requests as text [RFC 7468; RFC 1421 for encrypted headers; OpenSSH,
 * PROTOCOL.key]. From the BEGIN line to the line of END, with that line's end. Validated: the base64 decodes,
 * and the DER value or OpenSSH key that comes out fills it exactly, with all that is in it; of an encrypted
 * one in the old form (its headers say so) only whole cipher blocks can be asked for. The title is a
 * certificate's common name or an OpenSSH key's comment. Blocks directly behind each other, as certificates
 * with their chain, are one object.
 */
#include "plugins/carve/format.h"

#include "plugins/carve/formats/base64.h"
#include "plugins/carve/formats/der.h"
#include "plugins/carve/formats/field.h"
#include "engine/base/buf.h"

#include <string.h>

enum { HEADERS_MAX = 16, BLANKS_MAX = 4 };

struct label {
    const char *text, *extension, *format;
};

static const struct label labels[] = {
    {"CERTIFICATE", "pem", "certificate"},
    {"X509 CERTIFICATE", "pem", "certificate"},
    {"TRUSTED CERTIFICATE", "pem", "certificate"},
    {"ATTRIBUTE CERTIFICATE", "pem", "attribute certificate"},
    {"CERTIFICATE REQUEST", "csr", "certificate request"},
    {"NEW CERTIFICATE REQUEST", "csr", "certificate request"},
    {"X509 CRL", "crl", "certificate revocation list"},
    {"PRIVATE KEY", "key", "private key"},
    {"ENCRYPTED PRIVATE KEY", "key", "private key, encrypted"},
    {"RSA PRIVATE KEY", "key", "RSA private key"},
    {"DSA PRIVATE KEY", "key", "DSA private key"},
    {"EC PRIVATE KEY", "key", "EC private key"},
    {"OPENSSH PRIVATE KEY", "key", "OpenSSH private key"},
    {"PUBLIC KEY", "pem", "public key"},
    {"RSA PUBLIC KEY", "pem", "RSA public key"},
    {"PKCS7", "p7b", "PKCS #7 data"},
    {"CMS", "pem", "CMS data"},
    {"EC PARAMETERS", "key", "EC private key"},
    {"DH PARAMETERS", "pem", "Diffie-Hellman parameters"},
    {"DSA PARAMETERS", "pem", "DSA parameters"},
};

static const struct label *read_label(struct reader *reader, uint64_t offset, uint64_t *ret_next)
{
    size_t size;
    const uint8_t *line = text_line(reader, offset, &size, ret_next);

    for (size_t i = 0; line != NULL && i < sizeof labels / sizeof labels[0]; i++) {
        size_t n = strlen(labels[i].text);

        if (size == n + 16 && memcmp(line, "-----BEGIN ", 11) == 0 &&
            memcmp(line + 11, labels[i].text, n) == 0 && memcmp(line + 11 + n, "-----", 5) == 0)
            return &labels[i];
    }
    return NULL;
}

/* Fields such as "Proc-Type: 4,ENCRYPTED", and the blank line behind them. */
static bool skip_headers(struct reader *reader, uint64_t *at, bool *ret_encrypted)
{
    for (int i = 0; i < HEADERS_MAX; i++) {
        uint64_t next;
        size_t size;
        const uint8_t *line = text_line(reader, *at, &size, &next);

        if (line == NULL)
            return false;
        if (size > 0 && memmem(line, size, ": ", 2) == NULL)
            return true;
        if (memmem(line, size, "ENCRYPTED", 9) != NULL)
            *ret_encrypted = true;
        *at = next;
        if (size == 0)
            return true;
    }
    return false;
}

/* An SSH string at `at` of `size` bytes: where it ends, 0 when it does not fit. */
static size_t ssh_string(const uint8_t *p, size_t size, size_t at)
{
    if (size - at < 4 || field_be32(p + at) > size - at - 4)
        return 0;
    return at + 4 + field_be32(p + at);
}

/* The unencrypted part: two equal numbers, strings of which the last is the comment, 1 2 3 ... as padding. */
static bool openssh_private(const uint8_t *p, size_t size, struct carved *ret)
{
    size_t at = 8, next, last = 0;

    if (size < 8 || memcmp(p, p + 4, 4) != 0)
        return false;
    while (at < size && !(p[at] == 1 && size - at < 16) && (next = ssh_string(p, size, at)) != 0) {
        last = at;
        at = next;
    }
    for (size_t i = at; i < size; i++) {
        if (p[i] != i - at + 1)
            return false;
    }
    if (last != 0)
        carved_title(ret, p + last + 4, at - last - 4, "UTF-8");
    return last != 0;
}

static bool openssh_holds(const uint8_t *p, size_t size, struct carved *ret)
{
    static const char magic[] = "openssh-key-v1";
    size_t at = sizeof magic, private;
    bool plain;
    uint32_t keys;

    if (size < at || memcmp(p, magic, at) != 0)
        return false;
    plain = size - at >= 8 && memcmp(p + at, "\0\0\0\4none", 8) == 0;
    for (int i = 0; i < 3; i++) { /* cipher, key derivation, its options */
        if ((at = ssh_string(p, size, at)) == 0)
            return false;
    }
    keys = size - at >= 4 ? field_be32(p + at) : 0;
    at += 4;
    if (keys == 0 || keys > 16)
        return false;
    for (; keys > 0; keys--) {
        if ((at = ssh_string(p, size, at)) == 0)
            return false;
    }
    private = at;
    at = ssh_string(p, size, at);
    return at == size && (!plain || openssh_private(p + private + 4, at - private - 4, ret));
}

/* The subject's common name is the last one in a certificate. */
static void name_certificate(const uint8_t *p, size_t size, struct carved *ret)
{
    const uint8_t *at = p, *found = NULL;

    if (ret->title[0] != '\0')
        return;
    while ((at = memmem(at, size - (size_t)(at - p), "\x06\x03\x55\x04\x03", 5)) != NULL) {
        found = at;
        at += 5;
    }
    if (found == NULL || size - (size_t)(found - p) < 7)
        return;
    found += 5;
    size -= (size_t)(found - p);
    if ((found[0] == 0x0c || found[0] == 0x13 || found[0] == 0x16 || found[0] == 0x14) && found[1] < 0x80 &&
        found[1] <= size - 2)
        carved_title(ret, found + 2, found[1], "UTF-8");
}

static bool content_holds(const struct label *label, bool encrypted, const struct buf *content,
                          struct carved *ret)
{
    size_t end;

    if (encrypted)
        return content->size >= 8 && content->size % 8 == 0;
    if (strcmp(label->text, "OPENSSH PRIVATE KEY") == 0)
        return openssh_holds(content->data, content->size, ret);
    if (!der_walk(content->data, content->size, &end))
        return false;
    if (strstr(label->text, "CERTIFICATE") != NULL)
        name_certificate(content->data, content->size, ret);
    return end == content->size || strcmp(label->text, "TRUSTED CERTIFICATE") == 0;
}

/* One block at `at`, which moves to its end or, when it is cut, to where its lines end. */
static enum carve_grade take_block(struct reader *reader, uint64_t *at, struct carved *ret)
{
    struct buf content = {0};
    struct base64 base64 = {.reader = reader, .take = base64_keep, .context = &content};
    const struct label *label = read_label(reader, *at, &base64.at);
    enum carve_grade grade = CARVE_PARTIAL;
    bool encrypted = false, even;

    if (label == NULL || !skip_headers(reader, &base64.at, &encrypted))
        return CARVE_NONE;
    even = base64_lines(&base64);
    if (base64.lines == 0)
        grade = CARVE_NONE;
    else if (armour_ends(reader, base64.at, label->text, &base64.at))
        grade = even && content.size > 0 && content_holds(label, encrypted, &content, ret) ? CARVE_VALIDATED
                                                                                           : CARVE_COMPLETE;
    if (grade != CARVE_NONE) {
        *at = base64.at;
        ret->format = ret->format != NULL ? ret->format : label->format;
        ret->extension = ret->extension != NULL ? ret->extension : label->extension;
    }
    buf_finish(&content);
    return grade;
}

/* Another block directly behind, or behind blank lines: it is of the same file. 0: none. */
static uint64_t next_block(struct reader *reader, uint64_t at)
{
    uint64_t next;

    for (int i = 0; i < BLANKS_MAX; i++, at = next) {
        if (read_label(reader, at, &next) != NULL)
            return at;
        next = text_line_end(reader, at);
        if (next == at)
            break;
    }
    return 0;
}

static enum carve_grade examine_pem(struct reader *reader, struct carved *ret)
{
    uint64_t at = 0, end;
    enum carve_grade grade = take_block(reader, &at, ret), more;

    if (grade <= CARVE_PARTIAL)
        return grade == CARVE_NONE ? CARVE_NONE
                                   : carved_partial(ret, at, "the lines of base64 end before their END");
    while ((end = next_block(reader, at)) != 0 && (more = take_block(reader, &end, ret)) > CARVE_PARTIAL) {
        at = end;
        grade = more < grade ? more : grade;
    }
    return carved_whole(ret, grade, at);
}

static const struct carve_format pem_format = {"pem", examine_pem};
const struct carve_format *const carve_pem[] = {&pem_format, NULL};
