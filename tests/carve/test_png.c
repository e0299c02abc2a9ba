/* PNG pictures are followed from chunk to chunk, and their pixels inflated. */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

static uint8_t image[4096];
static size_t size;

static void put(const void *data, size_t count)
{
    memcpy(image + size, data, count);
    size += count;
}

static void put_be32(uint32_t n)
{
    put((uint8_t[]){(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}, 4);
}

static void chunk(const char *type, const void *data, size_t count)
{
    size_t start;

    put_be32((uint32_t)count);
    start = size;
    put(type, 4);
    put(data, count);
    put_be32((uint32_t)crc32(0, image + start, (uInt)(size - start)));
}

/* 20 x 10 pixels of 8-bit grey, in two IDAT chunks. */
static void make(size_t rows)
{
    uint8_t pixels[210], packed[512];
    uLongf packed_size = sizeof packed;

    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = i % 21 == 0 ? 0 : (uint8_t)(i * 7);
    cr_assert(compress(packed, &packed_size, pixels, rows * 21) == Z_OK);
    size = 0;
    put("\x89PNG\r\n\x1a\n", 8);
    chunk("IHDR", "\0\0\0\x14\0\0\0\x0a\x08\0\0\0\0", 13);
    chunk("IDAT", packed, 50);
    chunk("IDAT", packed + 50, packed_size - 50);
    chunk("IEND", "", 0);
}

Test(png, whole_is_validated_and_a_prefix_never_is)
{
    make(10);
    cr_assert(harness_holds("png", image, size, CARVE_VALIDATED, size));
}

Test(png, pixels_that_are_too_few_are_not_validated)
{
    make(9);
    cr_assert_eq(harness_examine("png", image, size).grade, CARVE_COMPLETE);
}

Test(png, a_wrong_crc_cuts_it_before_the_chunk)
{
    struct carved carved;

    make(10);
    image[60] ^= 1;
    carved = harness_examine("png", image, size);
    cr_assert_eq(carved.grade, CARVE_FRAGMENT);
    cr_assert_eq(carved.good, 33);
}

Test(png, two_pieces_read_as_one)
{
    struct carved carved;

    make(10);
    carved = harness_examine_split("png", image, size, 64, 4096);
    cr_assert_eq(carved.grade, CARVE_VALIDATED);
    cr_assert_eq(carved.size, size);
}

/* Many encoders write all pixels in one chunk; its CRC does not tell where it breaks off. */
Test(png, in_one_long_chunk_pixels_tell_how_far_it_is_good)
{
    enum { ROWS = 900, ROW = 101, SIZE = ROWS * ROW };
    uint8_t *file = malloc(2 * SIZE), *pixels = malloc(SIZE);
    uint32_t x = 7;
    uLongf packed_size = SIZE + SIZE / 2;
    struct carved carved;

    cr_assert(file != NULL && pixels != NULL);
    for (size_t i = 0; i < SIZE; i++) {
        x = x * 1664525 + 1013904223;
        pixels[i] = i % ROW == 0 ? (uint8_t)(i / ROW % 5) : (uint8_t)(x >> 26);
    }
    size = 0;
    put("\x89PNG\r\n\x1a\n", 8);
    chunk("IHDR", "\0\0\0\x64\0\0\x03\x84\x08\0\0\0\0", 13);
    memcpy(file, image, size);
    cr_assert(compress(file + size + 8, &packed_size, pixels, SIZE) == Z_OK);
    for (unsigned i = 0; i < 4; i++)
        file[size + i] = (uint8_t)(packed_size >> (24 - 8 * i));
    memcpy(file + size + 4, "IDAT", 4);
    cr_assert_gt(packed_size, 56 * 1024);
    for (size_t i = 50000; i < size + 8 + packed_size + 12; i++) {
        x = x * 1664525 + 1013904223;
        file[i] = (uint8_t)(x >> 24);
    }
    carved = harness_examine("png", file, size + 8 + packed_size + 12);
    free(file);
    free(pixels);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_leq(carved.good, 50000);
    cr_assert_gt(carved.good, 30000);
}

/* A picture of 16 MiB of zeros, whose header says that it is `wide` by `high`. */
static uint64_t effort_for(uint32_t wide, uint32_t high)
{
    enum { ZEROS = 16 * 1024 * 1024 };
    uint8_t *pixels = calloc(1, ZEROS), *packed = malloc(ZEROS / 100);
    uLongf packed_size = ZEROS / 100;
    uint8_t head[13] = {[8] = 8};
    uint64_t effort;

    cr_assert(compress(packed, &packed_size, pixels, ZEROS) == Z_OK);
    for (unsigned i = 0; i < 4; i++) {
        head[i] = (uint8_t)(wide >> (24 - 8 * i));
        head[4 + i] = (uint8_t)(high >> (24 - 8 * i));
    }
    memset(pixels, 0, ZEROS);
    memcpy(pixels, "\x89PNG\r\n\x1a\n", 8);
    memcpy(image, pixels, 8);
    size = 8;
    chunk("IHDR", head, 13);
    memcpy(pixels, image, size);
    for (unsigned i = 0; i < 4; i++)
        pixels[size + i] = (uint8_t)(packed_size >> (24 - 8 * i));
    memcpy(pixels + size + 4, "IDAT", 4);
    memcpy(pixels + size + 8, packed, packed_size);
    for (unsigned i = 0; i < 4; i++)
        pixels[size + 8 + packed_size + i] =
            (uint8_t)(crc32(0, pixels + size + 4, (uInt)packed_size + 4) >> (24 - 8 * i));
    effort = harness_effort("png", pixels, ZEROS);
    free(pixels);
    free(packed);
    return effort;
}

Test(png, what_inflates_to_much_costs_effort_and_only_as_far_as_the_picture_goes)
{
    cr_assert_gt(effort_for(4096, 4096), 1 << 20);
    cr_assert_lt(effort_for(16, 16), 1 << 18);
}
