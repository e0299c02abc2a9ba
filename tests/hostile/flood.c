/*
 * flood: says far more than any limit lets it, and does not listen to being told so, on a stream that begins
 * with FLOODME. It does end, so that what is tried is the limit and not the watchdog (hang.c).
 */
#include "tests/hostile/word.h"

enum { TIMES = 5 * 1000 * 1000 };

static const struct field flood_fields[] = {{"number", FIELD_U64, "", "which one"}};
static const struct record_type flood_type = {"flood", 1, "one of very many", flood_fields, 1};
static const struct record_type *const emits[] = {&flood_type, NULL};

static enum plugin_want flood_start(struct scan *scan)
{
    return begins_with(scan, "FLOODME") ? PLUGIN_FEED : PLUGIN_SKIP;
}

static int flood_feed(struct scan *scan, const struct block *block)
{
    for (uint64_t i = 0; i < TIMES; i++) {
        struct value number = value_u64(i);

        scan_emit(scan, &flood_type, &number);
        scan_note(scan, block->offset, "note %llu of very many", (unsigned long long)i);
    }
    return 0;
}

static int flood_finish(struct scan *scan, enum scan_status status)
{
    (void)scan, (void)status;
    return 0;
}

const struct plugin kvali_plugin = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "flood",
    .summary = "emits without end on FLOODME",
    .emits = emits,
    .start = flood_start,
    .feed = flood_feed,
    .finish = flood_finish,
};
