/* Shortcuts are followed from part to part to the block that ends them. */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <string.h>

static uint8_t file[4096];
static size_t size, list_at, info_at, blocks_at;

static void put(const void *data, size_t count)
{
    memcpy(file + size, data, count);
    size += count;
}

static void put_le(uint32_t n, size_t count)
{
    for (size_t i = 0; i < count; i++)
        file[size++] = (uint8_t)(n >> 8 * i);
}

static void put_text(const char *text)
{
    put_le((uint32_t)strlen(text), 2);
    for (size_t i = 0; text[i] != '\0'; i++)
        put_le((uint8_t)text[i], 2);
}

static void make(uint32_t flags)
{
    static const uint8_t class_id[16] = {1, 0x14, 2, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46};

    memset(file, 0, sizeof file);
    size = 0;
    put_le(0x4c, 4);
    put(class_id, 16);
    put_le(flags, 4);
    size = 0x4c;
    list_at = size;
    if ((flags & 1) != 0) {
        put_le(20 + 10 + 2, 2);
        put_le(20, 2);
        size += 18;
        put_le(10, 2);
        size += 8;
        put_le(0, 2);
    }
    info_at = size;
    if ((flags & 2) != 0) {
        const uint32_t fields[] = {0x1c + 16 + 9 + 6, 0x1c, 1, 0x1c, 0x1c + 16, 0, 0x1c + 16 + 9};

        for (size_t i = 0; i < 7; i++)
            put_le(fields[i], 4);
        put_le(16, 4);
        size += 12;
        put("C:\\temp\\", 9);
        put("a.txt", 6);
    }
    if ((flags & 8) != 0)
        put_text("..\\temp\\a.txt");
    if ((flags & 32) != 0)
        put_text("-x");
    blocks_at = size;
    put_le(0x10, 4);
    put_le(0xa0000005, 4);
    size += 8;
    put_le(0, 4);
}

Test(lnk, whole_is_validated_and_a_prefix_never_is)
{
    make(1 | 2 | 8 | 32 | 128);
    cr_assert(harness_holds("lnk", file, size, CARVE_VALIDATED, size));
    make(8 | 128);
    cr_assert(harness_holds("lnk", file, size, CARVE_VALIDATED, size));
}

Test(lnk, title_is_the_target)
{
    make(1 | 2 | 8 | 32 | 128);
    cr_assert_str_eq(harness_examine("lnk", file, size).title, "C:\\\\temp\\\\a.txt");
    make(8 | 128);
    cr_assert_str_eq(harness_examine("lnk", file, size).title, "..\\\\temp\\\\a.txt");
}

Test(lnk, a_part_that_is_wrong_cuts_it_there)
{
    make(1 | 2 | 8 | 128);
    file[list_at + 2] ^= 1;
    cr_assert_eq(harness_examine("lnk", file, size).grade, CARVE_FRAGMENT);
    make(1 | 2 | 8 | 128);
    file[info_at + 24] = 0xff;
    cr_assert_eq(harness_examine("lnk", file, size).good, info_at);
    make(1 | 2 | 8 | 128);
    file[blocks_at + 7] ^= 1;
    cr_assert_eq(harness_examine("lnk", file, size).good, blocks_at);
}

Test(lnk, two_back_to_back_are_the_first_alone)
{
    make(1 | 2 | 128);
    memcpy(file + size, file, size);
    cr_assert_eq(harness_examine("lnk", file, 2 * size).size, size);
}
