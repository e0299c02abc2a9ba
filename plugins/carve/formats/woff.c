/*
 * woff: fonts of the web [W3C, WOFF File Format 1.0 and 2.0]. The header has the length of all. Validated: of
 * version 1, every table inflates to what the directory says (those that are stored have their checksum), the
 * metadata too, and nothing lies outside; of version 2, the directory's sizes add up, and the Brotli streams
 * decode to what it says.
 */
#include "plugins/carve/format.h"

#include "plugins/carve/formats/field.h"

#include <brotli/decode.h>
#include <string.h>

enum { HEADER = 44, HEADER_2 = 48, ENTRY = 20, TABLES_MAX = 96, MADE_MAX = 256 * 1024 * 1024 };

struct woff {
    struct reader *reader;
    uint32_t length, flavor, tables;
    uint64_t end;     /* of what lies in the file, so far */
    uint64_t to_make; /* what all tables so far unpack to */
    uint32_t meta_at, meta_packed, meta_size;
};

static bool flavor_is_known(uint32_t flavor)
{
    return flavor == 0x00010000 || flavor == 0x4f54544f || flavor == 0x74727565 || flavor == 0x74746366;
}

/* Common to both: flavor, length, tables, a zero. */
static bool read_header(struct woff *woff, const char *signature)
{
    const uint8_t *p = reader_at(woff->reader, 0, HEADER);

    if (p == NULL || memcmp(p, signature, 4) != 0)
        return false;
    woff->flavor = field_be32(p + 4);
    woff->length = field_be32(p + 8);
    woff->tables = field_be16(p + 12);
    return flavor_is_known(woff->flavor) && woff->length > HEADER && woff->tables > 0 &&
           woff->tables <= TABLES_MAX && field_be16(p + 14) == 0;
}

/* The range [offset, offset + size), padded to four bytes but at the end; false when it is not in the file.
 */
static bool place(struct woff *woff, uint64_t offset, uint64_t size)
{
    uint64_t end = offset + size;

    if (offset < HEADER || end > woff->length)
        return false;
    woff->end = end > woff->end ? end : woff->end;
    return true;
}

/* The header's five numbers on metadata (place, packed, unpacked) and private data (place, size). False when
 * those are not in the file, or more than anybody has. */
static bool place_extras(struct woff *woff, uint64_t numbers)
{
    const uint8_t *p = reader_at(woff->reader, numbers, 20);

    if (p == NULL)
        return false;
    woff->meta_at = field_be32(p);
    woff->meta_packed = field_be32(p + 4);
    woff->meta_size = field_be32(p + 8);
    return (woff->meta_packed == 0 ||
            (woff->meta_size <= MADE_MAX && place(woff, woff->meta_at, woff->meta_packed))) &&
           (field_be32(p + 16) == 0 || place(woff, field_be32(p + 12), field_be32(p + 16)));
}

/* All is right so far but the metadata, which `unpack` has to like; and nothing may lie behind the rest. */
static enum carve_grade finish(struct woff *woff,
                               bool (*unpack)(struct woff *, uint64_t offset, uint64_t packed, uint64_t size),
                               struct carved *ret)
{
    bool filled = ((woff->end + 3) & ~(uint64_t)3) >= woff->length;
    bool right = woff->meta_packed == 0 || unpack(woff, woff->meta_at, woff->meta_packed, woff->meta_size);

    return carved_whole(ret, filled && right ? CARVE_VALIDATED : CARVE_COMPLETE, woff->length);
}

static bool sum_is_right(struct woff *woff, uint64_t offset, uint64_t size, bool head, uint32_t wanted)
{
    uint32_t sum = 0, adjustment = 0;

    for (uint64_t done = 0; done < size; done += READER_AT_MAX) {
        size_t n = size - done < READER_AT_MAX ? (size_t)(size - done) : READER_AT_MAX;
        const uint8_t *p = reader_at(woff->reader, offset + done, n);

        if (p == NULL)
            return false;
        for (size_t i = 0; i < n; i++)
            sum += (uint32_t)p[i] << (24 - 8 * (i % 4));
        if (head && done == 0 && n >= 12)
            adjustment = field_be32(p + 8);
    }
    return sum - adjustment == wanted;
}

static bool inflates(struct woff *woff, uint64_t offset, uint64_t packed, uint64_t size)
{
    uint64_t end, made;
    uint32_t crc;

    return reader_inflate(woff->reader, READER_ZLIB, offset, offset + packed, size, &end, &made, &crc) &&
           made == size && end == offset + packed;
}

/* One table; *ret_bad: its content is not right. False when its place is not. */
static bool take_table(struct woff *woff, uint32_t index, bool *ret_bad)
{
    const uint8_t *p = reader_at(woff->reader, HEADER + ENTRY * (uint64_t)index, ENTRY);
    uint64_t offset, packed, size;
    uint32_t sum;
    bool head;

    if (p == NULL)
        return false;
    head = memcmp(p, "head", 4) == 0;
    offset = field_be32(p + 4);
    packed = field_be32(p + 8);
    size = field_be32(p + 12);
    sum = field_be32(p + 16);
    woff->to_make += size;
    if (packed > size || woff->to_make > MADE_MAX || !place(woff, offset, packed))
        return false;
    if (offset + packed > reader_size(woff->reader))
        return true;
    *ret_bad =
        packed < size ? !inflates(woff, offset, packed, size) : !sum_is_right(woff, offset, size, head, sum);
    return true;
}

static enum carve_grade examine_woff(struct reader *reader, struct carved *ret)
{
    struct woff woff = {.reader = reader};
    uint32_t wrong = 0;
    uint64_t bad = UINT64_MAX;

    if (!read_header(&woff, "wOFF"))
        return CARVE_NONE;
    woff.end = HEADER + ENTRY * (uint64_t)woff.tables;
    if (!place_extras(&woff, 24))
        return CARVE_NONE;
    for (uint32_t i = 0; i < woff.tables; i++) {
        bool is_bad = false;
        uint32_t offset = 0;

        if (!take_table(&woff, i, &is_bad))
            return CARVE_NONE;
        (void)reader_be32(reader, HEADER + ENTRY * (uint64_t)i + 4, &offset);
        wrong += is_bad;
        bad = is_bad && offset < bad ? offset : bad;
    }
    if (woff.length > reader_size(reader))
        return carved_partial(ret, bad < reader_size(reader) ? bad : reader_size(reader),
                              "the data ends here");
    if (wrong > 0) {
        carved_partial(ret, bad, "%u tables of %u do not hold", wrong, woff.tables);
        ret->size = woff.length;
        return ret->grade;
    }
    return finish(&woff, inflates, ret);
}

/* UIntBase128: at most five bytes, no leading zero; how many it took, 0: it is none. */
static size_t base128(const uint8_t *p, size_t size, uint32_t *ret)
{
    uint64_t n = 0;

    for (size_t i = 0; i < 5 && i < size; i++) {
        if (i == 0 && p[i] == 0x80)
            return 0;
        n = n << 7 | (p[i] & 0x7f);
        if ((p[i] & 0x80) == 0) {
            *ret = (uint32_t)n;
            return n <= UINT32_MAX ? i + 1 : 0;
        }
    }
    return 0;
}

/* The directory of version 2: flags, an unknown tag, lengths. *ret_size: what the stream decodes to. */
static bool read_directory(struct woff *woff, uint64_t *at, uint64_t *ret_size)
{
    for (uint32_t i = 0; i < woff->tables; i++) {
        uint64_t left = woff->length > *at ? woff->length - *at : 0;
        size_t have = left < 16 ? (size_t)left : 16, done = 1, n;
        const uint8_t *p = have > 2 ? reader_at(woff->reader, *at, have) : NULL;
        uint32_t size, packed;
        uint8_t tag, transform;

        if (p == NULL)
            return false;
        tag = p[0] & 63;
        transform = p[0] >> 6;
        done += tag == 63 ? 4 : 0;
        if (done >= have || (n = base128(p + done, have - done, &size)) == 0)
            return false;
        done += n;
        packed = size;
        /* glyf and loca are transformed by default: 3 says that they are not. */
        if (transform != (tag == 10 || tag == 11 ? 3 : 0)) {
            if (done >= have || (n = base128(p + done, have - done, &packed)) == 0)
                return false;
            done += n;
        }
        *ret_size += packed;
        *at += done;
    }
    return *ret_size <= MADE_MAX;
}

/* A Brotli stream that fills [offset, offset + packed) and decodes to `size` bytes. */
static bool unpacks(struct woff *woff, uint64_t offset, uint64_t packed, uint64_t size)
{
    BrotliDecoderState *state = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    BrotliDecoderResult result = BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT;
    uint8_t out[32 * 1024];
    uint64_t made = 0;

    while (state != NULL && made <= size && packed > 0 && result == BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT) {
        const uint8_t *data;
        size_t span = reader_span(woff->reader, offset, &data), left;

        if (span == 0)
            break;
        span = span < packed ? span : (size_t)packed;
        left = span;
        do {
            uint8_t *next = out;
            size_t room = sizeof out;

            result = BrotliDecoderDecompressStream(state, &left, &data, &room, &next, NULL);
            made += sizeof out - room;
        } while (result == BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT && made <= size);
        offset += span - left;
        packed -= span - left;
    }
    if (state != NULL)
        BrotliDecoderDestroyInstance(state);
    return result == BROTLI_DECODER_RESULT_SUCCESS && made == size && packed == 0;
}

/* The directory of a collection inside: fonts, each with the numbers of its tables; skipped. */
static bool skip_collection(struct woff *woff, uint64_t *at)
{
    const uint8_t *p = reader_at(woff->reader, *at, 6);
    uint32_t fonts = p != NULL && p[4] < 253 ? p[4] : 0;

    *at += 5;
    for (; fonts > 0; fonts--) {
        uint32_t tables = (p = reader_at(woff->reader, *at, 1)) != NULL && p[0] < 253 ? p[0] : 0;

        if (tables == 0)
            return false;
        *at += 5;
        for (; tables > 0; tables--, (*at)++) {
            if ((p = reader_at(woff->reader, *at, 1)) == NULL || p[0] == 254)
                return false;
            *at += p[0] == 253 ? 2 : p[0] == 255 ? 1 : 0;
        }
    }
    return true;
}

static enum carve_grade examine_woff2(struct reader *reader, struct carved *ret)
{
    struct woff woff = {.reader = reader};
    uint64_t at = HEADER_2, size = 0;
    uint32_t packed;

    if (!read_header(&woff, "wOF2") || !reader_be32(reader, 20, &packed) || !place_extras(&woff, 28))
        return CARVE_NONE;
    if (!read_directory(&woff, &at, &size) || (woff.flavor == 0x74746366 && !skip_collection(&woff, &at)) ||
        !place(&woff, at, packed))
        return CARVE_NONE;
    if (woff.length > reader_size(reader))
        return carved_partial(ret, reader_size(reader), "the data ends here");
    if (!unpacks(&woff, at, packed, size)) {
        carved_partial(ret, at, "its Brotli stream does not decode to what the directory says");
        ret->size = woff.length;
        return ret->grade;
    }
    return finish(&woff, unpacks, ret);
}

static const struct carve_format woff_format = {"woff", examine_woff};
static const struct carve_format woff2_format = {"woff2", examine_woff2};
const struct carve_format *const carve_woff[] = {&woff_format, &woff2_format, NULL};
