/*
 * flac_frame: see flac_frame.h. Subframes are read as far as is needed to know where they end: prediction is
 * not undone.
 */
#include "plugins/carve/formats/flac_frame.h"
#include "plugins/carve/formats/field.h"

#include "engine/base/bytes.h"

/* Bits of the object, the most significant first. */
struct bits {
    struct reader *reader;
    const uint8_t *data; /* what is at hand */
    size_t size, at;
    uint64_t next, limit; /* offsets in the object: behind data, and where to stop */
    uint64_t cache;       /* at the top */
    unsigned cached;
    bool failed;
};

static void refill(struct bits *bits)
{
    while (bits->cached <= 56) {
        if (bits->at == bits->size) {
            size_t span = bits->next < bits->limit ? reader_span(bits->reader, bits->next, &bits->data) : 0;

            if (span == 0)
                return;
            bits->size = span < bits->limit - bits->next ? span : (size_t)(bits->limit - bits->next);
            bits->at = 0;
            bits->next += bits->size;
        }
        bits->cache |= (uint64_t)bits->data[bits->at++] << (56 - bits->cached);
        bits->cached += 8;
    }
}

/* `count` of at most 33 bits. */
static uint64_t take(struct bits *bits, unsigned count)
{
    uint64_t value;

    if (bits->cached < count)
        refill(bits);
    if (bits->cached < count || bits->failed) {
        bits->failed = true;
        return 0;
    }
    value = count == 0 ? 0 : bits->cache >> (64 - count);
    bits->cache <<= count;
    bits->cached -= count;
    return value;
}

/* Zeros before the next one, which is taken as well. */
static uint64_t take_unary(struct bits *bits)
{
    uint64_t zeros = 0;

    for (;;) {
        unsigned run;

        refill(bits);
        if (bits->cached == 0) {
            bits->failed = true;
            return 0;
        }
        if (bits->cache != 0) {
            run = (unsigned)__builtin_clzll(bits->cache);
            bits->cache = run == 63 ? 0 : bits->cache << (run + 1);
            bits->cached -= run + 1;
            return zeros + run;
        }
        zeros += bits->cached;
        bits->cached = 0;
    }
}

static void skip(struct bits *bits, uint64_t count)
{
    for (; count > 32 && !bits->failed; count -= 32)
        (void)take(bits, 32);
    (void)take(bits, count > 32 ? 32 : (unsigned)count);
}

/* Coded residual [RFC 9639, 9.2.7]. */
static bool residual(struct bits *bits, unsigned block, unsigned order)
{
    unsigned method = (unsigned)take(bits, 2), width = method == 0 ? 4 : 5,
             partitions = (unsigned)take(bits, 4);
    unsigned each = block >> partitions;

    if (method > 1 || (each << partitions) != block || each < order)
        return false;
    for (unsigned i = 0; i < 1u << partitions && !bits->failed; i++) {
        unsigned parameter = (unsigned)take(bits, width), count = i == 0 ? each - order : each;

        if (parameter == (1u << width) - 1) {
            skip(bits, (uint64_t)take(bits, 5) * count);
            continue;
        }
        for (unsigned k = 0; k < count && !bits->failed; k++) {
            (void)take_unary(bits);
            (void)take(bits, parameter);
        }
    }
    return !bits->failed;
}

static bool linear(struct bits *bits, unsigned block, unsigned width, unsigned order)
{
    unsigned precision;

    skip(bits, (uint64_t)width * order);
    precision = (unsigned)take(bits, 4) + 1;
    (void)take(bits, 5);
    if (precision == 16)
        return false;
    skip(bits, (uint64_t)precision * order);
    return residual(bits, block, order);
}

/* A subframe of `width` bits a sample [RFC 9639, 9.2]. */
static bool subframe(struct bits *bits, unsigned block, unsigned width)
{
    unsigned head = (unsigned)take(bits, 8), type = head >> 1 & 63, wasted = 0;

    if ((head & 0x80) != 0 || bits->failed)
        return false;
    if ((head & 1) != 0)
        wasted = (unsigned)take_unary(bits) + 1;
    if (wasted >= width)
        return false;
    width -= wasted;
    if (type == 0)
        skip(bits, width);
    else if (type == 1)
        skip(bits, (uint64_t)width * block);
    else if (type >= 8 && type <= 12)
        return skip(bits, (uint64_t)width * (type - 8)), block >= type - 8 && residual(bits, block, type - 8);
    else if (type >= 32)
        return block >= type - 31 && linear(bits, block, width, type - 31);
    else
        return false;
    return !bits->failed;
}

uint64_t flac_frame_end(struct reader *reader, uint64_t offset, const struct flac_head *head,
                        unsigned bits_each, uint64_t most)
{
    struct bits bits = {.reader = reader, .next = offset + head->size};
    uint64_t unread;

    bits.limit = u64_add_saturating(offset, most);
    for (unsigned i = 0; i < head->channels; i++) {
        bool side = (head->mode == 2 && i == 0) || ((head->mode == 1 || head->mode == 3) && i == 1);

        if (!subframe(&bits, head->block, bits_each + (side ? 1 : 0)))
            return 0;
    }
    if (take(&bits, bits.cached % 8) != 0) /* padded with zeros to a byte */
        return 0;
    unread = bits.cached / 8 + (bits.size - bits.at);
    return bits.next - unread + 2;
}

/* ------------------------------------------------------------------ the head */

/* A number coded as UTF-8 codes characters, up to 36 bits; bytes it takes, 0: not legal. */
static size_t coded_number(const uint8_t *p, size_t size, uint64_t *ret)
{
    size_t length = 1;

    if (size == 0 || p[0] == 0xff || (p[0] & 0xc0) == 0x80)
        return 0;
    if (p[0] < 0x80) {
        *ret = p[0];
        return 1;
    }
    while ((p[0] << length & 0x80) != 0)
        length++;
    if (length > 7 || length > size)
        return 0;
    *ret = length == 7 ? 0 : p[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        *ret = *ret << 6 | (p[i] & 0x3f);
    }
    return length;
}

static unsigned block_size(unsigned code, const uint8_t *p)
{
    if (code == 1)
        return 192;
    if (code >= 2 && code <= 5)
        return 144u << code;
    if (code == 6)
        return p[0] + 1u;
    if (code == 7)
        return field_be16(p) + 1u;
    return 1u << code;
}

bool flac_head(const uint8_t *p, size_t size, const struct crc *crc8, struct flac_head *ret)
{
    static const uint8_t depths[] = {0, 8, 12, 0xff, 16, 20, 24, 32};
    size_t at = 4, step, more_block, more_rate;
    unsigned block, rate, mode;

    if (size < 6 || p[0] != 0xff || (p[1] & 0xfe) != 0xf8 || (p[3] & 1) != 0)
        return false;
    block = p[2] >> 4;
    rate = p[2] & 15;
    mode = p[3] >> 4;
    ret->bits = depths[p[3] >> 1 & 7];
    if (block == 0 || rate == 15 || mode > 10 || ret->bits == 0xff)
        return false;
    ret->variable = (p[1] & 1) != 0;
    if ((step = coded_number(p + at, size - at, &ret->number)) == 0)
        return false;
    at += step;
    more_block = block == 6 ? 1 : block == 7 ? 2 : 0;
    more_rate = rate == 12 ? 1 : rate >= 13 ? 2 : 0;
    if (size - at < more_block + more_rate + 1)
        return false;
    ret->block = block_size(block, p + at);
    at += more_block + more_rate;
    ret->channels = mode < 8 ? mode + 1 : 2;
    ret->mode = mode < 8 ? 0 : mode - 7;
    ret->size = at + 1;
    return crc_value(crc8, crc_add(crc8, 0, p, at)) == p[at];
}
