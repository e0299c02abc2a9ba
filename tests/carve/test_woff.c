/* WOFF fonts are as long as their header says when all that is packed in them unpacks. */
#include "tests/carve/harness.h"

#include "engine/base/buf.h"

#include <brotli/encode.h>
#include <criterion/criterion.h>
#include <string.h>
#include <zlib.h>

static struct buf font;

static void number(uint32_t n, size_t size)
{
    for (size_t i = size; i > 0; i--)
        buf_u8(&font, (uint8_t)(n >> 8 * (i - 1)));
}

static void put(size_t at, uint32_t n)
{
    for (size_t i = 0; i < 4; i++)
        font.data[at + i] = (uint8_t)(n >> 8 * (3 - i));
}

static void pad(size_t to)
{
    while (font.size < to)
        buf_u8(&font, 0);
}

/* A stored table of 12 bytes and a packed one of 400. */
static void woff(void)
{
    uint8_t table[400], packed[500];
    uLongf size = sizeof packed;

    for (size_t i = 0; i < sizeof table; i++)
        table[i] = (uint8_t)(i / 9);
    compress(packed, &size, table, sizeof table);
    buf_append(&font, "wOFF\0\1\0\0\0\0\0\0\0\2\0\0", 16);
    pad(44);
    buf_append(&font, "cmap", 4);
    number(84, 4);
    number(12, 4);
    number(12, 4);
    number(0x01020304u * 3, 4);
    buf_append(&font, "glyf", 4);
    number(96, 4);
    number((uint32_t)size, 4);
    number(sizeof table, 4);
    number(0, 4);
    buf_append(&font, "\1\2\3\4\1\2\3\4\1\2\3\4", 12);
    buf_append(&font, packed, size);
    pad((font.size + 3) & ~(size_t)3);
    put(8, (uint32_t)font.size);
}

Test(woff, version_1_is_validated)
{
    woff();
    cr_assert(harness_holds("woff", font.data, font.size, CARVE_VALIDATED, font.size));
}

Test(woff, version_1_with_a_wrong_table_is_partial)
{
    woff();
    font.data[85] ^= 1;
    cr_assert_eq(harness_examine("woff", font.data, font.size).grade, CARVE_PARTIAL);
    cr_assert_eq(harness_examine("woff", font.data, font.size).good, 84);
    cr_assert_eq(harness_examine("woff", font.data, font.size).size, font.size);
}

/* Two tables, of 300 and 100 bytes, in one Brotli stream. */
static void woff2(void)
{
    uint8_t tables[400], packed[600];
    size_t size = sizeof packed;

    for (size_t i = 0; i < sizeof tables; i++)
        tables[i] = (uint8_t)(i * i / 7);
    cr_assert(BrotliEncoderCompress(5, 20, BROTLI_MODE_FONT, sizeof tables, tables, &size, packed));
    buf_append(&font, "wOF2\0\1\0\0\0\0\0\0\0\2\0\0", 16);
    pad(48);
    buf_append(&font, "\x00\x82\x2c", 3); /* cmap, 300 */
    buf_append(&font,
               "\x3f"
               "zzzz"
               "\x64",
               6); /* a tag of its own, 100 */
    put(20, (uint32_t)size);
    buf_append(&font, packed, size);
    pad((font.size + 3) & ~(size_t)3);
    put(8, (uint32_t)font.size);
}

Test(woff, version_2_is_validated)
{
    woff2();
    cr_assert(harness_holds("woff2", font.data, font.size, CARVE_VALIDATED, font.size));
}

Test(woff, version_2_that_decodes_to_another_size_is_partial)
{
    woff2();
    font.data[50]++;
    cr_assert_eq(harness_examine("woff2", font.data, font.size).grade, CARVE_PARTIAL);
}

/* Each of them inflates to at most 256 MiB, so many could go on for minutes. */
Test(woff, tables_that_are_too_large_together_are_no_font)
{
    woff();
    put(44 + 12, 200 << 20);
    put(64 + 12, 200 << 20);
    cr_assert_eq(harness_examine("woff", font.data, font.size).grade, CARVE_NONE);
}

Test(woff, so_is_metadata_that_is_too_large)
{
    woff();
    put(24, 84);
    put(28, 12);
    put(32, 300 << 20);
    cr_assert_eq(harness_examine("woff", font.data, font.size).grade, CARVE_NONE);
    buf_clear(&font);
    woff2();
    put(28, 60);
    put(32, 8);
    put(36, 300 << 20);
    cr_assert_eq(harness_examine("woff2", font.data, font.size).grade, CARVE_NONE);
}
