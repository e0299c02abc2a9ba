/* findings: the lines that are counted and written here are those that sqlite3 makes of the script. */
#include "cases/findings.h"

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

TestSuite(findings, .fini = end);

static void change(const char *sql)
{
    cr_assert_eq(db_exec(casefile_db(world.cf), sql), 0, "%s: %s", sql, db_error(casefile_db(world.cf)));
}

/* Two exhibits with contents of the same addresses, contents with no, one and three records, numbers with gaps, children, two
 * attempts that a later pass chose, a record type of few rows, empty texts and NULLs, the largest and the smallest number. */
static void make(void)
{
    world_make(&world);
    world_fill(&world, 70);
    world_flush(&world);
    change("INSERT INTO t_exhibit(id, label, path, type_wanted, added) VALUES (2, 'EX-0', '/x', 'raw', 0)");
    change("INSERT INTO t_stream(id, exhibit, locator, path, extension, kind, deleted, size, disk, status, attempt, found) "
           "SELECT id + 1000, 2, locator, path, extension, kind, deleted, size, disk, status, attempt, found FROM t_stream");
    change("INSERT INTO rec_digest SELECT stream + 1000, attempt, ordinal + 7, md5, sha1, sha256, xxh3, size, unread FROM rec_digest");
    change("INSERT INTO rec_digest SELECT stream, attempt, ordinal + 3, NULL, NULL, x'', x'00', -9223372036854775807 - 1, "
           "9223372036854775807 FROM rec_digest WHERE stream % 3 = 0");
    change("INSERT INTO rec_digest SELECT stream, attempt, 900, md5, NULL, NULL, NULL, 0, -1 FROM rec_digest WHERE stream % 6 = 0 "
           "GROUP BY stream, attempt");
    change("DELETE FROM rec_digest WHERE stream % 5 = 0");
    change("CREATE TABLE rec_few (stream INTEGER NOT NULL, attempt INTEGER NOT NULL, ordinal INTEGER NOT NULL, word TEXT, "
           "PRIMARY KEY (stream, attempt, ordinal)) STRICT, WITHOUT ROWID");
    change("INSERT INTO t_record_type VALUES ('few', 'few', 1, 4, 'word:text', 'rec_few')");
    change("INSERT INTO rec_few SELECT id, attempt, 2, '' FROM t_stream WHERE id = 1002");
    change("INSERT INTO rec_few SELECT id, attempt, 5, NULL FROM t_stream WHERE id = 1002");
    change("INSERT INTO t_pass VALUES (2, 'digest', 1, '', 0, 'done')");
    change("INSERT INTO t_attempt SELECT id + 10000, run, stream, NULL, worker, status, 2 FROM t_attempt WHERE stream IS NOT NULL");
    change("INSERT INTO rec_digest SELECT stream, attempt + 10000, ordinal, md5, sha1, sha256, xxh3, size, unread FROM rec_digest");
}

/* As `.mode list` of sqlite3 prints it. */
static void put_row(struct buf *text, struct db_statement *s)
{
    for (int i = 0; i < db_columns(s); i++)
        buf_printf(text, "%s%s", i ? "\t" : "", db_is_null(s, i) ? "-" : db_text(s, i));
    buf_u8(text, '\n');
}

static void put_part(struct buf *text, const char *sql)
{
    struct db_statement *s;
    int code;
    cr_assert_eq(db_prepare(casefile_db(world.cf), sql, &s), 0, "%s", sql);
    while ((code = db_step(s)) == 1)
        put_row(text, s);
    cr_assert_eq(code, 0);
    db_finalize(s);
}

/* The rows of each statement of the script, which stand a line each. */
static void put_script(struct buf *text)
{
    struct findings *findings;
    struct buf script = {0};
    cr_assert_eq(findings_open(casefile_db(world.cf), &findings), 0);
    findings_script(findings, &script);
    findings_close(findings);
    for (char *line = strtok((char *)(uintptr_t)buf_cstr(&script), "\n"); line; line = strtok(NULL, "\n"))
        if (strncmp(line, "SELECT", 6) == 0)
            put_part(text, line);
    buf_finish(&script);
}

static size_t put_lines(struct buf *text)
{
    struct findings *findings;
    const struct findings_part *part;
    const char *line;
    size_t size, records = 0;
    int code;
    cr_assert_eq(findings_open(casefile_db(world.cf), &findings), 0);
    while ((code = findings_next(findings, &part, &line, &size)) == 1) {
        buf_append(text, line, size);
        records += strncmp(line, "record\t", 7) == 0;
    }
    cr_assert_eq(code, 0);
    findings_close(findings);
    return records;
}

Test(findings, its_lines_are_those_of_the_script)
{
    struct buf want = {0}, got = {0};
    make();
    put_script(&want);
    cr_assert_gt(put_lines(&got), 250u);
    cr_assert_str_eq(buf_cstr(&got), buf_cstr(&want));
    cr_assert_not_null(strstr(buf_cstr(&got), "\t-\t-\t\t00\t-9223372036854775808\t9223372036854775807\n"));
    buf_finish(&want);
    buf_finish(&got);
}
