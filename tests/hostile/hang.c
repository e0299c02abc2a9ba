/*
 * hang: never comes back from a stream that begins with HANGME.
 */
#include "tests/hostile/word.h"

static const struct record_type *const emits[] = {NULL};

static enum plugin_want hang_start(struct scan *scan)
{
    return begins_with(scan, "HANGME") ? PLUGIN_FEED : PLUGIN_SKIP;
}

static int hang_feed(struct scan *scan, const struct block *block)
{
    volatile bool forever = true;

    (void)scan, (void)block;
    while (forever)
        ;
    return 0;
}

static int hang_finish(struct scan *scan, enum scan_status status)
{
    (void)scan, (void)status;
    return 0;
}

const struct plugin kvali_plugin = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "hang",
    .summary = "never ends on HANGME",
    .emits = emits,
    .start = hang_start,
    .feed = hang_feed,
    .finish = hang_finish,
};
