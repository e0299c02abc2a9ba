/* ESE databases end where the last extent does that their root owns; every page has a checksum. */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <string.h>

static uint8_t file[80 * 32768];
static size_t size, page_size, extent;
static uint32_t last;

static void put_le32(size_t at, uint32_t n)
{
    for (size_t i = 0; i < 4; i++)
        file[at + i] = (uint8_t)(n >> 8 * i);
}

/* XOR of the words in [begin, end) and `seed` goes to `to`. */
static void sum_up(size_t to, size_t begin, size_t end, uint32_t seed)
{
    put_le32(to, seed);
    for (size_t i = begin; i < end; i++)
        file[to + (i & 3)] ^= file[i];
}

static bool is_large(void)
{
    return page_size >= 16384;
}

static size_t page(uint32_t number)
{
    return (number + 1) * page_size;
}

static void seal_page(uint32_t number)
{
    size_t at = page(number), quarter = page_size / 4;

    sum_up(at, at + 8, at + (is_large() ? quarter : page_size), number);
    for (size_t i = 1; i < 4 && is_large(); i++)
        sum_up(at + 32 + 8 * i, at + i * quarter, at + (i + 1) * quarter, number);
    if (is_large()) /* the first quarter has the others' sums in it */
        sum_up(at, at + 8, at + quarter, number);
}

/* Adds a value to the page: its tag is the next one from the page's end. */
static void put_value(uint32_t number, size_t offset, const void *data, size_t count)
{
    size_t at = page(number), tag = at + page_size - 4 * (size_t)++file[at + 34];

    file[tag] = (uint8_t)count;
    file[tag + 2] = (uint8_t)offset;
    memcpy(file + at + (is_large() ? 80 : 40) + offset, data, count);
}

/* Twelve pages, of which the last two have never been written. */
static void make(size_t bytes)
{
    uint8_t root[16] = {[8] = 1, [12] = 2}, entry[10] = {4, 0, 0, 0, 0, 12, 4, 0, 0, 0};

    memset(file, 0, sizeof file);
    page_size = bytes;
    extent = 4;
    last = 12;
    size = (last + 2) * page_size;
    put_le32(4, 0x89abcdef);
    put_le32(8, 0x620);
    put_le32(232, 0x14);
    put_le32(236, (uint32_t)page_size);
    sum_up(0, 4, page_size, 0x89abcdef);
    memcpy(file + page_size, file, page_size);
    put_value(1, 0, root, 16);
    put_value(2, 0, root, 16);
    put_value(2, 16, entry, 10);
    for (uint32_t i = 1; i <= 10; i++) {
        file[page(i) + 36] = 3;
        if (i > 2)
            memset(file + page(i) + 100, (int)i, 1000);
        seal_page(i);
    }
}

Test(ese, whole_is_validated_and_a_prefix_never_is)
{
    make(8192);
    cr_assert(harness_holds("ese", file, size, CARVE_VALIDATED, size));
    make(32768);
    cr_assert(harness_holds("ese", file, size, CARVE_VALIDATED, size));
}

Test(ese, the_extent_that_it_has_just_grown_by_belongs_to_it)
{
    make(8192);
    file[size + extent * page_size] = 1;
    cr_assert_eq(harness_examine("ese", file, sizeof file).size, size + extent * page_size);
    file[size + extent * page_size - 1] = 1;
    cr_assert_eq(harness_examine("ese", file, sizeof file).size, size);
}

Test(ese, a_flipped_bit_cuts_it_before_the_page)
{
    static const size_t sizes[] = {4096, 32768};

    for (size_t i = 0; i < 2; i++) {
        struct carved carved;

        make(sizes[i]);
        file[page(5) + page_size - 100] ^= 1;
        carved = harness_examine("ese", file, size);
        cr_assert_eq(carved.grade, CARVE_PARTIAL);
        cr_assert_eq(carved.good, page(5));
    }
}

Test(ese, a_page_at_another_place_is_not_taken)
{
    make(4096);
    memcpy(file + page(6), file + page(7), page_size);
    cr_assert_eq(harness_examine("ese", file, size).good, page(6));
}

Test(ese, two_pieces_read_as_one)
{
    make(4096);
    cr_assert_eq(harness_examine_split("ese", file, size, 5 * 4096, 512).grade, CARVE_VALIDATED);
}
