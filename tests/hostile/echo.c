/*
 * echo: not hostile: one record for every stream: its size and first bytes; and a note. With
 * plugin.echo.once=true it says that only bytes count for it. It cannot look at the whole of a stream that
 * begins with LIMIT, and with plugin.echo.crash=true it crashes at one that begins with CRASH.
 */
#include "tests/hostile/word.h"

#include <stdlib.h>

struct echo_worker {
    bool crash;
};
enum { SHOWN = 16 };

static const struct field fields[] = {
    {"size", FIELD_U64, "bytes", "size"},
    {"first", FIELD_BYTES, "", "its first bytes"},
};
static const struct record_type echo_type = {"echo", 1, "a stream", fields, sizeof fields / sizeof fields[0]};
static const struct record_type *const emits[] = {&echo_type, NULL};

static int echo_setup(void *worker, const struct settings *settings, struct why *why)
{
    struct echo_worker *mine = worker;

    (void)why;
    mine->crash = strcmp(settings_text(settings, "plugin.echo.crash"), "true") == 0;
    if (strcmp(settings_text(settings, "plugin.echo.once"), "true") == 0)
        setup_content_only();
    return 0;
}

static enum plugin_want echo_start(struct scan *scan)
{
    return scan_stream(scan)->kind == STREAM_IMAGE ? PLUGIN_SKIP : PLUGIN_PEEK;
}

static int echo_finish(struct scan *scan, enum scan_status status)
{
    const struct echo_worker *mine = scan_worker(scan);
    uint64_t kept = scan_kept(scan);
    size_t size = kept < SHOWN ? (size_t)kept : SHOWN;
    const uint8_t *data;

    (void)status;
    if (scan_peek(scan, 0, size, &data) < 0)
        return 0;
    if (mine->crash && size >= 5 && memcmp(data, "CRASH", 5) == 0)
        abort();
    if (size >= 5 && memcmp(data, "LIMIT", 5) == 0)
        scan_limited(scan, 0, "echo looked at the first bytes only");
    scan_note(scan, 0, "echo was here");
    return scan_emit(scan, &echo_type, (const struct value[]){value_u64(kept), value_bytes(data, size)});
}

const struct plugin kvali_plugin = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "echo",
    .summary = "says each stream's size and first bytes",
    .emits = emits,
    .worker_size = sizeof(struct echo_worker),
    .setup = echo_setup,
    .start = echo_start,
    .finish = echo_finish,
};
