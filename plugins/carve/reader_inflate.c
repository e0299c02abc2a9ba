/*
 * reader_inflate: CRC-32 and deflate over what a reader reads; see reader.h.
 *
 * ISA-L takes less than half of zlib's time, but it accepts more of what is no deflate stream and does not
 * say where that was. So a stream that does not end well with it is read once more with zlib.
 */
#include "plugins/carve/reader.h"

#include "engine/base/bytes.h"

#include <isa-l/crc.h>
#include <isa-l/igzip_lib.h>
#include <string.h>
#include <zlib.h>

enum {
    UNPACKED_COST = 16, /* bytes that cost as much as one that is read */
    OUT_SIZE = 32 * 1024,
};

struct inflated {
    uint64_t end, size;
    uint32_t crc;
};

bool reader_crc32(struct reader *reader, uint64_t offset, uint64_t size, uint32_t *ret_crc)
{
    uint32_t crc = 0;

    if (!u64_range_fits(offset, size, reader_size(reader)))
        return false;
    while (size > 0) {
        const uint8_t *data;
        size_t span = reader_span(reader, offset, &data);

        if (span == 0)
            return false;
        span = span < size ? span : (size_t)size;
        crc = crc32_gzip_refl(crc, data, span);
        offset += span;
        size -= span;
    }
    *ret_crc = crc;
    return true;
}

/* What is at hand at `at`, below `limit`. */
static size_t span_below(struct reader *reader, uint64_t at, uint64_t limit, const uint8_t **ret_data)
{
    size_t span = at < limit ? reader_span(reader, at, ret_data) : 0;

    return span < limit - at ? span : (size_t)(limit - at);
}

enum turn { GOES_ON, ENDS, FAILS };

/* One turn over what is at hand. */
static enum turn turn_fast(struct reader *reader, struct inflate_state *state, uint64_t limit, uint64_t most,
                           struct inflated *ret)
{
    const uint8_t *data = NULL;
    uint8_t out[OUT_SIZE];
    size_t span = span_below(reader, ret->end, limit, &data), made;
    int code;

    state->next_in = (uint8_t *)data;
    state->avail_in = (uint32_t)span;
    state->next_out = out;
    state->avail_out = sizeof out;
    code = isal_inflate(state);
    made = sizeof out - state->avail_out;
    ret->end += span - state->avail_in;
    ret->size += made;
    if (code != ISAL_DECOMP_OK || ret->size > most) /* also when only the checksum is wrong */
        return FAILS;
    if (state->block_state == ISAL_BLOCK_FINISH)
        return ENDS;
    return (made > 0 || span > state->avail_in) && reader_spend(reader, made / UNPACKED_COST) ? GOES_ON
                                                                                              : FAILS;
}

static bool inflate_fast(struct reader *reader, enum reader_inflate kind, uint64_t offset, uint64_t limit,
                         uint64_t most, struct inflated *ret)
{
    struct inflate_state state;
    enum turn turn;

    *ret = (struct inflated){.end = offset};
    isal_inflate_init(&state);
    state.crc_flag = kind == READER_ZLIB ? ISAL_ZLIB : ISAL_GZIP_NO_HDR;
    do
        turn = turn_fast(reader, &state, limit, most, ret);
    while (turn == GOES_ON);
    ret->end -= (uint64_t)(state.read_in_length / 8); /* what it has taken and not used */
    ret->crc = state.crc;
    return turn == ENDS;
}

/* One turn of zlib; its code. */
static int turn_exactly(struct reader *reader, z_stream *z, uint64_t limit, struct inflated *ret)
{
    const uint8_t *data = NULL;
    uint8_t out[OUT_SIZE];
    size_t span = span_below(reader, ret->end, limit, &data), used, made;
    int code;

    /* Also without input: what inflate has taken may still make more output than fitted last time. */
    z->next_in = (Bytef *)data;
    z->avail_in = (uInt)span;
    z->next_out = out;
    z->avail_out = sizeof out;
    code = inflate(z, Z_NO_FLUSH);
    used = span - z->avail_in;
    made = code == Z_OK || code == Z_STREAM_END ? sizeof out - z->avail_out : 0;
    ret->crc = crc32_gzip_refl(ret->crc, out, made);
    ret->size += made;
    ret->end += used;
    if (code == Z_OK && ((used == 0 && made == 0) || !reader_spend(reader, made / UNPACKED_COST)))
        return Z_BUF_ERROR;
    return code;
}

static bool inflate_exactly(struct reader *reader, enum reader_inflate kind, uint64_t offset, uint64_t limit,
                            uint64_t most, struct inflated *ret)
{
    static const int window_bits[] = {[READER_ZLIB] = MAX_WBITS, [READER_DEFLATE] = -MAX_WBITS};
    z_stream z = {0};
    int code = Z_OK;

    *ret = (struct inflated){.end = offset};
    if (inflateInit2(&z, window_bits[kind]) != Z_OK)
        return false;
    while (code == Z_OK && ret->size <= most)
        code = turn_exactly(reader, &z, limit, ret);
    inflateEnd(&z);
    return code == Z_STREAM_END && ret->size <= most;
}

bool reader_inflate(struct reader *reader, enum reader_inflate kind, uint64_t offset, uint64_t limit,
                    uint64_t most, uint64_t *ret_end, uint64_t *ret_size, uint32_t *ret_crc)
{
    struct inflated inflated;
    bool ends = inflate_fast(reader, kind, offset, limit, most, &inflated) ||
                inflate_exactly(reader, kind, offset, limit, most, &inflated);

    *ret_end = inflated.end;
    *ret_size = inflated.size;
    *ret_crc = inflated.crc;
    return ends;
}
