/* uuid: see uuid.h. */
#include "cases/report/uuid.h"

#include "engine/base/buf.h"
#include "engine/base/hash.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const struct uuid uuid_kvali = {
    {0x7c, 0xf3, 0xbc, 0x5e, 0x18, 0x4a, 0x5b, 0x0b, 0xb8, 0x20, 0x47, 0x0c, 0x8e, 0x9f, 0x5d, 0x1f}};
const struct uuid uuid_stix = {
    {0x00, 0xab, 0xed, 0xb4, 0xaa, 0x42, 0x46, 0x6c, 0x9c, 0x01, 0xfe, 0xd2, 0x33, 0x15, 0xa9, 0xb7}};

/* SHA-1 alone is nowhere else wanted; it comes with the others. */
static void sha1_of(const struct buf *name, uint8_t ret[SHA1_SIZE])
{
    struct hash_set set = {0};
    struct hash_all *hash = hash_all_new();
    assert(hash);
    hash_all_reset(hash);
    hash_all_update(hash, name->data, name->size);
    hash_all_final(hash, &set);
    hash_all_free(hash);
    memcpy(ret, set.sha1, SHA1_SIZE);
}

struct uuid uuid_make(const struct uuid *space, const char *const *parts, unsigned count)
{
    uint8_t digest[SHA1_SIZE] = {0};
    struct uuid uuid;
    struct buf name = {0};
    buf_append(&name, space->bytes, UUID_SIZE);
    for (unsigned i = 0; i < count; i++)
        buf_append(&name, parts[i], strlen(parts[i]) + (i + 1 < count));
    assert(!buf_failed(&name));
    sha1_of(&name, digest);
    buf_finish(&name);
    memcpy(uuid.bytes, digest, UUID_SIZE);
    uuid.bytes[6] = (uint8_t)((uuid.bytes[6] & 0x0f) | 0x50);
    uuid.bytes[8] = (uint8_t)((uuid.bytes[8] & 0x3f) | 0x80);
    return uuid;
}

const char *uuid_text(const struct uuid *uuid, char ret[UUID_TEXT_SIZE])
{
    size_t at = 0;
    for (size_t i = 0; i < UUID_SIZE; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            ret[at++] = '-';
        at += (size_t)snprintf(ret + at, UUID_TEXT_SIZE - at, "%02x", uuid->bytes[i]);
    }
    return ret;
}
