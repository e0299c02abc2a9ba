/*
 * family: what archive counts over all levels belongs to one outermost stream. Where archive did not see that
 * (it was left out of it), streams that others find inside must not be counted with the stream that was
 * scanned before.
 */
#include "tests/plugins/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

extern const struct plugin plugin_archive;

/* Gives each outermost stream as a child of itself. */
static const struct field opener_fields[] = {{"n", FIELD_U64, "", "nothing"}};
static const struct record_type opener_type = {"opener", 1, "nothing", opener_fields, 1};
static const struct record_type *const opener_emits[] = {&opener_type, NULL};

static enum plugin_want opener_start(struct scan *scan)
{
    return scan_stream(scan)->depth == 0 ? PLUGIN_FEED : PLUGIN_SKIP;
}

static int opener_feed(struct scan *scan, const struct block *block)
{
    (void)scan, (void)block;
    return 0;
}

static int opener_finish(struct scan *scan, enum scan_status status)
{
    const struct scan_piece piece = {0, scan_stream(scan)->size};
    const struct child child = {
        .name = "inside.gz", .name_size = 9, .kind = STREAM_CHILD, .pieces = &piece, .piece_count = 1};

    (void)status;
    sink_close(scan_child(scan, &child), SCAN_WHOLE);
    return 0;
}

static const struct plugin opener = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "opener",
    .summary = "gives a stream as a child of itself",
    .emits = opener_emits,
    .start = opener_start,
    .feed = opener_feed,
    .finish = opener_finish,
};

enum { PLUGINS = 2, ARCHIVE = 1 };
static const struct plugin *const plugins[PLUGINS] = {&opener, &plugin_archive};

static struct scanner *make(void)
{
    struct settings settings;
    struct scanner *scanner;

    if (settings_init(&settings) < 0 || settings_set(&settings, "archive.ratio", "2", NULL) < 0 ||
        settings_set(&settings, "archive.ratio_from", "1000", NULL) < 0 ||
        scanner_new(plugins, PLUGINS, &settings, &scanner, NULL) < 0)
        abort();
    settings_finish(&settings);
    return scanner;
}

static uint64_t without_archive(void *context, const struct stream_info *info)
{
    (void)context;
    return info->depth == 0 ? 1u << ARCHIVE : 0;
}

static size_t pack(const uint8_t *data, size_t size, uint8_t *ret, size_t room)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)data,
                  .avail_in = (uInt)size,
                  .next_out = ret,
                  .avail_out = (uInt)room};

    if (deflateInit2(&z, 9, Z_DEFLATED, 31, 9, Z_DEFAULT_STRATEGY) != Z_OK ||
        deflate(&z, Z_FINISH) != Z_STREAM_END || deflateEnd(&z) != Z_OK)
        abort();
    return room - z.avail_out;
}

static char *scan(struct scanner *scanner, const char *name, const uint8_t *data, size_t size, bool spare)
{
    struct trace_source memory = {.data = data, .size = size};
    struct trace trace = {.plugins = plugins};
    struct scan_sink sink = trace_sink(&trace);
    struct source source = trace_source(&memory);
    struct scan_result result;

    sink.spared = spare ? without_archive : NULL;
    if (scanner_scan(scanner, trace_info(name, size), &source, 0, &sink, &result) < 0)
        abort();
    return buf_steal(&trace.text);
}

int main(void)
{
    static uint8_t zeros[400000], noise[20000], bomb[4096], plain[24000];
    size_t bomb_size, plain_size;
    struct scanner *used = make(), *fresh = make();
    char *before, *after, *wanted;
    uint32_t seed = 1;
    int code;

    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
    bomb_size = pack(zeros, sizeof zeros, bomb, sizeof bomb);
    plain_size = pack(noise, sizeof noise, plain, sizeof plain);
    before = scan(used, "bomb.gz", bomb, bomb_size, false);
    after = scan(used, "plain", plain, plain_size, true);
    wanted = scan(fresh, "plain", plain, plain_size, true);
    code = strstr(before, "archive.ratio") == NULL || strcmp(after, wanted) != 0 ||
           strstr(wanted, "size=20000") == NULL;
    if (code != 0)
        printf("before:\n%s\nafter it:\n%s\nalone:\n%s\n", before, after, wanted);
    free(before);
    free(after);
    free(wanted);
    scanner_free(used);
    scanner_free(fresh);
    return code;
}
