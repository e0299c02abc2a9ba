/* test_bitlocker: metadata from evidence, which may say anything. */
#include "engine/evidence/layer/bitlocker.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <isa-l/crc.h>
#include <string.h>

enum { SIZE = 1 << 20, COPY = 0x20000 };

static uint8_t volume[SIZE];

static int read_volume(void *context, uint64_t offset, void *data, size_t size)
{
    (void)context;
    memcpy(data, volume + offset, size);
    return 0;
}

static const struct reader reader = {read_volume, NULL, SIZE};

static void put(size_t at, size_t size, uint64_t number)
{
    for (size_t i = 0; i < size; i++)
        volume[at + i] = (uint8_t)(number >> (8 * i));
}

/* A volume without an entry in its metadata. */
static void make(void)
{
    static const uint8_t guid[16] = {0x3b, 0xd6, 0x67, 0x49, 0x29, 0x2e, 0xd8, 0x4a,
                                     0x83, 0x99, 0xf6, 0xa3, 0x39, 0xe3, 0xd0, 0x01};
    memset(volume, 0, sizeof volume);
    memcpy(volume + 3, "-FVE-FS-", 8);
    put(11, 2, 512);
    put(13, 1, 8);
    memcpy(volume + 160, guid, 16);
    put(176, 8, COPY);
    memcpy(volume + COPY, "-FVE-FS-", 8);
    put(COPY + 8, 2, 7); /* units of 16 bytes */
    put(COPY + 10, 2, 2);
    put(COPY + 12, 2, 4);
    put(COPY + 28, 4, 16);
    put(COPY + 32, 8, COPY);
    put(COPY + 56, 8, 0x30000);
    put(COPY + 64, 4, 48);
    put(COPY + 72, 4, 48);
    put(COPY + 76, 4, 48);
    put(COPY + 100, 2, BITLOCKER_XTS_128);
    put(COPY + 112 + 4, 4, crc32_gzip_refl(0, volume + COPY, 112));
}

static int parse(struct bitlocker *ret)
{
    struct why why = {{0}};
    int code;

    memset(ret, 0, sizeof *ret);
    code = bitlocker_parse(&reader, ret, &why);
    cr_expect_eq(code == 0, why.text[0] == '\0', "%s", why.text);
    return code;
}

Test(bitlocker, what_the_volume_says_is_read)
{
    struct bitlocker found;

    make();
    cr_assert_eq(parse(&found), 0);
    cr_expect(!found.damaged);
    cr_expect_eq(found.method, BITLOCKER_XTS_128);
    cr_expect_eq(found.moved, 0x30000);
    cr_expect_eq(found.moved_size, 8192);
    cr_expect_eq(found.encrypted, UINT64_MAX);
    bitlocker_free(&found);
}

Test(bitlocker, regions_are_in_order_and_whole_sectors)
{
    struct bitlocker found;

    make();
    cr_assert_eq(parse(&found), 0);
    cr_expect_eq(bitlocker_region_add(&found, 512, 1), 0);
    for (size_t i = 1; i < found.region_count; i++)
        cr_expect_leq(found.regions[i - 1].offset, found.regions[i].offset);
    for (size_t i = 0; i < found.region_count; i++)
        cr_expect_eq(found.regions[i].size % 512, 0);
    while (found.region_count < BITLOCKER_REGIONS_MAX)
        cr_assert_eq(bitlocker_region_add(&found, found.region_count, 1), 0);
    cr_expect_eq(bitlocker_region_add(&found, 0, 1), -E2BIG);
    bitlocker_free(&found);
}

Test(bitlocker, sectors_and_clusters_of_no_size_are_refused)
{
    struct bitlocker found;

    make();
    put(11, 2, 0);
    cr_expect_eq(parse(&found), -EINVAL);
    bitlocker_free(&found);
    make();
    put(11, 2, 768);
    cr_expect_eq(parse(&found), -EINVAL);
    bitlocker_free(&found);
    make();
    put(13, 1, 0);
    cr_expect_eq(parse(&found), -EINVAL);
    bitlocker_free(&found);
}

/* Every byte of the metadata, with each of some values, and the checksum mended: nothing is read outside of them. */
Test(bitlocker, whatever_the_metadata_say_they_are_read_within_themselves)
{
    static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};

    for (size_t at = 8; at < 112; at++) {
        for (size_t i = 0; i < sizeof values; i++) {
            struct bitlocker found;

            make();
            volume[COPY + at] = values[i];
            put(COPY + 112 + 4, 4, crc32_gzip_refl(0, volume + COPY, 112));
            (void)parse(&found);
            cr_expect_leq(found.entries_size, 1 << 20);
            bitlocker_free(&found);
        }
    }
}

Test(bitlocker, a_list_of_entries_ends_where_one_does_not_fit)
{
    static const uint8_t list[] = {9, 0, 1, 0, 2, 0, 1, 0, 77, 8, 0, 3, 0, 4, 0, 1, 0, 20, 0, 0, 0, 0, 0, 0, 0};
    struct bitlocker_entry entry;
    struct bytes bytes;

    bytes_init(&bytes, list, sizeof list);
    cr_assert(bitlocker_next(&bytes, &entry));
    cr_expect_eq(entry.role, 1);
    cr_expect_eq(entry.type, 2);
    cr_expect_eq(entry.size, 1);
    cr_expect_eq(entry.data[0], 77);
    cr_assert(bitlocker_next(&bytes, &entry));
    cr_expect_eq(entry.size, 0);
    cr_expect(!bitlocker_next(&bytes, &entry));
}

/* A map of four chunks of 64 KiB, of which the second and the third are encrypted. */
Test(bitlocker, chunks_are_found_with_those_that_follow_alike)
{
    uint8_t bits = 0x06;
    struct bitlocker_map map = {.offset = 0x10000, .size = 0x40000, .bits = &bits, .count = 4};
    struct bitlocker found = {.chunk_size = 0x10000, .maps = &map, .map_count = 1};
    uint64_t size;

    cr_expect(!bitlocker_eow_find(&found, 0x10200, &size));
    cr_expect_eq(size, 0xfe00);
    cr_expect(bitlocker_eow_find(&found, 0x20000, &size));
    cr_expect_eq(size, 0x20000);
    cr_expect(!bitlocker_eow_find(&found, 0x40000, &size));
    cr_expect(bitlocker_eow_find(&found, 0, &size), "outside of all maps nothing is taken for plain");
}
