/* db: codes instead of SQLite's numbers, values only bound, and nothing of a damaged file taken for good. */
#include "cases/db.h"

#include "tests/unit/case_world.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct case_world world;
static struct db *db;

static void begin(void)
{
    struct why why = {{0}};
    world_begin(&world);
    cr_assert_eq(db_open(world_path(&world, "a.db"), DB_CREATE, &db, &why), 0, "%s", why.text);
    cr_assert_eq(db_exec(db, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT UNIQUE, c BLOB, d) STRICT"),
                 -EINVAL, "a STRICT column without a type must fail");
    cr_assert_eq(db_exec(db, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT UNIQUE, c BLOB) STRICT"), 0);
}

static void end(void)
{
    db_close(db);
    world_drop(&world);
}

TestSuite(db, .init = begin, .fini = end);

static int insert(const char *text, const void *bytes, size_t size)
{
    struct db_statement *s;
    cr_assert_eq(db_prepare(db, "INSERT INTO t(b, c) VALUES (?1, ?2)", &s), 0);
    db_bind_text(s, 1, text);
    db_bind_bytes(s, 2, bytes, size);
    int code = db_run(s);
    db_finalize(s);
    return code;
}

static int64_t count(void)
{
    struct db_statement *s;
    cr_assert_eq(db_prepare(db, "SELECT count(*) FROM t", &s), 0);
    cr_assert_eq(db_step(s), 1);
    int64_t rows = db_i64(s, 0);
    db_finalize(s);
    return rows;
}

Test(db, what_is_bound_never_becomes_sql)
{
    static const char hostile[] = "'); DROP TABLE t; --";
    struct db_statement *s;
    size_t size;
    cr_assert_eq(insert(hostile, "\0\xff'", 3), 0);
    cr_assert_eq(db_last_id(db), 1);
    cr_assert_eq(db_prepare(db, "SELECT b, c, NULL FROM t", &s), 0);
    cr_assert_eq(db_step(s), 1);
    cr_assert_str_eq(db_text(s, 0), hostile);
    cr_assert(memcmp(db_bytes(s, 1, &size), "\0\xff'", 3) == 0);
    cr_assert_eq(size, 3u);
    cr_assert(db_is_blob(s, 1) && !db_is_blob(s, 0));
    cr_assert(db_is_null(s, 2));
    cr_assert_str_eq(db_text(s, 2), "");
    cr_assert_eq(db_columns(s), 3);
    cr_assert_str_eq(db_column_name(s, 1), "c");
    cr_assert_eq(db_step(s), 0);
    db_finalize(s);
}

Test(db, an_empty_text_or_blob_is_not_null)
{
    struct db_statement *s;
    cr_assert_eq(insert("", NULL, 0), 0);
    cr_assert_eq(insert(NULL, NULL, 0), 0);
    cr_assert_eq(db_prepare(db, "SELECT b IS NULL, c IS NULL FROM t ORDER BY a", &s), 0);
    cr_assert_eq(db_step(s), 1);
    cr_assert_eq(db_i64(s, 0), 0);
    cr_assert_eq(db_i64(s, 1), 0);
    cr_assert_eq(db_step(s), 1);
    cr_assert_eq(db_i64(s, 0), 1);
    db_finalize(s);
}

Test(db, numbers_that_sqlite_cannot_hold_are_its_largest)
{
    struct db_statement *s;
    cr_assert_eq(db_prepare(db, "SELECT ?1, ?2, ?3", &s), 0);
    db_bind_u64(s, 1, UINT64_MAX);
    db_bind_u64(s, 2, 42);
    db_bind_i64(s, 3, -1);
    cr_assert_eq(db_step(s), 1);
    cr_assert_eq(db_i64(s, 0), INT64_MAX);
    cr_assert_eq(db_u64(s, 1), 42u);
    cr_assert_eq(db_i64(s, 2), -1);
    cr_assert_eq(db_u64(s, 2), 0u, "a negative number is no count");
    db_finalize(s);
}

Test(db, a_row_that_is_there_already_is_told_apart_from_our_own_mistakes)
{
    cr_assert_eq(insert("one", NULL, 0), 0);
    cr_assert_eq(insert("one", NULL, 0), -EEXIST);
    cr_assert_eq(count(), 1);
    cr_assert_eq(db_exec(db, "SELEKT"), -EINVAL);
    cr_assert(strstr(db_error(db), "SELEKT"), "%s", db_error(db));
}

Test(db, a_transaction_is_whole_or_not_there)
{
    cr_assert_eq(db_begin(db), 0);
    cr_assert_eq(insert("a", NULL, 0), 0);
    db_rollback(db);
    db_rollback(db); /* nothing is open: no harm */
    cr_assert_eq(count(), 0);
    cr_assert_eq(db_begin(db), 0);
    cr_assert_eq(insert("a", NULL, 0), 0);
    cr_assert_eq(db_changes(db), 1);
    cr_assert_eq(db_commit(db), 0);
    cr_assert_eq(count(), 1);
}

Test(db, foreign_keys_hold)
{
    cr_assert_eq(db_exec(db, "CREATE TABLE u (a INTEGER REFERENCES t(a)) STRICT"), 0);
    cr_assert_neq(db_exec(db, "INSERT INTO u VALUES (7)"), 0);
}

Test(db, a_reader_cannot_write_and_sees_what_is_committed)
{
    struct db *reader = NULL;
    struct why why = {{0}};
    cr_assert_eq(insert("a", NULL, 0), 0);
    cr_assert_eq(db_open(world_path(&world, "a.db"), DB_READ, &reader, &why), 0, "%s", why.text);
    cr_assert_eq(db_exec(reader, "INSERT INTO t(b) VALUES ('x')"), -EROFS);
    db_close(reader);
}

Test(db, what_is_not_there_and_what_is_no_database_are_told_apart)
{
    struct db *other = NULL;
    struct why why = {{0}};
    FILE *file = fopen(world_path(&world, "b.db"), "w");
    cr_assert(file);
    for (int i = 0; i < 1000; i++)
        fputs("this is not a database. ", file);
    fclose(file);
    cr_assert_eq(db_open(world_path(&world, "none.db"), DB_READ, &other, &why), -ENOENT);
    cr_assert(strstr(why.text, "none.db"), "%s", why.text);
    cr_assert_eq(db_open(world_path(&world, "none.db"), DB_WRITE, &other, &why), -ENOENT);
    cr_assert_eq(db_open(world_path(&world, "b.db"), DB_WRITE, &other, &why), -EUCLEAN);
    cr_assert_eq(db_open(world_path(&world, "b.db"), DB_READ, &other, &why), -EUCLEAN);
    cr_assert_null(other);
}

Test(db, a_link_in_place_of_the_database_is_not_followed)
{
    struct db *other = NULL;
    struct why why = {{0}};
    char target[128];
    snprintf(target, sizeof target, "%s", world_path(&world, "a.db"));
    cr_assert_eq(symlink(target, world_path(&world, "link.db")), 0);
    cr_assert_neq(db_open(world_path(&world, "link.db"), DB_READ, &other, &why), 0);
}

Test(db, a_damaged_page_is_told_and_not_read_over)
{
    struct db_statement *s;
    char text[2000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = 0;
    for (int i = 0; i < 50; i++) {
        text[0] = (char)('0' + i);
        cr_assert_eq(insert(text, NULL, 0), 0);
    }
    db_close(db);
    db = NULL;
    FILE *file = fopen(world_path(&world, "a.db"), "r+");
    cr_assert(file);
    fseek(file, DB_PAGE_SIZE, SEEK_SET); /* the root page of t */
    for (int i = 0; i < DB_PAGE_SIZE; i++)
        fputc(0xee, file);
    fclose(file);
    struct why why = {{0}};
    cr_assert_eq(db_open(world_path(&world, "a.db"), DB_WRITE, &db, &why), 0, "%s", why.text);
    int code = db_prepare(db, "SELECT max(length(b)), max(length(c)) FROM t", &s);
    if (code == 0) {
        code = db_step(s);
        db_finalize(s);
    }
    cr_assert_eq(code, -EUCLEAN);
}

Test(db, a_backup_is_the_same_and_stands_alone)
{
    struct db *copy = NULL;
    struct db_statement *s;
    struct why why = {{0}};
    char path[128];
    cr_assert_eq(insert("kept", NULL, 0), 0);
    snprintf(path, sizeof path, "%s", world_path(&world, "copy.db"));
    cr_assert_eq(db_backup(db, path, &why), 0, "%s", why.text);
    cr_assert_eq(db_open(path, DB_READ, &copy, &why), 0, "%s", why.text);
    cr_assert_eq(db_prepare(copy, "SELECT b FROM t", &s), 0);
    cr_assert_eq(db_step(s), 1);
    cr_assert_str_eq(db_text(s, 0), "kept");
    db_finalize(s);
    db_close(copy);
    cr_assert_neq(db_backup(db, world_path(&world, "no/folder.db"), &why), 0);
    cr_assert(why.text[0]);
}

/* A case on a disc, or in a folder of somebody else's: a database in WAL mode wants to write beside itself.
 */
Test(db, a_database_in_a_folder_that_cannot_be_written_is_read)
{
    char path[128];
    cr_assert_eq(insert("kept", NULL, 0), 0);
    db_close(db);
    db = NULL;
    snprintf(path, sizeof path, "%s", world_path(&world, "a.db"));
    cr_assert_eq(chmod(path, 0444), 0);
    cr_assert_eq(chmod(world.base, 0555), 0);
    pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        struct why why = {{0}};
        struct db *reader = NULL;
        struct db_statement *s;
        if (geteuid() == 0 && setuid(65534))
            _exit(1);
        if (db_open(path, DB_READ, &reader, &why))
            _exit(2);
        if (db_prepare(reader, "SELECT b FROM t", &s) || db_step(s) != 1 ||
            strcmp(db_text(s, 0), "kept") != 0)
            _exit(3);
        _exit(0);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(chmod(world.base, 0755), 0);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
}

/* SQLite gives a transaction up by itself when there is no memory, no room or no medium; here it is told to. */
Test(db, after_a_transaction_that_sqlite_gave_up_nothing_is_written_by_itself)
{
    struct db_statement *s;
    uint64_t rows = 0;

    cr_assert_eq(insert("before", "", 0), 0);
    cr_assert_eq(db_prepare(db, "INSERT INTO t(b) VALUES ('prepared')", &s), 0);
    cr_assert_eq(db_begin(db), 0);
    cr_assert_eq(insert("within", "", 0), 0);
    cr_expect_eq(db_exec(db, "INSERT OR ROLLBACK INTO t(b) VALUES ('before')"), -EEXIST);
    cr_expect_eq(insert("stray", "", 0), -EEXIST, "the reason is said again");
    cr_expect_eq(db_step(s), -EEXIST);
    cr_expect_lt(db_commit(db), 0, "there is nothing to commit");
    db_rollback(db);
    cr_expect_eq(insert("after", "", 0), 0);
    cr_expect_eq(db_number(db, "SELECT count(*) FROM t", 0, 0, &rows), 0);
    cr_expect_eq(rows, 2, "what stood before, and what came after");
    db_finalize(s);
}

Test(db, a_statement_that_is_none_leaves_nothing_to_finalize)
{
    struct db_statement *s = (struct db_statement *)(void *)db;

    cr_expect_lt(db_prepare(db, "SELECT nonsense FROM nowhere", &s), 0);
    db_finalize(s);
}
