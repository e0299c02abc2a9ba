/*
 * twins: not hostile: like nest, but it looks for TWIN anywhere in a stream's first bytes, and names what
 * follows "inner" as nest does: so a stream may hold two of that name, found by two plugins.
 */
#include "tests/hostile/word.h"

#include <errno.h>
#include <string.h>

enum { WORD = 4, LOOK = 16 };

static const struct record_type *const emits[] = {NULL};

static enum plugin_want twins_start(struct scan *scan)
{
    (void)scan;
    return PLUGIN_PEEK;
}

static int twins_finish(struct scan *scan, enum scan_status status)
{
    struct child child = {.name = "inner", .name_size = 5, .kind = STREAM_CARVED};
    size_t size = (size_t)scan_kept(scan), at = 0;
    const uint8_t *data;
    struct sink *sink;
    int rc;

    if (scan_peek(scan, 0, size, &data) < 0)
        return -EIO;
    while (at + WORD <= size && at < LOOK && memcmp(data + at, "TWIN", WORD) != 0)
        at++;
    if (at + WORD > size || at == LOOK)
        return 0;
    child.offset = at + WORD;
    sink = scan_child(scan, &child);
    if (sink == NULL)
        return 0;
    rc = sink_write(sink, data + at + WORD, size - at - WORD);
    sink_close(sink, status);
    return rc == -ENOSPC ? 0 : rc;
}

const struct plugin kvali_plugin = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "twins",
    .summary = "finds a stream after the word TWIN",
    .emits = emits,
    .start = twins_start,
    .finish = twins_finish,
};
