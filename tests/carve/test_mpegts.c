/* MPEG transport streams are followed from packet to packet. */
#include "tests/carve/harness.h"
#include "tests/carve/make.h"

#include <criterion/criterion.h>

static size_t lead;

static void packet(unsigned pid, unsigned counter, bool start, const void *data, size_t size)
{
    if (lead > 0)
        put_be(0x12345678, lead);
    put_be(0x47, 1), put_be((start ? 0x4000 : 0) | pid, 2), put_be(0x10 | (counter & 15), 1);
    put(data, size);
    put_all(0xff, 184 - size);
}

static void table(unsigned pid, unsigned counter, const void *data, size_t size)
{
    uint8_t bytes[64] = {0};
    uint32_t crc = slow_crc(0x04c11db7, 32, 0xffffffff, data, size);

    memcpy(bytes + 1, data, size);
    for (size_t i = 0; i < 4; i++)
        bytes[1 + size + i] = (uint8_t)(crc >> (24 - 8 * i));
    packet(pid, counter, true, bytes, size + 5);
}

static void stream(unsigned packets)
{
    static uint8_t noise[184];

    table(0, 0, "\0\xb0\x0d\0\1\xc1\0\0\0\1\xe1\0", 12);
    table(0x100, 0, "\2\xb0\x12\0\1\xc1\0\0\xe1\1\xf0\0\2\xe1\1\xf0\0", 17);
    table(0, 1, "\0\xb0\x0d\0\1\xc1\0\0\0\1\xe1\0", 12);
    memset(noise, 0x77, sizeof noise);
    for (unsigned i = 0; i < packets; i++)
        packet(0x101, i, false, noise, sizeof noise);
}

Test(mpegts, packets_are_followed_to_the_last)
{
    lead = made_size = 0;
    stream(40);
    cr_assert(harness_holds("mpegts", made, made_size, CARVE_COMPLETE, made_size));
    cr_assert_str_eq(harness_examine("mpegts", made, made_size).extension, "ts");
}

Test(mpegts, packets_with_their_time_of_arrival_as_well)
{
    lead = 4, made_size = 0;
    stream(40);
    cr_assert(harness_holds("mpegts", made, made_size, CARVE_COMPLETE, made_size));
    cr_assert_str_eq(harness_examine("mpegts", made, made_size).extension, "m2ts");
}

Test(mpegts, a_table_with_a_wrong_crc_is_no_table)
{
    lead = made_size = 0;
    stream(40);
    made[10] ^= 1;
    made[2 * 188 + 10] ^= 1;
    cr_assert_eq(harness_examine("mpegts", made, made_size).grade, CARVE_NONE);
}

Test(mpegts, one_directly_behind_where_a_file_may_begin_is_not_its_own)
{
    lead = made_size = 0;
    stream(125); /* 128 packets are 47 sectors */
    cr_assert_eq(made_size, 47 * 512);
    stream(40);
    cr_assert_eq(harness_examine("mpegts", made, made_size).size, 47 * 512);
}
