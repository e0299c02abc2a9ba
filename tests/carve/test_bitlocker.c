/* BitLocker: a metadata block is validated by its CRC-32, a volume header points to one. */
#include "tests/carve/harness.h"

#include "engine/base/buf.h"

#include <criterion/criterion.h>
#include <string.h>
#include <zlib.h>

static struct buf volume;

static void pad(size_t to)
{
    while (volume.size < to)
        buf_u8(&volume, 0);
}

/* 64 + 48 + a description of 24 bytes, filled to 144; the checksum, filled to 1,024. */
static void metadata(void)
{
    size_t start = volume.size;

    buf_append(&volume, "-FVE-FS-\x09\0\2\0\4\0\4\0", 16);
    buf_u64le(&volume, 1000000);
    buf_u64le(&volume, 0);
    buf_u64le(&volume, 8192);
    pad(start + 64);
    buf_u32le(&volume, 48 + 24);
    buf_u32le(&volume, 1);
    buf_u32le(&volume, 48);
    pad(start + 64 + 48);
    buf_append(&volume, "\x18\0\7\0\2\0\1\0N\0I\0N\0O\0 \0C\0:\0\0\0", 24);
    pad(start + 144);
    buf_u16le(&volume, 1024 - 144);
    buf_u16le(&volume, 2);
    buf_u32le(&volume, (uint32_t)crc32(0, volume.data + start, 144));
    for (int i = 0; i < 100; i++)
        buf_u8(&volume, (uint8_t)(i * 37));
    pad(start + 1024);
}

Test(bitlocker, metadata_is_validated_and_named)
{
    metadata();
    cr_assert(harness_holds("fvemetadata", volume.data, volume.size, CARVE_VALIDATED, volume.size));
    cr_assert_str_eq(harness_examine("fvemetadata", volume.data, volume.size).title, "NINO C:");
}

Test(bitlocker, metadata_with_a_wrong_checksum_is_partial)
{
    metadata();
    volume.data[140] ^= 1;
    cr_assert_eq(harness_examine("fvemetadata", volume.data, volume.size).grade, CARVE_PARTIAL);
}

Test(bitlocker, a_volume_header_is_complete_when_its_metadata_is_there)
{
    buf_append(&volume, "\xeb\x58\x90-FVE-FS-", 11);
    pad(160);
    buf_append(&volume, "\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01", 16);
    buf_u64le(&volume, 8192);
    pad(510);
    buf_append(&volume, "\x55\xaa", 2);
    pad(8192);
    metadata();
    cr_assert_eq(harness_examine("fvevolume", volume.data, volume.size).grade, CARVE_COMPLETE);
    cr_assert_eq(harness_examine("fvevolume", volume.data, volume.size).size, 512);
    volume.data[8192] = 'x';
    cr_assert_eq(harness_examine("fvevolume", volume.data, volume.size).grade, CARVE_PARTIAL);
}
