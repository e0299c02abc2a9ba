/* DOS programs end with their last page, 16-bit Windows programs with their last segment or resource. */
#include "tests/carve/harness.h"

#include "engine/base/buf.h"

#include <criterion/criterion.h>
#include <string.h>

static struct buf image;

static void pad(size_t to)
{
    while (image.size < to)
        buf_u8(&image, 0x90);
}

static void words(const uint16_t *word, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_u16le(&image, word[i]);
}

/* 700 bytes: a header of 64 with one relocation, an image behind it. */
static void make(uint16_t relocated)
{
    const uint16_t header[] = {0x5a4d, 700 - 512, 2, 1, 4, 16, 0xffff, 40, 256, 0, 0, 0, 60, 0};

    buf_clear(&image);
    words(header, 14);
    pad(60);
    words((const uint16_t[]){relocated, 0}, 2);
    pad(700);
}

Test(mz, ends_with_its_last_page)
{
    make(10);
    cr_assert(harness_holds("mz", image.data, image.size, CARVE_COMPLETE, image.size));
}

Test(mz, with_a_relocation_outside_is_none)
{
    make(700);
    cr_assert_eq(harness_examine("mz", image.data, image.size).grade, CARVE_NONE);
}

Test(mz, a_pe_is_not_for_it)
{
    make(10);
    image.data[24] = 64;
    buf_patch_u32le(&image, 60, 128);
    memcpy(image.data + 128, "PE\0\0", 4);
    cr_assert_eq(harness_examine("mz", image.data, image.size).grade, CARVE_NONE);
}

/* One segment of 100 bytes at 512 with one relocation, one resource of 64 bytes at 1,024. */
Test(mz, a_16_bit_program_ends_with_its_last_resource)
{
    make(10);
    image.data[6] = 0;
    image.data[24] = 64;
    buf_patch_u32le(&image, 60, 128);
    memset(image.data + 128, 0, 64);
    memcpy(image.data + 128, "NE", 2);
    image.data[128 + 0x1c] = 1;   /* segments */
    image.data[128 + 0x22] = 64;  /* segment table */
    image.data[128 + 0x24] = 72;  /* resources */
    image.data[128 + 0x26] = 102; /* resident names */
    image.data[128 + 0x32] = 4;   /* shift */
    image.data[128 + 0x36] = 2;
    image.size = 128 + 64;
    words((const uint16_t[]){512 >> 4, 100, 0x0100, 100}, 4);
    words((const uint16_t[]){4, 0x8003, 1, 0, 0, 1024 >> 4, 64 >> 4, 0, 1, 0, 0, 0}, 12);
    pad(512 + 100);
    words((const uint16_t[]){1}, 1);
    pad(1024 + 64);
    cr_assert(harness_holds("mz", image.data, image.size, CARVE_COMPLETE, image.size));
}

/* A processor of 20 address lines has room for 2,048 pages of 512 bytes. */
Test(mz, an_image_larger_than_a_mebibyte_is_none)
{
    make(10);
    image.data[4] = 0;
    image.data[5] = 8;
    cr_assert_eq(harness_examine("mz", image.data, image.size).grade, CARVE_PARTIAL);
    image.data[4] = 1;
    cr_assert_eq(harness_examine("mz", image.data, image.size).grade, CARVE_NONE);
}
