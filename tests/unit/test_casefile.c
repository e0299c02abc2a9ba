/* casefile: a case is there whole or not at all, one process writes, and what a kill left open is cleared. */
#include "cases/casefile.h"

#include "tests/unit/case_world.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct case_world world;

static void begin(void)
{
    world_begin(&world);
}

static void end(void)
{
    world_drop(&world);
}

TestSuite(casefile, .init = begin, .fini = end);

static int create(void)
{
    struct why why = {{0}};
    return casefile_create(world.folder, NULL, "examiner", &why);
}

static int open_why(enum casefile_mode mode, struct why *why)
{
    struct casefile *cf = NULL;
    *why = (struct why){{0}};
    int code = casefile_open(world.folder, mode, &cf, why);
    casefile_close(cf);
    return code;
}

static bool exists(const char *name)
{
    struct stat st;
    char path[256];
    snprintf(path, sizeof path, "%s/%s", world.folder, name);
    return stat(path, &st) == 0;
}

Test(casefile, a_new_case_has_its_parts_and_its_number)
{
    cr_assert_eq(create(), 0);
    cr_assert(exists("case.db") && exists("ledger.jsonl") && exists("exports") && exists("reports"));
    world_reopen(&world);
    cr_assert_str_eq(casefile_number(world.cf), "case", "the folder's name stands in for the number");
    cr_assert_str_eq(casefile_folder(world.cf), world.folder);
    cr_assert_eq(ledger_count(casefile_ledger(world.cf)), 1u);
    cr_assert_str_eq(world_text(&world, "SELECT value FROM t_case WHERE key = 'examiner'"), "examiner");
}

Test(casefile, a_case_is_never_made_over_another)
{
    size_t before, after;
    world_make(&world);
    world_close(&world);
    free(world_read(&world, "ledger.jsonl", &before));
    cr_assert_eq(create(), -EEXIST);
    free(world_read(&world, "ledger.jsonl", &after));
    cr_assert_eq(before, after);
}

Test(casefile, the_ledger_of_a_case_whose_database_is_gone_is_not_thrown_away)
{
    size_t before, after;
    char path[256];
    world_make(&world); /* the ledger tells of an exhibit: this was a case */
    world_close(&world);
    free(world_read(&world, "ledger.jsonl", &before));
    snprintf(path, sizeof path, "%s/case.db", world.folder);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(create(), -EEXIST);
    free(world_read(&world, "ledger.jsonl", &after));
    cr_assert_eq(before, after);
}

Test(casefile, what_cannot_be_made_leaves_nothing_behind)
{
    cr_assert_eq(mkdir(world.folder, 0700), 0);
    world_write(&world, "exports", "a file of somebody's", 20); /* no folder can be made there */
    cr_assert_eq(create(), -EEXIST);
    cr_assert(!exists("case.db") && !exists("ledger.jsonl") && !exists("lock") && !exists("reports"));
    cr_assert(exists("exports"));
    cr_assert_eq(casefile_create("/nowhere/at/all", NULL, NULL, NULL), -ENOENT);
}

/* Runs casefile_create in a process that is killed at a point; returns whether it was. */
static bool create_killed_at(const char *point)
{
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        setenv("KVALI_CRASH_AT", point, 1);
        _exit(create() == 0 ? 0 : 1);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

Test(casefile, a_kill_while_a_case_is_made_leaves_none_and_it_can_be_made_again)
{
    static const char *const points[] = {"create-ledger:1", "create-database:1", "create-written:1"};
    struct why why;
    for (size_t i = 0; i < sizeof points / sizeof *points; i++) {
        cr_assert(create_killed_at(points[i]), "%s was not passed", points[i]);
        cr_assert_eq(open_why(CASEFILE_WRITE, &why), -ENOENT, "%s: %s", points[i], why.text);
    }
    cr_assert_eq(create(), 0);
    cr_assert_eq(open_why(CASEFILE_WRITE, &why), 0, "%s", why.text);
    cr_assert(!exists("case.db.new"));
}

/* Two that make the same case would each delete the other's files, and then write into one write-ahead log. */
Test(casefile, who_comes_while_another_makes_the_case_touches_nothing_of_it)
{
    struct why why = {{0}};
    char path[256];
    cr_assert_eq(mkdir(world.folder, 0700), 0);
    snprintf(path, sizeof path, "%s/lock", world.folder);
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    cr_assert_eq(flock(lock, LOCK_EX | LOCK_NB), 0);
    snprintf(path, sizeof path, "%s/case.db.new", world.folder);
    cr_assert_eq(close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
    cr_expect_eq(casefile_create(world.folder, NULL, "examiner", &why), -EBUSY, "%s", why.text);
    cr_expect(exists("case.db.new") && exists("lock"));
    close(lock); /* whoever it was is dead */
    cr_expect_eq(create(), 0);
}

/* Who made the case in vain removes its lock. Whoever waited for that has a lock on nothing, which would keep nobody out. */
Test(casefile, a_lock_is_on_the_file_that_is_there)
{
    char path[256];
    int status;
    cr_assert_eq(mkdir(world.folder, 0700), 0);
    snprintf(path, sizeof path, "%s/lock", world.folder);
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    cr_assert_eq(flock(lock, LOCK_EX | LOCK_NB), 0);
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        close(lock); /* which it would hold on to */
        _exit(create() == 0 ? 0 : 1);
    }
    usleep(40000); /* it waits for the lock, or has not come so far: it must come out right either way */
    cr_assert_eq(unlink(path), 0);
    close(lock);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    cr_expect(exists("case.db") && exists("lock"));
}

Test(casefile, a_second_writer_is_refused_and_told_who_holds_it_and_readers_are_not)
{
    struct why why;
    char pid[32];
    world_make(&world);
    world_flush(&world);
    snprintf(pid, sizeof pid, "pid %ld", (long)getpid());
    cr_assert_eq(open_why(CASEFILE_WRITE, &why), -EBUSY);
    cr_assert(strstr(why.text, pid), "%s", why.text);
    cr_assert_eq(open_why(CASEFILE_READ, &why), 0, "%s", why.text);
    world_close(&world);
    cr_assert_eq(open_why(CASEFILE_WRITE, &why), 0, "%s", why.text);
}

Test(casefile, no_case_and_damaged_cases_and_cases_of_a_newer_kvali_are_told_apart)
{
    struct why why;
    cr_assert_eq(open_why(CASEFILE_READ, &why), -ENOENT);
    cr_assert(strstr(why.text, "there is no case there"), "%s", why.text);

    cr_assert_eq(create(), 0);
    world_reopen(&world);
    cr_assert_eq(db_exec(casefile_db(world.cf), "PRAGMA user_version = 99"), 0);
    world_close(&world);
    cr_assert_eq(open_why(CASEFILE_READ, &why), -EPROTO);
    cr_assert(strstr(why.text, "schema 99"), "%s", why.text);
    cr_assert_eq(open_why(CASEFILE_WRITE, &why), -EPROTO);

    world_write(&world, "case.db", "", 0);
    cr_assert_eq(open_why(CASEFILE_READ, &why), -EUCLEAN);
    char junk[8192];
    memset(junk, 'j', sizeof junk);
    world_write(&world, "case.db", junk, sizeof junk);
    cr_assert_eq(open_why(CASEFILE_READ, &why), -EUCLEAN);
    cr_assert_eq(open_why(CASEFILE_WRITE, &why), -EUCLEAN);
    cr_assert(strstr(why.text, "case.db"), "%s", why.text);
}

Test(casefile, a_case_of_an_older_kvali_is_refused_and_not_half_read)
{
    struct why why;
    cr_assert_eq(create(), 0);
    world_reopen(&world);
    cr_assert_eq(db_exec(casefile_db(world.cf), "PRAGMA user_version = 1"), 0);
    world_close(&world);
    cr_assert_eq(open_why(CASEFILE_READ, &why), -EPROTO);
    cr_assert(strstr(why.text, "older"), "%s", why.text);
    cr_assert_eq(open_why(CASEFILE_WRITE, &why), -EPROTO);
}

Test(casefile, a_database_cut_short_is_damaged)
{
    struct why why;
    size_t size;
    world_make(&world);
    world_fill(&world, 200);
    world_close(&world);
    free(world_read(&world, "case.db", &size));
    char path[256];
    snprintf(path, sizeof path, "%s/case.db", world.folder);
    cr_assert_eq(truncate(path, (off_t)(size / 3)), 0);
    cr_assert_eq(open_why(CASEFILE_WRITE, &why), -EUCLEAN, "%s", why.text);
    cr_assert(strstr(why.text, world.folder), "%s", why.text);
}

Test(casefile, a_broken_ledger_stops_a_writer_and_not_a_reader)
{
    struct why why;
    size_t size;
    world_make(&world);
    world_close(&world);
    char *text = world_read(&world, "ledger.jsonl", &size);
    text[30] ^= 1;
    world_write(&world, "ledger.jsonl", text, size);
    free(text);
    cr_assert_eq(open_why(CASEFILE_WRITE, &why), -EUCLEAN);
    cr_assert(strstr(why.text, "ledger.jsonl"), "%s", why.text);
    cr_assert_eq(open_why(CASEFILE_READ, &why), 0, "%s", why.text);
}

Test(casefile, a_last_line_of_the_ledger_that_somebody_tore_stops_a_writer_and_is_not_washed_away)
{
    struct why why;
    size_t size;
    world_make(&world);
    world_close(&world);
    char *text = world_read(&world, "ledger.jsonl", &size);
    text[size - 10] = 0;
    world_write(&world, "ledger.jsonl", text, size);
    free(text);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(open_why(CASEFILE_WRITE, &why), -EUCLEAN);
        cr_assert(strstr(why.text, "the database remembers"), "%s", why.text);
    }
}

Test(casefile, what_a_kill_left_open_is_cleared_at_the_next_open)
{
    uint64_t child;
    world_make(&world);
    world_fill(&world, 2);
    uint64_t stream = world_entry(&world, 1, "disk.E01/p1/ntfs/c.zip", "fs@1048576:ntfs/300-128-1");
    uint64_t open = world_scan(&world, 3, stream);
    world_record(&world, open, stream, 0, 9);
    world_fault(&world, open, stream, "of the open one");
    cr_assert_eq(writer_note(world.writer, open, stream, "digest", 1, "of the open one"), 0);
    cr_assert_eq(world_child(world.writer, open, stream, "disk.E01/p1/ntfs/c.zip!/in", "in", 2, STREAM_CHILD,
                              false, 0, "digest", &child),
                 0);
    world_record(&world, open, child, 1, 8);
    world_flush(&world);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM rec_digest"), 4);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM finding"), 2, "what is open does not count yet");
    world_kill(&world);

    world_reopen(&world);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM rec_digest"), 2);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM t_fault"), 0);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM t_note"), 0);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM t_stream WHERE parent IS NOT NULL"), 0);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM t_attempt WHERE status = 'open'"), 0);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM t_attempt WHERE status = 'lost'"), 1);
    cr_assert_str_eq(world_text(&world, "SELECT status FROM t_run"), "killed");
    struct queue_counts counts;
    cr_assert_eq(queue_counts(world.cf, &counts), 0);
    cr_assert_eq(counts.streams_pending, 1u);
    cr_assert_eq(counts.streams_done, 2u);
}

Test(casefile, what_was_not_flushed_is_gone_and_nothing_else)
{
    world_make(&world);
    world_fill(&world, 2);
    world_flush(&world);
    uint64_t stream = world_entry(&world, 1, "disk.E01/p1/ntfs/late.txt", "fs@1048576:ntfs/301-128-1");
    cr_assert(stream);
    world_kill(&world);
    world_reopen(&world);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM t_entry"), 2);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM finding"), 2);
}
