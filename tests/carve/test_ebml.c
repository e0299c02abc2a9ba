/* Matroska is followed from element to element. */
#include "tests/carve/harness.h"
#include "tests/carve/make.h"

#include <criterion/criterion.h>
#include <zlib.h>

/* A master of a size that is filled in later, 8 bytes of it. */
static size_t begin(uint32_t id, size_t id_size)
{
    put_be(id, id_size);
    put_be(UINT64_C(1) << 56, 8);
    return made_size;
}

static void end(size_t at)
{
    set_be32(at - 4, made_size - at);
}

static void element(uint32_t id, size_t id_size, const void *data, size_t size)
{
    put_be(id, id_size);
    put_be(0x80 | size, 1);
    put(data, size);
}

static void header(const char *type)
{
    size_t at = begin(0x1A45DFA3, 4);

    element(0x4282, 2, type, strlen(type));
    end(at);
}

static void describe(void)
{
    size_t tracks, entry, info = begin(0x1549A966, 4), crc_at;

    element(0xBF, 1, "\0\0\0\0", 4);
    crc_at = made_size;
    element(0x7BA9, 2, "Mountains", 9);
    set_le32(crc_at - 4, crc32(0, made + crc_at, (uInt)(made_size - crc_at)));
    end(info);
    tracks = begin(0x1654AE6B, 4);
    entry = begin(0xAE, 1);
    element(0xD7, 1, "\1", 1);
    element(0x83, 1, "\1", 1);
    end(entry);
    end(tracks);
}

static void block(void)
{
    size_t at = begin(0xA3, 1);

    put("\x81\0\0\x80", 4);
    put_noise(300);
    end(at);
}

static void cluster(bool known)
{
    size_t at = begin(0x1F43B675, 4);

    element(0xE7, 1, "\0", 1);
    for (int i = 0; i < 5; i++)
        block();
    if (known)
        end(at);
    else
        memcpy(made + at - 8, "\x01\xff\xff\xff\xff\xff\xff\xff", 8);
}

static void movie(const char *type, bool known)
{
    size_t segment;

    made_size = 0;
    header(type);
    segment = begin(0x18538067, 4);
    describe();
    cluster(known);
    cluster(known);
    if (known)
        end(segment);
    else
        memcpy(made + segment - 8, "\x01\xff\xff\xff\xff\xff\xff\xff", 8);
}

Test(ebml, a_segment_of_known_size_is_validated_and_a_prefix_never_is)
{
    struct carved carved;

    movie("matroska", true);
    cr_assert(harness_holds("ebml", made, made_size, CARVE_VALIDATED, made_size));
    carved = harness_examine("ebml", made, made_size);
    cr_assert_str_eq(carved.title, "Mountains");
    cr_assert_str_eq(carved.extension, "mkv");
}

Test(ebml, a_segment_of_unknown_size_ends_behind_its_last_block)
{
    movie("webm", false);
    cr_assert(harness_holds("ebml", made, made_size, CARVE_COMPLETE, made_size));
    cr_assert_str_eq(harness_examine("ebml", made, made_size).extension, "webm");
}

Test(ebml, a_movie_directly_behind_is_not_its_own)
{
    size_t size;

    movie("webm", false);
    size = made_size;
    put(made, size);
    cr_assert_eq(harness_examine("ebml", made, made_size).size, size);
}

Test(ebml, a_wrong_crc_is_not_validated)
{
    uint8_t *title;

    movie("matroska", true);
    title = memmem(made, made_size, "Mountains", 9);
    title[0] = 'F';
    cr_assert_eq(harness_examine("ebml", made, made_size).grade, CARVE_COMPLETE);
}

Test(ebml, a_block_of_a_track_that_is_not_described_cuts_it)
{
    struct carved carved;
    size_t last;

    movie("matroska", true);
    last = made_size - 304;
    made[last] = 0x85;
    carved = harness_examine("ebml", made, made_size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_leq(carved.good, last);
    cr_assert_geq(carved.good + 350, last);
}
