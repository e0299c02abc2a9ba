/* JPEG pictures are followed from marker to marker, and their entropy-coded data read to the last block. */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h>

enum { WIDTH = 67, HEIGHT = 45 };

struct make {
    bool progressive, arithmetic, grey, apart;
    unsigned restart;
    int quality;
    const void *exif;
    unsigned exif_size;
};

static uint8_t image[64 * 1024];
static size_t size;

/* Every picture that `seed` gives is another. */
static void draw(uint8_t *row, unsigned y, size_t channels, unsigned seed)
{
    for (unsigned x = 0; x < WIDTH; x++) {
        for (size_t c = 0; c < channels; c++)
            row[x * channels + c] = (uint8_t)(x * (3 + c) + y * 2 + (x * y * seed) % 61);
    }
}

static void make(struct make how)
{
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr error;
    static const jpeg_scan_info apart[] = {
        {1, {0}, 0, 63, 0, 0}, {1, {1}, 0, 63, 0, 0}, {1, {2}, 0, 63, 0, 0}};
    uint8_t row[WIDTH * 3], *rows[] = {row}, *out = NULL;
    unsigned long out_size = 0;

    jpeg.err = jpeg_std_error(&error);
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &out, &out_size);
    jpeg.image_width = WIDTH;
    jpeg.image_height = HEIGHT;
    jpeg.input_components = how.grey ? 1 : 3;
    jpeg.in_color_space = how.grey ? JCS_GRAYSCALE : JCS_RGB;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, how.quality ? how.quality : 80, TRUE);
    jpeg.arith_code = how.arithmetic;
    jpeg.restart_interval = how.restart;
    if (how.progressive)
        jpeg_simple_progression(&jpeg);
    if (how.apart) {
        jpeg.scan_info = apart;
        jpeg.num_scans = 3;
    }
    jpeg_start_compress(&jpeg, TRUE);
    if (how.exif != NULL)
        jpeg_write_marker(&jpeg, JPEG_APP0 + 1, how.exif, how.exif_size);
    while (jpeg.next_scanline < HEIGHT) {
        draw(row, jpeg.next_scanline, how.grey ? 1 : 3, (unsigned)jpeg.input_components);
        jpeg_write_scanlines(&jpeg, rows, 1);
    }
    jpeg_finish_compress(&jpeg);
    cr_assert_lt(out_size, sizeof image / 2);
    memcpy(image, out, out_size);
    size = out_size;
    free(out);
    jpeg_destroy_compress(&jpeg);
}

/* EXIF: a first directory with the camera, a second one with a thumbnail, which is the picture that is there.
 */
static size_t make_exif(uint8_t *exif)
{
    static const char head[] = "Exif\0\0MM\0\x2a\0\0\0\x08"
                               "\0\x01\x01\x10\0\x02\0\0\0\x06\0\0\0\x1a\0\0\0\x20"
                               "Nikon\0"
                               "\0\x02\x02\x01\0\x04\0\0\0\x01\0\0\0\x40\x02\x02\0\x04\0\0\0\x01";
    size_t at = sizeof head - 1;

    memcpy(exif, head, at);
    exif[at++] = 0;
    exif[at++] = 0;
    exif[at++] = (uint8_t)(size >> 8);
    exif[at++] = (uint8_t)size;
    memset(exif + at, 0, 6 + 0x40 - at);
    memcpy(exif + 6 + 0x40, image, size);
    return 6 + 0x40 + size;
}

Test(jpeg, whole_is_validated_and_a_prefix_never_is)
{
    static const struct make kinds[] = {
        {.quality = 90},       {.grey = true},
        {.progressive = true}, {.progressive = true, .grey = true, .quality = 97},
        {.restart = 2},        {.progressive = true, .restart = 3},
        {.apart = true},       {.quality = 100},
        {.quality = 10}};

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        make(kinds[i]);
        cr_expect(harness_holds("jpeg", image, size, CARVE_VALIDATED, size), "kind %zu", i);
    }
}

Test(jpeg, arithmetic_coding_is_followed_by_its_markers)
{
    make((struct make){.arithmetic = true});
    cr_assert(harness_holds("jpeg", image, size, CARVE_COMPLETE, size));
}

Test(jpeg, exif_gives_title_and_thumbnail_whose_end_is_not_the_pictures)
{
    uint8_t exif[16 * 1024];
    size_t thumbnail;
    struct carved carved;

    make((struct make){.quality = 20});
    thumbnail = size;
    make((struct make){.exif = exif, .exif_size = (unsigned)make_exif(exif)});
    cr_assert(harness_holds("jpeg", image, size, CARVE_VALIDATED, size));
    carved = harness_examine("jpeg", image, size);
    cr_assert_str_eq(carved.title, "Nikon");
    cr_assert_eq(carved.part_count, 1);
    cr_assert_eq(carved.parts[0].size, thumbnail);
    cr_assert_eq(harness_examine("jpeg", image + carved.parts[0].offset, thumbnail).grade, CARVE_VALIDATED);
}

Test(jpeg, foreign_bytes_in_the_data_end_it_before_them)
{
    for (unsigned kind = 0; kind < 2; kind++) {
        uint32_t x = 1;
        struct carved carved;

        make((struct make){.quality = 100, .progressive = kind == 1});
        for (size_t i = size / 2; i < size - 100; i++) {
            x = x * 1664525 + 1013904223;
            image[i] = (uint8_t)(x >> 24);
        }
        carved = harness_examine("jpeg", image, size);
        cr_assert_eq(carved.grade, CARVE_PARTIAL);
        cr_assert_leq(carved.good, size / 2);
    }
}

Test(jpeg, zeros_in_the_data_end_it_where_they_begin)
{
    struct carved carved;

    make((struct make){.quality = 100});
    memset(image + size / 2, 0, size - size / 2);
    carved = harness_examine("jpeg", image, size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_leq(carved.size, size / 2);
    cr_assert_geq(carved.size, size / 2 - 8);
}

Test(jpeg, one_block_too_many_is_not_validated)
{
    make((struct make){.grey = true});
    for (size_t i = 0; i + 9 < size; i++) {
        if (memcmp(image + i, "\xff\xc0\0\x0b\x08\0", 6) == 0)
            image[i + 6] = HEIGHT + 8;
    }
    cr_assert_eq(harness_examine("jpeg", image, size).grade, CARVE_PARTIAL);
}

Test(jpeg, two_pieces_read_as_one)
{
    struct carved carved;

    make((struct make){.quality = 90});
    carved = harness_examine_split("jpeg", image, size, size / 2, 4096);
    cr_assert_eq(carved.grade, CARVE_VALIDATED);
    cr_assert_eq(carved.size, size);
}

Test(jpeg, two_back_to_back_are_two)
{
    make((struct make){.quality = 90});
    memcpy(image + size, image, size);
    cr_assert_eq(harness_examine("jpeg", image, 2 * size).size, size);
}

/* The multi-picture index of two pictures; the second begins right behind the first. */
static void make_two(size_t main_size, uint8_t index[82])
{
    static const char head[] =
        "MPF\0MM\0\x2a\0\0\0\x08"
        "\0\x02\xb0\x01\0\x04\0\0\0\x01\0\0\0\x02\xb0\x02\0\x07\0\0\0\x20\0\0\0\x26\0\0\0\0";
    uint32_t from_index =
        (uint32_t)(main_size - (2 + 18 + 4 + 4)); /* SOI, JFIF, this segment's head, "MPF" */

    memset(index, 0, 82);
    memcpy(index, head, sizeof head - 1);
    index[0x2a + 16 + 6] = (uint8_t)(main_size >> 8);
    index[0x2a + 16 + 7] = (uint8_t)main_size;
    index[0x2a + 16 + 10] = (uint8_t)(from_index >> 8);
    index[0x2a + 16 + 11] = (uint8_t)from_index;
}

Test(jpeg, pictures_that_the_index_names_belong_to_it)
{
    uint8_t index[82], file[64 * 1024];
    size_t main_size;

    make((struct make){.quality = 60});
    main_size = size + 4 + sizeof index;
    make_two(main_size, index);
    memcpy(file, image, 20);
    memcpy(file + 20, "\xff\xe2\0\x54", 4);
    memcpy(file + 24, index, sizeof index);
    memcpy(file + 24 + sizeof index, image + 20, size - 20);
    memcpy(file + main_size, file, main_size);
    cr_assert_eq(harness_examine("jpeg", file, main_size).grade, CARVE_COMPLETE);
    cr_assert_eq(harness_examine("jpeg", file, 2 * main_size).grade, CARVE_VALIDATED);
    cr_assert_eq(harness_examine("jpeg", file, 2 * main_size).size, 2 * main_size);
    file[24 + 0x2a + 16 + 5] = 1; /* a second one of 64 KiB more than there is */
    cr_assert_leq(harness_examine("jpeg", file, 2 * main_size).size, 2 * main_size);
}

Test(jpeg, what_has_only_the_mark_is_none)
{
    uint8_t junk[600];

    memset(junk, 'x', sizeof junk);
    memcpy(junk, "\xff\xd8\xff\xe0\0\x10JFIF\0", 11);
    cr_assert_leq(harness_examine("jpeg", junk, sizeof junk).grade, CARVE_FRAGMENT);
    memcpy(junk, "\xff\xd8\xff\xd9", 4);
    cr_assert_eq(harness_examine("jpeg", junk, sizeof junk).grade, CARVE_NONE);
}

/* A progressive picture of 2^20 blocks, and scans of which each passes them all by 64 codes. */
Test(jpeg, blocks_that_runs_pass_cost_effort)
{
    enum { SCANS = 40 };
    static const uint8_t head[] = "\xff\xd8\xff\xc2\0\x0b\x08\x20\0\x20\0\x01\x01\x11\0"
                                  "\xff\xc4\0\x14\x10\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xe0";
    static const uint8_t scan[] = "\xff\xda\0\x08\x01\x01\0\x01\x3f";

    size = sizeof head - 1;
    memset(image, 0, sizeof image);
    memcpy(image, head, size);
    for (unsigned i = 0; i < SCANS; i++) {
        memcpy(image + size, scan, sizeof scan);
        size += sizeof scan + 120;
    }
    memcpy(image + size, "\xff\xd9", 2);
    size += 2;
    cr_assert_eq(harness_examine("jpeg", image, size).grade, CARVE_COMPLETE);
    cr_assert_gt(harness_effort("jpeg", image, size), SCANS << 17);
}
