/*
 * tsk_private: what the files of this folder share.
 */
#ifndef KVALI_EVIDENCE_TSK_TSK_PRIVATE_H
#define KVALI_EVIDENCE_TSK_TSK_PRIVATE_H

#include "engine/base/buf.h"
#include "engine/evidence/signature.h"
#include "engine/evidence/tsk/tsk.h"

#include <tsk/libtsk.h>

/* ------------------------------------------------------------------ tsk_medium.c: the image as libtsk sees
 * it */

/* `base` must be first: libtsk hands its address back to the read function. */
struct tsk_medium {
    TSK_IMG_INFO base;
    struct image *image;
    const struct found_sink *sink; /* while an expand runs: reading is a sign of life */
    uint64_t what;                 /* last value of `at` */
};

enum { TSK_OPEN_MAX = 8, TSK_NOTE_SIZE = 256 };

/* A file system held open. */
struct tsk_filesystem {
    struct tsk_medium *medium;
    uint64_t offset, block; /* as in the locator */
    char type[LOCATOR_TYPE_SIZE];
    TSK_FS_INFO *info;
    const TSK_POOL_INFO *pool; /* APFS only, as pool_image */
    TSK_IMG_INFO *pool_image;
    struct tsk_apfs *apfs;    /* what decrypts it; NULL: nothing, it is plain */
    char note[TSK_NOTE_SIZE]; /* "", or what was encrypted, and which key opened it: escaped */
    struct tsk_ext *ext; /* ext2/3/4 only */
    struct tsk_free *free_space; /* NULL until tsk_free_of */
    unsigned users;
    uint64_t used; /* by the keep's clock */
};

/* One part of the medium, as the partition table has it. */
struct tsk_slot {
    char key[48];
    char type[128]; /* escaped */
    char label[128];
    uint64_t offset, size; /* as the table says; may reach past the image */
    uint64_t present;      /* bytes of it that the image has */
    int use;               /* VOLUME_ALLOCATED ... */
};

/* What is kept with an image between calls. */
struct tsk_keep {
    struct tsk_medium medium;
    struct tsk_filesystem *open[TSK_OPEN_MAX];
    size_t open_count;
    uint64_t clock;
    struct tsk_slot *slots; /* NULL until tsk_slots_load */
    size_t slot_count;
    const char *table;        /* "gpt" ... "none" */
    char table_damage[256];   /* "" or what is wrong with it, escaped */
    char table_unopened[256]; /* "" or why a table that seems to be there does not open */
};

/* The image's keep, made on first use; NULL: no memory. */
struct tsk_keep *tsk_keep(struct image *image);

/* From the cache or opened anew; give it back with tsk_filesystem_release. -EINVAL (unknown type), -EIO,
 * -ENOMEM; -ENOKEY: encrypted, and no key of the image's opens it. */
int tsk_filesystem_acquire(struct image *image, const struct locator *locator, struct tsk_filesystem **ret,
                           struct why *why);
void tsk_filesystem_release(struct tsk_filesystem *filesystem);

/* For signature_find: `context` is a struct tsk_part. */
struct tsk_part {
    struct tsk_medium *medium;
    uint64_t offset, size;
};
void tsk_part_read(void *context, uint64_t offset, void *data, size_t size);
/* Bytes of the medium through libtsk's cache; zeros where there are none. False when not all were there. */
bool tsk_medium_bytes(struct tsk_medium *medium, uint64_t offset, void *data, size_t size);
/* Makes the next reads see the medium again, so that bad ranges are met. */
void tsk_medium_forget(struct tsk_filesystem *filesystem);

/* libtsk's last error in escaped words, cut to fit; clears it. Returns ret. */
const char *tsk_words(char *ret, size_t size);

/* ------------------------------------------------------------------ tsk_apfs.c */

/* Fills info, pool, pool_image, apfs, note. As tsk_filesystem_acquire; on failure, too, tsk_apfs_close drops
 * what there is. */
int tsk_apfs_open(struct tsk_filesystem *filesystem, struct why *why);
/* For a file system of another kind as well. */
void tsk_apfs_close(struct tsk_filesystem *filesystem);
/* To be called for a file of a decrypted volume before it is read. */
void tsk_apfs_mark(TSK_FS_FILE *file);
/* True when the volume whose superblock this is needs a key. */
bool tsk_apfs_locked(const TSK_POOL_INFO *pool, uint64_t block);

/* ------------------------------------------------------------------ a task: what every expand carries along
 */

struct tsk_task {
    struct image *image;
    struct tsk_keep *keep;
    const struct found_sink *sink;
    const struct expand_skip *skip;
};
int tsk_task_begin(struct tsk_task *task, struct image *image, const struct found_sink *sink,
                   const struct expand_skip *skip);
void tsk_task_end(struct tsk_task *task);
/* Tells the sink; true when an earlier attempt did not survive this and it is to be left out. */
bool tsk_task_at(struct tsk_task *task, uint64_t what);
/* Tells the sink how many names the folder can hold that is read next; 0 when it has been read. */
void tsk_task_weigh(struct tsk_task *task, uint64_t names);
/* Members of `fault` that are NULL become "". */
int tsk_task_fault(struct tsk_task *task, const struct found_fault *fault);
/* An entry with every string "", every time WHEN_NONE, type VIRTUAL. */
void tsk_entry_blank(struct found_entry *entry);
/* Reports a raw stream: `path` and the last component `name`. */
int tsk_task_raw(struct tsk_task *task, const char *volume, const char *path, const char *name,
                 uint64_t offset, uint64_t size);

/* Reports how many bytes of a volume are of one kind. */
int tsk_task_account(struct tsk_task *task, const char *volume, enum account_kind kind, uint64_t bytes);

/* ------------------------------------------------------------------ tsk_free.c: unallocated blocks */

struct tsk_free;
/* Made at the first call and kept with the file system. -ENOMEM. */
int tsk_free_of(struct tsk_filesystem *filesystem, const struct tsk_free **ret_free);
void tsk_free_drop(struct tsk_free *free_space);
uint64_t tsk_free_size(const struct tsk_free *free_space);
/* False when the allocation map could not be read to its end. */
bool tsk_free_is_whole(const struct tsk_free *free_space);
/* In order and without gaps between their offsets. */
const struct extent *tsk_free_extents(const struct tsk_free *free_space, size_t *ret_count);

/* ------------------------------------------------------------------ tsk_space.c: what each block belongs to */

struct tsk_space;
/* `limit`: the image offset at which the volume ends. */
int tsk_space_new(struct tsk_filesystem *filesystem, uint64_t limit, struct tsk_space **ret_space);
void tsk_space_free(struct tsk_space *space);
/* The bytes that a space accounts for: whole blocks before `limit`; 0: none can be told. */
uint64_t tsk_space_bytes(const TSK_FS_INFO *info, uint64_t limit);
/* All non-resident attributes of a file, live or deleted. */
void tsk_space_take(struct tsk_space *space, TSK_FS_FILE *file);
void tsk_space_take_run(struct tsk_space *space, const struct found_run *run, bool live);
/* Reports free space and structures as streams, and the accounts. */
int tsk_space_close(struct tsk_space *space, struct tsk_task *task, const char *volume);
/* The same of an APFS container, by any one of its volumes: free space, and the rest undivided. */
int tsk_space_close_pool(struct tsk_filesystem *filesystem, struct tsk_task *task, const struct tsk_slot *slot);

/* ------------------------------------------------------------------ tsk_slots.c */

/* Reads the partition table into the keep; does nothing when that was done. */
int tsk_slots_load(struct tsk_keep *keep);
/* The allocated slot that begins at `offset`; NULL: none. */
const struct tsk_slot *tsk_slots_at(const struct tsk_keep *keep, uint64_t offset);

/* ------------------------------------------------------------------ tsk_filesystem.c */

/* libtsk's number for "ntfs", "fat32" ...; TSK_FS_TYPE_UNSUPP when there is none; and back ("" for an unknown
 * one). */
TSK_FS_TYPE_ENUM tsk_type_parse(const char *name);
const char *tsk_type_name(const TSK_FS_INFO *info);
const char *tsk_type_time_note(const char *type);
/* The volume's serial number or UUID, and label, as text; "" when there is none. */
void tsk_filesystem_serial(const TSK_FS_INFO *info, struct buf *buf);
void tsk_filesystem_label(TSK_FS_INFO *info, struct tsk_medium *medium, struct buf *buf);
/* Bytes that the file system claims, from info->offset on. */
uint64_t tsk_filesystem_size(const TSK_FS_INFO *info);

/* ------------------------------------------------------------------ tsk_shadow.c */

/* The snapshots of the volume that this locator names; of others than NTFS there are none. */
int tsk_shadow_report(struct tsk_task *task, const struct locator *locator);

/* ------------------------------------------------------------------ tsk_dir.c */

/* libtsk's function, which its headers do not declare: adds a copy of `name` to the folder's list, unless it
 * is there with the same metadata; then a name in use takes the place of a deleted one. 1: no memory. */
uint8_t tsk_fs_dir_add(TSK_FS_DIR *dir, const TSK_FS_NAME *name);

/* libtsk's, too: whether the folder's list has a name with this metadata and this hash; its flags, or 0. One
 * in use comes first, else the last one. */
uint8_t tsk_fs_dir_contains(TSK_FS_DIR *dir, TSK_INUM_T number, uint32_t hash);
/* libtsk's own. */
uint32_t tsk_fs_dir_hash(const char *text);

/* Gives back what these have to remember of the last folder. */
void tsk_dir_forget(void);

/* ------------------------------------------------------------------ tsk_walk.c */

int tsk_walk(struct tsk_task *task, struct tsk_filesystem *filesystem, const char *volume, const char *root);

/* ------------------------------------------------------------------ tsk_weight.c */

/* The most names that this folder can hold by its size, which is cut to what the medium has. 0 when its
 * size does not tell: folders of HFS+ and APFS lie in a common tree, and what libtsk makes itself. */
uint64_t tsk_weight(TSK_FS_INFO *info, uint64_t inode);

/* ------------------------------------------------------------------ tsk_entry.c: libtsk's structures as an
 * entry */

/* Memory behind the strings and runs of the entry being made. */
struct tsk_entry_room {
    struct buf target, locator, attribute, raw_times;
    struct found_run runs[FOUND_RUNS_MAX];
};
void tsk_entry_room_finish(struct tsk_entry_room *room);

/* Everything that belongs to the metadata; `file->meta` may be NULL, `file->name` too. */
void tsk_entry_from_file(struct tsk_entry_room *room, struct tsk_filesystem *filesystem, TSK_FS_FILE *file,
                         struct found_entry *entry);
/* The content: size, where it lies, locator, kind. `content` false: this attribute is listed, but not read.
 */
void tsk_entry_from_attribute(struct tsk_entry_room *room, struct tsk_filesystem *filesystem,
                              const TSK_FS_ATTR *attribute, bool content, struct found_entry *entry);

/* The same for a content that libtsk cannot load and tsk_ext_extents perhaps can: its code. The locator stays
 * "" when it gave nothing. */
int tsk_entry_from_extents(struct tsk_entry_room *room, struct tsk_filesystem *filesystem,
                           struct found_entry *entry);

/* ------------------------------------------------------------------ tsk_runs.c */

/* Goes through the runs of a non-resident attribute the way icat does: in the order of the list, without the
 * skipped beginning, up to `limit` bytes. */
struct tsk_runs {
    const TSK_FS_INFO *info;
    const TSK_FS_ATTR_RUN *run;
    uint64_t skip, position, limit;
    size_t empty; /* runs without blocks met so far: a list that goes round ends here */
};
void tsk_runs_init(struct tsk_runs *runs, const TSK_FS_INFO *info, const TSK_FS_ATTR *attribute,
                   uint64_t limit);
bool tsk_runs_next(struct tsk_runs *runs, struct extent *ret_extent);
/* Where slack begins: behind the last byte that was written, which on NTFS may lie before the content's end. */
uint64_t tsk_slack_begin(const TSK_FS_ATTR *attribute);
/* True when its bytes lie on the medium as they are: neither resident, compressed nor decrypted. */
bool tsk_runs_plain(const TSK_FS_INFO *info, const TSK_FS_ATTR *attribute);

/* ------------------------------------------------------------------ tsk_unread.c: folders on a bad medium */

/* Adds the bytes of the folder that libtsk has just read which the medium does not give to `ret_bad`, as places in the
 * image. 0 or -ENOMEM. */
int tsk_unread(struct image *image, const TSK_FS_INFO *info, TSK_FS_FILE *file, struct ranges *ret_bad);

/* ------------------------------------------------------------------ tsk_ext.c: what libtsk loses of ext
 * inodes */

struct tsk_ext_inode {
    int64_t modified, accessed, changed, born, deleted;
    uint32_t flags;    /* i_flags */
    bool out_of_range; /* a time was cut to what nanoseconds since 1970 can say */
};
/* NULL: no memory, or not an ext superblock. */
struct tsk_ext *tsk_ext_new(struct tsk_medium *medium, uint64_t offset);
void tsk_ext_free(struct tsk_ext *ext);
/* False when the inode is not where the group descriptors can tell. Unusual times are added to `raw_times` as
 * stored. */
bool tsk_ext_inode(struct tsk_ext *ext, uint64_t inode, struct buf *raw_times,
                   struct tsk_ext_inode *ret_inode);

/* The blocks of an ext4 file by its extent tree, in order, holes too, cut to `size`. For what libtsk 4.11.1
 * cannot load: it fails at the second index block of a tree (its list of index blocks takes their length in
 * bytes for one in blocks), and so gives nothing of a file in more than some 340 pieces. -EIO: not such a
 * file, or its tree is damaged (what came before it was given); or the code of `take`. */
typedef int tsk_extent_take(void *context, const struct extent *extent);
int tsk_ext_extents(struct tsk_ext *ext, uint64_t inode, uint64_t size, tsk_extent_take *take, void *context);

/* ------------------------------------------------------------------ tsk_map.c: a hash table of numbers */

struct tsk_map {
    struct tsk_map_item {
        uint64_t key, value; /* value 0: free */
    } * items;
    size_t count, capacity; /* a power of two, or 0 */
};
void tsk_map_finish(struct tsk_map *map);
void tsk_map_clear(struct tsk_map *map);
/* 0 when the key is not there. */
uint64_t tsk_map_get(const struct tsk_map *map, uint64_t key);
/* `value` is not 0. -ENOMEM. */
int tsk_map_set(struct tsk_map *map, uint64_t key, uint64_t value);
/* A set of numbers, 64 to an item. */
bool tsk_map_has_bit(const struct tsk_map *map, uint64_t number);
int tsk_map_set_bit(struct tsk_map *map, uint64_t number);

#endif
