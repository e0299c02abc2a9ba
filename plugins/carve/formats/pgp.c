/*
 * pgp: OpenPGP in ASCII armour: keys, messages, signatures, signed texts [RFC 4880, sections 4, 6, 7; RFC
 * 9580]. From the BEGIN line to the line of END, with that line's end. Validated: the packets inside fill it,
 * begin with what the label says, and the CRC-24 is right where there is one. The title is the first user ID.
 * Blocks directly behind each other, as in a file of several keys, are one object.
 */
#include "plugins/carve/format.h"

#include "plugins/carve/formats/base64.h"
#include "engine/base/text.h"

#include <string.h>

enum { TEXT_MAX = 64 * 1024 * 1024, HEADERS_MAX = 32, USER_ID_MAX = 255 };

enum tag { SESSION_KEY = 1, SIGNATURE, PASSWORD_KEY, ONE_PASS, SECRET_KEY, PUBLIC_KEY, USER_ID = 13 };

/* The packets of a stream, counted without being kept. */
struct packets {
    uint32_t crc;
    uint64_t left;      /* of the body at hand */
    bool partial;       /* another length follows this part of the body */
    bool indeterminate; /* the body goes on to the end (old format) */
    uint8_t header[6];
    unsigned header_size;
    uint8_t tag, first; /* of the packet at hand, of the first one */
    bool wrong;
    uint8_t user_id[USER_ID_MAX];
    size_t user_id_size;
    bool named;
};

/* CRC-24 of the polynomial 0x864CFB, four bits at a time. */
static uint32_t crc24(uint32_t crc, uint8_t byte)
{
    static const uint32_t table[16] = {0x000000, 0x864cfb, 0x8ad50d, 0x0c99f6, 0x93e6e1, 0x15aa1a,
                                       0x1933ec, 0x9f7f17, 0xa18139, 0x27cdc2, 0x2b5434, 0xad18cf,
                                       0x3267d8, 0xb42b23, 0xb8b2d5, 0x3efe2e};

    crc ^= (uint32_t)byte << 16;
    crc = (crc << 4 ^ table[crc >> 20]) & 0xffffff;
    return (crc << 4 ^ table[crc >> 20]) & 0xffffff;
}

/* How many bytes the header has that begins so; the length itself when they are all there. */
static unsigned header_needs(const struct packets *p)
{
    static const uint8_t old[] = {2, 3, 5, 1};
    uint8_t length = p->header[1];

    if ((p->header[0] & 0x40) == 0)
        return old[p->header[0] & 3];
    if (p->header_size < 2)
        return 2;
    return length < 192 || (length >= 224 && length < 255) ? 2 : length < 224 ? 3 : 6;
}

static void begin_body(struct packets *p)
{
    const uint8_t *h = p->header;
    unsigned size = p->header_size;

    p->partial = false;
    p->tag = (h[0] & 0x40) != 0 ? h[0] & 0x3f : (h[0] >> 2) & 0x0f;
    if (p->first == 0)
        p->first = p->tag;
    p->indeterminate = size == 1;
    if ((h[0] & 0x40) == 0)
        p->left = size == 2 ? h[1] : size == 3 ? (uint32_t)h[1] << 8 | h[2] : 0;
    else
        p->left = size == 3 ? (((uint32_t)h[1] - 192) << 8) + h[2] + 192 : h[1];
    if (size >= 5)
        p->left = (uint32_t)h[size - 4] << 24 | (uint32_t)h[size - 3] << 16 | (uint32_t)h[size - 2] << 8 |
                  h[size - 1];
    if ((h[0] & 0x40) != 0 && size == 2 && h[1] >= 224) {
        p->partial = true;
        p->left = UINT64_C(1) << (h[1] & 0x1f);
    }
    p->wrong = p->tag == 0;
    p->header_size = 0;
    if (p->partial) { /* the next length has no tag before it: keep the tag byte */
        p->header[0] = (uint8_t)(0xc0 | p->tag);
        p->header_size = 1;
    }
}

static void take_header(struct packets *p, uint8_t byte)
{
    p->header[p->header_size++] = byte;
    if (p->header_size == 1 && (byte & 0x80) == 0)
        p->wrong = true;
    else if (p->header_size >= header_needs(p))
        begin_body(p);
}

static size_t take_body(struct packets *p, const uint8_t *data, size_t size)
{
    size_t n = p->indeterminate || size < p->left ? size : (size_t)p->left;

    if (p->tag == USER_ID && !p->named) {
        size_t keep = n < USER_ID_MAX - p->user_id_size ? n : USER_ID_MAX - p->user_id_size;

        memcpy(p->user_id + p->user_id_size, data, keep);
        p->user_id_size += keep;
        p->named = n == p->left;
    }
    if (!p->indeterminate)
        p->left -= n;
    return n;
}

static bool take(void *context, const uint8_t *data, size_t size)
{
    struct packets *p = context;

    for (size_t i = 0; i < size; i++)
        p->crc = crc24(p->crc, data[i]);
    while (size > 0 && !p->wrong) {
        if (p->left > 0 || p->indeterminate) {
            size_t n = take_body(p, data, size);

            data += n;
            size -= n;
        } else {
            take_header(p, *data++);
            size--;
        }
    }
    return !p->wrong;
}

static bool packets_end(const struct packets *p)
{
    return !p->wrong && p->first != 0 && p->left == 0 && p->header_size == 0;
}

struct label {
    const char *text, *extension, *format;
    uint8_t tags[8]; /* what it may begin with; none: anything */
};

static const struct label labels[] = {
    {"PGP PUBLIC KEY BLOCK", "asc", "OpenPGP public key", {PUBLIC_KEY, SIGNATURE}},
    {"PGP PRIVATE KEY BLOCK", "asc", "OpenPGP private key", {SECRET_KEY}},
    {"PGP MESSAGE", "asc", "OpenPGP message", {SESSION_KEY, PASSWORD_KEY, ONE_PASS, 8, 9, 11, 20, SIGNATURE}},
    {"PGP SIGNATURE", "asc", "OpenPGP signature", {SIGNATURE}},
    {"PGP ARMORED FILE", "asc", "OpenPGP armoured file", {0}},
};

static bool tag_fits(const struct label *label, uint8_t tag)
{
    return label->tags[0] == 0 || memchr(label->tags, tag, sizeof label->tags) != NULL;
}

/* Is the line "-----<word> <label>-----", with nothing but blanks behind? */
static bool is_marker(const uint8_t *line, size_t size, const char *word, const char *label)
{
    size_t a = strlen(word), b = strlen(label);

    while (size > 0 && (line[size - 1] == ' ' || line[size - 1] == '\t'))
        size--;
    return size == 5 + a + 1 + b + 5 && memcmp(line, "-----", 5) == 0 && memcmp(line + 5, word, a) == 0 &&
           line[5 + a] == ' ' && memcmp(line + 6 + a, label, b) == 0 &&
           memcmp(line + 6 + a + b, "-----", 5) == 0;
}

static const struct label *read_label(struct reader *reader, uint64_t offset, uint64_t *ret_next)
{
    size_t size;
    const uint8_t *line = text_line(reader, offset, &size, ret_next);

    for (size_t i = 0; line != NULL && i < sizeof labels / sizeof labels[0]; i++) {
        if (is_marker(line, size, "BEGIN", labels[i].text))
            return &labels[i];
    }
    return NULL;
}

/* "Version: GnuPG v2" and the like, up to a blank line; some writers leave both out. */
static bool skip_headers(struct reader *reader, uint64_t *at)
{
    for (int i = 0; i < HEADERS_MAX; i++) {
        uint64_t next;
        size_t size;
        const uint8_t *line = text_line(reader, *at, &size, &next);

        if (line == NULL || !text_is_utf8(line, size))
            return false;
        while (size > 0 && (line[size - 1] == ' ' || line[size - 1] == '\t'))
            size--;
        if (size > 0 && memmem(line, size, ": ", 2) == NULL && line[size - 1] != ':')
            return true;
        *at = next;
        if (size == 0)
            return true;
    }
    return false;
}

/* "=" and four characters. False when there is such a line and it does not hold. */
static bool checksum_holds(struct reader *reader, uint64_t *at, const struct packets *packets)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t crc = 0;
    uint64_t next;
    size_t size;
    const uint8_t *line = text_line(reader, *at, &size, &next);

    if (line == NULL || size < 5 || line[0] != '=')
        return true;
    for (size_t i = 1; i < 5; i++) {
        const char *found = memchr(alphabet, line[i], sizeof alphabet - 1);

        crc = crc << 6 | (found != NULL ? (uint32_t)(found - alphabet) : 0);
    }
    *at = next;
    return crc == packets->crc;
}

/* One block at `at`, which moves behind it. */
static enum carve_grade take_block(struct reader *reader, uint64_t *at, struct carved *ret)
{
    struct packets packets = {.crc = 0xb704ce};
    struct base64 base64 = {.reader = reader, .take = take, .context = &packets};
    const struct label *label = read_label(reader, *at, &base64.at);
    bool even, right;

    if (label == NULL || !skip_headers(reader, &base64.at))
        return CARVE_NONE;
    even = base64_lines(&base64);
    if (base64.lines == 0 || !tag_fits(label, packets.first))
        return CARVE_NONE;
    if (ret->format == NULL)
        ret->format = label->format;
    if (ret->title[0] == '\0')
        carved_title(ret, packets.user_id, packets.user_id_size, "UTF-8");
    *at = base64.at;
    right = checksum_holds(reader, &base64.at, &packets) && even && packets_end(&packets);
    if (!armour_ends(reader, base64.at, label->text, at))
        return CARVE_PARTIAL;
    return right ? CARVE_VALIDATED : CARVE_COMPLETE;
}

static enum carve_grade examine_pgp(struct reader *reader, struct carved *ret)
{
    uint64_t at = 0, next;
    enum carve_grade grade = take_block(reader, &at, ret), more;

    if (grade <= CARVE_PARTIAL)
        return grade == CARVE_NONE ? CARVE_NONE
                                   : carved_partial(ret, at, "the armour's lines end before its END");
    while (read_label(reader, at, &next) != NULL) {
        uint64_t end = at;

        more = take_block(reader, &end, ret);
        if (more <= CARVE_PARTIAL)
            break;
        at = end;
        grade = more < grade ? more : grade;
    }
    return carved_whole(ret, grade, at);
}

/* A text, and its signature: no line of the text may begin with '-' but for "- ". */
static enum carve_grade examine_signed(struct reader *reader, struct carved *ret)
{
    static const char begin[] = "-----BEGIN PGP SIGNED MESSAGE-----";
    uint64_t next = 0, at, binary, limit = reader_size(reader) < TEXT_MAX ? reader_size(reader) : TEXT_MAX;
    size_t size;
    const uint8_t *line = text_line(reader, 0, &size, &next);
    enum carve_grade grade;

    if (line == NULL || !is_marker(line, size, "BEGIN", "PGP SIGNED MESSAGE") || !skip_headers(reader, &next))
        return CARVE_NONE;
    at = reader_find(reader, sizeof begin - 1, limit, "\n-----", 6);
    binary = reader_find(reader, next, at < limit ? at : limit, "\0", 1);
    ret->format = "OpenPGP signed text";
    if (binary != UINT64_MAX || at == UINT64_MAX)
        return carved_partial(ret, binary != UINT64_MAX ? binary : next, "the signature behind the text");
    at++;
    grade = take_block(reader, &at, ret);
    if (grade <= CARVE_PARTIAL)
        return carved_partial(ret, at, "the signature behind the text, or its end");
    return carved_whole(ret, grade, at);
}

static const struct carve_format pgp_format = {"pgp", examine_pgp};
static const struct carve_format signed_format = {"pgpsigned", examine_signed};
const struct carve_format *const carve_pgp[] = {&pgp_format, &signed_format, NULL};
