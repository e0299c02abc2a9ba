/*
 * xpress: see xpress.h. Codes come from 16-bit words, of which up to two are read ahead; lengths that do not
 * fit into a symbol are bytes between those words.
 */
#include "plugins/carve/formats/xpress.h"

#include <string.h>

enum { SYMBOLS = 512, TABLE = SYMBOLS / 2, CODE_MAX = 15, BLOCK = 65536, END_MARK = 256, LENGTH_MIN = 3 };

struct stream {
    struct reader *reader;
    uint64_t at;
    uint32_t bits; /* the next bit is the uppermost */
    int extra;     /* bits at hand beyond 16 */
    bool cut;
    uint8_t *out;
    size_t made, size;
    uint8_t lengths[SYMBOLS];
    uint16_t symbols[1 << CODE_MAX]; /* by the next 15 bits */
};

static uint32_t take_bytes(struct stream *stream, size_t count)
{
    const uint8_t *data = reader_at(stream->reader, stream->at, count);
    uint32_t n = 0;

    if (data == NULL)
        stream->cut = true;
    for (size_t i = count; data != NULL && i > 0; i--)
        n = n << 8 | data[i - 1];
    stream->at += count;
    return n;
}

static void skip_bits(struct stream *stream, unsigned count)
{
    stream->bits = count < 32 ? stream->bits << count : 0;
    stream->extra -= (int)count;
    if (stream->extra < 0) {
        stream->bits |= take_bytes(stream, 2) << -stream->extra;
        stream->extra += 16;
    }
}

/* The symbols' places in the table of all 15-bit words. False: the codes do not fill it exactly. */
static bool build_table(struct stream *stream)
{
    const uint8_t *table = reader_at(stream->reader, stream->at, TABLE);
    size_t filled = 0;

    if (table == NULL) {
        stream->cut = true;
        return false;
    }
    for (size_t i = 0; i < SYMBOLS; i++)
        stream->lengths[i] = i % 2 == 0 ? table[i / 2] & 15 : table[i / 2] >> 4;
    for (unsigned length = 1; length <= CODE_MAX; length++) {
        size_t count = (size_t)1 << (CODE_MAX - length);

        for (size_t i = 0; i < SYMBOLS; i++) {
            if (stream->lengths[i] != length)
                continue;
            if (filled + count > (size_t)1 << CODE_MAX)
                return false;
            for (size_t k = 0; k < count; k++)
                stream->symbols[filled++] = (uint16_t)i;
        }
    }
    stream->at += TABLE;
    return filled == (size_t)1 << CODE_MAX;
}

static unsigned take_symbol(struct stream *stream)
{
    unsigned symbol = stream->symbols[stream->bits >> (32 - CODE_MAX)];

    skip_bits(stream, stream->lengths[symbol]);
    return symbol;
}

/* A length of 15 or more is followed by a byte, or by two or four. */
static uint64_t match_length(struct stream *stream, unsigned symbol)
{
    uint64_t length = symbol & 15;

    if (length < 15)
        return length + LENGTH_MIN;
    length = take_bytes(stream, 1);
    if (length < 255)
        return length + 15 + LENGTH_MIN;
    length = take_bytes(stream, 2);
    if (length == 0)
        length = take_bytes(stream, 4);
    return length + LENGTH_MIN;
}

/* Copies what came out before. False: there is nothing so far back, or it is too long. */
static bool copy_match(struct stream *stream, unsigned symbol)
{
    uint64_t length = match_length(stream, symbol);
    unsigned bits = symbol >> 4 & 15;
    uint64_t distance = ((uint64_t)1 << bits) + (bits == 0 ? 0 : stream->bits >> (32 - bits));

    skip_bits(stream, bits);
    if (stream->cut || distance > stream->made || length > stream->size - stream->made)
        return false;
    for (; length > 0; length--, stream->made++)
        stream->out[stream->made] = stream->out[stream->made - distance];
    return true;
}

/* One block; false where it is broken or the end mark is not where it should be. */
static bool take_block(struct stream *stream, bool *ret_end)
{
    size_t limit = stream->made + BLOCK;

    if (!build_table(stream))
        return false;
    stream->bits = take_bytes(stream, 2) << 16;
    stream->bits |= take_bytes(stream, 2);
    stream->extra = 16;
    while (stream->made < limit && !stream->cut) {
        unsigned symbol = take_symbol(stream);

        if (symbol == END_MARK && stream->made == stream->size) {
            *ret_end = true;
            return !stream->cut;
        }
        if (stream->made == stream->size)
            return false;
        if (symbol < 256)
            stream->out[stream->made++] = (uint8_t)symbol;
        else if (!copy_match(stream, symbol - 256))
            return false;
    }
    return !stream->cut;
}

enum xpress xpress_huffman(struct reader *reader, uint64_t offset, uint8_t *out, size_t size,
                           uint64_t *ret_end, size_t *ret_made)
{
    struct stream stream;
    bool end = false, holds = true;

    stream.reader = reader;
    stream.at = offset;
    stream.cut = false;
    stream.out = out;
    stream.made = 0;
    stream.size = size;
    while (holds && !end)
        holds = take_block(&stream, &end);
    *ret_end = stream.at;
    *ret_made = stream.made;
    return holds ? XPRESS_WHOLE : stream.cut ? XPRESS_CUT : XPRESS_BROKEN;
}
