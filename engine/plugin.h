/*
 * plugin.h: THE interface between the engine and whatever looks at evidence. A plugin includes no other engine
 * header than this one and what it names.
 *
 * A plugin turns one stream into records, notes and child streams. The engine calls, in one thread:
 *
 *     setup                      once per process, before the sandbox closes: the last chance to open a file
 *       start                    for every stream: SKIP, FEED or PEEK
 *         feed feed feed …       (FEED) every byte once, in order
 *       finish                   exactly once for every start that did not SKIP
 *     teardown
 *
 * Between start and finish nothing else is called for that plugin instance but its own feed, except that a child
 * stream which the plugin closes is scanned at once, depth first, by all plugins, with a stream state of its own:
 * so keep what belongs to a stream in the stream's state, never in the worker's.
 *
 * Evidence is hostile. A length taken from it is compared with what remains before it is used (base/bytes.h).
 * Malformed evidence is a note, and the plugin goes on; a negative errno from feed or finish ends this plugin's work on this stream
 * only. A crash or a hang costs this plugin this stream and becomes a fault in the case.
 *
 * The same bytes must give the same records, whatever the block size, the order of streams or the time of day.
 */
#ifndef KVALI_PLUGIN_H
#define KVALI_PLUGIN_H

#include "engine/base/hash.h"
#include "engine/base/settings.h"
#include "engine/base/why.h"
#include "engine/scan/record.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLUGIN_ABI 3

/* What kind of bytes a stream is. */
enum stream_kind {
    STREAM_IMAGE,   /* a whole exhibit, as its image reads */
    STREAM_RAW,     /* a range of the medium outside any readable file system: gap, unpartitioned, unknown volume */
    STREAM_FILE,    /* a file's default content */
    STREAM_ADS,     /* a named stream of a file: NTFS alternate data stream, HFS+ resource fork */
    STREAM_META,    /* file system metadata shown as a file ($MFT, $FAT1, journal) */
    STREAM_SLACK,   /* past a file's end in its last block */
    STREAM_FREE,    /* unallocated blocks of a file system */
    STREAM_CHILD,   /* inside another stream: archive member, attachment */
    STREAM_CARVED,  /* recovered by structure, without file system metadata */
    STREAM_KINDS,
};

/* Is it a file, or something of one: no image, no free space or slack, nothing outside of file systems? */
static inline bool stream_kind_is_file(enum stream_kind kind)
{
    return kind != STREAM_IMAGE && kind != STREAM_RAW && kind != STREAM_SLACK && kind != STREAM_FREE;
}

struct stream_info {
    const char *path;      /* forensic address, escaped text */
    const char *name;      /* last component, escaped text */
    const char *extension; /* lower case, "" for none */
    const char *owner;     /* "root", a number, "NT AUTHORITY\\SYSTEM", a SID; "" where the file system knows none */
    enum stream_kind kind;
    bool deleted; /* the name or the content is not allocated */
    uint32_t depth;        /* 0 for what the file system names; +1 for each child */
    uint64_t size;         /* bytes; what the metadata claims */
};

/* A stream's bytes [offset, offset + size), followed in memory by `ahead` more that the next block will begin with. */
struct block {
    const uint8_t *data;
    size_t size;     /* report what BEGINS in these */
    size_t ahead;    /* look into these: min(what the plugin asked for, what is left of the stream) */
    uint64_t offset; /* of data[0] in the stream */
    bool last;       /* no block follows */
};

/* A stream being scanned by one plugin; the engine's. */
struct scan;

enum plugin_want {
    PLUGIN_SKIP, /* not interested: no finish */
    PLUGIN_FEED, /* feed me */
    PLUGIN_PEEK, /* keep the bytes; I ask with scan_peek in finish */
};

enum scan_status {
    SCAN_WHOLE = 0,   /* every byte was delivered */
    SCAN_PARTIAL = 1, /* some bytes could not be read: zeros stand for them */
    SCAN_CUT = 2,     /* a limit or an error ended it early */
    SCAN_SPARED = 3,  /* finish of a plugin with PLUGIN_SPARED: a known content, to be let go without a word */
};

struct plugin {
    uint32_t abi;     /* PLUGIN_ABI */
    uint32_t version; /* raised whenever the same bytes may give other records */
    const char *name; /* [a-z][a-z0-9]*, its folder's name */
    const char *summary;                     /* one line for people */
    const struct record_type *const *emits;  /* all it may emit, NULL-terminated */
    size_t ahead;                            /* FEED: look-ahead in bytes, at most PLUGIN_AHEAD_MAX */
    size_t worker_size, stream_size;         /* zeroed memory the engine gives it per process, per stream */
    /* `why` says what failed. NULL setup: nothing to set up. Its other job is to say what was loaded: scan_loaded. */
    int (*setup)(void *worker, const struct settings *settings, struct why *why);
    void (*teardown)(void *worker);
    enum plugin_want (*start)(struct scan *scan);
    int (*feed)(struct scan *scan, const struct block *block); /* NULL for a plugin that never answers FEED */
    int (*finish)(struct scan *scan, enum scan_status status);
    uint32_t traits; /* enum plugin_trait, ored; 0 for most */
};

enum plugin_trait {
    PLUGIN_DIGESTS = 1, /* asks scan_digests in finish */
    PLUGIN_JUDGE = 2,   /* its finish comes before the others', and it may call scan_spare */
    PLUGIN_SPARED = 4,  /* costly, and of no use where the content is known: where a judge says so, `finish` comes with
                           SCAN_SPARED and there is nothing to peek at */
};

enum { PLUGIN_AHEAD_MAX = 64 * 1024, PLUGIN_NAME_MAX = 16 };

/* What a plugin may call, and no more. */

const struct stream_info *scan_stream(const struct scan *scan);
void *scan_worker(const struct scan *scan); /* worker_size bytes, as setup left them */
void *scan_state(const struct scan *scan);  /* stream_size bytes, zero at start */

/* PEEK only, in finish: bytes [offset, offset + size) of the stream in one piece, valid until the next call; all of
 * it with offset 0 and the size from scan_kept. -ENODATA past what was kept. */
int scan_peek(struct scan *scan, uint64_t offset, size_t size, const uint8_t **ret_data);
/* PEEK: how many bytes from the start were kept: the stream's size unless a limit cut it. Also in start: the first
 * block (up to 4 KiB) may be peeked at by every plugin, whatever it will answer. */
uint64_t scan_kept(const struct scan *scan);
/* PLUGIN_DIGESTS, in finish: the hashes of the whole stream, taken once for all plugins, and how many bytes they are over
 * (zeros for the unreadable). NULL: it was cut, or there was no memory. */
const struct hash_set *scan_digests(const struct scan *scan, uint64_t *ret_size);
/* PLUGIN_JUDGE, in finish: this content is known; the plugins with PLUGIN_SPARED that wait for it are spared. Their names, ','
 * between, "" for none; valid during finish. What was spared must be said in a record: the caller's duty. */
const char *scan_spare(struct scan *scan);
/* Bytes that could not be read so far, for which zeros were delivered. */
uint64_t scan_unread(const struct scan *scan);

/* `values` has type->field_count members; `type` is one of emits. A record of more than RECORD_SIZE_MAX is cut (record_cut.h), and a
 * row of kind "limit" names plugin and fields; so no plugin cuts for the record's sake. 0, -EINVAL (not as described), -E2BIG (a size
 * that nothing in memory has), -ENOSPC (the stream's limit of records is reached: recorded by the engine). */
int scan_emit(struct scan *scan, const struct record_type *type, const struct value *values);

/* The evidence is damaged or odd here. `offset` in the stream. Arguments from evidence must be escaped. */
void scan_note(struct scan *scan, uint64_t offset, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The plugin did not look at all of the stream: says why. Becomes a fault row of kind "limit". */
void scan_limited(struct scan *scan, uint64_t offset, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The passwords that were given for this exhibit, by number from 0 on, in the order in which they are tried: text that ends with a
 * NUL, borrowed until finish returns; NULL: there are no more. From start to finish. None of it may reach a record, a note or a name.
 * A plugin that asks says different things of equal bytes: it must not call setup_content_only. */
const char *scan_password(const struct scan *scan, size_t number);
/* What tells in a record which one opened something, and does not give it away: PBKDF2-HMAC-SHA256 with the stream's address as salt
 * (200,000 rounds, 16 bytes, hex), slow to make. "": there is no such password. */
enum { SCAN_PASSWORD_DIGEST = 33 };
void scan_password_digest(const struct scan *scan, size_t number, char ret[SCAN_PASSWORD_DIGEST]);

/* Bytes [offset, offset + size) of the stream, at any time between start and finish, beside the pass: for following a
 * structure that begins here to its end. They are read again where they were not kept, so ask for what is needed only.
 * *ret_size is less than `size` at the end of the reach; what the medium does not give is zeros. -EIO when the stream
 * ends earlier than its metadata says. */
int scan_read(struct scan *scan, uint64_t offset, void *data, size_t size, size_t *ret_size);
/* How far scan_read reaches: the stream's size; for a range of free space on to the end of all free space, because
 * what begins in this range may end in a later one. */
uint64_t scan_reach(const struct scan *scan);

/* Where on the medium (in the image) byte `offset` of the stream lies, as it stands; UINT64_MAX: nowhere, for it was unpacked, lies in
 * a hole or past the end. Between start and finish, and in them. */
uint64_t scan_physical(const struct scan *scan, uint64_t offset);

/* A stream inside this one. Its address is <path>!/<name>. Either its bytes lie in this stream as they are: `pieces`
 * says where, in the child's order, within scan_reach, and nothing is written; or they are written with sink_write and
 * kept (memory, then spool). sink_close scans it. Limits on depth, count and total size are the engine's: then NULL comes
 * back, or sink_write says -ENOSPC, and the engine has recorded it. */
struct scan_piece {
    uint64_t offset, size;
};
enum { SCAN_PIECES_MAX = 64 };
struct child {
    const void *name; /* raw bytes, may hold '/' */
    size_t name_size;
    enum stream_kind kind; /* STREAM_CHILD or STREAM_CARVED */
    uint64_t offset;       /* where in the parent it begins, 0 when that means nothing */
    bool deleted;
    const struct scan_piece *pieces; /* NULL: it will be written */
    size_t piece_count;              /* at most SCAN_PIECES_MAX */
    /* A record about the child itself, such as a member's header: it belongs to the child's stream. NULL: none. */
    const struct record_type *about;
    const struct value *values;
};
struct sink;
struct sink *scan_child(struct scan *scan, const struct child *child);
int sink_write(struct sink *sink, const void *data, size_t size);
/* Scans what was written with all plugins, and frees the sink. `status` as for finish. */
void sink_close(struct sink *sink, enum scan_status status);

/* In setup only: something that was loaded and decides what counts (a rule set, a table), for ledger and report.
 * `sha256` in hex; `problem` is NULL or says what is wrong with it, naming file and line (it is then not in use). */
void setup_loaded(const char *plugin, const char *kind, const char *name, const char *sha256, uint64_t count,
                  const char *problem);
/* In setup only: with these settings, what this plugin says of a stream follows from its bytes alone: not from its path,
 * name, extension, owner, kind (images aside), depth, or whether it is deleted. A later pass then looks at equal contents once. */
void setup_content_only(void);

/* A shared object given with --plugin exports one symbol of this name and type. */
#define PLUGIN_SYMBOL "kvali_plugin"
/* extern const struct plugin kvali_plugin; */

#endif
