/* Ogg pages are followed from BOS to EOS, by their checksums. */
#include "tests/carve/harness.h"
#include "tests/carve/make.h"

#include <criterion/criterion.h>

static void page(unsigned flags, unsigned serial, unsigned number, const void *data, size_t size)
{
    size_t at = made_size;

    put("OggS\0", 5);
    put_be(flags, 1);
    put_le(number * 1000, 8);
    put_le(serial, 4), put_le(number, 4), put_le(0, 4);
    put_be(1, 1), put_be(size, 1);
    put(data, size);
    set_le32(at + 22, slow_crc(0x04c11db7, 32, 0, made + at, made_size - at));
}

static void noise_page(unsigned flags, unsigned serial, unsigned number)
{
    uint8_t data[200];

    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 7 + number);
    page(flags, serial, number, data, sizeof data);
}

static void vorbis(unsigned serial)
{
    page(2, serial, 0, "\1vorbis                      ", 30);
    page(0, serial, 1, "\3vorbis\0\0\0\0\1\0\0\0\x0a\0\0\0TITLE=Bird\1", 30);
    noise_page(0, serial, 2);
    noise_page(4, serial, 3);
}

Test(ogg, to_its_end_is_validated_and_a_prefix_never_is)
{
    struct carved carved;

    made_size = 0;
    vorbis(77);
    cr_assert(harness_holds("ogg", made, made_size, CARVE_VALIDATED, made_size));
    carved = harness_examine("ogg", made, made_size);
    cr_assert_str_eq(carved.title, "Bird");
    cr_assert_str_eq(carved.extension, "ogg");
}

Test(ogg, streams_side_by_side_all_come_to_their_end)
{
    made_size = 0;
    page(2, 1, 0, "\x80theora", 7);
    page(2, 2, 0, "\1vorbis", 7);
    noise_page(0, 1, 1);
    noise_page(4, 2, 1);
    noise_page(4, 1, 2);
    cr_assert(harness_holds("ogg", made, made_size, CARVE_VALIDATED, made_size));
    cr_assert_str_eq(harness_examine("ogg", made, made_size).extension, "ogv");
}

Test(ogg, a_chained_group_belongs_to_it_unless_a_file_may_begin_there)
{
    size_t last;

    made_size = 0;
    vorbis(77);
    vorbis(78);
    cr_assert_eq(harness_examine("ogg", made, made_size).size, made_size);

    made_size = 0;
    page(2, 77, 0, "\1vorbis", 7);
    for (unsigned i = 1; i < 5; i++)
        noise_page(0, 77, i);
    last = 1024 - made_size - 28;
    page(4, 77, 5, made, last);
    cr_assert_eq(made_size, 1024);
    vorbis(78);
    cr_assert_eq(harness_examine("ogg", made, made_size).size, 1024);
}

Test(ogg, a_flipped_bit_cuts_it_before_the_page)
{
    struct carved carved;

    made_size = 0;
    vorbis(77);
    made[made_size - 5] ^= 1;
    carved = harness_examine("ogg", made, made_size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.good, made_size - 228);
}

Test(ogg, two_pieces_are_put_together_where_a_page_is_whole_again)
{
    made_size = 0;
    page(2, 77, 0, "\1vorbis                      ", 30);
    for (unsigned i = 1; i < 60; i++)
        noise_page(i == 59 ? 4 : 0, 77, i);
    cr_assert_gt(made_size, 3 * 4096);
    for (size_t split = 4096; split < made_size; split += 4096)
        cr_assert(harness_mends("ogg", made, made_size, split, 5));
    made[made_size - 5] ^= 1;
    cr_assert_not(harness_mends("ogg", made, made_size, 4096, 5));
}
