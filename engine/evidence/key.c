/*
 * key: keys in memory of their own, left out of core dumps, and their digests.
 */
#include "engine/evidence/key.h"

#include "engine/evidence/layer/crypt.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { DIGEST_ROUNDS = 200000 };

const char *key_kind_name(enum key_kind kind)
{
    static const char *const names[KEY_KINDS] = {"password", "recovery key", "key file", "master key"};

    return (size_t)kind < KEY_KINDS ? names[kind] : "key";
}

int keys_add(struct keys *keys, enum key_kind kind, const void *data, size_t size)
{
    uint8_t *own;

    if (keys->count == KEYS_MAX || size > KEY_SIZE_MAX)
        return -E2BIG;
    own = mmap(NULL, size + 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (own == MAP_FAILED)
        return -ENOMEM;
    (void)madvise(own, size + 1, MADV_DONTDUMP);
    (void)mlock(own, size + 1); /* where the limit allows it: not into swap */
    memcpy(own, data, size);
    keys->items[keys->count++] = (struct key){kind, own, size};
    return 0;
}

void keys_finish(struct keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        crypt_wipe(keys->items[i].data, keys->items[i].size);
        (void)munmap(keys->items[i].data, keys->items[i].size + 1);
    }
    keys->count = 0;
}

const struct key *keys_password(const struct keys *keys, size_t number)
{
    for (size_t i = 0; keys && i < keys->count; i++) {
        if (keys->items[i].kind == KEY_PASSWORD && number-- == 0)
            return &keys->items[i];
    }
    return NULL;
}

void key_digest(const struct key *key, const char *salt, char ret[KEY_DIGEST_SIZE])
{
    uint8_t digest[16] = {0};

    (void)crypt_pbkdf2("sha256", key->data, key->size, salt, strlen(salt), DIGEST_ROUNDS, digest,
                       sizeof digest);
    for (size_t i = 0; i < sizeof digest; i++)
        (void)snprintf(ret + 2 * i, 3, "%02x", digest[i]);
}
