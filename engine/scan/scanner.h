/*
 * scanner: reads one stream once and lets every plugin see that pass; children depth first, under the same limits.
 *
 * One scanner per process, single-threaded: plugins are set up in the zygote (scanner_new) and inherited by fork.
 */
#ifndef KVALI_SCAN_SCANNER_H
#define KVALI_SCAN_SCANNER_H

#include "engine/evidence/found.h"
#include "engine/base/range.h"
#include "engine/plugin.h"

enum { SCANNER_PLUGINS_MAX = 32 };

/* Where a stream's bytes come from: engine/evidence/stream.h in a worker, memory in a test. */
struct source {
    /* Next bytes, as stream_read: count, 0 at the end, negative errno. */
    int64_t (*read)(void *context, void *data, size_t size);
    /* Ranges that read as zeros because they could not be read, so far; NULL when there are none. */
    const struct ranges *(*bad)(void *context);
    /* Beside the pass: bytes at any offset below `reach`, as scan_read gives them: count or negative errno. Ranges of them
     * that could not be read (offsets of the stream) are added to `bad` when that is not NULL. NULL function: only the
     * pass is there. */
    int64_t (*read_at)(void *context, uint64_t offset, void *data, size_t size, struct ranges *bad);
    uint64_t reach;
    /* The image offset of a stream's offset and how many bytes follow it there; UINT64_MAX: not on the medium as it is.
     * NULL function: for no offset. */
    uint64_t (*physical)(void *context, uint64_t offset, uint64_t *ret_size);
    /* What lies between the content's end and the end of its blocks, scanned as a child stream of kind SLACK named
     * "slack"; NULL: nothing. `reach` of it is its size. */
    const struct source *slack;
    void *context;
};

/* Where on the medium a child's bytes lie. */
struct child_runs {
    const struct found_run *items;
    size_t count; /* 0: not known, or not there as they are */
    bool cut;     /* there were more than FOUND_RUNS_MAX */
};

/* Where results go, in order. `stream` is 0 for the stream that was handed to scanner_scan and 1, 2 ... for its
 * descendants, in the order of their child_begin. A negative return ends the scan with that code. */
struct scan_sink {
    int (*record)(void *context, uint32_t stream, uint32_t plugin, uint32_t type, const void *data, size_t size);
    int (*note)(void *context, uint32_t stream, uint32_t plugin, uint64_t offset, const char *text);
    /* A limit: the plugin that ran into it, or that says so itself; UINT32_MAX: the engine (the stream's bytes could
     * not all be kept). */
    int (*limited)(void *context, uint32_t stream, uint32_t plugin, uint64_t offset, const char *text);
    int (*failed)(void *context, uint32_t stream, uint32_t plugin, uint64_t offset, int code);
    int (*child_begin)(void *context, uint32_t parent, uint32_t stream, const struct stream_info *info,
                       uint32_t plugin, const struct child *child, const struct child_runs *runs);
    int (*child_end)(void *context, uint32_t stream, enum scan_status status, uint64_t size);
    /* Heartbeat and black box: plugin (UINT32_MAX: reading) now works at this offset of this stream. */
    void (*at)(void *context, uint32_t stream, uint32_t plugin, uint64_t offset);
    void *context;
    /* Only where a stream is looked at once more, by some plugins (a later pass); otherwise 0 and NULL. */
    bool lazy;         /* what no plugin wants need not be read to its end: its errors are known */
    uint64_t barren;   /* bit mask of plugins that may not make children */
    uint64_t (*spared)(void *context, const struct stream_info *info); /* bit mask of plugins to leave out of this stream
                                                                        * alone; may be NULL */
};

struct scanner;

/* The built-in plugins, NULL-terminated, sorted by name (generated from plugins/meson.build's list). */
extern const struct plugin *const plugin_table[];

/* Loads a lab's own plugin from a shared object, checks its descriptor; `ret_sha256` of the file. */
int plugin_load(const char *path, const struct plugin **ret_plugin, char ret_sha256[SHA256_HEX_SIZE], struct why *why);

/* Is the descriptor complete and right? For the conformance test and plugin_load. `why` may be NULL. */
bool plugin_is_valid(const struct plugin *plugin, struct why *why);

/* Sets up `count` plugins in the given order (borrowed), with the limits from `settings`. */
int scanner_new(const struct plugin *const *plugins, size_t count, const struct settings *settings,
                struct scanner **ret_scanner, struct why *why);
void scanner_free(struct scanner *scanner); /* teardown of all */

/* What setup_loaded was told during scanner_new, in order. */
struct loaded {
    const char *plugin, *kind, *name, *sha256, *problem; /* problem NULL: in use */
    uint64_t count;
};
const struct loaded *scanner_loaded(const struct scanner *scanner, size_t *ret_count);
/* Did the plugin with this index call setup_content_only? */
bool scanner_content_only(const struct scanner *scanner, size_t plugin);

/* Passwords for the streams that come next, as scan_password and scan_password_digest give them. */
struct scan_passwords {
    const char *(*get)(const void *context, size_t number); /* NULL: there are no more */
    void (*digest)(const void *context, size_t number, const char *salt, char ret[SCAN_PASSWORD_DIGEST]);
    const void *context;
};
/* Copied; all zero: none. */
void scanner_set_passwords(struct scanner *scanner, const struct scan_passwords *passwords);

/* A file that may be written and mapped (unlinked, this process's own) for what does not fit in memory; -1: none. */
void scanner_set_spool(struct scanner *scanner, int fd);

/* One dummy stream through all plugins with the results thrown away: libraries load what they load lazily. */
int scanner_warm(struct scanner *scanner);

/* The result for the stream itself. */
struct scan_result {
    enum scan_status status;
    uint64_t read;    /* bytes delivered, zeros for unreadable ones included */
    uint64_t unread;  /* of these, bytes that could not be read */
    int error;        /* negative errno that ended reading early, else 0 */
    bool uniform;     /* free or unused space whose every byte is `byte`: no plugin was asked */
    uint8_t byte;
    uint64_t slack;     /* bytes of slack behind a content */
    bool slack_uniform; /* all of one value: no plugin was asked; else the slack was a child stream */
};

/* Scans one stream. Free space, and ranges of the medium that nothing is known of, are looked through first: where they
 * hold nothing but one repeated byte no plugin is asked. `without` is a bit mask of plugins to leave out (bit = index). The stream's info is borrowed.
 * 0, or the negative code that the sink returned, or -ENOMEM. */
int scanner_scan(struct scanner *scanner, const struct stream_info *info, const struct source *source, uint64_t without,
                 const struct scan_sink *sink, struct scan_result *ret_result);

/* What scanner_capture gives, one stream after the other, each before the streams inside it. A negative return
 * ends the scan with that code: how a caller says that it has all it wants. */
struct scan_capture {
    /* A stream inside the one that is scanned has all its bytes: are they wanted? */
    bool (*wants)(void *context, const struct stream_info *info);
    /* Then these come, in order (none for an empty stream), and after them what their giver said of them. */
    int (*bytes)(void *context, const void *data, size_t size);
    int (*end)(void *context, enum scan_status status);
    void (*at)(void *context, uint32_t stream, uint32_t plugin, uint64_t offset); /* as scan_sink's; may be NULL */
    void *context;
};

/* Scans a stream again as scanner_scan did, for the bytes of streams inside it; what plugins say is thrown away.
 * Addresses are those of that scan when every plugin that found a stream then takes part, under the same limits
 * and block size. 0 when the stream has ended, or the negative code that `capture` returned, or -ENOMEM. */
int scanner_capture(struct scanner *scanner, const struct stream_info *info, const struct source *source,
                    uint64_t without, const struct scan_capture *capture, struct scan_result *ret_result);

#endif
