/* views: what people query: times as text, flags as columns, plugins that never ran as NULL. */
#include "cases/views.h"

#include "engine/base/when.h"
#include "tests/unit/case_world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct case_world world;

static void begin(void)
{
    world_make(&world);
}

static void end(void)
{
    world_drop(&world);
}

TestSuite(views, .init = begin, .fini = end);

static void add(struct found_entry *entry)
{
    cr_assert_eq(writer_entry(world.writer, world_expand(&world, 1, "volumes"), world.exhibit, entry), 0);
}

Test(views, a_time_is_text_exactly_as_when_format_writes_it)
{
    static const int64_t times[] = {0,
                                    1,
                                    -1,
                                    999999999,
                                    1000000,
                                    1000,
                                    -1000000,
                                    -1000,
                                    -999999999,
                                    -1000000000,
                                    1764000000123456789,
                                    1764000000123000000,
                                    INT64_MAX,
                                    INT64_MIN + 1,
                                    -9223372036000000000LL};
    char path[64], sql[160], want[WHEN_TEXT_SIZE];
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        snprintf(path, sizeof path, "d/%zu", i);
        struct found_entry entry = world_entry_of(path, "");
        entry.modified = times[i];
        add(&entry);
        snprintf(sql, sizeof sql, "SELECT modified FROM file WHERE path = '%s'", path);
        cr_expect_str_eq(world_text(&world, sql), when_format(times[i], want), "%lld", (long long)times[i]);
        snprintf(sql, sizeof sql, "SELECT modified_ns FROM file WHERE path = '%s'", path);
        cr_expect_eq(world_number(&world, sql), times[i]);
    }
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM file WHERE born IS NULL AND born_ns IS NULL"),
                 (int64_t)(sizeof times / sizeof *times));
}

Test(views, what_the_file_system_encrypts_is_among_the_encrypted)
{
    struct found_entry entry = world_entry_of("d/secret", "");

    add(&entry);
    entry = world_entry_of("d/closed", "");
    entry.flags = 256;
    add(&entry);
    cr_assert_eq(world_number(&world, "SELECT count(*) FROM encrypted"), 1);
    cr_expect_str_eq(world_text(&world, "SELECT path || '|' || certainty FROM encrypted"), "d/closed|structure");
}

Test(views, every_flag_has_its_column)
{
    static const char *const columns[] = {"deleted",   "content_deleted", "reallocated",       "orphan",
                                          "unnamed",   "resident",        "compressed",        "sparse",
                                          "encrypted", "metadata",        "time_out_of_range", "no_metadata"};
    char path[64], sql[160];
    for (unsigned i = 0; i < 12; i++) {
        snprintf(path, sizeof path, "d/%u", i);
        struct found_entry entry = world_entry_of(path, "");
        entry.flags = 1u << i;
        add(&entry);
        for (unsigned j = 0; j < 12; j++) {
            snprintf(sql, sizeof sql, "SELECT %s FROM file WHERE path = '%s'", columns[j], path);
            cr_assert_eq(world_number(&world, sql), i == j, "%s for flag %u", columns[j], i);
        }
        snprintf(sql, sizeof sql, "SELECT live FROM file WHERE path = '%s'", path);
        cr_assert_eq(world_number(&world, sql), i > 1);
    }
}

Test(views, the_name_is_the_last_component)
{
    static const char *const names[][2] = {
        {"a/b/c.txt", "c.txt"}, {"a/a/a", "a"}, {"alone", "alone"}, {"x/.", "."}};
    char sql[160];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct found_entry entry = world_entry_of(names[i][0], "");
        add(&entry);
        snprintf(sql, sizeof sql, "SELECT name FROM file WHERE path = '%s'", names[i][0]);
        cr_assert_str_eq(world_text(&world, sql), names[i][1]);
    }
}

Test(views, columns_of_plugins_that_never_ran_are_there_and_null)
{
    struct found_entry entry = world_entry_of("a/b", "fs@0:ntfs/1");
    add(&entry);
    cr_assert_eq(world_number(&world, "SELECT mime IS NULL AND description IS NULL AND entropy IS NULL AND "
                                      "mismatch IS NULL AND sha256 IS NULL FROM file"),
                 1);
    cr_assert_eq(world_number(&world, "SELECT count(rule) FROM match"), 0);
}

Test(views, words_stand_for_numbers)
{
    struct found_entry entry = world_entry_of("a/b", "fs@0:ntfs/1");
    entry.kind = STREAM_ADS;
    entry.type = ENTRY_LINK;
    add(&entry);
    cr_assert_str_eq(world_text(&world, "SELECT kind FROM file"), "ads");
    cr_assert_str_eq(world_text(&world, "SELECT type FROM file"), "link");
    cr_assert_str_eq(world_text(&world, "SELECT status FROM file"), "pending");
    for (int i = 0; i < ENTRY_TYPES; i++) {
        char path[16], sql[96];
        snprintf(path, sizeof path, "t/%d", i);
        entry = world_entry_of(path, "");
        entry.type = (enum entry_type)i;
        add(&entry);
        snprintf(sql, sizeof sql, "SELECT type FROM file WHERE path = '%s'", path);
        cr_assert_str_eq(world_text(&world, sql), entry_type_name(entry.type));
    }
}

Test(views, they_can_be_remade_at_any_time_and_show_the_same)
{
    world_fill(&world, 3);
    int64_t files = world_number(&world, "SELECT count(sha256) FROM file");
    cr_assert_eq(files, 3);
    cr_assert_eq(views_make(casefile_db(world.cf)), 0, "%s", db_error(casefile_db(world.cf)));
    cr_assert_eq(views_make(casefile_db(world.cf)), 0);
    cr_assert_eq(world_number(&world, "SELECT count(sha256) FROM file"), files);
}

Test(views, every_view_of_the_manual_is_there)
{
    static const char *const names[] = {"file", "match",      "fault",  "note",   "exhibit", "image_hash",
                                        "run",  "run_loaded", "volume", "stream", "finding"};
    char sql[64];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", names[i]);
        cr_assert_geq(world_number(&world, sql), 0);
    }
}

/* The README of cases/ tells of every column, and of no other. */
static void expect_told(const char *readme, const char *view)
{
    char sql[96], head[32];
    struct db_statement *s;
    snprintf(head, sizeof head, "\n| `%s` |", view);
    const char *row = strstr(readme, head);
    cr_assert(row, "README.md has no row for the view %s", view);
    const char *stop = strchr(row + 1, '\n');
    char *text = strndup(row, (size_t)(stop - row));
    snprintf(sql, sizeof sql, "SELECT name FROM pragma_table_info('%s')", view);
    cr_assert_eq(db_prepare(casefile_db(world.cf), sql, &s), 0);
    while (db_step(s) == 1) {
        char name[64];
        size_t length = strlen(db_text(s, 0));
        if (length > 3 && strcmp(db_text(s, 0) + length - 3, "_ns") == 0)
            continue;
        snprintf(name, sizeof name, "`%s`", db_text(s, 0));
        cr_expect(strstr(text, name), "README.md does not tell of %s.%s", view, db_text(s, 0));
    }
    db_finalize(s);
    free(text);
}

Test(views, the_readme_tells_of_every_column)
{
    struct db_statement *s;
    FILE *file = fopen(CASES_README, "r");
    cr_assert(file);
    static char readme[64 * 1024];
    size_t size = fread(readme, 1, sizeof readme - 1, file);
    cr_assert_gt(size, 0u);
    fclose(file);
    cr_assert_eq(db_prepare(casefile_db(world.cf), "SELECT name FROM sqlite_schema WHERE type = 'view'", &s),
                 0);
    while (db_step(s) == 1)
        expect_told(readme, db_text(s, 0));
    db_finalize(s);
}

Test(views, that_cannot_be_made_leave_those_that_there_were)
{
    static const char count[] = "SELECT count(*) FROM sqlite_schema WHERE type = 'view'";
    struct db *db = casefile_db(world.cf);
    uint64_t before = 0, after = 0;

    cr_assert_eq(views_make(db), 0);
    cr_assert_eq(db_number(db, count, 0, 0, &before), 0);
    cr_assert_eq(db_exec(db, "INSERT INTO t_record_type(plugin, name, plugin_version, version, fields, table_name) VALUES ('x', 'it''s', 1, 1, 'a:text', "
                             "'rec_x')"), 0, "a name that no plugin may have: the text of a view breaks at it");
    cr_expect_lt(views_make(db), 0);
    cr_assert_eq(db_number(db, count, 0, 0, &after), 0);
    cr_expect_eq(after, before);
}
