/* PE files end where sections, certificate and overlay say, and their checksum covers all of it. */
#include "tests/carve/harness.h"

#include "engine/base/buf.h"

#include <criterion/criterion.h>
#include <string.h>

enum { AT = 64, OPTIONAL = AT + 24, CHECKSUM = OPTIONAL + 64, SECURITY = OPTIONAL + 112 + 4 * 8, RAW = 512 };

static struct buf image;

static void pad(size_t to)
{
    while (image.size < to)
        buf_u8(&image, 0);
}

/* As Windows' CheckSumMappedFile does, word by word. */
static void set_checksum(void)
{
    uint32_t sum = 0;

    buf_patch_u32le(&image, CHECKSUM, 0);
    for (size_t i = 0; i < image.size; i += 2) {
        sum += image.data[i] + (i + 1 < image.size ? (uint32_t)image.data[i + 1] << 8 : 0);
        sum = (sum & 0xffff) + (sum >> 16);
    }
    buf_patch_u32le(&image, CHECKSUM, sum + (uint32_t)image.size);
}

/* x64 library with a section of 1,024 bytes, no checksum yet. */
static void make(uint16_t characteristics, uint16_t subsystem)
{
    buf_clear(&image);
    buf_append(&image, "MZ", 2);
    pad(60);
    buf_u32le(&image, AT);
    buf_append(&image, "PE\0\0\x64\x86\x01\x00", 8);
    pad(AT + 20);
    buf_u16le(&image, 240);
    buf_u16le(&image, characteristics);
    buf_u16le(&image, 0x20b);
    pad(OPTIONAL + 32);
    buf_u32le(&image, 4096); /* section alignment */
    buf_u32le(&image, 512);
    pad(OPTIONAL + 56);
    buf_u32le(&image, 8192);
    buf_u32le(&image, RAW);
    buf_u32le(&image, 0);
    buf_u16le(&image, subsystem);
    pad(OPTIONAL + 108);
    buf_u32le(&image, 16);
    pad(OPTIONAL + 240);
    buf_append(&image, ".text\0\0\0", 8);
    buf_u32le(&image, 1000);
    buf_u32le(&image, 4096);
    buf_u32le(&image, 1024);
    buf_u32le(&image, RAW);
    pad(RAW);
    for (int i = 0; i < 1024; i++)
        buf_u8(&image, (uint8_t)(i * 31 + 7));
}

Test(pe, with_a_right_checksum_is_validated)
{
    make(0x2022, 2);
    set_checksum();
    cr_assert(harness_holds("pe", image.data, image.size, CARVE_VALIDATED, image.size));
    cr_assert_str_eq(harness_examine("pe", image.data, image.size).extension, "dll");
    image.data[700] ^= 1;
    cr_assert_eq(harness_examine("pe", image.data, image.size).grade, CARVE_COMPLETE);
}

Test(pe, without_a_checksum_is_complete)
{
    make(0x22, 10);
    cr_assert(harness_holds("pe", image.data, image.size, CARVE_COMPLETE, image.size));
    cr_assert_str_eq(harness_examine("pe", image.data, image.size).extension, "efi");
}

Test(pe, certificates_behind_the_sections_belong_to_it)
{
    make(0x22, 3);
    buf_patch_u32le(&image, SECURITY, (uint32_t)image.size);
    buf_patch_u32le(&image, SECURITY + 4, 264);
    buf_u32le(&image, 261);
    buf_u32le(&image, 0x00020200);
    pad(RAW + 1024 + 264);
    set_checksum();
    cr_assert(harness_holds("pe", image.data, image.size, CARVE_VALIDATED, image.size));
}

/* Something else lies where it was, so the file was cut there. */
Test(pe, certificates_that_are_named_and_not_there_are_lacked)
{
    struct carved carved;

    make(0x22, 3);
    buf_patch_u32le(&image, SECURITY, (uint32_t)image.size + 512);
    buf_patch_u32le(&image, SECURITY + 4, 264);
    pad(RAW + 1024 + 1024);
    carved = harness_examine("pe", image.data, image.size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.good, RAW + 1024);
    cr_assert_eq(carved.size, RAW + 1024);
}

Test(pe, installer_data_that_tells_its_length_belongs_to_it)
{
    make(0x22, 2);
    buf_u32le(&image, 0);
    buf_append(&image, "\xef\xbe\xad\xdeNullsoftInst", 16);
    buf_u32le(&image, 100);
    buf_u32le(&image, 300);
    pad(RAW + 1024 + 300);
    cr_assert(harness_holds("pe", image.data, image.size, CARVE_COMPLETE, image.size));
}

Test(pe, a_relocation_table_that_is_none_is_where_it_breaks)
{
    struct carved carved;

    make(0x22, 2);
    buf_patch_u32le(&image, OPTIONAL + 112 + 5 * 8, 4096 + 600);
    buf_patch_u32le(&image, OPTIONAL + 112 + 5 * 8 + 4, 100);
    carved = harness_examine("pe", image.data, image.size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.good, RAW + 600);
    cr_assert_eq(carved.size, image.size);
}

Test(pe, two_behind_each_other_are_two)
{
    size_t one;

    make(0x22, 2);
    set_checksum();
    one = image.size;
    for (size_t i = 0; i < one; i++)
        buf_u8(&image, image.data[i]);
    cr_assert_eq(harness_examine("pe", image.data, image.size).size, one);
    cr_assert_eq(harness_examine("pe", image.data + one, one).grade, CARVE_VALIDATED);
}

/* Version information in a resource tree three levels deep. */
Test(pe, its_title_is_the_original_file_name)
{
    static const char name[] = "OriginalFilename\0\0kvali.exe\0";

    make(0x22, 2);
    buf_patch_u32le(&image, OPTIONAL + 112 + 2 * 8, 4096);
    buf_patch_u32le(&image, OPTIONAL + 112 + 2 * 8 + 4, 512);
    memset(image.data + RAW, 0, 512);
    for (uint32_t level = 0; level < 3; level++) {
        image.data[RAW + 24 * level + 14] = 1;
        buf_patch_u32le(&image, RAW + 24 * level + 16, level == 0 ? 16 : 1);
        buf_patch_u32le(&image, RAW + 24 * level + 20, 24 * (level + 1) + (level < 2 ? 0x80000000 : 0));
    }
    buf_patch_u32le(&image, RAW + 72, 4096 + 100);
    buf_patch_u32le(&image, RAW + 76, 200);
    for (size_t i = 0; i < sizeof name; i++)
        image.data[RAW + 100 + 2 * i] = (uint8_t)name[i];
    cr_assert_str_eq(harness_examine("pe", image.data, image.size).title, "kvali.exe");
}
