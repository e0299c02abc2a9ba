/*
 * pass: the pump. One read a block; every plugin that wants to be fed sees the block and the bytes after it
 * that it asked to look ahead to; what one plugin does wrong costs that plugin only.
 *
 * The window holds one block and the longest look-ahead, and one byte more, so that the last block is known
 * to be the last. It is filled by one read of the size of a block each time a block has been handed on.
 */
#include "engine/scan/pass.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static size_t size_min(size_t a, size_t b)
{
    return a < b ? a : b;
}

void scanner_answer(struct scanner *scanner, int code)
{
    if (code < 0 && scanner->stop == 0)
        scanner->stop = code;
}

void pass_at(const struct pass *pass, uint32_t plugin)
{
    const struct scan_sink *sink = pass->scanner->sink;

    if (sink->at != NULL)
        sink->at(sink->context, pass->stream, plugin, pass->offset);
}

void pass_limited(const struct pass *pass, uint32_t plugin, uint64_t offset, const char *format, ...)
{
    const struct scan_sink *sink = pass->scanner->sink;
    va_list args;

    if (pass->scanner->stop < 0)
        return;
    va_start(args, format);
    scanner_answer(pass->scanner, sink->limited(sink->context, pass->stream, plugin, offset,
                                                scanner_text(pass->scanner, format, args)));
    va_end(args);
}

void pass_failed(struct scan *scan, int code)
{
    const struct pass *pass = scan->pass;
    const struct scan_sink *sink = pass->scanner->sink;

    if (scan->failed || pass->scanner->stop < 0)
        return;
    scan->failed = true;
    scanner_answer(pass->scanner, sink->failed(sink->context, pass->stream, scan->index, pass->offset, code));
}

uint64_t pass_unread(const struct pass *pass)
{
    const struct ranges *bad = NULL;
    uint64_t unread = 0;

    if (pass->source != NULL && pass->source->bad != NULL)
        bad = pass->source->bad(pass->source->context);
    for (size_t i = 0; bad != NULL && i < bad->count; i++)
        unread += bad->items[i].size;
    return unread < pass->read ? unread : pass->read;
}

uint64_t pass_reach(const struct pass *pass)
{
    if (pass->source == NULL)
        return pass->store.size;
    return pass->source->read_at != NULL ? pass->source->reach : 0;
}

int64_t pass_read_at(const struct pass *pass, uint64_t offset, void *data, size_t size, struct ranges *bad)
{
    uint64_t reach = pass_reach(pass);

    if (offset >= reach)
        return 0;
    size = size < reach - offset ? size : (size_t)(reach - offset);
    if (pass->source != NULL)
        return pass->source->read_at(pass->source->context, offset, data, size, bad);
    if (size > pass->kept_size || offset > pass->kept_size - size)
        return -EIO;
    memcpy(data, pass->kept + offset, size);
    return (int64_t)size;
}

uint64_t pass_physical(const struct pass *pass, uint64_t offset, uint64_t *ret_size)
{
    if (pass->source == NULL || pass->source->physical == NULL)
        return UINT64_MAX;
    return pass->source->physical(pass->source->context, offset, ret_size);
}

static void keep(struct pass *pass, const uint8_t *data, size_t size)
{
    int rc;

    if (!pass->keeping || pass->kept_cut)
        return;
    rc = store_append(&pass->store, data, size);
    if (rc == 0)
        return;
    pass->kept_cut = true;
    pass_limited(pass, ENGINE, pass->store.size,
                 "limit.spool: no more than %llu bytes of this stream could be kept: %s",
                 (unsigned long long)pass->store.size,
                 rc != -ENOSPC ? strerror(-rc) : "the limit or the disk is reached");
}

/* Reads until the window holds `want` bytes or the stream ends. */
static void fill(struct pass *pass, size_t want)
{
    uint8_t *window = pass->level->window;

    assert(want <= pass->scanner->window_size);
    while (!pass->end && pass->filled < want) {
        int64_t count;

        pass_at(pass, ENGINE);
        count = pass->source->read(pass->source->context, window + pass->filled, want - pass->filled);
        assert(count <= (int64_t)(want - pass->filled));
        if (count <= 0) {
            pass->end = true;
            pass->error = (int)count;
            return;
        }
        keep(pass, window + pass->filled, (size_t)count);
        pass->filled += (size_t)count;
        pass->read += (uint64_t)count;
    }
}

/* The bytes after this block that the next one begins with, and at least one to know whether there is a next
 * one. */
static size_t look_ahead(const struct scanner *scanner)
{
    return scanner->ahead > 0 ? scanner->ahead : 1;
}

static void first(struct pass *pass)
{
    struct scanner *scanner = pass->scanner;
    size_t want = scanner->block + look_ahead(scanner);
    int rc = 0;

    if (pass->source != NULL) {
        if (pass->level->window == NULL)
            pass->level->window = malloc(scanner->window_size);
        if (pass->level->window == NULL) {
            scanner_answer(scanner, -ENOMEM);
            pass->end = true;
            return;
        }
        pass->data = pass->level->window;
        fill(pass, want < SCAN_FIRST ? SCAN_FIRST : want);
        return;
    }
    rc = store_map(&pass->store, &pass->data);
    if (rc < 0)
        pass_limited(pass, ENGINE, 0, "the stream could not be mapped: %s", strerror(-rc));
    pass->error = rc;
    pass->filled = rc == 0 ? (size_t)pass->store.size : 0;
    pass->read = pass->filled;
    pass->end = true;
}

static void next(struct pass *pass, size_t size)
{
    struct scanner *scanner = pass->scanner;

    pass->offset += size;
    pass->filled -= size;
    if (pass->kept != NULL) {
        pass->data += size;
        return;
    }
    memmove(pass->level->window, pass->level->window + size, pass->filled);
    fill(pass, scanner->block + look_ahead(scanner));
}

bool source_is_uniform(struct scanner *scanner, const struct source *source, uint8_t *ret_byte)
{
    uint8_t *window = scanner->levels[0].window;
    struct ranges bad = {NULL, 0, 0, false};
    uint64_t offset = 0;
    bool uniform = source->read_at != NULL && source->reach > 0;

    while (uniform && offset < source->reach) {
        size_t want = source->reach - offset < scanner->window_size ? (size_t)(source->reach - offset)
                                                                      : scanner->window_size;
        int64_t got = source->read_at(source->context, offset, window, want, &bad);

        if (scanner->sink->at != NULL)
            scanner->sink->at(scanner->sink->context, 0, ENGINE, offset);
        uniform = got == (int64_t)want && bad.count == 0 && (offset == 0 || window[0] == *ret_byte) &&
                  memcmp(window, window + 1, want - 1) == 0;
        *ret_byte = window[0];
        offset += want;
    }
    ranges_finish(&bad);
    return uniform;
}

/* One hashing for all plugins that ask. Without memory nobody gets digests. */
static void hash_begin(struct pass *pass)
{
    struct level *level = pass->level;

    for (size_t i = 0; i < pass->scanner->count; i++)
        pass->hashing = pass->hashing || (level->scans[i].want != PLUGIN_SKIP &&
                                          (level->scans[i].plugin->traits & PLUGIN_DIGESTS) != 0);
    if (pass->hashing && level->hash == NULL)
        level->hash = hash_all_new();
    pass->hashing = pass->hashing && level->hash != NULL;
    if (pass->hashing)
        hash_all_reset(level->hash);
}

static void hash_block(struct pass *pass, size_t size)
{
    if (!pass->hashing)
        return;
    pass_at(pass, ENGINE);
    hash_all_update(pass->level->hash, pass->data, size);
    pass->hashed_size += size;
}

static void hash_end(struct pass *pass)
{
    pass->hashed = pass->hashing && pass->status != SCAN_CUT;
    if (pass->hashed)
        hash_all_final(pass->level->hash, &pass->level->digests);
}

static void finish_one(struct scan *scan, enum scan_status status)
{
    int rc;

    if (scan->want == PLUGIN_SKIP)
        return;
    scan->want = PLUGIN_SKIP;
    scan->phase = SCAN_FINISHING;
    pass_at(scan->pass, scan->index);
    rc = scan->plugin->finish(scan, status);
    child_forget(scan);
    scan->phase = SCAN_IDLE;
    if (rc < 0)
        pass_failed(scan, rc);
}

static void start_one(struct scan *scan)
{
    enum plugin_want want;

    scan->phase = SCAN_STARTING;
    pass_at(scan->pass, scan->index);
    want = scan->plugin->start(scan);
    scan->phase = SCAN_IDLE;
    if (want == PLUGIN_FEED || want == PLUGIN_PEEK)
        scan->want = want;
    scan->peeks = want == PLUGIN_PEEK;
    if ((want == PLUGIN_FEED && scan->plugin->feed == NULL) || (unsigned)want > PLUGIN_PEEK) {
        pass_failed(scan, -EINVAL);
        finish_one(scan, SCAN_CUT);
    }
    if (scan->want == PLUGIN_SKIP)
        child_forget(scan);
}

/* The plugins that do not see this stream. */
static uint64_t left_out(const struct pass *pass)
{
    const struct scan_sink *sink = pass->scanner->sink;

    return pass->without | (sink->spared != NULL ? sink->spared(sink->context, pass->info) : 0);
}

static void start_all(struct pass *pass)
{
    struct scanner *scanner = pass->scanner;
    uint64_t without = left_out(pass);

    for (uint32_t i = 0; i < scanner->count; i++) {
        struct scan *scan = &pass->level->scans[i];

        *scan = (struct scan){
            .pass = pass, .plugin = scanner->plugins[i], .index = i, .worker = scanner->workers[i]};
        scan->state = pass->level->states + scanner->state_offsets[i];
        if (scanner->stop < 0 || (i < 64 && (without >> i & 1) != 0))
            continue;
        memset(scan->state, 0, scan->plugin->stream_size);
        start_one(scan);
        pass->keeping = pass->keeping || scan->want == PLUGIN_PEEK;
    }
    /* The window itself will do when it holds the whole stream. */
    if (pass->source == NULL || (pass->end && pass->filled <= scanner->spool.limit)) {
        pass->kept = pass->data;
        pass->kept_size = pass->filled;
        pass->keeping = false;
    }
    keep(pass, pass->data, pass->filled);
}

static void feed_one(struct scan *scan, const struct pass *pass, size_t size)
{
    size_t rest = pass->filled - size;
    struct block block = {.data = pass->data, .size = size, .offset = pass->offset};
    int rc;

    block.ahead = size_min(scan->plugin->ahead, rest);
    block.last = pass->end && rest == 0;
    scan->phase = SCAN_FEEDING;
    pass_at(pass, scan->index);
    rc = scan->plugin->feed(scan, &block);
    scan->phase = SCAN_IDLE;
    if (rc < 0) {
        pass_failed(scan, rc);
        finish_one(scan, SCAN_CUT);
    }
}

static bool any_wants(const struct pass *pass, enum plugin_want want)
{
    for (size_t i = 0; i < pass->scanner->count; i++) {
        if (pass->level->scans[i].want == want)
            return true;
    }
    return false;
}

/* Of what is only read for its errors a later pass knows these. */
static bool nobody_looks(const struct pass *pass)
{
    return pass->scanner->sink->lazy && !any_wants(pass, PLUGIN_PEEK);
}

/* A child that nobody wants to be fed with need not be walked; a source is read to its end, for its errors
 * count. */
static void feed_all(struct pass *pass)
{
    struct scanner *scanner = pass->scanner;

    while (pass->filled > 0 && scanner->stop == 0) {
        size_t size = size_min(scanner->block, pass->filled);

        if ((pass->source == NULL || nobody_looks(pass)) && !pass->hashing && !any_wants(pass, PLUGIN_FEED))
            return;
        hash_block(pass, size);
        for (size_t i = 0; i < scanner->count && scanner->stop == 0; i++) {
            if (pass->level->scans[i].want == PLUGIN_FEED)
                feed_one(&pass->level->scans[i], pass, size);
        }
        next(pass, size);
    }
}

static void finish_judges(struct pass *pass)
{
    for (size_t i = 0; i < pass->scanner->count && pass->scanner->stop >= 0; i++) {
        if ((pass->level->scans[i].plugin->traits & PLUGIN_JUDGE) != 0)
            finish_one(&pass->level->scans[i], pass->status);
    }
}

/* Lets go of those that are spared; what nobody else asks for is then not mapped either. */
static void finish_spared(struct pass *pass)
{
    for (size_t i = 0; i < pass->scanner->count; i++) {
        if (pass->level->scans[i].spared)
            finish_one(&pass->level->scans[i], SCAN_SPARED);
    }
}

static void finish_all(struct pass *pass)
{
    struct scanner *scanner = pass->scanner;
    int rc = 0;

    finish_judges(pass);
    finish_spared(pass);
    if (pass->keeping && any_wants(pass, PLUGIN_PEEK)) {
        rc = store_map(&pass->store, &pass->kept);
        pass->kept_size = rc == 0 ? pass->store.size : 0;
        if (rc < 0)
            pass_limited(pass, ENGINE, 0, "the stream could not be mapped: %s", strerror(-rc));
    }
    for (size_t i = 0; i < scanner->count; i++) {
        struct scan *scan = &pass->level->scans[i];
        bool cut = scanner->stop < 0 || (scan->want == PLUGIN_PEEK && (pass->kept_cut || rc < 0));

        finish_one(scan, cut ? SCAN_CUT : pass->status);
    }
}

void pass_run(struct pass *pass)
{
    struct scanner *scanner = pass->scanner;

    pass->level = &scanner->levels[pass->nesting];
    first(pass);
    capture_child(pass);
    start_all(pass);
    hash_begin(pass);
    feed_all(pass);
    if (pass->error < 0 || scanner->stop < 0)
        pass->status = SCAN_CUT;
    else if (pass->status == SCAN_WHOLE && pass_unread(pass) > 0)
        pass->status = SCAN_PARTIAL;
    hash_end(pass);
    finish_all(pass);
    if (pass->source != NULL && pass->source->slack != NULL && scanner->stop == 0)
        child_slack(pass);
    names_finish(&pass->names);
}
