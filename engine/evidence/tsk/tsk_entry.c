/*
 * tsk_entry: a file of libtsk's as an entry of ours.
 *
 * Times: NTFS from the attributes themselves ($STANDARD_INFORMATION, $FILE_NAME: libtsk keeps 32 bits of
 * seconds); ext from the inode (tsk_ext.c); all others as libtsk gives them. [NTFS: libyal/libfsntfs
 * documentation, "The standard information attribute", "The file name attribute"]
 */
#include "engine/base/bytes.h"
#include "engine/base/text.h"
#include "engine/base/when.h"
#include "engine/evidence/tsk/tsk_private.h"

#include <errno.h>
#include <string.h>

enum {
    NTFS_FILES_RESERVED = 24, /* records below are the file system's own, but for the root folder */
    NTFS_ROOT = 5,
    HFS_FIRST_USER = 16,
    HFS_ROOT = 2,
    EXT_FIRST_USER = 11,
    EXT_ROOT = 2,
    EXT_ENCRYPT_FL = 0x800,
};

void tsk_entry_room_finish(struct tsk_entry_room *room)
{
    buf_finish(&room->target);
    buf_finish(&room->locator);
    buf_finish(&room->attribute);
    buf_finish(&room->raw_times);
}

/* ------------------------------------------------------------------ type and flags */

static enum entry_type type_of_meta(TSK_FS_META_TYPE_ENUM type)
{
    static const enum entry_type map[TSK_FS_META_TYPE_STR_MAX] = {
        [TSK_FS_META_TYPE_UNDEF] = ENTRY_UNKNOWN, [TSK_FS_META_TYPE_REG] = ENTRY_FILE,
        [TSK_FS_META_TYPE_DIR] = ENTRY_FOLDER,    [TSK_FS_META_TYPE_FIFO] = ENTRY_FIFO,
        [TSK_FS_META_TYPE_CHR] = ENTRY_CHARDEV,   [TSK_FS_META_TYPE_BLK] = ENTRY_BLOCKDEV,
        [TSK_FS_META_TYPE_LNK] = ENTRY_LINK,      [TSK_FS_META_TYPE_SHAD] = ENTRY_UNKNOWN,
        [TSK_FS_META_TYPE_SOCK] = ENTRY_SOCKET,   [TSK_FS_META_TYPE_WHT] = ENTRY_WHITEOUT,
        [TSK_FS_META_TYPE_VIRT] = ENTRY_VIRTUAL,  [TSK_FS_META_TYPE_VIRT_DIR] = ENTRY_VIRTUAL,
    };

    return (unsigned)type < TSK_FS_META_TYPE_STR_MAX ? map[type] : ENTRY_UNKNOWN;
}

static enum entry_type type_of_name(TSK_FS_NAME_TYPE_ENUM type)
{
    static const enum entry_type map[TSK_FS_NAME_TYPE_STR_MAX] = {
        [TSK_FS_NAME_TYPE_UNDEF] = ENTRY_UNKNOWN, [TSK_FS_NAME_TYPE_FIFO] = ENTRY_FIFO,
        [TSK_FS_NAME_TYPE_CHR] = ENTRY_CHARDEV,   [TSK_FS_NAME_TYPE_DIR] = ENTRY_FOLDER,
        [TSK_FS_NAME_TYPE_BLK] = ENTRY_BLOCKDEV,  [TSK_FS_NAME_TYPE_REG] = ENTRY_FILE,
        [TSK_FS_NAME_TYPE_LNK] = ENTRY_LINK,      [TSK_FS_NAME_TYPE_SOCK] = ENTRY_SOCKET,
        [TSK_FS_NAME_TYPE_SHAD] = ENTRY_UNKNOWN,  [TSK_FS_NAME_TYPE_WHT] = ENTRY_WHITEOUT,
        [TSK_FS_NAME_TYPE_VIRT] = ENTRY_VIRTUAL,  [TSK_FS_NAME_TYPE_VIRT_DIR] = ENTRY_VIRTUAL,
    };

    return (unsigned)type < TSK_FS_NAME_TYPE_STR_MAX ? map[type] : ENTRY_UNKNOWN;
}

static bool belongs_to_filesystem(const TSK_FS_INFO *info, uint64_t inode, enum entry_type type)
{
    if (type == ENTRY_VIRTUAL)
        return true;
    if (TSK_FS_TYPE_ISNTFS(info->ftype))
        return inode < NTFS_FILES_RESERVED && inode != NTFS_ROOT;
    if (TSK_FS_TYPE_ISHFS(info->ftype))
        return inode < HFS_FIRST_USER && inode != HFS_ROOT;
    if (TSK_FS_TYPE_ISEXT(info->ftype))
        return inode < EXT_FIRST_USER && inode != EXT_ROOT;
    return false;
}

/* ------------------------------------------------------------------ times */

static int64_t time_of(time_t seconds, uint32_t nanoseconds)
{
    return seconds == 0 && nanoseconds == 0 ? WHEN_NONE : when_from_unix(seconds, nanoseconds % 1000000000U);
}

static void generic_times(const TSK_FS_META *meta, struct found_entry *entry)
{
    entry->modified = time_of(meta->mtime, meta->mtime_nano);
    entry->accessed = time_of(meta->atime, meta->atime_nano);
    entry->changed = time_of(meta->ctime, meta->ctime_nano);
    entry->born = time_of(meta->crtime, meta->crtime_nano);
}

/* Four FILETIMEs: born, modified, changed, accessed. Years past 2262 do not fit: then the stored numbers are
 * kept too. */
static void take_filetimes(const uint8_t *data, const char *prefix, struct buf *raw_times, uint32_t *flags,
                           int64_t *times[4])
{
    static const char letters[4] = {'b', 'm', 'c', 'a'};
    struct bytes bytes;

    bytes_init(&bytes, data, 32);
    for (size_t i = 0; i < 4; i++) {
        uint64_t stored = bytes_u64le(&bytes);
        *times[i] = when_from_filetime(stored);
        if (*times[i] == when_from_filetime(UINT64_MAX) && stored != 0) {
            buf_printf(raw_times, "%s%s%c=0x%016llx", raw_times->size > 0 ? " " : "", prefix, letters[i],
                       (unsigned long long)stored);
            *flags |= ENTRY_TIME_RANGE;
        }
    }
}

static const uint8_t *resident(TSK_FS_FILE *file, TSK_FS_ATTR_TYPE_ENUM type, uint16_t id, bool with_id,
                               size_t size)
{
    const TSK_FS_ATTR *attribute = tsk_fs_file_attr_get_type(file, type, id, with_id);

    if (!attribute || !(attribute->flags & TSK_FS_ATTR_RES) || attribute->size < (TSK_OFF_T)size ||
        attribute->rd.buf_size < size)
        return NULL;
    return attribute->rd.buf;
}

static void ntfs_times(struct tsk_entry_room *room, TSK_FS_FILE *file, struct found_entry *entry)
{
    int64_t *times[] = {&entry->born, &entry->modified, &entry->changed, &entry->accessed};
    int64_t *names[] = {&entry->name_born, &entry->name_modified, &entry->name_changed,
                        &entry->name_accessed};
    const uint8_t *standard = resident(file, TSK_FS_ATTR_TYPE_NTFS_SI, 0, false, 32);
    const uint8_t *name = resident(file, TSK_FS_ATTR_TYPE_NTFS_FNAME, file->meta->time2.ntfs.fn_id, true, 40);

    if (standard)
        take_filetimes(standard, "", &room->raw_times, &entry->flags, times);
    if (name)
        take_filetimes(name + 8, "fn_", &room->raw_times, &entry->flags, names);
    tsk_error_reset();
}

static void ext_times(struct tsk_entry_room *room, struct tsk_filesystem *filesystem, const TSK_FS_META *meta,
                      struct found_entry *entry)
{
    struct tsk_ext_inode inode;

    if (!filesystem->ext || !tsk_ext_inode(filesystem->ext, meta->addr, &room->raw_times, &inode)) {
        generic_times(meta, entry);
        return;
    }
    entry->modified = inode.modified;
    entry->accessed = inode.accessed;
    entry->changed = inode.changed;
    entry->born = inode.born;
    entry->deleted = inode.deleted;
    if (inode.out_of_range)
        entry->flags |= ENTRY_TIME_RANGE;
    if (inode.flags & EXT_ENCRYPT_FL)
        entry->flags |= ENTRY_ENCRYPTED;
}

/* ------------------------------------------------------------------ from the metadata */

static void from_meta(struct tsk_entry_room *room, struct tsk_filesystem *filesystem, TSK_FS_FILE *file,
                      struct found_entry *entry)
{
    const TSK_FS_META *meta = file->meta;
    const TSK_FS_TYPE_ENUM type = filesystem->info->ftype;

    entry->type = type_of_meta(meta->type);
    if (!file->name)
        entry->inode = meta->addr;
    entry->sequence = meta->seq;
    entry->size = meta->size > 0 ? (uint64_t)meta->size : 0;
    entry->links = meta->nlink > 0 ? (uint32_t)meta->nlink : 0;
    if (meta->flags & TSK_FS_META_FLAG_UNALLOC)
        entry->flags |= ENTRY_CONTENT_DELETED;
    if (meta->flags & TSK_FS_META_FLAG_COMP)
        entry->flags |= ENTRY_COMPRESSED;
    if (!TSK_FS_TYPE_ISNTFS(type) && !TSK_FS_TYPE_ISFAT(type) && entry->type != ENTRY_VIRTUAL) {
        entry->mode = (uint32_t)meta->mode & 07777;
        entry->uid = (uint32_t)meta->uid;
        entry->gid = (uint32_t)meta->gid;
    }
    if (TSK_FS_TYPE_ISNTFS(type) && entry->type != ENTRY_VIRTUAL)
        ntfs_times(room, file, entry);
    else if (TSK_FS_TYPE_ISEXT(type) && entry->type != ENTRY_VIRTUAL)
        ext_times(room, filesystem, meta, entry);
    else
        generic_times(meta, entry); /* what libtsk makes itself has none */
    if (meta->link) {
        text_escape(&room->target, meta->link, strnlen(meta->link, FOUND_TARGET_MAX));
        entry->target = buf_cstr(&room->target);
    }
    entry->raw_times = buf_cstr(&room->raw_times);
}

void tsk_entry_from_file(struct tsk_entry_room *room, struct tsk_filesystem *filesystem, TSK_FS_FILE *file,
                         struct found_entry *entry)
{
    const TSK_FS_NAME *name = file->name;

    buf_clear(&room->target);
    buf_clear(&room->raw_times);
    if (name) {
        entry->type = type_of_name(name->type);
        entry->inode = name->meta_addr;
        entry->sequence = name->meta_seq;
        entry->parent_inode = name->par_addr;
        if (name->flags & TSK_FS_NAME_FLAG_UNALLOC)
            entry->flags |= ENTRY_NAME_DELETED;
    }
    if (file->meta)
        from_meta(room, filesystem, file, entry);
    else
        entry->flags |= ENTRY_NO_METADATA;
    if (name && file->meta && (name->flags & TSK_FS_NAME_FLAG_UNALLOC) &&
        (file->meta->flags & TSK_FS_META_FLAG_ALLOC))
        entry->flags |= ENTRY_REALLOCATED;
    if (belongs_to_filesystem(filesystem->info, entry->inode, entry->type))
        entry->flags |= ENTRY_METADATA;
}

/* ------------------------------------------------------------------ from the content's attribute */

/* One piece more of where it lies, joined to the last one where they touch; at most FOUND_RUNS_MAX. */
static void take_run(struct tsk_entry_room *room, const struct extent *extent, struct found_entry *entry)
{
    struct found_run *last = entry->run_count > 0 ? &room->runs[entry->run_count - 1] : NULL;
    bool hole = extent->physical == EXTENT_HOLE;

    entry->runs = room->runs;
    if (!hole && entry->disk == UINT64_MAX)
        entry->disk = extent->physical;
    if (!hole)
        entry->allocated_size = u64_add_saturating(entry->allocated_size, extent->size);
    if (last && (hole ? last->offset == EXTENT_HOLE
                      : last->offset != EXTENT_HOLE && last->offset + last->size == extent->physical))
        last->size = u64_add_saturating(last->size, extent->size);
    else if (entry->run_count == FOUND_RUNS_MAX)
        entry->runs_cut = true;
    else
        room->runs[entry->run_count++] = (struct found_run){extent->physical, extent->size};
}

static void take_runs(struct tsk_entry_room *room, struct tsk_filesystem *filesystem,
                      const TSK_FS_ATTR *attribute, struct found_entry *entry)
{
    struct tsk_runs runs;
    struct extent extent;
    bool compressed = (attribute->flags & TSK_FS_ATTR_COMP) != 0;

    tsk_runs_init(&runs, filesystem->info, attribute, compressed ? UINT64_MAX : entry->size);
    while (tsk_runs_next(&runs, &extent)) {
        if (extent.physical == EXTENT_HOLE && !compressed)
            entry->flags |= ENTRY_SPARSE;
        take_run(room, &extent, entry);
    }
}

static void take_locator(struct tsk_entry_room *room, const struct tsk_filesystem *filesystem, uint32_t type,
                         uint16_t id, struct found_entry *entry)
{
    struct locator locator = {
        .kind = filesystem->pool ? LOCATOR_APFS_CONTENT : LOCATOR_FS_CONTENT,
        .offset = filesystem->offset,
        .block = filesystem->block,
        .inode = entry->inode,
        .attribute_type = type,
        .attribute_id = id,
    };

    memcpy(locator.type, filesystem->type, sizeof locator.type);
    locator_print(&room->locator, &locator);
    entry->locator = buf_cstr(&room->locator);
}

void tsk_entry_from_attribute(struct tsk_entry_room *room, struct tsk_filesystem *filesystem,
                              const TSK_FS_ATTR *attribute, bool content, struct found_entry *entry)
{
    const TSK_FS_INFO *info = filesystem->info;

    buf_clear(&room->locator);
    buf_clear(&room->attribute);
    entry->size = attribute->size > 0 ? (uint64_t)attribute->size : 0;
    entry->allocated_size = 0;
    if (TSK_FS_TYPE_ISNTFS(info->ftype)) {
        buf_printf(&room->attribute, "%u-%u", (unsigned)attribute->type, (unsigned)attribute->id);
        entry->attribute = buf_cstr(&room->attribute);
    }
    if (attribute->flags & TSK_FS_ATTR_RES)
        entry->flags |= ENTRY_RESIDENT;
    if (attribute->flags & TSK_FS_ATTR_COMP)
        entry->flags |= ENTRY_COMPRESSED;
    if (attribute->flags & TSK_FS_ATTR_SPARSE)
        entry->flags |= ENTRY_SPARSE;
    if (attribute->flags & TSK_FS_ATTR_ENC)
        entry->flags |= ENTRY_ENCRYPTED;
    if (!(info->flags & TSK_FS_INFO_FLAG_ENCRYPTED) && info->block_pre_size == 0 &&
        info->block_post_size == 0)
        take_runs(room, filesystem, attribute, entry);
    if (!content)
        return;
    take_locator(room, filesystem, (uint32_t)attribute->type, attribute->id, entry);
    if (attribute->type == TSK_FS_ATTR_TYPE_HFS_RSRC || attribute->type == TSK_FS_ATTR_TYPE_HFS_EXT_ATTR ||
        (attribute->type == TSK_FS_ATTR_TYPE_NTFS_DATA && attribute->name && attribute->name[0]))
        entry->kind = STREAM_ADS;
    if (entry->flags & ENTRY_METADATA)
        entry->kind = STREAM_META;
}

struct taking {
    struct tsk_entry_room *room;
    struct found_entry *entry;
};

static int on_extent(void *context, const struct extent *extent)
{
    struct taking *taking = context;

    if (extent->physical == EXTENT_HOLE)
        taking->entry->flags |= ENTRY_SPARSE;
    take_run(taking->room, extent, taking->entry);
    return 0;
}

int tsk_entry_from_extents(struct tsk_entry_room *room, struct tsk_filesystem *filesystem,
                           struct found_entry *entry)
{
    struct taking taking = {room, entry};
    int code = filesystem->ext
                   ? tsk_ext_extents(filesystem->ext, entry->inode, entry->size, on_extent, &taking)
                   : -EIO;

    buf_clear(&room->locator);
    if (code < 0 && entry->run_count == 0)
        return code;
    take_locator(room, filesystem, TSK_FS_ATTR_TYPE_DEFAULT, TSK_FS_ATTR_ID_DEFAULT, entry);
    entry->kind = entry->flags & ENTRY_METADATA ? STREAM_META : STREAM_FILE;
    return code;
}
