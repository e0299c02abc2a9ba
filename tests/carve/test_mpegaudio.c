/* MPEG audio and AAC: frames of one kind, and tags around them. */
#include "tests/carve/harness.h"
#include "tests/carve/make.h"

#include <criterion/criterion.h>

enum { FRAME = 417 }; /* MPEG 1, layer III, 128 kbit/s, 44.1 kHz, without padding */

static void frame(void)
{
    put("\xff\xfb\x90\x44", 4);
    put_noise(FRAME - 4);
}

static void frame_with_table(unsigned frames)
{
    size_t at = made_size;

    put("\xff\xfb\x90\x44", 4);
    put_all(0, 32);
    put("Xing\0\0\0\3", 8);
    put_be(frames, 4);
    put_be((frames + 1) * FRAME, 4);
    put_all(0, FRAME - (made_size - at));
}

static void id3v2(void)
{
    put("ID3\3\0\0\0\0\0\x40", 10);
    put("TIT2\0\0\0\x0f\0\0\x01\xff\xfe", 13);
    put("S\0o\0n\0g\0 \0002\0", 12);
    put_all(0, 64 - 25);
}

static void sound(unsigned promised, unsigned frames)
{
    made_size = 0;
    id3v2();
    frame_with_table(promised);
    for (unsigned i = 0; i < frames; i++)
        frame();
}

Test(mp3, with_as_many_frames_as_it_says_is_validated_and_a_prefix_never_is)
{
    sound(20, 20);
    cr_assert(harness_holds("mp3", made, made_size, CARVE_VALIDATED, made_size));
    cr_assert_str_eq(harness_examine("mp3", made, made_size).title, "Song 2");
}

Test(mp3, with_fewer_frames_than_it_says_is_partial)
{
    struct carved carved;

    sound(20, 15);
    put_all(0xa5, 3000);
    carved = harness_examine("mp3", made, made_size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.good, made_size - 3000 - FRAME + 4);
}

Test(mp3, one_directly_behind_is_not_its_own)
{
    size_t size;

    sound(20, 20);
    size = made_size;
    put(made + 74, size - 74); /* without its tag */
    cr_assert_eq(harness_examine("mp3", made, made_size).size, size);
}

Test(mp3, without_a_table_is_complete_given_some_dozens_of_frames)
{
    made_size = 0;
    for (int i = 0; i < 40; i++)
        frame();
    cr_assert(harness_holds("mp3", made, made_size, CARVE_COMPLETE, made_size));
    cr_assert_eq(harness_examine("mp3", made, 31 * FRAME).grade, CARVE_NONE);
}

Test(mp3, tags_behind_belong_to_it)
{
    sound(20, 20);
    put("APETAGEX\xd0\x07\0\0\x20\0\0\0\0\0\0\0\0\0\0\xa0\0\0\0\0\0\0\0\0", 32);
    put("APETAGEX\xd0\x07\0\0\x20\0\0\0\0\0\0\0\0\0\0\x80\0\0\0\0\0\0\0\0", 32);
    put_text("TAG");
    put_all('x', 125);
    cr_assert(harness_holds("mp3", made, made_size, CARVE_VALIDATED, made_size - 192));
}

Test(mp3, a_frame_of_another_kind_ends_it)
{
    made_size = 0;
    for (int i = 0; i < 40; i++)
        frame();
    put("\xff\xfb\x94\x44", 4); /* 48 kHz */
    put_noise(2000);
    cr_assert_eq(harness_examine("mp3", made, made_size).size, 40 * FRAME);
}

static void adts(size_t size)
{
    put("\xff\xf1\x50", 3);
    put_be(0x80 | size >> 11, 1);
    put_be((size & 0x7ff) << 5 | 0x1f, 2);
    put_be(0xfc, 1);
    put_noise(size - 7);
}

Test(aac, frames_are_followed_to_the_last)
{
    made_size = 0;
    for (size_t i = 0; i < 40; i++)
        adts(200 + i);
    cr_assert(harness_holds("mp3", made, made_size, CARVE_COMPLETE, made_size));
    cr_assert_str_eq(harness_examine("mp3", made, made_size).extension, "aac");
}
