/* test_apfs_lock: key bags open with what they were made for, and whatever they say costs no more than is
 * done. Wrapped keys are from tests/images/make-apfs.py, whose wrapping gives RFC 3394's own example
 * (test_crypt.c has it). */
#include "engine/evidence/apfs_lock.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { SUPER, VOLUME, CONTAINER_BAG, VOLUME_BAG, BLOCKS };

struct container {
    uint8_t blocks[BLOCKS][APFS_BLOCK];
    size_t at[BLOCKS]; /* where a bag's next entry goes */
};

static int container_read(void *context, uint64_t offset, void *data, size_t size)
{
    const struct container *container = context;

    memcpy(data, &container->blocks[0][0] + offset, size);
    return 0;
}

static void put(uint8_t *to, uint64_t number, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (uint8_t)(number >> (8 * i));
}

static void seal(struct container *container, size_t block)
{
    const uint64_t mod = UINT32_MAX;
    uint8_t *data = container->blocks[block];
    uint64_t low = 0, high = 0, first;

    for (size_t i = 8; i < APFS_BLOCK; i += 4) {
        low = (low + (uint64_t)(data[i] | data[i + 1] << 8 | data[i + 2] << 16) +
               ((uint64_t)data[i + 3] << 24)) %
              mod;
        high = (high + low) % mod;
    }
    first = mod - (low + high) % mod;
    put(data, (mod - (low + first) % mod) << 32 | first, 8);
}

static void put_hex(uint8_t *to, const char *hex)
{
    for (; hex[0]; hex += 2) {
        unsigned byte;

        cr_assert_eq(sscanf(hex, "%2x", &byte), 1);
        *to++ = (uint8_t)byte;
    }
}

static uint8_t *add_entry(struct container *container, size_t block, const uint8_t id[16], uint16_t tag,
                          size_t size)
{
    uint8_t *data = container->blocks[block], *entry = data + container->at[block];

    memcpy(entry, id, 16);
    put(entry + 16, tag, 2);
    put(entry + 18, size, 2);
    put(data + 34, data[34] + 1U, 2);
    container->at[block] += (24 + size + 15) / 16 * 16;
    return entry + 24;
}

static const uint8_t volume_id[16] = {1, 2, 3}, user_id[16] = {9};

/* A wrapped key in DER; of a record with rounds and salt. */
static void add_key(struct container *container, size_t block, const uint8_t id[16], uint8_t flags,
                    const char *wrapped, uint32_t rounds)
{
    size_t size = strlen(wrapped) / 2, inner = 18 + 10 + 2 + size + (rounds > 0 ? 6 + 18 : 0);
    uint8_t *to = add_entry(container, block, id, block == VOLUME_BAG ? 3 : 2, 4 + inner);

    *to++ = 0x30;
    *to++ = (uint8_t)(inner + 2);
    *to++ = 0xa3;
    *to++ = (uint8_t)inner;
    put_hex(to, "8110101112131415161718191a1b1c1d1e1f8208");
    to[20] = flags;
    to += 28;
    *to++ = 0x83;
    *to++ = (uint8_t)size;
    put_hex(to, wrapped);
    to += size;
    if (rounds == 0)
        return;
    *to++ = 0x84;
    *to++ = 4;
    for (size_t i = 0; i < 4; i++)
        *to++ = (uint8_t)(rounds >> (24 - 8 * i));
    put_hex(to, "8510000102030405060708090a0b0c0d0e0f");
}

/* A superblock and empty bags. */
static struct container make(void)
{
    struct container container = {.at = {[CONTAINER_BAG] = 48, [VOLUME_BAG] = 48}};
    uint8_t *super = container.blocks[SUPER];

    put(super + 32, 0x4253584e, 4);
    put(super + 36, APFS_BLOCK, 4);
    put(super + 1264, 4, 8);
    put(super + 1296, CONTAINER_BAG, 8);
    put(super + 1304, 1, 8);
    memcpy(container.blocks[VOLUME] + 240, volume_id, 16);
    container.blocks[VOLUME][264] = 8;
    put(container.blocks[CONTAINER_BAG] + 24, 0x6b657973, 4);
    put(container.blocks[VOLUME_BAG] + 24, 0x72656373, 4);
    put(container.blocks[CONTAINER_BAG] + 32, 2, 2);
    put(container.blocks[VOLUME_BAG] + 32, 2, 2);
    put(add_entry(&container, CONTAINER_BAG, volume_id, 3, 16), VOLUME_BAG | UINT64_C(0), 8);
    put(container.blocks[CONTAINER_BAG] + 48 + 24 + 8, 1, 8);
    return container;
}

#define WRAPPED_KEK   "2725ff3fab6a5a23c6e56ba2713456a85c3fd11e2ff43ab6fa4b1e8c5241915051c9b5572d9c2e35"
#define WRAPPED_VEK   "977d006023bfd4b0254e7b9415495e4cb4f11a57f5e07ecfea90e695f3b295ca362199a5238c6bd6"
#define WRAPPED_KEK16 "faa98cb18454f68fdbf7f8744e1b833888f5b4cce31f3eb2"
#define WRAPPED_VEK16 "1e144f57a750a2634f1519200d79ff28ecf1d7deddc89c56"
#define MACHINE       1
#define CORESTORAGE   2

static int lock_of(struct container *container, struct apfs_lock *ret_lock, struct why *why)
{
    const struct reader reader = {container_read, container, sizeof container->blocks};

    for (size_t i = 0; i < BLOCKS; i++)
        seal(container, i);
    memset(why, 0, sizeof *why);
    return apfs_lock_read(&reader, VOLUME, ret_lock, why);
}

static int open_with(const struct apfs_lock *lock, enum key_kind kind, const char *words,
                     uint8_t ret_key[APFS_KEY_SIZE], struct why *why)
{
    char copy[64];
    const struct key key = {kind, (uint8_t *)copy, strlen(words)};

    strcpy(copy, words);
    return apfs_lock_open(lock, &key, NULL, NULL, ret_key, why);
}

Test(apfs_lock, a_password_gives_the_volumes_key_and_another_does_not)
{
    struct container container = make();
    struct apfs_lock lock;
    struct why why;
    uint8_t key[APFS_KEY_SIZE];

    add_key(&container, CONTAINER_BAG, volume_id, 0, WRAPPED_VEK, 0);
    add_key(&container, VOLUME_BAG, user_id, 0, WRAPPED_KEK, 10);
    cr_assert_eq(lock_of(&container, &lock, &why), 0, "%s", why.text);
    cr_expect_str_eq(lock.uuid, "01020300-0000-0000-0000-000000000000");
    cr_expect_eq(open_with(&lock, KEY_PASSWORD, "open barley", key, &why), -ENOKEY);
    cr_assert_eq(open_with(&lock, KEY_PASSWORD, "open sesame", key, &why), 0);
    for (size_t i = 0; i < sizeof key; i++)
        cr_expect_eq(key[i], 200 + i);
    cr_expect_eq(open_with(&lock, KEY_RECOVERY, "open sesame", key, &why), -ENOKEY, "the record is a user's");
    cr_expect_eq(open_with(&lock, KEY_FILE, "open sesame", key, &why), -ENOKEY);
}

Test(apfs_lock, a_volume_that_was_core_storages_has_a_shorter_key)
{
    struct container container = make();
    struct apfs_lock lock;
    struct why why;
    uint8_t key[APFS_KEY_SIZE], want[APFS_KEY_SIZE];

    add_key(&container, CONTAINER_BAG, volume_id, CORESTORAGE, WRAPPED_VEK16, 0);
    add_key(&container, VOLUME_BAG, user_id, CORESTORAGE, WRAPPED_KEK16, 10);
    put_hex(want, "c8c9cacbcccdcecfd0d1d2d3d4d5d6d734adc59a7aab53ae6713603b8a249637");
    cr_assert_eq(lock_of(&container, &lock, &why), 0, "%s", why.text);
    cr_assert_eq(open_with(&lock, KEY_PASSWORD, "open sesame", key, &why), 0);
    cr_expect_arr_eq(key, want, sizeof key);
}

Test(apfs_lock, too_many_rounds_are_not_computed_and_none_at_all_open_nothing)
{
    struct container container = make();
    struct apfs_lock lock;
    struct why why;
    uint8_t key[APFS_KEY_SIZE];

    add_key(&container, CONTAINER_BAG, volume_id, 0, WRAPPED_VEK, 0);
    add_key(&container, VOLUME_BAG, user_id, 0, WRAPPED_KEK, 10000001);
    cr_assert_eq(lock_of(&container, &lock, &why), 0, "%s", why.text);
    cr_expect_eq(open_with(&lock, KEY_PASSWORD, "open sesame", key, &why), -ENOKEY);
    cr_expect(strstr(why.text, "more computing than is done (10000001 rounds)"));
    lock.records[0].rounds = 0;
    cr_expect_eq(open_with(&lock, KEY_PASSWORD, "open sesame", key, &why), -ENOKEY);
}

Test(apfs_lock, keys_of_a_machine_are_told_as_that)
{
    struct container container = make();
    struct apfs_lock lock;
    struct why why;

    add_key(&container, CONTAINER_BAG, volume_id, MACHINE, WRAPPED_VEK, 0);
    cr_expect_eq(lock_of(&container, &lock, &why), -ENOTSUP);
    cr_expect(strstr(why.text, "hardware of the Mac"));
    container = make();
    add_key(&container, CONTAINER_BAG, volume_id, 0, WRAPPED_VEK, 0);
    add_key(&container, VOLUME_BAG, user_id, MACHINE, WRAPPED_KEK, 10);
    cr_expect_eq(lock_of(&container, &lock, &why), -ENOTSUP);
    put(container.blocks[SUPER] + 1264, 0, 8);
    cr_expect_eq(lock_of(&container, &lock, &why), -ENOTSUP);
    cr_expect(lock.hardware);
}

Test(apfs_lock, an_entry_that_reaches_past_its_bag_is_none)
{
    struct container container = make();
    struct apfs_lock lock;
    struct why why;

    add_key(&container, CONTAINER_BAG, volume_id, 0, WRAPPED_VEK, 0);
    put(container.blocks[CONTAINER_BAG] + 48 + 18, 0xffff, 2); /* the first one's size */
    cr_expect_eq(lock_of(&container, &lock, &why), -EINVAL);
    cr_expect_str_eq(why.text, "the key bag of the container has no key of this volume");
    put(container.blocks[CONTAINER_BAG] + 34, 0xffff, 2); /* and so many */
    cr_expect_eq(lock_of(&container, &lock, &why), -EINVAL);
}

Test(apfs_lock, a_bag_that_is_nowhere_or_too_large_is_told)
{
    static const uint64_t places[][2] = {
        {0, 1}, {CONTAINER_BAG, 0}, {CONTAINER_BAG, 17}, {UINT64_MAX / 2, 1}, {CONTAINER_BAG, UINT64_MAX}};
    struct apfs_lock lock;
    struct why why;

    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct container container = make();

        put(container.blocks[SUPER] + 1296, places[i][0], 8);
        put(container.blocks[SUPER] + 1304, places[i][1], 8);
        cr_expect_eq(lock_of(&container, &lock, &why), -EINVAL);
        cr_expect(strstr(why.text, "key bag"), "%s", why.text);
    }
}

Test(apfs_lock, a_hint_is_escaped_and_cut)
{
    struct container container = make();
    struct apfs_lock lock;
    struct why why;
    uint8_t *hint;

    add_key(&container, CONTAINER_BAG, volume_id, 0, WRAPPED_VEK, 0);
    add_key(&container, VOLUME_BAG, user_id, 0, WRAPPED_KEK, 10);
    hint = add_entry(&container, VOLUME_BAG, volume_id, 4, 200);
    memset(hint, 7, 200);
    cr_assert_eq(lock_of(&container, &lock, &why), 0, "%s", why.text);
    cr_expect(strstr(lock.words, ", hint of its password: \\x07\\x07"));
    cr_expect_lt(strlen(lock.words), 150U);
}

Test(apfs_lock, a_volume_whose_files_may_have_keys_of_their_own_is_told)
{
    struct container container = make();
    struct apfs_lock lock;
    struct why why;

    (void)lock_of(&container, &lock, &why);
    cr_expect_not(lock.many);
    container.blocks[VOLUME][264] = 0;
    (void)lock_of(&container, &lock, &why);
    cr_expect_str_eq(lock.words,
                     "APFS, volume 01020300-0000-0000-0000-000000000000, not marked as of one key for all");
}
