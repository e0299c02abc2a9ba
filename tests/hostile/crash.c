/*
 * crash: writes where nothing is (SIGSEGV) when it is fed a stream that begins with CRASHME.
 */
#include "tests/hostile/word.h"

static const struct record_type *const emits[] = {NULL};

static enum plugin_want crash_start(struct scan *scan)
{
    return begins_with(scan, "CRASHME") ? PLUGIN_FEED : PLUGIN_SKIP;
}

static int crash_feed(struct scan *scan, const struct block *block)
{
    volatile uint8_t *volatile nowhere = NULL; /* so that the write itself is kept */

    (void)scan;
    *nowhere = block->data[0];
    return 0;
}

static int crash_finish(struct scan *scan, enum scan_status status)
{
    (void)scan, (void)status;
    return 0;
}

const struct plugin kvali_plugin = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "crash",
    .summary = "crashes on CRASHME",
    .emits = emits,
    .start = crash_start,
    .feed = crash_feed,
    .finish = crash_finish,
};
