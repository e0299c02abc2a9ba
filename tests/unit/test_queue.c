/* queue: the database is the queue: what is pending is given, once, in order, and what is not ready is left.
 */
#include "cases/queue.h"

#include "tests/unit/case_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct case_world world;
static uint64_t walk;

static void begin(void)
{
    world_make(&world);
    walk = world_expand(&world, 1, "volumes");
}

static void end(void)
{
    world_drop(&world);
}

TestSuite(queue, .init = begin, .fini = end);

static void add(const char *name, enum stream_kind kind, uint64_t disk, uint64_t size)
{
    char path[64], locator[64];
    snprintf(path, sizeof path, "disk.E01/p1/ntfs/%s", name);
    snprintf(locator, sizeof locator, "fs@0:ntfs/%s", name);
    struct found_entry entry = world_entry_of(path, locator);
    entry.kind = kind;
    entry.disk = disk;
    entry.size = size;
    cr_assert_eq(writer_entry(world.writer, walk, world.exhibit, &entry), 0);
}

static size_t take(const struct queue_filter *filter, size_t max, uint64_t max_bytes, char *ret_names)
{
    struct task_stream tasks[16];
    size_t count = 77;
    *ret_names = 0;
    cr_assert_eq(queue_streams(world.cf, filter, tasks, max, max_bytes, &count), 0);
    for (size_t i = 0; i < count; i++) {
        strcat(ret_names, tasks[i].name);
        strcat(ret_names, " ");
        task_stream_finish(&tasks[i]);
    }
    return count;
}

Test(queue, streams_come_in_disk_order_and_a_whole_image_first_and_alone)
{
    char names[256];
    add("c.txt", STREAM_FILE, 300, 10);
    add("a.txt", STREAM_FILE, 100, 10);
    add("disk", STREAM_IMAGE, 0, 1000);
    add("b.txt", STREAM_ADS, 200, 10);
    cr_assert_eq(take(&world_all, 16, UINT64_MAX, names), 1u);
    cr_assert_str_eq(names, "disk ");
    uint64_t image = (uint64_t)world_number(&world, "SELECT id FROM t_stream WHERE kind = 0");
    world_end(&world, world_scan(&world, 1, image), ATTEMPT_DONE);
    cr_assert_eq(take(&world_all, 16, UINT64_MAX, names), 3u);
    cr_assert_str_eq(names, "a.txt b.txt c.txt ");
}

Test(queue, a_batch_ends_at_a_number_or_at_bytes_and_has_at_least_one)
{
    char names[256];
    add("a", STREAM_FILE, 1, UINT64_MAX);
    add("b", STREAM_FILE, 2, 10);
    add("c", STREAM_FILE, 3, 10);
    cr_assert_eq(take(&world_all, 2, UINT64_MAX, names), 2u);
    cr_assert_eq(take(&world_all, 16, 100, names), 1u);
    cr_assert_str_eq(names, "a ");
    cr_assert_eq(take(&world_all, 0, 100, names), 0u);
}

static bool not_b(void *context, uint64_t id)
{
    return id == *(uint64_t *)context;
}
static bool none_ready(void *context, uint64_t exhibit)
{
    (void)context;
    return exhibit == 0;
}

Test(queue, what_is_in_hand_or_not_ready_is_left_out)
{
    char names[256];
    add("a", STREAM_FILE, 1, 1);
    add("b", STREAM_FILE, 2, 1);
    uint64_t busy = (uint64_t)world_number(&world, "SELECT id FROM t_stream WHERE path LIKE '%/b'");
    struct queue_filter filter = {world_all.ready, not_b, &busy};
    cr_assert_eq(take(&filter, 16, 100, names), 1u);
    cr_assert_str_eq(names, "a ");
    filter.ready = none_ready;
    cr_assert_eq(take(&filter, 16, 100, names), 0u);
}

Test(queue, a_batch_lies_in_one_exhibit)
{
    char names[256];
    struct why why = {{0}};
    uint64_t first = world.exhibit;
    world_flush(&world);
    cr_assert_eq(casefile_add_exhibit(world.cf, "EX-2", "/srv/b.raw", "raw", &world.exhibit, &why), 0);
    add("second", STREAM_FILE, 1, 1);
    world.exhibit = first;
    add("first", STREAM_FILE, 900, 1);
    cr_assert_eq(take(&world_all, 16, 100, names), 1u);
    cr_assert_str_eq(names, "first ");
}

Test(queue, an_expand_task_carries_what_is_to_be_left_out)
{
    struct task_expand tasks[4];
    size_t count = 0;
    world_volume(&world, walk, "p1", "fs@1048576:ntfs");
    world_volume(&world, walk, "p2", "fs@9000000:ntfs");
    world_end(&world, walk, ATTEMPT_DONE);
    uint64_t id = (uint64_t)world_number(&world, "SELECT id FROM t_expand WHERE volume = 'p1'");
    cr_assert_eq(writer_expand_skip(world.writer, id, 5, FAULT_CRASH), 0);
    cr_assert_eq(writer_expand_skip(world.writer, id, UINT64_MAX, FAULT_HANG), 0);
    cr_assert_eq(queue_expands(world.cf, &world_all, tasks, 4, &count), 0);
    cr_assert_eq(count, 2u);
    cr_assert_str_eq(tasks[0].locator, "fs@1048576:ntfs");
    cr_assert_str_eq(tasks[0].volume, "p1");
    cr_assert_eq(tasks[0].skip_count, 2u);
    cr_assert(tasks[0].skip[0] == 5 && tasks[0].skip_kinds[0] == FAULT_CRASH);
    cr_assert(tasks[0].skip[1] == UINT64_MAX && tasks[0].skip_kinds[1] == FAULT_HANG);
    cr_assert_eq(tasks[1].skip_count, 0u);
    for (size_t i = 0; i < count; i++)
        task_expand_finish(&tasks[i]);
    cr_assert_eq(queue_expands(world.cf, &world_all, tasks, 1, &count), 0);
    cr_assert_eq(count, 1u);
    task_expand_finish(&tasks[0]);
}

Test(queue, a_stream_carries_the_plugins_to_be_left_out_and_its_tries)
{
    struct task_stream task;
    size_t count = 0;
    add("a.TXT", STREAM_FILE, 1, 10);
    uint64_t id = (uint64_t)world_number(&world, "SELECT id FROM t_stream");
    world_end(&world, world_scan(&world, 1, id), ATTEMPT_CRASHED);
    world_end(&world, world_scan(&world, 1, id), ATTEMPT_LOST);
    cr_assert_eq(writer_stream_without(world.writer, id, "yara"), 0);
    cr_assert_eq(writer_stream_without(world.writer, id, "entropy,digest"), 0);
    cr_assert_eq(queue_streams(world.cf, &world_all, &task, 1, 100, &count), 0);
    cr_assert_eq(count, 1u);
    cr_assert_str_eq(task.without, "yara,entropy,digest");
    cr_assert_eq(task.tries, 1u);
    cr_assert_eq(task.lost, 1u);
    cr_assert_str_eq(task.extension, "txt");
    task_stream_finish(&task);
}

static void expect_counts_true(void)
{
    struct queue_counts kept, fresh;
    cr_assert_eq(queue_counts(world.cf, &kept), 0);
    cr_assert_eq(queue_count(casefile_db(world.cf), 1, &fresh), 0);
    cr_assert_eq(kept.expands_pending, fresh.expands_pending);
    cr_assert_eq(kept.streams_pending, fresh.streams_pending);
    cr_assert_eq(kept.streams_done, fresh.streams_done);
    cr_assert_eq(kept.bytes_pending, fresh.bytes_pending);
    cr_assert_eq(kept.bytes_done, fresh.bytes_done);
    cr_assert_eq(kept.faults, fresh.faults, "kept %llu, fresh %llu", (unsigned long long)kept.faults,
                 (unsigned long long)fresh.faults);
}

Test(queue, the_totals_in_memory_are_those_of_the_database)
{
    expect_counts_true();
    add("a", STREAM_FILE, 1, 100);
    add("b", STREAM_FILE, 2, 200);
    add("b", STREAM_FILE, 2, 200); /* found again */
    world_volume(&world, walk, "p1", "fs@1048576:ntfs");
    world_volume(&world, walk, "p1", "fs@1048576:ntfs");
    expect_counts_true();
    uint64_t a = (uint64_t)world_number(&world, "SELECT id FROM t_stream WHERE path LIKE '%/a'");
    uint64_t scan = world_scan(&world, 1, a);
    world_fault(&world, scan, a, "of a crashed attempt");
    world_end(&world, scan, ATTEMPT_CRASHED);
    expect_counts_true();
    scan = world_scan(&world, 1, a);
    world_fault(&world, scan, a, "of a chosen attempt");
    world_end(&world, scan, ATTEMPT_PARTIAL);
    expect_counts_true();
    world_end(&world, walk, ATTEMPT_DONE);
    expect_counts_true();
    cr_assert_eq(writer_void_worker(world.writer, world.run, 1), 0);
    expect_counts_true();
}

Test(queue, again_makes_every_content_pending_and_leaves_none_of_their_rows)
{
    uint64_t child;
    add("a", STREAM_FILE, 1, 10);
    add("b", STREAM_FILE, 1, 10);
    uint64_t a = (uint64_t)world_number(&world, "SELECT id FROM t_stream WHERE path LIKE '%/a'");
    uint64_t scan = world_scan(&world, 1, a);
    world_record(&world, scan, a, 0, 1);
    world_fault(&world, scan, a, "a fault");
    cr_assert_eq(writer_note(world.writer, scan, a, "digest", 0, "a note"), 0);
    cr_assert_eq(world_child(world.writer, scan, a, "disk.E01/p1/ntfs/a!/x", "x", 1, STREAM_CHILD, false, 0,
                              "digest", &child),
                 0);
    world_end(&world, scan, ATTEMPT_PARTIAL);
    world_end(&world, walk, ATTEMPT_DONE);
    world_flush(&world);
    uint64_t records = ledger_count(casefile_ledger(world.cf));
    cr_assert_eq(queue_reset(world.cf), 0);
    cr_assert_eq(ledger_count(casefile_ledger(world.cf)), records + 1);
    struct queue_counts counts;
    cr_assert_eq(queue_counts(world.cf, &counts), 0);
    cr_assert_eq(counts.streams_pending, 2u);
    cr_assert_eq(counts.streams_done, 0u);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM rec_digest"), 0);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM t_note"), 0);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM fault"), 0);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM t_stream WHERE parent IS NOT NULL"), 0);
    char *ledger = world_read(&world, "ledger.jsonl", NULL);
    cr_assert(strstr(ledger, "\"type\":\"discard\"") && strstr(ledger, "\"streams\":1"));
    free(ledger);
}

Test(queue, again_does_not_bring_back_what_a_tampered_worker_invented)
{
    add("invented", STREAM_FILE, 1, 10);
    world_end(&world, walk, ATTEMPT_DONE);
    cr_assert_eq(writer_void_worker(world.writer, world.run, 1), 0);
    world_flush(&world);
    cr_assert_eq(queue_reset(world.cf), 0);
    struct queue_counts counts;
    cr_assert_eq(queue_counts(world.cf, &counts), 0);
    cr_assert_eq(counts.streams_pending, 0u);
}

Test(queue, faults_of_an_attempt_that_goes_on_while_a_worker_is_voided_are_not_lost)
{
    struct queue_counts before, after;
    add("a", STREAM_FILE, 1, 10);
    add("b", STREAM_FILE, 2, 10);
    world_end(&world, walk, ATTEMPT_DONE);
    uint64_t a = (uint64_t)world_number(&world, "SELECT id FROM t_stream WHERE path LIKE '%/a'");
    uint64_t b = (uint64_t)world_number(&world, "SELECT id FROM t_stream WHERE path LIKE '%/b'");
    uint64_t going_on = world_scan(&world, 2, a);
    world_fault(&world, going_on, a, "damaged here");
    world_scan(&world, 3, b);
    cr_assert_eq(queue_counts(world.cf, &before), 0);
    cr_assert_eq(writer_void_worker(world.writer, world.run, 3), 0);
    cr_assert_eq(queue_counts(world.cf, &after), 0);
    cr_assert_eq(after.faults, before.faults);
    world_end(&world, going_on, ATTEMPT_CRASHED);
    cr_assert_eq(queue_counts(world.cf, &after), 0);
    cr_assert_eq(after.faults, before.faults - 1);
}
