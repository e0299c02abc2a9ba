/*
 * scanner.c, pass.c, api.c, child.c: what plugins can count on, whatever the stream and whatever another
 * plugin does.
 *
 * The plugins here are told by `script` what to do; `seen` keeps what the engine did with them.
 */
#include "tests/plugins/trace.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SIZE = 10000, AHEAD = 100 };

static struct {
    enum plugin_want want;
    int feed_code, finish_code, setup_code;
    uint64_t fail_at; /* feed_code from this offset on */
} script;

static struct {
    unsigned starts, feeds, finishes;
    uint64_t size; /* bytes fed, which were as they should be */
    uint64_t last_blocks;
    enum scan_status status;
    bool bad;
} seen;

static uint8_t content[SIZE];
static struct trace trace;
static struct settings settings;
static struct scanner *scanner;
static struct trace_source source;
static int spool_fd = -1;

static const struct field probe_fields[] = {{"number", FIELD_U64, "", "a number"}};
static const struct record_type probe_type = {"probe", 1, "a probe", probe_fields, 1};
static const struct record_type *const probe_emits[] = {&probe_type, NULL};
static const struct record_type *const no_emits[] = {NULL};

/* ---- probe: checks every byte that it is given */

static int probe_setup(void *worker, const struct settings *with, struct why *why)
{
    (void)worker, (void)with;
    setup_loaded("probe", "table", "numbers", "00ff", 3, NULL);
    setup_loaded("probe", "table", "broken", "00fe", 0, "broken:1: it is");
    return script.setup_code < 0 ? why_set(why, script.setup_code, "no luck") : 0;
}

static enum plugin_want probe_start(struct scan *scan)
{
    const uint8_t *data;
    size_t first = source.size < 4096 ? source.size : 4096;

    seen.starts++;
    seen.bad = seen.bad || scan_kept(scan) != first || scan_peek(scan, 0, first, &data) != 0 ||
               scan_peek(scan, 1, first, &data) != -ENODATA;
    return script.want;
}

static int probe_feed(struct scan *scan, const struct block *block)
{
    uint64_t rest = source.size - block->offset - block->size;
    const uint8_t *data;

    seen.feeds++;
    seen.bad = seen.bad || block->offset != seen.size || block->size == 0 ||
               block->ahead != (rest < AHEAD ? rest : AHEAD) ||
               memcmp(block->data, content + block->offset, block->size + block->ahead) != 0 ||
               block->last != (rest == 0) || scan_peek(scan, 0, 1, &data) != -ENODATA;
    seen.size += block->size;
    seen.last_blocks += block->last;
    return seen.size > script.fail_at ? script.feed_code : 0;
}

static int probe_finish(struct scan *scan, enum scan_status status)
{
    const uint8_t *data;

    seen.finishes++;
    seen.status = status;
    if (script.want != PLUGIN_PEEK) {
        seen.bad = seen.bad || scan_kept(scan) != 0;
        return script.finish_code;
    }
    seen.size = scan_kept(scan);
    seen.bad = seen.bad || scan_peek(scan, 0, (size_t)seen.size, &data) != 0 ||
               memcmp(data, content, (size_t)seen.size) != 0 ||
               scan_peek(scan, seen.size, 1, &data) != -ENODATA;
    return script.finish_code;
}

static const struct plugin probe = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "probe",
    .summary = "checks what it is given",
    .emits = probe_emits,
    .ahead = AHEAD,
    .setup = probe_setup,
    .start = probe_start,
    .feed = probe_feed,
    .finish = probe_finish,
};

/* ---- count: emits the number of bytes it was fed */

static enum plugin_want count_start(struct scan *scan)
{
    return *(uint64_t *)scan_state(scan) == 0 ? PLUGIN_FEED : PLUGIN_SKIP;
}

static int count_feed(struct scan *scan, const struct block *block)
{
    *(uint64_t *)scan_state(scan) += block->size;
    return 0;
}

static int count_finish(struct scan *scan, enum scan_status status)
{
    struct value number = value_u64(*(uint64_t *)scan_state(scan));

    (void)status;
    return scan_emit(scan, &probe_type, &number);
}

static const struct plugin count = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "count",
    .summary = "counts",
    .emits = probe_emits,
    .stream_size = sizeof(uint64_t),
    .start = count_start,
    .feed = count_feed,
    .finish = count_finish,
};

/* ---- split: every line "name=content" of a stream is a child; "=" alone: one that it leaves open */

static enum plugin_want split_start(struct scan *scan)
{
    (void)scan;
    return PLUGIN_PEEK;
}

static int split_line(struct scan *scan, const char *line, size_t size, uint64_t offset)
{
    const char *equals = memchr(line, '=', size);
    struct child child = {.name = line, .kind = STREAM_CHILD, .offset = offset};
    struct sink *sink;
    int rc = 0;

    if (equals == NULL)
        return 0;
    child.name_size = (size_t)(equals - line);
    sink = scan_child(scan, &child);
    if (sink == NULL || size == 1)
        return 0;
    rc = sink_write(sink, equals + 1, size - child.name_size - 1);
    sink_close(sink, SCAN_WHOLE);
    return rc == -ENOSPC ? 0 : rc;
}

static int split_finish(struct scan *scan, enum scan_status status)
{
    size_t size = (size_t)scan_kept(scan), at = 0;
    const uint8_t *data;

    (void)status;
    if (scan_peek(scan, 0, size, &data) < 0)
        return -EIO;
    while (at < size) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        size_t length = end != NULL ? (size_t)(end - data) - at : size - at;
        int rc = split_line(scan, (const char *)data + at, length, at);

        if (rc < 0)
            return rc;
        at += length + 1;
    }
    return 0;
}

static const struct plugin split = {
    .abi = PLUGIN_ABI,
    .version = 1,
    .name = "split",
    .summary = "splits lines",
    .emits = no_emits,
    .start = split_start,
    .finish = split_finish,
};

static const struct plugin *const all[] = {&probe, &count, &split};

/* ---- */

static void set_up(void)
{
    for (size_t i = 0; i < SIZE; i++)
        content[i] = (uint8_t)(i * 7 + (i >> 8));
    cr_assert_eq(settings_init(&settings), 0);
    script.want = PLUGIN_FEED;
    source = (struct trace_source){.data = content, .size = SIZE};
}

static void tear_down(void)
{
    scanner_free(scanner);
    settings_finish(&settings);
    buf_finish(&trace.text);
    if (spool_fd >= 0)
        close(spool_fd);
}

TestSuite(scanner, .init = set_up, .fini = tear_down);

static void set(const char *key, const char *value)
{
    struct why why = {""};

    cr_assert_eq(settings_set(&settings, key, value, &why), 0, "%s", why.text);
}

static void with(const struct plugin *const *plugins, size_t number)
{
    struct why why = {""};

    scanner_free(scanner);
    scanner = NULL;
    cr_assert_eq(scanner_new(plugins, number, &settings, &scanner, &why), 0, "%s", why.text);
    trace.plugins = plugins;
}

static void with_spool(void)
{
    char path[] = "/tmp/kvali-test-XXXXXX";

    spool_fd = mkstemp(path);
    cr_assert(spool_fd >= 0);
    unlink(path);
    scanner_set_spool(scanner, spool_fd);
}

/* Scans what `source` holds and gives what was said. */
static const char *scanned(void)
{
    buf_clear(&trace.text);
    source.offset = 0;
    source.reads = 0;
    memset(&seen, 0, sizeof seen);
    cr_assert_eq(trace_scan(&trace, scanner, trace_info("x", source.size), &source, 0), 0);
    return buf_cstr(&trace.text);
}

static void has(const char *text, const char *part)
{
    cr_assert_not_null(strstr(text, part), "no \"%s\" in:\n%s", part, text);
}

static const char *split_text(const char *text)
{
    source.data = (const uint8_t *)text;
    source.size = strlen(text);
    return scanned();
}

Test(scanner, every_byte_comes_once_in_order_with_the_same_look_ahead_at_any_block_size)
{
    static const char *const blocks[] = {"1",    "2",    "99",    "100",   "101", "4095",
                                         "4096", "9999", "10000", "10001", "1M"};

    for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) {
        set("block", blocks[i]);
        with(all, 1);
        for (size_t step = 0; step < 8; step += 7) {
            source.step = step;
            cr_assert_str_eq(scanned(), "= whole read=10000 unread=0 error=0\n");
            cr_assert(!seen.bad, "block %s", blocks[i]);
            cr_assert_eq(seen.size, SIZE);
            cr_assert_eq(seen.last_blocks, 1);
            cr_assert_eq(seen.finishes, 1);
        }
    }
}

Test(scanner, there_is_one_read_a_block)
{
    set("block", "1000");
    with(all, 1);
    scanned();
    cr_assert_leq(source.reads, SIZE / 1000 + 1);
    cr_assert_eq(seen.feeds, SIZE / 1000);
}

Test(scanner, an_empty_stream_is_started_and_finished_and_not_fed)
{
    source.size = 0;
    with(all, 2);
    cr_assert_str_eq(scanned(), "[0] count.probe number=0\n= whole read=0 unread=0 error=0\n");
    cr_assert_eq(seen.starts, 1);
    cr_assert_eq(seen.feeds, 0);
    cr_assert_eq(seen.finishes, 1);
    cr_assert(!seen.bad);
    script.want = PLUGIN_PEEK;
    scanned();
    cr_assert(!seen.bad);
}

Test(scanner, a_plugin_that_skips_is_not_finished)
{
    script.want = PLUGIN_SKIP;
    with(all, 1);
    scanned();
    cr_assert_eq(seen.starts, 1);
    cr_assert_eq(seen.feeds + seen.finishes, 0);
}

Test(scanner, a_peek_sees_all_of_it_in_one_piece_however_little_memory_there_is)
{
    static const char *const memories[] = {"0", "100", "9999", "64M"};
    static const char *const blocks[] = {"1", "61", "4096", "1M"};

    script.want = PLUGIN_PEEK;
    for (size_t i = 0; i < 16; i++) {
        set("spool.memory", memories[i / 4]);
        set("block", blocks[i % 4]);
        with(all, 1);
        with_spool();
        scanned();
        cr_assert(!seen.bad, "memory %s, block %s", memories[i / 4], blocks[i % 4]);
        cr_assert_eq(seen.size, SIZE);
        cr_assert_eq(seen.status, SCAN_WHOLE);
        cr_assert_eq(seen.feeds, 0);
        close(spool_fd);
    }
    spool_fd = -1;
}

Test(scanner, what_cannot_be_kept_is_said_and_the_plugin_knows)
{
    script.want = PLUGIN_PEEK;
    set("block", "500");
    set("limit.spool", "3000");
    with(all, 2);
    has(scanned(), "[0] limited engine @3000 limit.spool");
    cr_assert_eq(seen.size, 3000);
    cr_assert_eq(seen.status, SCAN_CUT);
    cr_assert(!seen.bad);
    has(buf_cstr(&trace.text), "[0] count.probe number=10000\n= whole");
}

Test(scanner, one_plugins_error_is_its_own)
{
    set("block", "1000");
    script.feed_code = -EBADMSG;
    script.fail_at = 2500;
    script.finish_code = -EIO;
    with(all, 2);
    cr_assert_str_eq(
        scanned(),
        "[0] failed probe @2000 -74\n[0] count.probe number=10000\n= whole read=10000 unread=0 error=0\n");
    cr_assert_eq(seen.feeds, 3);
    cr_assert_eq(seen.finishes, 1);
    cr_assert_eq(seen.status, SCAN_CUT);
}

Test(scanner, an_error_at_the_end_is_said_too)
{
    script.finish_code = -EIO;
    with(all, 1);
    has(scanned(), "[0] failed probe @10000 -5\n");
}

Test(scanner, a_stream_that_breaks_off_is_cut)
{
    set("block", "1000");
    source.fail_code = -EIO;
    source.fail_at = 3456;
    with(all + 1, 1);
    cr_assert_str_eq(scanned(), "[0] count.probe number=3456\n= cut read=3456 unread=0 error=-5\n");
}

Test(scanner, a_stream_with_unread_bytes_is_partial)
{
    struct range bad = {100, 512};

    source.bad = (struct ranges){.items = &bad, .count = 1};
    with(all, 1);
    cr_assert_str_eq(scanned(), "= partial read=10000 unread=512 error=0\n");
    cr_assert_eq(seen.status, SCAN_PARTIAL);
}

Test(scanner, a_plugin_can_be_left_out)
{
    struct scan_sink sink = trace_sink(&trace);
    struct source from = trace_source(&source);
    struct scan_result result;

    with(all, 2);
    cr_assert_eq(scanner_scan(scanner, trace_info("x", SIZE), &from, 1U << 1, &sink, &result), 0);
    cr_assert_eq(seen.finishes, 1);
    cr_assert_str_eq(buf_cstr(&trace.text), "");
}

Test(scanner, when_nobody_takes_the_records_any_more_the_scan_ends_and_all_are_finished)
{
    with((const struct plugin *const[]){&count, &probe}, 2);
    trace.answer = -EPIPE;
    buf_clear(&trace.text);
    cr_assert_eq(trace_scan(&trace, scanner, trace_info("x", SIZE), &source, 0), -EPIPE);
    cr_assert_eq(seen.starts, 1);
    cr_assert_eq(seen.finishes, 1);
    cr_assert_eq(seen.status, SCAN_CUT);
}

Test(scanner, children_are_scanned_at_once_and_have_an_address)
{
    const char *text;

    with(all + 1, 2);
    text = split_text("a.TXT=hello\nb/c d.zip=x=inner\nthe end");
    cr_assert_str_eq(text, "[0] count.probe number=37\n"
                           "[1] begin \"sample/x!/a.TXT\" in 0 by split kind=7 depth=1 offset=0 deleted=0 "
                           "size=5 extension=\"txt\" name=\"a.TXT\"\n"
                           "[1] count.probe number=5\n"
                           "[1] end whole size=5\n"
                           "[2] begin \"sample/x!/b/c d.zip\" in 0 by split kind=7 depth=1 offset=12 "
                           "deleted=0 size=7 extension=\"zip\" name=\"c d.zip\"\n"
                           "[2] count.probe number=7\n"
                           "[3] begin \"sample/x!/b/c d.zip!/x\" in 2 by split kind=7 depth=2 offset=0 "
                           "deleted=0 size=5 extension=\"\" name=\"x\"\n"
                           "[3] count.probe number=5\n"
                           "[3] end whole size=5\n"
                           "[2] end whole size=7\n"
                           "= whole read=37 unread=0 error=0\n");
}

Test(scanner, two_children_with_one_name_have_two_addresses)
{
    const char *text;

    with(all + 2, 1);
    text = split_text("a.b=1\na.b=2\na.b=3\n../x=4\n=5\n=6\n");
    has(text, "\"sample/x!/a.b\" in");
    has(text, "\"sample/x!/a.b\\#2\" in 0 by split kind=7 depth=1 offset=6 deleted=0 size=1 extension=\"b\" "
              "name=\"a.b\"");
    has(text, "\"sample/x!/a.b\\#3\" in");
    has(text, "\"sample/x!/\\x2e./x\" in");
}

Test(scanner, a_name_that_is_too_long_is_its_digest)
{
    static char text[17000];
    const char *said;

    memset(text, '\n' + 1, sizeof text - 3);
    memcpy(text + sizeof text - 3, "=1", 3);
    with(all + 2, 1);
    said = split_text(text);
    has(said, "[0] note split @0 the name of a stream in this one is 16997 bytes long: cut");
    has(said, "begin \"sample/x!/\\~");
    cr_assert_lt(strlen(said), 600);
}

Test(scanner, a_child_left_open_is_not_forgotten_in_silence)
{
    with(all + 2, 1);
    has(split_text("=\n"), "[0] limited split @0 split left sample/x!/");
}

Test(scanner, limits_on_children_hold_and_are_said_once)
{
    const char *text;

    set("limit.children", "2");
    with(all + 2, 1);
    text = split_text("a=1\nb=2\nc=3\nd=4\n");
    has(text, "[0] limited split @16 limit.children: no more than 2 ");
    cr_assert_null(strstr(text, "[3]"));
    cr_assert_null(strstr(strstr(text, "limited") + 1, "limited"));
    has(split_text("a=1\n"), "[1] end whole"); /* the next stream has its own */
    set("limit.children", "100");
    set("limit.child_bytes", "5");
    with(all + 2, 1);
    text = split_text("a=123\nb=456\nc=789\n");
    has(text, "[2] begin \"sample/x!/b\" in 0 by split kind=7 depth=1 offset=6 deleted=0 size=2 "
              "extension=\"\" name=\"b\"\n[2] end cut size=2");
    has(text, "[0] limited split @6 limit.child_bytes");
    has(text, "[3] end cut size=0");
    set("limit.depth", "1");
    with(all + 2, 1);
    text = split_text("a=b=c\n");
    has(text, "[1] limited split @0 limit.depth");
    cr_assert_null(strstr(text, "[2]"));
}

Test(scanner, children_and_their_parent_share_the_spool)
{
    static char text[200000];
    size_t used = 0;

    set("spool.memory", "1000");
    set("block", "777");
    with(all + 1, 2);
    with_spool();
    for (int i = 0; i < 10; i++) {
        used += (size_t)sprintf(text + used, "file%d=inner%d=", i, i);
        memset(text + used, 'a' + i, 15000);
        used += 15000;
        text[used++] = '\n';
    }
    split_text(text);
    for (int i = 1; i <= 10; i++) {
        char line[64];

        sprintf(line, "[%d] count.probe number=15000\n", 2 * i);
        has(buf_cstr(&trace.text), line);
    }
}

/* ---- setup */

Test(scanner, what_was_loaded_is_known)
{
    const struct loaded *loaded;
    size_t number;

    with(all, 1);
    setup_loaded("late", "x", "x", "", 1, NULL); /* not in setup: nobody hears it */
    loaded = scanner_loaded(scanner, &number);
    cr_assert_eq(number, 2);
    cr_assert_str_eq(loaded[0].name, "numbers");
    cr_assert_eq(loaded[0].count, 3);
    cr_assert_null(loaded[0].problem);
    cr_assert_str_eq(loaded[1].problem, "broken:1: it is");
}

Test(scanner, a_setup_that_fails_is_named)
{
    struct why why;

    script.setup_code = -ENOENT;
    cr_assert_eq(scanner_new(all, 1, &settings, &scanner, &why), -ENOENT);
    cr_assert_str_eq(why.text, "probe: no luck");
}

Test(scanner, two_plugins_of_one_name_are_refused)
{
    struct why why;

    cr_assert_eq(scanner_new((const struct plugin *const[]){&count, &count}, 2, &settings, &scanner, &why),
                 -EEXIST);
}

Test(scanner, descriptors_with_anything_wrong_are_refused)
{
    static const struct record_type *const twice[] = {&probe_type, &probe_type, NULL};
    struct plugin wrong[12];
    struct why why;

    for (size_t i = 0; i < 12; i++)
        wrong[i] = probe;
    wrong[0].abi = PLUGIN_ABI + 1;
    wrong[1].version = 0;
    wrong[2].name = "Probe";
    wrong[3].name = "a_name_longer_than_sixteen";
    wrong[4].summary = "";
    wrong[5].emits = NULL;
    wrong[6].start = NULL;
    wrong[7].finish = NULL;
    wrong[8].ahead = PLUGIN_AHEAD_MAX + 1;
    wrong[9].feed = NULL;
    wrong[10].stream_size = SIZE_MAX;
    wrong[11].emits = twice;
    for (size_t i = 0; i < 12; i++) {
        why.text[0] = '\0';
        cr_assert(!plugin_is_valid(&wrong[i], &why), "%zu", i);
        cr_assert(why.text[0] != '\0');
    }
    cr_assert(plugin_is_valid(&probe, NULL));
}

Test(scanner, warming_up_leaves_no_trace)
{
    with(all + 1, 2);
    cr_assert_eq(scanner_warm(scanner), 0);
    cr_assert_str_eq(split_text("x"), "[0] count.probe number=1\n= whole read=1 unread=0 error=0\n");
}

static unsigned beats;

static void on_at(void *context, uint32_t stream, uint32_t plugin, uint64_t offset)
{
    (void)context, (void)stream, (void)plugin, (void)offset;
    beats++;
}

Test(scanner, the_heart_beats_before_every_call)
{
    struct scan_sink sink = trace_sink(&trace);
    struct source from = trace_source(&source);
    struct scan_result result;

    set("block", "1000");
    with(all, 1);
    sink.at = on_at;
    cr_assert_eq(scanner_scan(scanner, trace_info("x", SIZE), &from, 0, &sink, &result), 0);
    cr_assert_eq(beats, source.reads + 1 + seen.feeds + 1);
}

/* ---- capture: the bytes of children, by a scan that is done again */

static struct {
    const char *wanted[4];
    size_t left; /* of them */
    struct buf got;
} taken;

static bool take_wants(void *context, const struct stream_info *info)
{
    (void)context;
    for (size_t i = 0; i < sizeof taken.wanted / sizeof taken.wanted[0]; i++) {
        if (taken.wanted[i] != NULL && strcmp(taken.wanted[i], info->path) == 0) {
            buf_printf(&taken.got, "%s ", info->path);
            return true;
        }
    }
    return false;
}

static int take_bytes(void *context, const void *data, size_t size)
{
    (void)context;
    buf_append(&taken.got, data, size);
    return 0;
}

static int take_no_bytes(void *context, const void *data, size_t size)
{
    (void)context, (void)data, (void)size;
    return -EPIPE;
}

static int take_end(void *context, enum scan_status status)
{
    (void)context;
    buf_printf(&taken.got, " %d\n", (int)status);
    return --taken.left > 0 ? 0 : -ECANCELED;
}

/* What a scan of `text` gives for the wanted ones. */
static const char *captured(const char *text, int code)
{
    struct scan_capture capture = {take_wants, take_bytes, take_end, NULL, NULL};
    struct trace_source memory = {.data = (const uint8_t *)text, .size = strlen(text)};
    struct source from = trace_source(&memory);
    struct scan_result result;

    buf_clear(&taken.got);
    cr_assert_eq(scanner_capture(scanner, trace_info("x", memory.size), &from, 0, &capture, &result), code);
    return buf_cstr(&taken.got);
}

static void want(const char *first, const char *second)
{
    taken.wanted[0] = first;
    taken.wanted[1] = second;
    taken.left = second != NULL ? 2 : 1;
}

Test(scanner, a_child_is_captured_by_its_address_and_then_the_scan_ends)
{
    with(all + 1, 2);
    want("sample/x!/b", NULL);
    cr_assert_str_eq(captured("a=1\nb=two\nc=3\n", -ECANCELED), "sample/x!/b two 0\n");
    want("sample/x!/b\\#2", NULL);
    cr_assert_str_eq(captured("b=1\nb=two\nb=3\n", -ECANCELED), "sample/x!/b\\#2 two 0\n");
    want("sample/x!/e", NULL);
    cr_assert_str_eq(captured("d=1\ne=\n", -ECANCELED), "sample/x!/e  0\n");
    want("sample/x", "sample/x!/z"); /* the stream itself is not inside it; the other one is not there */
    cr_assert_str_eq(captured("d=1\n", 0), "");
    buf_finish(&taken.got);
}

Test(scanner, a_child_in_a_child_is_captured_and_both_in_one_scan)
{
    with(all + 1, 2);
    want("sample/x!/a!/b", NULL);
    cr_assert_str_eq(captured("b=0\na=b=c=deep\n", -ECANCELED), "sample/x!/a!/b c=deep 0\n");
    want("sample/x!/a!/b", "sample/x!/a");
    cr_assert_str_eq(captured("b=0\na=b=c=deep\n", -ECANCELED),
                     "sample/x!/a b=c=deep 0\nsample/x!/a!/b c=deep 0\n");
    /* And a scan after it captures nothing. */
    cr_assert_null(strstr(split_text("b=0\na=b=c=deep\n"), "sample/x!/a b"));
    cr_assert_eq(taken.left, 0);
    buf_finish(&taken.got);
}

Test(scanner, a_captured_child_that_was_cut_is_said_to_be_and_one_in_the_spool_is_whole)
{
    static char text[50000];

    set("limit.child_bytes", "5");
    with(all + 2, 1);
    want("sample/x!/b", NULL);
    cr_assert_str_eq(captured("a=123\nb=456\n", -ECANCELED), "sample/x!/b 45 2\n");
    want("sample/x!/a", NULL);
    set("limit.child_bytes", "1G");
    set("spool.memory", "100");
    with(all + 2, 1);
    with_spool();
    memset(text, 'x', sizeof text - 1);
    memcpy(text, "a=", 2);
    captured(text, -ECANCELED);
    cr_assert_eq(taken.got.size, strlen("sample/x!/a ") + sizeof text - 3 + strlen(" 0\n"));
    buf_finish(&taken.got);
}

Test(scanner, when_the_taker_of_captured_bytes_has_enough_the_scan_ends)
{
    struct scan_capture capture = {take_wants, take_bytes, take_end, NULL, NULL};
    struct source from = trace_source(&source);
    struct scan_result result;

    capture.bytes = take_no_bytes;
    with(all + 2, 1);
    want("sample/x!/a", "sample/x!/b");
    source = (struct trace_source){.data = (const uint8_t *)"a=1\nb=2\n", .size = 8};
    cr_assert_eq(scanner_capture(scanner, trace_info("x", 8), &from, 0, &capture, &result), -EPIPE);
    cr_assert_eq(taken.left, 2);
    buf_finish(&taken.got);
}
