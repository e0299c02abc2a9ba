/* Fonts end with their last table, and their checksums cover all of them. */
#include "tests/carve/harness.h"

#include "engine/base/buf.h"

#include <criterion/criterion.h>
#include <string.h>

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

static uint32_t sum(size_t at, size_t size)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < size; i++)
        sum += (uint32_t)font.data[at + i] << (24 - 8 * (i % 4));
    return sum;
}

static void pad(size_t to)
{
    while (font.size < to)
        buf_u8(&font, 0);
}

/* At `base`: head (54 bytes), name (28 bytes: the full name "kvali"), zzzz (3 bytes), which is padded or not.
 */
static void make(size_t base, bool is_padded)
{
    static const char name[] = "\0k\0v\0a\0l\0i";

    pad(base);
    number(0x00010000, 4);
    number(3, 2);
    number(32, 2);
    number(1, 2);
    number(16, 2);
    buf_append(&font, "head", 4);
    number(0, 4);
    number((uint32_t)base + 60, 4);
    number(54, 4);
    buf_append(&font, "name", 4);
    number(0, 4);
    number((uint32_t)base + 116, 4);
    number(28, 4);
    buf_append(&font, "zzzz", 4);
    number(0x01020300, 4);
    number((uint32_t)base + 144, 4);
    number(3, 4);
    for (uint32_t i = 0; i < 54; i++)
        number(i < 8 || i > 11 ? i + 3 : 0, 1);
    pad(base + 116);
    number(0, 2);
    number(1, 2);
    number(18, 2);
    number(3 << 16 | 1, 4);
    number(0x0409 << 16 | 4, 4);
    number(10, 2);
    number(0, 2);
    buf_append(&font, name, 10);
    number(0x010203, 3);
    put(base + 16, sum(base + 60, 54));
    put(base + 32, sum(base + 116, 28));
    put(base + 60 + 8, 0xB1B0AFBA - sum(base, font.size - base));
    if (is_padded)
        pad(base + 148);
}

Test(font, with_right_checksums_is_validated_with_its_padding)
{
    make(0, true);
    cr_assert(harness_holds("font", font.data, font.size, CARVE_VALIDATED, 147));
    cr_assert_str_eq(harness_examine("font", font.data, font.size).title, "kvali");
}

Test(font, without_padding_ends_where_other_data_begins)
{
    make(0, false);
    buf_append(&font, "\xA5\xA5\xA5\xA5", 4);
    cr_assert_eq(harness_examine("font", font.data, font.size).size, 147);
    cr_assert_eq(harness_examine("font", font.data, font.size).grade, CARVE_VALIDATED);
}

Test(font, a_flipped_byte_is_not_validated)
{
    make(0, true);
    font.data[80] ^= 1;
    cr_assert_eq(harness_examine("font", font.data, font.size).grade, CARVE_COMPLETE);
    font.data[120] ^= 1;
    cr_assert_eq(harness_examine("font", font.data, font.size).grade, CARVE_PARTIAL);
}

Test(font, a_collection_ends_with_the_last_table_of_all)
{
    buf_append(&font, "ttcf\0\1\0\0\0\0\0\2", 12);
    number(20, 4);
    number(168, 4);
    make(20, true);
    make(168, true);
    cr_assert(harness_holds("ttc", font.data, font.size, CARVE_VALIDATED, 168 + 147));
    font.data[240] ^= 1;
    cr_assert_neq(harness_examine("ttc", font.data, font.size).grade, CARVE_VALIDATED);
}
