/* FLAC is followed by its frames' checksums, and the last frame by its content. */
#include "tests/carve/harness.h"
#include "tests/carve/make.h"

#include <criterion/criterion.h>

enum { BLOCK = 192 };

static unsigned bit_count;

static void put_bits(uint64_t value, unsigned count)
{
    while (count-- > 0) {
        if (bit_count % 8 == 0)
            put_be(0, 1);
        made[made_size - 1] |= (uint8_t)((value >> count & 1) << (7 - bit_count % 8));
        bit_count++;
    }
}

static size_t head(unsigned number)
{
    size_t at = made_size;

    put("\xff\xf8\x19\x08", 4); /* 192 samples, 44.1 kHz, one channel, 16 bits */
    put_be(number, 1);
    put_be(slow_crc(0x07, 8, 0, made + at, 5), 1);
    return at;
}

static void tail(size_t at)
{
    put_be(slow_crc(0x8005, 16, 0, made + at, made_size - at), 2);
}

static void verbatim(unsigned number)
{
    size_t at = head(number);

    put_be(0x02, 1);
    put_noise(2 * BLOCK);
    tail(at);
}

/* Prediction of order 1, residual in two partitions, one of them not coded. */
static void predicted(unsigned number)
{
    size_t at = head(number);

    bit_count = 0;
    put_bits(0x12, 8);
    put_bits(0x1234, 16);
    put_bits(0, 2), put_bits(1, 4);
    put_bits(3, 4);
    for (unsigned i = 1; i < BLOCK / 2; i++) {
        put_bits(1, 1 + i % 5);
        put_bits(i % 8, 3);
    }
    put_bits(15, 4), put_bits(7, 5);
    for (unsigned i = 0; i < BLOCK / 2; i++)
        put_bits(i % 128, 7);
    tail(at);
}

static void flac(unsigned frames, unsigned claimed)
{
    made_size = 0;
    put("fLaC\0\0\0\x22", 8);
    put_be(BLOCK, 2), put_be(BLOCK, 2), put_be(0, 6);
    put_be((uint64_t)44100 << 44 | (uint64_t)15 << 36 | (uint64_t)claimed * BLOCK, 8);
    put_all(7, 16);
    put("\x84\0\0\x1a", 4);
    put_le(0, 4), put_le(1, 4), put_le(14, 4), put_text("title=Black se");
    for (unsigned i = 0; i + 1 < frames; i++)
        verbatim(i);
    predicted(frames - 1);
}

Test(flac, whole_is_validated_and_a_prefix_never_is)
{
    flac(20, 20);
    cr_assert(harness_holds("flac", made, made_size, CARVE_VALIDATED, made_size));
    cr_assert_str_eq(harness_examine("flac", made, made_size).title, "Black se");
}

Test(flac, one_directly_behind_is_not_its_own)
{
    size_t size;

    flac(5, 5);
    size = made_size;
    put(made, size);
    cr_assert_eq(harness_examine("flac", made, made_size).size, size);
}

Test(flac, without_a_count_of_samples_is_complete)
{
    flac(20, 0);
    cr_assert(harness_holds("flac", made, made_size, CARVE_COMPLETE, made_size));
}

Test(flac, a_flipped_bit_cuts_it_before_the_frame)
{
    struct carved carved;

    flac(20, 20);
    made[72 + 3 * 393 + 100] ^= 4;
    carved = harness_examine("flac", made, made_size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.good, 72 + 3 * 393);
    flac(20, 20);
    made[made_size - 30] ^= 4;
    cr_assert_eq(harness_examine("flac", made, made_size).grade, CARVE_PARTIAL);
}
