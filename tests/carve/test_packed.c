/* gzip, bzip2, xz and Zstandard files are unpacked to their end. */
#include "tests/carve/harness.h"

#include <bzlib.h>
#include <criterion/criterion.h>
#include <lzma.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

static uint8_t plain[60000], file[400000];

static void fill(void)
{
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = (uint8_t)(i * i / 7 % 31 + i / 5000);
}

static size_t make_gzip(uint8_t *to, const char *name)
{
    gz_header header = {.name = (Bytef *)(uintptr_t)name, .hcrc = 1, .os = 3};
    z_stream z = {.next_in = plain, .avail_in = sizeof plain, .next_out = to, .avail_out = 100000};

    fill();
    cr_assert(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, 0) == Z_OK);
    deflateSetHeader(&z, &header);
    cr_assert(deflate(&z, Z_FINISH) == Z_STREAM_END);
    deflateEnd(&z);
    return z.total_out;
}

static size_t make_bzip2(uint8_t *to)
{
    unsigned size = 100000;

    fill();
    cr_assert(BZ2_bzBuffToBuffCompress((char *)to, &size, (char *)plain, sizeof plain, 1, 0, 0) == BZ_OK);
    return size;
}

static size_t make_xz(uint8_t *to)
{
    size_t size = 0;

    fill();
    cr_assert(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC64, NULL, plain, sizeof plain, to, &size, 100000) ==
              LZMA_OK);
    return size;
}

static size_t make_zstd(uint8_t *to, int checksum)
{
    ZSTD_CCtx *zstd = ZSTD_createCCtx();
    size_t size;

    fill();
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_checksumFlag, checksum);
    ZSTD_CCtx_setParameter(zstd, ZSTD_c_contentSizeFlag, checksum);
    size = ZSTD_compress2(zstd, to, 100000, plain, sizeof plain);
    ZSTD_freeCCtx(zstd);
    return size;
}

static void check(const char *format, size_t size)
{
    struct carved carved;

    cr_assert(harness_holds(format, file, size, CARVE_VALIDATED, size));
    file[size / 2] ^= 4;
    carved = harness_examine(format, file, size);
    cr_assert(carved.grade < CARVE_COMPLETE, "%s", harness_grade(carved.grade));
    cr_assert(carved.good <= size / 2, "good %zu", (size_t)carved.good);
}

static void check_two(const char *format, size_t size)
{
    struct carved carved;

    memcpy(file + size, file, size);
    carved = harness_examine(format, file, 2 * size);
    cr_assert_eq(carved.grade, CARVE_VALIDATED);
    cr_assert_eq(carved.size, 2 * size);
    carved = harness_examine(format, file, 2 * size - 9);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert(carved.good >= size || strcmp(format, "bzip2") == 0);
}

Test(packed, gzip_ends_behind_its_size)
{
    check("gzip", make_gzip(file, "letter.txt"));
    make_gzip(file, "letter.txt");
    cr_assert_str_eq(harness_examine("gzip", file, 100000).title, "letter.txt");
}

Test(packed, gzip_members_behind_each_other_are_one_file)
{
    check_two("gzip", make_gzip(file, "a"));
}

Test(packed, bzip2_ends_behind_its_crc)
{
    check("bzip2", make_bzip2(file));
}

Test(packed, bzip2_streams_behind_each_other_are_one_file)
{
    check_two("bzip2", make_bzip2(file));
}

Test(packed, xz_ends_behind_its_footer)
{
    check("xz", make_xz(file));
}

Test(packed, xz_streams_behind_each_other_are_one_file)
{
    size_t size = make_xz(file);
    struct carved carved;

    check_two("xz", size);
    memmove(file + size + 8, file + size, size);
    memset(file + size, 0, 8);
    carved = harness_examine("xz", file, 2 * size + 8);
    cr_assert_eq(carved.size, 2 * size + 8);
}

Test(packed, an_xz_file_at_the_next_sector_is_another_one)
{
    size_t size = make_xz(file), next = (size + 511) / 512 * 512;

    memset(file + size, 0, next - size);
    memcpy(file + next, file, size);
    cr_assert_eq(size % 4, 0);
    cr_assert_gt(next, size);
    cr_assert_eq(harness_examine("xz", file, next + size).size, size);
}

Test(packed, zstd_ends_behind_its_checksum)
{
    check("zstd", make_zstd(file, 1));
}

Test(packed, zstd_frames_behind_each_other_are_one_file)
{
    check_two("zstd", make_zstd(file, 1));
}

Test(packed, zstd_without_anything_to_check_is_complete)
{
    size_t size = make_zstd(file, 0);

    /* The encoder names no size only when it does not know it. */
    cr_assert(harness_examine("zstd", file, size).grade >= CARVE_COMPLETE);
    cr_assert(harness_holds("zstd", file, size, harness_examine("zstd", file, size).grade, size));
}
