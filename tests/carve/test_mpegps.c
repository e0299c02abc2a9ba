/* MPEG program streams are followed from packet to packet, video by its start codes. */
#include "tests/carve/harness.h"
#include "tests/carve/make.h"

#include <criterion/criterion.h>

static void pack(void)
{
    put("\0\0\1\xba\x44\0\4\0\4\1\x43\x43\x5b\xf8", 14);
}

static void program(bool ended)
{
    made_size = 0;
    pack();
    put("\0\0\1\xbb\0\6\xa1\xa1\xad\4\x21\xff", 12);
    for (int i = 0; i < 5; i++) {
        put("\0\0\1\xe0", 4), put_be(600, 2), put_noise(600);
        put("\0\0\1\xbe", 4), put_be(20, 2), put_all(0xff, 20);
        pack();
        put("\0\0\1\xc0", 4), put_be(300, 2), put_noise(300);
    }
    if (ended)
        put_be(0x1b9, 4);
}

Test(mpegps, with_its_end_code_is_validated_and_a_prefix_never_is)
{
    program(true);
    cr_assert(harness_holds("mpegps", made, made_size, CARVE_VALIDATED, made_size));
}

Test(mpegps, without_an_end_code_is_complete_behind_its_last_packet)
{
    program(false);
    cr_assert(harness_holds("mpegps", made, made_size, CARVE_COMPLETE, made_size));
}

static void picture(unsigned number)
{
    put_be(0x100, 4), put_be(number << 6 | 8, 2), put_be(0xffff, 2);
    for (unsigned i = 1; i < 6; i++)
        put_be(0x100 | i, 4), put_noise(200);
}

static void video(void)
{
    made_size = 0;
    put("\0\0\1\xb3\x14\0\xf0\x13\xff\xff\xe0\x18", 12);
    put("\0\0\1\xb8\0\x08\0\x40", 8);
    for (unsigned i = 0; i < 4; i++)
        picture(i);
}

Test(mpegps, video_ends_with_its_end_code)
{
    video();
    put_be(0x1b7, 4);
    cr_assert(harness_holds("mpegps", made, made_size, CARVE_COMPLETE, made_size));
    cr_assert_str_eq(harness_examine("mpegps", made, made_size).extension, "m2v");
}

Test(mpegps, video_without_an_end_code_ends_where_zeros_follow)
{
    struct carved carved;
    size_t size;

    video();
    size = made_size;
    put_all(0, 600);
    carved = harness_examine("mpegps", made, made_size);
    cr_assert_eq(carved.grade, CARVE_COMPLETE);
    cr_assert_eq(carved.size, size);
}

Test(mpegps, a_start_code_that_may_not_follow_cuts_video)
{
    struct carved carved;

    video();
    put_be(0x1e0, 4);
    put_noise(200);
    carved = harness_examine("mpegps", made, made_size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.good, made_size - 404);
}

Test(mpegps, bytes_without_any_start_code_are_soon_given_up)
{
    size_t size = 64 << 20;
    uint8_t *bytes = malloc(size);

    video();
    memset(bytes, 0xa5, size);
    memcpy(bytes, made, made_size);
    cr_assert_lt(harness_effort("mpegps", bytes, size), 4 << 20);
    free(bytes);
}
