/* Movies are followed from box to box, and the samples that their index names are looked at. */
#include "tests/carve/harness.h"
#include "tests/carve/make.h"

#include <criterion/criterion.h>

enum { SAMPLES = 12, NAL = 900 };

static size_t begin_box(const char *type)
{
    put_be(0, 4);
    put_text(type);
    return made_size - 8;
}

static void end_box(size_t at)
{
    set_be32(at, made_size - at);
}

static void box(const char *type, const void *data, size_t size)
{
    size_t at = begin_box(type);

    put(data, size);
    end_box(at);
}

static void brand(const char *name)
{
    size_t at = begin_box("ftyp");

    put_text(name);
    put_be(512, 4);
    put_text("isomiso2");
    end_box(at);
}

/* Video: one NAL unit a sample. */
static size_t media(void)
{
    size_t at = begin_box("mdat");

    for (int i = 0; i < SAMPLES; i++) {
        put_be(NAL, 4);
        put_be(i == 0 ? 0x65 : 0x41, 1);
        put_noise(NAL - 1);
    }
    end_box(at);
    return at + 8;
}

static unsigned more_chunks; /* named again and again, at the place of the first */
static bool sizes_twice;

static void more_sizes(void)
{
    size_t entry = begin_box("stsz");

    put_be(0, 4), put_be(NAL + 4, 4), put_be(SAMPLES, 4);
    end_box(entry);
}

static void sample_tables(size_t offset)
{
    unsigned samples = SAMPLES + more_chunks * SAMPLES / 2;
    size_t stbl = begin_box("stbl"), stsd = begin_box("stsd"), entry;

    put_be(0, 4);
    put_be(1, 4);
    entry = begin_box("avc1");
    put_all(0, 78);
    box("avcC", "\1\x64\0\x0a\xff\xe1\0", 7);
    end_box(entry);
    end_box(stsd);
    entry = begin_box("stts");
    put_be(0, 4), put_be(1, 4), put_be(samples, 4), put_be(40, 4);
    end_box(entry);
    entry = begin_box("stsc");
    put_be(0, 4), put_be(1, 4), put_be(1, 4), put_be(SAMPLES / 2, 4), put_be(1, 4);
    end_box(entry);
    entry = begin_box("stsz");
    if (sizes_twice)
        put_be(0, 8), put_be(1, 4), put_be(NAL + 4, 4);
    else
        put_be(0, 8), put_be(samples, 4);
    for (unsigned i = 0; i < samples && !sizes_twice; i++)
        put_be(NAL + 4, 4);
    end_box(entry);
    if (sizes_twice)
        more_sizes();
    entry = begin_box("stco");
    put_be(0, 4), put_be(2 + more_chunks, 4);
    for (unsigned i = 0; i <= more_chunks; i++)
        put_be(offset, 4);
    put_be(offset + SAMPLES / 2 * (NAL + 4), 4);
    end_box(entry);
    end_box(stbl);
}

static void trak(size_t offset)
{
    size_t trak = begin_box("trak"), mdia, minf, hdlr, dref;
    uint8_t head[84] = {[15] = 1};

    box("tkhd", head, sizeof head);
    mdia = begin_box("mdia");
    hdlr = begin_box("hdlr");
    put_all(0, 8), put_text("vide"), put_all(0, 13);
    end_box(hdlr);
    minf = begin_box("minf");
    hdlr = begin_box("dinf");
    dref = begin_box("dref");
    put_be(0, 4), put_be(1, 4);
    box("url ", "\0\0\0\1", 4);
    end_box(dref);
    end_box(hdlr);
    sample_tables(offset);
    end_box(minf);
    end_box(mdia);
    end_box(trak);
}

static size_t moov(size_t offset)
{
    size_t moov = begin_box("moov"), udta, name;
    uint8_t head[100] = {0};

    box("mvhd", head, sizeof head);
    trak(offset);
    udta = begin_box("udta");
    name = begin_box("\xa9nam");
    put_be(8, 2), put_be(0x15c7, 2), put_text("A voyage");
    end_box(name);
    end_box(udta);
    end_box(moov);
    return moov;
}

static void index_last(void)
{
    made_size = 0;
    brand("isom");
    moov(media());
}

/* The index comes first: its size does not depend on what offset it holds. */
static void index_first(void)
{
    size_t size;

    made_size = 0;
    brand("mp42");
    moov(0);
    size = made_size;
    made_size = 0;
    brand("mp42");
    moov(size + 8);
    media();
}

Test(isobmff, with_its_index_behind_is_validated_and_a_prefix_never_is)
{
    struct carved carved;

    index_last();
    cr_assert(harness_holds("isobmff", made, made_size, CARVE_VALIDATED, made_size));
    carved = harness_examine("isobmff", made, made_size);
    cr_assert_str_eq(carved.title, "A voyage");
    cr_assert_str_eq(carved.extension, "mp4");
}

Test(isobmff, with_its_index_in_front_is_validated_and_a_prefix_never_is)
{
    index_first();
    cr_assert(harness_holds("isobmff", made, made_size, CARVE_VALIDATED, made_size));
}

Test(isobmff, a_movie_directly_behind_is_not_its_own)
{
    size_t size;

    index_last();
    size = made_size;
    put(made, size);
    cr_assert_eq(harness_examine("isobmff", made, made_size).size, size);
}

Test(isobmff, other_data_among_the_samples_ends_it_there)
{
    struct carved carved;
    size_t third;

    index_first();
    third = made_size - (SAMPLES - 3) * (NAL + 4);
    memset(made + third - 400, 0xee, made_size - third + 400);
    carved = harness_examine("isobmff", made, made_size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_leq(carved.good, third - 400);
    cr_assert_geq(carved.good, third - NAL - 4);
}

Test(isobmff, tables_that_contradict_each_other_are_not_validated)
{
    uint8_t *stts;

    index_last();
    stts = memmem(made, made_size, "stts", 4);
    stts[15]--;
    cr_assert_eq(harness_examine("isobmff", made, made_size).grade, CARVE_COMPLETE);
}

Test(isobmff, media_data_without_a_size_ends_with_the_last_sample)
{
    size_t at, size;
    struct carved carved;

    index_first();
    size = made_size;
    at = size - SAMPLES * (NAL + 4) - 8;
    set_be32(at, 0);
    put_all(0, 5000);
    carved = harness_examine("isobmff", made, made_size);
    cr_assert_eq(carved.grade, CARVE_VALIDATED);
    cr_assert_eq(carved.size, size);
}

Test(isobmff, boxes_with_long_sizes_and_padding_behind_belong_to_it)
{
    made_size = 0;
    brand("qt  ");
    put_be(1, 4), put_text("mdat"), put_be(16 + SAMPLES * (NAL + 4), 8);
    for (int i = 0; i < SAMPLES; i++)
        put_be(NAL, 4), put_be(0x41, 1), put_noise(NAL - 1);
    moov(24 + 16);
    box("free", "four", 4);
    cr_assert(harness_holds("isobmff", made, made_size, CARVE_VALIDATED, made_size - 12));
    cr_assert_str_eq(harness_examine("isobmff", made, made_size).extension, "mov");
}

Test(isobmff, pictures_of_the_family_are_left_to_their_own_format)
{
    index_last();
    memcpy(made + 8, "heic", 4);
    cr_assert_eq(harness_examine("isobmff", made, made_size).grade, CARVE_NONE);
}

static void fragment(size_t number)
{
    size_t at = made_size, moof = begin_box("moof"), traf, inner;

    inner = begin_box("mfhd");
    put_be(0, 4), put_be(number, 4);
    end_box(inner);
    traf = begin_box("traf");
    inner = begin_box("tfhd");
    put_be(0x020000, 4), put_be(1, 4);
    end_box(inner);
    inner = begin_box("trun");
    put_be(0x201, 4), put_be(SAMPLES, 4), put_be(0, 4);
    for (int i = 0; i < SAMPLES; i++)
        put_be(NAL + 4, 4);
    end_box(inner);
    end_box(traf);
    end_box(moof);
    set_be32(inner + 16, made_size + 8 - at);
    media();
}

static void fragments(size_t count)
{
    size_t moov_at, mvex, mfra;
    uint8_t head[100] = {0}, trex[24] = {[7] = 1};

    made_size = 0;
    brand("iso5");
    moov_at = begin_box("moov");
    box("mvhd", head, sizeof head);
    trak(0);
    mvex = begin_box("mvex");
    box("trex", trex, sizeof trex);
    end_box(mvex);
    end_box(moov_at);
    for (size_t i = 0; i < count; i++)
        fragment(i + 1);
    mfra = begin_box("mfra");
    put_be(16, 4), put_text("mfro"), put_be(0, 4), put_be(24, 4);
    end_box(mfra);
}

Test(isobmff, fragments_are_confirmed_by_what_stands_behind_them)
{
    fragments(3);
    cr_assert(harness_holds("isobmff", made, made_size, CARVE_VALIDATED, made_size));
    cr_assert_eq(harness_examine("isobmff", made, made_size - 24).grade, CARVE_COMPLETE);
}

Test(isobmff, a_second_table_of_sizes_takes_the_place_of_the_first)
{
    sizes_twice = true;
    index_first();
    cr_assert(harness_holds("isobmff", made, made_size, CARVE_VALIDATED, made_size));
}

Test(isobmff, samples_of_more_bytes_than_there_are_are_not_validated)
{
    more_chunks = 40;
    index_first();
    cr_assert_eq(harness_examine("isobmff", made, made_size).grade, CARVE_COMPLETE);
}

Test(isobmff, an_index_that_is_not_well_formed_is_partial)
{
    struct carved carved;
    size_t at;

    made_size = 0;
    brand("isom");
    at = moov(media());
    box("trak", "\0\0\xff\xfftkhd", 8);
    end_box(at);
    carved = harness_examine("isobmff", made, made_size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.size, at);
}
