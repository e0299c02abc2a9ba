/* GIF pictures are followed from block to block, and the codes of their images counted. */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <string.h>

enum { CODES = 300, PIXELS = CODES * (CODES + 1) / 2 };

static uint8_t image[16 * 1024];
static size_t size;

static void put(const void *data, size_t count)
{
    memcpy(image + size, data, count);
    size += count;
}

/* Data in sub-blocks. */
static void put_blocks(const uint8_t *data, size_t count)
{
    while (count > 0) {
        uint8_t block = count < 255 ? (uint8_t)count : 255;

        put(&block, 1);
        put(data, block);
        data += block;
        count -= block;
    }
    put("", 1);
}

static void put_code(uint8_t *data, size_t *bit, unsigned code, unsigned width)
{
    for (unsigned i = 0; i < width; i++, ++*bit)
        data[*bit / 8] |= (uint8_t)((code >> i & 1) << (*bit % 8));
}

/* All pixels are 0: each code stands for one pixel more than the one before it, until the codes get wider. */
static void put_flat(unsigned high)
{
    uint8_t data[1024] = {0};
    size_t bit = 0;
    unsigned width = 8;

    put("\x2c\0\0\0\0\x2d\x01", 7);
    put(&(uint8_t[]){(uint8_t)high}, 1);
    put("\0\x87", 2);
    memset(image + size, 0x44, 768);
    size += 768;
    put("\x07", 1);
    put_code(data, &bit, 128, width);
    put_code(data, &bit, 0, width);
    for (unsigned code = 130; code < 130 + CODES - 1; code++) {
        width += code == 1u << width;
        put_code(data, &bit, code, width);
    }
    put_code(data, &bit, 129, width + (130 + CODES - 1 == 1u << width));
    put_blocks(data, (bit + 7) / 8);
}

static void make(unsigned high)
{
    size = 0;
    put("GIF89a\x2d\x01\x96\0\x80\0\0\0\0\0\xff\xff\xff", 19);
    put("\x21\xfe\x06"
        "a view\0",
        10);
    put("\x21\xf9\x04\0\x0a\0\0\0", 8);
    put_flat(high);
    put_flat(high);
    put("\x3b", 1);
}

Test(gif, whole_is_validated_and_a_prefix_never_is)
{
    make(PIXELS / 301);
    cr_assert(harness_holds("gif", image, size, CARVE_VALIDATED, size));
    cr_assert_str_eq(harness_examine("gif", image, size).title, "a view");
}

Test(gif, an_image_of_too_few_pixels_is_partial)
{
    make(PIXELS / 301 - 1);
    cr_assert_leq(harness_examine("gif", image, size).grade, CARVE_PARTIAL);
    make(PIXELS / 301 + 1);
    cr_assert_leq(harness_examine("gif", image, size).grade, CARVE_PARTIAL);
}

Test(gif, what_breaks_off_in_the_second_image_is_partial_and_good_before)
{
    struct carved carved;

    make(PIXELS / 301);
    memset(image + size - 200, 0xC3, 200);
    carved = harness_examine("gif", image, size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_leq(carved.good, size - 200);
    cr_assert_gt(carved.good, size / 2);
}

Test(gif, two_back_to_back_are_two)
{
    make(PIXELS / 301);
    memcpy(image + size, image, size);
    cr_assert_eq(harness_examine("gif", image, 2 * size).size, size);
}

Test(gif, two_pieces_read_as_one)
{
    make(PIXELS / 301);
    cr_assert_eq(harness_examine_split("gif", image, size, 512, 4096).grade, CARVE_VALIDATED);
}

Test(gif, the_mark_in_a_text_is_none)
{
    static const char text[] = "GIF89a and GIF87a are the two versions of the format.";

    cr_assert_eq(harness_examine("gif", text, sizeof text).grade, CARVE_NONE);
}
