/*
 * tsk_stream: one content of a file system, opened by inode and attribute.
 *
 * A plain attribute becomes a list of extents that stream.c reads from the image itself; resident,
 * compressed and encrypted ones are read through libtsk.
 */
#include "engine/base/bytes.h"
#include "engine/evidence/owner.h"
#include "engine/evidence/tsk/tsk_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { COMPRESSED_READ = 64 * 1024 };

struct tsk_stream {
    struct tsk_filesystem *filesystem;
    TSK_FS_FILE *file;
    const TSK_FS_ATTR *attribute; /* NULL: a file of no bytes, or one that libtsk cannot load (tsk_names.c) */
    uint64_t size;
    bool by_library; /* `extents` are not to be used */
    struct extent *extents;
    size_t extent_count, extent_room;
};

static int add_extent(struct tsk_stream *stream, const struct extent *extent)
{
    struct extent *last = stream->extent_count > 0 ? &stream->extents[stream->extent_count - 1] : NULL;

    if (last && (extent->physical == EXTENT_HOLE
                     ? last->physical == EXTENT_HOLE
                     : last->physical != EXTENT_HOLE && last->physical + last->size == extent->physical)) {
        last->size += extent->size;
        return 0;
    }
    if (stream->extent_count == stream->extent_room) {
        size_t room = stream->extent_room * 2;
        struct extent *more = realloc(stream->extents, room * sizeof *more);
        if (!more)
            return -ENOMEM;
        stream->extents = more;
        stream->extent_room = room;
    }
    stream->extents[stream->extent_count++] = *extent;
    return 0;
}

/* How much of it lies in blocks that the file system says it has: icat stops at the first one that it has
 * not. */
static uint64_t within(const TSK_FS_INFO *info, const struct extent *extent)
{
    uint64_t end =
        u64_add_saturating(u64_mul_saturating(u64_add_saturating(info->last_block, 1), info->block_size),
                           (uint64_t)info->offset);

    if (extent->physical == EXTENT_HOLE)
        return extent->size;
    if (extent->physical >= end)
        return 0;
    return extent->size < end - extent->physical ? extent->size : end - extent->physical;
}

/* The runs, with what lies behind the initialised size as a hole: those bytes belong to whoever had the
 * blocks before. */
static int load_extents(struct tsk_stream *stream)
{
    const TSK_FS_ATTR *attribute = stream->attribute;
    uint64_t initialised = attribute->nrd.initsize > 0 ? (uint64_t)attribute->nrd.initsize : 0;
    struct tsk_runs runs;
    struct extent extent;
    int code = 0;

    tsk_runs_init(&runs, stream->filesystem->info, attribute, tsk_stream_size(stream));
    while (code == 0 && tsk_runs_next(&runs, &extent)) {
        struct extent rest = extent;
        bool outside = within(stream->filesystem->info, &extent) < extent.size;

        if (outside)
            extent.size = within(stream->filesystem->info, &extent);
        if (extent.offset + extent.size > initialised) {
            uint64_t keep = extent.offset < initialised ? initialised - extent.offset : 0;
            rest = (struct extent){extent.offset + keep, extent.size - keep, EXTENT_HOLE};
            extent.size = keep;
        } else {
            rest.size = 0;
        }
        if (extent.size > 0)
            code = add_extent(stream, &extent);
        if (code == 0 && rest.size > 0)
            code = add_extent(stream, &rest);
        if (outside)
            return code;
    }
    /* NTFS's $BadClus:$Bad: no runs, and no byte was ever written. */
    if (code == 0 && stream->extent_count == 0 && initialised == 0 && tsk_stream_size(stream) > 0)
        code = add_extent(stream, &(struct extent){0, tsk_stream_size(stream), EXTENT_HOLE});
    return code;
}

static int on_extent(void *context, const struct extent *extent)
{
    return add_extent(context, extent);
}

/* An empty file may have no attribute, and an ext4 file in many pieces has none that libtsk can load
 * (tsk_names.c). */
static bool find_without_attribute(struct tsk_stream *stream, const struct locator *locator)
{
    TSK_FS_TYPE_ENUM type = stream->filesystem->info->ftype;
    const TSK_FS_META *meta = stream->file->meta;

    if (locator->attribute_id != 0 ||
        locator->attribute_type != (uint32_t)stream->filesystem->info->get_default_attr_type(stream->file))
        return false;
    if (meta->size == 0)
        return true;
    if (meta->size < 0 || !TSK_FS_TYPE_ISEXT(type) || !stream->filesystem->ext)
        return false;
    stream->size = (uint64_t)meta->size;
    return tsk_ext_extents(stream->filesystem->ext, locator->inode, stream->size, on_extent, stream) == 0 ||
           stream->extent_count > 0;
}

static int find_attribute(struct tsk_stream *stream, const struct locator *locator, struct why *why)
{
    char words[256];

    tsk_error_reset();
    stream->file = tsk_fs_file_open_meta(stream->filesystem->info, NULL, locator->inode);
    if (!stream->file || !stream->file->meta)
        return why_set(why, -EIO, "metadata of inode %llu cannot be read: %s",
                       (unsigned long long)locator->inode, tsk_words(words, sizeof words));
    stream->attribute = tsk_fs_file_attr_get_type(
        stream->file, (TSK_FS_ATTR_TYPE_ENUM)locator->attribute_type, locator->attribute_id, 1);
    if (stream->attribute && stream->attribute->fs_file == NULL)
        stream->attribute = NULL;
    if (stream->filesystem->apfs)
        tsk_apfs_mark(stream->file);
    if (stream->attribute)
        stream->size = stream->attribute->size > 0 ? (uint64_t)stream->attribute->size : 0;
    else if (find_without_attribute(stream, locator))
        return 0;
    if (!stream->attribute)
        return why_set(why, -ENOENT, "inode %llu has no attribute %u-%u: %s",
                       (unsigned long long)locator->inode, (unsigned)locator->attribute_type,
                       (unsigned)locator->attribute_id, tsk_words(words, sizeof words));
    return 0;
}

int tsk_stream_open(struct image *image, const struct locator *locator, struct tsk_stream **ret_stream,
                    struct why *why)
{
    struct tsk_stream *stream = calloc(1, sizeof *stream);
    int code;

    if (!stream)
        return why_set(why, -ENOMEM, "no memory to open a stream");
    code = tsk_filesystem_acquire(image, locator, &stream->filesystem, why);
    stream->extent_room = 8;
    stream->extents = calloc(stream->extent_room, sizeof *stream->extents);
    if (code == 0 && !stream->extents)
        code = why_set(why, -ENOMEM, "no memory to open a stream");
    if (code == 0)
        code = find_attribute(stream, locator, why);
    if (code == 0 && stream->attribute && tsk_runs_plain(stream->filesystem->info, stream->attribute)) {
        code = load_extents(stream);
        if (code < 0)
            (void)why_set(why, code, "no memory for the extents of inode %llu",
                          (unsigned long long)locator->inode);
    } else if (code == 0 && stream->attribute) {
        stream->by_library = true;
        if (!(stream->attribute->flags & TSK_FS_ATTR_RES))
            tsk_medium_forget(stream->filesystem);
    }
    if (code < 0) {
        tsk_stream_close(stream);
        return code;
    }
    *ret_stream = stream;
    return 0;
}

void tsk_stream_close(struct tsk_stream *stream)
{
    if (!stream)
        return;
    if (stream->file)
        tsk_fs_file_close(stream->file);
    tsk_filesystem_release(stream->filesystem);
    free(stream->extents);
    free(stream);
}

void tsk_stream_owner(const struct tsk_stream *stream, char *ret, size_t size)
{
    const TSK_FS_INFO *info = stream->filesystem->info;
    char *sid = NULL;

    ret[0] = '\0';
    if (TSK_FS_TYPE_ISNTFS(info->ftype)) {
        tsk_error_reset();
        if (tsk_fs_file_get_owner_sid(stream->file, &sid) == 0 && sid != NULL)
            owner_of_sid(sid, ret, size);
        free(sid);
    } else if (stream->file->meta != NULL && !TSK_FS_TYPE_ISFAT(info->ftype) && info->ftype != TSK_FS_TYPE_EXFAT &&
               !TSK_FS_TYPE_ISISO9660(info->ftype)) {
        owner_of_user(stream->file->meta->uid, ret, size);
    }
}

bool tsk_stream_is_live(const struct tsk_stream *stream)
{
    return stream->file->meta && (stream->file->meta->flags & TSK_FS_META_FLAG_ALLOC);
}

uint64_t tsk_stream_size(const struct tsk_stream *stream)
{
    return stream->size;
}

const struct extent *tsk_stream_extents(const struct tsk_stream *stream, size_t *ret_count)
{
    *ret_count = stream->extent_count;
    return stream->by_library ? NULL : stream->extents;
}

int64_t tsk_stream_read(struct tsk_stream *stream, uint64_t offset, void *ret_data, size_t size)
{
    uint64_t total = tsk_stream_size(stream);
    ssize_t count;

    if (offset >= total || size == 0)
        return 0;
    /* Unit by unit when compressed, and so when encrypted: a damaged one costs no more than itself. */
    if (((stream->attribute->flags & TSK_FS_ATTR_COMP) || stream->filesystem->apfs) &&
        size > COMPRESSED_READ - offset % COMPRESSED_READ)
        size = (size_t)(COMPRESSED_READ - offset % COMPRESSED_READ);
    if (size > total - offset)
        size = (size_t)(total - offset);
    tsk_error_reset();
    count =
        tsk_fs_attr_read(stream->attribute, (TSK_OFF_T)offset, ret_data, size, TSK_FS_FILE_READ_FLAG_NONE);
    tsk_error_reset();
    return count <= 0 ? -EIO : (int64_t)count;
}

int tsk_stream_slack(const struct tsk_stream *stream, struct extent **ret_extents, size_t *ret_count)
{
    const TSK_FS_ATTR *attribute = stream->attribute;
    struct extent extent, *extents = NULL;
    struct tsk_runs runs;
    size_t count = 0, room = 0;
    uint64_t begin, offset = 0;

    *ret_extents = NULL;
    *ret_count = 0;
    if (!attribute || stream->by_library || !(stream->file->meta->flags & TSK_FS_META_FLAG_ALLOC))
        return 0;
    begin = tsk_slack_begin(attribute);
    tsk_runs_init(&runs, stream->filesystem->info, attribute, UINT64_MAX);
    while (tsk_runs_next(&runs, &extent)) {
        uint64_t skip = extent.offset < begin ? begin - extent.offset : 0;

        if (extent.physical == EXTENT_HOLE || skip >= extent.size)
            continue;
        extent = (struct extent){offset, extent.size - skip, extent.physical + skip};
        extent.size = within(stream->filesystem->info, &extent);
        if (extent.size == 0)
            continue;
        if (count == room) {
            struct extent *more = realloc(extents, (room = room ? room * 2 : 4) * sizeof *more);
            if (!more) {
                free(extents);
                return -ENOMEM;
            }
            extents = more;
        }
        extents[count++] = extent;
        offset += extent.size;
    }
    *ret_extents = extents;
    *ret_count = count;
    return 0;
}
