/* SQLite's logs end behind their last page whose checksum is right. The library makes the samples. */
#include "tests/carve/harness.h"

#include <criterion/criterion.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static uint8_t data[512 * 1024];
static size_t size;
static char folder[64], path[96];
static sqlite3 *db;

static void run(const char *sql)
{
    char *error = NULL;

    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, &error), SQLITE_OK, "%s: %s", sql, error);
}

static void take(const char *suffix)
{
    char name[128];
    FILE *file;

    snprintf(name, sizeof name, "%s%s", path, suffix);
    file = fopen(name, "rb");
    cr_assert_not_null(file);
    size = fread(data, 1, sizeof data, file);
    fclose(file);
    cr_assert(size > 0 && size < sizeof data);
}

static void begin(void)
{
    strcpy(folder, "/tmp/kvali-sqlitelog-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/db", folder);
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    run("PRAGMA page_size = 1024; CREATE TABLE t(a, b)");
}

static void end(void)
{
    sqlite3_close(db);
    remove(path);
    cr_assert_eq(rmdir(folder), 0);
}

static void fill(void)
{
    run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)"
        "INSERT INTO t SELECT i, randomblob(700) FROM n");
}

static void make_wal(int again)
{
    begin();
    run("PRAGMA journal_mode = WAL");
    fill();
    for (int i = 0; i < again; i++)
        run("PRAGMA wal_checkpoint(FULL); INSERT INTO t VALUES(1, 2)");
    take("-wal");
    end();
}

/* Where frame `n` begins. */
static size_t frame(size_t n)
{
    return 32 + n * (1024 + 24);
}

Test(sqlitelog, wal_whole_is_validated)
{
    make_wal(0);
    cr_assert_gt(size, frame(60));
    cr_assert(harness_holds("sqlitewal", data, size, CARVE_VALIDATED, size));
}

Test(sqlitelog, wal_old_frames_behind_the_new_belong_to_it)
{
    make_wal(1);
    cr_assert(harness_holds("sqlitewal", data, size, CARVE_VALIDATED, frame(1)));
    make_wal(2);
    cr_assert(harness_holds("sqlitewal", data, size, CARVE_VALIDATED, frame(1)));
}

Test(sqlitelog, wal_a_flipped_bit_cuts_it_before_the_frame)
{
    struct carved carved;

    make_wal(0);
    data[frame(7) + 500] ^= 1;
    carved = harness_examine("sqlitewal", data, size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.good, frame(7));
    data[25] ^= 1;
    cr_assert_eq(harness_examine("sqlitewal", data, size).grade, CARVE_NONE);
}

/* A transaction that did not fit in the cache, in several segments. */
static void make_journal(void)
{
    begin();
    fill();
    run("PRAGMA cache_size = 10; BEGIN; UPDATE t SET b = randomblob(600)");
    take("-journal");
    run("ROLLBACK");
    end();
}

Test(sqlitelog, journal_whole_is_validated)
{
    make_journal();
    cr_assert(harness_holds("sqlitejournal", data, size, CARVE_VALIDATED, 512 + 1032));
}

Test(sqlitelog, journal_with_fewer_pages_than_it_says_is_cut)
{
    struct carved carved;

    make_journal();
    cr_assert_gt(data[11], 3, "the first segment has several pages");
    data[512 + 2 * 1032 + 4 + 1024 - 200] ^= 1;
    carved = harness_examine("sqlitejournal", data, size);
    cr_assert_eq(carved.grade, CARVE_PARTIAL);
    cr_assert_eq(carved.good, 512 + 2 * 1032);
}
