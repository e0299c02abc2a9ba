/*
 * tsk_names: the entries of one name: their addresses, which are unique, and one for each stream that it has.
 *
 * Which streams are entries follows fls (print_dent_act in libtsk's fls_lib.c): NTFS $DATA attributes and
 * index roots. Resource forks and extended attributes of HFS+ and APFS, which fls does not show, are entries
 * too.
 */
#include "engine/evidence/tsk/tsk_walk.h"

#include "engine/base/text.h"

#include <errno.h>
#include <string.h>

/* ------------------------------------------------------------------ addresses */

static uint64_t hash_text(const uint8_t *data, size_t size)
{
    uint64_t hash = 0xcbf29ce484222325U; /* FNV-1a: a collision costs a suffix, no more */

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ data[i]) * 0x100000001b3U;
    return hash;
}

/* Completes `path` with the component, made unique in its folder. A backslash never stands alone in an
 * escaped name, so
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
    const struct buf *room[] = {&walk->room.target, &walk->room.locator, &walk->room.attribute,
                                &walk->room.raw_times};
    int code;

    code =
        start_path(walk, entry.name, stream ? entry.name_size - strlen(stream) - 1 : entry.name_size, stream);
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

/* NTFS: one entry for each $DATA and each index root, as fls has them; one without content when there is
 * neither. A folder's own comes first. */
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
            code =
                emit_attribute(walk, &whole, attribute, data,
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
        if (!attribute || (attribute->type != TSK_FS_ATTR_TYPE_HFS_RSRC &&
                           attribute->type != TSK_FS_ATTR_TYPE_HFS_EXT_ATTR))
            continue;
        /* A symbolic link's target on APFS is shown as such. */
        if (entry->type != ENTRY_LINK || !attribute->name ||
            strcmp(attribute->name, "com.apple.fs.symlink") != 0)
            code = emit_attribute(walk, entry, attribute, true, attribute->name ? attribute->name : "");
    }
    return code;
}

/* A content that libtsk cannot load: by our own reader of extent trees, or not at all. */
static int emit_unloaded(struct walk *walk, const TSK_FS_META *meta, struct found_entry *entry)
{
    char words[256];
    bool whole;
    int code;

    (void)tsk_words(words, sizeof words);
    whole = tsk_entry_from_extents(&walk->room, walk->filesystem, entry) == 0;
    for (size_t i = 0; walk->space && i < entry->run_count; i++)
        tsk_space_take_run(walk->space, &entry->runs[i], !(meta->flags & TSK_FS_META_FLAG_UNALLOC));
    code = emit(walk, entry, NULL);
    if (code == 0 && !whole && !(meta->flags & TSK_FS_META_FLAG_UNALLOC))
        code = walk_fault(walk, FAULT_DAMAGED, buf_cstr(&walk->path), entry->inode,
                          entry->locator[0] ? "content read only in part" : "content not read", words);
    return code;
}

static int emit_plain(struct walk *walk, TSK_FS_FILE *file, struct found_entry *entry)
{
    const TSK_FS_ATTR *attribute = NULL;
    TSK_FS_ATTR none = {.id = 0}; /* a file of no bytes may have no attribute: it is a content all the same */
    bool content = may_have_content(file->meta);
    bool forks = TSK_FS_TYPE_ISHFS(walk->info->ftype) || TSK_FS_TYPE_ISAPFS(walk->info->ftype);
    int code;

    if (content) {
        tsk_error_reset();
        attribute = tsk_fs_file_attr_get(file);
        none.type = walk->info->get_default_attr_type(file);
        if (!attribute && file->meta->size == 0)
            attribute = &none;
    }
    if (attribute)
        code = emit_attribute(walk, entry, attribute, true, NULL);
    else if (content)
        code = emit_unloaded(walk, file->meta, entry);
    else
        code = emit(walk, entry, NULL);
    if (code == 0 && forks)
        code = emit_forks(walk, file, entry);
    tsk_error_reset();
    return code;
}

int names_emit(struct walk *walk, TSK_FS_FILE *file, struct found_entry *entry)
{
    buf_clear(&walk->own);
    tsk_entry_from_file(&walk->room, walk->filesystem, file, entry);
    if (!file->meta || walk_is_orphans(walk, entry->inode))
        return emit(walk, entry, NULL);
    if (TSK_FS_TYPE_ISNTFS(walk->info->ftype))
        return emit_ntfs(walk, file, entry);
    return emit_plain(walk, file, entry);
}

int names_emit_bare(struct walk *walk, const struct found_entry *entry)
{
    buf_clear(&walk->own);
    return emit(walk, entry, NULL);
}

int names_emit_root_streams(struct walk *walk, TSK_FS_FILE *file, struct found_entry *entry)
{
    int count = tsk_fs_file_attr_getsize(file), code = 0;

    buf_clear(&walk->own);
    tsk_entry_from_file(&walk->room, walk->filesystem, file, entry);
    for (int i = 0; i < count && code == 0; i++) {
        const TSK_FS_ATTR *attribute = tsk_fs_file_attr_get_idx(file, i);
        if (attribute && attribute->type == TSK_FS_ATTR_TYPE_NTFS_DATA)
            code = emit_attribute(walk, entry, attribute, true, attribute->name ? attribute->name : "");
    }
    return code;
}

void names_begin(struct walk *walk)
{
    walk->folder_path = walk->path.size;
    tsk_map_clear(&walk->components);
}

int names_reserve(struct walk *walk, const char *component)
{
    return tsk_map_set(&walk->components, hash_text((const uint8_t *)component, strlen(component)), 1);
}

int names_own_path(struct walk *walk, const TSK_FS_FILE *file)
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
