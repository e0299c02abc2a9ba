/* HEIF pictures: boxes to the last, and items that are in them. */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <string.h>

enum { ITEM = 600 };

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

static size_t begin(const char *type)
{
    size_t at = size;

    put_be(0, 4);
    put(type, 4);
    return at;
}

static void end(size_t at)
{
    size_t stop = size;

    size = at;
    put_be(stop - at, 4);
    size = stop;
}

/* Two units: one of 90 bytes, and the rest. */
static void put_item(void)
{
    put_be(90, 4);
    put("\x4e\x01", 2);
    memset(image + size, 0x33, ITEM);
    size += 88;
    put_be(ITEM - 94 - 4, 4);
    put("\x26\x01", 2);
    size += ITEM - 94 - 6;
}

static void put_infos(unsigned items)
{
    size_t box = begin("iinf"), entry;

    put_be(0, 4);
    put_be(items, 2);
    for (unsigned i = 1; i <= items; i++) {
        entry = begin("infe");
        put("\2\0\0\0", 4);
        put_be(i, 2);
        put_be(0, 2);
        put("hvc1\0", 5);
        end(entry);
    }
    end(box);
}

static void make(unsigned items)
{
    size_t box, meta, first = 0;

    size = 0;
    box = begin("ftyp");
    put("heic\0\0\0\0mif1heic", 16);
    end(box);
    for (unsigned pass = 0; pass < 2; pass++) {
        size = 24;
        meta = begin("meta");
        put_be(0, 4);
        put_infos(items);
        box = begin("iloc");
        put_be(0, 4);
        put_be(0x4400, 2);
        put_be(items, 2);
        for (unsigned i = 1; i <= items; i++) {
            put_be(i, 2);
            put_be(0, 2);
            put_be(1, 2);
            put_be(first + (i - 1) * ITEM, 4);
            put_be(ITEM, 4);
        }
        end(box);
        end(meta);
        first = size + 8;
    }
    box = begin("mdat");
    for (unsigned i = 0; i < items; i++)
        put_item();
    end(box);
}

Test(heif, of_several_items_is_validated_and_a_prefix_never_is)
{
    make(6);
    cr_assert(harness_holds("heif", image, size, CARVE_VALIDATED, size));
    cr_assert_str_eq(harness_examine("heif", image, size).extension, "heic");
}

Test(heif, of_one_item_is_complete)
{
    make(1);
    cr_assert(harness_holds("heif", image, size, CARVE_COMPLETE, size));
}

Test(heif, foreign_data_shifts_the_items_and_the_good_part_ends_before_it)
{
    struct carved carved;

    make(6);
    memmove(image + 2048 + 512, image + 2048, size - 2048);
    memset(image + 2048, 0x99, 512);
    carved = harness_examine("heif", image, size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_leq(carved.good, 2048);
    cr_assert_gt(carved.good, 2048 - 2 * ITEM);
}

Test(heif, zeros_in_an_item_are_no_unit)
{
    make(6);
    memset(image + size - 200, 0, 100);
    cr_assert_eq(harness_examine("heif", image, size).grade, CARVE_PARTIAL);
}

Test(heif, another_brand_is_none)
{
    make(6);
    memcpy(image + 8, "isom\0\0\0\0mp42mp41", 16);
    cr_assert_eq(harness_examine("heif", image, size).grade, CARVE_NONE);
}

Test(heif, an_item_in_pieces_that_take_no_place_is_not_gone_through)
{
    uint8_t *iloc;

    make(6);
    cr_assert_eq(harness_examine("heif", image, size).grade, CARVE_VALIDATED);
    iloc = memmem(image, size, "iloc", 4);
    memset(iloc + 4, 0, 90);
    iloc[4] = 1;
    memcpy(iloc + 10, "\0\1\0\1\0\1\0\0\xff\xff", 10); /* one item, in idat, of 65535 extents */
    cr_assert_eq(harness_examine("heif", image, size).grade, CARVE_PARTIAL);
    iloc[18] = 0;
    iloc[19] = 1;
    cr_assert_eq(harness_examine("heif", image, size).grade, CARVE_COMPLETE);
}
