/*
 * records: says one record for every 16 bytes, as a plugin does that finds very much. bench/records.sh
 * measures with it how many records a second go from a plugin over the wire into the case.
 */
#include "engine/plugin.h"

#include <stdio.h>

enum { STEP = 16 };

static const struct field records_fields[] = {
    {"at", FIELD_U64, "bytes", "where"},
    {"text", FIELD_TEXT, "", "as long as what is usually found"},
};
static const struct record_type records_type = {"records", 1, "one of very many", records_fields, 2};
static const struct record_type *const records_emits[] = {&records_type, NULL};

static enum plugin_want records_start(struct scan *scan)
{
    (void)scan;
    return PLUGIN_FEED;
}

static int records_feed(struct scan *scan, const struct block *block)
{
    for (uint64_t at = (block->offset + STEP - 1) / STEP * STEP; at < block->offset + block->size;
         at += STEP) {
        char text[48];
        int size = snprintf(text, sizeof text, "someone%012llu@example.org", (unsigned long long)at);
        const struct value values[] = {value_u64(at), value_bytes(text, (size_t)size)};
        int code = scan_emit(scan, &records_type, values);
        if (code)
            return code;
    }
    return 0;
}

static int records_finish(struct scan *scan, enum scan_status status)
{
    (void)scan, (void)status;
    return 0;
}

const struct plugin kvali_plugin = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "records",
    .summary = "says one record for every 16 bytes",
    .emits = records_emits,
    .start = records_start,
    .feed = records_feed,
    .finish = records_finish,
};
