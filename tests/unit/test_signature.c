/*
 * test_signature: volumes are named by what stands in them, wherever their size puts it.
 */
#include "engine/evidence/signature.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* A volume of zeros with a few bytes in it. */
struct volume {
    uint64_t size;
    struct {
        uint64_t at;
        const char *bytes;
        size_t size;
    } marks[4];
    uint64_t reads;
};

static void read_volume(void *context, uint64_t offset, void *data, size_t size)
{
    struct volume *volume = context;
    uint8_t *to = data;

    cr_assert_leq(size, volume->size);
    cr_assert_leq(offset, volume->size - size, "read past the end");
    volume->reads++;
    memset(data, 0, size);
    for (size_t m = 0; m < 4; m++) {
        for (size_t i = 0; i < volume->marks[m].size; i++) {
            uint64_t at = volume->marks[m].at + i;
            if (at >= offset && at < offset + size)
                to[at - offset] = (uint8_t)volume->marks[m].bytes[i];
        }
    }
}

static const struct signature *found(struct volume *volume)
{
    return signature_find(volume->size, read_volume, volume);
}

#define MARK(offset, text)                                                                                   \
    {                                                                                                        \
        (offset), (text), sizeof(text) - 1                                                                   \
    }

static void assert_is(struct volume volume, const char *content, enum signature_class class)
{
    const struct signature *signature = found(&volume);

    cr_assert_str_eq(signature->content, content);
    cr_assert_eq(signature->class, class, "%s", content);
}

enum { MIB = 1 << 20 };

Test(signature, encryption_is_told)
{
    assert_is((struct volume){MIB, {MARK(3, "-FVE-FS-")}}, "encrypted: BitLocker", SIGNATURE_ENCRYPTED);
    assert_is((struct volume){MIB, {MARK(0, "LUKS\xba\xbe\0\1")}}, "encrypted: LUKS1", SIGNATURE_ENCRYPTED);
    assert_is((struct volume){MIB, {MARK(0, "LUKS\xba\xbe\0\2")}}, "encrypted: LUKS2", SIGNATURE_ENCRYPTED);
    assert_is((struct volume){MIB, {MARK(0x8000, "SKUL\xba\xbe\0\2")}}, "encrypted: LUKS2 (second header)",
              SIGNATURE_ENCRYPTED);
    assert_is((struct volume){MIB, {MARK(88, "CS"), MARK(8, "\1\0\x10\0")}},
              "encrypted: FileVault (CoreStorage)", SIGNATURE_ENCRYPTED);
}

Test(signature, a_stick_that_shows_a_small_fat32_is_known_for_bitlocker)
{
    struct volume togo = {MIB,
                          {MARK(3, "MSWIN4.1"), MARK(82, "FAT32   "), MARK(510, "\x55\xaa"),
                           MARK(424, "\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01")}};
    struct volume fat = {MIB, {MARK(3, "MSWIN4.1"), MARK(82, "FAT32   "), MARK(510, "\x55\xaa")}};

    cr_assert_str_eq(signature_find_encrypted(togo.size, read_volume, &togo)->content,
                     "encrypted: BitLocker To Go");
    cr_assert_null(signature_find_encrypted(fat.size, read_volume, &fat));
}

Test(signature, file_systems_that_are_not_read_are_named)
{
    assert_is((struct volume){MIB, {MARK(0, "XFSB")}}, "unsupported: XFS", SIGNATURE_UNSUPPORTED);
    assert_is((struct volume){MIB, {MARK(0x10040, "_BHRfS_M")}}, "unsupported: Btrfs", SIGNATURE_UNSUPPORTED);
    assert_is((struct volume){MIB, {MARK(0x10034, "ReIsEr2Fs")}}, "unsupported: ReiserFS",
              SIGNATURE_UNSUPPORTED);
    assert_is((struct volume){MIB, {MARK(1024, "\x10\x20\xf5\xf2")}}, "unsupported: F2FS",
              SIGNATURE_UNSUPPORTED);
    assert_is((struct volume){MIB, {MARK(0x8001, "BEA01"), MARK(0x8801, "NSR02")}}, "unsupported: UDF",
              SIGNATURE_UNSUPPORTED);
    assert_is((struct volume){MIB, {MARK(0x20000 + 1024 * 77, "\x0c\xb1\xba\0\0\0\0\0")}}, "unsupported: ZFS",
              SIGNATURE_UNSUPPORTED);
    assert_is((struct volume){MIB, {MARK(1024, "BD")}}, "unsupported: HFS (classic)", SIGNATURE_UNSUPPORTED);
    assert_is((struct volume){MIB, {MARK(512, "LABELONE")}}, "unsupported: LVM2", SIGNATURE_UNSUPPORTED);
}

Test(signature, a_file_system_that_should_have_opened_is_readable)
{
    assert_is((struct volume){MIB, {MARK(3, "NTFS    "), MARK(510, "\x55\xaa")}}, "ntfs", SIGNATURE_READABLE);
    assert_is((struct volume){MIB, {MARK(1080, "\x53\xef")}}, "ext2", SIGNATURE_READABLE);
    assert_is((struct volume){MIB, {MARK(1024, "BD"), MARK(1148, "H+")}}, "hfs+", SIGNATURE_READABLE);
    assert_is((struct volume){MIB, {MARK(32, "NXSB")}}, "apfs", SIGNATURE_READABLE);
}

Test(signature, raid_is_found_from_the_end)
{
    const uint64_t odd = 10 * MIB + 5 * 512;

    assert_is((struct volume){MIB, {MARK(MIB - 1024, "Intel Raid ISM Cfg Sig. 1.3.00")}},
              "unsupported: Intel RAID", SIGNATURE_UNSUPPORTED);
    assert_is((struct volume){MIB, {MARK(4096, "\xfc\x4e\x2b\xa9\1\0\0\0")}}, "unsupported: Linux RAID",
              SIGNATURE_UNSUPPORTED);
    assert_is((struct volume){odd, {MARK((odd & ~(uint64_t)0xffff) - 0x10000, "\xfc\x4e\x2b\xa9")}},
              "unsupported: Linux RAID", SIGNATURE_UNSUPPORTED);
    assert_is((struct volume){odd, {MARK((odd / 512 - 16) / 8 * 8 * 512, "\xfc\x4e\x2b\xa9")}},
              "unsupported: Linux RAID", SIGNATURE_UNSUPPORTED);
}

Test(signature, swap_and_hibernation_are_data)
{
    assert_is((struct volume){MIB, {MARK(4086, "SWAPSPACE2")}}, "swap", SIGNATURE_DATA);
    assert_is((struct volume){MIB, {MARK(65526, "SWAPSPACE2")}}, "swap", SIGNATURE_DATA);
    assert_is((struct volume){MIB, {MARK(4086, "LINHIB0001")}}, "hibernation", SIGNATURE_DATA);
    assert_is((struct volume){MIB, {MARK(0, "\xed\xc3\x02\xe9\x98\x56\xe5\x0c")}}, "hibernation: TuxOnIce",
              SIGNATURE_DATA);
}

Test(signature, zeros_are_zeros_only_when_both_edges_are)
{
    assert_is((struct volume){.size = MIB}, "zeros", SIGNATURE_ZEROS);
    assert_is((struct volume){.size = 1}, "zeros", SIGNATURE_ZEROS);
    assert_is((struct volume){.size = 0}, "zeros", SIGNATURE_ZEROS);
    assert_is((struct volume){MIB, {MARK(MIB - 1, "x")}}, "unknown", SIGNATURE_UNKNOWN);
    assert_is((struct volume){MIB, {MARK(60000, "x")}}, "unknown", SIGNATURE_UNKNOWN);
}

Test(signature, volumes_too_small_for_a_signature_are_not_read_past_their_end)
{
    for (uint64_t size = 1; size < 2100; size++) {
        struct volume volume = {size, {MARK(0, "x")}};
        cr_assert_str_eq(found(&volume)->content, "unknown");
    }
}

Test(signature, a_terabyte_of_zeros_takes_few_reads)
{
    struct volume volume = {.size = (uint64_t)1 << 40};

    cr_assert_str_eq(found(&volume)->content, "zeros");
    cr_assert_lt(volume.reads, 2000);
}

/* Every byte of the volume by a generator that has no state to keep: SplitMix64 of the offset. */
static void read_noise(void *context, uint64_t offset, void *data, size_t size)
{
    uint8_t *to = data;

    for (size_t i = 0; i < size; i++) {
        uint64_t x = (offset + i + 1) * 0x9e3779b97f4a7c15U;
        x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
        x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
        to[i] = (uint8_t)(x >> 56) & *(const uint8_t *)context;
    }
}

Test(signature, evenly_spread_bytes_may_be_encrypted_and_others_are_not)
{
    uint8_t all = 0xff, letters = 0x7f;

    cr_assert_eq(signature_find(8 * MIB, read_noise, &all)->class, SIGNATURE_RANDOM);
    cr_assert_eq(signature_find(8 * MIB, read_noise, &letters)->class, SIGNATURE_UNKNOWN);
    cr_assert_eq(signature_find(1000, read_noise, &all)->class, SIGNATURE_UNKNOWN, "too little to tell");
}
