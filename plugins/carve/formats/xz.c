/*
 * xz: .xz files [The .xz File Format 1.2.0], of one stream or several with padding between them; what begins
 * at a sector behind padding is taken for another file, and the padding for its neighbour's slack. Validated:
 * liblzma unpacks every block to its check, and index and footer agree.
 */
#include "plugins/carve/format.h"

#include <lzma.h>
#include <string.h>

enum {
    HEADER = 12,
    PADDING_MAX = 64 * 1024,
    SECTOR = 512,
    LAG = 128 * 1024, /* bytes that liblzma may take before it sees that they are not the stream's */
};
#define MEMORY_MAX (UINT64_C(256) << 20)
#define MADE_MAX   (UINT64_C(64) << 30) /* out of one stream */

static bool is_header(struct reader *reader, uint64_t at)
{
    const uint8_t *p = reader_at(reader, at, HEADER);
    uint32_t crc, stored;

    return p != NULL &&
           memcmp(p,
                  "\xfd"
                  "7zXZ\0\0",
                  7) == 0 &&
           p[7] < 16 && reader_crc32(reader, at + 6, 2, &crc) && reader_le32(reader, at + 8, &stored) &&
           crc == stored;
}

static lzma_ret unpack_some(struct reader *reader, lzma_stream *lzma, uint64_t at, size_t *ret_used)
{
    uint8_t out[64 * 1024];
    const uint8_t *data = NULL;
    size_t span = reader_span(reader, at, &data);
    lzma_ret code;

    lzma->next_in = data;
    lzma->avail_in = span;
    lzma->next_out = out;
    lzma->avail_out = sizeof out;
    code = lzma_code(lzma, LZMA_RUN);
    *ret_used = span - lzma->avail_in;
    return code == LZMA_OK && span == 0 && lzma->avail_out == sizeof out ? LZMA_BUF_ERROR : code;
}

/* The stream at `begin`: behind it, or 0; *ret_at is how far liblzma went. */
static uint64_t follow_stream(struct reader *reader, uint64_t begin, lzma_ret *ret_code, uint64_t *ret_at)
{
    lzma_stream lzma = LZMA_STREAM_INIT;
    uint64_t at = begin;
    size_t used;

    *ret_at = begin;
    *ret_code = lzma_stream_decoder(&lzma, MEMORY_MAX, 0);
    while (*ret_code == LZMA_OK) {
        *ret_code = unpack_some(reader, &lzma, at, &used);
        at += used;
        if (*ret_code == LZMA_OK && lzma.total_out > MADE_MAX)
            *ret_code = LZMA_MEMLIMIT_ERROR;
    }
    lzma_end(&lzma);
    *ret_at = at;
    return *ret_code == LZMA_STREAM_END ? at : 0;
}

/* The next stream behind `end` and zeros; 0: none. */
static uint64_t next_stream(struct reader *reader, uint64_t end)
{
    uint64_t at = end;
    uint8_t byte = 0;

    while (at - end < PADDING_MAX && reader_u8(reader, at, &byte) && byte == 0)
        at++;
    return (at - end) % 4 == 0 && (at == end || at % SECTOR != 0) && is_header(reader, at) ? at : 0;
}

static enum carve_grade examine_xz(struct reader *reader, struct carved *ret)
{
    uint64_t begin = 0, end, at;
    lzma_ret code;

    if (!is_header(reader, 0))
        return CARVE_NONE;
    do {
        end = follow_stream(reader, begin, &code, &at);
        if (end == 0) {
            uint64_t good = at - begin > LAG + HEADER ? at - LAG : begin + HEADER;

            return carved_partial(
                ret, good,
                code == LZMA_MEMLIMIT_ERROR
                    ? "what could not be checked: unpacking it takes too much memory or time"
                    : "the rest of the packed data, which is cut or damaged");
        }
        begin = next_stream(reader, end);
    } while (begin != 0);
    return carved_whole(ret, CARVE_VALIDATED, end);
}

static const struct carve_format xz_format = {"xz", examine_xz};
const struct carve_format *const carve_xz[] = {&xz_format, NULL};
