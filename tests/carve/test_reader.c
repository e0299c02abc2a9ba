/* What the reader itself promises beyond bytes: checksums, and where compressed data ends. */
#include "plugins/carve/reader.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { PLAIN = 300 * 1000, ROOM = PLAIN + PLAIN / 2, JUNK = 64 };

static uint8_t plain[PLAIN], packed[ROOM + JUNK];
static size_t packed_size;

/* Bytes that deflate a little; `noise` of 256 are not to be compressed. */
static void draw(unsigned noise)
{
    uint32_t x = 12345;

    for (size_t i = 0; i < PLAIN; i++) {
        x = x * 1664525 + 1013904223;
        plain[i] = (x >> 8 & 0xff) < noise ? (uint8_t)(x >> 24) : (uint8_t)(i % 97);
    }
}

static void pack(int level, int window_bits, uint8_t junk)
{
    z_stream z = {0};

    cr_assert_eq(deflateInit2(&z, level, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = plain;
    z.avail_in = PLAIN;
    z.next_out = packed;
    z.avail_out = ROOM;
    cr_assert_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
    packed_size = ROOM - z.avail_out;
    deflateEnd(&z);
    memset(packed + packed_size, junk, JUNK);
}

static int64_t packed_read(void *context, uint64_t offset, void *data, size_t size)
{
    size_t all = *(size_t *)context, left = offset < all ? all - (size_t)offset : 0;

    size = size < left ? size : left;
    memcpy(data, packed + offset, size);
    return (int64_t)size;
}

struct inflated {
    bool ends;
    uint64_t end, size;
    uint32_t crc;
};

static struct inflated inflate_all(enum reader_inflate kind, size_t size, uint64_t most, uint64_t budget)
{
    struct reader *reader = reader_new(packed_read, &size);
    struct reader_piece piece = {0, size};
    struct inflated ret = {0};

    cr_assert_not_null(reader);
    reader_aim(reader, &piece, 1, budget);
    ret.ends = reader_inflate(reader, kind, 0, size, most, &ret.end, &ret.size, &ret.crc);
    reader_free(reader);
    return ret;
}

Test(reader, inflated_data_ends_where_it_ends_whatever_follows)
{
    static const int bits[] = {[READER_ZLIB] = MAX_WBITS, [READER_DEFLATE] = -MAX_WBITS};

    for (unsigned noise = 0; noise <= 256; noise += 64) {
        draw(noise);
        for (int level = 0; level <= 9; level += 3) {
            for (unsigned way = 0; way < 4; way++) {
                enum reader_inflate kind = way % 2 == 0 ? READER_ZLIB : READER_DEFLATE;
                struct inflated inflated;

                pack(level, bits[kind], way < 2 ? 0 : 0xff);
                inflated = inflate_all(kind, packed_size + JUNK, PLAIN, 1 << 30);
                cr_assert(inflated.ends);
                cr_assert_eq(inflated.end, packed_size);
                cr_assert_eq(inflated.size, PLAIN);
                cr_assert(kind == READER_ZLIB || inflated.crc == crc32(0, plain, PLAIN));
            }
        }
    }
}

Test(reader, inflated_data_that_is_cut_or_wrong_or_too_much_does_not_end)
{
    struct inflated inflated;

    draw(64);
    pack(6, MAX_WBITS, 0);
    cr_assert_not(inflate_all(READER_ZLIB, packed_size - 1, PLAIN, 1 << 30).ends);
    cr_assert_not(inflate_all(READER_ZLIB, packed_size + JUNK, PLAIN - 1, 1 << 30).ends);
    cr_assert_not(inflate_all(READER_ZLIB, packed_size + JUNK, PLAIN, 100 * 1000).ends);
    packed[packed_size - 1] ^= 1; /* of the checksum */
    cr_assert_not(inflate_all(READER_ZLIB, packed_size + JUNK, PLAIN, 1 << 30).ends);
    packed[packed_size - 1] ^= 1;
    packed[packed_size / 2] ^= 0x80;
    inflated = inflate_all(READER_ZLIB, packed_size + JUNK, PLAIN, 1 << 30);
    cr_assert_not(inflated.ends);
    cr_assert(inflated.end >= packed_size / 2 && inflated.end <= packed_size);
}

Test(reader, crc32_is_zlibs)
{
    size_t size = PLAIN;
    struct reader *reader = reader_new(packed_read, &size);
    struct reader_piece piece = {0, PLAIN};
    uint32_t crc;

    draw(256);
    memcpy(packed, plain, PLAIN);
    reader_aim(reader, &piece, 1, 1 << 30);
    for (size_t at = 0; at < 100; at++) {
        cr_assert(reader_crc32(reader, at, PLAIN - 2 * at, &crc));
        cr_assert_eq(crc, crc32(0, plain + at, (uInt)(PLAIN - 2 * at)));
    }
    cr_assert_not(reader_crc32(reader, 1, PLAIN, &crc));
    reader_free(reader);
}
