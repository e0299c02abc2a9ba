/* KeePass: KDBX 4 is followed to its empty block, older files to where their encrypted bytes stop. */
#include "tests/carve/harness.h"

#include "engine/base/buf.h"
#include "engine/base/hash.h"

#include <criterion/criterion.h>
#include <string.h>

static struct buf file;
static uint32_t state = 1;

static void noise(size_t size)
{
    for (size_t i = 0; i < size; i++) {
        state = state * 1664525 + 1013904223;
        buf_u8(&file, (uint8_t)(state >> 24));
    }
}

static void field(uint8_t id, uint32_t size, bool wide)
{
    buf_u8(&file, id);
    buf_u16le(&file, (uint16_t)size);
    if (wide)
        buf_u16le(&file, 0);
    noise(size);
}

static void header(uint8_t version)
{
    buf_append(&file, "\x03\xd9\xa2\x9a\x67\xfb\x4b\xb5\x00\x00", 10);
    buf_u16le(&file, version);
    field(2, 16, version == 4);
    field(4, 32, version == 4);
    field(7, 16, version == 4);
    field(0, 4, version == 4);
}

static void block(uint32_t size)
{
    noise(32);
    buf_u32le(&file, size);
    noise(size);
}

static void kdbx4(void)
{
    struct hash_sha256 *hash = hash_sha256_new();
    uint8_t digest[SHA256_SIZE];

    header(4);
    hash_sha256_update(hash, file.data, file.size);
    hash_sha256_final(hash, digest);
    hash_sha256_free(hash);
    buf_append(&file, digest, sizeof digest);
    noise(32);
    block(1000);
    block(0);
}

Test(keepass, kdbx_4_ends_with_its_empty_block)
{
    kdbx4();
    cr_assert(harness_holds("kdbx", file.data, file.size, CARVE_VALIDATED, file.size));
}

Test(keepass, a_wrong_header_hash_is_not_validated)
{
    kdbx4();
    file.data[30] ^= 1;
    cr_assert_eq(harness_examine("kdbx", file.data, file.size).grade, CARVE_PARTIAL);
}

Test(keepass, kdbx_3_is_partial_to_where_the_slack_begins)
{
    struct carved carved;
    size_t begin, end;

    header(3);
    begin = file.size;
    noise(1600);
    end = file.size;
    for (int i = 0; i < 3000; i++)
        buf_u8(&file, 0);
    carved = harness_examine("kdbx", file.data, file.size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.size, end);
    cr_assert_eq(carved.good, begin);
}

Test(keepass, version_1_is_partial_to_where_text_begins)
{
    buf_append(&file, "\x03\xd9\xa2\x9a\x65\xfb\x4b\xb5\x03\0\0\0\x03\0\x03\0", 16);
    noise(32);
    buf_append(&file, "\1\0\0\0\2\0\0\0", 8);
    noise(124 - 56);
    noise(1024);
    for (int i = 0; i < 1024; i++)
        buf_u8(&file, (uint8_t)('a' + i % 23));
    cr_assert_eq(harness_examine("kdb", file.data, file.size).grade, CARVE_PARTIAL);
    cr_assert_eq(harness_examine("kdb", file.data, file.size).size, 124 + 1024);
}

/* No HMAC is zeros: they are what overwrote it, and not the empty block. */
Test(keepass, zeros_are_not_the_empty_block)
{
    struct carved carved;

    kdbx4();
    memset(file.data + file.size - 36, 0, 36);
    carved = harness_examine("kdbx", file.data, file.size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.good, file.size - 36);
}
