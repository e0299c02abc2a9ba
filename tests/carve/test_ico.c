/* Icons: pictures that fill the file. */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <string.h>

static uint8_t image[16 * 1024];
static size_t size;

static void put_le(size_t at, size_t n, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        image[at + i] = (uint8_t)(n >> 8 * i);
}

/* 16 and 32 pixels of 32 and 8 bits. */
static void make(uint8_t kind)
{
    static const unsigned bits[] = {32, 8};
    static const size_t sides[] = {16, 32};

    memset(image, 0x77, sizeof image);
    put_le(0, 0, 2);
    put_le(2, kind, 2);
    put_le(4, 2, 2);
    size = 6 + 2 * 16;
    for (unsigned i = 0; i < 2; i++) {
        size_t entry = 6 + 16 * (size_t)i, at = size, side = sides[i];

        memset(image + at, 0, 40);
        put_le(at, 40, 4);
        put_le(at + 4, side, 4);
        put_le(at + 8, 2 * side, 4);
        put_le(at + 12, 1, 2);
        put_le(at + 14, bits[i], 2);
        size += 40 + (bits[i] == 8 ? 1024u : 0) + (size_t)(side * side * bits[i] / 8 + side * 4);
        memset(image + entry, 0, 16);
        image[entry] = image[entry + 1] = (uint8_t)side;
        put_le(entry + 4, 1, 2);
        put_le(entry + 6, bits[i], 2);
        put_le(entry + 8, size - at, 4);
        put_le(entry + 12, at, 4);
    }
}

Test(ico, whole_is_validated_and_a_prefix_never_is)
{
    make(1);
    cr_assert(harness_holds("ico", image, size, CARVE_VALIDATED, size));
    cr_assert_str_eq(harness_examine("ico", image, size).extension, "ico");
    make(2);
    cr_assert(harness_holds("ico", image, size, CARVE_VALIDATED, size));
    cr_assert_str_eq(harness_examine("ico", image, size).extension, "cur");
}

Test(ico, a_picture_of_another_size_than_its_entry_is_none)
{
    make(1);
    put_le(6 + 8, 1000, 4);
    cr_assert_eq(harness_examine("ico", image, size).grade, CARVE_NONE);
}

Test(ico, a_second_picture_that_is_foreign_is_partial_and_good_before_it)
{
    struct carved carved;
    size_t first;

    make(1);
    first = image[6 + 16 + 12] + 256u * image[6 + 16 + 13];
    memset(image + first, 0x77, 600);
    carved = harness_examine("ico", image, size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.good, first);
}
