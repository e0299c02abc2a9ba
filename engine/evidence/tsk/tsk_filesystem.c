/*
 * tsk_filesystem: what is known of a file system as a whole: its type's names, serial number, label, size;
 * and the expand task of one.
 *
 * Labels are read where the formats keep them: NTFS $Volume's $VOLUME_NAME; ext superblock s_volume_name; FAT
 * boot sector [Microsoft FAT specification 1.03]; ISO 9660 volume descriptor [ECMA-119 8.4.7]. The label of
 * an APFS volume is in its pool.
 */
#include "engine/evidence/tsk/tsk_private.h"

#include "engine/base/bytes.h"
#include "engine/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    TSK_FS_TYPE_ENUM type;
    const char *time_note;
} types[] = {
    {"ntfs", TSK_FS_TYPE_NTFS, "UTC, 100 ns"},
    {"fat12", TSK_FS_TYPE_FAT12, "local time of the writer: 10 ms (born), 2 s (modified), 1 day (accessed)"},
    {"fat16", TSK_FS_TYPE_FAT16, "local time of the writer: 10 ms (born), 2 s (modified), 1 day (accessed)"},
    {"fat32", TSK_FS_TYPE_FAT32, "local time of the writer: 10 ms (born), 2 s (modified), 1 day (accessed)"},
    {"exfat", TSK_FS_TYPE_EXFAT,
     "local time of the writer, its zone not applied: 10 ms (born, modified), 2 s (accessed)"},
    {"ext2", TSK_FS_TYPE_EXT2, "UTC, 1 s"},
    {"ext3", TSK_FS_TYPE_EXT3, "UTC, 1 s"},
    {"ext4", TSK_FS_TYPE_EXT4, "UTC, 1 ns (1 s with inodes of 128 bytes)"},
    {"hfs+", TSK_FS_TYPE_HFS, "UTC, 1 s"},
    {"apfs", TSK_FS_TYPE_APFS, "UTC, 1 ns"},
    {"iso9660", TSK_FS_TYPE_ISO9660, "as recorded with its own zone, 1 s"},
    {"ufs1", TSK_FS_TYPE_FFS1, "UTC, 1 s"},
    {"ufs1b", TSK_FS_TYPE_FFS1B, "UTC, 1 s"},
    {"ufs2", TSK_FS_TYPE_FFS2, "UTC, 1 ns"},
    {"yaffs2", TSK_FS_TYPE_YAFFS2, "UTC, 1 s"},
};
enum { TYPES = sizeof types / sizeof types[0] };

TSK_FS_TYPE_ENUM tsk_type_parse(const char *name)
{
    for (size_t i = 0; i < TYPES; i++) {
        if (strcmp(types[i].name, name) == 0)
            return types[i].type;
    }
    return TSK_FS_TYPE_UNSUPP;
}

const char *tsk_type_name(const TSK_FS_INFO *info)
{
    for (size_t i = 0; i < TYPES; i++) {
        if (types[i].type == info->ftype)
            return types[i].name;
    }
    return "";
}

const char *tsk_type_time_note(const char *type)
{
    for (size_t i = 0; i < TYPES; i++) {
        if (strcmp(types[i].name, type) == 0)
            return types[i].time_note;
    }
    return "";
}

/* ------------------------------------------------------------------ serial, label, size */

static void serial_uuid(const uint8_t *id, struct buf *buf)
{
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            buf_text(buf, "-");
        text_hex(buf, &id[i], 1);
    }
}

void tsk_filesystem_serial(const TSK_FS_INFO *info, struct buf *buf)
{
    size_t size = info->fs_id_used < sizeof info->fs_id ? info->fs_id_used : sizeof info->fs_id;

    if (TSK_FS_TYPE_ISEXT(info->ftype) && size == 16) {
        serial_uuid(info->fs_id, buf);
    } else if (TSK_FS_TYPE_ISNTFS(info->ftype) || TSK_FS_TYPE_ISFAT(info->ftype)) {
        for (size_t i = size; i > 0; i--) /* little-endian numbers, written as people write them */
            text_hex(buf, &info->fs_id[i - 1], 1);
    } else if (TSK_FS_TYPE_ISHFS(info->ftype)) {
        text_escape(buf, info->fs_id, strnlen((const char *)info->fs_id, size)); /* hex already */
    } else if (!TSK_FS_TYPE_ISISO9660(info->ftype)) {
        text_hex(buf, info->fs_id, size);
    }
}

static void escape_trimmed(struct buf *buf, const uint8_t *data, size_t size)
{
    size = strnlen((const char *)data, size);
    while (size > 0 && data[size - 1] == ' ')
        size--;
    text_escape(buf, data, size);
}

static void label_ntfs(TSK_FS_INFO *info, struct buf *buf)
{
    enum { VOLUME_INODE = 3 };
    TSK_FS_FILE *file = tsk_fs_file_open_meta(info, NULL, VOLUME_INODE);
    const TSK_FS_ATTR *name =
        file ? tsk_fs_file_attr_get_type(file, TSK_FS_ATTR_TYPE_NTFS_VNAME, 0, 0) : NULL;

    if (name && (name->flags & TSK_FS_ATTR_RES) && name->size > 0 && name->size <= 256 &&
        (size_t)name->size <= name->rd.buf_size) {
        struct buf text = {0};
        text_from_utf16(&text, name->rd.buf, (size_t)name->size, false);
        text_escape(buf, text.data, text.size);
        buf_finish(&text);
    }
    tsk_fs_file_close(file);
    tsk_error_reset();
}

void tsk_filesystem_label(TSK_FS_INFO *info, struct tsk_medium *medium, struct buf *buf)
{
    uint64_t at = (uint64_t)info->offset, from;
    uint8_t data[32];
    size_t size = 11;

    if (TSK_FS_TYPE_ISNTFS(info->ftype)) {
        label_ntfs(info, buf);
        return;
    }
    if (info->ftype == TSK_FS_TYPE_FAT32) {
        from = 71;
    } else if (info->ftype == TSK_FS_TYPE_FAT12 || info->ftype == TSK_FS_TYPE_FAT16) {
        from = 43;
    } else if (TSK_FS_TYPE_ISEXT(info->ftype)) {
        from = 1024 + 120;
        size = 16;
    } else if (TSK_FS_TYPE_ISISO9660(info->ftype) && info->block_pre_size == 0) {
        from = 0x8000 + 40;
        size = 32;
    } else {
        return;
    }
    if (tsk_medium_bytes(medium, u64_add_saturating(at, from), data, size) &&
        !(size == 11 && memcmp(data, "NO NAME    ", 11) == 0))
        escape_trimmed(buf, data, size);
}

uint64_t tsk_filesystem_size(const TSK_FS_INFO *info)
{
    uint64_t block = (uint64_t)info->block_size + info->block_pre_size + info->block_post_size;

    return u64_mul_saturating(info->block_count, block);
}

/* ------------------------------------------------------------------ the expand task */

/* The key of the volume that the locator's file system lies in: "p2", or "p2.v1" for the first volume of an
 * APFS container. */
static int find_key(struct tsk_task *task, const struct locator *locator, struct buf *key)
{
    const struct tsk_slot *slot;
    const TSK_POOL_INFO *pool;
    int code = tsk_slots_load(task->keep);

    if (code < 0)
        return code;
    slot = tsk_slots_at(task->keep, locator->offset);
    buf_text(key, slot ? slot->key : "image");
    if (locator->kind != LOCATOR_APFS)
        return buf_failed(key) ? -ENOMEM : 0;
    pool = tsk_pool_open_img_sing(&task->keep->medium.base, (TSK_OFF_T)locator->offset, TSK_POOL_TYPE_APFS);
    for (const TSK_POOL_VOLUME_INFO *volume = pool ? pool->vol_list : NULL; volume; volume = volume->next) {
        if (volume->block == locator->block) {
            buf_printf(key, ".v%d", volume->index + 1);
            break;
        }
    }
    if (pool)
        tsk_pool_close(pool);
    tsk_error_reset();
    return buf_failed(key) ? -ENOMEM : 0;
}

/* A file system that opened when its volume was listed, and does not now: all of its volume is raw. */
static int account_unread(struct tsk_task *task, const struct locator *locator, const char *key)
{
    const struct tsk_slot *slot = tsk_slots_at(task->keep, locator->offset);
    int code = 0;

    if (!slot || locator->kind == LOCATOR_APFS)
        return 0;
    code = tsk_task_account(task, key, ACCOUNT_OUTSIDE, 0);
    return code < 0 ? code : tsk_task_account(task, key, ACCOUNT_RAW, slot->present);
}

/* Which volume of an APFS container its free space is listed with: the first that needs no key, or else the
 * first that opens. */
static int find_first(struct tsk_task *task, const struct tsk_filesystem *filesystem, uint64_t *ret_block)
{
    struct locator locator = {.kind = LOCATOR_APFS, .offset = filesystem->offset, .type = "apfs"};

    for (const TSK_POOL_VOLUME_INFO *volume = filesystem->pool->vol_list; volume; volume = volume->next) {
        if (!(volume->flags & TSK_POOL_VOLUME_FLAG_ENCRYPTED)) {
            *ret_block = volume->block;
            return 0;
        }
    }
    for (const TSK_POOL_VOLUME_INFO *volume = filesystem->pool->vol_list; volume; volume = volume->next) {
        struct tsk_filesystem *other;
        int code;

        locator.block = *ret_block = volume->block;
        if (volume->block == filesystem->block)
            return 0;
        code = tsk_filesystem_acquire(task->image, &locator, &other, NULL);
        if (code == 0)
            tsk_filesystem_release(other);
        if (code == 0 || code == -ENOMEM)
            return code;
    }
    return 0;
}

static int close_container(struct tsk_task *task, struct tsk_filesystem *filesystem)
{
    const struct tsk_slot *slot = tsk_slots_at(task->keep, filesystem->offset);
    uint64_t block = 0;
    int code = slot ? find_first(task, filesystem, &block) : 0;

    if (code < 0 || !slot || block != filesystem->block || tsk_task_at(task, TSK_AT_SPACE))
        return code;
    return tsk_space_close_pool(filesystem, task, slot);
}

static int walk_filesystem(struct tsk_task *task, const struct locator *locator, const char *key)
{
    struct tsk_filesystem *filesystem = NULL;
    struct buf root = {0};
    struct why why = {""};
    int code;

    if (tsk_task_at(task, TSK_AT_OPEN)) {
        code = account_unread(task, locator, key);
        return code < 0
                   ? code
                   : tsk_task_fault(task, &(struct found_fault){
                                              .kind = task->skip->kind,
                                              .volume = key,
                                              .stage = "filesystem",
                                              .offset = locator->offset,
                                              .effect = "file system not listed",
                                              .detail = "an earlier attempt did not survive opening it"});
    }
    code = tsk_filesystem_acquire(task->image, locator, &filesystem, &why);
    if (code == -EIO && account_unread(task, locator, key) == 0)
        return tsk_task_fault(task, &(struct found_fault){.kind = FAULT_DAMAGED,
                                                          .volume = key,
                                                          .stage = "filesystem",
                                                          .offset = locator->offset,
                                                          .effect = "file system not listed",
                                                          .detail = why.text});
    if (code < 0)
        return code;
    buf_printf(&root, "%s/%s/%s", image_name(task->image), key, filesystem->type);
    code = buf_failed(&root) ? -ENOMEM : tsk_walk(task, filesystem, key, buf_cstr(&root));
    if (code == 0 && locator->kind == LOCATOR_APFS)
        code = close_container(task, filesystem);
    buf_finish(&root);
    tsk_filesystem_release(filesystem);
    return code;
}

int tsk_filesystem_expand(struct image *image, const struct locator *locator, const struct found_sink *sink,
                          const struct expand_skip *skip)
{
    struct tsk_task task;
    struct buf key = {0};
    int code;

    if (locator->kind == LOCATOR_FS && tsk_type_parse(locator->type) == TSK_FS_TYPE_UNSUPP)
        return -EINVAL;
    code = tsk_task_begin(&task, image, sink, skip);
    if (code == 0)
        code = find_key(&task, locator, &key);
    if (code == 0)
        code = walk_filesystem(&task, locator, buf_cstr(&key));
    if (code == 0 && locator->kind == LOCATOR_FS)
        code = tsk_shadow_report(&task, locator);
    tsk_task_end(&task);
    buf_finish(&key);
    return code;
}
