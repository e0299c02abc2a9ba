/*
 * bitlocker_key: the volume's key. It is encrypted with a master key, and that once for each way to open the
 * volume: a password, a recovery key, a startup key's file, the TPM, or a key in clear while protection is
 * suspended.
 */
#include "engine/base/buf.h"
#include "engine/base/text.h"
#include "engine/evidence/layer/bfio.h"
#include "engine/evidence/layer/bitlocker.h"
#include "engine/evidence/layer/crypt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    PROTECTED_CLEAR = 0,
    PROTECTED_TPM = 0x0100, /* with or without more */
    PROTECTED_FILE = 0x0200,
    PROTECTED_RECOVERY = 0x0800,
    PROTECTED_PASSWORD = 0x2000,
    STRETCH_ROUNDS = 1 << 20,
    STRETCH_BREATH = 1 << 16,
    MASTER_SIZE = 32,
    NONCE_SIZE = 12,
    MAC_SIZE = 16,
};

/* A way to open the volume. */
struct protector {
    const uint8_t *id; /* 16 bytes */
    uint16_t kind;
    struct bytes inside;
};

/* The next of the volume's; false: there is none. */
static bool next_protector(struct bytes *list, struct protector *ret)
{
    struct bitlocker_entry entry;
    struct bytes bytes;

    while (bitlocker_next(list, &entry)) {
        bytes_init(&bytes, entry.data, entry.size);
        ret->id = bytes_take(&bytes, 16);
        bytes_skip(&bytes, 10);
        ret->kind = bytes_u16le(&bytes);
        if (entry.type != BITLOCKER_TYPE_MASTER_KEY || entry.role != BITLOCKER_ROLE_MASTER_KEY ||
            bytes_failed(&bytes))
            continue;
        bytes_init(&ret->inside, entry.data + bytes.offset, bytes_left(&bytes));
        return true;
    }
    return false;
}

static bool find(struct bytes list, uint16_t type, struct bitlocker_entry *ret)
{
    while (bitlocker_next(&list, ret)) {
        if (ret->type == type)
            return true;
    }
    return false;
}

/* The key that an entry is: its bytes after two words of what it is for. */
static bool key_of(const struct bitlocker_entry *entry, const uint8_t **ret_key, size_t *ret_size)
{
    if (entry->type != BITLOCKER_TYPE_KEY || entry->size < 4)
        return false;
    *ret_key = entry->data + 4;
    *ret_size = entry->size - 4;
    return true;
}

/* ------------------------------------------------------------------ what opens what */

/* Decrypts an entry of AES-CCM: an entry again, which is a key. -ENOKEY: another key is needed. */
static int open_box(const struct bitlocker_entry *box, const uint8_t key[MASTER_SIZE],
                    uint8_t ret_key[BITLOCKER_KEY_MAX], size_t *ret_size)
{
    uint8_t plain[BITLOCKER_KEY_MAX + 64];
    size_t size = box->size > NONCE_SIZE + MAC_SIZE ? box->size - NONCE_SIZE - MAC_SIZE : 0;
    struct bitlocker_entry entry;
    const uint8_t *found;
    struct bytes list;
    int code = -ENOKEY;

    if (size == 0 || size > sizeof plain)
        return -ENOKEY;
    code = crypt_ccm_open(key, box->data, box->data + NONCE_SIZE, box->data + NONCE_SIZE + MAC_SIZE, size,
                          plain);
    bytes_init(&list, plain, size);
    if (code == 0 && bitlocker_next(&list, &entry) && key_of(&entry, &found, &size) &&
        size <= BITLOCKER_KEY_MAX) {
        memcpy(ret_key, found, size);
        *ret_size = size;
    } else if (code != -ENOMEM) {
        code = -ENOKEY;
    }
    crypt_wipe(plain, sizeof plain);
    return code;
}

/* From the key of a way to the volume's: by the master key. */
static int open_volume(const struct bitlocker *bitlocker, const struct protector *way,
                       const uint8_t key[MASTER_SIZE], uint8_t ret_key[BITLOCKER_KEY_MAX], size_t *ret_size)
{
    uint8_t master[BITLOCKER_KEY_MAX];
    struct bitlocker_entry box;
    struct bytes list;
    size_t size = 0;
    int code = find(way->inside, BITLOCKER_TYPE_CCM, &box) ? open_box(&box, key, master, &size) : -ENOKEY;

    bytes_init(&list, bitlocker->entries, bitlocker->entries_size);
    if (code == 0)
        code = -ENOKEY;
    while (size == MASTER_SIZE && code == -ENOKEY && bitlocker_next(&list, &box)) {
        if (box.role == BITLOCKER_ROLE_VOLUME_KEY && box.type == BITLOCKER_TYPE_CCM)
            code = open_box(&box, master, ret_key, ret_size);
    }
    crypt_wipe(master, sizeof master);
    return code;
}

/* ------------------------------------------------------------------ a person's key */

static bool put_utf16(uint8_t *to, size_t most, size_t *at, uint32_t code)
{
    if (*at + 2 > most)
        return false;
    to[(*at)++] = (uint8_t)code;
    to[(*at)++] = (uint8_t)(code >> 8);
    return true;
}

/* SHA-256 twice of the password in UTF-16. False: it is no text. */
static bool hash_password(const struct key *key, uint8_t ret[CRYPT_DIGEST_MAX])
{
    size_t most = key->size * 2, size = 0, at = 0;
    uint8_t *wide = malloc(most + 1);
    bool good = wide != NULL;

    while (good && at < key->size) {
        uint32_t code;
        size_t length = text_character(key->data + at, key->size - at, &code);

        good = length > 0;
        if (good && code >= 0x10000)
            good = put_utf16(wide, most, &size, 0xd800 + ((code - 0x10000) >> 10)) &&
                   put_utf16(wide, most, &size, 0xdc00 + ((code - 0x10000) & 0x3ff));
        else if (good)
            good = put_utf16(wide, most, &size, code);
        at += length;
    }
    good =
        good && crypt_digest("sha256", wide, size, ret) == 32 && crypt_digest("sha256", ret, 32, ret) == 32;
    crypt_wipe(wide, most);
    free(wide);
    return good;
}

/* 48 digits in eight groups, each a number of 16 bits times 11. */
static bool hash_recovery(const struct key *key, uint8_t ret[CRYPT_DIGEST_MAX])
{
    uint8_t packed[16];
    const char *text = (const char *)key->data;

    for (size_t i = 0; i < 8; i++) {
        char *end;
        unsigned long group = strtoul(text, &end, 10);

        if (end != text + 6 || *end != (i < 7 ? '-' : '\0') || group % 11 != 0 || group / 11 > UINT16_MAX)
            return false;
        packed[2 * i] = (uint8_t)(group / 11);
        packed[2 * i + 1] = (uint8_t)(group / 11 >> 8);
        text = end + 1;
    }
    return crypt_digest("sha256", packed, sizeof packed, ret) == 32;
}

/* The key that a million rounds of SHA-256 make of the hash and the way's salt. */
static int stretch(const struct layer_base *base, const uint8_t hash[32], const uint8_t salt[16],
                   uint8_t ret[CRYPT_DIGEST_MAX])
{
    uint8_t round[88] = {0}; /* the last round's hash, the first hash, salt, number of the round */
    int code = 0;

    memcpy(round + 32, hash, 32);
    memcpy(round + 64, salt, 16);
    for (uint64_t done = 0; code == 0 && done < STRETCH_ROUNDS; done += STRETCH_BREATH) {
        if (base->alive)
            base->alive(base->alive_context);
        code = crypt_sha256_chain(round, sizeof round, done, STRETCH_BREATH);
    }
    memcpy(ret, round, 32);
    crypt_wipe(round, sizeof round);
    return code;
}

static int by_hash(const struct bitlocker *bitlocker, const struct layer_base *base, uint16_t kind,
                   const uint8_t hash[32], uint8_t ret_key[BITLOCKER_KEY_MAX], size_t *ret_size)
{
    struct protector way;
    struct bytes list;
    int code = -ENOKEY;

    bytes_init(&list, bitlocker->entries, bitlocker->entries_size);
    while (code == -ENOKEY && next_protector(&list, &way)) {
        struct bitlocker_entry salt;
        uint8_t key[CRYPT_DIGEST_MAX];

        if (way.kind != kind || !find(way.inside, BITLOCKER_TYPE_STRETCH, &salt) || salt.size < 20)
            continue;
        code = stretch(base, hash, salt.data + 4, key);
        if (code == 0)
            code = open_volume(bitlocker, &way, key, ret_key, ret_size);
        crypt_wipe(key, sizeof key);
    }
    return code;
}

/* ------------------------------------------------------------------ a key in a file, and in clear */

/* A startup key's file (.BEK): a set with the identifier of the way that it opens, and its key. */
static int by_file(const struct bitlocker *bitlocker, const struct key *file,
                   uint8_t ret_key[BITLOCKER_KEY_MAX], size_t *ret_size)
{
    struct bitlocker_entry entry, inside;
    struct protector way;
    struct bytes data, list, ways;
    uint8_t id[16];
    uint16_t method;
    int code = -ENOKEY;

    bytes_init(&data, file->data, file->size);
    if (!bitlocker_set(&data, &list, id, &method))
        return -ENOKEY;
    while (code == -ENOKEY && bitlocker_next(&list, &entry)) {
        struct bytes key;
        const uint8_t *found;
        size_t size;

        if (entry.type != BITLOCKER_TYPE_EXTERNAL || entry.size < 24)
            continue;
        bytes_init(&key, entry.data + 24, entry.size - 24);
        if (!find(key, BITLOCKER_TYPE_KEY, &inside) || !key_of(&inside, &found, &size) || size != MASTER_SIZE)
            continue;
        bytes_init(&ways, bitlocker->entries, bitlocker->entries_size);
        while (code == -ENOKEY && next_protector(&ways, &way)) {
            if (memcmp(way.id, entry.data, 16) == 0)
                code = open_volume(bitlocker, &way, found, ret_key, ret_size);
        }
    }
    return code;
}

static int by_clear(const struct bitlocker *bitlocker, uint8_t ret_key[BITLOCKER_KEY_MAX], size_t *ret_size)
{
    struct protector way;
    struct bytes list;
    int code = -ENOKEY;

    bytes_init(&list, bitlocker->entries, bitlocker->entries_size);
    while (code == -ENOKEY && next_protector(&list, &way)) {
        struct bitlocker_entry entry;
        const uint8_t *key;
        size_t size;

        if (way.kind < PROTECTED_TPM && find(way.inside, BITLOCKER_TYPE_KEY, &entry) &&
            key_of(&entry, &key, &size) && size == MASTER_SIZE)
            code = open_volume(bitlocker, &way, key, ret_key, ret_size);
    }
    return code;
}

static int by_volume_key(const struct key *key, uint8_t ret_key[BITLOCKER_KEY_MAX], size_t *ret_size)
{
    if (key->size > BITLOCKER_KEY_MAX)
        return -ENOKEY;
    memcpy(ret_key, key->data, key->size);
    *ret_size = key->size;
    return 0;
}

int bitlocker_unlock(const struct bitlocker *bitlocker, const struct layer_base *base, const struct key *key,
                     uint8_t ret_key[BITLOCKER_KEY_MAX], size_t *ret_size)
{
    uint8_t hash[CRYPT_DIGEST_MAX];
    int code = -ENOKEY;

    if (!key)
        return by_clear(bitlocker, ret_key, ret_size);
    if (key->kind == KEY_FILE)
        return by_file(bitlocker, key, ret_key, ret_size);
    if (key->kind == KEY_MASTER)
        return by_volume_key(key, ret_key, ret_size);
    if (key->kind == KEY_PASSWORD && hash_password(key, hash))
        code = by_hash(bitlocker, base, PROTECTED_PASSWORD, hash, ret_key, ret_size);
    else if (key->kind == KEY_RECOVERY && hash_recovery(key, hash))
        code = by_hash(bitlocker, base, PROTECTED_RECOVERY, hash, ret_key, ret_size);
    crypt_wipe(hash, sizeof hash);
    return code;
}

/* ------------------------------------------------------------------ for a person */

static const char *kind_name(uint16_t kind)
{
    if (kind & PROTECTED_TPM)
        return kind == PROTECTED_TPM ? "TPM" : "TPM with more";
    switch (kind) {
    case PROTECTED_PASSWORD:
        return "password";
    case PROTECTED_RECOVERY:
        return "recovery key";
    case PROTECTED_FILE:
        return "key file";
    default:
        return kind < PROTECTED_TPM ? "the key in clear" : "a key of another kind";
    }
}

void bitlocker_describe_keys(const struct bitlocker *bitlocker, struct buf *buf)
{
    enum { MOST = 4 };
    struct protector way;
    struct bytes list;
    size_t count = 0;

    bytes_init(&list, bitlocker->entries, bitlocker->entries_size);
    for (; count < MOST && next_protector(&list, &way); count++) {
        buf_printf(buf, "%s%s", count > 0 ? ", " : "", kind_name(way.kind));
        if (way.kind == PROTECTED_RECOVERY || way.kind == PROTECTED_FILE) {
            char guid[BFIO_GUID_SIZE];

            bfio_guid(way.id, guid);
            buf_printf(buf, " %s", guid);
        }
    }
    buf_text(buf, count == MOST ? ", ..." : "");
}
