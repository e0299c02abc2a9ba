/* pass: a later pass stands beside the first: what it says counts with its number, and nothing of the first
 * changes. */
#include "cases/pass.h"

#include "cases/digest.h"
#include "tests/unit/case_world.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct case_world world;
static uint64_t pass;

static int begin_pass(const char *plugins, const char *settings, bool content_only, struct why *why)
{
    const struct pass_wanted wanted = {world.run, plugins, settings, content_only};
    world_flush(&world);
    return pass_begin(world.cf, &wanted, &pass, why);
}

static void must_begin(const char *settings, bool content_only)
{
    struct why why = {{0}};
    cr_assert_eq(begin_pass("digest", settings, content_only, &why), 0, "%s", why.text);
}

/* A new run of whatever pass comes next. */
static void next_run(void)
{
    world_flush(&world);
    writer_free(world.writer);
    world_run(&world);
}

static void begin(void)
{
    world_make(&world);
    world_fill(&world, 3);
    world_run_end(&world);
    next_run();
}

static void end(void)
{
    world_drop(&world);
}

TestSuite(pass, .init = begin, .fini = end);

static uint64_t stream_of(const char *name)
{
    char sql[128];
    snprintf(sql, sizeof sql, "SELECT id FROM t_stream WHERE path LIKE '%%/%s'", name);
    return (uint64_t)world_number(&world, sql);
}

/* Looks at every pending content, with one record each. Returns at how many. */
static size_t look(enum attempt_end how)
{
    size_t looked = 0, count;
    struct task_stream task;
    while (queue_streams(world.cf, &world_all, &task, 1, UINT64_MAX, &count) == 0 && count == 1) {
        uint64_t scan = world_scan(&world, 9, task.id);
        world_record(&world, scan, task.id, 0, 0x77);
        world_end(&world, scan, how);
        task_stream_finish(&task);
        looked++;
    }
    return looked;
}

static void finish_pass(void)
{
    world_flush(&world);
    cr_assert_eq(pass_end(world.cf), 0);
}

/* The listing is pending again, as when there was more to list. */
static void fill_again(void)
{
    world_flush(&world);
    cr_assert_eq(db_exec(casefile_db(world.cf),
                         "UPDATE t_expand SET status = 0, attempt = NULL WHERE locator = 'volumes'"),
                 0);
    cr_assert_eq(casefile_counts_again(world.cf), 0);
}

static const char *digest_of(void)
{
    static char digest[SHA256_HEX_SIZE];
    struct why why = {{0}};
    world_flush(&world);
    cr_assert_eq(case_digest(world.cf, NULL, NULL, digest, &why), 0, "%s", why.text);
    return digest;
}

Test(pass, it_looks_at_everything_and_its_rows_carry_its_number)
{
    must_begin("", false);
    cr_assert_eq(pass, 2u);
    cr_assert_eq(look(ATTEMPT_DONE), 3u);
    finish_pass();
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM finding WHERE pass = 1"), 3);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM finding WHERE pass = 2 AND run = 2"), 3);
    cr_assert_str_eq(world_text(&world, "SELECT status FROM pass WHERE id = 2"), "done");
    cr_assert_eq(world_number(&world, "SELECT done FROM pass WHERE id = 2"), 3);
    cr_assert_eq(world_number(&world, "SELECT pass FROM run WHERE id = 2"), 2);
}

Test(pass, the_views_of_the_first_pass_show_what_it_found)
{
    char before[128];
    snprintf(before, sizeof before, "%s", world_text(&world, "SELECT group_concat(md5) FROM file"));
    must_begin("", false);
    look(ATTEMPT_PARTIAL);
    cr_assert_str_eq(world_text(&world, "SELECT group_concat(md5) FROM file"), before);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM file WHERE status = 'done'"), 3);
}

Test(pass, faults_and_notes_are_of_the_pass)
{
    must_begin("", false);
    uint64_t stream = stream_of("file-1.txt"), scan = world_scan(&world, 9, stream);
    world_fault(&world, scan, stream, "broken");
    cr_assert_eq(writer_note(world.writer, scan, stream, "digest", 0, "odd"), 0);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM note WHERE pass = 2"), 0,
                 "while the attempt is open");
    world_end(&world, scan, ATTEMPT_PARTIAL);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM fault WHERE pass = 2 AND run = 2"), 1);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM note WHERE pass = 2"), 1);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM fault WHERE pass = 1"), 0);
}

Test(pass, after_a_kill_it_is_open_and_goes_on_where_it_was)
{
    struct pass_row row;
    must_begin("s", false);
    uint64_t first = stream_of("file-0.txt"), second = stream_of("file-1.txt");
    uint64_t scan = world_scan(&world, 9, first);
    world_record(&world, scan, first, 0, 0x77);
    world_end(&world, scan, ATTEMPT_DONE);
    scan = world_scan(&world, 9, second);
    world_record(&world, scan, second, 0, 0x77);
    world_flush(&world);
    world_kill(&world);
    world_reopen(&world);
    world_run(&world);
    cr_assert_eq(pass_open(world.cf, &row), 1);
    cr_assert_eq(row.id, 2u);
    cr_assert_eq(row.run, 2u);
    must_begin("s", false);
    cr_assert_eq(pass, 2u);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM finding WHERE pass = 2"), 1);
    cr_assert_eq(look(ATTEMPT_DONE), 2u);
    finish_pass();
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM finding WHERE pass = 2"), 3);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM finding WHERE pass = 1"), 3);
    cr_assert_eq(pass_open(world.cf, &row), 0);
}

Test(pass, while_one_is_open_another_is_refused)
{
    struct why why = {{0}};
    must_begin("s", false);
    next_run();
    cr_assert_eq(begin_pass("yara", "s", false, &why), -EINVAL);
    cr_assert_eq(begin_pass("digest", "other", false, &why), -EINVAL);
    cr_assert(strstr(why.text, "pass 2"), "%s", why.text);
    cr_assert_eq(begin_pass("digest", "s", false, &why), 0, "%s", why.text);
}

Test(pass, other_rule_files_make_another_pass)
{
    struct why why = {{0}};
    cr_assert_eq(writer_run_loaded(world.writer, world.run, "yara", "rules", "a.yar", "11", 1, NULL), 0);
    must_begin("s", false);
    next_run();
    cr_assert_eq(writer_run_loaded(world.writer, world.run, "yara", "rules", "a.yar", "22", 1, NULL), 0);
    cr_assert_eq(begin_pass("digest", "s", false, &why), -EINVAL, "they changed while it is open");
    look(ATTEMPT_DONE);
}

Test(pass, the_first_pass_comes_first)
{
    struct why why = {{0}};
    fill_again();
    uint64_t walk = world_expand(&world, 1, "volumes");
    world_entry(&world, walk, "disk.E01/p1/ntfs/late.txt", "fs@1048576:ntfs/999-128-1");
    cr_assert_eq(begin_pass("digest", "", false, &why), -EBUSY);
    cr_assert(strstr(why.text, "comes first"), "%s", why.text);
}

Test(pass, a_tampering_worker_s_work_is_pending_again_in_this_pass_only)
{
    must_begin("", false);
    uint64_t stream = stream_of("file-2.txt"), scan = world_scan(&world, 7, stream);
    world_record(&world, scan, stream, 0, 0x66);
    world_end(&world, scan, ATTEMPT_DONE);
    cr_assert_eq(writer_void_worker(world.writer, world.run, 7), 0);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM finding WHERE pass = 2"), 0);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM finding WHERE pass = 1"), 3);
    cr_assert_eq(look(ATTEMPT_DONE), 3u);
}

Test(pass, a_plugin_is_left_out_in_this_pass_only)
{
    must_begin("", false);
    uint64_t stream = stream_of("file-2.txt");
    cr_assert_eq(writer_stream_without(world.writer, stream, "digest"), 0);
    cr_assert_eq(writer_stream_without(world.writer, stream, "yara"), 0);
    cr_assert_str_eq(world_text(&world, "SELECT without FROM t_scan WHERE without <> ''"), "digest,yara");
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM t_stream WHERE without <> ''"), 0);
}

/* ------------------------------------------------------------------ equal contents */

static uint64_t add_twin(const char *name, const char *locator)
{
    uint64_t walk = world_expand(&world, 1, "volumes");
    char path[64];
    snprintf(path, sizeof path, "disk.E01/p1/ntfs/%s", name);
    uint64_t stream = world_entry(&world, walk, path, locator), scan = world_scan(&world, 2, stream);
    world_record(&world, scan, stream, 0, 1); /* as file-0.txt */
    world_end(&world, scan, ATTEMPT_DONE);
    world_end(&world, walk, ATTEMPT_DONE);
    return stream;
}

static uint64_t twin_of_first(void)
{
    fill_again();
    return add_twin("twin.txt", "fs@1048576:ntfs/200-128-1");
}

Test(pass, of_equal_contents_one_is_looked_at_and_in_the_end_both_have_the_rows)
{
    char digest[SHA256_HEX_SIZE];
    twin_of_first();
    must_begin("", true);
    cr_assert_eq(look(ATTEMPT_DONE), 3u);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM finding WHERE pass = 2"), 3);
    finish_pass();
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM finding WHERE pass = 2"), 4);
    cr_assert_eq(world_number(&world, "SELECT equal FROM pass WHERE id = 2"), 1);
    snprintf(digest, sizeof digest, "%s", digest_of());
    end();
    begin();
    twin_of_first();
    must_begin("", false);
    cr_assert_eq(look(ATTEMPT_DONE), 4u);
    finish_pass();
    cr_assert_str_eq(digest_of(), digest, "as if both had been looked at");
}

Test(pass, what_equals_a_content_that_was_not_looked_at_whole_is_looked_at_itself)
{
    uint64_t count = 0;
    twin_of_first();
    must_begin("", true);
    cr_assert_eq(look(ATTEMPT_PARTIAL), 3u);
    world_flush(&world);
    cr_assert_eq(pass_release(world.cf, &count), 0);
    cr_assert_eq(count, 1u);
    cr_assert_eq(look(ATTEMPT_PARTIAL), 1u);
    world_flush(&world);
    cr_assert_eq(pass_release(world.cf, &count), 0);
    cr_assert_eq(count, 0u);
    finish_pass();
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM finding WHERE pass = 2"), 4);
}

Test(pass, what_came_into_the_case_since_is_taken_in_by_the_same_pass)
{
    must_begin("s", false);
    look(ATTEMPT_DONE);
    finish_pass();
    cr_assert_eq(casefile_set_pass(world.cf, 1), 0);
    uint64_t stream = twin_of_first();
    cr_assert_eq(world_number(&world, "SELECT not_in_it FROM pass WHERE id = 2"), 1);
    next_run();
    must_begin("s", false);
    cr_assert_eq(pass, 2u);
    struct task_stream task;
    size_t count = 0;
    cr_assert_eq(queue_streams(world.cf, &world_all, &task, 1, UINT64_MAX, &count), 0);
    cr_assert_eq(count, 1u);
    cr_assert_eq(task.id, stream);
    task_stream_finish(&task);
}

/* ------------------------------------------------------------------ children */

static int count_missing(void *context, uint64_t child, const char *path)
{
    (void)child;
    snprintf(context, 64, "%s", strrchr(path, '/') + 1);
    return 0;
}

Test(pass, a_child_is_matched_by_its_address_once_and_one_that_does_not_come_is_missing)
{
    fill_again();
    uint64_t walk = world_expand(&world, 1, "volumes"), child, found = 0, size = 0;
    uint64_t stream = world_entry(&world, walk, "disk.E01/p1/ntfs/a.zip", "fs@1048576:ntfs/300-128-1");
    uint64_t scan = world_scan(&world, 2, stream);
    cr_assert_eq(world_child(world.writer, scan, stream, "disk.E01/p1/ntfs/a.zip!/x", "x", 1, STREAM_CHILD,
                             false, 0, "zip", &child),
                 0);
    cr_assert_eq(writer_child_end(world.writer, scan, child, 0, 33), 0);
    cr_assert_eq(world_child(world.writer, scan, stream, "disk.E01/p1/ntfs/a.zip!/y", "y", 1, STREAM_CHILD,
                             false, 0, "zip", &child),
                 0);
    world_end(&world, scan, ATTEMPT_DONE);
    world_end(&world, walk, ATTEMPT_DONE);
    must_begin("", false);
    scan = world_scan(&world, 9, stream);
    cr_assert_eq(writer_child_again(world.writer, scan, stream, "disk.E01/p1/ntfs/a.zip!/x", &found), 0);
    cr_assert_neq(found, 0u);
    cr_assert_eq(writer_child_size(world.writer, found, &size), 0);
    cr_assert_eq(size, 33u);
    cr_assert_eq(writer_child_again(world.writer, scan, stream, "disk.E01/p1/ntfs/a.zip!/x", &found),
                 -EEXIST);
    cr_assert_eq(writer_child_again(world.writer, scan, stream, "disk.E01/p1/ntfs/a.zip!/z", &found), 0);
    cr_assert_eq(found, 0u, "the case has none there");
    char missing[64] = "";
    cr_assert_eq(writer_children_missing(world.writer, scan, stream, count_missing, missing), 0);
    cr_assert_str_eq(missing, "y");
    world_end(&world, scan, ATTEMPT_CRASHED);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM stream WHERE parent IS NOT NULL"), 2,
                 "the children stay");
}

Test(pass, an_image_that_is_not_the_one_that_was_examined_is_told)
{
    struct why why = {{0}};
    struct writer_image image = {.type = "ewf",
                                 .details = "",
                                 .unsupported = "",
                                 .damage = "",
                                 .name = "disk.E01",
                                 .size = 1000,
                                 .sector_size = 512,
                                 .segments = 2,
                                 .hash_count = 1,
                                 .hashes = {{"md5", "aa", "container"}}};
    cr_assert_eq(writer_image(world.writer, world.exhibit, &image), 0);
    cr_assert_eq(writer_image_again(world.writer, world.exhibit, &image, &why), 0, "%s", why.text);
    image.hashes[0][1] = "bb";
    cr_assert_eq(writer_image_again(world.writer, world.exhibit, &image, &why), -ESTALE);
    cr_assert(strstr(why.text, "EX-1"), "%s", why.text);
    image.hashes[0][1] = "aa";
    image.size = 1001;
    cr_assert_eq(writer_image_again(world.writer, world.exhibit, &image, &why), -ESTALE);
    image.size = 1000;
    image.segments = 3;
    cr_assert_eq(writer_image_again(world.writer, world.exhibit, &image, &why), -ESTALE);
}

/* ------------------------------------------------------------------ the end */

Test(pass, given_up_it_says_what_was_not_looked_at_and_another_may_begin)
{
    struct why why = {{0}};
    must_begin("s", false);
    uint64_t stream = stream_of("file-0.txt"), scan = world_scan(&world, 9, stream);
    world_end(&world, scan, ATTEMPT_DONE);
    world_flush(&world);
    cr_assert_eq(pass_give_up(world.cf, &why), 0, "%s", why.text);
    cr_assert_eq(pass_give_up(world.cf, &why), -ENOENT);
    cr_assert_eq(world_number(&world, "SELECT given_up FROM pass WHERE id = 2"), 2);
    cr_assert_eq(
        world_number(&world, "SELECT count(*) FROM fault WHERE pass = 2 AND effect LIKE '2 contents%'"), 1);
    next_run();
    must_begin("s", false);
    cr_assert_eq(pass, 3u);
}

Test(pass, run_again_takes_it_away)
{
    must_begin("", false);
    look(ATTEMPT_DONE);
    finish_pass();
    cr_assert_eq(casefile_set_pass(world.cf, 1), 0);
    cr_assert_eq(queue_reset(world.cf), 0);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM pass"), 1);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM finding"), 0);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM t_scan"), 0);
}
