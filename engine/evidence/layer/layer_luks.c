/*
 * layer_luks: a LUKS volume opened with a passphrase, a key file or its own key.
 */
#include "engine/evidence/layer/layer_luks.h"

#include "engine/base/bytes.h"
#include "engine/evidence/layer/crypt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR = 512 };

struct luks_state {
    const struct layer_base *base;
    struct luks luks;
    struct crypt_sectors *sectors;
};

bool luks_split_cipher(const char *text, char cipher[32], char mode[32])
{
    const char *dash = strchr(text, '-');

    if (!dash || dash - text >= 32 || strlen(dash + 1) >= 32)
        return false;
    memcpy(cipher, text, (size_t)(dash - text));
    cipher[dash - text] = '\0';
    strcpy(mode, dash + 1);
    return true;
}

void luks_uuid(const uint8_t *field, char ret[LUKS_UUID_SIZE])
{
    char text[LUKS_UUID_SIZE] = "";

    memcpy(text, field, LUKS_UUID_SIZE - 1);
    (void)snprintf(ret, LUKS_UUID_SIZE, "%s",
                   text[strspn(text, "0123456789abcdefABCDEF-")] == '\0' ? text : "damaged");
}

/* ------------------------------------------------------------------ from a passphrase to the volume's key */

static int derive(const struct luks_kdf *kdf, const void *secret, size_t secret_size, uint8_t *ret_key,
                  size_t key_size, struct why *why)
{
    int code;

    if (strcmp(kdf->type, "pbkdf2") == 0 && kdf->rounds <= LUKS_ROUNDS_MAX)
        code = crypt_pbkdf2(kdf->hash, secret, secret_size, kdf->salt, kdf->salt_size, kdf->rounds, ret_key,
                            key_size);
    else if (strncmp(kdf->type, "argon2", 6) == 0 && (uint64_t)kdf->rounds * kdf->memory <= LUKS_ARGON_MAX)
        code = crypt_argon2(kdf->type, secret, secret_size, kdf->salt, kdf->salt_size, kdf->rounds,
                            kdf->memory, kdf->lanes, ret_key, key_size);
    else
        return why_set(why, -ENOTSUP, "a key slot asks for more computing than is done (%u rounds, %u KiB)",
                       kdf->rounds, kdf->memory);
    if (code == -ENOMEM)
        return why_set(why, code, "a key slot needs %u MiB of memory: raise limit.memory",
                       kdf->memory / 1024);
    return code < 0 ? why_set(why, code, "the key derivation %s of a key slot is not known", kdf->type) : 0;
}

/* Each block of a digest's size becomes the digest of its number and itself. */
static bool diffuse(const char *hash, uint8_t *data, size_t size)
{
    size_t length = crypt_digest_size(hash), at = 0;
    uint8_t block[4 + CRYPT_DIGEST_MAX], digest[CRYPT_DIGEST_MAX];

    for (uint32_t i = 0; length > 0 && at < size; i++) {
        size_t part = size - at < length ? size - at : length;

        block[0] = (uint8_t)(i >> 24);
        block[1] = (uint8_t)(i >> 16);
        block[2] = (uint8_t)(i >> 8);
        block[3] = (uint8_t)i;
        memcpy(block + 4, data + at, part);
        if (crypt_digest(hash, block, 4 + part, digest) != length)
            return false;
        memcpy(data + at, digest, part);
        at += part;
    }
    crypt_wipe(block, sizeof block);
    return length > 0;
}

static bool merge(const struct luks_slot *slot, const uint8_t *stripes, uint8_t *ret_key)
{
    memset(ret_key, 0, slot->key_size);
    for (uint32_t i = 0; i < slot->stripes; i++) {
        for (size_t k = 0; k < slot->key_size; k++)
            ret_key[k] ^= stripes[(size_t)i * slot->key_size + k];
        if (i + 1 < slot->stripes && !diffuse(slot->hash, ret_key, slot->key_size))
            return false;
    }
    return true;
}

/* Is it the volume's key? */
static bool fits(const struct luks_digest *digest, const uint8_t *key, size_t key_size)
{
    uint8_t own[64];
    struct why ignored;

    return digest->size > 0 && digest->size <= sizeof own &&
           derive(&digest->kdf, key, key_size, own, digest->size, &ignored) == 0 &&
           crypt_same(own, digest->digest, digest->size);
}

static int decrypt_stripes(const struct luks_slot *slot, const uint8_t *area_key, uint8_t *data, size_t size)
{
    struct crypt_sectors *sectors;
    int code = crypt_sectors_new(slot->cipher, slot->mode, area_key, slot->area_key_size, &sectors);

    for (size_t at = 0; code == 0 && at < size; at += SECTOR)
        code = crypt_sectors_decrypt(sectors, at / SECTOR, data + at, SECTOR);
    if (code == 0 || code == -EIO)
        crypt_sectors_free(sectors);
    return code;
}

/* 0: `ret_key` is the volume's key. -ENOKEY: the secret is not this slot's. */
static int try_slot(struct luks_state *state, const struct luks_slot *slot, const struct key *key,
                    uint8_t *ret_key, struct why *why)
{
    uint8_t area_key[LUKS_KEY_MAX];
    size_t size, whole;
    uint8_t *stripes;
    int code;

    if (slot->key_size == 0 || slot->key_size > LUKS_KEY_MAX || slot->area_key_size == 0 ||
        slot->area_key_size > LUKS_KEY_MAX || slot->stripes == 0 || slot->stripes > LUKS_STRIPES_MAX)
        return why_set(why, -EINVAL, "key slot %u is damaged", slot->number);
    size = slot->key_size * slot->stripes;
    whole = (size + SECTOR - 1) / SECTOR * SECTOR;
    stripes = malloc(whole);
    if (!stripes)
        return -ENOMEM;
    code = reader_read(&state->base->readers[0], slot->offset, stripes, whole) < 0
               ? why_set(why, -EINVAL, "key slot %u cannot be read", slot->number)
               : derive(&slot->kdf, key->data, key->size, area_key, slot->area_key_size, why);
    if (code == 0 && (code = decrypt_stripes(slot, area_key, stripes, whole)) < 0)
        (void)why_set(why, code, "the cipher %s-%s of key slot %u is not read", slot->cipher, slot->mode,
                      slot->number);
    if (code == 0 && !merge(slot, stripes, ret_key))
        code = why_set(why, -ENOTSUP, "the hash %s of key slot %u is not known", slot->hash, slot->number);
    if (code == 0 && !fits(&state->luks.digests[slot->digest], ret_key, slot->key_size))
        code = -ENOKEY;
    crypt_wipe(area_key, sizeof area_key);
    crypt_wipe(stripes, whole);
    free(stripes);
    return code;
}

static int use_key(struct luks_state *state, const uint8_t *key, size_t size, struct why *why)
{
    int code = crypt_sectors_new(state->luks.cipher, state->luks.mode, key, size, &state->sectors);

    return code < 0 ? why_set(why, code, "the cipher %s-%s is not read", state->luks.cipher, state->luks.mode)
                    : 0;
}

/* One key at all slots. -ENOKEY: it opens none. What is wrong with single slots is told when no key opens
 * any. */
static int try_key(struct luks_state *state, const struct key *key, struct why *why)
{
    uint8_t found[LUKS_KEY_MAX];
    int code = -ENOKEY;

    if (key->kind == KEY_MASTER) {
        if (key->size > LUKS_KEY_MAX || !fits(&state->luks.digests[state->luks.digest], key->data, key->size))
            return -ENOKEY;
        return use_key(state, key->data, key->size, why);
    }
    for (size_t i = 0; i < state->luks.slot_count; i++) {
        if (state->base->alive)
            state->base->alive(state->base->alive_context);
        code = try_slot(state, &state->luks.slots[i], key, found, why);
        if (code == -ENOMEM)
            return code;
        if (code == 0) {
            code = use_key(state, found, state->luks.slots[i].key_size, why);
            crypt_wipe(found, sizeof found);
            return code;
        }
    }
    return -ENOKEY;
}

static int unlock(struct luks_state *state, struct layer *layer, struct why *why)
{
    const struct keys *keys = state->base->keys;
    const struct luks *luks = &state->luks;

    for (size_t i = 0; keys && i < keys->count; i++) {
        const struct key *key = &keys->items[i];
        char digest[KEY_DIGEST_SIZE];
        int code = key->kind == KEY_RECOVERY ? -ENOKEY : try_key(state, key, why);

        if (code == -ENOKEY)
            continue;
        if (code < 0)
            return code;
        key_digest(key, luks->uuid, digest);
        (void)snprintf(layer->note, sizeof layer->note, "LUKS%u, %s-%s, UUID %s, opened with %s %s",
                       luks->version, luks->cipher, luks->mode, luks->uuid, key_kind_name(key->kind), digest);
        return 0;
    }
    if (why->text[0] != '\0')
        return -ENOKEY;
    return why_set(why, -ENOKEY, "LUKS%u, %s-%s, UUID %s", luks->version, luks->cipher, luks->mode,
                   luks->uuid);
}

/* ------------------------------------------------------------------ the layer */

static int measure(struct luks_state *state, struct layer *layer, struct why *why)
{
    const struct luks *luks = &state->luks;
    uint64_t all = state->base->readers[0].size;

    if (luks->offset >= all || (luks->sector_size != SECTOR && luks->sector_size != 1024 &&
                                luks->sector_size != 2048 && luks->sector_size != 4096))
        return why_set(why, -EINVAL, "the LUKS header is damaged: what is encrypted lies nowhere");
    layer->size = all - luks->offset;
    if (luks->size > 0 && luks->size < layer->size)
        layer->size = luks->size;
    layer->size -= layer->size % luks->sector_size;
    layer->sector_size = luks->sector_size;
    return layer->size > 0 ? 0 : why_set(why, -EINVAL, "nothing lies behind the LUKS header");
}

static bool is_word(const char *text)
{
    return text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789:-_")] == '\0';
}

/* Ciphers, hashes and derivations are words from evidence, which are told as they stand there. */
static bool has_words(const struct luks *luks)
{
    bool good = is_word(luks->cipher) && is_word(luks->mode);

    for (size_t i = 0; good && i < luks->slot_count; i++) {
        const struct luks_slot *slot = &luks->slots[i];
        good = is_word(slot->cipher) && is_word(slot->mode) && is_word(slot->hash) && is_word(slot->kdf.type);
    }
    return good;
}

static int luks_open(struct layer *layer, const struct layer_base *base, struct why *why)
{
    struct luks_state *state = calloc(1, sizeof *state);
    uint8_t magic[8];
    int code;

    if (!state)
        return -ENOMEM;
    layer->state = state;
    state->base = base;
    if (reader_read(&base->readers[0], 0, magic, sizeof magic) < 0)
        return why_set(why, -EINVAL, "the LUKS header cannot be read");
    code = magic[7] == 1 && memcmp(magic, "LUKS", 4) == 0 ? luks1_parse(&base->readers[0], &state->luks, why)
                                                          : luks2_parse(&base->readers[0], &state->luks, why);
    if (code == 0 && !has_words(&state->luks))
        code = why_set(why, -EINVAL, "the LUKS header is damaged: a name of a cipher or hash in it is no word");
    if (code == 0)
        code = measure(state, layer, why);
    return code == 0 ? unlock(state, layer, why) : code;
}

static void luks_close(struct layer *layer)
{
    struct luks_state *state = layer->state;

    crypt_sectors_free(state->sectors);
    free(state);
}

static int read_sectors(const void *context, uint64_t at, uint8_t *data, size_t size)
{
    const struct luks_state *state = context;
    const struct luks *luks = &state->luks;
    int code = reader_read(&state->base->readers[0], luks->offset + at, data, size);

    for (size_t done = 0; code == 0 && done < size; done += luks->sector_size)
        code = crypt_sectors_decrypt(state->sectors, luks->tweak + (at + done) / SECTOR, data + done,
                                     luks->sector_size);
    return code;
}

static int luks_read(struct layer *layer, uint64_t offset, void *data, size_t size)
{
    const struct luks_state *state = layer->state;

    return layer_read_any(read_sectors, state, state->luks.sector_size, offset, data, size);
}

const struct layer_kind layer_luks = {
    .name = "luks", .keyed = true, .open = luks_open, .read = luks_read, .close = luks_close};
