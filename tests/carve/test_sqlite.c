/* SQLite databases are walked from the schema; every page must be used once. The library makes the samples.
 */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static uint8_t *data;
static size_t size;

static void run(sqlite3 *db, const char *sql)
{
    char *error = NULL;

    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, &error), SQLITE_OK, "%s: %s", sql, error);
}

/* Two tables and an index, with long rows, some of them deleted; with what `pragma` sets. */
static void make(const char *pragma)
{
    sqlite3_int64 count = 0;
    sqlite3 *db = NULL;

    cr_assert_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
    run(db, pragma);
    run(db,
        "CREATE TABLE people(id INTEGER PRIMARY KEY, name TEXT, photo BLOB); CREATE INDEX i ON people(name);"
        "CREATE TABLE places(name TEXT PRIMARY KEY, text TEXT) WITHOUT ROWID; CREATE VIEW v AS SELECT 1;"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 120)"
        "INSERT INTO people(name, photo) SELECT 'name ' || (i * 7919 % 1000), randomblob(i * i % 2000) FROM "
        "n;"
        "INSERT INTO places SELECT hex(randomblob(id % 90 + 8)), name FROM people;"
        "DELETE FROM people WHERE id % 3 = 0");
    data = sqlite3_serialize(db, "main", &count, 0);
    size = (size_t)count;
    cr_assert(data != NULL && size > 0);
    sqlite3_close(db);
}

static void count_is_not_current(void)
{
    data[95] ^= 1; /* as files are that a version before 3.7 has written */
}

Test(sqlite, whole_is_validated_and_a_prefix_never_is)
{
    make("PRAGMA page_size = 1024");
    cr_assert(harness_holds("sqlite", data, size, CARVE_VALIDATED, size));
    make("PRAGMA page_size = 512; PRAGMA auto_vacuum = 1; PRAGMA encoding = 'UTF-16le'");
    cr_assert(harness_holds("sqlite", data, size, CARVE_VALIDATED, size));
    make("PRAGMA page_size = 65536; PRAGMA encoding = 'UTF-16be'");
    cr_assert(harness_holds("sqlite", data, size, CARVE_VALIDATED, size));
}

Test(sqlite, without_a_current_page_count_the_pages_used_tell_the_size)
{
    make("PRAGMA page_size = 1024");
    count_is_not_current();
    cr_assert(harness_holds("sqlite", data, size, CARVE_VALIDATED, size));
}

Test(sqlite, title_is_the_tables)
{
    make("PRAGMA page_size = 1024");
    cr_assert_str_eq(harness_examine("sqlite", data, size).title, "people, places");
    make("PRAGMA encoding = 'UTF-16be'");
    cr_assert_str_eq(harness_examine("sqlite", data, size).title, "people, places");
}

Test(sqlite, application_id_tells_a_wallet)
{
    make("PRAGMA application_id = -104942375"); /* 0xf9beb4d9 */
    cr_assert_str_eq(harness_examine("sqlite", data, size).format, "Bitcoin Core wallet (SQLite)");
}

Test(sqlite, two_pieces_read_as_one)
{
    make("PRAGMA page_size = 1024");
    cr_assert_eq(harness_examine_split("sqlite", data, size, 8192, 4096).grade, CARVE_VALIDATED);
}

Test(sqlite, other_data_between_is_found_before_the_break_is_passed)
{
    struct carved carved;

    make("PRAGMA page_size = 1024");
    for (size_t at = 2048; at < 24 * 1024; at += 1024) {
        uint8_t *copy = malloc(size + 4096);

        memcpy(copy, data, at);
        memset(copy + at, 'x', 4096);
        memcpy(copy + at + 4096, data + at, size - at);
        carved = harness_examine("sqlite", copy, size + 4096);
        free(copy);
        cr_assert_lt(carved.grade, CARVE_COMPLETE);
        cr_assert_leq(carved.good, at);
    }
}

Test(sqlite, a_page_that_nothing_uses_is_not_validated)
{
    make("PRAGMA page_size = 1024");
    cr_assert_neq(data[35] | data[39], 0, "the sample has a free list");
    memset(data + 32, 0, 8);
    cr_assert_eq(harness_examine("sqlite", data, size).grade, CARVE_COMPLETE);
}

Test(sqlite, a_pointer_map_that_is_wrong_is_not_validated)
{
    make("PRAGMA page_size = 512; PRAGMA auto_vacuum = 1");
    data[512 + 5 * 6 + 4] ^= 1;
    cr_assert_lt(harness_examine("sqlite", data, size).grade, CARVE_COMPLETE);
}

Test(sqlite, two_back_to_back_are_the_first_alone)
{
    uint8_t *both;

    make("PRAGMA page_size = 1024");
    count_is_not_current();
    both = malloc(2 * size);
    memcpy(both, data, size);
    memcpy(both + size, data, size);
    cr_assert_eq(harness_examine("sqlite", both, 2 * size).grade, CARVE_VALIDATED);
    cr_assert_eq(harness_examine("sqlite", both, 2 * size).size, size);
    free(both);
}

Test(sqlite, zeros_that_end_where_a_file_grows_to_belong_to_it)
{
    enum { GROWN = 512 * 1024 };
    uint8_t *grown = calloc(1, GROWN + 1);

    make("PRAGMA page_size = 1024");
    memcpy(grown, data, size);
    grown[GROWN] = 1;
    cr_assert_eq(harness_examine("sqlite", grown, GROWN + 1).size, GROWN);
    grown[GROWN - 1] = 1;
    cr_assert_eq(harness_examine("sqlite", grown, GROWN + 1).size, size);
    free(grown);
}

/* Rows that overflow into chains of pages, and pages of every b-tree kind. None is free: those may hold
 * anything, so that a break before one and a break behind it look alike. */
static void make_long(const char *pragma)
{
    sqlite3_int64 count = 0;
    sqlite3 *db = NULL;

    cr_assert_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
    run(db, pragma);
    run(db,
        "CREATE TABLE photos(id INTEGER PRIMARY KEY, name TEXT, data BLOB); CREATE INDEX i ON photos(name);"
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12)"
        "INSERT INTO photos(name, data) SELECT hex(randomblob(300)), randomblob(9000 + 700 * i) FROM n");
    data = sqlite3_serialize(db, "main", &count, 0);
    size = (size_t)count;
    cr_assert(data != NULL && size > 20 * 4096);
    sqlite3_close(db);
}

Test(sqlite, two_pieces_apart_are_put_together_whatever_page_the_break_is_before)
{
    static const char *const pragmas[] = {"PRAGMA page_size = 4096",
                                          "PRAGMA page_size = 4096; PRAGMA auto_vacuum = 1",
                                          "PRAGMA page_size = 1024"};

    for (size_t i = 0; i < sizeof pragmas / sizeof pragmas[0]; i++) {
        make_long(pragmas[i]);
        for (size_t split = 8192; split < size; split += 4096)
            cr_expect(harness_mends("sqlite", data, size, split, 3), "%s: broken at byte %zu", pragmas[i],
                      split);
        count_is_not_current();
        cr_expect(harness_mends("sqlite", data, size, 16384, 3), "%s: no current page count", pragmas[i]);
    }
}
