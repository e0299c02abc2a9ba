/* ELF files of both sizes and byte orders are followed through all of their tables. */
#include "tests/carve/harness.h"

#include "engine/base/buf.h"

#include <criterion/criterion.h>
#include <string.h>

static struct buf image;
static bool big, wide;

static void number(uint64_t n, size_t size)
{
    for (size_t i = 0; i < size; i++)
        buf_u8(&image, (uint8_t)(n >> 8 * (big ? size - 1 - i : i)));
}

static void address(uint64_t n)
{
    number(n, wide ? 8 : 4);
}

static void pad(size_t to)
{
    while (image.size < to)
        buf_u8(&image, 0);
}

static void section(uint32_t name, uint32_t type, uint64_t offset, uint64_t size, uint32_t link,
                    uint64_t entry)
{
    number(name, 4);
    number(type, 4);
    address(0);
    address(0);
    address(offset);
    address(size);
    number(link, 4);
    number(0, 4);
    address(1);
    address(entry);
}

static void header(uint64_t sections, uint16_t count, uint16_t names)
{
    buf_append(&image,
               "\x7f"
               "ELF",
               4);
    number(wide ? 2 : 1, 1);
    number(big ? 2 : 1, 1);
    number(1, 1);
    pad(16);
    number(1, 2);
    number(62, 2);
    number(1, 4);
    address(0);
    address(0);
    address(sections);
    number(0, 4);
    number(wide ? 64 : 52, 2);
    number(wide ? 56 : 32, 2);
    number(0, 2);
    number(wide ? 64 : 40, 2);
    number(count, 2);
    number(names, 2);
}

/* An object: code, two symbols with their names, the sections' names, the section table. */
static void make(void)
{
    size_t symbol = wide ? 24 : 16;

    buf_clear(&image);
    header(512, 5, 4);
    pad(100);
    buf_append(&image, "code, and more of it", 20);
    pad(200 + symbol);
    number(1, 4);
    pad(200 + 2 * symbol);
    pad(300);
    buf_append(&image, "\0main\0", 6);
    buf_append(&image, "\0.text\0.symtab\0.strtab\0.shstrtab\0", 34);
    pad(512);
    section(0, 0, 0, 0, 0, 0);
    section(1, 1, 100, 20, 0, 0);
    section(7, 2, 200, 2 * symbol, 3, symbol);
    section(15, 3, 300, 6, 0, 0);
    section(23, 3, 306, 34, 0, 0);
}

Test(elf, all_four_kinds_are_validated)
{
    for (int kind = 0; kind < 4; kind++) {
        big = (kind & 1) != 0;
        wide = (kind & 2) != 0;
        make();
        cr_assert(harness_holds("elf", image.data, image.size, CARVE_VALIDATED, image.size), "kind %d", kind);
    }
}

Test(elf, a_symbol_without_a_name_is_where_it_breaks)
{
    struct carved carved;

    wide = true;
    make();
    image.data[224] = 6;
    carved = harness_examine("elf", image.data, image.size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.good, 224);
}

Test(elf, without_its_section_table_is_partial)
{
    wide = true;
    make();
    memset(image.data + 512, 0xA5, image.size - 512);
    cr_assert_eq(harness_examine("elf", image.data, image.size).grade, CARVE_PARTIAL);
}

Test(elf, a_module_signature_behind_it_belongs_to_it)
{
    wide = true;
    make();
    buf_append(&image, "\x30\x82\x01\x00", 4);
    pad(image.size + 256);
    buf_append(&image, "\0\0\2\0\0\0\0\0\0\0\1\4~Module signature appended~\n", 12 + 28);
    cr_assert(harness_holds("elf", image.data, image.size, CARVE_VALIDATED, 512 + 5 * 64));
    cr_assert_str_eq(harness_examine("elf", image.data, image.size).extension, "ko");
}

Test(elf, a_core_of_segments_alone_is_complete)
{
    big = false;
    wide = true;
    buf_clear(&image);
    header(0, 0, 0);
    image.data[16] = 4;
    image.data[32] = 64; /* program headers */
    image.data[56] = 1;
    image.data[58] = 0;
    number(1, 4);
    number(6, 4);
    address(0x1000); /* offset */
    address(0);
    address(0);
    address(0x300);
    address(0x300);
    address(0);
    pad(0x1300);
    cr_assert(harness_holds("elf", image.data, image.size, CARVE_COMPLETE, image.size));
}

Test(elf, what_is_good_is_never_more_than_what_there_is)
{
    struct carved carved;

    wide = true;
    make();
    image.data[32 + 1] = 0x40; /* program headers, of which there are many, behind all */
    image.data[56] = 200;
    memset(image.data + 512, 0xA5, image.size - 512);
    carved = harness_examine("elf", image.data, image.size);
    cr_assert_leq(carved.good, carved.size);
    cr_assert_leq(carved.size, image.size);
}
