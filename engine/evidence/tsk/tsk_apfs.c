/*
 * tsk_apfs: a volume of APFS for libtsk: as it is, or decrypted with a key.
 *
 * Debian's libtsk 4.11.1 has no crypto library: it knows an encrypted volume, and reads its tree and contents
 * as if they were plain. So it is given them plain, in two places. The tree: libtsk reads the container
 * through a medium that decrypts a block when that gives a node of a file system's tree with the right
 * checksum. Contents: through the medium as it is, for a file may hold such a node, too; they are decrypted
 * by libtsk's hook for it, with the number that an extent names. What libtsk itself makes of passwords is
 * never used: it stays locked.
 */
#include "engine/evidence/apfs_lock.h"
#include "engine/evidence/image_private.h"
#include "engine/evidence/layer/crypt.h"
#include "engine/evidence/tsk/tsk_private.h"

#include "engine/base/bytes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 16 * APFS_BLOCK };
#define PLAIN (UINT64_C(1) << 62) /* numbers from here on: of blocks that are not encrypted */

/* `base` must be first: libtsk hands its address back to the read function. */
struct tsk_apfs {
    TSK_IMG_INFO base;
    struct tsk_medium *medium;
    uint64_t offset; /* of the container */
    struct crypt_sectors *sectors;
    uint8_t room[PIECE];
};

/* ------------------------------------------------------------------ reading */

static bool decrypt(struct crypt_sectors *sectors, uint64_t number, uint8_t *block, size_t from)
{
    for (size_t at = from; at < APFS_BLOCK; at += APFS_SECTOR) {
        if (crypt_sectors_decrypt(sectors, number * (APFS_BLOCK / APFS_SECTOR) + at / APFS_SECTOR, block + at,
                                  APFS_SECTOR) < 0)
            return false;
    }
    return true;
}

static bool is_node(const uint8_t *block)
{
    enum { ROOT = 2, NODE = 3, FSTREE = 14 };
    struct bytes bytes;
    uint16_t type;

    bytes_init(&bytes, block, APFS_SECTOR);
    bytes_seek(&bytes, 24);
    type = bytes_u16le(&bytes);
    bytes_skip(&bytes, 2);
    return (type == ROOT || type == NODE) && bytes_u32le(&bytes) == FSTREE;
}

/* A node of the tree becomes plain; anything else stays. */
static void decrypt_node(struct crypt_sectors *sectors, uint64_t number, uint8_t *block)
{
    uint8_t plain[APFS_BLOCK];

    memcpy(plain, block, APFS_BLOCK);
    if (crypt_sectors_decrypt(sectors, number * (APFS_BLOCK / APFS_SECTOR), plain, APFS_SECTOR) == 0 &&
        is_node(plain) && decrypt(sectors, number, plain, APFS_SECTOR) && apfs_sums(plain, APFS_BLOCK))
        memcpy(block, plain, APFS_BLOCK);
}

/* Up to a piece of whole blocks around `offset`; how much of it from there on was stored, or -1. */
static ssize_t read_blocks(struct tsk_apfs *apfs, uint64_t offset, char *data, size_t size)
{
    TSK_IMG_INFO *under = &apfs->medium->base;
    uint64_t first = (offset - apfs->offset) / APFS_BLOCK, from = apfs->offset + first * APFS_BLOCK;
    size_t inside = (size_t)(offset - from), there;
    ssize_t count = under->read(under, (TSK_OFF_T)from, (char *)apfs->room, PIECE);

    if (count < 0 || (size_t)count <= inside)
        return count < 0 ? -1 : 0;
    there = (size_t)count;
    for (size_t at = 0; at + APFS_BLOCK <= there; at += APFS_BLOCK)
        decrypt_node(apfs->sectors, first + at / APFS_BLOCK, apfs->room + at);
    there -= inside;
    if (there > size)
        there = size;
    memcpy(data, apfs->room + inside, there);
    return (ssize_t)there;
}

static ssize_t tree_read(TSK_IMG_INFO *base, TSK_OFF_T offset, char *data, size_t size)
{
    struct tsk_apfs *apfs = (struct tsk_apfs *)base;
    TSK_IMG_INFO *under = &apfs->medium->base;
    size_t done = 0;

    if (offset < 0 || (uint64_t)offset < apfs->offset || offset > base->size)
        return under->read(under, offset, data, size); /* no block of the container's */
    while (done < size) {
        ssize_t count = read_blocks(apfs, (uint64_t)offset + done, data + done, size - done);

        if (count < 0)
            return -1;
        if (count == 0)
            break;
        done += (size_t)count;
    }
    return (ssize_t)done;
}

/* The names of an image's files are all that libtsk's image of a pool has room for, and here there are none.
 */
static void set_owner(TSK_IMG_INFO *pool_image, struct tsk_apfs *apfs)
{
    pool_image->images = (TSK_TCHAR **)(void *)apfs;
}

static struct tsk_apfs *owner(const TSK_IMG_INFO *pool_image)
{
    return (struct tsk_apfs *)(void *)pool_image->images;
}

static ssize_t contents_read(TSK_IMG_INFO *pool_image, TSK_OFF_T offset, char *data, size_t size)
{
    TSK_IMG_INFO *under = &owner(pool_image)->medium->base;

    return under->read(under, offset, data, size);
}

static uint8_t contents_decrypt(TSK_FS_INFO *info, TSK_DADDR_T number, void *data)
{
    if (number >= PLAIN)
        return 0;
    return decrypt(owner(info->img_info)->sectors, number, data, 0) ? 0 : 1;
}

/* libtsk decrypts all extents of an encrypted volume, also those that it knows to be plain. */
void tsk_apfs_mark(TSK_FS_FILE *file)
{
    int count = tsk_fs_file_attr_getsize(file);

    for (int i = 0; i < count; i++) {
        const TSK_FS_ATTR *attribute = tsk_fs_file_attr_get_idx(file, i);
        TSK_FS_ATTR_RUN *run =
            attribute && (attribute->flags & TSK_FS_ATTR_NONRES) ? attribute->nrd.run : NULL;

        for (; run; run = run->next) {
            if (!(run->flags & TSK_FS_ATTR_RUN_FLAG_ENCRYPTED))
                run->crypto_id = PLAIN;
        }
    }
}

static void nothing_close(TSK_IMG_INFO *base)
{
    (void)base;
}

static void nothing_stat(TSK_IMG_INFO *base, FILE *file)
{
    (void)base;
    (void)file;
}

/* ------------------------------------------------------------------ opening */

/* On the medium, or on what decrypts it. */
static int open_on(struct tsk_filesystem *filesystem, TSK_IMG_INFO *base, struct why *why)
{
    struct tsk_apfs *apfs = filesystem->apfs;
    char words[256];

    filesystem->pool = tsk_pool_open_img_sing(base, (TSK_OFF_T)filesystem->offset, TSK_POOL_TYPE_APFS);
    if (filesystem->pool)
        filesystem->pool_image = filesystem->pool->get_img_info(filesystem->pool, filesystem->block);
    if (filesystem->pool_image && apfs) {
        set_owner(filesystem->pool_image, apfs);
        filesystem->pool_image->read = contents_read;
    }
    if (filesystem->pool_image)
        filesystem->info =
            tsk_fs_open_img(filesystem->pool_image, (TSK_OFF_T)filesystem->offset, TSK_FS_TYPE_APFS);
    if (!filesystem->info)
        return why_set(why, -EIO, "APFS volume at block %llu does not open: %s",
                       (unsigned long long)filesystem->block, tsk_words(words, sizeof words));
    if (apfs)
        filesystem->info->decrypt_block = contents_decrypt;
    return 0;
}

void tsk_apfs_close(struct tsk_filesystem *filesystem)
{
    if (filesystem->info)
        tsk_fs_close(filesystem->info);
    if (filesystem->pool_image)
        filesystem->pool_image->close(filesystem->pool_image);
    if (filesystem->pool)
        tsk_pool_close(filesystem->pool);
    if (filesystem->apfs)
        crypt_sectors_free(filesystem->apfs->sectors);
    free(filesystem->apfs);
    filesystem->info = NULL;
    filesystem->pool_image = NULL;
    filesystem->pool = NULL;
    filesystem->apfs = NULL;
}

static int open_decrypted(struct tsk_filesystem *filesystem, const uint8_t key[APFS_KEY_SIZE],
                          struct why *why)
{
    const TSK_IMG_INFO *under = &filesystem->medium->base;
    struct tsk_apfs *apfs = calloc(1, sizeof *apfs);
    int code;

    if (!apfs)
        return -ENOMEM;
    filesystem->apfs = apfs;
    apfs->medium = filesystem->medium;
    apfs->offset = filesystem->offset;
    code = crypt_sectors_new("aes", "xts-plain64", key, APFS_KEY_SIZE, &apfs->sectors);
    if (code < 0)
        return why_set(why, code, "AES-XTS is not there");
    if (!tsk_img_open_external(apfs, under->size, under->sector_size, tree_read, nothing_close,
                               nothing_stat)) {
        tsk_error_reset();
        return -ENOMEM;
    }
    return open_on(filesystem, &apfs->base, why);
}

static int read_container(void *context, uint64_t offset, void *data, size_t size)
{
    const struct tsk_filesystem *filesystem = context;

    return image_read(filesystem->medium->image, filesystem->offset + offset, data, size) < 0 ? -EIO : 0;
}

static void on_alive(void *context)
{
    image_alive(context);
}

static int try_keys(struct tsk_filesystem *filesystem, const struct apfs_lock *lock, struct why *why)
{
    struct image *image = filesystem->medium->image;
    const struct keys *keys = image_keys(image);
    char digest[KEY_DIGEST_SIZE];
    struct why ignored, told = {{0}};
    uint8_t own[APFS_KEY_SIZE];

    for (size_t i = 0; keys && i < keys->count; i++) {
        const struct key *key = &keys->items[i];
        int code = apfs_lock_open(lock, key, on_alive, image, own, &told);

        if (code == 0)
            code = open_decrypted(filesystem, own, key->kind == KEY_MASTER ? &ignored : why);
        crypt_wipe(own, sizeof own);
        if (code == 0) {
            key_digest(key, lock->uuid, digest);
            (void)snprintf(filesystem->note, sizeof filesystem->note,
                           "APFS, AES-128-XTS, volume %s%s, opened with %s %s", lock->uuid,
                           lock->many ? APFS_MANY : "", key_kind_name(key->kind), digest);
            return 0;
        }
        tsk_apfs_close(filesystem);
        if (code == -ENOMEM || (code != -ENOKEY && key->kind != KEY_MASTER))
            return code;
    }
    return why_set(why, -ENOKEY, "%s", told.text[0] != '\0' ? told.text : lock->words);
}

static int try_busily(struct tsk_filesystem *filesystem, const struct apfs_lock *lock, struct why *why)
{
    struct image *image = filesystem->medium->image;
    int code;

    if (image->busy)
        image->busy(image->busy_context, true);
    code = try_keys(filesystem, lock, why);
    if (image->busy)
        image->busy(image->busy_context, false);
    return code;
}

/* What a machine encrypts it also decrypts when it is asked for its disk: then the image has it plain. */
static int open_plain(struct tsk_filesystem *filesystem, const struct apfs_lock *lock)
{
    struct why ignored;

    if (open_on(filesystem, &filesystem->medium->base, &ignored) < 0) {
        tsk_apfs_close(filesystem);
        return -ENOTSUP;
    }
    filesystem->info->flags &= ~(TSK_FS_INFO_FLAG_ENUM)TSK_FS_INFO_FLAG_ENCRYPTED;
    (void)snprintf(filesystem->note, sizeof filesystem->note,
                   "APFS, volume %s, decrypted by the hardware of its Mac before it was imaged", lock->uuid);
    return 0;
}

static int unlock(struct tsk_filesystem *filesystem, struct why *why)
{
    const struct reader container = {read_container, filesystem,
                                     (uint64_t)filesystem->medium->base.size - filesystem->offset};
    struct apfs_lock *lock = calloc(1, sizeof *lock);
    int code = lock ? apfs_lock_read(&container, filesystem->block, lock, why) : -ENOMEM;

    if (code == -ENOTSUP && lock->hardware)
        code = open_plain(filesystem, lock);
    else if (code == 0)
        code = try_busily(filesystem, lock, why);
    free(lock);
    return code == 0 || code == -ENOKEY || code == -ENOMEM ? code : -EIO;
}

bool tsk_apfs_locked(const TSK_POOL_INFO *pool, uint64_t block)
{
    const TSK_POOL_VOLUME_INFO *volume = pool->vol_list;

    while (volume && volume->block != block)
        volume = volume->next;
    return volume && (volume->flags & TSK_POOL_VOLUME_FLAG_ENCRYPTED);
}

int tsk_apfs_open(struct tsk_filesystem *filesystem, struct why *why)
{
    TSK_IMG_INFO *base = &filesystem->medium->base;
    const TSK_POOL_INFO *pool =
        tsk_pool_open_img_sing(base, (TSK_OFF_T)filesystem->offset, TSK_POOL_TYPE_APFS);
    bool locked = pool && tsk_apfs_locked(pool, filesystem->block);

    if (pool)
        tsk_pool_close(pool);
    return locked ? unlock(filesystem, why) : open_on(filesystem, base, why);
}
