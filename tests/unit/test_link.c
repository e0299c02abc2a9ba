/*
 * link: who owns a deleted file's blocks now, which recovered object is a file's content, and which a part of
 * another.
 */
#include "cases/link.h"

#include "tests/unit/case_world.h"

#include <criterion/criterion.h>
#include <stdio.h>

static struct case_world world;
static uint64_t walk;

enum { CARVE = 1 };

/* The plugin carve as far as link looks at it. */
static void know_carve(void)
{
    static const char *const names[] = {"format", "extension", "grade", "title", "lacks", "carver"};
    struct field fields[7];
    struct record_type type = {"carve", 1, "recovered", fields, 7};
    struct record_type *const types[] = {&type};

    for (size_t i = 0; i < 6; i++)
        fields[i] = (struct field){names[i], FIELD_TEXT, "", "words"};
    fields[6] = (struct field){"pieces", FIELD_U64, "", "a number"};
    cr_assert_eq(writer_plugin(world.writer, CARVE, "carve", 1, types, 1), 0);
}

static void begin(void)
{
    world_make(&world);
    know_carve();
    walk = world_expand(&world, 1, "volumes");
}

static void end(void)
{
    world_drop(&world);
}

TestSuite(link, .init = begin, .fini = end);

/* A file at these places, scanned, its hashes made of `fill`. */
static uint64_t file(const char *name, bool deleted, const struct found_run *runs, size_t count, int fill)
{
    char path[64], locator[64], sql[160];
    struct found_entry entry;
    uint64_t stream, scan;

    snprintf(path, sizeof path, "disk.E01/p1/ntfs/%s", name);
    snprintf(locator, sizeof locator, "fs@0:ntfs/%s", name);
    entry = world_entry_of(path, locator);
    entry.flags = deleted ? ENTRY_CONTENT_DELETED : 0;
    entry.runs = runs;
    entry.run_count = count;
    cr_assert_eq(writer_entry(world.writer, walk, world.exhibit, &entry), 0);
    snprintf(sql, sizeof sql, "SELECT id FROM t_stream WHERE path = '%s'", path);
    stream = (uint64_t)world_number(&world, sql);
    scan = world_scan(&world, 2, stream);
    world_record(&world, scan, stream, 0, fill);
    world_end(&world, scan, ATTEMPT_DONE);
    return stream;
}

/* A recovered object in one piece, in a range of free space of its own. */
static void carved(const char *range, const char *name, uint64_t offset, uint64_t size, const char *grade,
                   int fill)
{
    uint64_t parent = file(range, true, NULL, 0, 200 + fill), scan, child;
    const struct found_run run = {offset, size};
    const struct value values[] = {value_text("picture"), value_text("png"), value_text(grade), value_none(),
                                   value_none(),          value_text("png"), value_u64(1)};
    char path[64];
    struct writer_child what = {.path = path,
                                .name = name,
                                .name_size = 1,
                                .kind = STREAM_CARVED,
                                .plugin = "carve",
                                .runs = &run,
                                .run_count = 1};

    snprintf(path, sizeof path, "disk.E01/p1/ntfs/%s!/%s", range, name);
    cr_assert_eq(db_exec(casefile_db(world.cf),
                         "UPDATE t_stream SET status = 0, attempt = NULL WHERE attempt = "
                         "(SELECT max(attempt) FROM t_stream)"),
                 0);
    scan = world_scan(&world, 2, parent);
    cr_assert_eq(writer_child(world.writer, scan, parent, &what, &child), 0);
    cr_assert_eq(writer_record(world.writer, scan, child, CARVE, 0, 0, values), 0);
    world_record(&world, scan, child, 0, fill);
    cr_assert_eq(writer_child_end(world.writer, scan, child, SCAN_WHOLE, size), 0);
    world_end(&world, scan, ATTEMPT_DONE);
}

static void link_now(void)
{
    struct why why = {""};

    world_flush(&world);
    cr_assert_eq(link_findings(world.cf, &why), 0, "%s", why.text);
}

Test(link, a_deleted_files_blocks_are_free_or_have_a_new_owner)
{
    static const struct found_run whole[] = {{4096, 8192}}, two[] = {{0, 1024}, {10240, 4096}},
                                  far[] = {{99999, 10}}, hole[] = {{UINT64_MAX, 4096}, {50000, 100}};

    file("gone", true, whole, 1, 1);
    file("taken", true, far, 1, 2);
    file("untouched", true, hole, 2, 3);
    file("new", false, two, 2, 4);
    file("over", false, far, 1, 5);
    link_now();
    cr_assert_str_eq(
        world_text(&world,
                   "SELECT group_concat(path || ' ' || blocks || ' ' || overwritten_bytes, '; ') FROM "
                   "(SELECT * FROM file WHERE blocks IS NOT NULL ORDER BY path)"),
        "disk.E01/p1/ntfs/gone partly overwritten 2048; disk.E01/p1/ntfs/taken overwritten 10; "
        "disk.E01/p1/ntfs/untouched free 0");
    cr_assert_str_eq(
        world_text(&world,
                   "SELECT path || ' ' || offset || '+' || size || ' ' || owner FROM overwritten WHERE "
                   "path LIKE '%gone'"),
        "disk.E01/p1/ntfs/gone 10240+2048 disk.E01/p1/ntfs/new");
}

Test(link, a_live_run_around_all_of_a_deleted_one_owns_it)
{
    static const struct found_run inner[] = {{5000, 100}}, outer[] = {{4096, 8192}};

    file("gone", true, inner, 1, 1);
    file("new", false, outer, 1, 2);
    link_now();
    cr_assert_str_eq(world_text(&world, "SELECT blocks FROM file WHERE path LIKE '%gone'"), "overwritten");
}

Test(link, a_recovered_object_may_be_a_files_content)
{
    static const struct found_run somewhere[] = {{1000, 10}};

    file("b-deleted", true, somewhere, 1, 7);
    file("z-live", false, somewhere, 1, 7);
    carved("free1", "a", 100000, 500, "validated", 7);
    carved("free2", "b", 200000, 500, "validated", 8);
    link_now();
    cr_assert_str_eq(world_text(&world, "SELECT same_as FROM carved WHERE path LIKE '%!/a'"),
                     "disk.E01/p1/ntfs/z-live");
    cr_assert_eq(
        world_number(&world, "SELECT count(*) FROM carved WHERE path LIKE '%!/b' AND same_as IS NULL"), 1);
}

Test(link, what_lies_in_a_whole_object_of_another_range_is_a_part_of_it)
{
    carved("free1", "a", 100000, 5000, "validated", 1);
    carved("free2", "b", 102000, 100, "partial", 2);
    carved("free3", "c", 104990, 20, "partial", 3);
    carved("free4", "d", 300000, 5000, "partial", 4);
    carved("free5", "e", 300100, 10, "complete", 5);
    link_now();
    cr_assert_str_eq(
        world_text(&world,
                   "SELECT group_concat(substr(path, -1) || '<' || substr(inside, -1), ' ') FROM carved "
                   "WHERE inside IS NOT NULL"),
        "b<a", "c reaches out of a, and d is not whole");
}

Test(link, it_is_made_anew_and_can_be_forgotten)
{
    static const struct found_run place[] = {{4096, 8192}};

    file("gone", true, place, 1, 1);
    link_now();
    file("new", false, place, 1, 2);
    link_now();
    cr_assert_str_eq(world_text(&world, "SELECT blocks FROM file WHERE path LIKE '%gone'"), "overwritten");
    cr_assert_eq(link_forget(world.cf), 0);
    cr_assert_eq(
        world_number(&world,
                     "SELECT (SELECT count(*) FROM t_deleted) + (SELECT count(*) FROM t_overwritten) + "
                     "(SELECT count(*) FROM t_carved)"),
        0);
}

/* ------------------------------------------------------------------ against every pair, one by one */

enum { CONTENTS = 120, PLACES = 4 };

/* Runs of contents that overlap in every way, as in a damaged file system, in two media. */
static void many_contents(unsigned *seed)
{
    struct found_run runs[PLACES];
    char name[32];

    for (int i = 0; i < CONTENTS; i++) {
        size_t count = 1 + (size_t)rand_r(seed) % PLACES;
        for (size_t r = 0; r < count; r++) {
            runs[r].offset = rand_r(seed) % 9 == 0 ? UINT64_MAX : (uint64_t)rand_r(seed) % 4000;
            runs[r].size = 1 + (uint64_t)rand_r(seed) % (rand_r(seed) % 5 == 0 ? 900 : 40);
        }
        snprintf(name, sizeof name, "%s%d", i % 2 ? "a.vhd}>" : "", i);
        file(name, i % 3 == 0, runs, count, i);
    }
}

/* Of two places with one key the first one in the owner's order counts; so they are compared by their keys.
 */
#define EVERY_RUN                                                                                            \
    "WITH run AS (SELECT s.id, s.deleted, s.locator LIKE '%>%' AS medium, r.value ->> 0 AS offset, r.value " \
    "->> 1 AS size "                                                                                         \
    "FROM t_stream s, json_each(s.runs) r WHERE r.value ->> 0 IS NOT NULL), "                                \
    "pair AS (SELECT DISTINCT d.id AS stream, max(d.offset, l.offset) AS offset, l.id AS owner FROM run d "  \
    "JOIN run l "                                                                                            \
    "ON l.medium = d.medium AND d.deleted AND NOT l.deleted AND l.offset < d.offset + d.size AND d.offset "  \
    "< l.offset + l.size) "

Test(link, every_live_run_in_a_deleted_one_is_found)
{
    unsigned seed = 20261127;

    many_contents(&seed);
    link_now();
    cr_assert_gt(world_number(&world, "SELECT count(*) FROM t_overwritten"), 100);
    cr_assert_eq(world_number(&world, EVERY_RUN "SELECT count(*) FROM (SELECT * FROM pair EXCEPT SELECT "
                                                "stream, offset, owner FROM t_overwritten)"),
                 0);
    cr_assert_eq(world_number(&world, EVERY_RUN "SELECT count(*) FROM (SELECT stream, offset, owner FROM "
                                                "t_overwritten EXCEPT SELECT * FROM pair)"),
                 0);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM t_deleted d WHERE overwritten <> (SELECT "
                                      "ifnull(sum(size), 0) FROM t_overwritten o WHERE o.stream = d.stream)"),
                 0);
    cr_assert_eq(world_number(&world, EVERY_RUN "SELECT count(*) FROM t_deleted d WHERE bytes <> (SELECT "
                                                "sum(size) FROM run WHERE run.id = d.stream)"),
                 0);
    cr_assert_eq(
        world_number(
            &world, EVERY_RUN
            "SELECT (SELECT count(*) FROM t_deleted) = (SELECT count(DISTINCT id) FROM run WHERE deleted)"),
        1);
}

/* A thousand deleted files and as many live ones, all in one place: a million owners, and more with each. */
Test(link, a_file_system_in_which_everybody_has_every_place_tells_no_owner_and_says_so)
{
    static const struct found_run place[] = {{4096, 8192}};
    struct why why = {""};

    file("gone", true, place, 1, 1);
    file("new", false, place, 1, 2);
    world_flush(&world);
    cr_assert_eq(
        db_exec(
            casefile_db(world.cf),
            "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < 1200) "
            "INSERT INTO t_stream(exhibit, locator, path, extension, kind, deleted, size, disk, runs, found) "
            "SELECT exhibit, locator || i, path || i, extension, kind, deleted, size, disk, runs, found "
            "FROM t_stream, n WHERE runs IS NOT NULL"),
        0);
    uint64_t records = ledger_count(casefile_ledger(world.cf));
    cr_assert_eq(link_findings(world.cf, &why), 0, "%s", why.text);
    cr_assert_eq(
        world_number(&world,
                     "SELECT (SELECT count(*) FROM t_deleted) + (SELECT count(*) FROM t_overwritten)"),
        0);
    cr_assert_eq(ledger_count(casefile_ledger(world.cf)), records + 1, "and the ledger says so");
}

/* A case that came from somebody: two contents that lie in each other. */
Test(link, contents_that_lie_in_each_other_have_an_end, .timeout = 30)
{
    carved("free1", "a", 100000, 5000, "validated", 1);
    carved("free2", "b", 102000, 100, "partial", 2);
    world_flush(&world);
    cr_assert_eq(db_exec(casefile_db(world.cf),
                         "UPDATE t_stream SET parent = (SELECT id FROM t_stream o WHERE o.path LIKE '%!/%' "
                         "AND o.id <> t_stream.id) WHERE path LIKE '%!/%'"),
                 0);
    link_now();
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM t_carved"), 2);
}
