/*
 * luks1: the header of LUKS1: 592 bytes, big-endian.
 */
#include "engine/evidence/layer/layer_luks.h"

#include "engine/base/bytes.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { HEADER_SIZE = 592, SLOTS = 8, SECTOR = 512, DIGEST_SIZE = 20, SALT_SIZE = 32, ENABLED = 0x00ac71f3 };

/* A text in a field of 32 bytes that NULs fill. */
static bool take_name(struct bytes *bytes, char ret[32])
{
    const uint8_t *field = bytes_take(bytes, 32);

    if (!field || memchr(field, 0, 32) == NULL)
        return false;
    memcpy(ret, field, 32);
    return true;
}

static void take_salt(struct bytes *bytes, struct luks_kdf *kdf, const char *hash)
{
    const uint8_t *salt = bytes_take(bytes, SALT_SIZE);

    if (salt)
        memcpy(kdf->salt, salt, SALT_SIZE);
    kdf->salt_size = SALT_SIZE;
    (void)snprintf(kdf->type, sizeof kdf->type, "pbkdf2");
    (void)snprintf(kdf->hash, sizeof kdf->hash, "%s", hash);
}

static void take_slot(struct bytes *bytes, struct luks *luks, uint32_t number, const char *hash)
{
    struct luks_slot slot = {.number = number, .area_key_size = luks->key_size, .key_size = luks->key_size};
    bool enabled = bytes_u32be(bytes) == ENABLED;

    slot.kdf.rounds = bytes_u32be(bytes);
    take_salt(bytes, &slot.kdf, hash);
    slot.offset = (uint64_t)bytes_u32be(bytes) * SECTOR;
    slot.stripes = bytes_u32be(bytes);
    memcpy(slot.cipher, luks->cipher, sizeof slot.cipher);
    memcpy(slot.mode, luks->mode, sizeof slot.mode);
    (void)snprintf(slot.hash, sizeof slot.hash, "%s", hash);
    if (enabled)
        luks->slots[luks->slot_count++] = slot;
}

int luks1_parse(const struct reader *reader, struct luks *ret_luks, struct why *why)
{
    struct luks luks = {.version = 1, .sector_size = SECTOR, .digest_count = 1};
    uint8_t data[HEADER_SIZE];
    const uint8_t *field;
    struct bytes bytes;
    char hash[32];

    if (reader_read(reader, 0, data, sizeof data) < 0)
        return why_set(why, -EINVAL, "the LUKS1 header cannot be read");
    bytes_init(&bytes, data, sizeof data);
    bytes_skip(&bytes, 8);
    if (!take_name(&bytes, luks.cipher) || !take_name(&bytes, luks.mode) || !take_name(&bytes, hash))
        return why_set(why, -EINVAL, "the LUKS1 header is damaged: a name in it does not end");
    luks.offset = (uint64_t)bytes_u32be(&bytes) * SECTOR;
    luks.key_size = bytes_u32be(&bytes);
    field = bytes_take(&bytes, DIGEST_SIZE);
    if (field)
        memcpy(luks.digests[0].digest, field, DIGEST_SIZE);
    luks.digests[0].size = DIGEST_SIZE;
    take_salt(&bytes, &luks.digests[0].kdf, hash);
    luks.digests[0].kdf.rounds = bytes_u32be(&bytes);
    field = bytes_take(&bytes, 40);
    if (field)
        luks_uuid(field, luks.uuid);
    for (uint32_t i = 0; i < SLOTS; i++)
        take_slot(&bytes, &luks, i, hash);
    if (bytes_failed(&bytes))
        return why_set(why, -EINVAL, "the LUKS1 header is damaged");
    *ret_luks = luks;
    return 0;
}
