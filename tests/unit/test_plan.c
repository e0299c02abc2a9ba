/* plan: the same contents give the same parts, each content is in one of them, and large ones are alone. */
#include "cases/plan.h"

#include "tests/unit/case_world.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONTENT_COST = 409600, FILES = 40, MIB = 1 << 20 };

static struct case_world world;
static uint64_t walk;
static struct settings settings;
static struct plan_facts facts;

static void begin(void)
{
    world_make(&world);
    walk = world_expand(&world, 1, "volumes");
    cr_assert_eq(settings_init(&settings), 0);
    facts = (struct plan_facts){0};
}

static void end(void)
{
    plan_facts_finish(&facts);
    settings_finish(&settings);
    world_drop(&world);
}

TestSuite(plan, .init = begin, .fini = end);

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

/* Files of 1 to 40 KiB, in an order in which they do not lie on the medium, and a whole image. */
static void add_files(bool backwards)
{
    char name[16];
    for (int i = 0; i < FILES; i++) {
        int n = backwards ? FILES - 1 - i : i * 7 % FILES;
        snprintf(name, sizeof name, "f%02d", n);
        add(name, STREAM_FILE, (uint64_t)n * 65536, (uint64_t)(n + 1) * 1024);
    }
    add("disk", STREAM_IMAGE, 0, 64 * MIB);
}

static void listed(void)
{
    world_end(&world, walk, ATTEMPT_DONE);
    cr_assert_eq(writer_run_end(world.writer, world.run, "listed"), 0);
    world_flush(&world);
}

static int make(uint64_t parts, uint64_t part_size, bool again, struct why *why)
{
    struct plan_wanted wanted = {parts, part_size, "{\"kvali\":\"test\"}", &settings};
    plan_facts_finish(&facts);
    *why = (struct why){{0}};
    return plan_make(world.cf, &wanted, again, &facts, why);
}

static void made(uint64_t parts, uint64_t part_size)
{
    struct why why;
    cr_assert_eq(make(parts, part_size, false, &why), 0, "%s", why.text);
}

/* The first column of all rows of plan.db, an LF behind each. Free it. */
static char *ask(const char *sql)
{
    char path[128];
    struct db *db;
    struct db_statement *s;
    struct buf text = {0};
    struct why why = {{0}};
    snprintf(path, sizeof path, "%s/plan.db", world.folder);
    cr_assert_eq(db_open_unchanging(path, &db, &why), 0, "%s", why.text);
    cr_assert_eq(db_prepare(db, sql, &s), 0, "%s", db_error(db));
    while (db_step(s) == 1)
        buf_printf(&text, "%s\n", db_text(s, 0));
    db_finalize(s);
    db_close(db);
    char *all = buf_steal(&text);
    return all ? all : strdup("");
}

static void is(const char *want, const char *sql)
{
    char *got = ask(sql);
    cr_assert_str_eq(got, want, "%s: %s", sql, got);
    free(got);
}

static char *cut(void)
{
    return ask("SELECT part || ' ' || locator || ' ' || size FROM stream ORDER BY part, locator");
}

Test(plan, the_same_contents_are_cut_the_same_in_whatever_order_they_were_listed)
{
    add_files(false);
    listed();
    made(5, 0);
    char *one = cut();
    plan_facts_finish(&facts);
    settings_finish(&settings);
    world_drop(&world);
    begin();
    add_files(true);
    listed();
    made(5, 0);
    char *two = cut();
    cr_assert_str_eq(one, two);
    free(one);
    free(two);
}

Test(plan, the_same_case_planned_again_has_the_same_id_and_another_cut_another)
{
    char id[SHA256_HEX_SIZE];
    add_files(false);
    listed();
    made(5, 0);
    strcpy(id, facts.id);
    made(5, 0);
    cr_assert_str_eq(facts.id, id);
    made(4, 0);
    cr_assert_str_neq(facts.id, id);
}

Test(plan, every_pending_content_is_in_exactly_one_part)
{
    char id[SHA256_HEX_SIZE];
    struct plan_part *parts;
    uint64_t streams = 0, bytes = 0, cost = 0;
    size_t count;
    add_files(false);
    add("done", STREAM_FILE, 7, 5);
    uint64_t done = (uint64_t)world_number(&world, "SELECT id FROM t_stream WHERE locator LIKE '%done'");
    world_end(&world, world_scan(&world, 2, done), ATTEMPT_DONE);
    listed();
    made(5, 0);
    is("41 41\n", "SELECT count(*) || ' ' || count(DISTINCT id) FROM stream");
    is("0\n", "SELECT count(*) FROM stream WHERE locator LIKE '%done'");
    cr_assert_eq(plan_parts(world.cf, id, &parts, &count), 0);
    cr_assert_str_eq(id, facts.id);
    cr_assert_eq(count, facts.parts);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(parts[i].number, i + 1);
        cr_assert(!parts[i].merged);
        cr_assert(i == 0 || parts[i].cost <= parts[i - 1].cost, "part %zu costs more than the one before",
                  i + 1);
        streams += parts[i].streams;
        bytes += parts[i].bytes;
        cost += parts[i].cost;
    }
    free(parts);
    cr_assert_eq(streams, FILES + 1u);
    cr_assert_eq(bytes, 64u * MIB + 1024u * FILES * (FILES + 1) / 2);
    cr_assert_eq(cost, bytes + streams * CONTENT_COST);
    cr_assert(facts.streams == streams && facts.bytes == bytes);
}

Test(plan, parts_are_as_many_as_asked_for_of_even_cost_and_each_of_neighbours)
{
    add_files(false);
    listed();
    made(5, 0);
    cr_assert_eq(facts.parts, 5u);
    is("1\n", "SELECT streams FROM part WHERE number = 1"); /* the image */
    is("1\n", "SELECT max(cost) - min(cost) < 2 * (409600 + 40960) FROM part WHERE number > 1");
    is("0\n", "SELECT count(*) FROM stream a JOIN stream b ON b.part = a.part JOIN stream c ON c.part != "
              "a.part AND c.kind != 0 "
              "AND c.disk > a.disk AND c.disk < b.disk WHERE a.kind != 0 AND b.kind != 0");
}

/* Sizes that differ by nothing, by a little and by all: as many parts as asked for, while there are contents.
 */
Test(plan, a_number_of_parts_is_kept_however_few_and_uneven_the_contents_are)
{
    static const uint64_t sizes[3][7] = {
        {9, 9, 9, 9, 9, 9, 9}, {1, 2, 3, 4, 5, 6, 7}, {1, 8 * MIB, 3, 4 * MIB, 0, 1 * MIB, 2 * MIB}};
    struct why why;
    char name[16];
    for (int kind = 0; kind < 3; kind++) {
        for (int n = 0; n < 7; n++) {
            snprintf(name, sizeof name, "f%02d", n);
            add(name, STREAM_FILE, (uint64_t)n * 65536, sizes[kind][n]);
        }
        listed();
        for (uint64_t parts = 1; parts <= 9; parts++) {
            cr_assert_eq(make(parts, 0, true, &why), 0, "%s", why.text);
            cr_assert_eq(facts.parts, parts < 7 ? parts : 7, "sizes %d: %llu parts instead of %llu", kind,
                         (unsigned long long)facts.parts, (unsigned long long)parts);
            is("7\n", "SELECT count(*) FROM stream");
        }
        end();
        begin();
    }
}

Test(plan, no_part_costs_more_than_its_size_and_one_content_more)
{
    uint64_t size = 4 * MIB;
    add_files(false);
    listed();
    made(0, size);
    char sql[160];
    snprintf(sql, sizeof sql, "SELECT count(*) FROM part WHERE streams > 1 AND cost > %llu",
             (unsigned long long)size + CONTENT_COST + FILES * 1024);
    is("0\n", sql);
    /* What the files cost, in even shares of at most that size, and the image. */
    uint64_t cost = 1024u * FILES * (FILES + 1) / 2 + (uint64_t)FILES * CONTENT_COST;
    cr_assert_eq(facts.parts, (cost + size - 1) / size + 1);
}

Test(plan, what_costs_a_whole_part_and_each_whole_image_is_alone)
{
    add_files(false);
    add("small disk", STREAM_IMAGE, 0, 10);
    add("at the edge", STREAM_FILE, 5 * 65536 + 1, 4 * MIB - CONTENT_COST);
    add("below it", STREAM_FILE, 6 * 65536 + 1, 4 * MIB - CONTENT_COST - 1);
    listed();
    made(0, 4 * MIB);
    is("fs@0:ntfs/at the edge\nfs@0:ntfs/disk\nfs@0:ntfs/small disk\n",
       "SELECT max(locator) FROM stream GROUP BY part HAVING count(*) = 1 AND max(locator) NOT LIKE '%/f__' "
       "ORDER BY 1");
    is("0\n", "SELECT count(*) = 1 FROM stream WHERE part = (SELECT part FROM stream WHERE locator LIKE "
              "'%below it')");
}

Test(plan, a_part_fills_a_case_with_its_contents_and_their_ids)
{
    char folder[128], line[32], *want;
    struct plan *plan;
    struct casefile *cf;
    struct why why = {{0}};
    add_files(false);
    listed();
    made(5, 0);
    cr_assert_eq(plan_open(world.folder, &plan, &why), 0, "%s", why.text);
    cr_assert_str_eq(plan_facts(plan)->id, facts.id);
    snprintf(folder, sizeof folder, "%s/part", world.base);
    cr_assert_eq(casefile_create(folder, "part", NULL, &why), 0, "%s", why.text);
    cr_assert_eq(casefile_open(folder, CASEFILE_WRITE, &cf, &why), 0, "%s", why.text);
    cr_assert_eq(plan_fill(plan, 77, cf, &why), -ENOENT);
    cr_assert_eq(plan_fill(plan, 3, cf, &why), 0, "%s", why.text);
    struct case_world part = {.cf = cf};
    want = ask("SELECT count(*) || ' ' || sum(id) FROM stream WHERE part = 3");
    snprintf(line, sizeof line, "%s\n",
             world_text(&part, "SELECT count(*) || ' ' || sum(id) FROM t_stream WHERE status = 0"));
    cr_assert_str_eq(line, want);
    free(want);
    casefile_close(cf);
    plan_close(plan);
}

static void change(const char *sql)
{
    char path[128];
    struct db *db;
    struct why why = {{0}};
    snprintf(path, sizeof path, "%s/plan.db", world.folder);
    cr_assert_eq(db_open(path, DB_WRITE, &db, &why), 0, "%s", why.text);
    cr_assert_eq(db_exec(db, sql), 0, "%s", db_error(db));
    db_close(db);
}

Test(plan, what_was_changed_afterwards_is_not_worked_on)
{
    char folder[128];
    struct plan *plan = NULL;
    struct casefile *cf;
    struct why why = {{0}};
    add_files(false);
    listed();
    cr_assert_eq(plan_open(world.folder, &plan, &why), -ENOENT);
    made(5, 0);
    snprintf(folder, sizeof folder, "%s/part", world.base);
    cr_assert_eq(casefile_create(folder, "part", NULL, &why), 0);
    cr_assert_eq(casefile_open(folder, CASEFILE_WRITE, &cf, &why), 0);
    change("UPDATE stream SET size = size + 1 WHERE part = 3 AND id = (SELECT min(id) FROM stream WHERE part "
           "= 3)");
    cr_assert_eq(plan_open(world.folder, &plan, &why), 0);
    cr_assert_eq(plan_fill(plan, 3, cf, &why), -EUCLEAN);
    cr_assert_eq(plan_fill(plan, 2, cf, &why), 0, "%s", why.text);
    casefile_close(cf);
    plan_close(plan);
    change("UPDATE part SET cost = cost + 1 WHERE number = 3");
    cr_assert_eq(plan_open(world.folder, &plan, &why), -EUCLEAN);
}

Test(plan, nothing_pending_and_an_open_listing_are_refused)
{
    struct why why;
    world_flush(&world);
    cr_assert_eq(make(5, 0, false, &why), -EBUSY);
    cr_assert(strstr(why.text, "listings are still pending"), "%s", why.text);
    listed();
    cr_assert_eq(make(5, 0, false, &why), -ENODATA);
}
