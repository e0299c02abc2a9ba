/*
 * keystore: stores of keys and certificates: PKCS #12 [RFC 7292] and Java's JKS [OpenJDK,
 * sun.security.provider.JavaKeyStore]. PKCS #12 is one DER value, whose lengths must all fit. A JKS has
 * entries of aliases, dates, keys and certificates, and a SHA-1 over a password and all of it, which cannot
 * be checked without the password. Validated: every entry is well-formed, and its DER values fill their
 * lengths. The title is the first alias.
 */
#include "plugins/carve/format.h"

#include "plugins/carve/formats/der.h"
#include "plugins/carve/formats/field.h"
#include "engine/base/buf.h"
#include "engine/base/text.h"

#include <string.h>

enum { CONTENT_MAX = 16 * 1024 * 1024, INDEFINITE_MAX = 256 * 1024, ENTRIES_MAX = 4096 };

static bool load(struct reader *reader, uint64_t size, struct buf *ret)
{
    uint64_t offset = 0;

    while (offset < size) {
        const uint8_t *data;
        size_t span = reader_span(reader, offset, &data);

        if (span == 0)
            return false;
        span = span < size - offset ? span : (size_t)(size - offset);
        buf_append(ret, data, span);
        offset += span;
    }
    return !buf_failed(ret);
}

/* SEQUENCE { version 3, SEQUENCE { data or signedData */
static bool begins_pkcs12(const uint8_t *p, size_t size)
{
    static const uint8_t oid[] = {0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07};
    size_t at = 2 + (p[1] > 0x80 ? (size_t)(p[1] & 0x7f) : 0);

    if (p[0] != 0x30 || at > 6 || memcmp(p + at, "\x02\x01\x03\x30", 4) != 0)
        return false;
    at += 4;
    at += 1 + (p[at] > 0x80 ? (size_t)(p[at] & 0x7f) : 0);
    return at + sizeof oid < size && memcmp(p + at, oid, sizeof oid) == 0 &&
           (p[at + sizeof oid] == 1 || p[at + sizeof oid] == 2);
}

static enum carve_grade examine_pkcs12(struct reader *reader, struct carved *ret)
{
    const uint8_t *p = reader_at(reader, 0, 40);
    struct buf content = {0};
    uint64_t size;
    size_t end = 0;
    bool whole;

    if (p == NULL || !begins_pkcs12(p, 40))
        return CARVE_NONE;
    size = der_size(p, 40);
    if (size > CONTENT_MAX)
        return CARVE_NONE;
    if (size > reader_size(reader))
        return carved_partial(ret, reader_size(reader), "the last %llu bytes: the data ends here",
                              (unsigned long long)(size - reader_size(reader)));
    if (size == 0)
        size = reader_size(reader) < INDEFINITE_MAX ? reader_size(reader) : INDEFINITE_MAX;
    whole = load(reader, size, &content) && der_walk(content.data, content.size, &end);
    buf_finish(&content);
    if (!whole)
        return carved_partial(ret, 40, "some of its lengths do not fit in what holds them");
    return carved_whole(ret, CARVE_VALIDATED, end);
}

struct jks {
    struct reader *reader;
    uint64_t at;
    bool cut;
};

static const uint8_t *take(struct jks *jks, size_t size)
{
    const uint8_t *p = reader_at(jks->reader, jks->at, size);

    if (p != NULL)
        jks->at += size;
    else
        jks->cut = true;
    return p;
}

/* Java's text: a length of two bytes. */
static const uint8_t *take_text(struct jks *jks, size_t *ret_size)
{
    const uint8_t *p = take(jks, 2);

    if (p == NULL)
        return NULL;
    *ret_size = field_be16(p);
    p = *ret_size > 0 && *ret_size < 4096 ? take(jks, *ret_size) : NULL;
    return p != NULL && text_is_utf8(p, *ret_size) ? p : NULL;
}

/* A length of four bytes, and a DER value that fills it. */
static bool take_der(struct jks *jks)
{
    const uint8_t *p = take(jks, 4);
    uint32_t size = p != NULL ? field_be32(p) : 0;

    if (size < 16 || size > READER_AT_MAX || (p = take(jks, size)) == NULL)
        return false;
    return der_size(p, size) == size;
}

static bool take_certificate(struct jks *jks)
{
    size_t size = 0;
    const uint8_t *p = take_text(jks, &size);

    return p != NULL && size >= 5 && size <= 16 && memcmp(p, "X.509", 5) == 0 && take_der(jks);
}

static bool take_entry(struct jks *jks, struct carved *ret)
{
    const uint8_t *p = take(jks, 4);
    uint32_t tag = p != NULL ? field_be32(p) : 0, count;
    size_t size = 0;

    if ((tag != 1 && tag != 2) || (p = take_text(jks, &size)) == NULL)
        return false;
    if (ret->title[0] == '\0')
        carved_title(ret, p, size, "UTF-8");
    if (take(jks, 8) == NULL) /* date */
        return false;
    if (tag == 2)
        return take_certificate(jks);
    if (!take_der(jks) || (p = take(jks, 4)) == NULL || (count = field_be32(p)) > 64)
        return false;
    for (; count > 0; count--) {
        if (!take_certificate(jks))
            return false;
    }
    return true;
}

static enum carve_grade examine_jks(struct reader *reader, struct carved *ret)
{
    struct jks jks = {.reader = reader};
    const uint8_t *p = take(&jks, 12);
    uint32_t count;

    if (p == NULL || (field_be32(p) != 0xfeedfeed && field_be32(p) != 0xcececece) || field_be32(p + 4) < 1 ||
        field_be32(p + 4) > 2 || (count = field_be32(p + 8)) > ENTRIES_MAX || count == 0)
        return CARVE_NONE;
    for (; count > 0; count--) {
        uint64_t begin = jks.at;

        if (take_entry(&jks, ret))
            continue;
        if (begin == 12 && !jks.cut)
            return CARVE_NONE;
        return carved_partial(ret, begin, "%u entries: the one at byte %llu is cut", (unsigned)count,
                              (unsigned long long)begin);
    }
    if (reader_at(reader, jks.at, 20) == NULL)
        return carved_partial(ret, jks.at, "the digest behind the entries");
    return carved_whole(ret, CARVE_VALIDATED, jks.at + 20);
}

static const struct carve_format pkcs12_format = {"pkcs12", examine_pkcs12};
static const struct carve_format jks_format = {"jks", examine_jks};
const struct carve_format *const carve_keystore[] = {&pkcs12_format, &jks_format, NULL};
