/* digest: the same findings give the same SHA-256, whatever found them, when, in which order and where. */
#include "cases/digest.h"

#include "tests/unit/case_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct case_world world;

TestSuite(digest);

static void digest(char ret[SHA256_HEX_SIZE])
{
    struct why why = {{0}};
    cr_assert_eq(case_digest(world.cf, NULL, NULL, ret, &why), 0, "%s", why.text);
}

static void add_file(uint64_t walk, int i)
{
    char path[64], locator[64];
    snprintf(path, sizeof path, "disk.E01/p1/ntfs/file-%d.txt", i);
    snprintf(locator, sizeof locator, "fs@1048576:ntfs/%d-128-1", i + 100);
    world_entry(&world, walk, path, locator);
}

static void scan_file(int i, uint32_t worker)
{
    char sql[96];
    uint64_t child;
    snprintf(sql, sizeof sql, "SELECT id FROM t_stream WHERE path = 'disk.E01/p1/ntfs/file-%d.txt'", i);
    uint64_t stream = (uint64_t)world_number(&world, sql), scan = world_scan(&world, worker, stream);
    snprintf(sql, sizeof sql, "disk.E01/p1/ntfs/file-%d.txt!/in", i);
    cr_assert_eq(
        world_child(world.writer, scan, stream, sql, "in", 2, STREAM_CHILD, false, 0, "digest", &child), 0);
    world_record(&world, scan, stream, 0, i);
    world_record(&world, scan, child, 0, 50 + i);
    cr_assert_eq(writer_child_end(world.writer, scan, child, 0, 5), 0);
    cr_assert_eq(writer_note(world.writer, scan, stream, "digest", 3, "odd"), 0);
    world_fault(&world, scan, stream, "a fault");
    world_end(&world, scan, ATTEMPT_PARTIAL);
}

/* The same case, made forwards, or backwards with other workers, crashes and runs between. */
static void make(bool forwards, const char *folder_of_evidence)
{
    char evidence[64];
    struct why why = {{0}};
    world_begin(&world);
    cr_assert_eq(casefile_create(world.folder, forwards ? "1" : "another number", forwards ? "a" : "b", &why),
                 0);
    world_reopen(&world);
    snprintf(evidence, sizeof evidence, "%s/disk.E01", folder_of_evidence);
    if (!forwards)
        cr_assert_eq(casefile_add_exhibit(world.cf, "EX-0", "/x/y.raw", "raw", &world.exhibit, &why), 0);
    cr_assert_eq(casefile_add_exhibit(world.cf, "EX-1", evidence, "ewf", &world.exhibit, &why), 0);
    uint64_t id = world.exhibit;
    if (forwards)
        cr_assert_eq(casefile_add_exhibit(world.cf, "EX-0", "/z/y.raw", "raw", &world.exhibit, &why), 0);
    world.exhibit = id;
    world_run(&world);
    uint64_t volumes = world_expand(&world, 1, "volumes");
    world_volume(&world, volumes, "p1", "fs@1048576:ntfs");
    world_end(&world, volumes, ATTEMPT_DONE);
    if (!forwards) {
        world_close(&world); /* a second run */
        world_reopen(&world);
        world_run(&world);
        uint64_t lost = world_expand(&world, 7, "fs@1048576:ntfs");
        add_file(lost, 2);
        world_end(&world, lost, ATTEMPT_CRASHED);
    }
    uint64_t walk = world_expand(&world, 1, "fs@1048576:ntfs");
    for (int i = 0; i < 5; i++)
        add_file(walk, forwards ? i : 4 - i);
    world_fault(&world, walk, 0, "fault 1");
    world_fault(&world, walk, 0, "fault 2");
    world_end(&world, walk, ATTEMPT_PARTIAL);
    if (!forwards) {
        uint64_t crashed = world_scan(&world, 9, 1);
        world_record(&world, crashed, 1, 0, 99);
        world_end(&world, crashed, ATTEMPT_CRASHED);
    }
    for (int i = 0; i < 5; i++)
        scan_file(forwards ? i : 4 - i, forwards ? 2 : 20);
    cr_assert_eq(writer_image_failed(world.writer, id - (forwards ? 0 : 1) + (forwards ? 1 : 0),
                                     forwards ? "/z/y.raw: no such file" : "/x/y.raw: no such file"),
                 0);
    world_flush(&world);
}

Test(digest, it_does_not_depend_on_ids_order_workers_runs_or_places)
{
    char first[SHA256_HEX_SIZE], second[SHA256_HEX_SIZE];
    make(true, "/srv/evidence");
    digest(first);
    world_drop(&world);
    make(false, "/mnt/elsewhere");
    digest(second);
    world_drop(&world);
    cr_assert_str_eq(first, second);
}

struct lines {
    struct hash_sha256 *hash;
    size_t count;
    char first[64];
};

static void line(void *context, const char *text, size_t size)
{
    struct lines *lines = context;
    hash_sha256_update(lines->hash, text, size);
    cr_assert_eq(text[size - 1], '\n');
    cr_assert_null(memchr(text, '\n', size - 1));
    if (lines->count++ == 0)
        snprintf(lines->first, sizeof lines->first, "%.*s", (int)size, text);
}

Test(digest, it_is_the_sha256_of_its_lines)
{
    char hex[SHA256_HEX_SIZE], want[2 * SHA256_SIZE + 1];
    uint8_t bytes[SHA256_SIZE];
    struct why why = {{0}};
    struct lines lines = {.hash = NULL};
    make(true, "/srv");
    lines.hash = hash_sha256_new();
    cr_assert_eq(case_digest(world.cf, line, &lines, hex, &why), 0);
    hash_sha256_final(lines.hash, bytes);
    hash_sha256_free(lines.hash);
    for (size_t i = 0; i < SHA256_SIZE; i++)
        snprintf(want + 2 * i, 3, "%02x", bytes[i]);
    cr_assert_str_eq(hex, want);
    cr_assert_str_eq(lines.first, "kvali-findings 1\n");
    /* head; 2 exhibits; 1 volume; 5 entries; 10 streams; 10 records; 5 notes; 2 + 5 + 1 faults */
    cr_assert_eq(lines.count, 1u + 2 + 1 + 5 + 10 + 10 + 5 + 8);
    world_drop(&world);
}

/* Each of these is a finding that somebody changed. */
Test(digest, every_change_of_a_finding_changes_it)
{
    static const char *const changes[] = {
        "UPDATE rec_digest SET md5 = x'00' WHERE stream = 2",
        "UPDATE rec_digest SET md5 = NULL WHERE stream = 2",
        "DELETE FROM rec_digest WHERE stream = 2",
        "UPDATE t_entry SET modified = modified + 1 WHERE id = 1",
        "UPDATE t_entry SET name = x'41' WHERE id = 1",
        "UPDATE t_entry SET stream = NULL WHERE id = 1",
        "DELETE FROM t_entry WHERE id = 3",
        "UPDATE t_stream SET status = 1 WHERE id = 1",
        "UPDATE t_stream SET unread = 512 WHERE id = 1",
        "UPDATE t_stream SET without = 'yara' WHERE id = 1",
        "UPDATE t_volume SET offset = 0",
        "UPDATE t_exhibit SET name = 'other.E01' WHERE label = 'EX-1'",
        "UPDATE t_note SET text = 'fine' WHERE id = 1",
        "DELETE FROM t_note WHERE id = 1",
        "DELETE FROM t_fault WHERE detail = 'fault 2'",
        "UPDATE t_fault SET effect = 'none' WHERE detail = 'fault 1'",
    };
    char first[SHA256_HEX_SIZE], now[SHA256_HEX_SIZE];
    make(true, "/srv");
    digest(first);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        cr_assert_eq(db_begin(casefile_db(world.cf)), 0);
        cr_assert_eq(db_exec(casefile_db(world.cf), changes[i]), 0);
        cr_assert_gt(db_changes(casefile_db(world.cf)), 0, "%s", changes[i]);
        digest(now);
        cr_expect_str_neq(now, first, "%s", changes[i]);
        db_rollback(casefile_db(world.cf));
    }
    digest(now);
    cr_assert_str_eq(now, first);
    world_drop(&world);
}

/* It is counted anew only when something may have changed. */
Test(digest, what_is_rolled_back_and_what_others_change_is_seen)
{
    char first[SHA256_HEX_SIZE], now[SHA256_HEX_SIZE];
    struct db *other = NULL;
    struct why why = {{0}};
    char path[128];
    make(true, "/srv");
    digest(first);
    cr_assert_eq(db_begin(casefile_db(world.cf)), 0);
    cr_assert_eq(db_exec(casefile_db(world.cf), "UPDATE t_volume SET offset = 0"), 0);
    digest(now);
    cr_expect_str_neq(now, first);
    db_rollback(casefile_db(world.cf));
    digest(now);
    cr_expect_str_eq(now, first);
    snprintf(path, sizeof path, "%s/case.db", world.folder);
    cr_assert_eq(db_open(path, DB_WRITE, &other, &why), 0, "%s", why.text);
    cr_assert_eq(db_exec(other, "UPDATE t_volume SET offset = 0"), 0);
    digest(now);
    cr_expect_str_neq(now, first);
    db_close(other);
    world_drop(&world);
}

static void digest_beside(const char *sql, char ret[SHA256_HEX_SIZE])
{
    struct why why = {{0}};
    struct digest_task *task = case_digest_begin(world.cf);
    cr_assert_not_null(task);
    cr_assert_eq(db_exec(casefile_db(world.cf), sql), 0);
    cr_assert_eq(case_digest_end(task, world.cf, ret, &why), 0, "%s", why.text);
}

Test(digest, beside_other_work_it_is_the_same)
{
    char want[SHA256_HEX_SIZE], now[SHA256_HEX_SIZE];
    make(true, "/srv");
    digest(want);
    digest_beside("INSERT INTO t_deleted VALUES (1, 2, 3)", now);
    cr_expect_str_eq(now, want);
    digest(now); /* as it was remembered */
    cr_expect_str_eq(now, want);
    cr_assert_eq(db_exec(casefile_db(world.cf), "UPDATE t_volume SET offset = 0"), 0);
    digest(now);
    cr_expect_str_neq(now, want);
    digest(want);
    digest_beside("SELECT 1", now);
    cr_expect_str_eq(now, want);
    world_drop(&world);
}

Test(digest, beside_other_work_it_does_not_pass_over_what_is_not_committed)
{
    char first[SHA256_HEX_SIZE], want[SHA256_HEX_SIZE], now[SHA256_HEX_SIZE];
    struct why why = {{0}};
    make(true, "/srv");
    digest(first);
    cr_assert_eq(db_begin(casefile_db(world.cf)), 0);
    cr_assert_eq(db_exec(casefile_db(world.cf), "UPDATE t_volume SET offset = 0"), 0);
    digest(want);
    cr_assert_null(case_digest_begin(world.cf));
    cr_assert_eq(case_digest_end(NULL, world.cf, now, &why), 0, "%s", why.text);
    cr_expect_str_eq(now, want);
    cr_expect_str_neq(now, first);
    db_rollback(casefile_db(world.cf));
    world_drop(&world);
}

/* The thread has most likely read by then; if not, it reads what is new. */
Test(digest, what_others_change_beside_other_work_is_seen)
{
    char first[SHA256_HEX_SIZE], want[SHA256_HEX_SIZE], now[SHA256_HEX_SIZE], path[128];
    struct why why = {{0}};
    struct db *other = NULL;
    make(true, "/srv");
    digest(first);
    snprintf(path, sizeof path, "%s/case.db", world.folder);
    cr_assert_eq(db_open(path, DB_WRITE, &other, &why), 0, "%s", why.text);
    struct digest_task *task = case_digest_begin(world.cf);
    cr_assert_not_null(task);
    nanosleep(&(struct timespec){.tv_nsec = 200 * 1000 * 1000}, NULL);
    cr_assert_eq(db_exec(other, "UPDATE t_volume SET offset = 0"), 0);
    cr_assert_eq(case_digest_end(task, world.cf, now, &why), 0, "%s", why.text);
    digest(want);
    cr_expect_str_eq(now, want);
    cr_expect_str_neq(now, first);
    db_close(other);
    world_drop(&world);
}

/* The file is not where it was, but is open. */
Test(digest, what_the_thread_cannot_do_is_done_without_it)
{
    char want[SHA256_HEX_SIZE], now[SHA256_HEX_SIZE], from[128], to[128];
    make(true, "/srv");
    digest(want);
    snprintf(from, sizeof from, "%s/case.db", world.folder);
    snprintf(to, sizeof to, "%s/elsewhere.db", world.folder);
    cr_assert_eq(rename(from, to), 0);
    digest_beside("SELECT 1", now);
    cr_expect_str_eq(now, want);
    cr_assert_eq(rename(to, from), 0);
    world_drop(&world);
}

/* What is no finding: whose attempt, when, which host. */
Test(digest, nothing_else_changes_it)
{
    static const char *const changes[] = {
        "UPDATE t_run SET started = 1, ended = 2, host = '{}', settings = '{}', sandbox = ''",
        "UPDATE t_attempt SET worker = worker + 100",
        "UPDATE t_exhibit SET path = '/elsewhere' || path, added = 0, verified_at = 7",
        "UPDATE t_case SET value = 'x'",
        "UPDATE t_stream SET tries = tries + 1, lost = 9",
    };
    char first[SHA256_HEX_SIZE], now[SHA256_HEX_SIZE];
    make(true, "/srv");
    digest(first);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        cr_assert_eq(db_exec(casefile_db(world.cf), changes[i]), 0, "%s", db_error(casefile_db(world.cf)));
        digest(now);
        cr_expect_str_eq(now, first, "%s", changes[i]);
    }
    world_drop(&world);
}
