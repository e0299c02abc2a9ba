/* Mach-O files are followed through their load commands, and their signed pages hashed. */
#include "tests/carve/harness.h"

#include "engine/base/buf.h"
#include "engine/base/hash.h"

#include <criterion/criterion.h>
#include <string.h>

enum { SIGNATURE = 8192, CODE_DIRECTORY = SIGNATURE + 20, HASHES = 60, END = SIGNATURE + 512 };

static struct buf image;

static void be32(uint32_t n)
{
    buf_append(&image, (uint8_t[]){(uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}, 4);
}

static void pad(size_t to)
{
    while (image.size < to)
        buf_u8(&image, 0);
}

static void segment(const char *name, uint64_t offset, uint64_t size)
{
    size_t start = image.size;

    buf_u32le(&image, 0x19);
    buf_u32le(&image, 72);
    buf_text(&image, name);
    pad(start + 40);
    buf_u64le(&image, offset);
    buf_u64le(&image, size);
    pad(start + 72);
}

/* arm64, with a symbol and a signature of three pages of 4,096 bytes, the last of them short. */
static void make(bool is_signed)
{
    struct hash_sha256 *hash = hash_sha256_new();
    uint8_t digest[32];

    buf_clear(&image);
    buf_u32le(&image, 0xfeedfacf);
    buf_u32le(&image, 0x0100000c);
    buf_u32le(&image, 0);
    buf_u32le(&image, 2);
    buf_u32le(&image, 4);
    buf_u32le(&image, 72 * 2 + 24 + 16);
    pad(32);
    segment("__TEXT", 0, 4096);
    segment("__LINKEDIT", 4096, END - 4096);
    buf_u32le(&image, 2);
    buf_u32le(&image, 24);
    buf_u32le(&image, 4096);
    buf_u32le(&image, 1);
    buf_u32le(&image, 4096 + 16);
    buf_u32le(&image, 8);
    buf_u32le(&image, is_signed ? 0x1d : 0x26);
    buf_u32le(&image, 16);
    buf_u32le(&image, SIGNATURE);
    buf_u32le(&image, END - SIGNATURE);
    pad(4096);
    buf_u32le(&image, 1);
    pad(4096 + 16);
    buf_append(&image, "\0_main\0\0", 8);
    pad(SIGNATURE);
    for (uint32_t i = 0; i < 3; i++)
        be32((const uint32_t[]){0xfade0cc0, 20 + HASHES + 64, 1}[i]);
    be32(0);
    be32(20);
    for (uint32_t i = 0; i < 9; i++)
        be32((const uint32_t[]){0xfade0c02, HASHES + 64, 0x20100, 0, HASHES, 44, 0, 2, SIGNATURE}[i]);
    buf_append(&image, "\x20\x02\x00\x0c", 4);
    pad(CODE_DIRECTORY + 44);
    buf_append(&image, "ge.kvali.test", 14);
    pad(CODE_DIRECTORY + HASHES);
    for (size_t page = 0; page < SIGNATURE; page += 4096) {
        hash_sha256_update(hash, image.data + page, 4096);
        hash_sha256_final(hash, digest);
        buf_append(&image, digest, sizeof digest);
    }
    pad(END);
    hash_sha256_free(hash);
}

Test(macho, signed_pages_are_validated)
{
    make(true);
    cr_assert(harness_holds("macho", image.data, image.size, CARVE_VALIDATED, image.size));
    cr_assert_str_eq(harness_examine("macho", image.data, image.size).title, "ge.kvali.test");
}

Test(macho, a_page_that_is_not_as_signed_is_where_it_breaks)
{
    struct carved carved;

    make(true);
    image.data[6000] ^= 1;
    carved = harness_examine("macho", image.data, image.size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.good, 4096);
    cr_assert_eq(carved.size, END);
}

Test(macho, without_a_signature_its_symbols_must_agree)
{
    make(false);
    cr_assert(harness_holds("macho", image.data, image.size, CARVE_VALIDATED, image.size));
    image.data[4096] = 200;
    cr_assert_eq(harness_examine("macho", image.data, image.size).grade, CARVE_PARTIAL);
}

/* Two programs in one file, 16 KiB aligned. */
Test(macho, a_fat_file_ends_with_its_last_program)
{
    struct buf thin = {0};
    uint32_t half = 16384;

    make(true);
    buf_append(&thin, image.data, image.size);
    buf_clear(&image);
    be32(0xcafebabe);
    be32(2);
    for (uint32_t i = 1; i <= 2; i++) {
        be32(0x0100000c);
        be32(i);
        be32(half * i);
        be32(END);
        be32(14);
    }
    for (uint32_t i = 1; i <= 2; i++) {
        pad(half * i);
        buf_append(&image, thin.data, thin.size);
    }
    cr_assert(harness_holds("machofat", image.data, image.size, CARVE_VALIDATED, image.size));
    cr_assert_eq(harness_examine("javaclass", image.data, image.size).grade, CARVE_NONE);
    image.data[half + 5000] ^= 1;
    cr_assert_eq(harness_examine("machofat", image.data, image.size).good, half + 4096);
    buf_finish(&thin);
}

Test(macho, a_signature_that_covers_nothing_is_not_validated)
{
    make(true);
    memset(image.data + CODE_DIRECTORY + 28, 0, 8); /* slots, bytes covered */
    cr_assert_eq(harness_examine("macho", image.data, image.size).grade, CARVE_PARTIAL);
}

/* One byte of each hash is no proof. */
Test(macho, hashes_of_another_length_than_their_kind_has_are_none)
{
    make(true);
    image.data[CODE_DIRECTORY + HASHES + 1] = image.data[CODE_DIRECTORY + HASHES + 32];
    image.data[CODE_DIRECTORY + 36] = 1;
    cr_assert_eq(harness_examine("macho", image.data, image.size).grade, CARVE_PARTIAL);
    make(true);
    image.data[CODE_DIRECTORY + 37] = 1; /* a SHA-1 of 32 bytes */
    cr_assert_eq(harness_examine("macho", image.data, image.size).good, SIGNATURE);
}
