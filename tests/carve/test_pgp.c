/* Armoured OpenPGP ends with its END line, and its CRC-24 and packets say whether it is whole. The armour
 * here was made by Python from RFC 4880's description, with a signature packet of no meaning. */
#include "tests/carve/harness.h"

#include "engine/base/buf.h"

#include <criterion/criterion.h>
#include <string.h>

static struct buf text;

static void base64(const uint8_t *data, size_t size)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < size; i += 3) {
        uint32_t n = (uint32_t)data[i] << 16 | (i + 1 < size ? (uint32_t)data[i + 1] << 8 : 0) |
                     (i + 2 < size ? data[i + 2] : 0);

        buf_u8(&text, (uint8_t)alphabet[n >> 18]);
        buf_u8(&text, (uint8_t)alphabet[n >> 12 & 63]);
        buf_u8(&text, (uint8_t)(i + 1 < size ? alphabet[n >> 6 & 63] : '='));
        buf_u8(&text, (uint8_t)(i + 2 < size ? alphabet[n & 63] : '='));
        if (i % 48 == 45 && i + 3 < size)
            buf_u8(&text, '\n');
    }
    buf_u8(&text, '\n');
}

static uint32_t crc24(const uint8_t *data, size_t size)
{
    uint32_t crc = 0xb704ce;

    for (size_t i = 0; i < size * 8; i++) {
        uint32_t bit = (crc >> 23 ^ data[i / 8] >> (7 - i % 8)) & 1;

        crc = (crc << 1 ^ (bit != 0 ? 0x864cfb : 0)) & 0xffffff;
    }
    return crc;
}

/* A block with one packet of 200 bytes, and for a key one of a user ID. */
static void block(const char *label, uint8_t tag, bool checksum)
{
    uint8_t data[220] = {(uint8_t)(0xc0 | tag), 199 - 192 + 192, 8};
    size_t size = 2 + 199;
    uint32_t crc;

    data[1] = 192;
    data[2] = 8; /* 200 bytes */
    size = 3 + 200;
    for (size_t i = 3; i < size; i++)
        data[i] = (uint8_t)(i * 11);
    if (tag == 6) {
        data[size++] = 0xc0 | 13;
        data[size++] = 6;
        memcpy(data + size, "Nino K", 6);
        size += 6;
    }
    crc = crc24(data, size);
    buf_printf(&text, "-----BEGIN %s-----\nVersion: test\n\n", label);
    base64(data, size);
    if (checksum) {
        buf_u8(&text, '=');
        base64((uint8_t[]){(uint8_t)(crc >> 16), (uint8_t)(crc >> 8), (uint8_t)crc}, 3);
    }
    buf_printf(&text, "-----END %s-----\n", label);
}

Test(pgp, a_key_is_validated_and_named)
{
    block("PGP PUBLIC KEY BLOCK", 6, true);
    cr_assert(harness_holds("pgp", text.data, text.size, CARVE_VALIDATED, text.size - 1));
    cr_assert_str_eq(harness_examine("pgp", text.data, text.size).title, "Nino K");
}

Test(pgp, a_wrong_letter_is_not_validated)
{
    block("PGP MESSAGE", 1, true);
    cr_assert_eq(harness_examine("pgp", text.data, text.size).grade, CARVE_VALIDATED);
    text.data[100] = text.data[100] == 'A' ? 'B' : 'A';
    cr_assert_eq(harness_examine("pgp", text.data, text.size).grade, CARVE_COMPLETE);
}

Test(pgp, without_a_checksum_its_packets_decide)
{
    block("PGP SIGNATURE", 2, false);
    cr_assert(harness_holds("pgp", text.data, text.size, CARVE_VALIDATED, text.size - 1));
}

Test(pgp, a_label_that_its_first_packet_contradicts_is_none)
{
    block("PGP PRIVATE KEY BLOCK", 6, true);
    cr_assert_eq(harness_examine("pgp", text.data, text.size).grade, CARVE_NONE);
}

Test(pgp, blocks_directly_behind_each_other_are_one_file)
{
    size_t first;

    block("PGP PUBLIC KEY BLOCK", 6, true);
    first = text.size;
    block("PGP PUBLIC KEY BLOCK", 6, true);
    cr_assert(harness_holds("pgp", text.data, text.size, CARVE_VALIDATED, first - 1));
}

Test(pgp, a_line_that_is_no_base64_is_where_it_breaks)
{
    struct carved carved;

    block("PGP MESSAGE", 1, true);
    memset(text.data + 130, 0xA5, 5);
    carved = harness_examine("pgp", text.data, text.size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_leq(carved.good, 130);
    cr_assert_geq(carved.good, 60);
}

Test(pgp, a_signed_text_goes_from_its_text_to_its_signature)
{
    buf_text(&text, "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nA text.\n- -- \nNino\n");
    block("PGP SIGNATURE", 2, true);
    cr_assert(harness_holds("pgpsigned", text.data, text.size, CARVE_VALIDATED, text.size - 1));
    text.data[52] = 0;
    cr_assert_eq(harness_examine("pgpsigned", text.data, text.size).grade, CARVE_PARTIAL);
}
