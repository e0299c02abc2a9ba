/* Prefetch files: sections that fit together, as they are and compressed. */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <string.h>

enum {
    FILES = 304,
    CHAINS = FILES + 2 * 32,
    NAMES = CHAINS + 3 * 8,
    VOLUMES_SIZE = 96,
    VOLUMES_END = VOLUMES_SIZE + 12 + 10
};

static uint8_t inside[200 * 1024], file[300 * 1024];
static size_t inside_size, size;

static void put_le32(uint8_t *to, uint32_t n)
{
    for (size_t i = 0; i < 4; i++)
        to[i] = (uint8_t)(n >> 8 * i);
}

static void wide(uint8_t *to, const char *text)
{
    for (size_t i = 0; text[i] != '\0'; i++)
        to[2 * i] = (uint8_t)text[i];
}

/* Version 30 with two files, the second with a name of `length` characters. */
static void make(uint32_t length)
{
    const uint32_t names_size = 2 * (6 + 1 + length + 1), volumes = NAMES + names_size + 2;
    const uint32_t fields[] = {FILES, 2, CHAINS, 3, NAMES, names_size, volumes, 1, VOLUMES_END};

    memset(inside, 0, sizeof inside);
    inside_size = volumes + VOLUMES_END;
    put_le32(inside, 30);
    memcpy(inside + 4, "SCCA", 4);
    put_le32(inside + 12, (uint32_t)inside_size);
    wide(inside + 16, "KVALI.EXE");
    for (size_t i = 0; i < 9; i++)
        put_le32(inside + 84 + 4 * i, fields[i]);
    put_le32(inside + FILES + 16, 6);
    put_le32(inside + FILES + 32 + 12, 14);
    put_le32(inside + FILES + 32 + 16, length);
    wide(inside + NAMES, "\\A.DLL");
    put_le32(inside + volumes, VOLUMES_SIZE);
    put_le32(inside + volumes + 4, 5);
    put_le32(inside + volumes + 28, VOLUMES_SIZE + 12);
    put_le32(inside + volumes + 32, 1);
    wide(inside + volumes + VOLUMES_SIZE, "\\DISK");
    inside[volumes + VOLUMES_SIZE + 12] = 3;
    wide(inside + volumes + VOLUMES_SIZE + 14, "\\AB");
    for (size_t i = 0; i < length; i++)
        inside[NAMES + 14 + 2 * i] = (uint8_t)('a' + i * i % 26);
}

static uint32_t bits, bit_count;

static void put_bits(uint32_t n, unsigned count)
{
    for (unsigned i = count; i > 0; i--) {
        bits = bits << 1 | (n >> (i - 1) & 1);
        if (++bit_count % 16 == 0) {
            file[size++] = (uint8_t)bits;
            file[size++] = (uint8_t)(bits >> 8);
        }
    }
}

/* All codes have nine bits and are the symbols themselves; zeros repeat. */
static void begin_block(void)
{
    memset(file + size, 0x99, 256);
    size += 256;
    bit_count = 0;
}

/* A reader has two words at hand before it begins. */
static void end_block(void)
{
    unsigned begun = bit_count;

    if (begun % 16 != 0)
        put_bits(0, 16 - begun % 16);
    put_bits(0, begun <= 16 ? 32 - bit_count : 16);
}

static void pack(void)
{
    size_t at = 0;

    memset(file, 0, sizeof file);
    memcpy(file, "MAM\x04", 4);
    put_le32(file + 4, (uint32_t)inside_size);
    size = 8;
    while (at < inside_size) {
        size_t limit = at + 65536 < inside_size ? at + 65536 : inside_size;

        begin_block();
        while (at < limit) {
            if (at > 1 && limit - at > 5 && memcmp(inside + at - 1, "\0\0\0\0\0", 5) == 0) {
                put_bits(256 + (0 << 4 | 1), 9); /* one back, four long */
                at += 4;
            } else {
                put_bits(inside[at++], 9);
            }
        }
        if (at == inside_size)
            put_bits(256, 9);
        end_block();
    }
}

Test(prefetch, whole_is_validated_and_a_prefix_never_is)
{
    make(40);
    cr_assert(harness_holds("prefetch", inside, inside_size, CARVE_VALIDATED, inside_size));
    cr_assert_str_eq(harness_examine("prefetch", inside, inside_size).title, "KVALI.EXE");
}

Test(prefetch, a_name_that_is_elsewhere_is_not_validated)
{
    make(40);
    inside[FILES + 32 + 16] ^= 1;
    cr_assert_lt(harness_examine("prefetch", inside, inside_size).grade, CARVE_COMPLETE);
    make(40);
    inside[inside_size - 10] = 2; /* a folder's length */
    cr_assert_lt(harness_examine("prefetch", inside, inside_size).grade, CARVE_COMPLETE);
    make(40);
    inside[12] ^= 1;
    cr_assert_eq(harness_examine("prefetch", inside, inside_size).grade, CARVE_NONE);
}

Test(prefetch, compressed_whole_is_validated_and_a_prefix_never_is)
{
    make(40);
    pack();
    cr_assert(harness_holds("mam", file, size, CARVE_VALIDATED, size));
    make(50000);
    pack();
    cr_assert_gt(size, 65536);
    cr_assert(harness_holds("mam", file, size, CARVE_VALIDATED, size));
    cr_assert_str_eq(harness_examine("mam", file, size).title, "KVALI.EXE");
}

Test(prefetch, compressed_with_another_size_is_not_validated)
{
    make(40);
    pack();
    file[4]++;
    cr_assert_lt(harness_examine("mam", file, size).grade, CARVE_COMPLETE);
    file[4] -= 2;
    cr_assert_lt(harness_examine("mam", file, size).grade, CARVE_COMPLETE);
}

Test(prefetch, what_is_cut_keeps_its_title)
{
    struct carved carved;

    make(50000);
    pack();
    carved = harness_examine("mam", file, 20000);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_str_eq(carved.title, "KVALI.EXE");
    carved = harness_examine("prefetch", inside, 20000);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.good, 20000);
}
