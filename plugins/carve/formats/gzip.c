/*
 * gzip: gzip files [RFC 1952], of one member or several. Validated: every member inflates to its CRC-32 and
 * size. The name of the packed file is the title; a tar archive inside is told by its first header.
 */
#include "plugins/carve/format.h"
#include "plugins/carve/formats/unpack.h"

#include <string.h>

enum {
    FIXED = 10,
    FLAG_HEADER_CRC = 2,
    FLAG_EXTRA = 4,
    FLAG_NAME = 8,
    FLAG_COMMENT = 16,
    NAME_MAX_SIZE = 4096,
    INFLATE_LAG = 128 * 1024, /* bytes that inflate may take before it sees that they are not its own */
    FALSE_HIT = 64,           /* data that breaks off before this many bytes is none */
};
#define MADE_MAX (UINT64_C(64) << 30)

/* Moves `at` behind the zero-ended text there. */
static bool skip_text(struct reader *reader, uint64_t *at)
{
    uint64_t end = reader_find(reader, *at, *at + NAME_MAX_SIZE, "", 1);

    if (end == UINT64_MAX)
        return false;
    *at = end + 1;
    return true;
}

/* The member's header at `begin`: where its data begins, and its name; 0: there is none. */
static uint64_t header_end(struct reader *reader, uint64_t begin, uint64_t *ret_name)
{
    const uint8_t *p = reader_at(reader, begin, FIXED);
    uint64_t at = begin + FIXED;
    uint16_t length, stored;
    uint32_t crc;
    uint8_t flags;

    if (p == NULL || p[0] != 0x1f || p[1] != 0x8b || p[2] != 8 || (p[3] & 0xe0) != 0)
        return 0;
    flags = p[3];
    if ((flags & FLAG_EXTRA) != 0) {
        if (!reader_le16(reader, at, &length))
            return 0;
        at += 2u + length;
    }
    *ret_name = (flags & FLAG_NAME) != 0 ? at : 0;
    if (((flags & FLAG_NAME) != 0 && !skip_text(reader, &at)) ||
        ((flags & FLAG_COMMENT) != 0 && !skip_text(reader, &at)))
        return 0;
    if ((flags & FLAG_HEADER_CRC) != 0) {
        if (!reader_crc32(reader, begin, at - begin, &crc) || !reader_le16(reader, at, &stored) ||
            stored != (uint16_t)crc)
            return 0;
        at += 2;
    }
    return at < reader_size(reader) ? at : 0;
}

/* RFC 1952: names are ISO 8859-1; most are UTF-8 today, which then is what they are taken for. */
static void take_name(struct reader *reader, uint64_t name, struct carved *ret)
{
    uint8_t text[CARVED_TITLE_SIZE];
    size_t size = unpack_stored(reader, name, reader_size(reader), text, sizeof text);

    carved_title(ret, text, strnlen((const char *)text, size), "UTF-8");
}

static void tell(struct reader *reader, uint64_t data, struct carved *ret)
{
    uint8_t block[512];

    if (unpack_inflate(reader, READER_DEFLATE, data, reader_size(reader), block, sizeof block) ==
            sizeof block &&
        memcmp(block + 257, "ustar", 5) == 0) {
        ret->extension = "tar.gz";
        ret->format = "gzip-packed tar archive";
    }
}

/* The member at `begin`: behind it, or 0 with what is wrong in `ret`. */
static uint64_t follow_member(struct reader *reader, uint64_t begin, uint64_t data, struct carved *ret)
{
    uint64_t end, size = 0;
    uint32_t crc = 0, stored_crc, stored_size;

    if (!reader_inflate(reader, READER_DEFLATE, data, reader_size(reader), MADE_MAX, &end, &size, &crc)) {
        uint64_t good = end - data > INFLATE_LAG ? end - INFLATE_LAG : data;

        carved_partial(ret, good, "the rest of the data packed from byte %llu on", (unsigned long long)begin);
        if (begin == 0 && end - data < FALSE_HIT)
            ret->grade = end == reader_size(reader) ? CARVE_FRAGMENT : CARVE_NONE;
        return 0;
    }
    if (!reader_le32(reader, end, &stored_crc) || !reader_le32(reader, end + 4, &stored_size)) {
        carved_partial(ret, end, "the CRC and size at its end");
        return 0;
    }
    if (stored_crc != crc || stored_size != (uint32_t)size) {
        carved_partial(ret, data, "the data packed from byte %llu on is damaged: its CRC is wrong",
                       (unsigned long long)begin);
        return 0;
    }
    return end + 8;
}

static enum carve_grade examine_gzip(struct reader *reader, struct carved *ret)
{
    uint64_t name, more, data = header_end(reader, 0, &name), end;

    if (data == 0)
        return CARVE_NONE;
    end = follow_member(reader, 0, data, ret);
    for (uint64_t begin = end; end != 0; begin = end) {
        uint64_t next = header_end(reader, begin, &more);

        if (next == 0) {
            carved_whole(ret, CARVE_VALIDATED, begin);
            break;
        }
        end = follow_member(reader, begin, next, ret);
    }
    if (ret->grade >= CARVE_PARTIAL) {
        tell(reader, data, ret);
        if (name != 0)
            take_name(reader, name, ret);
    }
    return ret->grade;
}

static const struct carve_format gzip_format = {"gzip", examine_gzip};
const struct carve_format *const carve_gzip[] = {&gzip_format, NULL};
