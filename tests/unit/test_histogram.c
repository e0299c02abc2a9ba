/* histogram: what is counted in memory, in whatever portions, is what SQL counts. */
#include "cases/histogram.h"

#include "cases/views.h"
#include "cases/views_private.h"
#include "tests/unit/case_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct case_world world;

static void end(void)
{
    world_drop(&world);
}

TestSuite(histogram, .fini = end);

static void change(const char *sql)
{
    cr_assert_eq(db_exec(casefile_db(world.cf), sql), 0, "%s: %s", sql, db_error(casefile_db(world.cf)));
}

/* `contents` contents of all kinds in three exhibits, whose labels are not in the order of their numbers, with attempts that count and
 * ones that do not; `values` values in each, of which some have no kind, no text, no rank, no count, a NUL inside, one that a longer
 * one begins with, or a count that no sum can hold; and files with times, without, and more than one with the same content. */
static void make(unsigned contents, unsigned values)
{
    char sql[2048];
    world_make(&world);
    world_flush(&world);
    change("INSERT INTO t_exhibit(id, label, path, type_wanted, added) VALUES (2, 'EX-10', '/x', 'raw', 0), (3, 'A', '/y', 'raw', 0)");
    snprintf(sql, sizeof sql,
             "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u) INSERT INTO t_stream(id, exhibit, locator, path, "
             "extension, kind, deleted, size, disk, status, attempt, found) SELECT i, 1 + i %% 3, 'l' || i, 'p' || i, '', i %% 9, 0, 1, "
             "0, 1, i, 1 FROM n",
             contents);
    change(sql);
    change("INSERT INTO t_attempt SELECT id, 1, id, NULL, 1, CASE id % 7 WHEN 0 THEN 'partial' WHEN 1 THEN 'failed' ELSE 'done' END, 1 "
           "FROM t_stream WHERE true ON CONFLICT DO NOTHING");
    change("INSERT INTO t_attempt SELECT id + 100000, 1, id, NULL, 1, CASE id % 2 WHEN 0 THEN 'replaced' ELSE 'crashed' END, 1 FROM t_stream");
    change("WITH n(i) AS (SELECT 0 UNION ALL SELECT 1 UNION ALL SELECT 2) INSERT INTO t_entry SELECT s.id * 3 + i, s.exhibit, 'e' || s.id "
           "|| '/' || i, x'', '', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, iif((s.id + i) % 3 = 0, NULL, (s.id * 3701 + i * 1000) % 5001 - 100), "
           "1, 1, 1, 1, 1, 1, 1, 1, '{}', '', '', iif(s.id % 4 = 0, NULL, s.id), 1 FROM t_stream s, n");
    change("CREATE TABLE rec_features_feature (stream INTEGER NOT NULL, attempt INTEGER NOT NULL, ordinal INTEGER NOT NULL, kind TEXT, "
           "value TEXT, normal TEXT, rank TEXT, offset INTEGER, physical INTEGER, size INTEGER, encoding TEXT, count INTEGER, more TEXT, "
           "before TEXT, behind TEXT, detail TEXT, PRIMARY KEY (stream, attempt, ordinal)) STRICT, WITHOUT ROWID");
    snprintf(
        sql, sizeof sql,
        "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u) INSERT INTO rec_features_feature SELECT stream, id, i, "
        "CASE i %% 11 WHEN 0 THEN NULL WHEN 1 THEN 'email' WHEN 2 THEN 'email2' WHEN 3 THEN '' ELSE 'url' END, 'v', CASE (i + stream) %% 13 "
        "WHEN 0 THEN NULL WHEN 1 THEN '' WHEN 2 THEN CAST(x'610062' AS TEXT) WHEN 3 THEN 'a' WHEN 4 THEN 'ab' WHEN 5 THEN "
        "CAST(x'c3a9' AS TEXT) ELSE 'n' || ((i * 7 + stream * 3) %% 97) END, CASE i %% 5 WHEN 0 THEN NULL WHEN 1 THEN 'checksum' WHEN 2 "
        "THEN 'context' WHEN 3 THEN 'format' ELSE 'checksums' END, 0, NULL, 1, '', CASE (i + stream * 5) %% 17 WHEN 0 THEN NULL ELSE "
        "(i * 31 + stream * 17) %% 1000 END, '', '', '', '' FROM t_attempt, n WHERE id <> 100001 AND stream IS NOT NULL",
        values);
    change(sql);
    change("INSERT INTO rec_features_feature SELECT stream, attempt, 900000 + ordinal, 'big', 'v', 'big' || (ordinal % 3), NULL, 0, NULL, 1, "
           "'', iif(ordinal % 3 = 0, 0, 9223372036854775807), '', '', '', '' FROM rec_features_feature WHERE ordinal < 4");
    cr_assert_eq(views_make(casefile_db(world.cf)), 0, "%s", db_error(casefile_db(world.cf)));
}

/* Looked at once more, by which some is found more often, some less, some not, and something new. */
static void make_second_pass(void)
{
    change("INSERT INTO t_pass VALUES (2, 'features', 1, '', 0, 'done')");
    change("INSERT INTO t_attempt SELECT id + 200000, 1, stream, NULL, 1, 'done', 2 FROM t_attempt WHERE stream IS NOT NULL AND id < 100000");
    change("INSERT INTO rec_features_feature SELECT stream, attempt + 200000, ordinal, kind, value, iif(ordinal % 4 = 0, 'new', normal), "
           "iif(ordinal % 3 = 0, 'checksum', NULL), 0, NULL, 1, '', (count * 7) % 1003, '', '', '', '' FROM rec_features_feature "
           "WHERE ordinal % 5 > 0 AND attempt < 100000");
}

/* Every column, with its kind, of every row. */
static char *counted(void)
{
    struct db_statement *s;
    struct buf text = {0};
    cr_assert_eq(db_prepare(casefile_db(world.cf),
                            "SELECT quote(kind), quote(value), hex(value), quote(exhibit), quote(rank), quote(count), quote(contents), "
                            "quote(first), quote(last) FROM t_value ORDER BY kind, value, exhibit",
                            &s),
                 0);
    while (db_step(s) == 1) {
        for (int i = 0; i < db_columns(s); i++)
            buf_printf(&text, "%s|", db_text(s, i));
        buf_u8(&text, '\n');
    }
    db_finalize(s);
    return buf_steal(&text);
}

static char *by_sql(void)
{
    struct db *db = casefile_db(world.cf);
    cr_assert_eq(views_feature_table(db), 0);
    change("DELETE FROM t_value");
    cr_assert_eq(views_feature_count(db), 0, "%s", db_error(db));
    return counted();
}

static char *within(size_t memory)
{
    struct why why = {{0}};
    cr_assert_eq(histogram_count_within(world.cf, memory, &why), 0, "%s", why.text);
    return counted();
}

/* From a value at a time up to all at once. */
static void expect_the_same(void)
{
    static const size_t memory[] = {0, 10 * 1024, 16 * 1024, 24 * 1024, 48 * 1024, HISTOGRAM_MEMORY};
    char *want = by_sql();
    cr_assert_gt(strlen(want), 5000u);
    for (size_t i = 0; i < sizeof memory / sizeof *memory; i++) {
        char *got = within(memory[i]);
        cr_expect(strcmp(got, want) == 0, "within %zu bytes\n%s\n%s", memory[i], want, got);
        free(got);
    }
    free(want);
}

Test(histogram, of_one_pass_it_counts_what_sql_counts)
{
    make(60, 40);
    expect_the_same();
}

Test(histogram, of_several_passes_it_counts_what_sql_counts)
{
    make(60, 40);
    make_second_pass();
    expect_the_same();
}

Test(histogram, a_content_with_more_values_than_there_is_room_for_counts_all_the_same)
{
    make(2, 400);
    make_second_pass();
    char *want = by_sql(), *got = within(12 * 1024);
    cr_assert_str_eq(got, want);
    free(want);
    free(got);
}

Test(histogram, what_was_counted_before_does_not_count_again)
{
    make(20, 20);
    char *first = within(HISTOGRAM_MEMORY), *again = within(10 * 1024);
    cr_assert_str_eq(first, again);
    change("DELETE FROM rec_features_feature");
    free(again);
    again = within(HISTOGRAM_MEMORY);
    cr_assert(again == NULL || *again == 0);
    free(first);
    free(again);
}

Test(histogram, a_case_without_features_has_nothing_to_count)
{
    struct why why = {{0}};
    world_make(&world);
    cr_assert_eq(histogram_count(world.cf, &why), 0);
    cr_assert_eq(histogram_forget(world.cf), 0);
}
