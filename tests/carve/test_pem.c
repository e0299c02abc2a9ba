/* PEM blocks end with their END line, and what they decode to must fill itself. */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* SEQUENCE { INTEGER 5, SEQUENCE { 40 bytes of OCTET STRING } } */
#define KEY                                                                                                  \
    "-----BEGIN PRIVATE KEY-----\nMC8CAQUwKgQoAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUm\nJw==\n"  \
    "-----END PRIVATE KEY-----\n"

Test(pem, a_key_is_validated)
{
    cr_assert(harness_holds("pem", KEY, sizeof KEY - 1, CARVE_VALIDATED, sizeof KEY - 2));
}

Test(pem, a_length_that_does_not_fit_is_not_validated)
{
    char key[] = KEY;

    key[29] = 'D'; /* 0x2f becomes 0x3f: longer than what there is */
    cr_assert_eq(harness_examine("pem", key, sizeof key - 1).grade, CARVE_COMPLETE);
}

Test(pem, blocks_directly_behind_each_other_are_one_file)
{
    static const char two[] = KEY "\r\n" KEY;

    cr_assert(harness_holds("pem", two, sizeof two - 1, CARVE_VALIDATED, sizeof KEY - 2));
}

Test(pem, an_encrypted_key_of_the_old_form_has_whole_blocks)
{
    static const char key[] = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
                              "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
                              "oKGio6Slpqeoqaqrra6vsA==\n-----END RSA PRIVATE KEY-----\n";
    static const char odd[] = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"
                              "DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n"
                              "oKGio6Slpqeoqaqrra6v\n-----END RSA PRIVATE KEY-----\n";

    cr_assert(harness_holds("pem", key, sizeof key - 1, CARVE_VALIDATED, sizeof key - 2));
    cr_assert_eq(harness_examine("pem", odd, sizeof odd - 1).grade, CARVE_COMPLETE);
}

Test(pem, another_label_at_its_end_cuts_it)
{
    char key[] = KEY;
    struct carved carved;

    memcpy(strstr(key, "END PRIVATE"), "END PRIVATF", 11);
    carved = harness_examine("pem", key, sizeof key - 1);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.good, (uint64_t)(strstr(key, "-----END") - key));
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* An OpenSSH key without a cipher: what has no padding of base64 is a multiple of three. */
static size_t openssh(char *text, size_t text_size, bool equal)
{
    static const uint8_t head[] = "openssh-key-v1\0\0\0\0\4none\0\0\0\4none\0\0\0\0\0\0\0\1\0\0\0\5pubke";
    uint8_t data[128];
    size_t size = sizeof head - 1, n;

    memcpy(data, head, size);
    memcpy(data + size,
           "\0\0\0\x1d"
           "abcdabcd\0\0\0\7ssh-abc\0\0\0\4nino\1\2",
           33);
    data[size + 11] = equal ? 'd' : 'e';
    size += 33;
    n = (size_t)snprintf(text, text_size, "-----BEGIN OPENSSH PRIVATE KEY-----\n");
    cr_assert_eq(size % 3, 0, "%zu", size);
    for (size_t i = 0; i < size; i += 3) {
        uint32_t v = (uint32_t)data[i] << 16 | (uint32_t)data[i + 1] << 8 | data[i + 2];

        text[n++] = alphabet[v >> 18];
        text[n++] = alphabet[v >> 12 & 63];
        text[n++] = alphabet[v >> 6 & 63];
        text[n++] = alphabet[v & 63];
        if (i % 48 == 45)
            text[n++] = '\n';
    }
    return n + (size_t)snprintf(text + n, text_size - n, "\n-----END OPENSSH PRIVATE KEY-----\n");
}

Test(pem, an_openssh_key_has_its_comment_as_a_title)
{
    char text[512];
    size_t size = openssh(text, sizeof text, true);

    cr_assert(harness_holds("pem", text, size, CARVE_VALIDATED, size - 1));
    cr_assert_str_eq(harness_examine("pem", text, size).title, "nino");
    size = openssh(text, sizeof text, false);
    cr_assert_eq(harness_examine("pem", text, size).grade, CARVE_COMPLETE);
}
