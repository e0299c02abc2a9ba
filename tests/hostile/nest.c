/*
 * nest: not hostile: the smallest plugin that finds streams in streams. A stream that begins with NEST holds
 * a child, the bytes after it, named "inner"; so NESTNESThello holds two, one in the other.
 */
#include "tests/hostile/word.h"

#include <errno.h>
#include <stdlib.h>

/* Compiled once more as nest_crash.so: the same plugin, with a flaw in the second level that it had not in
 * the run. */
#ifndef NEST_CRASHES
#define NEST_CRASHES 0
#endif

enum { WORD = 4 };

struct nest_stream {
    struct sink *sink;
};

static const struct record_type *const emits[] = {NULL};

static enum plugin_want nest_start(struct scan *scan)
{
    struct nest_stream *stream = scan_state(scan);
    struct child child = {.name = "inner", .name_size = 5, .kind = STREAM_CHILD, .offset = WORD};

    if (!begins_with(scan, "NEST"))
        return PLUGIN_SKIP;
    stream->sink = scan_child(scan, &child);
    return stream->sink != NULL ? PLUGIN_FEED : PLUGIN_SKIP;
}

static int nest_feed(struct scan *scan, const struct block *block)
{
    const struct nest_stream *stream = scan_state(scan);
    size_t skip = block->offset >= WORD ? 0 : WORD - (size_t)block->offset;
    int rc;

    if (skip >= block->size)
        return 0;
    rc = sink_write(stream->sink, block->data + skip, block->size - skip);
    return rc == -ENOSPC ? 0 : rc;
}

static int nest_finish(struct scan *scan, enum scan_status status)
{
    const struct nest_stream *stream = scan_state(scan);

    if (NEST_CRASHES && scan_stream(scan)->depth == 2)
        abort();
    sink_close(stream->sink, status);
    return 0;
}

const struct plugin kvali_plugin = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "nest",
    .summary = "finds a stream after the word NEST",
    .emits = emits,
    .stream_size = sizeof(struct nest_stream),
    .start = nest_start,
    .feed = nest_feed,
    .finish = nest_finish,
};
