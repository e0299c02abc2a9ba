/* GnuPG's own files: keybox and private keys. */
#include "tests/carve/harness.h"

#include "engine/base/buf.h"
#include "engine/base/hash.h"

#include <criterion/criterion.h>
#include <string.h>

static struct buf box;

static void blob(uint8_t type, uint32_t size)
{
    size_t start = box.size;
    struct hash_all *hash = hash_all_new();
    struct hash_set set;

    for (uint32_t i = 0; i < size - 20; i++)
        buf_u8(&box, (uint8_t)(i * 3));
    memset(box.data + start, 0, 12);
    box.data[start + 2] = (uint8_t)(size >> 8);
    box.data[start + 3] = (uint8_t)size;
    box.data[start + 4] = type;
    box.data[start + 5] = 1;
    box.data[start + 11] = 40;
    hash_all_update(hash, box.data + start, size - 20);
    hash_all_final(hash, &set);
    hash_all_free(hash);
    buf_append(&box, set.sha1, SHA1_SIZE);
}

static void keybox(void)
{
    buf_append(&box, "\0\0\0\x20\1\1\0\2KBXf\0\0\0\0\x60\0\0\0\x60\0\0\0\0\0\0\0\0\0\0\0", 32);
    blob(2, 300);
    blob(2, 700);
}

Test(gnupg, a_keybox_ends_with_its_last_blob)
{
    keybox();
    cr_assert(harness_holds("keybox", box.data, box.size, CARVE_VALIDATED, 332));
}

Test(gnupg, a_keybox_breaks_before_a_blob_with_a_wrong_checksum)
{
    keybox();
    box.data[500] ^= 1;
    cr_assert_eq(harness_examine("keybox", box.data, box.size).grade, CARVE_PARTIAL);
    cr_assert_eq(harness_examine("keybox", box.data, box.size).good, 332);
}

Test(gnupg, an_expression_ends_with_its_last_parenthesis)
{
    static const char key[] = "(11:private-key(3:rsa(1:n3:)(()(1:e1:\x11)(1:d3:abc)))";

    cr_assert(harness_holds("agentkey", key, sizeof key - 1, CARVE_VALIDATED, sizeof key - 1));
}

Test(gnupg, a_newer_key_file_ends_with_its_last_field)
{
    static const char key[] =
        "Created: 20261125T181721\nKey: (private-key (dsa (p #00C0#)\n (q \"a)\")\n  (x #01#)))\n";

    cr_assert(harness_holds("agentkey", key, sizeof key - 1, CARVE_VALIDATED, sizeof key - 1));
}

Test(gnupg, an_empty_blob_that_is_cut_is_partial)
{
    keybox();
    blob(0, 200);
    cr_assert_eq(harness_examine("keybox", box.data, box.size).grade, CARVE_VALIDATED);
    cr_assert_eq(harness_examine("keybox", box.data, box.size - 10).grade, CARVE_PARTIAL);
    cr_assert_eq(harness_examine("keybox", box.data, box.size - 10).good, 1032);
}
