/* WebP pictures: chunks that fill the RIFF structure. */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static uint8_t image[32 * 1024];
static size_t size;

static size_t begin(const char *type)
{
    memcpy(image + size, type, 4);
    size += 8;
    return size;
}

static void end(size_t start)
{
    size_t length = size - start;

    for (unsigned i = 0; i < 4; i++)
        image[start - 4 + i] = (uint8_t)(length >> 8 * i);
    if (length & 1)
        image[size++] = 0;
}

static void frame(size_t length)
{
    size_t start = begin("VP8 ");

    memset(image + size, 0x5a, length);
    memcpy(image + size, "\x10\x02\0\x9d\x01\x2a\x40\0\x40\0", 10);
    size += length;
    end(start);
}

static void make(unsigned frames)
{
    size_t riff, start;

    memset(image, 0, sizeof image);
    size = 0;
    riff = begin("RIFF");
    memcpy(image + size, "WEBP", 4);
    size += 4;
    start = begin("VP8X");
    image[size] = frames > 1 ? 2 : 0;
    size += 10;
    end(start);
    for (unsigned i = 0; i < frames; i++) {
        start = frames > 1 ? begin("ANMF") : 0;
        size += frames > 1 ? 16 : 0;
        frame(501 + i);
        if (frames > 1)
            end(start);
    }
    start = begin("EXIF");
    memcpy(image + size,
           "II\x2a\0\x08\0\0\0\x01\0\x10\x01\x02\0\x06\0\0\0\x1a\0\0\0\0\0\0\0"
           "Nokia",
           32);
    size += 32;
    end(start);
    end(riff);
}

Test(webp, a_still_picture_is_complete)
{
    make(1);
    cr_assert(harness_holds("webp", image, size, CARVE_COMPLETE, size));
    cr_assert_str_eq(harness_examine("webp", image, size).title, "Nokia");
}

Test(webp, an_animation_is_validated)
{
    make(5);
    cr_assert(harness_holds("webp", image, size, CARVE_VALIDATED, size));
}

Test(webp, foreign_data_in_an_animation_is_partial_and_good_before_it)
{
    struct carved carved;

    make(5);
    memmove(image + 1536 + 512, image + 1536, size - 1536);
    memset(image + 1536, 0x11, 512);
    carved = harness_examine("webp", image, size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_leq(carved.good, 1536);
    cr_assert_gt(carved.good, 500);
}

Test(webp, chunks_that_do_not_fill_it_are_partial)
{
    make(1);
    image[4] += 4;
    cr_assert_leq(harness_examine("webp", image, size + 4).grade, CARVE_PARTIAL);
}

Test(webp, frames_in_frames_are_not_followed_down)
{
    enum { DEPTH = 200000 };
    uint8_t *nest = calloc(DEPTH + 2, 24);
    size_t all = 20 + (size_t)DEPTH * 24;
    struct carved carved;

    cr_assert_not_null(nest);
    memcpy(nest, "RIFF....WEBPVP8X", 16);
    memcpy(nest + 20, "ANMF", 4);
    for (size_t at = 20; at + 24 <= all; at += 24) {
        memcpy(nest + at, "ANMF", 4);
        for (unsigned i = 0; i < 4; i++)
            nest[at + 4 + i] = (uint8_t)((all - at - 8) >> 8 * i);
    }
    for (unsigned i = 0; i < 4; i++)
        nest[4 + i] = (uint8_t)((all - 8) >> 8 * i);
    carved = harness_examine("webp", nest, all);
    cr_assert_leq(carved.grade, CARVE_PARTIAL);
    free(nest);
}
