/* JPEG 2000: boxes, and in the code stream tile-parts with their lengths. */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <string.h>

static uint8_t image[32 * 1024];
static size_t size;

static void put(const void *data, size_t count)
{
    memcpy(image + size, data, count);
    size += count;
}

static void put_be(uint64_t n, unsigned count)
{
    for (unsigned i = count; i-- > 0;)
        image[size++] = (uint8_t)(n >> 8 * i);
}

static void put_stream(void)
{
    put("\xff\x4f\xff\x51\0\x29", 6);
    memset(image + size, 0, 39);
    size += 39;
    put("\xff\x52\0\x04\0\0", 6);
    for (unsigned tile = 0; tile < 4; tile++) {
        put("\xff\x90\0\x0a\0", 5);
        put_be(tile, 1);
        put_be(14 + 700, 4);
        put("\0\1\xff\x93", 4);
        for (unsigned i = 0; i < 700; i++)
            image[size++] = (uint8_t)(i % 50 == 0 ? 0xff : i % 50 == 1 ? 0x70 : i);
        for (size_t i = size - 700; i < size - 1; i++) {
            if (image[i] == 0xff)
                image[i + 1] = 0x70;
        }
        image[size - 1] = 0;
    }
    put("\xff\xd9", 2);
}

static void make(bool sized)
{
    size_t box;

    size = 0;
    put("\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14"
        "ftypjp2 \0\0\0\0jp2 ",
        32);
    put("\0\0\0\x0cjp2habcd", 12);
    box = size;
    put("\0\0\0\0jp2c", 8);
    put_stream();
    if (sized) {
        size_t end = size;

        size = box;
        put_be(end - box, 4);
        size = end;
        put("\0\0\0\x0cxml <a/>", 12);
    }
}

Test(jp2, whole_is_validated)
{
    make(false);
    cr_assert(harness_holds("jp2", image, size, CARVE_VALIDATED, size));
    make(true);
    cr_assert(harness_holds("jp2", image, size, CARVE_VALIDATED, size - 12)); /* without the last box too */
    size = 0;
    put_stream();
    cr_assert(harness_holds("jp2", image, size, CARVE_VALIDATED, size));
    cr_assert_str_eq(harness_examine("jp2", image, size).extension, "j2k");
}

Test(jp2, bytes_that_no_packet_has_end_it)
{
    struct carved carved;

    make(true);
    image[1500] = 0xff;
    image[1501] = 0xe0;
    carved = harness_examine("jp2", image, size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_leq(carved.good, 1500);
    cr_assert_gt(carved.good, 700);
}

Test(jp2, a_tile_part_of_another_length_is_not_validated)
{
    make(true);
    memmove(image + 1000, image + 990, size - 1000);
    cr_assert_leq(harness_examine("jp2", image, size).grade, CARVE_PARTIAL);
}
