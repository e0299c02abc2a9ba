/*
 * tsk_walk: what tsk_walk.c (folders), tsk_names.c (addresses and entries) and tsk_unnamed.c share.
 */
#ifndef KVALI_EVIDENCE_TSK_TSK_WALK_H
#define KVALI_EVIDENCE_TSK_TSK_WALK_H

#include "engine/evidence/tsk/tsk_private.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NO_FOLDER = 0 }; /* folders are numbered from 1 */

struct folder {
    uint64_t inode;
    uint32_t parent; /* number in `folders` */
    uint32_t depth;
    size_t name;           /* in `names`: its component of the path, escaped and unique */
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
    uint32_t orphans;          /* $OrphanFiles, kept for the end */
    struct tsk_map listed;     /* inode -> folder number */
    struct tsk_map seen;       /* inodes that a name has reached */
    struct tsk_map named;      /* unallocated ones among them */
    struct tsk_space *space;   /* NULL: not accounted for */
    struct tsk_map components; /* of the folder at hand: hash of a component -> 1 */
    struct buf path, component, stream_name;
    struct buf own;     /* the component of the name at hand itself, not of one of its streams */
    size_t folder_path; /* length of the folder's path in `path` */
    struct tsk_entry_room room;
};

/* A fault of stage "walk". `path` may be "". */
int walk_fault(struct walk *walk, enum fault_kind kind, const char *path, uint64_t inode, const char *effect,
               const char *cause);
/* True for libtsk's number of $OrphanFiles in this file system; HFS+ and APFS have none. */
bool walk_is_orphans(const struct walk *walk, uint64_t inode);

/* tsk_names.c. Before the names of a folder: `path` is the folder's, none of its components is in use. */
void names_begin(struct walk *walk);
/* Reserves a component in this folder. */
int names_reserve(struct walk *walk, const char *component);
/* Reports what fls has for this name, and more. `entry` is blank but for volume, name and flags. `path` is
 * then the address last reported, `own` the component of the name itself. */
int names_emit(struct walk *walk, TSK_FS_FILE *file, struct found_entry *entry);
/* The same without asking libtsk for metadata. */
int names_emit_bare(struct walk *walk, const struct found_entry *entry);
/* NTFS: the named streams of the root folder, by its "." entry. */
int names_emit_root_streams(struct walk *walk, TSK_FS_FILE *file, struct found_entry *entry);
/* Makes `path` the address of the name itself: the last one reported may be that of one of its streams. */
int names_own_path(struct walk *walk, const TSK_FS_FILE *file);

/* tsk_unnamed.c: allocated inodes that no name has reached. */
int unnamed_walk(struct walk *walk);

#endif
