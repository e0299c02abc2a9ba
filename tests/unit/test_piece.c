/*
 * piece.c, and what a scanner does beside the pass: a plugin reads where it likes and gives children as
 * pieces of its stream; slack is a child that the engine makes; a range of one repeated byte is not scanned.
 */
#include "engine/scan/scanner.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { SIZE = 9000, BEHIND = 1000, IMAGE_AT = 50000 };

static uint8_t content[SIZE + BEHIND];
static struct ranges bad; /* of the stream, as the medium has them */
static uint64_t slack_size;
static enum { CUT_NOTHING, CUT_SWAPPED, CUT_BEHIND, CUT_TOO_FAR } cut;

static struct {
    char text[4096];
    size_t bytes, reads;
    uint8_t child[SIZE];
    size_t child_size;
    uint64_t child_unread;
} seen;

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
    va_list args;
    size_t used = strlen(seen.text);

    va_start(args, format);
    vsnprintf(seen.text + used, sizeof seen.text - used, format, args);
    va_end(args);
}

/* ---- the source: `content`, in one run at IMAGE_AT; it reaches BEHIND bytes past its end */

struct place {
    uint64_t begin, size, position; /* in content */
};

static int64_t place_read_at(void *context, uint64_t offset, void *data, size_t size, struct ranges *ret_bad)
{
    const struct place *place = context;

    seen.reads++;
    memcpy(data, content + place->begin + offset, size);
    for (size_t i = 0; ret_bad != NULL && i < bad.count; i++) {
        uint64_t from = bad.items[i].offset, to = from + bad.items[i].size;

        from = from > offset ? from : offset;
        to = to < offset + size ? to : offset + size;
        if (from < to)
            ranges_add(ret_bad, from, to - from);
    }
    return (int64_t)size;
}

static int64_t place_read(void *context, void *data, size_t size)
{
    struct place *place = context;
    size_t left = (size_t)(place->size - place->position);

    size = size < left ? size : left;
    memcpy(data, content + place->begin + place->position, size);
    place->position += size;
    return (int64_t)size;
}

static const struct ranges *place_bad(void *context)
{
    (void)context;
    return &bad;
}

static uint64_t place_physical(void *context, uint64_t offset, uint64_t *ret_size)
{
    const struct place *place = context;

    *ret_size = SIZE + BEHIND - place->begin - offset;
    return IMAGE_AT + place->begin + offset;
}

/* ---- cutter: gives children; sum: keeps what it is fed of children */

static const struct field about_fields[] = {{"word", FIELD_TEXT, "", "a word"}};
static const struct record_type about_type = {"cutter", 1, "about a child", about_fields, 1};
static const struct record_type *const cutter_emits[] = {&about_type, NULL};
static const struct record_type *const no_emits[] = {NULL};

static enum plugin_want cutter_start(struct scan *scan)
{
    return scan_stream(scan)->depth == 0 ? PLUGIN_FEED : PLUGIN_SKIP;
}

static int take_all(struct scan *scan, const struct block *block)
{
    (void)scan, (void)block;
    return 0;
}

static int cutter_finish(struct scan *scan, enum scan_status status)
{
    static const struct scan_piece swapped[] = {{8000, 1000}, {100, 50}}, behind[] = {{SIZE - 10, 30}},
                                   too_far[] = {{SIZE, BEHIND + 1}};
    const struct value word = value_text("mine");
    struct child child = {.name = "cut",
                          .name_size = 3,
                          .kind = STREAM_CARVED,
                          .offset = 8000,
                          .about = &about_type,
                          .values = &word};
    uint8_t data[64];
    size_t got = 0;

    (void)status;
    cr_assert_eq(scan_reach(scan), SIZE + BEHIND);
    cr_assert_eq(scan_read(scan, SIZE + BEHIND - 5, data, sizeof data, &got), 0);
    cr_assert_eq(got, 5, "up to the end of the reach and no further");
    cr_assert_eq(memcmp(data, content + SIZE + BEHIND - 5, 5), 0);
    child.pieces = cut == CUT_SWAPPED ? swapped : cut == CUT_BEHIND ? behind : too_far;
    child.piece_count = cut == CUT_SWAPPED ? 2 : 1;
    if (cut != CUT_NOTHING)
        sink_close(scan_child(scan, &child), SCAN_WHOLE);
    return 0;
}

static enum plugin_want sum_start(struct scan *scan)
{
    seen.bytes += scan_stream(scan)->depth == 0;
    return PLUGIN_FEED;
}

static int sum_feed(struct scan *scan, const struct block *block)
{
    if (scan_stream(scan)->depth > 0) {
        memcpy(seen.child + seen.child_size, block->data, block->size);
        seen.child_size += block->size;
    }
    return 0;
}

static int sum_finish(struct scan *scan, enum scan_status status)
{
    (void)status;
    if (scan_stream(scan)->depth > 0)
        seen.child_unread = scan_unread(scan);
    return 0;
}

static const struct plugin cutter = {.abi = PLUGIN_ABI,
                                     .version = 1,
                                     .name = "cutter",
                                     .summary = "gives pieces",
                                     .emits = cutter_emits,
                                     .start = cutter_start,
                                     .feed = take_all,
                                     .finish = cutter_finish};
static const struct plugin sum = {.abi = PLUGIN_ABI,
                                  .version = 1,
                                  .name = "sum",
                                  .summary = "keeps children",
                                  .emits = no_emits,
                                  .start = sum_start,
                                  .feed = sum_feed,
                                  .finish = sum_finish};

/* ---- the sink */

static int on_record(void *context, uint32_t stream, uint32_t plugin, uint32_t type, const void *data,
                     size_t size)
{
    (void)context, (void)type, (void)data, (void)size;
    say("record %u of %u\n", stream, plugin);
    return 0;
}

static int on_text(void *context, uint32_t stream, uint32_t plugin, uint64_t offset, const char *text)
{
    (void)context, (void)plugin, (void)offset;
    say("text %u %s\n", stream, text);
    return 0;
}

static int on_failed(void *context, uint32_t stream, uint32_t plugin, uint64_t offset, int code)
{
    (void)context, (void)offset;
    say("failed %u %u %d\n", stream, plugin, code);
    return 0;
}

static int on_begin(void *context, uint32_t parent, uint32_t stream, const struct stream_info *info,
                    uint32_t plugin, const struct child *child, const struct child_runs *runs)
{
    (void)context, (void)parent, (void)plugin;
    say("begin %u %s size=%llu offset=%llu", stream, info->path, (unsigned long long)info->size,
        (unsigned long long)child->offset);
    for (size_t i = 0; i < runs->count; i++)
        say(" %llu+%llu", (unsigned long long)runs->items[i].offset, (unsigned long long)runs->items[i].size);
    say("\n");
    return 0;
}

static int on_end(void *context, uint32_t stream, enum scan_status status, uint64_t size)
{
    (void)context;
    say("end %u %d %llu\n", stream, (int)status, (unsigned long long)size);
    return 0;
}

static struct scan_result scan(enum stream_kind kind)
{
    static const struct plugin *const plugins[] = {&cutter, &sum};
    const struct scan_sink sink = {.record = on_record,
                                   .note = on_text,
                                   .limited = on_text,
                                   .failed = on_failed,
                                   .child_begin = on_begin,
                                   .child_end = on_end};
    struct place place = {0, SIZE, 0}, behind = {SIZE, slack_size, 0};
    const struct source slack = {place_read,     place_bad, place_read_at, slack_size,
                                 place_physical, NULL,      &behind};
    const struct source source = {place_read,    place_bad,      place_read_at,
                                  SIZE + BEHIND, place_physical, slack_size > 0 ? &slack : NULL,
                                  &place};
    const struct stream_info info = {
        .path = "image/p1/a", .name = "a", .extension = "", .owner = "", .kind = kind, .size = SIZE};
    struct scan_result result = {0};
    struct settings settings;
    struct scanner *scanner;
    struct why why = {""};

    cr_assert_eq(settings_init(&settings), 0);
    cr_assert_eq(settings_set(&settings, "block", "1000", NULL), 0);
    cr_assert_eq(scanner_new(plugins, 2, &settings, &scanner, &why), 0, "%s", why.text);
    cr_assert_eq(scanner_scan(scanner, &info, &source, 0, &sink, &result), 0);
    scanner_free(scanner);
    settings_finish(&settings);
    return result;
}

static void begin(void)
{
    for (size_t i = 0; i < sizeof content; i++)
        content[i] = (uint8_t)(i * 7 + i / 256);
    memset(&seen, 0, sizeof seen);
    ranges_clear(&bad);
    slack_size = 0;
    cut = CUT_NOTHING;
}

TestSuite(piece, .init = begin);

Test(piece, a_child_in_pieces_is_read_in_their_order_with_its_record_and_its_place_on_the_medium)
{
    cut = CUT_SWAPPED;
    scan(STREAM_FILE);
    cr_assert_str_eq(seen.text, "begin 1 image/p1/a!/cut size=1050 offset=8000 58000+1000 50100+50\n"
                                "record 1 of 0\nend 1 0 1050\n");
    cr_assert_eq(seen.child_size, 1050);
    cr_assert_eq(memcmp(seen.child, content + 8000, 1000), 0);
    cr_assert_eq(memcmp(seen.child + 1000, content + 100, 50), 0);
}

Test(piece, a_child_may_end_behind_the_stream_but_not_behind_its_reach)
{
    cut = CUT_BEHIND;
    scan(STREAM_FREE);
    cr_assert_eq(memcmp(seen.child, content + SIZE - 10, 30), 0);
    memset(&seen, 0, sizeof seen);
    cut = CUT_TOO_FAR;
    scan(STREAM_FREE);
    cr_assert_str_eq(seen.text, "failed 0 0 -22\n");
}

Test(piece, what_the_medium_does_not_give_of_it_is_known)
{
    ranges_add(&bad, 8990, 20);
    ranges_add(&bad, 120, 5);
    cut = CUT_SWAPPED;
    scan(STREAM_FILE);
    cr_assert_eq(seen.child_unread, 15, "10 bytes of the first piece, 5 of the second");
    cr_assert_not_null(strstr(seen.text, "end 1 1 1050\n"), "partial");
}

Test(piece, slack_is_a_child_that_the_engine_makes)
{
    struct scan_result result;

    slack_size = 700;
    result = scan(STREAM_FILE);
    cr_assert_str_eq(seen.text, "begin 1 image/p1/a!/slack size=700 offset=9000 59000+700\nend 1 0 700\n");
    cr_assert_eq(result.slack, 700);
    cr_assert_not(result.slack_uniform);
    cr_assert_eq(memcmp(seen.child, content + SIZE, 700), 0);
}

Test(piece, slack_of_one_repeated_byte_is_counted_and_not_scanned)
{
    struct scan_result result;

    slack_size = 700;
    memset(content + SIZE, 0xE5, 700);
    result = scan(STREAM_FILE);
    cr_assert_str_eq(seen.text, "");
    cr_assert_eq(result.slack, 700);
    cr_assert(result.slack_uniform);
}

Test(piece, free_space_of_one_repeated_byte_is_read_to_its_end_and_not_scanned)
{
    struct scan_result result;

    memset(content, 0xAA, SIZE);
    result = scan(STREAM_FREE);
    cr_assert(result.uniform);
    cr_assert_eq(result.byte, 0xAA);
    cr_assert_eq(result.read, SIZE);
    cr_assert_eq(seen.bytes, 0, "no plugin was asked, though what lies behind is something else");
    content[SIZE - 1] = 0;
    cr_assert_not(scan(STREAM_FREE).uniform);
    cr_assert_eq(seen.bytes, 1);
    memset(content, 0, SIZE);
    cr_assert_not(scan(STREAM_FILE).uniform, "a file is a file, whatever it holds");
    ranges_add(&bad, 10, 10);
    cr_assert_not(scan(STREAM_FREE).uniform, "zeros may stand for what could not be read");
}
