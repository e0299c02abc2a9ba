/* test_crypt: sectors are decrypted as dm-crypt encrypts them. */
#include "engine/evidence/layer/crypt.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static const uint8_t key[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
static const char plain[] = "a sector of data, thirty-two by.";

/* Made with openssl: the number of the sector, 1, encrypted with Camellia under SHA-256 of the key, is the first vector. */
Test(crypt, the_vectors_of_essiv_are_made_with_the_cipher_of_the_data)
{
    uint8_t data[32] = {0x17, 0x72, 0xf4, 0xd4, 0x4f, 0xcc, 0x5c, 0xe6, 0x78, 0x9c, 0x42, 0x5c, 0x98, 0xf0, 0x78, 0x51,
                        0x22, 0xf4, 0x7f, 0xcc, 0x87, 0x15, 0xa7, 0xbb, 0xd0, 0xda, 0xc4, 0xa3, 0xa8, 0x8f, 0x4b, 0x78};
    struct crypt_sectors *sectors = NULL;

    cr_assert_eq(crypt_sectors_new("camellia", "cbc-essiv:sha256", key, sizeof key, &sectors), 0);
    cr_expect_eq(crypt_sectors_decrypt(sectors, 1, data, sizeof data), 0);
    cr_expect_eq(memcmp(data, plain, sizeof data), 0);
    crypt_sectors_free(sectors);
}

Test(crypt, a_key_of_another_size_and_another_cipher_are_refused)
{
    struct crypt_sectors *sectors = NULL;

    cr_expect_lt(crypt_sectors_new("aes", "cbc-plain64", key, 15, &sectors), 0);
    cr_expect_lt(crypt_sectors_new("serpent", "cbc-plain64", key, sizeof key, &sectors), 0);
    cr_expect_lt(crypt_sectors_new("aes", "cbc-essiv:sha1", key, sizeof key, &sectors), 0);
}

/* RFC 3394, 4.6, and a bit of it turned over. */
Test(crypt, a_wrapped_key_comes_out_of_its_wrapping_or_not_at_all)
{
    uint8_t wrapping[32], out[32],
        data[40] = {0x28, 0xc9, 0xf4, 0x04, 0xc4, 0xb8, 0x10, 0xf4, 0xcb, 0xcc, 0xb3, 0x5c, 0xfb, 0x87,
                    0xf8, 0x26, 0x3f, 0x57, 0x86, 0xe2, 0xd8, 0x0e, 0xd3, 0x26, 0xcb, 0xc7, 0xf0, 0xe7,
                    0x1a, 0x99, 0xf4, 0x3b, 0xfb, 0x98, 0x8b, 0x9b, 0x7a, 0x02, 0xdd, 0x21};

    for (size_t i = 0; i < sizeof wrapping; i++)
        wrapping[i] = (uint8_t)i;
    cr_assert_eq(crypt_unwrap(wrapping, sizeof wrapping, data, sizeof data, out), 0);
    for (size_t i = 0; i < 16; i++) {
        cr_expect_eq(out[i], 0x11 * i);
        cr_expect_eq(out[16 + i], i);
    }
    data[20] ^= 1;
    cr_expect_eq(crypt_unwrap(wrapping, sizeof wrapping, data, sizeof data, out), -ENOKEY);
    cr_expect_eq(crypt_unwrap(wrapping, sizeof wrapping, data, 16, out), -ENOKEY);
}

/* Made with pycryptodome: AES-256-CCM, the key 0, 1 .. 31, the nonce 0, 1 .. 11. */
Test(crypt, a_box_opens_with_its_key_alone)
{
    static const uint8_t nonce[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    uint8_t mac[16] = {0xe4, 0xd8, 0xd1, 0x84, 0x74, 0x91, 0x0f, 0x87, 0x11, 0x63, 0xc2, 0xff, 0xcb, 0x1f, 0x58, 0x19};
    const uint8_t box[32] = {0xeb, 0xf5, 0xd3, 0x73, 0x47, 0x0f, 0xa0, 0xf9, 0x8c, 0xa8, 0x91, 0x41, 0x62, 0x48, 0x70, 0x64,
                             0x49, 0x1c, 0x7f, 0x07, 0x4d, 0x0c, 0x75, 0xcd, 0x12, 0xca, 0xa3, 0x37, 0xec, 0x6c, 0x47, 0x00};
    uint8_t secret[32], plain_box[32];

    for (size_t i = 0; i < sizeof secret; i++)
        secret[i] = (uint8_t)i;
    cr_assert_eq(crypt_ccm_open(secret, nonce, mac, box, sizeof box, plain_box), 0);
    cr_expect_eq(memcmp(plain_box, "a key in a box, thirty-two bytes", 32), 0);
    mac[15] ^= 1;
    cr_expect_lt(crypt_ccm_open(secret, nonce, mac, box, sizeof box, plain_box), 0);
    mac[15] ^= 1;
    secret[0] ^= 1;
    cr_expect_lt(crypt_ccm_open(secret, nonce, mac, box, sizeof box, plain_box), 0);
}

Test(crypt, a_unit_of_xts_may_be_of_any_size)
{
    uint8_t two[32], data[37] = {0};
    struct crypt_sectors *sectors = NULL;

    for (size_t i = 0; i < sizeof two; i++)
        two[i] = (uint8_t)i;
    cr_assert_eq(crypt_sectors_new("aes", "xts-plain64", two, sizeof two, &sectors), 0);
    cr_expect_eq(crypt_sectors_decrypt(sectors, 0, data, sizeof data), 0);
    cr_expect_eq(crypt_sectors_decrypt(sectors, 0, data, 15), -EIO);
    crypt_sectors_free(sectors);
    cr_assert_eq(crypt_sectors_new("aes", "cbc-plain64", key, sizeof key, &sectors), 0);
    cr_expect_eq(crypt_sectors_decrypt(sectors, 0, data, sizeof data), -EIO);
    crypt_sectors_free(sectors);
}
