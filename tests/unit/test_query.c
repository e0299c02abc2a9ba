/* query: a filter finds what it says and nothing else, and nothing in it becomes SQL. */
#include "cases/query.h"

#include "tests/unit/case_world.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct case_world world;

static void begin(void)
{
    world_make(&world);
    world_fill(&world, 3);
    struct found_entry entry =
        world_entry_of("disk.E01/p1/ntfs/Users/old [1].DOC", "fs@1048576:ntfs/200-128-1");
    entry.flags = ENTRY_NAME_DELETED;
    entry.size = 5000;
    entry.modified = 1000;
    cr_assert_eq(writer_entry(world.writer, 1, world.exhibit, &entry), 0);
    entry = world_entry_of("disk.E01/p1/ntfs/Users", "");
    entry.type = ENTRY_FOLDER;
    entry.size = 0;
    cr_assert_eq(writer_entry(world.writer, 1, world.exhibit, &entry), 0);
    world_flush(&world);
}

static void end(void)
{
    world_drop(&world);
}

#define AT(...) (&(struct file_address){__VA_ARGS__})

TestSuite(query, .init = begin, .fini = end);

struct rows {
    size_t count;
    char last[256], first[256];
};

static int each(void *context, const struct file_row *row)
{
    struct rows *rows = context;
    if (rows->count++ == 0)
        snprintf(rows->first, sizeof rows->first, "%s", row->path);
    snprintf(rows->last, sizeof rows->last, "%s", row->path);
    return 0;
}

static size_t count(const struct file_filter *filter)
{
    struct rows rows = {0};
    struct why why = {{0}};
    cr_assert_eq(file_query(world.cf, filter, each, &rows, &why), 0, "%s", why.text);
    return rows.count;
}

#define EXPECT(number, ...)                                                                                  \
    do {                                                                                                     \
        struct file_filter filter = FILE_FILTER_ALL;                                                         \
        __VA_ARGS__;                                                                                         \
        cr_expect_eq(count(&filter), (size_t)(number), "%s", #__VA_ARGS__);                                  \
    } while (0)

Test(query, a_filter_finds_what_it_says)
{
    EXPECT(5, );
    EXPECT(3, filter.name = "file-?.txt");
    EXPECT(0, filter.name = "p1");
    EXPECT(1, filter.name = "old [[]1].DOC");
    EXPECT(2, filter.path = "*/Users*");
    EXPECT(5, filter.exhibit = "EX-1");
    EXPECT(0, filter.exhibit = "EX-2");
    EXPECT(1, filter.type = "folder");
    EXPECT(5, filter.kind = "file");
    EXPECT(1, filter.deleted = true);
    EXPECT(4, filter.live = true);
    EXPECT(1, filter.size_min = 11);
    EXPECT(4, filter.size_max = 4999);
    EXPECT(1, filter.before = 1001);
    EXPECT(0, filter.before = 1000);
    EXPECT(5, filter.after = 1000);
    EXPECT(4, filter.after = 1001);
    EXPECT(2, filter.limit = 2);
    EXPECT(0, filter.mismatch = true);
    EXPECT(0, filter.mime = "*");
    EXPECT(0, filter.rule = "*");
    EXPECT(1, filter.hash = "02020202020202020202020202020202");
    EXPECT(1, filter.hash = "xxh3:02020202020202020202020202020202");
    EXPECT(1, filter.hash = "0202020202020202020202020202020202020202");
    EXPECT(1, filter.hash = "0202020202020202020202020202020202020202020202020202020202020202");
    EXPECT(1, filter.name = "file-*"; filter.hash = "01010101010101010101010101010101"; filter.live = true;
           filter.exhibit = "EX-1"; filter.path = "*"; filter.kind = "file"; filter.type = "file");
}

Test(query, nothing_in_a_filter_becomes_sql)
{
    EXPECT(0, filter.name = "' OR 1 --");
    EXPECT(0, filter.exhibit = "x' UNION SELECT 1 --");
    EXPECT(0, filter.path = "\"; DROP VIEW file; --");
    EXPECT(5, );
}

Test(query, a_hash_that_is_none_is_refused)
{
    static const char *const bad[] = {"",
                                      "0",
                                      "xyz",
                                      "0202020202020202020202020202020g",
                                      "xxh3:",
                                      "xxh3:00",
                                      "xxh3:0202020202020202020202020202020202020202"};
    struct rows rows = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct file_filter filter = FILE_FILTER_ALL;
        struct why why = {{0}};
        filter.hash = bad[i];
        cr_assert_eq(file_query(world.cf, &filter, each, &rows, &why), -EINVAL, "%s", bad[i]);
        cr_assert(why.text[0]);
    }
}

static int stop(void *context, const struct file_row *row)
{
    (void)row;
    ++*(int *)context;
    return -ECANCELED;
}

Test(query, rows_come_in_order_until_they_are_not_wanted)
{
    struct rows rows = {0};
    struct file_filter filter = FILE_FILTER_ALL;
    struct why why = {{0}};
    int calls = 0;
    cr_assert_eq(file_query(world.cf, &filter, each, &rows, &why), 0);
    cr_assert_str_eq(rows.first, "disk.E01/p1/ntfs/Users");
    cr_assert_str_eq(rows.last, "disk.E01/p1/ntfs/file-2.txt");
    cr_assert_eq(file_query(world.cf, &filter, stop, &calls, &why), -ECANCELED);
    cr_assert_eq(calls, 1);
    cr_assert_str_eq(why.text, "", "that the caller ends is no error of the case");
}

Test(query, a_source_says_how_a_content_is_opened)
{
    struct file_source source;
    struct why why = {{0}};
    cr_assert_eq(file_source(world.cf, AT("disk.E01/p1/ntfs/file-1.txt"), &source, &why), 0, "%s", why.text);
    cr_assert_str_eq(source.exhibit_path, "/srv/disk.E01");
    cr_assert_str_eq(source.locator, "fs@1048576:ntfs/101-128-1");
    cr_assert_str_eq(source.path, "disk.E01/p1/ntfs/file-1.txt");
    cr_assert_str_eq(source.sha256, "0202020202020202020202020202020202020202020202020202020202020202");
    cr_assert_str_eq(source.extension, "txt");
    cr_assert_eq(source.size, 10u);
    file_source_finish(&source);
    cr_assert_null(source.path);
    cr_assert_eq(file_source(world.cf, AT("disk.E01/p1/ntfs/Users"), &source, &why), -ENODATA);
    cr_assert_eq(file_source(world.cf, AT("disk.E01/nothing"), &source, &why), -ENOENT);
    cr_assert(strstr(why.text, "disk.E01/nothing"));
}

static void each_column(void *context, const char *name, const char *value)
{
    struct rows *rows = context;
    rows->count += *name && *value;
}

static void finding(void *context, uint64_t pass, const char *plugin, const char *type, const char *json)
{
    struct rows *rows = context;
    rows->count++;
    cr_expect_eq(pass, 1);
    snprintf(rows->last, sizeof rows->last, "%s %s %s", plugin, type, json);
}

/* Two images are often called the same: /media/1/disk.E01, /media/2/disk.E01. */
Test(query, an_address_that_two_exhibits_have_is_not_guessed)
{
    struct file_source source;
    struct why why = {{0}};
    uint64_t first = world.exhibit;
    cr_assert_eq(casefile_add_exhibit(world.cf, "EX-2", "/srv/2/disk.E01", "ewf", &world.exhibit, &why), 0);
    world_entry(&world, 1, "disk.E01/p1/ntfs/file-1.txt", "fs@0:fat/7");
    world.exhibit = first;
    cr_assert_eq(file_source(world.cf, AT("disk.E01/p1/ntfs/file-1.txt"), &source, &why), -ENOTUNIQ);
    cr_assert(strstr(why.text, "EX-1") && strstr(why.text, "EX-2"), "%s", why.text);
    struct rows rows = {0};
    cr_assert_eq(file_columns(world.cf, AT("disk.E01/p1/ntfs/file-1.txt"), each_column, &rows, &why),
                 -ENOTUNIQ);
    cr_assert_eq(rows.count, 0u);

    cr_assert_eq(file_source(world.cf, AT("disk.E01/p1/ntfs/file-1.txt", "EX-2"), &source, &why), 0, "%s",
                 why.text);
    cr_assert_str_eq(source.exhibit_path, "/srv/2/disk.E01");
    cr_assert_str_eq(source.locator, "fs@0:fat/7");
    file_source_finish(&source);
    cr_assert_eq(file_source(world.cf, AT("disk.E01/p1/ntfs/file-1.txt", "EX-1"), &source, &why), 0);
    cr_assert_str_eq(source.exhibit_path, "/srv/disk.E01");
    file_source_finish(&source);
    cr_assert_eq(file_findings(world.cf, AT("disk.E01/p1/ntfs/file-1.txt", "EX-1"), finding, &rows, &why), 0);
    cr_assert_eq(rows.count, 1u);
    cr_assert_eq(file_findings(world.cf, AT("disk.E01/p1/ntfs/file-1.txt", "EX-2"), finding, &rows, &why), 0);
    cr_assert_eq(rows.count, 1u, "nothing was found in that one");
    cr_assert_eq(file_columns(world.cf, AT("disk.E01/p1/ntfs/file-0.txt", "EX-2"), each_column, &rows, &why),
                 -ENOENT);
    cr_assert(strstr(why.text, "EX-2"), "%s", why.text);
}

static void column(void *context, const char *name, const char *value)
{
    struct rows *rows = context;
    rows->count++;
    if (strcmp(name, "sha1") == 0)
        snprintf(rows->last, sizeof rows->last, "%s", value);
}

Test(query, everything_about_one_address)
{
    struct rows rows = {0};
    struct why why = {{0}};
    cr_assert_eq(file_columns(world.cf, AT("disk.E01/p1/ntfs/file-0.txt"), column, &rows, &why), 0);
    cr_assert_str_eq(rows.last, "0101010101010101010101010101010101010101");
    cr_assert_gt(rows.count, 20u);
    cr_assert_eq(file_columns(world.cf, AT("nothing"), column, &rows, &why), -ENOENT);
    rows = (struct rows){0};
    cr_assert_eq(file_findings(world.cf, AT("disk.E01/p1/ntfs/file-0.txt"), finding, &rows, &why), 0);
    cr_assert_eq(rows.count, 1u);
    cr_assert(strncmp(rows.last, "digest digest {\"md5\":\"0101", 26) == 0, "%s", rows.last);
}
