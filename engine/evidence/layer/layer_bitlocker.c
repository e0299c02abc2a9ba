/*
 * layer_bitlocker: a BitLocker volume by libbde, opened with a password, a recovery key, a startup key's file
 * (.BEK), its own keys, or the clear key that it holds itself.
 */
#include "engine/evidence/layer/bfio.h"

#include <errno.h>
#include <libbde.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bitlocker {
    libbfio_handle_t *file;
    libbde_volume_t *volume;
    uint16_t method; /* LIBBDE_ENCRYPTION_METHOD_..., once the volume was open */
};

static void drop(struct bitlocker *bitlocker)
{
    if (bitlocker->volume)
        (void)libbde_volume_free(&bitlocker->volume, NULL);
    bfio_free(bitlocker->file);
    bitlocker->file = NULL;
    bitlocker->volume = NULL;
}

/* The volume's own keys: the key of data (XTS has two in it), and for methods with a diffuser that of sectors
 * behind it. */
static int set_master(const struct bitlocker *bitlocker, const struct key *key, libbde_error_t **error)
{
    bool diffuser = bitlocker->method == LIBBDE_ENCRYPTION_METHOD_AES_128_CBC_DIFFUSER ||
                    bitlocker->method == LIBBDE_ENCRYPTION_METHOD_AES_256_CBC_DIFFUSER;
    size_t first = diffuser ? key->size / 2 : key->size;

    return libbde_volume_set_keys(bitlocker->volume, key->data, first, key->data + first, key->size - first,
                                  error);
}

static int set_file(libbde_volume_t *volume, const struct key *key, libbde_error_t **error)
{
    libbfio_handle_t *file = bfio_memory(key->data, key->size);
    int result = file ? libbde_volume_read_startup_key_file_io_handle(volume, file, error) : -1;

    bfio_free(file);
    return result;
}

static int set_key(const struct bitlocker *bitlocker, const struct key *key, libbde_error_t **error)
{
    libbde_volume_t *volume = bitlocker->volume;

    switch (key->kind) {
    case KEY_PASSWORD:
        return libbde_volume_set_utf8_password(volume, key->data, key->size, error);
    case KEY_RECOVERY:
        return libbde_volume_set_utf8_recovery_password(volume, key->data, key->size, error);
    case KEY_FILE:
        return set_file(volume, key, error);
    case KEY_MASTER:
        return set_master(bitlocker, key, error);
    default:
        return -1;
    }
}

/* Any key of the right size sets a volume's own keys; only what they decrypt tells whether they are. A boot
 * sector of NTFS, FAT and exFAT ends with its mark; ReFS has its name. */
static bool is_decrypted(libbde_volume_t *volume)
{
    uint8_t sector[512];

    return libbde_volume_read_buffer_at_offset(volume, sector, sizeof sector, 0, NULL) ==
               (ssize_t)sizeof sector &&
           ((sector[510] == 0x55 && sector[511] == 0xaa) || memcmp(sector + 3, "ReFS", 4) == 0);
}

/* 0: open and unlocked. -ENOKEY: this key (NULL: none) does not open it. -EINVAL: damaged, but for a volume's
 * own key that is wrong: libbde decrypts the first sector with it, and finds no volume there. */
static int try_key(struct bitlocker *bitlocker, const struct layer_base *base, const struct key *key,
                   struct why *why)
{
    libbde_error_t *error = NULL;
    int code = 0, result;

    bitlocker->file = bfio_new(&base->readers[0]);
    if (!bitlocker->file || libbde_volume_initialize(&bitlocker->volume, &error) != 1)
        code = -ENOMEM;
    else if (key && set_key(bitlocker, key, &error) != 1)
        code = -ENOKEY;
    else if ((result = libbde_volume_open_file_io_handle(bitlocker->volume, bitlocker->file, LIBBDE_OPEN_READ,
                                                         &error)) < 0)
        code = bfio_fail(why, -EINVAL, "its metadata does not open", &error);
    else if (result != 1 || libbde_volume_is_locked(bitlocker->volume, &error) != 0) /* 0: open, and locked */
        code = -ENOKEY;
    else if (key && key->kind == KEY_MASTER && !is_decrypted(bitlocker->volume))
        code = -ENOKEY;
    bfio_forget(&error);
    return code;
}

static const char *method_name(uint16_t method)
{
    switch (method) {
    case LIBBDE_ENCRYPTION_METHOD_AES_128_CBC_DIFFUSER:
        return "AES-128-CBC with diffuser";
    case LIBBDE_ENCRYPTION_METHOD_AES_256_CBC_DIFFUSER:
        return "AES-256-CBC with diffuser";
    case LIBBDE_ENCRYPTION_METHOD_AES_128_CBC:
        return "AES-128-CBC";
    case LIBBDE_ENCRYPTION_METHOD_AES_256_CBC:
        return "AES-256-CBC";
    case LIBBDE_ENCRYPTION_METHOD_AES_128_XTS:
        return "AES-128-XTS";
    case LIBBDE_ENCRYPTION_METHOD_AES_256_XTS:
        return "AES-256-XTS";
    default:
        return "method not known";
    }
}

/* The volume's identifier; all zeros when it cannot be told. */
static void guid_text(libbde_volume_t *volume, char ret[BFIO_GUID_SIZE])
{
    uint8_t id[16] = {0};

    (void)libbde_volume_get_volume_identifier(volume, id, sizeof id, NULL);
    bfio_guid(id, ret);
}

/* What the volume is, also while it is locked. */
static void describe(const struct bitlocker *bitlocker, char *ret, size_t size, char ret_guid[BFIO_GUID_SIZE])
{
    uint16_t method = 0;

    guid_text(bitlocker->volume, ret_guid);
    (void)libbde_volume_get_encryption_method(bitlocker->volume, &method, NULL);
    (void)snprintf(ret, size, "BitLocker, %s, volume %s", method_name(method), ret_guid);
}

static int opened(struct layer *layer, const struct layer_base *base, const struct key *key, struct why *why)
{
    const struct bitlocker *bitlocker = layer->state;
    char words[128], guid[BFIO_GUID_SIZE], digest[KEY_DIGEST_SIZE];
    size64_t size = 0;

    describe(bitlocker, words, sizeof words, guid);
    if (libbde_volume_get_size(bitlocker->volume, &size, NULL) != 1 || size == 0)
        return why_set(why, -EINVAL, "%s: its size cannot be told", words);
    layer->size = size < base->readers[0].size ? size : base->readers[0].size;
    if (key)
        key_digest(key, guid, digest);
    (void)snprintf(layer->note, sizeof layer->note, "%s, opened with %s%s%s", words,
                   key ? key_kind_name(key->kind) : "the clear key in it", key ? " " : "", key ? digest : "");
    return 0;
}

static int bitlocker_open(struct layer *layer, const struct layer_base *base, struct why *why)
{
    struct bitlocker *bitlocker = calloc(1, sizeof *bitlocker);
    char words[128], guid[BFIO_GUID_SIZE];
    int code;

    if (!bitlocker)
        return -ENOMEM;
    layer->state = bitlocker;
    layer->sector_size = 512;
    code = try_key(bitlocker, base, NULL, why);
    if (code != -ENOKEY)
        return code < 0 ? code : opened(layer, base, NULL, why);
    describe(bitlocker, words, sizeof words, guid);
    (void)libbde_volume_get_encryption_method(bitlocker->volume, &bitlocker->method, NULL);
    for (size_t i = 0; code == -ENOKEY && base->keys && i < base->keys->count; i++) {
        drop(bitlocker);
        if (base->alive)
            base->alive(base->alive_context);
        code = try_key(bitlocker, base, &base->keys->items[i], why);
        if (code == -EINVAL && base->keys->items[i].kind == KEY_MASTER)
            code = -ENOKEY;
        if (code == 0)
            return opened(layer, base, &base->keys->items[i], why);
    }
    return code == -ENOKEY ? why_set(why, code, "%s", words) : code;
}

static int bitlocker_read(struct layer *layer, uint64_t offset, void *data, size_t size)
{
    const struct bitlocker *bitlocker = layer->state;
    libbde_error_t *error = NULL;
    ssize_t count =
        libbde_volume_read_buffer_at_offset(bitlocker->volume, data, size, (off64_t)offset, &error);

    bfio_forget(&error);
    return count == (ssize_t)size ? 0 : -EIO;
}

static void bitlocker_close(struct layer *layer)
{
    drop(layer->state);
    free(layer->state);
}

const struct layer_kind layer_bitlocker = {.name = "bitlocker",
                                           .keyed = true,
                                           .open = bitlocker_open,
                                           .read = bitlocker_read,
                                           .close = bitlocker_close};
