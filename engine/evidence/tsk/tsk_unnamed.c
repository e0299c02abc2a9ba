/*
 * tsk_unnamed: allocated inodes that no name reached: journals, quota files, and what is hidden by a damaged
 * or manipulated folder.
 */
#include "engine/evidence/tsk/tsk_walk.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

struct unnamed {
    struct walk *walk;
    int code;
};

enum {
    INODES_AT_ONCE = 64,
    FAILURES_MAX = 4096, /* ranges in a row: libtsk loses some memory with each */
};

/* The file system's own inodes that hold nothing are not worth a row. Ext's inode 7 claims gigabytes: blocks
 * set aside for group descriptors to come [kernel Documentation/filesystems/ext4/special_inodes.rst]. */
static bool is_reserve(const TSK_FS_INFO *info, const TSK_FS_META *meta)
{
    enum { NTFS_FIRST_USER = 24, EXT_FIRST_USER = 11, EXT_RESIZE = 7, HFS_FIRST_USER = 16 };

    if (TSK_FS_TYPE_ISNTFS(info->ftype))
        return meta->addr < NTFS_FIRST_USER && meta->size == 0;
    if (TSK_FS_TYPE_ISEXT(info->ftype))
        return meta->addr == EXT_RESIZE ||
               (meta->addr < EXT_FIRST_USER && (meta->size == 0 || meta->type == TSK_FS_META_TYPE_UNDEF));
    return meta->addr < HFS_FIRST_USER && meta->size == 0;
}

static TSK_WALK_RET_ENUM on_unnamed(TSK_FS_FILE *file, void *context)
{
    struct unnamed *unnamed = context;
    struct walk *walk = unnamed->walk;
    const TSK_FS_META *meta = file->meta;
    struct found_entry entry;
    char name[32];

    if (!meta || walk_is_orphans(walk, meta->addr) || meta->addr == walk->info->root_inum ||
        meta->type == TSK_FS_META_TYPE_VIRT || tsk_map_has_bit(&walk->seen, meta->addr) ||
        is_reserve(walk->info, meta))
        return TSK_WALK_CONT;
    (void)tsk_task_at(walk->task, meta->addr); /* ranges with something to be skipped come one by one */
    (void)snprintf(name, sizeof name, "inode-%llu", (unsigned long long)meta->addr);
    tsk_entry_blank(&entry);
    entry.volume = walk->volume;
    entry.name = name;
    entry.name_size = strlen(name);
    entry.flags = ENTRY_UNNAMED;
    if (walk->space)
        tsk_space_take(walk->space, file);
    unnamed->code = names_emit(walk, file, &entry);
    return unnamed->code < 0 ? TSK_WALK_STOP : TSK_WALK_CONT;
}

/* Inodes `first` to `last`. A damaged one ends libtsk's walk: the next begins behind this range. */
static int walk_range(struct walk *walk, uint64_t first, uint64_t last, uint64_t *ret_failed)
{
    struct unnamed unnamed = {.walk = walk};

    if (tsk_task_at(walk->task, first))
        return tsk_map_has_bit(&walk->seen, first)
                   ? 0
                   : walk_fault(walk, walk->task->skip->kind, "", first, "inode not listed",
                                "an earlier attempt did not survive it");
    tsk_error_reset();
    if (tsk_fs_meta_walk(walk->info, first, last, TSK_FS_META_FLAG_ALLOC | TSK_FS_META_FLAG_USED, on_unnamed,
                         &unnamed))
        *ret_failed += last - first + 1;
    return unnamed.code;
}

static bool holds_skipped(const struct expand_skip *skip, uint64_t first, uint64_t last)
{
    for (size_t i = 0; i < skip->count; i++) {
        if (skip->items[i] >= first && skip->items[i] <= last)
            return true;
    }
    return false;
}

static int walk_inodes(struct walk *walk)
{
    const TSK_FS_INFO *info = walk->info;
    /* The last number is $OrphanFiles where there is one. */
    uint64_t end = walk_is_orphans(walk, info->last_inum) ? info->last_inum : info->last_inum + 1;
    uint64_t failed = 0, next;
    unsigned failures = 0;
    char effect[96], words[256] = "";
    int code = 0;

    for (uint64_t first = info->first_inum; first < end && code == 0; first = next) {
        bool one =
            holds_skipped(walk->task->skip, first, first / INODES_AT_ONCE * INODES_AT_ONCE + INODES_AT_ONCE);
        uint64_t before = failed;

        next = one ? first + 1 : first / INODES_AT_ONCE * INODES_AT_ONCE + INODES_AT_ONCE;
        if (next > end)
            next = end;
        if (tsk_map_get(&walk->seen, first / INODES_AT_ONCE) != UINT64_MAX)
            code = walk_range(walk, first, next - 1, &failed);
        failures = failed != before ? failures + 1 : 0;
        if (failures > 0)
            (void)tsk_words(words, sizeof words);
        if (failures == FAILURES_MAX) {
            failed += end - next;
            break;
        }
    }
    if (code < 0 || failed == 0)
        return code;
    (void)snprintf(effect, sizeof effect, "up to %llu inodes not looked at", (unsigned long long)failed);
    walk->path.size = walk->folder_path;
    return walk_fault(walk, FAULT_DAMAGED, buf_cstr(&walk->path), info->first_inum, effect, words);
}

int unnamed_walk(struct walk *walk)
{
    const TSK_FS_INFO *info = walk->info;

    if (!TSK_FS_TYPE_ISNTFS(info->ftype) && !TSK_FS_TYPE_ISEXT(info->ftype) &&
        !TSK_FS_TYPE_ISFFS(info->ftype) && !TSK_FS_TYPE_ISHFS(info->ftype))
        return 0;
    buf_clear(&walk->path);
    buf_printf(&walk->path, "%s/$Unnamed", walk->root);
    names_begin(walk);
    if (buf_failed(&walk->path))
        return -ENOMEM;
    if (tsk_task_at(walk->task, TSK_AT_UNNAMED))
        return walk_fault(walk, walk->task->skip->kind, buf_cstr(&walk->path), info->first_inum,
                          "allocated inodes without a name are not listed",
                          "an earlier attempt did not survive it");
    return walk_inodes(walk);
}
