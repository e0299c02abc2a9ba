/* A TIFF picture ends behind the furthest byte that its directories reach. */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include <jpeglib.h>

enum { WIDE = 40, HIGH = 60, ROWS = 20, STRIPS = 3, SHORT = 3, LONG = 4, ASCII = 2 };

static uint8_t image[64 * 1024];
static size_t size;
static bool big_endian, big;

static void put_number(size_t at, uint64_t n, size_t count)
{
    for (size_t i = 0; i < count; i++)
        image[at + (big_endian ? count - 1 - i : i)] = (uint8_t)(n >> 8 * i);
}

static void begin(bool is_big_endian, bool is_big)
{
    memset(image, 0, sizeof image);
    big_endian = is_big_endian;
    big = is_big;
    memset(image, big_endian ? 'M' : 'I', 2);
    put_number(2, big ? 43 : 42, 2);
    if (big)
        put_number(4, big_endian ? 0x80000 : 8, 4);
    size = big ? 16 : 8;
}

static size_t put_data(const void *data, size_t count)
{
    size_t at = size;

    memcpy(image + size, data, count);
    size += count;
    return at;
}

/* A directory at `size`; entries come one by one, in order. */
static size_t directory, entries;

static void begin_directory(size_t link, size_t count)
{
    size += size & 1;
    put_number(link, size, big ? 8 : 4);
    directory = size;
    entries = 0;
    put_number(size, count, big ? 8 : 2);
    size += big ? 16 + count * 20 : 6 + count * 12;
}

static void entry(unsigned tag, unsigned type, uint64_t count, uint64_t value)
{
    size_t at = directory + (big ? 8 + entries++ * 20 : 2 + entries++ * 12);
    bool small = type == SHORT && count == 1;

    put_number(at, tag, 2);
    put_number(at + 2, type, 2);
    put_number(at + 4, count, big ? 8 : 4);
    put_number(at + (big ? 12 : 8), value, small ? 2 : big ? 8 : 4);
}

/* Three strips; what each holds is `strip`; offsets and sizes behind the directory, with a description last.
 */
static void make(unsigned compression, const uint8_t *strip, size_t strip_size)
{
    size_t at[STRIPS], table;

    for (size_t i = 0; i < STRIPS; i++)
        at[i] = put_data(strip, strip_size);
    begin_directory(big ? 8 : 4, 9);
    table = size;
    for (size_t i = 0; i < STRIPS; i++, size += 4)
        put_number(size, at[i], 4);
    for (size_t i = 0; i < STRIPS; i++, size += 4)
        put_number(size, strip_size, 4);
    entry(0x100, SHORT, 1, WIDE);
    entry(0x101, SHORT, 1, HIGH);
    entry(0x102, SHORT, 1, 8);
    entry(0x103, SHORT, 1, compression);
    entry(0x106, SHORT, 1, 1);
    entry(0x10e, ASCII, 18, size);
    put_data("a view of the sea", 18);
    entry(0x111, LONG, STRIPS, table);
    entry(0x116, SHORT, 1, ROWS);
    entry(0x117, LONG, STRIPS, table + 4 * STRIPS);
}

/* `count` strips that are all the same bytes. */
static void make_on_each_other(const uint8_t *strip, size_t strip_size, size_t count)
{
    size_t at, table;

    begin(false, false);
    at = put_data(strip, strip_size);
    begin_directory(4, 8);
    table = size;
    for (size_t i = 0; i < 2 * count; i++, size += 4)
        put_number(size, i < count ? at : strip_size, 4);
    entry(0x100, SHORT, 1, WIDE);
    entry(0x101, SHORT, 1, ROWS * count);
    entry(0x102, SHORT, 1, 8);
    entry(0x103, SHORT, 1, 8);
    entry(0x106, SHORT, 1, 1);
    entry(0x111, LONG, count, table);
    entry(0x116, SHORT, 1, ROWS);
    entry(0x117, LONG, count, table + 4 * count);
}

static void draw(uint8_t pixels[WIDE * ROWS])
{
    for (unsigned i = 0; i < WIDE * ROWS; i++)
        pixels[i] = (uint8_t)(i * 7 + i * i % 13);
}

static size_t deflated(uint8_t *packed, size_t room)
{
    uint8_t pixels[WIDE * ROWS];
    uLongf packed_size = room;

    draw(pixels);
    cr_assert_eq(compress(packed, &packed_size, pixels, sizeof pixels), Z_OK);
    return packed_size;
}

Test(tiff, with_deflated_strips_is_validated_in_all_its_kinds)
{
    uint8_t packed[2000];
    size_t packed_size = deflated(packed, sizeof packed);

    for (unsigned kind = 0; kind < 4; kind++) {
        begin(kind & 1, kind & 2);
        make(8, packed, packed_size);
        cr_expect(harness_holds("tiff", image, size, CARVE_VALIDATED, size), "kind %u", kind);
        cr_expect_str_eq(harness_examine("tiff", image, size).title, "a view of the sea");
    }
}

Test(tiff, a_wrong_byte_in_a_strip_is_found_and_the_good_part_ends_before_it)
{
    uint8_t packed[2000];
    size_t packed_size = deflated(packed, sizeof packed);
    struct carved carved;

    begin(false, false);
    make(8, packed, packed_size);
    image[8 + packed_size + packed_size / 2] ^= 0x10;
    carved = harness_examine("tiff", image, size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.good, 8 + packed_size);
}

Test(tiff, without_compression_is_complete)
{
    uint8_t pixels[WIDE * ROWS];

    draw(pixels);
    begin(true, false);
    make(1, pixels, sizeof pixels);
    cr_assert(harness_holds("tiff", image, size, CARVE_COMPLETE, size));
}

Test(tiff, packbits_must_make_all_rows)
{
    uint8_t packed[2000];
    size_t packed_size = 0;

    for (unsigned row = 0; row < ROWS; row++) {
        packed[packed_size++] = (uint8_t)(257 - 30);
        packed[packed_size++] = (uint8_t)row;
        packed[packed_size++] = 9;
        memset(packed + packed_size, 0x55, 10);
        packed_size += 10;
    }
    begin(false, false);
    make(32773, packed, packed_size);
    cr_assert(harness_holds("tiff", image, size, CARVE_VALIDATED, size));
    begin(false, false);
    make(32773, packed, packed_size - 13);
    cr_assert_eq(harness_examine("tiff", image, size).grade, CARVE_PARTIAL);
}

/* Clear, 800 literal codes with a clear before the codes get wider, end: nine bits each. */
static size_t lzw(uint8_t *packed)
{
    size_t bit = 0;
    unsigned codes[1000], count = 0;

    for (unsigned i = 0; i < WIDE * ROWS; i++) {
        if (i % 200 == 0)
            codes[count++] = 256;
        codes[count++] = i * 7 % 256;
    }
    codes[count++] = 257;
    memset(packed, 0, 2000);
    for (unsigned i = 0; i < count; i++) {
        for (unsigned k = 9; k-- > 0; bit++)
            packed[bit / 8] |= (uint8_t)((codes[i] >> k & 1) << (7 - bit % 8));
    }
    return (bit + 7) / 8;
}

Test(tiff, lzw_codes_are_counted)
{
    uint8_t packed[2000];
    size_t packed_size = lzw(packed);

    begin(true, true);
    make(5, packed, packed_size);
    cr_assert(harness_holds("tiff", image, size, CARVE_VALIDATED, size));
    begin(true, true);
    make(5, packed, packed_size - 50);
    cr_assert_eq(harness_examine("tiff", image, size).grade, CARVE_PARTIAL);
}

static size_t encode_jpeg(uint8_t *ret, size_t room)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr error;
    uint8_t pixels[WIDE * ROWS], *row = pixels, *out = NULL;
    unsigned long out_size = 0;

    draw(pixels);
    jpeg.err = jpeg_std_error(&error);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &out, &out_size);
    jpeg.image_width = WIDE;
    jpeg.image_height = ROWS;
    jpeg.input_components = 1;
    jpeg.in_color_space = JCS_GRAYSCALE;
    jpeg_set_defaults(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (; jpeg.next_scanline < ROWS; row += WIDE)
        jpeg_write_scanlines(&jpeg, &row, 1);
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    cr_assert_leq(out_size, room);
    memcpy(ret, out, out_size);
    free(out);
    return out_size;
}

Test(tiff, jpeg_strips_are_read)
{
    uint8_t packed[8000];
    size_t packed_size = encode_jpeg(packed, sizeof packed);

    begin(false, false);
    make(7, packed, packed_size);
    cr_assert(harness_holds("tiff", image, size, CARVE_VALIDATED, size));
    memset(image + 8 + packed_size / 2, 0, packed_size);
    cr_assert_eq(harness_examine("tiff", image, size).grade, CARVE_PARTIAL);
}

/* As a camera does it: the first directory has a preview and leads to the picture, which comes last. */
Test(tiff, a_nikon_raw_picture_is_told_apart_and_its_preview_is_a_part)
{
    uint8_t preview[8000];
    size_t preview_size = encode_jpeg(preview, sizeof preview), preview_at, raw, sub;
    struct carved carved;

    begin(false, false);
    begin_directory(4, 4);
    entry(0x10f, ASCII, 18, size);
    put_data("NIKON CORPORATION", 18);
    sub = size;
    entry(0x14a, LONG, 1, sub);
    preview_at = sub + 6 + 9 * 12;
    entry(0x201, LONG, 1, preview_at);
    entry(0x202, LONG, 1, preview_size);
    begin_directory(directory + 2 + 12 + 8, 9);
    cr_assert_eq(put_data(preview, preview_size), preview_at);
    raw = size;
    size += WIDE * HIGH * 2;
    entry(0x100, SHORT, 1, WIDE);
    entry(0x101, SHORT, 1, HIGH);
    entry(0x102, SHORT, 1, 14);
    entry(0x103, SHORT, 1, 34713);
    entry(0x106, SHORT, 1, 32803);
    entry(0x111, LONG, 1, raw);
    entry(0x115, SHORT, 1, 1);
    entry(0x116, SHORT, 1, HIGH);
    entry(0x117, LONG, 1, size - raw);
    cr_assert(harness_holds("tiff", image, size, CARVE_COMPLETE, size));
    carved = harness_examine("tiff", image, size);
    cr_assert_str_eq(carved.extension, "nef");
    cr_assert_eq(carved.part_count, 1);
    cr_assert_eq(carved.parts[0].offset, preview_at);
    cr_assert_eq(carved.parts[0].size, preview_size);
}

Test(tiff, exif_data_alone_is_none)
{
    begin(true, false);
    begin_directory(4, 2);
    entry(0x10f, ASCII, 6, size);
    put_data("Nikon", 6);
    entry(0x128, SHORT, 1, 2);
    cr_assert_eq(harness_examine("tiff", image, size).grade, CARVE_NONE);
}

Test(tiff, directories_in_a_ring_come_to_an_end)
{
    uint8_t packed[2000];
    size_t packed_size = deflated(packed, sizeof packed);

    begin(false, false);
    make(8, packed, packed_size);
    put_number(directory + 2 + 9 * 12, directory, 4);
    cr_assert_eq(harness_examine("tiff", image, size).grade, CARVE_VALIDATED);
}

Test(tiff, strips_of_more_bytes_than_there_are_are_not_validated)
{
    uint8_t packed[2000];
    size_t packed_size = deflated(packed, sizeof packed);

    make_on_each_other(packed, packed_size, 2);
    cr_assert_eq(harness_examine("tiff", image, size).grade, CARVE_VALIDATED);
    make_on_each_other(packed, packed_size, 100);
    cr_assert_eq(harness_examine("tiff", image, size).grade, CARVE_COMPLETE);
}
