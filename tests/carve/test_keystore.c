/* Key stores: PKCS #12 by its lengths, JKS by its entries. */
#include "tests/carve/harness.h"

#include "engine/base/buf.h"

#include <criterion/criterion.h>
#include <string.h>

static struct buf store;

/* The beginning of a PFX whose data is 200 bytes of OCTET STRING. */
static void pkcs12(void)
{
    buf_append(&store,
               "\x30\x81\xe4\x02\x01\x03\x30\x81\xde\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x81\xd0",
               23);
    buf_append(&store, "\x04\x81\xcd", 3);
    for (int i = 0; i < 205; i++)
        buf_u8(&store, (uint8_t)(i * 7));
}

Test(keystore, pkcs12_ends_with_its_length)
{
    pkcs12();
    cr_assert(harness_holds("pkcs12", store.data, store.size, CARVE_VALIDATED, store.size));
}

Test(keystore, pkcs12_with_a_length_that_does_not_fit_is_partial)
{
    pkcs12();
    store.data[25] = 0xce;
    cr_assert_eq(harness_examine("pkcs12", store.data, store.size).grade, CARVE_PARTIAL);
}

Test(keystore, pkcs12_of_indefinite_length_ends_with_its_marks)
{
    buf_append(
        &store,
        "\x30\x80\x02\x01\x03\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01\xa0\x80\x24\x80\x04\x0e",
        24);
    buf_append(&store, "abcdefghijklmn\0\0\0\0\0\0\0\0", 22);
    cr_assert(harness_holds("pkcs12", store.data, store.size, CARVE_VALIDATED, store.size));
}

static void certificate(void)
{
    buf_append(&store, "\0\5X.509\0\0\0\x20\x30\x1e", 13);
    for (int i = 0; i < 30; i++)
        buf_u8(&store, (uint8_t)(i * 7));
}

/* A key with its certificate, and a certificate of somebody else; then 20 bytes of digest. */
static void jks(void)
{
    buf_append(&store, "\xfe\xed\xfe\xed\0\0\0\2\0\0\0\2\0\0\0\1\0\4nino\0\0\1\2\3\4\5\6", 30);
    buf_append(&store,
               "\0\0\0\x10\x30\x0e"
               "abcdefghijklmn\0\0\0\1",
               24);
    certificate();
    buf_append(&store, "\0\0\0\2\0\2ca\0\0\1\2\3\4\5\6", 16);
    certificate();
    buf_append(&store, "01234567890123456789", 20);
}

Test(keystore, jks_ends_with_its_digest)
{
    jks();
    cr_assert(harness_holds("jks", store.data, store.size, CARVE_VALIDATED, store.size));
    cr_assert_str_eq(harness_examine("jks", store.data, store.size).title, "nino");
}

Test(keystore, jks_breaks_before_a_certificate_that_is_none)
{
    jks();
    store.data[store.size - 52] = 0x31;
    store.data[store.size - 51] = 0x05;
    cr_assert_eq(harness_examine("jks", store.data, store.size).grade, CARVE_PARTIAL);
}
