/* AVI and WAV end where RIFF says, when their chunks agree. */
#include "tests/carve/harness.h"
#include "tests/carve/make.h"

#include <criterion/criterion.h>

static size_t begin_chunk(const char *id, const char *type)
{
    put_text(id);
    put_le(0, 4);
    put_text(type);
    return made_size - 8 - strlen(type);
}

static void end_chunk(size_t at)
{
    set_le32(at + 4, made_size - at - 8);
    if (made_size % 2 != 0)
        put_be(0, 1);
}

static void avi_headers(unsigned frames)
{
    size_t hdrl = begin_chunk("LIST", "hdrl"), list, at = begin_chunk("avih", "");

    put_all(0, 16), put_le(frames, 4), put_all(0, 36);
    end_chunk(at);
    list = begin_chunk("LIST", "strl");
    at = begin_chunk("strh", "vids");
    put_text("MJPG"), put_all(0, 24), put_le(frames, 4), put_all(0, 20);
    end_chunk(at);
    at = begin_chunk("strf", "");
    put_all(0, 40);
    end_chunk(at);
    end_chunk(list);
    end_chunk(hdrl);
    list = begin_chunk("LIST", "INFO");
    at = begin_chunk("INAM", "");
    put("The sea", 8);
    end_chunk(at);
    end_chunk(list);
}

/* Chunks of odd and even sizes; their places from movi on go to `places`. */
static void movi(unsigned frames, uint32_t *places, uint32_t *sizes)
{
    size_t list = begin_chunk("LIST", "movi");

    for (unsigned i = 0; i < frames; i++) {
        size_t at = begin_chunk("00dc", "");

        put_noise(501 + i);
        places[i] = (uint32_t)(at - list - 8);
        sizes[i] = 501 + i;
        end_chunk(at);
    }
    end_chunk(list);
}

static void avi(unsigned frames, bool indexed)
{
    uint32_t places[32], sizes[32];
    size_t riff;

    made_size = 0;
    riff = begin_chunk("RIFF", "AVI ");
    avi_headers(frames);
    movi(frames, places, sizes);
    if (indexed) {
        size_t at = begin_chunk("idx1", "");

        for (unsigned i = 0; i < frames; i++)
            put_text("00dc"), put_le(16, 4), put_le(places[i], 4), put_le(sizes[i], 4);
        end_chunk(at);
    }
    end_chunk(riff);
}

Test(avi, with_an_index_is_validated_and_a_prefix_never_is)
{
    avi(10, true);
    cr_assert(harness_holds("avi", made, made_size, CARVE_VALIDATED, made_size));
    cr_assert_str_eq(harness_examine("avi", made, made_size).title, "The sea");
}

Test(avi, without_an_index_its_pictures_are_counted)
{
    avi(10, false);
    cr_assert(harness_holds("avi", made, made_size, CARVE_VALIDATED, made_size));
}

Test(avi, an_index_that_names_other_chunks_is_not_validated)
{
    avi(10, true);
    made[made_size - 8] ^= 2;
    cr_assert_eq(harness_examine("avi", made, made_size).grade, CARVE_COMPLETE);
}

Test(avi, further_segments_belong_to_it)
{
    uint32_t places[32], sizes[32];
    size_t riff;

    avi(10, true);
    riff = begin_chunk("RIFF", "AVIX");
    movi(5, places, sizes);
    end_chunk(riff);
    cr_assert_eq(harness_examine("avi", made, made_size).size, made_size);
}

Test(avi, other_data_in_movi_ends_it_in_the_chunk_before)
{
    struct carved carved;
    uint8_t *at;

    avi(10, true);
    at = memmem(made, made_size, "movi", 4);
    at += 4 + 6 * 512;
    memset(at, 0xa5, (size_t)(made + made_size - at));
    carved = harness_examine("avi", made, made_size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_leq(carved.good, (size_t)(at - made));
    cr_assert_geq(carved.good + 1200, (size_t)(at - made));
}

static void wav(unsigned tag, unsigned block, size_t sound, bool behind)
{
    size_t riff, at;

    made_size = 0;
    riff = begin_chunk("RIFF", "WAVE");
    at = begin_chunk("fmt ", "");
    put_le(tag, 2), put_le(1, 2), put_le(8000, 4), put_le(16000, 4), put_le(block, 2),
        put_le(tag == 1 ? 16 : 4, 2);
    end_chunk(at);
    at = begin_chunk("data", "");
    for (size_t i = 0; i < sound; i += block) {
        put_noise(2);
        put_be(tag == 17 ? 0x2000 : 0x1234, 2);
        put_noise(block > 4 ? block - 4 : 0);
    }
    end_chunk(at);
    if (behind) {
        size_t list = begin_chunk("LIST", "INFO");

        at = begin_chunk("INAM", "");
        put("Waves", 6);
        end_chunk(at);
        end_chunk(list);
    }
    end_chunk(riff);
}

Test(wav, plain_sound_is_complete)
{
    wav(1, 2, 4000, false);
    cr_assert(harness_holds("wav", made, made_size, CARVE_COMPLETE, made_size));
}

Test(wav, a_chunk_behind_the_sound_validates_it)
{
    wav(1, 2, 4000, true);
    cr_assert(harness_holds("wav", made, made_size, CARVE_VALIDATED, made_size));
    cr_assert_str_eq(harness_examine("wav", made, made_size).title, "Waves");
}

Test(wav, blocks_of_adpcm_are_looked_at)
{
    wav(17, 256, 5120, false);
    cr_assert(harness_holds("wav", made, made_size, CARVE_VALIDATED, made_size));
    made[made_size - 256 + 3] = 1;
    cr_assert_eq(harness_examine("wav", made, made_size).grade, CARVE_PARTIAL);
}

/* Sound of more than 4 GiB: what is behind the head reads as zeros. */
static int64_t read_sparse(void *context, uint64_t offset, void *data, size_t size)
{
    (void)context;
    memset(data, 0, size);
    if (offset < made_size)
        memcpy(data, made + offset, size < made_size - offset ? size : (size_t)(made_size - offset));
    return (int64_t)size;
}

Test(wav, sound_of_more_than_four_gigabytes_has_its_size_elsewhere)
{
    const uint64_t sound = UINT64_C(5) << 30;
    struct carved carved = {.grade = CARVE_NONE};
    struct reader *reader = reader_new(read_sparse, NULL);

    made_size = 0;
    put_text("RF64"), put_le(UINT32_MAX, 4), put_text("WAVEds64"), put_le(28, 4);
    put_le(sound + 72, 8), put_le(sound, 8), put_le(0, 8), put_le(0, 4);
    put_text("fmt "), put_le(16, 4), put_le(1, 2), put_le(2, 2), put_le(48000, 4), put_le(192000, 4);
    put_le(4, 2), put_le(16, 2), put_text("data"), put_le(UINT32_MAX, 4);
    cr_assert_eq(made_size, 80);
    reader_aim(reader, &(struct reader_piece){0, sound + 4096}, 1, UINT64_C(1) << 30);
    carve_format_find("wav")->examine(reader, &carved);
    reader_free(reader);
    cr_assert_eq(carved.grade, CARVE_COMPLETE);
    cr_assert_eq(carved.size, sound + 80);
}

Test(avi, whose_last_byte_is_not_there_claims_no_more_than_there_is)
{
    size_t riff;

    made_size = 0;
    riff = begin_chunk("RIFF", "AVI ");
    avi_headers(3);
    movi(3, (uint32_t[3]){0}, (uint32_t[3]){0});
    put_text("JUNK"), put_le(3, 4), put_text("odd"), put_be(0, 1);
    end_chunk(riff);
    cr_assert(harness_holds("avi", made, made_size, CARVE_VALIDATED, made_size));
}

Test(avi, without_movi_is_a_fragment)
{
    size_t riff;

    made_size = 0;
    riff = begin_chunk("RIFF", "AVI ");
    avi_headers(3);
    end_chunk(riff);
    cr_assert_eq(harness_examine("avi", made, made_size).grade, CARVE_FRAGMENT);
}
