/* Photoshop documents: five sections, the last of them rows that unpack to the width. */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <string.h>

enum { WIDE = 50, HIGH = 40, CHANNELS = 3 };

static uint8_t image[32 * 1024];
static size_t size;

static void put(const void *data, size_t count)
{
    memcpy(image + size, data, count);
    size += count;
}

static void put_be(uint64_t n, unsigned count)
{
    for (unsigned i = count; i-- > 0;)
        image[size++] = (uint8_t)(n >> 8 * i);
}

static void make(unsigned version, unsigned compression)
{
    size = 0;
    put("8BPS", 4);
    put_be(version, 2);
    put_be(0, 6);
    put_be(CHANNELS, 2);
    put_be(HIGH, 4);
    put_be(WIDE, 4);
    put_be(8, 2);
    put_be(3, 2);
    put_be(0, 4);
    put_be(12 + 32 + 12 + 4, 4);
    put("8BIM\x04\x0c\0\0", 8);
    put_be(32, 4);
    memset(image + size, 7, 32);
    size += 32;
    put("8BIM\x03\xed\0\0", 8);
    put_be(3, 4);
    put("abc", 4);
    put_be(0, version == 1 ? 4 : 8);
    put_be(compression, 2);
    for (unsigned i = 0; compression == 1 && i < HIGH * CHANNELS; i++)
        put_be(2 + 2 + i % 3 * 2, version == 1 ? 2 : 4);
    for (unsigned i = 0; i < HIGH * CHANNELS; i++) {
        if (compression == 1) {
            for (unsigned k = 0; k < i % 3; k++)
                put("\xfb\x11", 2); /* six each */
            put("\xf8\x22", 2);     /* nine */
            image[size++] = (uint8_t)(257 - (WIDE - 9 - i % 3 * 6));
            image[size++] = 0x33;
        } else {
            memset(image + size, (int)i, WIDE);
            size += WIDE;
        }
    }
}

Test(psd, with_packed_rows_is_validated_and_a_prefix_never_is)
{
    for (unsigned version = 1; version <= 2; version++) {
        make(version, 1);
        cr_assert(harness_holds("psd", image, size, CARVE_VALIDATED, size));
        cr_assert_str_eq(harness_examine("psd", image, size).extension, version == 1 ? "psd" : "psb");
        cr_assert_eq(harness_examine("psd", image, size).part_count, 1);
    }
}

Test(psd, with_raw_rows_is_complete)
{
    make(1, 0);
    cr_assert(harness_holds("psd", image, size, CARVE_COMPLETE, size));
}

Test(psd, a_row_that_is_too_long_is_where_it_ends)
{
    struct carved carved;

    make(1, 1);
    image[size - 100] = 0xf0;
    image[size - 99] = 0xf0;
    carved = harness_examine("psd", image, size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_leq(carved.size, size - 99);
}

Test(psd, resources_that_do_not_fill_their_section_are_wrong)
{
    make(1, 1);
    image[26 + 4 + 4] = 'x';
    cr_assert_leq(harness_examine("psd", image, size).grade, CARVE_PARTIAL);
}
