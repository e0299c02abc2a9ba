/* DEX files are as long as their header says, when both of its checksums are right. */
#include "tests/carve/harness.h"

#include "engine/base/buf.h"
#include "engine/base/hash.h"

#include <criterion/criterion.h>
#include <string.h>
#include <zlib.h>

static struct buf image;

static void make(void)
{
    struct hash_all *hash = hash_all_new();
    struct hash_set set;

    buf_clear(&image);
    buf_append(&image, "dex\n035\0", 8);
    while (image.size < 600)
        buf_u8(&image, 0);
    buf_patch_u32le(&image, 32, 600);
    buf_patch_u32le(&image, 36, 0x70);
    buf_patch_u32le(&image, 40, 0x12345678);
    buf_patch_u32le(&image, 52, 300);
    buf_patch_u32le(&image, 56, 5);
    buf_patch_u32le(&image, 60, 0x70);
    for (size_t i = 0x70; i < 600; i++)
        image.data[i] = (uint8_t)(i * 7);
    hash_all_update(hash, image.data + 32, 568);
    hash_all_final(hash, &set);
    hash_all_free(hash);
    memcpy(image.data + 12, set.sha1, SHA1_SIZE);
    buf_patch_u32le(&image, 8, (uint32_t)adler32(adler32(0, NULL, 0), image.data + 12, 588));
}

Test(dex, with_right_checksums_is_validated)
{
    make();
    cr_assert(harness_holds("dex", image.data, image.size, CARVE_VALIDATED, image.size));
}

Test(dex, with_a_wrong_checksum_is_partial)
{
    struct carved carved;

    make();
    image.data[500] ^= 1;
    carved = harness_examine("dex", image.data, image.size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.size, 600);
    cr_assert_eq(carved.good, 0x70);
}
