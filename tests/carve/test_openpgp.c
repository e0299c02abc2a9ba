/* OpenPGP keys without armour are followed packet by packet, and their signatures must name them. */
#include "tests/carve/harness.h"

#include "engine/base/buf.h"
#include "engine/base/hash.h"

#include <criterion/criterion.h>
#include <string.h>

static struct buf ring;

static void number(uint8_t first, size_t bytes)
{
    size_t bits = bytes * 8;

    buf_u8(&ring, (uint8_t)(bits >> 8));
    buf_u8(&ring, (uint8_t)bits);
    buf_u8(&ring, first);
    for (size_t i = 1; i < bytes; i++)
        buf_u8(&ring, (uint8_t)(i * 13 + first));
}

/* An RSA key of 1,024 bits and a user ID; its SHA-1. */
static void unsigned_key(uint8_t variant, uint8_t ret_sha1[SHA1_SIZE])
{
    size_t start = ring.size, body = start + 3;
    struct hash_all *hash = hash_all_new();
    struct hash_set set;

    buf_append(&ring, "\x99\x00\x8d\x04\x50\x00\x00\x00\x01", 9);
    number((uint8_t)(0x80 + variant), 128);
    buf_append(&ring, "\x00\x11\x01\x00\x01", 5);
    ring.data[start + 2] = (uint8_t)(ring.size - body);
    hash_all_update(hash, ring.data + start, ring.size - start);
    hash_all_final(hash, &set);
    hash_all_free(hash);
    memcpy(ret_sha1, set.sha1, SHA1_SIZE);
    buf_append(&ring, "\xb4\x06Nino K", 8);
}

/* With a signature of its own with the key's ID (or another one); where it ends. */
static size_t key(uint8_t variant, bool own)
{
    uint8_t sha1[SHA1_SIZE];
    size_t length;

    unsigned_key(variant, sha1);
    length = ring.size + 2;
    buf_append(&ring, "\x89\x00\x00\x04\x13\x01\x08\x00\x06\x05\x02\x50\x00\x00\x00\x00\x0a\x09\x10", 19);
    buf_append(&ring, own ? sha1 + 12 : (const uint8_t *)"stranger", 8);
    buf_append(&ring, "\xab\xcd", 2);
    number(0x90, 128);
    ring.data[length] = (uint8_t)(ring.size - length - 1);
    return ring.size;
}

Test(openpgp, a_key_that_signs_itself_is_validated)
{
    key(0, true);
    cr_assert(harness_holds("openpgp", ring.data, ring.size, CARVE_VALIDATED, ring.size));
    cr_assert_str_eq(harness_examine("openpgp", ring.data, ring.size).title, "Nino K");
}

Test(openpgp, a_key_that_only_others_sign_is_complete)
{
    key(0, false);
    cr_assert_eq(harness_examine("openpgp", ring.data, ring.size).grade, CARVE_COMPLETE);
}

Test(openpgp, keys_directly_behind_each_other_are_a_ring)
{
    size_t first = key(0, true);

    key(1, true);
    cr_assert(harness_holds("openpgp", ring.data, ring.size, CARVE_VALIDATED, first));
    cr_assert_eq(harness_examine("openpgp", ring.data, ring.size - 1).grade, CARVE_PARTIAL);
}

Test(openpgp, a_flipped_byte_in_the_key_is_not_validated)
{
    key(0, true);
    ring.data[50] ^= 1;
    cr_assert_eq(harness_examine("openpgp", ring.data, ring.size).grade, CARVE_COMPLETE);
}

Test(openpgp, a_signature_of_version_3_is_one_too)
{
    uint8_t sha1[SHA1_SIZE];

    unsigned_key(0, sha1);
    buf_append(&ring, "\x89\x00\x95\x03\x05\x13\x50\x00\x00\x00", 10);
    buf_append(&ring, sha1 + 12, 8);
    buf_append(&ring, "\x01\x02\xab\xcd", 4);
    number(0x90, 128);
    cr_assert(harness_holds("openpgp", ring.data, ring.size, CARVE_VALIDATED, ring.size));
}
