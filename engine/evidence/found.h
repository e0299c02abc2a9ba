/*
 * found: what the walk over an exhibit reports, in plain structures that cross the wire.
 *
 * image -> volumes -> file systems -> entries (names) -> streams (contents). A content that several names reach
 * (hard links) is one stream: the entries carry the same locator.
 */
#ifndef KVALI_EVIDENCE_FOUND_H
#define KVALI_EVIDENCE_FOUND_H

#include "engine/base/buf.h"
#include "engine/base/bytes.h"
#include "engine/plugin.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A part of the medium: a slot of a partition table, a gap, an APFS volume, or the whole image without a table.
 * All strings are escaped text. */
struct found_volume {
    const char *key;        /* unique in the exhibit and stable: "p2", "gap@0x100000", "p3.v1"; the whole image without a table: "image" */
    const char *parent;     /* key of the volume it lies in; "" for none */
    const char *table;      /* "gpt", "dos", "apm", "bsd", "sun", "none", "apfs" */
    const char *type;       /* as the table says: "Linux filesystem (0x83)" */
    const char *label;      /* partition name or volume label, "" for none */
    uint64_t offset, size;  /* bytes in the image (APFS volume: the container's) */
    const char *filesystem; /* "ntfs", "fat12", "fat16", "fat32", "exfat", "ext2", "ext3", "ext4", "hfs+", "apfs", "iso9660", "ufs1", "ufs2", "yaffs2"; "" for none */
    const char *content;    /* without a file system that opens: "encrypted: BitLocker", "unsupported: XFS", "swap", "zeros", "unknown"; else "" */
    uint32_t block_size;    /* of the file system, 0 for none */
    uint64_t block_count;
    uint64_t fs_size;       /* bytes the file system claims */
    const char *serial;     /* volume serial or UUID, "" */
    const char *time_note;  /* what its times are: "UTC, 100 ns", "local time of the writer, 2 s (modified), 1 day (accessed)" */
    const char *expand;     /* locator of an expand task for what is inside; "" when there is none */
    const char *root;       /* what addresses of what `expand` finds begin with; "": the exhibit's name */
    const char *raw;        /* locator of the raw stream that covers it when no file system is read; "" */
    enum { VOLUME_ALLOCATED, VOLUME_GAP, VOLUME_TABLE } use; /* TABLE: the sectors of the partition table itself */
};

enum entry_type {
    ENTRY_FILE, ENTRY_FOLDER, ENTRY_LINK, ENTRY_FIFO, ENTRY_CHARDEV, ENTRY_BLOCKDEV, ENTRY_SOCKET, ENTRY_WHITEOUT,
    ENTRY_VIRTUAL, /* made by libtsk: $MBR, $FAT1, $OrphanFiles */
    ENTRY_UNKNOWN, ENTRY_TYPES,
};
const char *entry_type_name(enum entry_type type); /* "file", "folder" ... */

enum entry_flags {
    ENTRY_NAME_DELETED = 1 << 0,    /* the name is not allocated */
    ENTRY_CONTENT_DELETED = 1 << 1, /* the metadata is not allocated */
    ENTRY_REALLOCATED = 1 << 2,     /* deleted name whose metadata now belongs to something live */
    ENTRY_ORPHAN = 1 << 3,          /* metadata without a name that leads to it */
    ENTRY_UNNAMED = 1 << 4,         /* allocated metadata that no name reaches (journals, hidden by corruption) */
    ENTRY_RESIDENT = 1 << 5,
    ENTRY_COMPRESSED = 1 << 6,
    ENTRY_SPARSE = 1 << 7,
    ENTRY_ENCRYPTED = 1 << 8,
    ENTRY_METADATA = 1 << 9,        /* belongs to the file system itself */
    ENTRY_TIME_RANGE = 1 << 10,     /* a stored time is outside of what can be shown; raw_times has it */
    ENTRY_NO_METADATA = 1 << 11,    /* a name alone: its metadata is gone or unreadable */
};

struct found_run {
    uint64_t offset; /* in the image; UINT64_MAX for a hole */
    uint64_t size;
};
enum { FOUND_RUNS_MAX = 1024, FOUND_PATH_MAX = 32 * 1024, FOUND_TARGET_MAX = 4096 };

/* One name in a file system, or one named stream of it. */
struct found_entry {
    const char *volume;        /* key */
    const char *path;          /* forensic address, unique in the exhibit, escaped: image/p2/ntfs/Users/x.txt:zone */
    const void *name;          /* the last component, raw bytes as the file system gives them */
    size_t name_size;
    enum entry_type type;
    uint32_t flags;            /* enum entry_flags */
    uint64_t inode, sequence, parent_inode;
    uint64_t size;             /* of the content that this entry names */
    uint64_t allocated_size;   /* bytes in blocks, 0 when unknown or resident */
    uint32_t mode, uid, gid, links; /* POSIX bits; 0 where the file system has none */
    int64_t modified, accessed, changed, born; /* ns UTC or WHEN_NONE */
    int64_t deleted;           /* ext: deletion time */
    int64_t name_modified, name_accessed, name_changed, name_born; /* NTFS $FILE_NAME */
    const char *raw_times;     /* stored integers where they say more: "m=0xffffffff/3 ...", "" */
    const char *target;        /* symbolic link's target, escaped; "" */
    const char *attribute;     /* "128-1" for NTFS: type and id of the content's attribute; "" */
    /* The content, for entries that have one: */
    const char *locator;       /* opens it (stream.h); "" for none */
    enum stream_kind kind;
    uint64_t disk;             /* image offset of its first byte, for reading in disk order; UINT64_MAX unknown */
    const struct found_run *runs; /* where it lies, at most FOUND_RUNS_MAX */
    size_t run_count;
    bool runs_cut;             /* there were more */
};

/* A name of which nothing is known yet: texts "", times WHEN_NONE, the place on disk unknown; the rest is 0. */
struct found_entry found_entry_blank(void);

/* Something that could not be examined, or only in part. */
enum fault_kind {
    FAULT_UNREADABLE,  /* bytes that the medium or container did not give */
    FAULT_DAMAGED,     /* a structure is broken */
    FAULT_UNSUPPORTED, /* recognised, not supported */
    FAULT_ENCRYPTED,   /* recognised, locked */
    FAULT_LIMIT,       /* a limit was reached */
    FAULT_CRASH,       /* the parser crashed here */
    FAULT_HANG,        /* the parser did not come back */
    FAULT_MEMORY,      /* the parser ran out of its memory */
    FAULT_TAMPER,      /* a worker did what no parser does: its work was discarded and done again */
    FAULT_MISSING,     /* a segment, file or extent that should be there is not */
    FAULT_DENIED,      /* no permission to read (folder evidence) */
    FAULT_CHANGED,     /* stored hash and content differ, or evidence changed while it was read */
    FAULT_KINDS,
};
const char *fault_kind_name(enum fault_kind kind); /* "unreadable", "damaged" ... */

struct found_fault {
    enum fault_kind kind;
    const char *volume;  /* key, "" when it concerns the exhibit */
    const char *path;    /* forensic address, "" for none; escaped */
    const char *stage;   /* "open", "volumes", "filesystem", "walk", "read", "scan" */
    const char *plugin;  /* "" for the engine */
    uint64_t offset;     /* in the stream, or in the image for image-wide ones; UINT64_MAX for none */
    uint64_t size;       /* bytes concerned, 0 when unknown */
    const char *effect;  /* what was not done because of it: "content of 12 files not listed" */
    const char *detail;  /* cause in words, escaped */
};

/* What the bytes of a volume are. SHARE is what of the medium this volume stands for (a byte that two volumes claim
 * counts for the first of them); the others divide it. */
enum account_kind {
    ACCOUNT_SHARE,
    ACCOUNT_LIVE,       /* content of live files and folders */
    ACCOUNT_SLACK,      /* behind the end of such content, in its last blocks */
    ACCOUNT_STRUCTURES, /* allocated, and no listed file's: the file system's own */
    ACCOUNT_DELETED,    /* free, and still named by a deleted file's metadata */
    ACCOUNT_FREE,       /* free, and named by nothing */
    ACCOUNT_OUTSIDE,    /* in the volume, before or behind its file system */
    ACCOUNT_RAW,        /* no file system that is read: a gap, an encrypted or unknown volume */
    ACCOUNT_TABLE,      /* the partition table's own sectors */
    ACCOUNT_ALLOCATED,  /* of an APFS container: all that is not free, its volumes' files and its own structures */
    ACCOUNT_KINDS,
};
const char *account_kind_name(enum account_kind kind); /* "share", "live" ... */
struct found_account {
    const char *volume; /* key */
    enum account_kind kind;
    uint64_t bytes;
};

/* Wire forms. The _read functions are for hostile input: -EBADMSG; strings are borrowed from the message and are
 * checked to be escaped text; `ret_runs` gives room for FOUND_RUNS_MAX runs. */
void found_volume_write(struct buf *buf, const struct found_volume *volume);
int found_volume_read(struct bytes *bytes, struct found_volume *ret_volume);
void found_entry_write(struct buf *buf, const struct found_entry *entry);
int found_entry_read(struct bytes *bytes, struct found_entry *ret_entry, struct found_run *ret_runs);
void found_fault_write(struct buf *buf, const struct found_fault *fault);
int found_fault_read(struct bytes *bytes, struct found_fault *ret_fault);
void found_account_write(struct buf *buf, const struct found_account *account);
int found_account_read(struct bytes *bytes, struct found_account *ret_account);

/* Where the walk reports to. A negative return ends the walk with that code. `at` is called often: `what` (inode or block)
 * is what is being worked on; it feeds the heartbeat and the black box. */
struct found_sink {
    int (*volume)(void *context, const struct found_volume *volume);
    int (*entry)(void *context, const struct found_entry *entry);
    int (*fault)(void *context, const struct found_fault *fault);
    int (*account)(void *context, const struct found_account *account);
    void (*at)(void *context, uint64_t what);
    void *context;
    /* May be NULL. Called before a folder is read, which gives no sign of life and may take time that grows with the square of
     * `names`, the most that it can hold; and with 0 when that is over. */
    void (*weigh)(void *context, uint64_t names);
};

#endif
