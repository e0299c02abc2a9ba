/*
 * db: SQLite behind a small wall: the only file that includes sqlite3.h is db.c.
 *
 * Opened with WAL, synchronous=FULL, foreign keys, DEFENSIVE, trusted_schema off, temp store in memory.
 * Values are only ever bound. Codes: 0 or negative errno: -ENOSPC disk full, -EIO, -EUCLEAN malformed,
 * -EBUSY, -EROFS, -EEXIST a row with this key is there, -EINVAL for our own mistakes; db_error gives SQLite's
 * words for the last one.
 */
#ifndef KVALI_CASES_DB_H
#define KVALI_CASES_DB_H

#include "engine/base/why.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct db_statement;

enum db_mode { DB_READ, DB_WRITE, DB_CREATE };

/* DB_READ also opens a database in a place where nothing can be written (a disc, a folder of somebody
 * else's), as long as its write-ahead log is empty. A link is not followed. -ENOENT, -EUCLEAN: no database.
 */
int db_open(const char *path, enum db_mode mode, struct db **ret_db, struct why *why);
void db_close(struct db *db);
/* A database that nobody writes any more, wherever it lies: read without locks and without anything beside it. */
int db_open_unchanging(const char *path, struct db **ret_db, struct why *why);
/* The same beside another, under a name of its own. */
int db_attach_unchanging(struct db *db, const char *path, const char *name);
const char *db_error(struct db *db);
const char *db_version(void); /* "SQLite 3.40.1" */

enum { DB_PAGE_SIZE = 16384 }; /* of a database that db_open makes */

/* One or more statements without results. */
int db_exec(struct db *db, const char *sql);
/* One statement, with two numbers for ?1 and ?2; what rows it has are passed over. */
int db_exec_two(struct db *db, const char *sql, uint64_t one, uint64_t two);
/* The first column of the first row of a statement with up to two numbers, ?1 and ?2; *ret is left as it is when there is no row. */
int db_number(struct db *db, const char *sql, uint64_t one, uint64_t two, uint64_t *ret);

/* *ret_statement is NULL on failure, which db_finalize takes. */
int db_prepare(struct db *db, const char *sql, struct db_statement **ret_statement);
void db_finalize(struct db_statement *statement); /* NULL allowed */
/* The same for what is asked again and again: it is prepared once and goes with the database. `sql` is constant: it is known by its
 * address. The caller resets it when done. */
int db_kept(struct db *db, const char *sql, struct db_statement **ret_statement);

/* Parameters count from 1; text and bytes are copied only by db_step's time: they must live until db_reset.
 */
void db_bind_i64(struct db_statement *s, int parameter, int64_t value);
void db_bind_u64(struct db_statement *s, int parameter, uint64_t value);    /* above INT64_MAX: INT64_MAX */
void db_bind_text(struct db_statement *s, int parameter, const char *text); /* NULL: NULL */
void db_bind_text_n(struct db_statement *s, int parameter, const void *text, size_t size);
void db_bind_bytes(struct db_statement *s, int parameter, const void *data, size_t size);
void db_bind_null(struct db_statement *s, int parameter);

/* 1: a row is there; 0: done; negative errno. */
int db_step(struct db_statement *s);
void db_reset(struct db_statement *s);
/* step once, reset; for statements without rows. */
int db_run(struct db_statement *s);

/* Columns count from 0; valid until the next step or reset. */
enum db_kind { DB_NULL, DB_INTEGER, DB_BYTES, DB_OTHER };
struct db_value {
    enum db_kind kind;
    int64_t number;   /* DB_INTEGER */
    const void *data; /* DB_BYTES, and DB_OTHER as text; never NULL */
    size_t size;
};
struct db_value db_value(struct db_statement *s, int column);
bool db_is_null(struct db_statement *s, int column);
bool db_is_blob(struct db_statement *s, int column);
bool db_is_number(struct db_statement *s, int column); /* whole or not */
int64_t db_i64(struct db_statement *s, int column);
uint64_t db_u64(struct db_statement *s, int column);
const char *db_text(struct db_statement *s, int column); /* "" for NULL */
/* Of text too, and without a copy where db_text makes one for the NUL behind it. */
const void *db_bytes(struct db_statement *s, int column, size_t *ret_size);
int db_columns(struct db_statement *s);
const char *db_column_name(struct db_statement *s, int column);

bool db_has_table(struct db *db, const char *name);

int64_t db_last_id(struct db *db);
int64_t db_changes(struct db *db);
/* Equal states of one open database: neither this connection nor another has changed a row between them. `mine` is -1 inside a
 * transaction, which may yet be rolled back. */
struct db_state {
    int64_t mine, others;
};
int db_state(struct db *db, struct db_state *ret);

/* When SQLite gives a transaction up by itself, all that is asked of the database fails with the reason until db_rollback or the
 * next db_begin. */
int db_begin(struct db *db);
int db_commit(struct db *db);
void db_rollback(struct db *db);
/* Of what failed last; -EINVAL when SQLite knows of nothing. */
int db_last_code(struct db *db);

/* A consistent copy to another file, for sealing. */
int db_backup(struct db *db, const char *path, struct why *why);

/* Ends a running statement from a signal handler or another thread's point of view (Ctrl-C). */
void db_interrupt(struct db *db);
/* Where large sorts and temporary tables go: memory, as db_open has it, or files without a name in TMPDIR, for what grows with
 * the case. Not inside a transaction: there it changes nothing. */
void db_sort_on_disk(struct db *db, bool on);

#endif
