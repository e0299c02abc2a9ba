/*
 * png: Portable Network Graphics [W3C, PNG Specification, third edition]. A signature and chunks, each with a
 * length, a type, data and a CRC-32, from IHDR to IEND. Validated: every CRC is right, and the IDAT chunks
 * inflate to what IHDR promises (for images that are not interlaced; interlaced ones to the end of the zlib
 * stream).
 *
 * The pixels are inflated by ISA-L first, as in reader_inflate.c; an image that is not whole by it is read
 * once more with zlib, which says where it went wrong.
 */
#include "plugins/carve/format.h"
#include "plugins/carve/formats/field.h"

#include "engine/base/bytes.h"

#include <isa-l/igzip_lib.h>
#include <string.h>
#include <zlib.h>

enum {
    SIGNATURE = 8,
    CHUNK = 12,
    HEADER = 13,
    LENGTH_MAX = 0x7fffffff,
    FILTER_LAST = 4,
    UNPACKED_COST = 16, /* bytes of pixels that cost as much as one that is read */
    DOUBT = 16 * 1024,  /* foreign data in a deflate stream rarely stays unnoticed for longer */
};

struct png {
    struct reader *reader;
    z_stream z;
    struct inflate_state *fast; /* NULL: zlib is asked */
    int code;                   /* of inflate, so far, as zlib has them */
    uint64_t made, want;        /* want: 0 when it cannot be told */
    uint64_t row;               /* bytes of a scan line with its filter byte; 0: interlaced */
    uint64_t stop;              /* how far the data of IDAT chunks made sense */
    bool image;                 /* an IDAT came */
};

static bool is_letter(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Length and type of a chunk. */
static bool is_head(const uint8_t *head)
{
    return head[0] < 0x80 && is_letter(head[4]) && is_letter(head[5]) && is_letter(head[6]) &&
           is_letter(head[7]);
}

/* Bytes of all scan lines with their filter bytes; 0: interlaced, or not a legal header. */
static uint64_t image_size(const uint8_t *header, uint64_t *ret_row)
{
    static const uint8_t channels[] = {1, 0, 3, 1, 2, 0, 4};
    uint64_t width = field_be32(header), height = field_be32(header + 4);

    if (header[12] != 0 || width > LENGTH_MAX || height > LENGTH_MAX)
        return 0;
    *ret_row = (width * header[8] * channels[header[9]] + 7) / 8 + 1;
    return u64_mul_saturating(*ret_row, height);
}

static bool header_is_legal(const uint8_t *header)
{
    static const uint8_t depths[] = {0x1f, 0, 0x18, 0x0f,
                                     0x18, 0, 0x18}; /* by colour type: bits 1 2 4 8 16 */
    static const uint8_t zero[4];
    uint8_t depth = header[8], type = header[9];
    unsigned bit = depth == 1 ? 1 : depth == 2 ? 2 : depth == 4 ? 4 : depth == 8 ? 8 : depth == 16 ? 16 : 0;

    return memcmp(header, zero, 4) != 0 && memcmp(header + 4, zero, 4) != 0 && type <= 6 &&
           (depths[type] & bit) != 0 && header[10] == 0 && header[11] == 0 && header[12] <= 1;
}

/* Each scan line begins with one of five filters. `size` bytes at `out` are what came behind `made`. */
static bool filters_hold(const struct png *png, const uint8_t *out, size_t size)
{
    uint64_t at = png->row > 0 ? (png->row - png->made % png->row) % png->row : size;

    for (; at < size; at += png->row) {
        if (out[at] > FILTER_LAST)
            return false;
    }
    return true;
}

/* Takes from what is at hand as much as makes `size` bytes at `out`; how many came out. */
static size_t turn_exactly(struct png *png, const uint8_t **data, size_t *left, uint8_t *out, size_t size)
{
    png->z.next_in = (Bytef *)*data;
    png->z.avail_in = (uInt)*left;
    png->z.next_out = out;
    png->z.avail_out = (uInt)size;
    png->code = inflate(&png->z, Z_NO_FLUSH);
    *data = png->z.next_in;
    *left = png->z.avail_in;
    return size - png->z.avail_out;
}

static size_t turn_fast(struct png *png, const uint8_t **data, size_t *left, uint8_t *out, size_t size)
{
    struct inflate_state *state = png->fast;

    state->next_in = (uint8_t *)*data;
    state->avail_in = (uint32_t)*left;
    state->next_out = out;
    state->avail_out = (uint32_t)size;
    if (isal_inflate(state) != ISAL_DECOMP_OK)
        png->code = Z_DATA_ERROR;
    else if (state->block_state == ISAL_BLOCK_FINISH)
        png->code = Z_STREAM_END;
    *data = state->next_in;
    *left = state->avail_in;
    return size - state->avail_out;
}

/* Inflates what is at hand; what comes out is counted and looked at. How many bytes were not taken. */
static size_t inflate_span(struct png *png, const uint8_t *data, size_t size)
{
    uint8_t out[16 * 1024];
    size_t made;

    do {
        made = (png->fast != NULL ? turn_fast : turn_exactly)(png, &data, &size, out, sizeof out);
        if (!filters_hold(png, out, made))
            png->code = Z_DATA_ERROR;
        png->made += made;
        if ((png->want > 0 && png->made > png->want) || !reader_spend(png->reader, made / UNPACKED_COST))
            png->code = Z_DATA_ERROR;
    } while (png->code == Z_OK && made == sizeof out);
    if (png->code == Z_BUF_ERROR)
        png->code = Z_OK; /* it wants more */
    return size;
}

/* Feeds one IDAT chunk's data to inflate, as far as it is there. */
static void inflate_chunk(struct png *png, uint64_t offset, uint64_t size)
{
    while (size > 0 && png->code == Z_OK) {
        const uint8_t *data;
        size_t span = reader_span(png->reader, offset, &data);

        if (span == 0)
            return;
        span = span < size ? span : (size_t)size;
        png->stop = offset + span - inflate_span(png, data, span);
        offset += span;
        size -= span;
    }
}

/* The chunk at `offset`, whose header is legal: false when its data or CRC are not. */
static bool chunk_holds(struct png *png, uint64_t offset, uint32_t length)
{
    uint32_t stored, crc;

    if (!reader_be32(png->reader, offset + 8 + length, &stored) ||
        !reader_crc32(png->reader, offset + 4, (uint64_t)length + 4, &crc) || crc != stored)
        return false;
    if (reader_is(png->reader, offset + 4, "IDAT", 4)) {
        png->image = true;
        inflate_chunk(png, offset + 8, length);
    }
    return true;
}

static enum carve_grade finish(struct png *png, struct carved *ret, uint64_t end)
{
    bool whole = png->image && png->code == Z_STREAM_END && (png->want == 0 || png->made == png->want);

    return carved_whole(ret, whole ? CARVE_VALIDATED : CARVE_COMPLETE, end);
}

/* The chunk at `offset` is cut or its CRC is wrong: the pixels in it may show where. */
static enum carve_grade broken_chunk(struct png *png, struct carved *ret, uint64_t offset, uint32_t length)
{
    static const uint8_t zeros[64];
    uint64_t stop = offset, run = UINT64_MAX;

    if (reader_is(png->reader, offset + 4, "IDAT", 4)) {
        inflate_chunk(png, offset + 8, length);
        stop = png->stop > offset ? png->stop : offset;
        png->image |= stop > offset + 8 + DOUBT;
        run = reader_find(png->reader, offset, stop, zeros, sizeof zeros);
    }
    carved_partial(ret, stop, "the chunk at byte %llu is cut or its CRC is wrong",
                   (unsigned long long)offset);
    ret->good = stop > offset + DOUBT ? stop - DOUBT : offset;
    ret->good = run < ret->good ? run : ret->good;
    ret->next = offset + CHUNK + length;
    ret->broken = stop > offset ? stop : ret->next;
    return ret->grade;
}

static enum carve_grade walk(struct png *png, struct carved *ret)
{
    uint64_t offset = SIGNATURE;

    for (;;) {
        const uint8_t *head = reader_at(png->reader, offset, 8);
        uint32_t length;
        bool last;

        if (head == NULL)
            return carved_partial(ret, offset, "the data ends before the IEND chunk");
        length = field_be32(head);
        if (!is_head(head)) {
            ret->broken = offset + 8;
            ret->next = offset;
            return carved_partial(ret, offset, "no chunk begins at byte %llu", (unsigned long long)offset);
        }
        last = memcmp(head + 4, "IEND", 4) == 0;
        if (!chunk_holds(png, offset, length))
            return broken_chunk(png, ret, offset, length);
        offset += (uint64_t)CHUNK + length;
        if (last)
            return finish(png, ret, offset);
    }
}

static enum carve_grade walk_fast(struct png png, struct carved *ret)
{
    struct inflate_state state;

    isal_inflate_init(&state);
    state.crc_flag = ISAL_ZLIB;
    png.fast = &state;
    return walk(&png, ret);
}

static enum carve_grade walk_exactly(struct png png, struct carved *ret)
{
    if (inflateInit(&png.z) != Z_OK)
        return CARVE_NONE;
    walk(&png, ret);
    inflateEnd(&png.z);
    if (ret->grade == CARVE_PARTIAL && !png.image)
        ret->grade = CARVE_FRAGMENT;
    return ret->grade;
}

static enum carve_grade examine_png(struct reader *reader, struct carved *ret)
{
    struct png png = {.reader = reader, .code = Z_OK};
    const uint8_t *head = reader_at(reader, 0, SIGNATURE + 8 + HEADER);

    if (head == NULL || memcmp(head, "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR", SIGNATURE + 8) != 0 ||
        !header_is_legal(head + SIGNATURE + 8))
        return CARVE_NONE;
    png.want = image_size(head + SIGNATURE + 8, &png.row);
    if (walk_fast(png, ret) == CARVE_VALIDATED || reader_is_trial(reader))
        return ret->grade;
    *ret = (struct carved){0};
    return walk_exactly(png, ret);
}

static bool png_continues(struct reader *reader, const struct carved *carved, uint64_t split)
{
    const uint8_t *head = reader_at(reader, carved->next, 8);

    (void)split;
    return head != NULL && is_head(head);
}

static const struct carve_format png_format = {"png", examine_png, png_continues};
const struct carve_format *const carve_png[] = {&png_format, NULL};
