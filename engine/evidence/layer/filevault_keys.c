/*
 * filevault_keys: the volume's key out of a password. A user's password gives by PBKDF2 what unwraps the key
 * encrypting key, and that unwraps the volume's. libfvde 20190104 does this as well, but for users with
 * passwords and passwords in ASCII only, and as often as the volume says.
 */
#include "engine/evidence/layer/layer_filevault.h"

#include "engine/base/bytes.h"
#include "engine/evidence/layer/crypt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { USER_SIZE = 284, VOLUME_KEY_SIZE = 256, WRAPPED = FILEVAULT_KEY_SIZE + 8, SALT = 16, USERS_MAX = 64 };
/* macOS measures what takes a tenth of a second: 41,000 and more. What asks for this many is hostile. */
#define ROUNDS_MAX UINT32_C(10000000)

static const char user_name[] = "<key>PassphraseWrappedKEKStruct</key>";
static const char key_name[] = "<key>KEKWrappedVolumeKeyStruct</key>";

/* Base64 up to a tag, with line breaks. False: something else, or not of `size` bytes. */
static bool decode(const char *text, uint8_t *ret, size_t size)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = 0;
    unsigned count = 0;
    size_t got = 0;

    for (; *text && *text != '<' && *text != '='; text++) {
        const char *letter = strchr(letters, *text);
        if (strchr(" \t\r\n", *text))
            continue;
        if (!letter || got == size)
            return false;
        bits = bits << 6 | (uint32_t)(letter - letters);
        count += 6;
        if (count >= 8) {
            count -= 8;
            ret[got++] = (uint8_t)(bits >> count);
        }
    }
    return got == size;
}

/* The next data of this name that have this size. False: there are no more. */
static bool next_data(const char **at, const char *name, uint8_t *ret, size_t size)
{
    while ((*at = strstr(*at, name))) {
        const char *tag = *at + strlen(name);

        *at = tag;
        tag += strspn(tag, " \t\r\n");
        if (strncmp(tag, "<data", 5) == 0 && (tag = strchr(tag, '>')) && decode(tag + 1, ret, size))
            return true;
    }
    return false;
}

static uint32_t rounds_of(const uint8_t user[USER_SIZE])
{
    struct bytes bytes;

    bytes_init(&bytes, user, USER_SIZE);
    bytes_seek(&bytes, 168);
    return bytes_u32le(&bytes);
}

bool filevault_has_users(const struct filevault_plist *plist, bool *ret_costly)
{
    uint8_t user[USER_SIZE];
    const char *at = plist->data;
    bool found = false;

    *ret_costly = false;
    while (at && next_data(&at, user_name, user, sizeof user)) {
        found = true;
        *ret_costly = *ret_costly || rounds_of(user) > ROUNDS_MAX;
    }
    return found;
}

/* False: the secret is not this user's. */
static bool unwrap_user(const uint8_t user[USER_SIZE], const struct key *secret,
                        uint8_t ret_key[FILEVAULT_KEY_SIZE])
{
    uint8_t derived[FILEVAULT_KEY_SIZE];
    struct bytes bytes;
    const uint8_t *salt, *wrapped;
    uint32_t salt_size, wrapped_size, rounds = rounds_of(user);
    bool good;

    bytes_init(&bytes, user, USER_SIZE);
    bytes_skip(&bytes, 4);
    salt_size = bytes_u32le(&bytes);
    salt = bytes_take(&bytes, SALT);
    bytes_skip(&bytes, 4);
    wrapped_size = bytes_u32le(&bytes);
    wrapped = bytes_take(&bytes, WRAPPED);
    if (bytes_failed(&bytes) || salt_size != SALT || wrapped_size != WRAPPED || rounds > ROUNDS_MAX)
        return false;
    good = crypt_pbkdf2("sha256", secret->data, secret->size, salt, SALT, rounds, derived, sizeof derived) ==
               0 &&
           crypt_unwrap(derived, sizeof derived, wrapped, WRAPPED, ret_key) == 0;
    crypt_wipe(derived, sizeof derived);
    return good;
}

static bool unwrap_volume(const char *plist, const uint8_t key[FILEVAULT_KEY_SIZE],
                          uint8_t ret_key[FILEVAULT_KEY_SIZE])
{
    uint8_t data[VOLUME_KEY_SIZE];

    while (next_data(&plist, key_name, data, sizeof data)) {
        if (crypt_unwrap(key, FILEVAULT_KEY_SIZE, data + 8, WRAPPED, ret_key) == 0)
            return true;
    }
    return false;
}

int filevault_unlock(const struct filevault_plist *plist, const struct key *secret,
                     const struct layer_base *base, uint8_t ret_key[FILEVAULT_KEY_SIZE])
{
    uint8_t user[USER_SIZE], key[FILEVAULT_KEY_SIZE];
    const char *at = plist->data;
    bool good = false;

    for (size_t i = 0; !good && at && i < USERS_MAX && next_data(&at, user_name, user, sizeof user); i++) {
        if (base->alive)
            base->alive(base->alive_context);
        good = unwrap_user(user, secret, key) && unwrap_volume(plist->data, key, ret_key);
    }
    crypt_wipe(key, sizeof key);
    return good ? 0 : -ENOKEY;
}

int filevault_root(const struct corestorage *storage, const struct key *file,
                   struct filevault_plist *ret_plist)
{
    struct filevault_plist plist = {.data = malloc(file->size + 1), .size = file->size};
    uint8_t key[FILEVAULT_KEY_SIZE * 2] = {0};
    struct crypt_sectors *sectors = NULL;
    int code;

    if (!plist.data)
        return -ENOMEM;
    memcpy(plist.data, file->data, file->size);
    memcpy(key, storage->key, FILEVAULT_KEY_SIZE);
    code = crypt_sectors_new("aes", "xts-plain64", key, sizeof key, &sectors);
    if (code == 0)
        code = crypt_sectors_decrypt(sectors, 0, (uint8_t *)plist.data, plist.size);
    crypt_sectors_free(sectors);
    plist.data[plist.size] = '\0';
    if (code == 0 && strncmp(plist.data, "<?xml", 5) == 0) {
        *ret_plist = plist;
        return 0;
    }
    filevault_plist_finish(&plist);
    return code == -ENOMEM ? code : -EINVAL;
}

void filevault_plist_finish(struct filevault_plist *plist)
{
    free(plist->data);
    *plist = (struct filevault_plist){0};
}
