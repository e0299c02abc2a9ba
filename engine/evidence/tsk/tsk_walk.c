/*
 * tsk_walk: every name of a file system, then every allocated inode that no name reached.
 *
 * libtsk's own walk stops unsaid at 128 levels and lists nothing of a folder that is damaged in one place. This one keeps the
 * folders still to be read on a stack of its own, and remembers every folder it has listed. What it lists of one folder, and
 * which folders it goes into, follows fls (tsk_fs_dir_walk, fls_lib.c): so the two lists can be compared.
 *
 * A folder is listed whole before its subfolders: live names first, so that a deleted name never takes the plain address
 * from a live one. $OrphanFiles comes last, because libtsk finds orphans by what no deleted name has reached
 * (TSK_FS_INFO.list_inum_named); it is given our list, which knows more than 128 levels.
 */
#include "engine/evidence/tsk/tsk_private.h"

#include "engine/base/bytes.h"
#include "engine/base/text.h"
#include "engine/evidence/expand.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NO_FOLDER = 0, /* folders are numbered from 1 */
    NAME_ROOM = 8 * 1024, /* a path must leave room for this below a folder */
};

struct folder {
    uint64_t inode;
    uint32_t parent; /* number in `folders` */
    uint32_t depth;
    size_t name; /* in `names`: its component of the path, escaped and unique */
    bool deleted, orphans; /* orphans: $OrphanFiles or below */
};

struct walk {
    struct tsk_task *task;
    struct tsk_filesystem *filesystem;
    TSK_FS_INFO *info;
    const char *volume, *root;
    struct folder *folders; /* [0] is not used */
    uint32_t folder_count, folder_room;
    struct buf names;
    uint32_t *stack;
    size_t stack_count, stack_room;
    uint32_t orphans; /* $OrphanFiles, kept for the end */
    struct tsk_map listed;     /* inode -> folder number */
    struct tsk_map seen;       /* inodes that a name has reached */
    struct tsk_map named;      /* unallocated ones among them */
    struct tsk_map components; /* of the folder at hand: hash of a component -> 1 */
    struct buf path, component, stream_name;
    struct buf own; /* the component of the name at hand itself, not of one of its streams */
    size_t folder_path; /* length of the folder's path in `path` */
    struct tsk_entry_room room;
};

static int walk_fault(struct walk *walk, enum fault_kind kind, const char *path, uint64_t inode, const char *effect,
                      const char *cause)
{
    char detail[400];

    (void)snprintf(detail, sizeof detail, "inode %llu: %s", (unsigned long long)inode, cause);
    return tsk_task_fault(walk->task, &(struct found_fault){.kind = kind, .volume = walk->volume, .path = path,
        .stage = "walk", .offset = UINT64_MAX, .effect = effect, .detail = detail});
}

/* ------------------------------------------------------------------ folders */

static int add_folder(struct walk *walk, uint32_t parent, uint64_t inode, const char *name, uint32_t *ret_folder)
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

/* ------------------------------------------------------------------ addresses */

static uint64_t hash_text(const uint8_t *data, size_t size)
{
    uint64_t hash = 0xcbf29ce484222325U; /* FNV-1a: a collision costs a suffix, no more */

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ data[i]) * 0x100000001b3U;
    return hash;
}

/* Completes `path` with the component, made unique in its folder. A backslash never stands alone in an escaped name, so
 * "\#" cannot be mistaken for a part of it. */
static int finish_path(struct walk *walk, uint64_t inode)
{
    struct buf *component = &walk->component;
    size_t plain = component->size;

    for (unsigned n = 0; !buf_failed(component); n++) {
        uint64_t hash;
        if (n == 1)
            buf_printf(component, "\\#%llu", (unsigned long long)inode);
        else if (n > 1)
            buf_printf(component, "\\#%llu.%u", (unsigned long long)inode, n);
        hash = hash_text(component->data, component->size);
        if (!tsk_map_get(&walk->components, hash)) {
            walk->path.size = walk->folder_path;
            buf_text(&walk->path, "/");
            buf_append(&walk->path, component->data, component->size);
            return buf_failed(&walk->path) ? -ENOMEM : tsk_map_set(&walk->components, hash, 1);
        }
        component->size = plain;
    }
    return -ENOMEM;
}

static int start_path(struct walk *walk, const void *name, size_t size, const char *stream)
{
    buf_clear(&walk->component);
    text_escape_name(&walk->component, name, size);
    if (stream) {
        buf_text(&walk->component, ":");
        text_escape_name(&walk->component, stream, strlen(stream));
    }
    return buf_failed(&walk->component) ? -ENOMEM : 0;
}

/* ------------------------------------------------------------------ one entry */

static int emit(struct walk *walk, const struct found_entry *base, const char *stream)
{
    struct found_entry entry = *base;
    const struct buf *room[] = {&walk->room.target, &walk->room.locator, &walk->room.attribute, &walk->room.raw_times};
    int code;

    code = start_path(walk, entry.name, stream ? entry.name_size - strlen(stream) - 1 : entry.name_size, stream);
    if (code == 0)
        code = finish_path(walk, entry.inode);
    if (code == 0 && !stream && walk->own.size == 0)
        buf_append(&walk->own, walk->component.data, walk->component.size);
    if (code < 0)
        return code;
    for (size_t i = 0; i < sizeof room / sizeof room[0]; i++) {
        if (buf_failed(room[i]))
            return -ENOMEM;
    }
    if (walk->path.size >= FOUND_PATH_MAX)
        return walk_fault(walk, FAULT_LIMIT, "", entry.inode, "a name is not listed", "its path is too long");
    entry.path = buf_cstr(&walk->path);
    return walk->task->sink->entry(walk->task->sink->context, &entry);
}

/* The entry of one attribute; a named stream's name is "file:stream". */
static int emit_attribute(struct walk *walk, const struct found_entry *base, const TSK_FS_ATTR *attribute,
                          bool content, const char *stream)
{
    struct found_entry entry = *base;

    tsk_entry_from_attribute(&walk->room, walk->filesystem, attribute, content, &entry);
    if (!stream)
        return emit(walk, &entry, NULL);
    buf_clear(&walk->stream_name);
    buf_append(&walk->stream_name, base->name, base->name_size);
    buf_text(&walk->stream_name, ":");
    buf_text(&walk->stream_name, stream);
    if (buf_failed(&walk->stream_name))
        return -ENOMEM;
    entry.name = walk->stream_name.data;
    entry.name_size = walk->stream_name.size;
    entry.type = ENTRY_FILE;
    return emit(walk, &entry, stream);
}

static bool is_index_of_names(const TSK_FS_ATTR *attribute)
{
    return attribute->type == TSK_FS_ATTR_TYPE_NTFS_IDXROOT &&
           (!attribute->name || strcmp(attribute->name, "$I30") == 0);
}

/* NTFS: one entry for each $DATA and each index root, as fls has them; one without content when there is neither. A folder's
 * own comes first. */
static int emit_ntfs(struct walk *walk, TSK_FS_FILE *file, const struct found_entry *entry)
{
    bool any = false;
    int count = tsk_fs_file_attr_getsize(file), code = 0;

    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < count && code == 0; i++) {
            const TSK_FS_ATTR *attribute = tsk_fs_file_attr_get_idx(file, i);
            struct found_entry whole = *entry;
            bool data = attribute && attribute->type == TSK_FS_ATTR_TYPE_NTFS_DATA;

            if (!attribute || (!data && attribute->type != TSK_FS_ATTR_TYPE_NTFS_IDXROOT) ||
                is_index_of_names(attribute) != (pass == 0))
                continue;
            any = true;
            if (data && whole.type == ENTRY_FOLDER)
                whole.type = ENTRY_FILE;
            code = emit_attribute(walk, &whole, attribute, data,
                                  pass == 1 && attribute->name && attribute->name[0] ? attribute->name : NULL);
        }
    }
    if (code == 0 && !any)
        code = emit(walk, entry, NULL);
    return code;
}

static bool may_have_content(const TSK_FS_META *meta)
{
    return meta->type == TSK_FS_META_TYPE_REG || meta->type == TSK_FS_META_TYPE_VIRT ||
           (meta->type == TSK_FS_META_TYPE_UNDEF && meta->size > 0);
}

/* HFS+ and APFS: resource fork and extended attributes are streams of their own; fls does not show them. */
static int emit_forks(struct walk *walk, TSK_FS_FILE *file, const struct found_entry *entry)
{
    int count = tsk_fs_file_attr_getsize(file), code = 0;

    for (int i = 0; i < count && code == 0; i++) {
        const TSK_FS_ATTR *attribute = tsk_fs_file_attr_get_idx(file, i);
        if (attribute && (attribute->type == TSK_FS_ATTR_TYPE_HFS_RSRC ||
                          attribute->type == TSK_FS_ATTR_TYPE_HFS_EXT_ATTR))
            code = emit_attribute(walk, entry, attribute, true, attribute->name ? attribute->name : "");
    }
    return code;
}

static int emit_plain(struct walk *walk, TSK_FS_FILE *file, struct found_entry *entry)
{
    const TSK_FS_ATTR *attribute = NULL;
    bool content = may_have_content(file->meta);
    bool forks = TSK_FS_TYPE_ISHFS(walk->info->ftype) || TSK_FS_TYPE_ISAPFS(walk->info->ftype);
    char words[256];
    int code;

    if (content) {
        tsk_error_reset();
        attribute = tsk_fs_file_attr_get(file);
    }
    code = attribute ? emit_attribute(walk, entry, attribute, true, NULL) : emit(walk, entry, NULL);
    if (code == 0 && content && !attribute && file->meta->size > 0 && !(entry->flags & ENTRY_CONTENT_DELETED))
        code = walk_fault(walk, FAULT_DAMAGED, buf_cstr(&walk->path), entry->inode, "content not read",
                          tsk_words(words, sizeof words));
    if (code == 0 && forks)
        code = emit_forks(walk, file, entry);
    tsk_error_reset();
    return code;
}

static int emit_file(struct walk *walk, TSK_FS_FILE *file, struct found_entry *entry)
{
    tsk_entry_from_file(&walk->room, walk->filesystem, file, entry);
    if (!file->meta || entry->inode == TSK_FS_ORPHANDIR_INUM(walk->info))
        return emit(walk, entry, NULL);
    if (TSK_FS_TYPE_ISNTFS(walk->info->ftype))
        return emit_ntfs(walk, file, entry);
    return emit_plain(walk, file, entry);
}

/* ------------------------------------------------------------------ going into a folder */

/* The rule of tsk_fs_dir_walk. */
static bool leads_into(const struct walk *walk, const TSK_FS_FILE *file)
{
    const TSK_FS_NAME *name = file->name;

    return (TSK_FS_IS_DIR_NAME(name->type) || name->type == TSK_FS_NAME_TYPE_UNDEF) && file->meta &&
           TSK_FS_IS_DIR_META(file->meta->type) &&
           ((name->flags & TSK_FS_NAME_FLAG_ALLOC) || (file->meta->flags & TSK_FS_META_FLAG_UNALLOC)) &&
           !(name->meta_addr == TSK_FS_ORPHANDIR_INUM(walk->info) && walk->orphans != NO_FOLDER);
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
                   : walk_fault(walk, FAULT_DAMAGED, buf_cstr(&walk->path), file->name->meta_addr, "not listed again",
                                buf_cstr(&cause));
    }
    buf_finish(&where);
    buf_finish(&cause);
    return code;
}

/* `path` becomes the folder's own: the last one reported may be that of one of its streams. */
static int own_path(struct walk *walk, const TSK_FS_FILE *file)
{
    int code = 0;

    if (walk->own.size == 0) { /* only streams were reported */
        code = start_path(walk, file->name->name, file->name->name ? strlen(file->name->name) : 0, NULL);
        if (code == 0)
            code = finish_path(walk, file->name->meta_addr);
        buf_append(&walk->own, walk->component.data, walk->component.size);
    }
    walk->path.size = walk->folder_path;
    buf_text(&walk->path, "/");
    buf_append(&walk->path, walk->own.data, walk->own.size);
    return code < 0 || buf_failed(&walk->own) || buf_failed(&walk->path) ? -ENOMEM : 0;
}

static int go_into(struct walk *walk, uint32_t here, const TSK_FS_FILE *file)
{
    uint64_t inode = file->name->meta_addr;
    uint64_t before = tsk_map_get(&walk->listed, inode);
    uint32_t folder;
    int code = own_path(walk, file);

    if (code < 0)
        return code;
    if (before)
        return listed_before(walk, here, file, (uint32_t)before);
    if (walk->folders[here].depth >= EXPAND_DEPTH_MAX || walk->path.size > FOUND_PATH_MAX - NAME_ROOM)
        return walk_fault(walk, FAULT_LIMIT, buf_cstr(&walk->path), inode, "what is in this folder is not listed",
                          "too many levels of folders, or too long a path");
    code = add_folder(walk, here, inode, buf_cstr(&walk->own), &folder);
    if (code < 0)
        return code;
    walk->folders[folder].deleted = (file->meta->flags & TSK_FS_META_FLAG_UNALLOC) != 0;
    if (inode == TSK_FS_ORPHANDIR_INUM(walk->info)) {
        walk->folders[folder].orphans = true;
        walk->orphans = folder;
        return 0;
    }
    return push(walk, folder);
}

/* ------------------------------------------------------------------ one name */

static int note_inode(struct walk *walk, uint32_t here, const TSK_FS_META *meta)
{
    int code = tsk_map_set_bit(&walk->seen, meta->addr);

    if (code == 0 && (meta->flags & TSK_FS_META_FLAG_UNALLOC) && !walk->folders[here].orphans)
        code = tsk_map_set_bit(&walk->named, meta->addr);
    return code;
}

/* The name is borrowed from the folder's list; libtsk's NTFS code compares its sequence number with the metadata's. */
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
    code = emit(walk, entry, NULL);
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
    int code;

    /* The dots of a deleted folder count as names that reach (tsk_fs_dir_walk notes them too); those of others are known. */
    if (dot && !walk->folders[here].deleted && !(name->flags & TSK_FS_NAME_FLAG_UNALLOC))
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
    code = file->meta ? note_inode(walk, here, file->meta) : 0;
    if (code == 0 && !dot) {
        if (here == walk->orphans)
            entry.flags |= ENTRY_ORPHAN;
        buf_clear(&walk->own);
        code = emit_file(walk, file, &entry);
        if (code == 0 && leads_into(walk, file))
            code = go_into(walk, here, file);
    }
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

static int do_folder(struct walk *walk, uint32_t here)
{
    uint64_t inode = walk->folders[here].inode;
    TSK_FS_DIR *dir = NULL;
    TSK_RETVAL_ENUM status;
    char words[256];
    int code = 0;

    folder_path(walk, here, &walk->path);
    walk->folder_path = walk->path.size;
    tsk_map_clear(&walk->components);
    if (buf_failed(&walk->path))
        return -ENOMEM;
    if (tsk_task_at(walk->task, inode))
        return walk_fault(walk, walk->task->skip->kind, buf_cstr(&walk->path), inode,
                          "what is in this folder is not listed", "an earlier attempt did not survive it");
    /* Not tsk_fs_dir_open_meta, which throws away what it has read of a damaged folder. */
    tsk_error_reset();
    status = walk->info->dir_open_meta(walk->info, &dir, inode, 0);
    if (status != TSK_OK)
        code = walk_fault(walk, FAULT_DAMAGED, buf_cstr(&walk->path), inode,
                          dir && dir->names_used > 0 ? "only a part of this folder is listed"
                                                     : "what is in this folder is not listed",
                          tsk_words(words, sizeof words));
    if (code == 0 && here == 1) /* "$Unnamed" is ours */
        code = tsk_map_set(&walk->components, hash_text((const uint8_t *)"$Unnamed", 8), 1);
    if (code == 0 && dir)
        code = do_names(walk, here, dir);
    tsk_fs_dir_close(dir);
    return code;
}

/* ------------------------------------------------------------------ orphans */

static int compare_numbers(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

/* Gives libtsk the list of unallocated inodes that have a name; otherwise it would walk the whole tree again, 128 levels of
 * it. In ascending order each one goes to the head of its list; the orphans' own number keeps an empty list from counting as none. */
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

/* ------------------------------------------------------------------ what no name reached */

struct unnamed {
    struct walk *walk;
    int code;
};

enum { INODES_AT_ONCE = 64 };

/* The file system's own inodes that hold nothing are not worth a row. */
static bool is_reserve(const TSK_FS_INFO *info, const TSK_FS_META *meta)
{
    if (TSK_FS_TYPE_ISNTFS(info->ftype))
        return meta->addr < 24 && meta->size == 0;
    if (TSK_FS_TYPE_ISEXT(info->ftype))
        return meta->addr < 11 && (meta->size == 0 || meta->type == TSK_FS_META_TYPE_UNDEF);
    return meta->addr < 16 && meta->size == 0;
}

static TSK_WALK_RET_ENUM on_unnamed(TSK_FS_FILE *file, void *context)
{
    struct unnamed *unnamed = context;
    struct walk *walk = unnamed->walk;
    const TSK_FS_META *meta = file->meta;
    struct found_entry entry;
    char name[32];

    if (!meta || meta->addr == TSK_FS_ORPHANDIR_INUM(walk->info) || meta->addr == walk->info->root_inum ||
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
    unnamed->code = emit_file(walk, file, &entry);
    return unnamed->code < 0 ? TSK_WALK_STOP : TSK_WALK_CONT;
}

/* Inodes `first` to `last`. A damaged one ends libtsk's walk: the next begins behind this range. */
static int do_unnamed_range(struct walk *walk, uint64_t first, uint64_t last, uint64_t *ret_failed)
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

static int do_unnamed_inodes(struct walk *walk)
{
    const TSK_FS_INFO *info = walk->info;
    uint64_t failed = 0, next;
    char effect[96], words[256] = "";
    int code = 0;

    for (uint64_t first = info->first_inum; first < info->last_inum && code == 0; first = next) {
        bool one = holds_skipped(walk->task->skip, first, first / INODES_AT_ONCE * INODES_AT_ONCE + INODES_AT_ONCE);
        uint64_t before = failed;

        next = one ? first + 1 : first / INODES_AT_ONCE * INODES_AT_ONCE + INODES_AT_ONCE;
        if (next > info->last_inum)
            next = info->last_inum; /* that is $OrphanFiles */
        if (tsk_map_get(&walk->seen, first / INODES_AT_ONCE) != UINT64_MAX)
            code = do_unnamed_range(walk, first, next - 1, &failed);
        if (failed != before)
            (void)tsk_words(words, sizeof words);
    }
    if (code < 0 || failed == 0)
        return code;
    (void)snprintf(effect, sizeof effect, "up to %llu inodes not looked at", (unsigned long long)failed);
    walk->path.size = walk->folder_path;
    return walk_fault(walk, FAULT_DAMAGED, buf_cstr(&walk->path), info->first_inum, effect, words);
}

static int do_unnamed(struct walk *walk)
{
    const TSK_FS_INFO *info = walk->info;

    if (!TSK_FS_TYPE_ISNTFS(info->ftype) && !TSK_FS_TYPE_ISEXT(info->ftype) && !TSK_FS_TYPE_ISFFS(info->ftype) &&
        !TSK_FS_TYPE_ISHFS(info->ftype))
        return 0;
    buf_clear(&walk->path);
    buf_printf(&walk->path, "%s/$Unnamed", walk->root);
    walk->folder_path = walk->path.size;
    tsk_map_clear(&walk->components);
    if (buf_failed(&walk->path))
        return -ENOMEM;
    if (tsk_task_at(walk->task, TSK_AT_UNNAMED))
        return walk_fault(walk, walk->task->skip->kind, buf_cstr(&walk->path), info->first_inum,
                          "allocated inodes without a name are not listed", "an earlier attempt did not survive it");
    return do_unnamed_inodes(walk);
}

/* ------------------------------------------------------------------ the whole */

static void walk_finish(struct walk *walk)
{
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
        code = tsk_map_set_bit(&walk->seen, walk->info->root_inum);
    if (code == 0)
        code = push(walk, folder);
    if (code == 0)
        code = do_stack(walk);
    if (code == 0)
        code = do_orphans(walk);
    if (code == 0)
        code = do_unnamed(walk);
    walk_finish(walk);
    return code;
}
