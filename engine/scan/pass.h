/*
 * pass: one stream on its way through all plugins. Private to engine/scan.
 *
 *     scanner ── level 0 ── pass of the stream that the scanner was given, read from its source through a
 * window ── level 1 ── pass of a child, whose bytes are all in a store already ── ...        (the memory of a
 * level is used again for the next pass on it)
 */
#ifndef KVALI_SCAN_PASS_H
#define KVALI_SCAN_PASS_H

#include "engine/scan/scanner.h"
#include "engine/scan/spool.h"

#define ENGINE UINT32_MAX /* as a plugin's index: none of them */

enum { SCAN_FIRST = 4096, SCAN_TEXT_MAX = 1024 };

enum scan_phase { SCAN_IDLE, SCAN_STARTING, SCAN_FEEDING, SCAN_FINISHING };

/* One plugin at one stream. */
struct scan {
    struct pass *pass;
    const struct plugin *plugin;
    uint32_t index;
    void *worker, *state;
    enum scan_phase phase;
    enum plugin_want want; /* SKIP once it has finished */
    bool peeks;            /* answered PEEK */
    bool spared;           /* the content is known: finish with SCAN_SPARED */
    bool failed;           /* already reported */
    uint64_t said;         /* records, notes and limits */
    bool said_enough, depth_refused, barren_said;
};

struct level {
    struct scan *scans; /* one for each plugin, with their states behind them */
    uint8_t *states;
    struct hash_all *hash; /* made at the first pass that needs it */
    struct hash_set digests;
    uint8_t *window; /* window_size bytes, made at the first pass on this level that reads from a source */
};

/* Names of the children of one stream, as a table of 64-bit digests with how often each came. */
struct names {
    struct name_count {
        uint64_t key; /* 0: free */
        uint32_t count;
    } * items;
    size_t capacity, used;
};

struct pass {
    struct scanner *scanner;
    struct pass *parent;
    const struct stream_info *info;
    uint32_t stream;
    uint32_t nesting; /* 0: the scanner's own stream */
    uint64_t without;
    struct level *level;

    const struct source *source; /* NULL: everything is in `store` */
    struct store store;
    bool keeping, kept_cut;
    const uint8_t *kept; /* in finish: the whole of it in one piece */
    uint64_t kept_size;

    const uint8_t *data; /* from `offset` on, `filled` bytes; `end`: nothing follows these */
    size_t filled;
    bool end;
    uint64_t offset;
    uint64_t read;
    int error;
    bool hashing, hashed; /* somebody asks for digests; level->digests are those of the whole stream */
    uint64_t hashed_size;
    enum scan_status status; /* what the giver of a child says about it */
    bool slack_uniform;

    struct names names;
    struct sink *sinks; /* open ones */
};

struct scanner {
    size_t count;
    const struct plugin *plugins[SCANNER_PLUGINS_MAX];
    void *workers[SCANNER_PLUGINS_MAX];
    size_t set_up; /* plugins whose setup succeeded */
    size_t state_offsets[SCANNER_PLUGINS_MAX], states_size, ahead;

    size_t block;
    uint64_t limit_records, limit_children, limit_child_bytes;
    uint32_t limit_depth;

    struct loaded *loaded;
    size_t loaded_count, loaded_capacity;
    bool loaded_failed;
    bool content_only[SCANNER_PLUGINS_MAX];

    struct scan_passwords passwords;
    struct spool spool;
    struct level *levels; /* limit_depth + 1 */
    size_t window_size;
    struct buf record, text, spared;

    /* Of the stream being scanned now. */
    const struct scan_sink *sink;
    const struct scan_capture *capture; /* NULL: nobody wants the children's bytes */
    int stop; /* what the sink answered, or -ENOMEM */
    uint32_t next_stream;
    uint64_t children, child_bytes;
    bool children_said, child_bytes_said;
};

/* Runs a pass whose stream, info, parent and source or store are set: start, feed, finish of all plugins.
 * Afterwards `status` is the result. */
void pass_run(struct pass *pass);
uint64_t pass_unread(const struct pass *pass);

/* Bytes beside the pass, as source.read_at gives them; and how far that reaches. */
int64_t pass_read_at(const struct pass *pass, uint64_t offset, void *data, size_t size, struct ranges *bad);
uint64_t pass_reach(const struct pass *pass);
uint64_t pass_physical(const struct pass *pass, uint64_t offset, uint64_t *ret_size);

/* What the engine itself reports; the codes of the sink are kept in scanner->stop. */
void pass_at(const struct pass *pass, uint32_t plugin);
void pass_limited(const struct pass *pass, uint32_t plugin, uint64_t offset, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void pass_failed(struct scan *scan, int code);
void scanner_answer(struct scanner *scanner, int code);

/* A text for a person as the case may store it: printable, at most SCAN_TEXT_MAX bytes. Valid until the next.
 */
const char *scanner_text(struct scanner *scanner, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Hands a record of the stream `stream` to the sink. -E2BIG, -EINVAL, or the sink's code. */
int scan_record(struct scan *scan, uint32_t stream, const struct record_type *type, const struct value *values);

/* Reads all of a source beside its pass: true when it is not empty, every byte is *ret_byte, and all could be read. */
bool source_is_uniform(struct scanner *scanner, const struct source *source, uint8_t *ret_byte);
/* The slack behind the scanner's own stream as its child, unless it is uniform. */
void child_slack(struct pass *pass);
/* Gives the bytes of a child to scanner->capture when they are wanted there, before plugins see them. */
void capture_child(const struct pass *pass);
/* Takes everything and keeps nothing. */
extern const struct scan_sink scanner_quiet;

/* Ends the children that `scan` left open, and the table of names. */
void child_forget(const struct scan *scan);
void names_finish(struct names *names);

#endif
