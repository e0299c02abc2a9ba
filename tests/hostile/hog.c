/*
 * hog: takes memory and uses it until there is no more, on a stream that begins with HOGME; then it aborts,
 * as programs do that never thought of it.
 */
#include "tests/hostile/word.h"

#include <stdlib.h>

enum { PIECE = 4 * 1024 * 1024 };

static const struct record_type *const emits[] = {NULL};

static enum plugin_want hog_start(struct scan *scan)
{
    return begins_with(scan, "HOGME") ? PLUGIN_FEED : PLUGIN_SKIP;
}

static int hog_feed(struct scan *scan, const struct block *block)
{
    void *volatile piece;

    (void)scan, (void)block;
    for (;;) {
        piece = malloc(PIECE);
        if (piece == NULL)
            abort();
        memset(piece, 0xa5, PIECE);
    }
}

static int hog_finish(struct scan *scan, enum scan_status status)
{
    (void)scan, (void)status;
    return 0;
}

const struct plugin kvali_plugin = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "hog",
    .summary = "takes all memory on HOGME",
    .emits = emits,
    .start = hog_start,
    .feed = hog_feed,
    .finish = hog_finish,
};
