/*
 * writer_clear: what is taken back: rows of attempts that were not chosen, of a worker that is not to be
 * believed, and of attempts that a kill left open.
 */
#include "cases/writer_private.h"

#include "cases/names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The names of all record tables, separated by blanks. */
static int record_tables(struct db *db, struct buf *ret)
{
    struct db_statement *s;
    int code = db_prepare(db, "SELECT group_concat(table_name, ' ') FROM t_record_type", &s);
    if (code)
        return code;
    code = db_step(s);
    if (code == 1)
        buf_text(ret, db_text(s, 0));
    db_finalize(s);
    return code < 0 ? code : buf_failed(ret) ? -ENOMEM : 0;
}

#define FAMILY                                                                                               \
    "WITH RECURSIVE family(id) AS (VALUES(?2) UNION SELECT s.id FROM t_stream s JOIN family f ON s.parent "  \
    "= f.id) "

int clear_attempt(struct db *db, uint64_t attempt, uint64_t stream)
{
    struct buf tables = {0};
    char sql[320], *save = NULL;
    int code = stream ? record_tables(db, &tables) : 0;
    char *list = code == 0 ? buf_steal(&tables) : NULL;
    for (char *table = list ? strtok_r(list, " ", &save) : NULL; code == 0 && table;
         table = strtok_r(NULL, " ", &save)) {
        snprintf(sql, sizeof sql, FAMILY "DELETE FROM %s WHERE stream IN family AND attempt = ?1", table);
        code = db_exec_two(db, sql, attempt, stream);
    }
    free(list);
    if (code == 0 && stream)
        code =
            db_exec_two(db, FAMILY "DELETE FROM t_note WHERE stream IN family AND attempt = ?1", attempt, stream);
    if (code == 0)
        code = db_exec_two(db, "DELETE FROM t_fault WHERE attempt = ?1 AND ?2 = ?2", attempt, stream);
    if (code == 0 && stream)
        code = db_exec_two(db, FAMILY "DELETE FROM t_stream WHERE id IN family AND id <> ?2 AND found = ?1",
                       attempt, stream);
    return code;
}

struct attempt_row {
    uint64_t id, stream, expand;
};

static int list_attempts(struct db *db, const char *sql, uint64_t run, uint64_t worker,
                         struct attempt_row **ret_rows, size_t *ret_count)
{
    struct db_statement *s;
    struct attempt_row *rows = NULL;
    size_t count = 0;
    int code = db_prepare(db, sql, &s);
    if (code)
        return code;
    db_bind_u64(s, 1, run);
    db_bind_u64(s, 2, worker);
    while ((code = db_step(s)) == 1) {
        struct attempt_row *more = realloc(rows, (count + 1) * sizeof *more);
        if (!more) {
            code = -ENOMEM;
            break;
        }
        rows = more;
        rows[count++] = (struct attempt_row){db_u64(s, 0), db_u64(s, 1), db_u64(s, 2)};
    }
    db_finalize(s);
    if (code) {
        free(rows);
        return code;
    }
    *ret_rows = rows;
    *ret_count = count;
    return 0;
}

static int clear_rows(struct db *db, const struct attempt_row *rows, size_t count)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < count; i++)
        code = clear_attempt(db, rows[i].id, rows[i].stream);
    return code;
}

/* ------------------------------------------------------------------ what stands on a lie */

/* The attempt, and the attempts at all that it said is to be walked, and at what those said. */
static const char sql_ground[] =
    "WITH RECURSIVE bad(id) AS (VALUES(?1) UNION SELECT a.id FROM bad b JOIN t_expand e ON e.found = b.id "
    "JOIN "
    "t_attempt a ON a.expand = e.id) SELECT id, NULL, NULL FROM bad WHERE ?2 = ?2";

/* Attempts at a content that only `attempt` said is there. */
static const char sql_scans[] =
    "SELECT a.id, a.stream, 0 FROM t_attempt a JOIN t_stream s ON s.id = a.stream "
    "WHERE s.found = ?1 AND s.parent IS NULL AND ?2 = ?2";

/* Of an attempt that does not count any more: while it goes on it must not be chosen. */
static int take_ground(struct db *db, uint64_t attempt)
{
    return db_exec_two(db,
                   "UPDATE t_attempt SET status = CASE status WHEN 'open' THEN 'void' ELSE 'replaced' END "
                   "WHERE id = ?1 AND ?2 = ?2 AND (status = 'open' OR status IN " SQL_CHOSEN ")",
                   attempt, 0);
}

static int void_scans(struct db *db, uint64_t attempt)
{
    struct attempt_row *rows = NULL;
    size_t count = 0;
    int code = list_attempts(db, sql_scans, attempt, 0, &rows, &count);
    if (code == 0)
        code = clear_rows(db, rows, count);
    for (size_t i = 0; code == 0 && i < count; i++)
        code = take_ground(db, rows[i].id);
    free(rows);
    return code;
}

/* Contents and tasks stay as void rows that remember which plugins and places to leave out: found again, they
 * are pending again, and do not fail the same way. */
static int void_found_by(struct db *db, uint64_t attempt)
{
    static const char *const sql[] = {
        "DELETE FROM t_entry WHERE found = ?1 AND ?2 = ?2",
        "DELETE FROM t_volume WHERE found = ?1 AND ?2 = ?2",
        "DELETE FROM t_account WHERE found = ?1 AND ?2 = ?2",
        "UPDATE t_expand SET status = 4, attempt = NULL WHERE found = ?1 AND ?2 = ?2",
        "UPDATE t_stream SET status = 4, attempt = NULL, read = 0, unread = 0 WHERE found = ?1 AND parent IS "
        "NULL AND "
        "?2 = ?2",
    };
    int code = void_scans(db, attempt);
    for (size_t i = 0; code == 0 && i < sizeof sql / sizeof *sql; i++)
        code = db_exec_two(db, sql[i], attempt, 0);
    return code;
}

/* What it claimed to have found, with all that others did on the strength of it. */
static int void_found(struct db *db, uint64_t attempt)
{
    struct attempt_row *rows = NULL;
    size_t count = 0;
    int code = list_attempts(db, sql_ground, attempt, 0, &rows, &count);
    for (size_t i = 0; code == 0 && i < count; i++) {
        code = void_found_by(db, rows[i].id);
        if (code == 0 && rows[i].id != attempt) {
            code = clear_attempt(db, rows[i].id, 0);
            if (code == 0)
                code = take_ground(db, rows[i].id);
        }
    }
    free(rows);
    return code;
}

int clear_void_attempt(struct db *db, uint64_t attempt, uint64_t stream)
{
    int code = clear_attempt(db, attempt, stream);
    return code || stream ? code : void_found(db, attempt);
}

/* All walks of the exhibit that an expand task belongs to: pending, or, while they go on, not to be chosen.
 */
static int walk_again(struct db *db, uint64_t expand)
{
#define WALKS                                                                                                \
    "(SELECT e.id FROM t_expand e JOIN t_expand o ON o.exhibit = e.exhibit WHERE o.id = ?1 AND e.status <> " \
    "4 AND "                                                                                                 \
    "?2 = ?2)"
    static const char *const sql[] = {
        "DELETE FROM t_fault WHERE attempt IN (SELECT id FROM t_attempt WHERE expand IN " WALKS
        " AND status IN " SQL_CHOSEN ")",
        "UPDATE t_attempt SET status = CASE status WHEN 'open' THEN 'void' ELSE 'replaced' END WHERE expand "
        "IN " WALKS " AND (status = 'open' OR status IN " SQL_CHOSEN ")",
        "UPDATE t_expand SET status = 0, attempt = NULL WHERE id IN " WALKS,
    };
    int code = 0;
    for (size_t i = 0; code == 0 && i < sizeof sql / sizeof *sql; i++)
        code = db_exec_two(db, sql[i], expand, 0);
    return code;
}

/* ------------------------------------------------------------------ what a kill left */

/* Inside a transaction: what a kill left open is lost, not anybody's fault. */
static int clear_open(struct db *db)
{
    struct attempt_row *open = NULL, *gone = NULL;
    size_t open_count = 0, gone_count = 0;
    int code = list_attempts(db, "SELECT id, stream, expand FROM t_attempt WHERE status = 'open' AND ?1 = ?2",
                             0, 0, &open, &open_count);
    if (code == 0)
        code = clear_rows(db, open, open_count);
    if (code == 0)
        code = list_attempts(db, "SELECT id, stream, expand FROM t_attempt WHERE status = 'void' AND ?1 = ?2",
                             0, 0, &gone, &gone_count);
    for (size_t i = 0; code == 0 && i < gone_count; i++)
        code = clear_void_attempt(db, gone[i].id, gone[i].stream);
    free(open);
    free(gone);
    if (code == 0)
        code = db_exec(db, "UPDATE t_attempt SET status = 'lost' WHERE status IN ('open', 'void')");
    return code ? code : db_exec(db, "UPDATE t_run SET status = 'killed' WHERE status = 'running'");
}

int casefile_clear_open(struct casefile *cf)
{
    struct db *db = casefile_db(cf);
    int code = db_begin(db);
    if (code == 0)
        code = clear_open(db);
    if (code == 0)
        code = db_commit(db);
    if (code)
        db_rollback(db);
    return code;
}

/* ------------------------------------------------------------------ a worker that is not to be believed */

/* A scan tells of the media that contents are. */
static bool has_told(struct db *db, uint64_t attempt)
{
    struct db_statement *s;
    if (db_prepare(db, "SELECT 1 FROM t_volume WHERE found = ?1", &s))
        return true;
    db_bind_u64(s, 1, attempt);
    bool told = db_step(s) != 0;
    db_finalize(s);
    return told;
}

/* What it had a chosen attempt at is pending again. */
static int void_attempt(struct db *db, const struct attempt_row *row)
{
    int code = clear_attempt(db, row->id, row->stream);
    if (code == 0)
        code = db_exec_two(db,
                       "UPDATE t_stream SET status = 0, attempt = NULL, read = 0, unread = 0 WHERE id = ?1 "
                       "AND attempt = ?2",
                       row->stream, row->id);
    if (code == 0)
        code = db_exec_two(db,
                       "UPDATE t_scan SET status = 0, attempt = NULL, read = 0, unread = 0 WHERE stream = ?1 "
                       "AND attempt = ?2",
                       row->stream, row->id);
    if (code == 0)
        code = db_exec_two(db, "UPDATE t_expand SET status = 0, attempt = NULL WHERE id = ?1 AND attempt = ?2",
                       row->expand, row->id);
    if (code == 0 && (row->expand || has_told(db, row->id)))
        code = void_found(db, row->id);
    return code;
}

int writer_void_worker(struct writer *writer, uint64_t run, uint32_t worker)
{
    struct attempt_row *rows = NULL;
    size_t count = 0;
    int code = writer_open(writer);
    if (code == 0)
        code = writer_attempts_open(writer);
    if (code == 0)
        code = list_attempts(writer->db,
                             "SELECT id, stream, expand FROM t_attempt WHERE run = ?1 AND worker = ?2", run,
                             worker, &rows, &count);
    for (size_t i = 0; code == 0 && i < count; i++)
        code = void_attempt(writer->db, &rows[i]);
    if (code == 0)
        code = db_exec_two(writer->db, "UPDATE t_attempt SET status = 'tampered' WHERE run = ?1 AND worker = ?2",
                       run, worker);
    for (size_t i = 0; code == 0 && i < count; i++)
        if (rows[i].expand)
            code = walk_again(writer->db, rows[i].expand);
    free(rows);
    writer_attempts_forget(writer, run, worker);
    return code ? code : casefile_counts_again(writer->cf);
}

int clear_void(struct db *db)
{
    return db_exec(db, "DELETE FROM t_fault WHERE stream IN (SELECT id FROM t_stream WHERE status = 4); "
                       "DELETE FROM t_stream WHERE status = 4; DELETE FROM t_expand WHERE status = 4");
}
