/* LUKS: the header with its key slots, whose places must agree. */
#include "tests/carve/harness.h"

#include "engine/base/buf.h"
#include "engine/base/hash.h"

#include <criterion/criterion.h>
#include <string.h>

static struct buf volume;

static void pad(size_t to)
{
    while (volume.size < to)
        buf_u8(&volume, 0);
}

static void number(uint64_t n, size_t size)
{
    for (size_t i = size; i > 0; i--)
        buf_u8(&volume, (uint8_t)(n >> 8 * (i - 1)));
}

/* Eight slots of 64 stripes of a key of 32 bytes, four sectors each, and the data at sector 48. */
static void luks1(uint32_t last_slot)
{
    buf_append(&volume, "LUKS\xba\xbe\0\1aes", 11);
    pad(40);
    buf_text(&volume, "xts-plain64");
    pad(72);
    buf_text(&volume, "sha256");
    pad(104);
    number(48, 4);
    number(32, 4);
    pad(164);
    number(1000, 4);
    buf_text(&volume, "5317c60b-3d22-4fd0-9344-171320782606");
    pad(208);
    for (uint32_t i = 0; i < 8; i++) {
        number(i == 0 ? 0xac71f3 : 0xdead, 4);
        number(1000, 4);
        pad(volume.size + 32);
        number(i == 7 ? last_slot : 8 + 4 * i, 4);
        number(64, 4);
    }
    pad((size_t)48 * 512);
}

Test(luks, version_1_is_complete_with_its_slots)
{
    luks1(36);
    cr_assert(harness_holds("luks", volume.data, volume.size, CARVE_COMPLETE, volume.size));
    cr_assert_str_eq(harness_examine("luks", volume.data, volume.size).title,
                     "5317c60b-3d22-4fd0-9344-171320782606");
}

Test(luks, a_slot_in_the_data_is_no_luks)
{
    luks1(45);
    cr_assert_eq(harness_examine("luks", volume.data, volume.size).grade, CARVE_NONE);
}

static void checksum(size_t at, size_t size)
{
    struct hash_sha256 *hash = hash_sha256_new();

    hash_sha256_update(hash, volume.data + at, size);
    hash_sha256_final(hash, volume.data + at + 0x1c0);
    hash_sha256_free(hash);
}

/* Two headers of 16 KiB, key slots of 8 KiB. */
static void luks2(void)
{
    for (int i = 0; i < 2; i++) {
        size_t start = volume.size;

        buf_append(&volume, i == 0 ? "LUKS\xba\xbe\0\2" : "SKUL\xba\xbe\0\2", 8);
        number(16384, 8);
        number(3, 8);
        buf_text(&volume, "secret");
        pad(start + 0x48);
        buf_text(&volume, "sha256");
        pad(start + 0xa8);
        buf_text(&volume, "12a3a118-7039-4575-a649-3f559d8d87ee");
        pad(start + 0x100);
        number(start, 8);
        pad(start + 4096);
        buf_text(&volume,
                 "{\"keyslots\":{},\"config\":{\"json_size\":\"12288\",\"keyslots_size\":\"8192\"}}");
        pad(start + 16384);
        checksum(start, 16384);
    }
    pad(volume.size + 8192);
}

Test(luks, version_2_is_complete_when_both_checksums_are_right)
{
    luks2();
    cr_assert(harness_holds("luks", volume.data, volume.size, CARVE_COMPLETE, volume.size));
    cr_assert_str_eq(harness_examine("luks", volume.data, volume.size).title, "secret");
}

Test(luks, version_2_with_a_wrong_checksum_is_partial)
{
    luks2();
    volume.data[16384 + 4100] ^= 1;
    cr_assert_eq(harness_examine("luks", volume.data, volume.size).grade, CARVE_PARTIAL);
    cr_assert_eq(harness_examine("luks", volume.data, volume.size).size, volume.size);
}
