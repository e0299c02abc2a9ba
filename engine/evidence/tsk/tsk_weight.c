/*
 * tsk_weight: how many names a folder can hold, before libtsk reads it.
 *
 * A folder's names may be read without anything else being read meanwhile, so that nothing shows that libtsk
 * is at work; and some it compares one by one, though tsk_dir.c is there. The least that a name takes:
 * ext and UFS 8 bytes and the name itself, for which 8 are counted; NTFS 82 bytes and two for each character
 * of it, in steps of 8; FAT 32; ISO 9660 34.
 */
#include "engine/evidence/tsk/tsk_private.h"

#include "engine/base/bytes.h"

static uint64_t bytes_of_name(const TSK_FS_INFO *info)
{
    if (TSK_FS_TYPE_ISNTFS(info->ftype))
        return 88;
    if (TSK_FS_TYPE_ISFAT(info->ftype))
        return 32;
    if (TSK_FS_TYPE_ISISO9660(info->ftype))
        return 34;
    return 16;
}

/* NTFS: the index's blocks; what is resident beside them is below one file record. */
static TSK_OFF_T size_of(TSK_FS_FILE *file)
{
    const TSK_FS_ATTR *index;

    if (!TSK_FS_TYPE_ISNTFS(file->fs_info->ftype))
        return file->meta->size;
    index = tsk_fs_file_attr_get_type(file, TSK_FS_ATTR_TYPE_NTFS_IDXALLOC, 0, 0);
    return index ? index->size : 0;
}

uint64_t tsk_weight(TSK_FS_INFO *info, uint64_t inode)
{
    TSK_FS_FILE *file = tsk_fs_file_open_meta(info, NULL, inode);
    uint64_t limit = tsk_filesystem_size(info), medium = (uint64_t)info->img_info->size;
    TSK_OFF_T size = file && file->meta ? size_of(file) : 0;
    uint64_t bytes = size > 0 ? (uint64_t)size : 0;

    tsk_fs_file_close(file);
    tsk_error_reset();
    if (limit > medium)
        limit = medium;
    return (bytes < limit ? bytes : limit) / bytes_of_name(info);
}
