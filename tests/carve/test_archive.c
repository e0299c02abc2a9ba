/* tar, cabinets, RAR and 7z archives are followed by their headers. */
#include "tests/carve/harness.h"

#include "plugins/carve/formats/sevenzip.h"

#include <criterion/criterion.h>
#include <lzma.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

static uint8_t file[200000];
static size_t size;

static void put(const void *data, size_t count)
{
    memcpy(file + size, data, count);
    size += count;
}

static void le(size_t at, uint64_t value, size_t width)
{
    for (size_t i = 0; i < width; i++)
        file[at + i] = (uint8_t)(value >> (8 * i));
}

static void put_le(uint64_t value, size_t width)
{
    le(size, value, width);
    size += width;
}

/* ------------------------------------------------------------------ tar */

static void tar_member(const char *name, char type, const char *size_field, size_t bytes)
{
    uint8_t *p = file + size;
    unsigned sum = 0;

    memset(p, 0, 512);
    memcpy(p, name, strlen(name));
    memcpy(p + 100, "0000644\0000000000\0000000000\0", 24);
    memcpy(p + 124, size_field, 12);
    memcpy(p + 136, "14300000000\0        ", 20);
    p[156] = (uint8_t)type;
    memcpy(p + 257, "ustar\00000", 8);
    for (size_t i = 0; i < 512; i++)
        sum += p[i];
    snprintf((char *)p + 148, 8, "%06o", sum);
    size += 512;
    memset(file + size, 'x', bytes);
    memset(file + size + bytes, 0, (512 - bytes % 512) % 512);
    size += (bytes + 511) / 512 * 512;
}

static void tar_end(size_t record)
{
    size_t end = size + 1024;

    end += (record - end % record) % record;
    memset(file + size, 0, end - size);
    size = end;
}

static void make_tar(void)
{
    size = 0;
    tar_member("folder/", '5', "00000000000", 0);
    tar_member("a.txt", '0', "00000001750", 1000);
    tar_member("link", '2', "00000001750", 0);
    tar_member("big", '0', "\x80\0\0\0\0\0\0\0\0\0\x03\xe8", 1000);
    tar_end(10240);
}

Test(archive, tar_ends_with_its_record)
{
    make_tar();
    cr_assert_eq(size, 10240);
    cr_assert(harness_holds("tar", file, size, CARVE_COMPLETE, 10 * 512));
}

Test(archive, tar_ends_behind_two_blocks_when_something_follows_there)
{
    make_tar();
    memset(file + 10 * 512, 0x77, 5000);
    cr_assert_eq(harness_examine("tar", file, size).size, 10 * 512);
}

Test(archive, a_wrong_sum_in_a_tar_header_cuts_it_behind_the_header_before)
{
    struct carved carved;

    make_tar();
    file[4 * 512 + 3] ^= 1;
    carved = harness_examine("tar", file, size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.good, 2 * 512);
}

Test(archive, pax_sizes_are_those_that_count)
{
    size = 0;
    tar_member("pax", 'x', "00000000020", 0);
    memcpy(file + size, "14 size=1500\n\n\n\n", 16);
    memset(file + size + 16, 0, 496);
    size += 512;
    tar_member("a.txt", '0', "00000000000", 1500);
    tar_end(512);
    memset(file + size, 1, 512);
    cr_assert_eq(harness_examine("tar", file, size + 512).size, size);
}

/* ------------------------------------------------------------------ cabinets */

static uint32_t cab_sum(const uint8_t *p, size_t count, uint32_t seed)
{
    for (; count >= 4; count -= 4, p += 4)
        seed ^= p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    if (count == 3)
        seed ^= (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
    if (count == 2)
        seed ^= (uint32_t)p[0] << 8 | p[1];
    return count == 1 ? seed ^ p[0] : seed;
}

static void make_cab(bool sums)
{
    size = 0;
    put("MSCF\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\3\1\1\0\1\0\0\0\x39\5\0\0", 36);
    le(16, 44, 4);
    put_le(44 + 16 + 6, 4);
    put_le(2, 2);
    put_le(0, 2);
    put("\x43\1\0\0\0\0\0\0\0\0\0\0\0\0\x20\0a.txt\0", 22);
    for (size_t i = 0; i < 2; i++) {
        size_t at = size, count = i == 0 ? 200 : 123;

        put_le(0, 4);
        put_le(count, 2);
        put_le(count, 2);
        for (size_t k = 0; k < count; k++)
            put_le(k * k, 1);
        if (sums)
            le(at, cab_sum(file + at + 4, 4, cab_sum(file + at + 8, count, 0)), 4);
    }
    le(8, size, 4);
}

Test(archive, cabinets_are_checked_block_by_block)
{
    make_cab(true);
    cr_assert(harness_holds("cab", file, size, CARVE_VALIDATED, size));
    file[size - 20] ^= 1;
    cr_assert_eq(harness_examine("cab", file, size).grade, CARVE_PARTIAL);
}

Test(archive, cabinets_without_sums_are_complete)
{
    make_cab(false);
    cr_assert(harness_holds("cab", file, size, CARVE_COMPLETE, size));
}

/* ------------------------------------------------------------------ RAR */

static const char text[] = "What the hammer? what the chain? In what furnace was thy brain?";

static void rar4_block(unsigned type, unsigned flags, const void *body, size_t count)
{
    size_t at = size;

    put_le(0, 2);
    put_le(type, 1);
    put_le(flags, 2);
    put_le(7 + count, 2);
    put(body, count);
    le(at, crc32(0, file + at + 2, (uInt)(size - at - 2)), 2);
}

static void make_rar4(uint8_t method, uint8_t version, bool ends)
{
    uint8_t body[32] = {0};

    size = 0;
    put("Rar!\x1a\7\0", 7);
    rar4_block(0x73, 0, body, 6);
    body[0] = body[4] = sizeof text;
    for (size_t i = 0; i < 4; i++)
        body[9 + i] = (uint8_t)(crc32(0, (const Bytef *)text, sizeof text) >> (8 * i));
    body[17] = version;
    body[18] = method;
    body[19] = 5;
    memcpy(body + 25, "a.txt", 5);
    rar4_block(0x74, 0x8000, body, 30);
    put(text, sizeof text);
    if (ends)
        rar4_block(0x7b, 0x4000, "", 0);
}

Test(archive, rar_ends_with_its_end_block)
{
    make_rar4(0x30, 29, true);
    cr_assert(harness_holds("rar", file, size, CARVE_VALIDATED, size));
    file[size - 20] ^= 1;
    cr_assert_eq(harness_examine("rar", file, size).grade, CARVE_PARTIAL);
    make_rar4(0x33, 29, true);
    cr_assert(harness_holds("rar", file, size, CARVE_COMPLETE, size));
}

Test(archive, old_rar_ends_behind_its_last_block)
{
    make_rar4(0x30, 20, false);
    cr_assert(harness_holds("rar", file, size, CARVE_COMPLETE, size));
}

static void rar5_block(const void *body, size_t count)
{
    size_t at = size;

    put_le(0, 4);
    put_le(count, 1);
    put(body, count);
    le(at, crc32(0, file + at + 4, (uInt)(size - at - 4)), 4);
}

Test(archive, rar5_is_followed_and_what_is_stored_is_checked)
{
    for (int stored = 0; stored < 2; stored++) {
        uint8_t body[] = {2, 2, sizeof text, 4, sizeof text, 0, 0, 0, 0, 0, 0, 1, 1, 'a'};

        for (size_t i = 0; i < 4; i++)
            body[6 + i] = (uint8_t)(crc32(0, (const Bytef *)text, sizeof text) >> (8 * i));
        size = 0;
        put("Rar!\x1a\7\1\0", 8);
        rar5_block("\1\0\0", 3);
        if (stored == 0) { /* version 0, method 3, in a number of two bytes */
            uint8_t packed[sizeof body + 1];

            memcpy(packed, body, 10);
            packed[10] = 0x80;
            packed[11] = 3;
            memcpy(packed + 12, body + 11, 3);
            rar5_block(packed, sizeof packed);
        } else {
            rar5_block(body, sizeof body);
        }
        put(text, sizeof text);
        rar5_block("\5\0\0", 3);
        cr_assert(harness_holds("rar", file, size, stored ? CARVE_VALIDATED : CARVE_COMPLETE, size));
    }
}

/* ------------------------------------------------------------------ 7z */

/* One folder with two files, LZMA2 or stored, and a header that is not packed. */
static void make_7z(bool lzma2)
{
    uint8_t packed[1000];
    size_t packed_size = 0, header;
    lzma_options_lzma options;
    lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};

    lzma_lzma_preset(&options, 1);
    if (lzma2)
        cr_assert(lzma_raw_buffer_encode(filters, NULL, (const uint8_t *)text, sizeof text, packed,
                                         &packed_size, sizeof packed) == LZMA_OK);
    else
        memcpy(packed, text, packed_size = sizeof text);
    size = 0;
    put("7z\xbc\xaf\x27\x1c\0\4", 8);
    put("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24);
    put(packed, packed_size);
    header = size;
    put("\1\4\6\0\1\x09", 6);
    put_le(packed_size, 1);
    put("\0\7\x0b\1\0\1", 6);
    if (lzma2)
        put("\x21\x21\1\x10", 4); /* a dictionary of 1 MiB */
    else
        put("\1\0", 2);
    put("\x0c", 1);
    put_le(sizeof text, 1);
    put("\0\x08\x0d\2\x09\x10\x0a\1", 8);
    put_le(crc32(0, (const Bytef *)text, 16), 4);
    put_le(crc32(0, (const Bytef *)text + 16, sizeof text - 16), 4);
    put("\0\0\0", 3);
    le(12, header - 32, 8);
    le(20, size - header, 8);
    le(28, crc32(0, file + header, (uInt)(size - header)), 4);
    le(8, crc32(0, file + 12, 20), 4);
}

Test(archive, sevenzip_ends_behind_its_last_header_and_is_unpacked)
{
    for (int lzma2 = 0; lzma2 < 2; lzma2++) {
        make_7z(lzma2 == 1);
        cr_assert(harness_holds("sevenzip", file, size, CARVE_VALIDATED, size));
        file[50] ^= 1;
        cr_assert_eq(harness_examine("sevenzip", file, size).grade, CARVE_PARTIAL);
    }
}

Test(archive, sevenzip_of_an_unknown_method_is_complete)
{
    uint8_t *coder;

    make_7z(true);
    coder = memmem(file, size, "\x21\x21\1", 3);
    cr_assert(coder != NULL);
    coder[1] = 0x77;
    le(28, crc32(0, file + (size - file[20]), file[20]), 4);
    le(8, crc32(0, file + 12, 20), 4);
    cr_assert(harness_holds("sevenzip", file, size, CARVE_COMPLETE, size));
}

/* Two stored folders, the first empty. `early`: what says which streams are in them stands before them. */
static void make_7z_of_two(bool early)
{
    size_t header;

    size = 0;
    put("7z\xbc\xaf\x27\x1c\0\4", 8);
    put("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24);
    put("data", 4);
    header = size;
    put("\1\4", 2);
    if (early)
        put("\x08\0", 2);
    put("\6\0\2\x09\0\4\0", 7);
    put("\7\x0b\2\0\1\1\0\1\1\0\x0c\0\4\x0a\1", 15);
    put_le(0, 4);
    put_le(crc32(0, (const Bytef *)"data", 4), 4);
    put("\0\0\0", 3);
    le(12, header - 32, 8);
    le(20, size - header, 8);
    le(28, crc32(0, file + header, (uInt)(size - header)), 4);
    le(8, crc32(0, file + 12, 20), 4);
}

Test(archive, sevenzip_may_have_an_empty_folder)
{
    make_7z_of_two(false);
    cr_assert(harness_holds("sevenzip", file, size, CARVE_VALIDATED, size));
}

/* Streams are made for the folders that are known by then: those of folders behind them would not be there.
 */
Test(archive, sevenzip_whose_streams_stand_before_their_folders_is_refused)
{
    struct sevenzip sevenzip = {0};
    struct bytes bytes;

    make_7z_of_two(true);
    cr_expect_lt(harness_examine("sevenzip", file, size).grade, CARVE_COMPLETE);
    bytes_init(&bytes, file + 38, size - 38);
    cr_expect_not(sevenzip_streams(&bytes, &sevenzip));
    sevenzip_finish(&sevenzip);
}

/* What is good ends within the object, whatever the header says of where the data lie. */
Test(archive, sevenzip_whose_data_lie_elsewhere_is_good_up_to_what_is_there)
{
    struct carved carved;

    for (int first = 0; first < 2; first++) {
        make_7z_of_two(false);
        if (first)
            file[39] = 0x7f; /* where packed streams begin */
        else
            file[42] = 0x7f; /* the size of the first, behind which the other lies */
        le(28, crc32(0, file + 36, (uInt)(size - 36)), 4);
        le(8, crc32(0, file + 12, 20), 4);
        carved = harness_examine("sevenzip", file, size);
        cr_expect_eq(carved.grade, CARVE_PARTIAL);
        cr_expect_leq(carved.good, size);
        cr_expect_leq(carved.size, size);
    }
}
