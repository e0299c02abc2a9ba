/* A bitmap's headers tell where it ends. */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <string.h>

static uint8_t image[32 * 1024];
static size_t size;

static void put_le32(size_t at, size_t n)
{
    for (unsigned i = 0; i < 4; i++)
        image[at + i] = (uint8_t)(n >> 8 * i);
}

static void make(uint32_t header, unsigned wide, unsigned high, unsigned bits, unsigned compression)
{
    size_t stride = (wide * bits + 31) / 32 * 4, palette = bits > 8 ? 0 : (size_t)4 << bits;

    memset(image, 0, sizeof image);
    memcpy(image, "BM", 2);
    put_le32(10, 14 + header + palette);
    put_le32(14, header);
    put_le32(18, wide);
    put_le32(22, high);
    image[26] = 1;
    image[28] = (uint8_t)bits;
    image[30] = (uint8_t)compression;
    size = 14 + header + palette;
    for (unsigned y = 0; y < high && compression == 0; y++, size += stride) {
        for (unsigned x = 0; x < wide * bits / 8; x++)
            image[size + x] = (uint8_t)(x * 7 + y * 13 + 1);
    }
    put_le32(2, size);
}

Test(bmp, with_rows_filled_up_by_zeros_is_validated)
{
    make(40, 33, 40, 24, 0);
    cr_assert(harness_holds("bmp", image, size, CARVE_VALIDATED, size));
    make(124, 13, 40, 8, 0);
    cr_assert(harness_holds("bmp", image, size, CARVE_VALIDATED, size));
}

Test(bmp, with_nothing_to_check_is_complete)
{
    make(40, 32, 40, 24, 0);
    cr_assert(harness_holds("bmp", image, size, CARVE_COMPLETE, size));
}

Test(bmp, rows_of_another_width_are_not_validated)
{
    make(40, 33, 40, 24, 0);
    memset(image + size / 2, 0x11, 512);
    cr_assert_eq(harness_examine("bmp", image, size).grade, CARVE_COMPLETE);
}

Test(bmp, run_length_codes_are_followed_to_their_end)
{
    static const uint8_t row[] = {10, 1, 0, 5, 1, 2, 3, 4, 5, 0, 18, 7, 0, 0};

    make(40, 33, 40, 8, 1);
    for (unsigned y = 0; y < 40; y++, size += sizeof row)
        memcpy(image + size, row, sizeof row);
    memcpy(image + size, "\0\1", 2);
    size += 2;
    put_le32(34, 40 * sizeof row + 2);
    put_le32(2, size);
    cr_assert(harness_holds("bmp", image, size, CARVE_VALIDATED, size));
    image[size - 30] = 200;
    cr_assert_eq(harness_examine("bmp", image, size).grade, CARVE_PARTIAL);
}

Test(bmp, run_length_codes_may_fill_up_the_row)
{
    static const uint8_t row[] = {33, 1, 3, 0, 0, 0};

    make(40, 33, 40, 8, 1);
    for (unsigned y = 0; y < 40; y++, size += sizeof row)
        memcpy(image + size, row, sizeof row);
    memcpy(image + size, "\0\1", 2);
    size += 2;
    put_le32(34, 40 * sizeof row + 2);
    put_le32(2, size);
    cr_assert(harness_holds("bmp", image, size, CARVE_VALIDATED, size));
}

Test(bmp, a_colour_profile_behind_the_pixels_belongs_to_it)
{
    make(124, 33, 40, 24, 0);
    memcpy(image + 14 + 56, "DEBM", 4);
    put_le32(14 + 112, size - 14);
    put_le32(14 + 116, 500);
    memset(image + size, 'p', 500);
    size += 500;
    put_le32(2, size);
    cr_assert(harness_holds("bmp", image, size, CARVE_VALIDATED, size));
}

Test(bmp, a_size_that_contradicts_the_headers_is_none)
{
    make(40, 33, 40, 24, 0);
    put_le32(2, size - 100);
    cr_assert_eq(harness_examine("bmp", image, size).grade, CARVE_NONE);
}
