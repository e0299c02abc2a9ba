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
