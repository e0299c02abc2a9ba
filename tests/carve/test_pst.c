/* Outlook's files: every page, block and map of their two trees has a CRC and a signature of its place. */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <string.h>
#include <zlib.h>

enum { MAP = 0x4400, NODES = 0x4600, BLOCKS = 0x4800, FIRST = 0x4a00, SECOND = 0x4b00, END = 0x5000 };

static uint8_t file[END];
static unsigned width;

static void put(size_t at, uint64_t n, size_t count)
{
    for (size_t i = 0; i < count; i++)
        file[at + i] = (uint8_t)(n >> 8 * i);
}

static uint32_t crc(size_t at, size_t count)
{
    return (uint32_t)~crc32(UINT32_MAX, file + at, (uInt)count);
}

static uint32_t signature(size_t at, uint32_t id)
{
    return ((at ^ id) >> 16 ^ (at ^ id)) & 0xffff;
}

static size_t page_size(void)
{
    return width == 8 ? 496 : 500;
}

static void seal_page(size_t at, uint8_t type, uint32_t id)
{
    size_t end = at + page_size();

    put(end, (uint64_t)type << 8 | type, 2);
    put(end + 2, type == 0x84 ? 0 : signature(at, id), 2);
    put(end + (width == 8 ? 8 : 4), id, width);
    put(end + (width == 8 ? 4 : 8), crc(at, page_size()), 4);
}

static void put_block(size_t at, size_t size, uint32_t id)
{
    size_t trailer = width == 8 ? 16 : 12, end = at + (size + trailer + 63) / 64 * 64 - trailer;

    for (size_t i = 0; i < size; i++)
        file[at + i] = (uint8_t)(i * i + id);
    put(end, size, 2);
    put(end + 2, signature(at, id), 2);
    put(end + (width == 8 ? 8 : 4), id, width);
    put(end + (width == 8 ? 4 : 8), crc(at, size), 4);
}

static void put_root(void)
{
    size_t at = width == 8 ? 184 : 168;

    put(at, END, width);
    put(at + width, MAP, width);
    at += 4 * (size_t)width;
    put(at, 3, width);
    put(at + width, NODES, width);
    put(at + 2 * (size_t)width, 5, width);
    put(at + 3 * (size_t)width, BLOCKS, width);
    file[at + 4 * (size_t)width] = 2;
}

/* The older form has numbers of 4 bytes, the newer of 8. */
static void make(unsigned bytes)
{
    size_t counts, entry = 3 * (size_t)bytes;

    width = bytes;
    counts = page_size() - (width == 8 ? 8 : 4);
    memset(file, 0, sizeof file);
    memcpy(file, "!BDN", 4);
    memcpy(file + 8, "SM", 2);
    put(10, width == 8 ? 23 : 14, 2);
    put_root();
    if (width == 8)
        put(524, crc(8, 516), 4);
    put(4, crc(8, 471), 4);
    memset(file + MAP, 0xff, 100);
    seal_page(MAP, 0x84, MAP);
    file[NODES + counts + 2] = (uint8_t)entry;
    seal_page(NODES, 0x81, 3);
    put(BLOCKS, 8, width);
    put(BLOCKS + width, FIRST, width);
    put(BLOCKS + 2 * (size_t)width, 150, 2);
    put(BLOCKS + entry, 12, width);
    put(BLOCKS + entry + width, SECOND, width);
    put(BLOCKS + entry + 2 * (size_t)width, 1000, 2);
    file[BLOCKS + counts] = 2;
    file[BLOCKS + counts + 2] = (uint8_t)entry;
    seal_page(BLOCKS, 0x80, 5);
    put_block(FIRST, 150, 8);
    put_block(SECOND, 1000, 12);
}

Test(pst, whole_is_validated_and_a_prefix_never_is)
{
    make(8);
    cr_assert(harness_holds("pst", file, END, CARVE_VALIDATED, END));
    make(4);
    cr_assert(harness_holds("pst", file, END, CARVE_VALIDATED, END));
}

Test(pst, a_flipped_bit_in_any_part_is_found)
{
    static const size_t places[] = {40, MAP + 9, NODES + 9, BLOCKS + 9, FIRST + 9, SECOND + 999};

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct carved carved;

        make(8);
        file[places[i]] ^= 1;
        carved = harness_examine("pst", file, END);
        cr_assert_lt(carved.grade, CARVE_COMPLETE, "%zu", places[i]);
        cr_assert_leq(carved.good, places[i]);
    }
}

Test(pst, what_holds_ends_with_the_last_block_before_the_one_that_does_not)
{
    make(8);
    file[SECOND + 500] ^= 1;
    cr_assert_eq(harness_examine("pst", file, END).good, FIRST + 192);
}

Test(pst, trees_that_lead_back_to_themselves_end)
{
    make(8);
    file[BLOCKS + 488 + 3] = 1;
    put(BLOCKS + 8, 5, 8);
    put(BLOCKS + 16, BLOCKS, 8);
    seal_page(BLOCKS, 0x80, 5);
    cr_assert_lt(harness_examine("pst", file, END).grade, CARVE_COMPLETE);
}
