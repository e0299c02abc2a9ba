/*
 * tsk_walk: every name of a file system, then every allocated inode that no name reached.
 *
 * libtsk's own walk stops unsaid at 128 levels and lists nothing of a folder that is damaged in one place.
 * This one keeps the folders still to be read on a stack of its own, and remembers every folder it has
 * listed. What it lists of one folder, and which folders it goes into, follows fls (tsk_fs_dir_walk,
 * fls_lib.c): so the two lists can be compared.
 *
 * A folder is listed whole before its subfolders: live names first, so that a deleted name never takes the
 * plain address from a live one. $OrphanFiles comes last, because libtsk finds orphans by what no deleted
 * name has reached (TSK_FS_INFO.list_inum_named); it is given our list, which knows more than 128 levels.
 */
#include "engine/evidence/tsk/tsk_walk.h"

#include "engine/evidence/expand.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_ROOM = 8 * 1024, /* a path must leave room for this below a folder */
    ROOT = 1,             /* number of the root folder */
};

int walk_fault(struct walk *walk, enum fault_kind kind, const char *path, uint64_t inode, const char *effect,
               const char *cause)
{
    char detail[400];

    (void)snprintf(detail, sizeof detail, "inode %llu: %s", (unsigned long long)inode, cause);
    return tsk_task_fault(walk->task, &(struct found_fault){.kind = kind,
                                                            .volume = walk->volume,
                                                            .path = path,
                                                            .stage = "walk",
                                                            .offset = UINT64_MAX,
                                                            .effect = effect,
                                                            .detail = detail});
}

bool walk_is_orphans(const struct walk *walk, uint64_t inode)
{
    return inode == TSK_FS_ORPHANDIR_INUM(walk->info) && !TSK_FS_TYPE_ISHFS(walk->info->ftype) &&
           !TSK_FS_TYPE_ISAPFS(walk->info->ftype);
}

/* ------------------------------------------------------------------ folders */

static int add_folder(struct walk *walk, uint32_t parent, uint64_t inode, const char *name,
                      uint32_t *ret_folder)
{
    if (walk->folder_count + 1 >= walk->folder_room) {
        uint32_t room = walk->folder_room ? walk->folder_room * 2 : 256;
        struct folder *more = room > walk->folder_room ? realloc(walk->folders, room * sizeof *more) : NULL;
        if (!more)
            return -ENOMEM;
        walk->folders = more;
        walk->folder_room = room;
    }
    walk->folders[++walk->folder_count] = (struct folder){
        .inode = inode,
        .parent = parent,
        .depth = parent ? walk->folders[parent].depth + 1 : 0,
        .name = walk->names.size,
        .orphans = parent && walk->folders[parent].orphans,
    };
    buf_append(&walk->names, name, strlen(name) + 1);
    *ret_folder = walk->folder_count;
    return buf_failed(&walk->names) ? -ENOMEM : tsk_map_set(&walk->listed, inode, walk->folder_count);
}

static int push(struct walk *walk, uint32_t folder)
{
    if (walk->stack_count == walk->stack_room) {
        size_t room = walk->stack_room ? walk->stack_room * 2 : 256;
        uint32_t *more = realloc(walk->stack, room * sizeof *more);
        if (!more)
            return -ENOMEM;
        walk->stack = more;
        walk->stack_room = room;
    }
    walk->stack[walk->stack_count++] = folder;
    return 0;
}

static const char *folder_name(const struct walk *walk, uint32_t folder)
{
    return (const char *)walk->names.data + walk->folders[folder].name;
}

/* The folder's path without a slash at the end, into `path`. */
static void folder_path(const struct walk *walk, uint32_t folder, struct buf *path)
{
    size_t size = strlen(walk->root), end;

    for (uint32_t f = folder; walk->folders[f].parent != NO_FOLDER; f = walk->folders[f].parent)
        size += 1 + strlen(folder_name(walk, f));
    buf_clear(path);
    for (end = 0; end < size; end++)
        buf_u8(path, '/');
    if (buf_failed(path))
        return;
    memcpy(path->data, walk->root, strlen(walk->root));
    for (uint32_t f = folder; walk->folders[f].parent != NO_FOLDER; f = walk->folders[f].parent) {
        size_t length = strlen(folder_name(walk, f));
        memcpy(path->data + end - length, folder_name(walk, f), length);
        end -= length + 1;
    }
}

static bool is_ancestor(const struct walk *walk, uint32_t folder, uint32_t below)
{
    for (uint32_t f = below; f != NO_FOLDER; f = walk->folders[f].parent) {
        if (f == folder)
            return true;
    }
    return false;
}

/* ------------------------------------------------------------------ going into a folder */

/* The rule of tsk_fs_dir_walk. */
static bool leads_into(const struct walk *walk, const TSK_FS_FILE *file)
{
    const TSK_FS_NAME *name = file->name;

    return (TSK_FS_IS_DIR_NAME(name->type) || name->type == TSK_FS_NAME_TYPE_UNDEF) && file->meta &&
           TSK_FS_IS_DIR_META(file->meta->type) &&
           ((name->flags & TSK_FS_NAME_FLAG_ALLOC) || (file->meta->flags & TSK_FS_META_FLAG_UNALLOC)) &&
           !(walk_is_orphans(walk, name->meta_addr) && walk->orphans != NO_FOLDER);
}

static int listed_before(struct walk *walk, uint32_t here, const TSK_FS_FILE *file, uint32_t before)
{
    struct buf where = {0}, cause = {0};
    bool live = (file->name->flags & TSK_FS_NAME_FLAG_ALLOC) && (file->meta->flags & TSK_FS_META_FLAG_ALLOC);
    int code = 0;

    if (live || is_ancestor(walk, before, here)) {
        folder_path(walk, before, &where);
        buf_printf(&cause, "folder already listed at %s", buf_cstr(&where));
        code = buf_failed(&where) || buf_failed(&cause)
                   ? -ENOMEM
                   : walk_fault(walk, FAULT_DAMAGED, buf_cstr(&walk->path), file->name->meta_addr,
                                "not listed again", buf_cstr(&cause));
    }
    buf_finish(&where);
    buf_finish(&cause);
    return code;
}

static int go_into(struct walk *walk, uint32_t here, const TSK_FS_FILE *file)
{
    uint64_t inode = file->name->meta_addr;
    uint64_t before = tsk_map_get(&walk->listed, inode);
    uint32_t folder;
    int code = names_own_path(walk, file);

    if (code < 0)
        return code;
    if (before)
        return listed_before(walk, here, file, (uint32_t)before);
    if (walk->folders[here].depth >= EXPAND_DEPTH_MAX || walk->path.size > FOUND_PATH_MAX - NAME_ROOM)
        return walk_fault(walk, FAULT_LIMIT, buf_cstr(&walk->path), inode,
                          "what is in this folder is not listed",
                          "too many levels of folders, or too long a path");
    code = add_folder(walk, here, inode, buf_cstr(&walk->own), &folder);
    if (code < 0)
        return code;
    walk->folders[folder].deleted = (file->meta->flags & TSK_FS_META_FLAG_UNALLOC) != 0;
    if (walk_is_orphans(walk, inode)) {
        walk->folders[folder].orphans = true;
        walk->orphans = folder;
        return 0;
    }
    return push(walk, folder);
}

/* ------------------------------------------------------------------ one name */

static int note_inode(struct walk *walk, uint32_t here, const TSK_FS_FILE *file)
{
    const TSK_FS_META *meta = file->meta;
    int code = tsk_map_set_bit(&walk->seen, file->name->meta_addr);

    if (code == 0) /* another one where libtsk follows a hard link */
        code = tsk_map_set_bit(&walk->seen, meta->addr);
    if (code == 0 && (meta->flags & TSK_FS_META_FLAG_UNALLOC) && !walk->folders[here].orphans)
        code = tsk_map_set_bit(&walk->named, meta->addr);
    return code;
}

/* The name is borrowed from the folder's list; libtsk's NTFS code compares its sequence number with the
 * metadata's. */
static TSK_FS_FILE *open_file(struct walk *walk, TSK_FS_NAME *name)
{
    TSK_FS_FILE *file = calloc(1, sizeof *file);

    if (!file)
        return NULL;
    file->tag = TSK_FS_FILE_TAG;
    file->fs_info = walk->info;
    file->name = name;
    if (name && (name->meta_addr || (name->flags & TSK_FS_NAME_FLAG_ALLOC))) {
        if (walk->info->file_add_meta(walk->info, file, name->meta_addr))
            tsk_error_reset();
    }
    return file;
}

static void close_file(TSK_FS_FILE *file)
{
    file->name = NULL;
    tsk_fs_file_close(file);
}

static bool is_dot(const char *name)
{
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

static int skipped_name(struct walk *walk, TSK_FS_NAME *name, struct found_entry *entry)
{
    TSK_FS_FILE file = {.tag = TSK_FS_FILE_TAG, .name = name, .fs_info = walk->info};
    int code;

    tsk_entry_from_file(&walk->room, walk->filesystem, &file, entry);
    code = names_emit_bare(walk, entry);
    if (code == 0)
        code = tsk_map_set_bit(&walk->seen, name->meta_addr);
    if (code == 0)
        code = walk_fault(walk, walk->task->skip->kind, buf_cstr(&walk->path), name->meta_addr,
                          "metadata and content not read", "an earlier attempt did not survive it");
    return code;
}

static int do_name(struct walk *walk, uint32_t here, TSK_FS_NAME *name)
{
    struct found_entry entry;
    TSK_FS_FILE *file;
    bool dot = name->name && is_dot(name->name);
    /* The dots of a deleted folder count as names that reach (tsk_fs_dir_walk notes them too); those of
     * others are known. But only its dot leads to the root folder's streams. */
    bool of_root = dot && here == ROOT && name->name[1] == '\0' && TSK_FS_TYPE_ISNTFS(walk->info->ftype);
    int code;

    if (dot && !of_root && !walk->folders[here].deleted && !(name->flags & TSK_FS_NAME_FLAG_UNALLOC))
        return 0;
    tsk_entry_blank(&entry);
    entry.volume = walk->volume;
    entry.name = name->name ? name->name : "";
    entry.name_size = name->name ? strlen(name->name) : 0;
    if (tsk_task_at(walk->task, name->meta_addr))
        return dot ? 0 : skipped_name(walk, name, &entry);
    file = open_file(walk, name);
    if (!file)
        return -ENOMEM;
    code = file->meta ? note_inode(walk, here, file) : 0;
    if (walk->space)
        tsk_space_take(walk->space, file);
    if (code == 0 && !dot) {
        if (here == walk->orphans)
            entry.flags |= ENTRY_ORPHAN;
        code = names_emit(walk, file, &entry);
        if (code == 0 && leads_into(walk, file))
            code = go_into(walk, here, file);
    }
    if (code == 0 && of_root && file->meta)
        code = names_emit_root_streams(walk, file, &entry);
    close_file(file);
    return code;
}

/* ------------------------------------------------------------------ one folder */

static int do_names(struct walk *walk, uint32_t here, const TSK_FS_DIR *dir)
{
    size_t first = walk->stack_count;
    int code = 0;

    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < dir->names_used && code == 0; i++) {
            bool live = (dir->names[i].flags & TSK_FS_NAME_FLAG_ALLOC) != 0;
            if (live == (pass == 0))
                code = do_name(walk, here, &dir->names[i]);
        }
    }
    /* Subfolders were pushed in order and are taken from the end: turned round, the first is read first. */
    for (size_t low = first, high = walk->stack_count; low + 1 < high; low++) {
        uint32_t swap = walk->stack[low];
        walk->stack[low] = walk->stack[--high];
        walk->stack[high] = swap;
    }
    return code;
}

/* Names that stand where the medium is bad are lost without a word of libtsk. */
static int tell_unread(struct walk *walk, TSK_FS_FILE *file)
{
    struct ranges bad = {0};
    int code = tsk_unread(walk->task->image, walk->info, file, &bad);

    if (code == 0 && bad.count > 0)
        code = tsk_task_fault(walk->task, &(struct found_fault){.kind = FAULT_UNREADABLE,
                                                                .volume = walk->volume,
                                                                .path = buf_cstr(&walk->path),
                                                                .stage = "walk",
                                                                .offset = bad.items[0].offset,
                                                                .size = ranges_bytes(&bad),
                                                                .effect = "names that stand there are not listed",
                                                                .detail = "the medium does not give these bytes of the folder "
                                                                          "(offset in the image)"});
    ranges_finish(&bad);
    return code;
}

static int do_folder(struct walk *walk, uint32_t here)
{
    uint64_t inode = walk->folders[here].inode;
    TSK_FS_DIR *dir = NULL;
    TSK_RETVAL_ENUM status;
    char words[256];
    int code = 0;

    folder_path(walk, here, &walk->path);
    names_begin(walk);
    if (buf_failed(&walk->path))
        return -ENOMEM;
    if (tsk_task_at(walk->task, inode))
        return walk_fault(walk, walk->task->skip->kind, buf_cstr(&walk->path), inode,
                          "what is in this folder is not listed", "an earlier attempt did not survive it");
    /* libtsk would wait for its own lock for ever. */
    if (here == ROOT && walk_is_orphans(walk, inode))
        return walk_fault(walk, FAULT_DAMAGED, buf_cstr(&walk->path), inode,
                          "what is in this folder is not listed",
                          "the root folder has the number that libtsk keeps for orphans");
    /* Not tsk_fs_dir_open_meta, which throws away what it has read of a damaged folder. */
    tsk_task_weigh(walk->task, walk_is_orphans(walk, inode) ? 0 : tsk_weight(walk->info, inode));
    tsk_error_reset();
    status = walk->info->dir_open_meta(walk->info, &dir, inode, 0);
    tsk_task_weigh(walk->task, 0);
    if (status != TSK_OK)
        code = walk_fault(walk, FAULT_DAMAGED, buf_cstr(&walk->path), inode,
                          dir && dir->names_used > 0 ? "only a part of this folder is listed"
                                                     : "what is in this folder is not listed",
                          tsk_words(words, sizeof words));
    if (code == 0 && dir)
        code = tell_unread(walk, dir->fs_file);
    if (code == 0 && here == ROOT)
        code = names_reserve(walk, "$Unnamed"); /* that is ours */
    if (code == 0 && dir)
        code = do_names(walk, here, dir);
    tsk_fs_dir_close(dir);
    tsk_dir_forget();
    return code;
}

/* ------------------------------------------------------------------ orphans */

static int compare_numbers(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

/* Gives libtsk the list of unallocated inodes that have a name; otherwise it would walk the whole tree again,
 * 128 levels of it. In ascending order each one goes to the head of its list; the orphans' own number keeps
 * an empty list from counting as none. */
static int give_named(struct walk *walk)
{
    const struct tsk_map *named = &walk->named;
    uint64_t *keys = calloc(named->count + 1, sizeof *keys);
    size_t count = 0;
    int code = 0;

    if (!keys)
        return -ENOMEM;
    for (size_t i = 0; i < named->capacity; i++) {
        if (named->items[i].value != 0)
            keys[count++] = named->items[i].key;
    }
    qsort(keys, count, sizeof *keys, compare_numbers);
    for (size_t i = 0; i < count && code == 0; i++) {
        for (unsigned bit = 0; bit < 64 && code == 0; bit++) {
            uint64_t inode = keys[i] * 64 + bit;
            if (tsk_map_has_bit(named, inode) && tsk_list_add(&walk->info->list_inum_named, inode))
                code = -ENOMEM;
        }
    }
    if (code == 0 && tsk_list_add(&walk->info->list_inum_named, TSK_FS_ORPHANDIR_INUM(walk->info)))
        code = -ENOMEM;
    free(keys);
    return code;
}

static int do_stack(struct walk *walk)
{
    int code = 0;

    while (walk->stack_count > 0 && code == 0)
        code = do_folder(walk, walk->stack[--walk->stack_count]);
    return code;
}

static int do_orphans(struct walk *walk)
{
    int code = 0;

    if (walk->orphans == NO_FOLDER)
        return 0;
    if (!walk->info->list_inum_named)
        code = give_named(walk);
    if (code == 0)
        code = push(walk, walk->orphans);
    return code == 0 ? do_stack(walk) : code;
}

/* ------------------------------------------------------------------ the whole */

static void walk_finish(struct walk *walk)
{
    tsk_space_free(walk->space);
    free(walk->folders);
    free(walk->stack);
    buf_finish(&walk->names);
    buf_finish(&walk->path);
    buf_finish(&walk->component);
    buf_finish(&walk->stream_name);
    buf_finish(&walk->own);
    tsk_map_finish(&walk->listed);
    tsk_map_finish(&walk->seen);
    tsk_map_finish(&walk->named);
    tsk_map_finish(&walk->components);
    tsk_entry_room_finish(&walk->room);
    free(walk);
}

static int end_space(struct walk *walk)
{
    if (!walk->space)
        return 0;
    if (tsk_task_at(walk->task, TSK_AT_SPACE))
        return walk_fault(walk, walk->task->skip->kind, "", walk->info->root_inum, "free space is not listed",
                          "an earlier attempt did not survive it");
    return tsk_space_close(walk->space, walk->task, walk->volume);
}

/* A file system in the place of another, or in front of the partitions: its bytes are accounted for already.
 */
static bool is_second(const struct walk *walk, const struct tsk_slot *slot)
{
    TSK_FS_INFO *first;

    if (!slot || TSK_FS_TYPE_ISISO9660(walk->info->ftype))
        return !slot;
    first = tsk_fs_open_img(&walk->task->keep->medium.base, walk->info->offset, TSK_FS_TYPE_ISO9660);
    tsk_error_reset();
    if (!first)
        return false;
    tsk_fs_close(first);
    return true;
}

/* The root folder is no name's, and its blocks are its own. */
static int begin_space(struct walk *walk)
{
    const struct tsk_slot *slot = tsk_slots_at(walk->task->keep, walk->filesystem->offset);
    uint64_t limit = slot ? slot->offset + slot->present : (uint64_t)walk->task->keep->medium.base.size;
    TSK_FS_FILE *root;
    int code;

    if (walk->filesystem->pool || is_second(walk, slot))
        return 0;
    code = tsk_space_new(walk->filesystem, limit, &walk->space);
    if (code < 0)
        return code;
    root = tsk_fs_file_open_meta(walk->info, NULL, walk->info->root_inum);
    if (root) {
        tsk_space_take(walk->space, root);
        tsk_fs_file_close(root);
    }
    tsk_error_reset();
    return 0;
}

int tsk_walk(struct tsk_task *task, struct tsk_filesystem *filesystem, const char *volume, const char *root)
{
    struct walk *walk = calloc(1, sizeof *walk);
    uint32_t folder;
    int code;

    if (!walk)
        return -ENOMEM;
    walk->task = task;
    walk->filesystem = filesystem;
    walk->info = filesystem->info;
    walk->volume = volume;
    walk->root = root;
    code = add_folder(walk, NO_FOLDER, walk->info->root_inum, "", &folder);
    if (code == 0)
        code = begin_space(walk);
    if (code == 0)
        code = tsk_map_set_bit(&walk->seen, walk->info->root_inum);
    if (code == 0)
        code = push(walk, folder);
    if (code == 0)
        code = do_stack(walk);
    if (code == 0)
        code = do_orphans(walk);
    if (code == 0)
        code = unnamed_walk(walk);
    if (code == 0)
        code = end_space(walk);
    walk_finish(walk);
    return code;
}
