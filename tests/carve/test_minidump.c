/* Minidumps end with the furthest of what their streams point to. */
#include "tests/carve/harness.h"

#include "engine/base/buf.h"

#include <criterion/criterion.h>
#include <string.h>

static struct buf dump;

static void pad(size_t to)
{
    while (dump.size < to)
        buf_u8(&dump, 0xcc);
}

static void words(const uint32_t *word, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_u32le(&dump, word[i]);
}

/* A module with its name at 256, memory of 100 bytes at 400; of a full dump 700 bytes more at 600. */
static void make(bool full)
{
    buf_append(&dump, "MDMP\x93\xa7\x00\x00", 8);
    words((const uint32_t[]){full ? 3 : 2, 32, 0, 0x5f000000, 2, 0}, 6);
    words((const uint32_t[]){4, 112, 80, 5, 20, 192}, 6);
    words((const uint32_t[]){9, 48, 300}, full ? 3 : 0);
    pad(80);
    words((const uint32_t[]){1, 0x400000, 0, 4096, 0, 0, 256}, 7);
    while (dump.size < 192)
        buf_u8(&dump, 0);
    words((const uint32_t[]){1, 0x1000, 0, 100, 400}, 5);
    pad(256);
    words((const uint32_t[]){22}, 1);
    buf_append(&dump, "C\0:\0\\\0k\0v\0a\0.\0e\0x\0e\0\0\0\0", 24);
    pad(300);
    words((const uint32_t[]){2, 0, 600, 0, 0x2000, 0, 500, 0, 0x9000, 0, 200, 0}, 12);
    pad(full ? 600 + 700 : 400 + 100);
}

Test(minidump, ends_with_its_memory)
{
    make(false);
    cr_assert(harness_holds("minidump", dump.data, dump.size, CARVE_VALIDATED, dump.size));
    cr_assert_str_eq(harness_examine("minidump", dump.data, dump.size).title, "kva.exe");
}

Test(minidump, with_full_memory_ends_with_that)
{
    make(true);
    cr_assert(harness_holds("minidump", dump.data, dump.size, CARVE_VALIDATED, dump.size));
}

Test(minidump, a_name_that_is_none_is_not_validated)
{
    make(false);
    dump.data[256] = 23;
    cr_assert_eq(harness_examine("minidump", dump.data, dump.size).grade, CARVE_COMPLETE);
}

Test(minidump, a_stream_in_the_header_is_none)
{
    make(false);
    dump.data[40] = 8;
    cr_assert_eq(harness_examine("minidump", dump.data, dump.size).grade, CARVE_NONE);
}
