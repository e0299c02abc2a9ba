/*
 * layer_filevault: a FileVault 2 volume (CoreStorage) by libfvde, opened with a password or a recovery key,
 * with or without the file of keys that a system volume has on its recovery partition, or with its own key.
 *
 * libfvde is given the volume's own key always (filevault_keys.c), and only volumes that it reads rightly
 * (corestorage.c). Why it is loaded into a namespace of its own: layer_shadow.c.
 */
#include "engine/evidence/layer/layer_filevault.h"

#include "engine/base/buf.h"
#include "engine/base/text.h"
#include "engine/evidence/layer/bfio.h"
#include "engine/evidence/layer/crypt.h"

#include <dlfcn.h>
#include <errno.h>
#define LIBFVDE_HAVE_BFIO 1 /* Debian's library has these functions, and its header hides them */
#include <libfvde.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The functions of that namespace, under the names that they have there. */
#define FUNCTIONS(X)                                                                                         \
    X(libbfio_handle_initialize)                                                                             \
    X(libbfio_handle_free)                                                                                   \
    X(libfvde_error_backtrace_sprint)                                                                        \
    X(libfvde_error_free)                                                                                    \
    X(libfvde_volume_initialize)                                                                             \
    X(libfvde_volume_free)                                                                                   \
    X(libfvde_volume_set_keys)                                                                               \
    X(libfvde_volume_open_file_io_handle)                                                                    \
    X(libfvde_volume_is_locked)                                                                              \
    X(libfvde_volume_get_logical_volume_size)                                                                \
    X(libfvde_volume_read_buffer_at_offset)

#define MEMBER(name) __typeof__(name) *name;
static struct {
    bool loaded;
    FUNCTIONS(MEMBER)
} fvde;

void layer_filevault_warm(void)
{
    void *library = fvde.loaded ? NULL : dlmopen(LM_ID_NEWLM, "libfvde.so.1", RTLD_NOW | RTLD_LOCAL);
    bool all = library != NULL;
    void *symbol;

    /* POSIX's way to make a function of what dlsym gives. */
#define LOAD(name)                                                                                           \
    symbol = all ? dlsym(library, #name) : NULL;                                                             \
    all = symbol != NULL;                                                                                    \
    memcpy(&fvde.name, &symbol, sizeof symbol);
    if (library) {
        FUNCTIONS(LOAD)
        fvde.loaded = all;
    }
}

struct filevault {
    struct corestorage storage;
    libbfio_handle_t *file;
    libfvde_volume_t *volume;
    bool known; /* a key was found that is the volume's own */
};

static void drop(struct filevault *filevault)
{
    if (filevault->volume)
        (void)fvde.libfvde_volume_free(&filevault->volume, NULL);
    if (filevault->file)
        (void)fvde.libbfio_handle_free(&filevault->file, NULL);
    filevault->file = NULL;
    filevault->volume = NULL;
}

static int fail(struct why *why, libfvde_error_t **error)
{
    char words[4096] = ""; /* the first line is what went wrong, the others are who had asked */
    struct buf text = {0};

    if (*error)
        (void)fvde.libfvde_error_backtrace_sprint(*error, words, sizeof words);
    text_escape(&text, words, strcspn(words, "\r\n"));
    (void)why_set(why, -EINVAL, "its metadata do not open: %s", buf_cstr(&text));
    buf_finish(&text);
    return -EINVAL;
}

/* 0: open. -ENOKEY: not with this key (NULL: none): libfvde has looked for the header of HFS+. */
static int try_key(struct filevault *filevault, const struct layer_base *base, const uint8_t *key,
                   struct why *why)
{
    libfvde_error_t *error = NULL;
    int code = 0, result;

    drop(filevault);
    filevault->file = bfio_make(&base->readers[0], fvde.libbfio_handle_initialize);
    if (!filevault->file || fvde.libfvde_volume_initialize(&filevault->volume, &error) != 1 ||
        (key && fvde.libfvde_volume_set_keys(filevault->volume, key, FILEVAULT_KEY_SIZE, &error) != 1))
        code = -ENOMEM;
    else if ((result = fvde.libfvde_volume_open_file_io_handle(filevault->volume, filevault->file,
                                                               LIBFVDE_OPEN_READ, &error)) < 0)
        code = fail(why, &error);
    else if (result != 1 || fvde.libfvde_volume_is_locked(filevault->volume, NULL) != 0)
        code = -ENOKEY;
    if (error)
        fvde.libfvde_error_free(&error);
    return code;
}

/* ------------------------------------------------------------------ keys */

static int try_secret(struct filevault *filevault, const struct layer_base *base,
                      const struct filevault_plist *plist, const struct key *secret, struct why *why)
{
    uint8_t key[FILEVAULT_KEY_SIZE];
    int code = filevault_unlock(plist, secret, base, key);

    if (code == 0) {
        filevault->known = true;
        code = try_key(filevault, base, key, why);
    }
    crypt_wipe(key, sizeof key);
    return code;
}

/* With the keys that the volume has itself, and with those of each key file. */
static int try_everywhere(struct filevault *filevault, const struct layer_base *base,
                          const struct key *secret, struct why *why)
{
    int code = try_secret(filevault, base, &filevault->storage.keys, secret, why);

    for (size_t i = 0; code == -ENOKEY && i < base->keys->count; i++) {
        struct filevault_plist plist = {0};

        if (base->keys->items[i].kind != KEY_FILE ||
            filevault_root(&filevault->storage, &base->keys->items[i], &plist) < 0)
            continue;
        code = try_secret(filevault, base, &plist, secret, why);
        filevault_plist_finish(&plist);
    }
    return code;
}

static int try_given(struct filevault *filevault, const struct layer_base *base, const struct key *key,
                     struct why *why)
{
    switch (key->kind) {
    case KEY_PASSWORD:
    case KEY_RECOVERY:
        return try_everywhere(filevault, base, key, why);
    case KEY_MASTER:
        return key->size == FILEVAULT_KEY_SIZE ? try_key(filevault, base, key->data, why) : -ENOKEY;
    default:
        return -ENOKEY;
    }
}

/* ------------------------------------------------------------------ the layer */

static int opened(struct layer *layer, const struct layer_base *base, const struct key *key, struct why *why)
{
    const struct filevault *filevault = layer->state;
    const char *uuid = filevault->storage.uuid;
    char digest[KEY_DIGEST_SIZE];
    size64_t size = 0;

    if (fvde.libfvde_volume_get_logical_volume_size(filevault->volume, &size, NULL) != 1 || size == 0)
        return why_set(why, -EINVAL, "its size cannot be told");
    layer->size = size < base->readers[0].size ? size : base->readers[0].size;
    if (!key) {
        (void)snprintf(layer->note, sizeof layer->note, "CoreStorage, not encrypted, volume %s", uuid);
        return 0;
    }
    key_digest(key, uuid, digest);
    (void)snprintf(layer->note, sizeof layer->note, "FileVault 2, AES-128-XTS, volume %s, opened with %s %s",
                   uuid, key_kind_name(key->kind), digest);
    return 0;
}

/* What libfvde would take for something else. */
static int refuse(const struct corestorage *storage, struct why *why)
{
    if (storage->disks > 1)
        return why_set(why, -ENOTSUP,
                       "its group spans several disks (Fusion Drive): one alone holds no file system");
    if (storage->volumes > 1)
        return why_set(why, -ENOTSUP, "its group has %u logical volumes, and only groups of one are read",
                       storage->volumes);
    if (storage->pieces > 1)
        return why_set(why, -ENOTSUP, "its logical volume lies in several pieces");
    if (storage->status[0] != '\0' && strcmp(storage->status, "Complete") != 0 &&
        strcmp(storage->status, "NoConversion") != 0)
        return why_set(why, -ENOTSUP, "it is in the middle of being encrypted or decrypted (%s)",
                       storage->status);
    return 0;
}

static int locked(const struct filevault *filevault, struct why *why)
{
    const struct corestorage *storage = &filevault->storage;
    bool costly;
    const char *more =
        filevault_has_users(&storage->keys, &costly)
            ? ""
            : "; what a password opens lies in EncryptedRoot.plist.wipekey on the recovery partition: "
              "give that, too, as file:";

    if (filevault->known)
        return why_set(why, -ENOTSUP,
                       "FileVault 2, volume %s: the key is right, but libfvde finds no header of HFS+",
                       storage->uuid);
    return why_set(why, -ENOKEY, "FileVault 2, AES-128-XTS, volume %s%s%s", storage->uuid, more,
                   costly ? "; a user's key asks for more computing than is done" : "");
}

static int filevault_open(struct layer *layer, const struct layer_base *base, struct why *why)
{
    struct filevault *filevault = calloc(1, sizeof *filevault);
    int code;

    layer_filevault_warm();
    if (!filevault)
        return -ENOMEM;
    if (!fvde.loaded) {
        free(filevault);
        return why_set(why, -ENOTSUP, "libfvde is not there");
    }
    layer->state = filevault;
    layer->sector_size = 512;
    code = corestorage_read(&base->readers[0], &filevault->storage, why);
    if (code == 0)
        code = refuse(&filevault->storage, why);
    if (code == 0)
        code = try_key(filevault, base, NULL, why);
    /* Damaged metadata show none as well, and libfvde has said so by now. */
    if ((code == 0 || code == -ENOKEY) && filevault->storage.volumes == 0)
        code = why_set(why, -ENOTSUP, "its group has no logical volume");
    if (code != -ENOKEY)
        return code < 0 ? code : opened(layer, base, NULL, why);
    for (size_t i = 0; code == -ENOKEY && base->keys && i < base->keys->count; i++) {
        if (base->alive)
            base->alive(base->alive_context);
        code = try_given(filevault, base, &base->keys->items[i], why);
        if (code == 0)
            return opened(layer, base, &base->keys->items[i], why);
    }
    return code == -ENOKEY ? locked(filevault, why) : code;
}

static int filevault_read(struct layer *layer, uint64_t offset, void *data, size_t size)
{
    const struct filevault *filevault = layer->state;
    libfvde_error_t *error = NULL;
    ssize_t count =
        fvde.libfvde_volume_read_buffer_at_offset(filevault->volume, data, size, (off64_t)offset, &error);

    if (error)
        fvde.libfvde_error_free(&error);
    return count == (ssize_t)size ? 0 : -EIO;
}

static void filevault_close(struct layer *layer)
{
    struct filevault *filevault = layer->state;

    drop(filevault);
    corestorage_finish(&filevault->storage);
    free(filevault);
}

const struct layer_kind layer_filevault = {.name = "filevault",
                                           .keyed = true,
                                           .open = filevault_open,
                                           .read = filevault_read,
                                           .close = filevault_close};
