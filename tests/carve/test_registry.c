/* Registry hives are followed from bin to bin and from cell to cell. */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <string.h>

enum { BIN = 4096, GROWN = 256 * 1024 };

static uint8_t hive[2 * GROWN];
static size_t size;

static void put_le32(size_t at, uint32_t n)
{
    for (size_t i = 0; i < 4; i++)
        hive[at + i] = (uint8_t)(n >> 8 * i);
}

static void sum_up(void)
{
    for (size_t k = 0; k < 4; k++) {
        hive[508 + k] = 0;
        for (size_t i = k; i < 508; i += 4)
            hive[508 + k] ^= hive[i];
    }
}

/* A bin whose cells have 96 bytes and what is left. */
static void put_bin(size_t at, uint32_t bytes)
{
    memcpy(hive + at, "hbin", 4);
    put_le32(at + 4, (uint32_t)at - BIN);
    put_le32(at + 8, bytes);
    for (size_t cell = at + 32; cell < at + bytes; cell += 96) {
        size_t left = at + bytes - cell;

        put_le32(cell, left < 192 ? (uint32_t)left : (uint32_t)-96); /* the last one is free */
        if (left < 192)
            break;
    }
}

/* Bins of one, two and one page. */
static void make(const char *name)
{
    memset(hive, 0, sizeof hive);
    memcpy(hive, "regf", 4);
    put_le32(20, 1);
    put_le32(24, 5);
    put_le32(32, 1);
    put_le32(36, 32);
    put_le32(40, 4 * BIN);
    for (size_t i = 0; name[i] != '\0'; i++)
        hive[48 + 2 * i] = (uint8_t)name[i];
    sum_up();
    put_bin(BIN, BIN);
    put_bin(2 * BIN, 2 * BIN);
    put_bin(4 * BIN, BIN);
    memcpy(hive + BIN + 36, "nk\x2c", 4);
    hive[BIN + 36 + 72] = 4;
    memcpy(hive + BIN + 36 + 76, "Root", 4);
    size = 5 * BIN;
}

Test(registry, whole_is_validated_and_a_prefix_never_is)
{
    make("");
    cr_assert(harness_holds("registry", hive, size, CARVE_VALIDATED, size));
    cr_assert_str_eq(harness_examine("registry", hive, size).title, "Root");
}

Test(registry, one_in_use_ends_at_the_size_that_it_has_grown_to)
{
    struct carved carved;

    make("config\\SAM");
    cr_assert(harness_holds("registry", hive, GROWN, CARVE_VALIDATED, GROWN));
    carved = harness_examine("registry", hive, size);
    cr_assert_eq(carved.grade, CARVE_COMPLETE);
    cr_assert_eq(carved.size, size);
    cr_assert_str_eq(carved.title, "config\\\\SAM");
}

Test(registry, a_cell_that_is_wrong_cuts_it)
{
    struct carved carved;

    make("");
    hive[2 * BIN + 32 + 5 * 96] ^= 1;
    carved = harness_examine("registry", hive, size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.good, 2 * BIN + 32 + 4 * 96);
}

Test(registry, a_wrong_checksum_or_no_root_is_not_validated)
{
    make("");
    hive[12] ^= 1;
    cr_assert_eq(harness_examine("registry", hive, size).grade, CARVE_COMPLETE);
    make("");
    put_le32(36, 36 + 96);
    sum_up();
    cr_assert_lt(harness_examine("registry", hive, size).grade, CARVE_COMPLETE);
}

Test(registry, two_pieces_read_as_one)
{
    make("");
    cr_assert_eq(harness_examine_split("registry", hive, size, 2 * BIN, BIN).grade, CARVE_VALIDATED);
}
