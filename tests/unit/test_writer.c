/* writer: keys are idempotent, chosen attempts alone count, and of a tampered worker nothing stays. */
#include "cases/writer.h"

#include "tests/unit/case_world.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define A_PATH    "disk.E01/p1/ntfs/a.txt"
#define A_LOCATOR "fs@1048576:ntfs/100-128-1"
#define FS        "fs@1048576:ntfs"

static struct case_world world;

static void begin(void)
{
    world_make(&world);
}

static void end(void)
{
    world_drop(&world);
}

TestSuite(writer, .init = begin, .fini = end);

/* "volumes" walked by worker 1, which found p1; the attempt at p1 by `worker`. */
static uint64_t walk_p1(uint32_t worker)
{
    uint64_t attempt = world_expand(&world, 1, "volumes");
    world_volume(&world, attempt, "p1", FS);
    world_end(&world, attempt, ATTEMPT_DONE);
    return world_expand(&world, worker, FS);
}

Test(writer, what_is_found_twice_is_there_once)
{
    uint64_t walk = walk_p1(2);
    uint64_t stream = world_entry(&world, walk, A_PATH, A_LOCATOR);
    world_end(&world, walk, ATTEMPT_CRASHED);
    walk = world_expand(&world, 3, FS);
    world_volume(&world, walk, "p1", FS);
    cr_assert_eq(world_entry(&world, walk, A_PATH, A_LOCATOR), stream);
    cr_assert_eq(world_entry(&world, walk, "disk.E01/p1/ntfs/hard-link.txt", A_LOCATOR), stream);
    world_end(&world, walk, ATTEMPT_DONE);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM volume"), 1);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM file"), 2);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM stream"), 1);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM t_expand"), 2);
    cr_assert_eq(world_number(&world, "SELECT tries FROM t_expand WHERE volume = 'p1'"), 1);
}

Test(writer, a_content_that_is_done_stays_done_when_it_is_found_again)
{
    uint64_t walk = walk_p1(2);
    uint64_t stream = world_entry(&world, walk, A_PATH, A_LOCATOR);
    world_end(&world, world_scan(&world, 3, stream), ATTEMPT_DONE);
    world_entry(&world, walk, A_PATH, A_LOCATOR);
    cr_assert_str_eq(world_text(&world, "SELECT status FROM stream"), "done");
}

Test(writer, rows_of_an_attempt_that_is_not_chosen_are_gone)
{
    static const enum attempt_end ends[] = {ATTEMPT_CRASHED, ATTEMPT_HUNG, ATTEMPT_MEMORY, ATTEMPT_LOST,
                                            ATTEMPT_STOPPED};
    uint64_t child, grandchild, stream = world_entry(&world, walk_p1(2), A_PATH, A_LOCATOR);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        uint64_t scan = world_scan(&world, 3, stream);
        world_record(&world, scan, stream, 0, 1);
        world_fault(&world, scan, stream, "a fault");
        cr_assert_eq(writer_note(world.writer, scan, stream, "digest", 0, "a note"), 0);
        cr_assert_eq(world_child(world.writer, scan, stream, A_PATH "!/x", "x", 1, STREAM_CHILD, false, 0,
                                  "digest", &child),
                     0);
        cr_assert_eq(world_child(world.writer, scan, child, A_PATH "!/x!/y", "y", 1, STREAM_CHILD, true, 0,
                                  "digest", &grandchild),
                     0);
        world_record(&world, scan, grandchild, 1, 2);
        world_end(&world, scan, ends[i]);
        cr_assert_eq(world_number(&world, "SELECT count(*) FROM rec_digest"), 0);
        cr_assert_eq(world_number(&world, "SELECT count(*) FROM t_fault"), 0);
        cr_assert_eq(world_number(&world, "SELECT count(*) FROM t_note"), 0);
        cr_assert_eq(world_number(&world, "SELECT count(*) FROM t_stream"), 1);
        cr_assert_str_eq(world_text(&world, "SELECT status FROM stream"), "pending");
    }
    cr_assert_eq(world_number(&world, "SELECT tries FROM t_stream"), 3);
    cr_assert_eq(world_number(&world, "SELECT lost FROM t_stream"), 1);
}

Test(writer, the_chosen_attempt_counts_with_its_children)
{
    uint64_t child, grandchild, stream = world_entry(&world, walk_p1(2), A_PATH, A_LOCATOR);
    uint64_t scan = world_scan(&world, 3, stream);
    cr_assert_eq(world_child(world.writer, scan, stream, A_PATH "!/x", "x", 1, STREAM_CHILD, false, 7,
                              "digest", &child),
                 0);
    cr_assert_eq(world_child(world.writer, scan, child, A_PATH "!/x!/y", "y", 1, STREAM_CHILD, true, 0,
                              "digest", &grandchild),
                 0);
    world_record(&world, scan, stream, 0, 1);
    world_record(&world, scan, grandchild, 1, 2);
    cr_assert_eq(writer_child_end(world.writer, scan, grandchild, 0, 33), 0);
    cr_assert_eq(writer_child_end(world.writer, scan, child, 1, 44), 0);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM finding"), 0);
    world_end(&world, scan, ATTEMPT_DONE);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM finding"), 2);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM stream WHERE attempt IS NOT NULL"), 3);
    cr_assert_eq(world_number(&world, "SELECT size FROM file WHERE path LIKE '%!/x!/y'"), 33);
    cr_assert_str_eq(world_text(&world, "SELECT status FROM stream WHERE path LIKE '%!/x'"), "partial");
    cr_assert_str_eq(world_text(&world, "SELECT md5 FROM file WHERE path LIKE '%!/x!/y'"),
                     "02020202020202020202020202020202");
}

Test(writer, a_child_that_is_there_already_is_told_apart_from_a_case_that_cannot_be_written)
{
    uint64_t child = 0, again = 77, stream = world_entry(&world, walk_p1(2), A_PATH, A_LOCATOR);
    uint64_t scan = world_scan(&world, 3, stream);
    cr_assert_eq(world_child(world.writer, scan, stream, A_PATH "!/x", "x", 1, STREAM_CHILD, false, 0,
                              "digest", &child),
                 0);
    cr_assert_eq(world_child(world.writer, scan, stream, A_PATH "!/x", "x", 1, STREAM_CHILD, false, 0,
                              "digest", &again),
                 -EEXIST);
    cr_assert_eq(again, 77u, "outputs are untouched on failure");
}

/* ------------------------------------------------------------------ tampering */

static void tampered(uint32_t worker)
{
    cr_assert_eq(writer_void_worker(world.writer, world.run, worker), 0, "%s", writer_error(world.writer));
}

Test(writer, what_a_tampered_worker_scanned_is_pending_again)
{
    uint64_t walk = walk_p1(2);
    uint64_t a = world_entry(&world, walk, A_PATH, A_LOCATOR);
    uint64_t b = world_entry(&world, walk, "disk.E01/p1/ntfs/b.txt", "fs@1048576:ntfs/101-128-1");
    uint64_t bad = world_scan(&world, 3, a), good = world_scan(&world, 4, b);
    world_record(&world, bad, a, 0, 1);
    world_fault(&world, bad, a, "a lie");
    world_record(&world, good, b, 0, 2);
    world_end(&world, bad, ATTEMPT_PARTIAL);
    world_end(&world, good, ATTEMPT_DONE);
    world_end(&world, walk, ATTEMPT_DONE);
    tampered(3);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM finding"), 1);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM fault"), 0);
    cr_assert_str_eq(world_text(&world, "SELECT status FROM stream WHERE path LIKE '%a.txt'"), "pending");
    cr_assert_str_eq(world_text(&world, "SELECT status FROM stream WHERE path LIKE '%b.txt'"), "done");
    cr_assert_str_eq(world_text(&world, "SELECT status FROM t_attempt WHERE worker = 3"), "tampered");
}

Test(writer, what_a_tampered_worker_found_is_void_with_all_that_stood_on_it)
{
    uint64_t walk = walk_p1(2);
    uint64_t a = world_entry(&world, walk, A_PATH, A_LOCATOR);
    uint64_t scan = world_scan(&world, 4, a); /* an honest worker reads what was invented */
    world_record(&world, scan, a, 0, 1);
    world_end(&world, scan, ATTEMPT_DONE);
    cr_assert_eq(writer_account(world.writer, walk, world.exhibit, &(struct found_account){"p1", ACCOUNT_FREE, 1 << 20}), 0);
    world_end(&world, walk, ATTEMPT_DONE);
    cr_assert_eq(world_number(&world, "SELECT sum(bytes) FROM account"), 1 << 20);
    tampered(2);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM account"), 0);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM file"), 0);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM finding"), 0);
    cr_assert_eq(world_number(&world, "SELECT status FROM t_expand WHERE volume = 'p1'"), 0);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM volume"), 1, "worker 1 found that");
    world_end(&world, world_expand(&world, 5, FS), ATTEMPT_DONE); /* it is not found again */
    cr_assert_eq(writer_run_end(world.writer, world.run, "done"), 0);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM t_stream"), 0);
}

Test(writer, what_is_found_again_after_a_lie_is_as_it_was_found_then)
{
    uint64_t walk = walk_p1(2);
    struct found_entry lie = world_entry_of("disk.E01/p1/ntfs/lie.exe", A_LOCATOR);
    lie.size = 1ULL << 40;
    lie.disk = 7;
    lie.kind = STREAM_META;
    lie.flags = ENTRY_NAME_DELETED;
    cr_assert_eq(writer_entry(world.writer, walk, world.exhibit, &lie), 0);
    cr_assert_eq(writer_stream_without(world.writer, 1, "yara"), 0);
    tampered(2);
    walk = world_expand(&world, 3, FS);
    uint64_t stream = world_entry(&world, walk, A_PATH, A_LOCATOR);
    world_end(&world, walk, ATTEMPT_DONE);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM t_stream"), 1);
    cr_assert_str_eq(world_text(&world, "SELECT path FROM t_stream"), A_PATH);
    cr_assert_eq(world_number(&world, "SELECT size FROM t_stream"), 10);
    cr_assert_eq(world_number(&world, "SELECT disk FROM t_stream"), 4096);
    cr_assert_eq(world_number(&world, "SELECT deleted FROM t_stream"), 0);
    cr_assert_str_eq(world_text(&world, "SELECT kind FROM stream"), "file");
    cr_assert_str_eq(world_text(&world, "SELECT extension FROM t_stream"), "txt");
    cr_assert_str_eq(world_text(&world, "SELECT without FROM t_stream"), "yara", "what was learned is kept");
    cr_assert_eq(world_number(&world, "SELECT status FROM t_stream"), 0);
    cr_assert(stream);
}

Test(writer, what_honest_workers_found_in_a_volume_that_was_a_lie_is_void_too)
{
    uint64_t attempt = world_expand(&world, 1, "volumes");
    world_volume(&world, attempt, "p1", FS);
    world_volume(&world, attempt, "p2", "fs@7:fat");
    world_end(&world, attempt, ATTEMPT_DONE);
    uint64_t walk = world_expand(&world, 2, "fs@7:fat");
    uint64_t stream = world_entry(&world, walk, "disk.E01/p2/fat/x", "fs@7:fat/3");
    world_fault(&world, walk, 0, "what was never there is damaged");
    uint64_t scan = world_scan(&world, 3, stream);
    world_record(&world, scan, stream, 0, 1);
    world_end(&world, scan, ATTEMPT_DONE);
    world_end(&world, walk, ATTEMPT_PARTIAL);
    tampered(1);
    attempt = world_expand(&world, 4, "volumes");
    world_volume(&world, attempt, "p1", FS); /* p2 is not */
    world_end(&world, attempt, ATTEMPT_DONE);
    world_end(&world, world_expand(&world, 4, FS), ATTEMPT_DONE);
    cr_assert_eq(writer_run_end(world.writer, world.run, "done"), 0);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM volume"), 1);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM t_expand"), 2);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM file"), 0);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM t_stream"), 0);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM fault"), 0);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM rec_digest"), 0);
}

/* A worker that walks p1 names something of p2 before p2's own walk does: the honest row was not written. */
static void lie_about_p2(uint64_t *ret_walk1, uint64_t *ret_walk2)
{
    uint64_t attempt = world_expand(&world, 1, "volumes");
    world_volume(&world, attempt, "p1", FS);
    world_volume(&world, attempt, "p2", "fs@7:fat");
    world_end(&world, attempt, ATTEMPT_DONE);
    *ret_walk1 = world_expand(&world, 2, FS);
    *ret_walk2 = world_expand(&world, 3, "fs@7:fat");
    world_entry(&world, *ret_walk1, "disk.E01/p2/fat/x", "fs@7:fat/3");
    world_entry(&world, *ret_walk2, "disk.E01/p2/fat/x", "fs@7:fat/3");
}

static void expect_p2_found_again(void)
{
    uint64_t walk2 = world_expand(&world, 5, "fs@7:fat"); /* pending again */
    world_entry(&world, walk2, "disk.E01/p2/fat/x", "fs@7:fat/3");
    world_fault(&world, walk2, 0, "a fault of the walk");
    world_end(&world, walk2, ATTEMPT_PARTIAL);
    world_end(&world, world_expand(&world, 5, FS), ATTEMPT_DONE);
    cr_assert_eq(writer_run_end(world.writer, world.run, "done"), 0);
    cr_assert_eq(
        world_number(&world, "SELECT count(*) FROM file WHERE path LIKE '%/p2/fat/x' AND stream IS NOT NULL"),
        1);
    cr_assert_str_eq(world_text(&world, "SELECT status FROM stream"), "pending");
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM fault"), 1);
}

Test(writer, a_lie_about_another_volume_does_not_hide_what_is_there)
{
    uint64_t walk1, walk2;
    lie_about_p2(&walk1, &walk2);
    world_fault(&world, walk2, 0, "a fault of the walk");
    world_end(&world, walk2, ATTEMPT_PARTIAL);
    tampered(2);
    expect_p2_found_again();
}

Test(writer, nor_does_it_when_the_honest_walk_is_still_going_on)
{
    uint64_t walk1, walk2;
    lie_about_p2(&walk1, &walk2);
    tampered(2);
    world_fault(&world, walk2, 0, "a fault of the walk");
    world_end(&world, walk2, ATTEMPT_PARTIAL); /* it cannot know */
    expect_p2_found_again();
}

/* ------------------------------------------------------------------ the rest */

Test(writer, a_fault_without_an_attempt_stays_whatever_is_chosen)
{
    uint64_t stream = world_entry(&world, walk_p1(2), A_PATH, A_LOCATOR);
    world_fault(&world, 0, stream, "the worker crashed here");
    world_end(&world, world_scan(&world, 3, stream), ATTEMPT_CRASHED);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM fault"), 1);
    world_end(&world, world_scan(&world, 3, stream), ATTEMPT_DONE);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM fault"), 1);
}

Test(writer, a_record_type_with_other_fields_at_the_same_version_is_refused)
{
    static const struct field fields[] = {{"other", FIELD_TEXT, "", "a text"}};
    struct record_type type = {"digest", 1, "something else", fields, 1}, *types[] = {&type};
    cr_assert_eq(writer_plugin(world.writer, WORLD_DIGEST, "digest", 1, types, 1), -EPROTO);
}

Test(writer, values_come_back_as_they_went_in)
{
    static const struct field fields[] = {{"u", FIELD_U64, "", "a value"},  {"i", FIELD_I64, "", "a value"},
                                          {"t", FIELD_TEXT, "", "a value"}, {"b", FIELD_BYTES, "", "a value"},
                                          {"j", FIELD_JSON, "", "a value"}, {"w", FIELD_WHEN, "", "a value"},
                                          {"n", FIELD_TEXT, "", "a value"}};
    struct record_type type = {"every", 1, "all kinds", fields, 7}, *types[] = {&type};
    uint64_t stream = world_entry(&world, walk_p1(2), A_PATH, A_LOCATOR),
             scan = world_scan(&world, 3, stream);
    struct value values[] = {
        value_u64(UINT64_MAX),   value_i64(-5),    value_text("it's"), value_bytes("\0\xff", 2),
        value_text("{\"a\":1}"), value_i64(-1000), value_none()};
    cr_assert_eq(writer_plugin(world.writer, 3, "all", 1, types, 1), 0);
    cr_assert_eq(writer_record(world.writer, scan, stream, 3, 0, 0, values), 0);
    cr_assert_eq(writer_record(world.writer, scan, stream, 4, 0, 0, values), -EINVAL,
                 "a plugin that was not told of");
    world_end(&world, scan, ATTEMPT_DONE);
    cr_assert_str_eq(
        world_text(&world, "SELECT data FROM finding WHERE plugin = 'all'"),
        "{\"u\":9223372036854775807,\"i\":-5,\"t\":\"it's\",\"b\":\"00ff\",\"j\":{\"a\":1},\"w\":-1000,"
        "\"n\":null}");
    cr_assert_eq(world_number(&world, "SELECT typeof(n) = 'null' FROM rec_all_every"), 1);
}

Test(writer, a_run_says_how_it_ended_and_what_it_had_loaded)
{
    cr_assert_eq(writer_run_sandbox(world.writer, world.run, "{\"seccomp\":true}"), 0);
    cr_assert_eq(writer_run_loaded(world.writer, world.run, "yara", "rules", "a.yar", "00", 12, NULL), 0);
    cr_assert_eq(writer_run_loaded(world.writer, world.run, "yara", "rules", "b.yar", "00", 0, "line 3: no"),
                 0);
    cr_assert_str_eq(world_text(&world, "SELECT status FROM run"), "running");
    cr_assert_eq(writer_run_end(world.writer, world.run, "interrupted"), 0);
    cr_assert_str_eq(world_text(&world, "SELECT status FROM run"), "interrupted");
    cr_assert_str_eq(world_text(&world, "SELECT sandbox FROM run"), "{\"seccomp\":true}");
    cr_assert_str_eq(world_text(&world, "SELECT name FROM run_loaded WHERE problem IS NULL"), "a.yar");
    cr_assert_eq(world_number(&world, "SELECT ended_ns >= started_ns FROM run"), 1);
}

Test(writer, an_attempt_that_nobody_began_cannot_end)
{
    cr_assert_eq(writer_attempt_end(world.writer, 4711, ATTEMPT_DONE, NULL), -EINVAL);
}

Test(writer, an_attempt_is_one_row_as_it_ended_and_open_while_it_lasts)
{
    uint64_t walk = walk_p1(2);
    uint64_t a = world_entry(&world, walk, A_PATH, A_LOCATOR);
    uint64_t b = world_entry(&world, walk, "disk.E01/p1/ntfs/b.txt", "fs@1048576:ntfs/101-128-1");
    uint64_t quick = world_scan(&world, 3, a), slow = world_scan(&world, 4, b);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM t_attempt WHERE worker IN (3, 4)"), 0);
    world_end(&world, quick, ATTEMPT_DONE);
    world_flush(&world);
    cr_assert_str_eq(
        world_text(&world,
                   "SELECT group_concat(worker || ' ' || status, ', ') FROM (SELECT * FROM t_attempt WHERE "
                   "worker IN (3, 4) ORDER BY id)"),
        "3 done, 4 open");
    world_end(&world, slow, ATTEMPT_PARTIAL);
    cr_assert_eq(writer_attempt_end(world.writer, slow, ATTEMPT_DONE, NULL), -EINVAL, "it has ended");
    world_flush(&world);
    cr_assert_str_eq(
        world_text(&world,
                   "SELECT group_concat(worker || ' ' || status, ', ') FROM (SELECT * FROM t_attempt WHERE "
                   "worker IN (3, 4) ORDER BY id)"),
        "3 done, 4 partial");
}

Test(writer, the_attempt_of_a_worker_that_is_not_believed_does_not_end)
{
    uint64_t walk = walk_p1(2);
    uint64_t a = world_entry(&world, walk, A_PATH, A_LOCATOR);
    uint64_t bad = world_scan(&world, 3, a);
    world_record(&world, bad, a, 0, 1);
    tampered(3);
    cr_assert_eq(writer_attempt_end(world.writer, bad, ATTEMPT_DONE, NULL), -EINVAL);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM rec_digest"), 0);
    cr_assert_str_eq(world_text(&world, "SELECT status FROM t_attempt WHERE worker = 3"), "tampered");
    cr_assert_str_eq(world_text(&world, "SELECT status FROM stream WHERE path LIKE '%a.txt'"), "pending");
}
