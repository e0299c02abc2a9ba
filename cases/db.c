/*
 * db: SQLite.
 */
#include "cases/db.h"

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUSY_MS = 5000 };

struct kept_statement {
    const char *sql;
    struct db_statement *statement;
};

struct db {
    sqlite3 *handle;
    struct kept_statement kept[16];
    size_t kept_count;
    bool begun; /* by db_begin, and not ended since */
    int lost;   /* why SQLite has rolled it back by itself */
};

struct db_statement {
    sqlite3_stmt *handle;
    struct db *db;
};

static int code_of(sqlite3 *handle, int rc)
{
    int extended = handle ? sqlite3_extended_errcode(handle) : rc;
    switch (rc & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
        return 0;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_IOERR:
        return extended == SQLITE_IOERR_NOMEM           ? -ENOMEM
               : sqlite3_system_errno(handle) == ENOSPC ? -ENOSPC
                                                        : -EIO;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return -EUCLEAN;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return -EACCES;
    case SQLITE_CANTOPEN:
        return sqlite3_system_errno(handle) ? -sqlite3_system_errno(handle) : -ENOENT;
    case SQLITE_INTERRUPT:
        return -EINTR;
    case SQLITE_CONSTRAINT:
        return extended == SQLITE_CONSTRAINT_UNIQUE || extended == SQLITE_CONSTRAINT_PRIMARYKEY ? -EEXIST
                                                                                                : -EINVAL;
    default:
        return -EINVAL;
    }
}

static int configure(struct db *db, enum db_mode mode)
{
    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_timeout(db->handle, BUSY_MS);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
    int code = db_exec(db, "PRAGMA temp_store = 2; PRAGMA cache_size = -65536; PRAGMA foreign_keys = ON; "
                           "PRAGMA cell_size_check = ON;");
    /* A new database gets larger pages than SQLite's 4096: rows of features and files are a few hundred bytes, and with 16 KiB writing
     * and reading them takes a fifth less time (bench/README.md). The log is brought in every 16 MiB. */
    static_assert(DB_PAGE_SIZE == 16384, "the statement says the same");
    if (code == 0 && mode != DB_READ)
        code = db_exec(db, "PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
                           "PRAGMA wal_autocheckpoint = 1000;");
    return code;
}

/* One thread has a database; and SQLite is not asked to count its memory, which is a lock at every
 * allocation. */
static void prepare_once(void)
{
    static bool done;
    if (!done)
        (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
    done = true;
}

static int open_once(const char *path, enum db_mode mode, int more_flags, struct db **ret_db, struct why *why)
{
    static const int flags[] = {
        [DB_READ] = SQLITE_OPEN_READONLY,
        [DB_WRITE] = SQLITE_OPEN_READWRITE,
        [DB_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
    };
    struct db *db = calloc(1, sizeof *db);
    if (!db)
        return why_set(why, -ENOMEM, "out of memory");
    /* For db_attach_unchanging; a path is a path all the same. */
    int uri = strncmp(path, "file:", 5) == 0 ? more_flags : SQLITE_OPEN_URI;
    prepare_once();
    int rc = sqlite3_open_v2(path, &db->handle,
                             flags[mode] | uri | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX, NULL);
    int code = code_of(db->handle, rc);
    if (code == 0 && mode != DB_READ && sqlite3_db_readonly(db->handle, "main") == 1) {
        /* What cannot be opened for writing SQLite opens for reading, and keeps the cause to itself. */
        code = access(path, W_OK) ? -errno : -EIO;
        why_set(why, code, "%s: it does not open for writing: %s", path, strerror(-code));
        db_close(db);
        return code;
    }
    if (code == 0)
        code = configure(db, mode);
    if (code == 0) /* the first look at the file: whether it is a database, and can be read at all */
        code = db_exec(db, "SELECT 1 FROM sqlite_schema LIMIT 1");
    if (code == -ENOENT && mode != DB_READ && access(path, F_OK) == 0) {
        code = -EIO; /* the file that could not be made is the log beside it, and why is not known any more */
        why_set(why, code, "%s-wal: it cannot be made", path);
        db_close(db);
        return code;
    }
    if (code) {
        why_set(why, code, "%s: %s", path, code == -ENOENT ? strerror(ENOENT) : db_error(db));
        db_close(db);
        return code;
    }
    *ret_db = db;
    return 0;
}

/* Is there nothing in the write-ahead log that a reader would have to look at? */
static bool is_checkpointed(const char *path)
{
    char wal[4096];
    struct stat st;
    return snprintf(wal, sizeof wal, "%s-wal", path) < (int)sizeof wal &&
           (stat(wal, &st) ? errno == ENOENT : st.st_size == 0);
}

/* A database in WAL mode wants to write beside itself even for a reader. On a medium, or in a folder, where
 * nobody can, nobody changes it either: then it is read as it lies there. */
static char *unchanging_uri(const char *path)
{
    char *uri = sqlite3_mprintf("file:");
    for (const char *c = path; uri && *c; c++) {
        char *longer = sqlite3_mprintf(strchr("?#%", *c) ? "%s%%%02X" : "%s%c", uri, *c);
        sqlite3_free(uri);
        uri = longer;
    }
    char *whole = uri ? sqlite3_mprintf("%s?immutable=1", uri) : NULL;
    sqlite3_free(uri);
    return whole;
}

int db_open_unchanging(const char *path, struct db **ret_db, struct why *why)
{
    char *whole = unchanging_uri(path);
    int code = whole ? open_once(whole, DB_READ, SQLITE_OPEN_URI, ret_db, why)
                     : why_set(why, -ENOMEM, "out of memory");
    sqlite3_free(whole);
    return code;
}

int db_attach_unchanging(struct db *db, const char *path, const char *name)
{
    struct db_statement *s;
    char *whole = unchanging_uri(path);
    int code = whole ? db_prepare(db, "ATTACH ?1 AS ?2", &s) : -ENOMEM;
    if (code == 0) {
        db_bind_text(s, 1, whole);
        db_bind_text(s, 2, name);
        code = db_run(s);
        db_finalize(s);
    }
    sqlite3_free(whole);
    return code;
}

int db_open(const char *path, enum db_mode mode, struct db **ret_db, struct why *why)
{
    int code = open_once(path, mode, 0, ret_db, why);
    bool locked_out = code == -EACCES || code == -EROFS || code == -ENOENT || code == -EPERM;
    if (mode == DB_READ && locked_out && access(path, R_OK) == 0 && is_checkpointed(path)) {
        code = db_open_unchanging(path, ret_db, why);
        if (code == 0 && why)
            *why = (struct why){{0}};
    }
    return code;
}

void db_close(struct db *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < db->kept_count; i++)
        db_finalize(db->kept[i].statement);
    sqlite3_close_v2(db->handle);
    free(db);
}

const char *db_error(struct db *db)
{
    return db->handle ? sqlite3_errmsg(db->handle) : "out of memory";
}

const char *db_version(void)
{
    return "SQLite " SQLITE_VERSION;
}

/* For want of memory or room, or when the medium fails, SQLite may give up the whole transaction; what came after would then be
 * written by itself. So nothing is, until it is ended. */
static bool is_lost(const struct db *db)
{
    return db->begun && sqlite3_get_autocommit(db->handle);
}

static int judge(struct db *db, int rc)
{
    int code = code_of(db->handle, rc);
    if (code < 0 && is_lost(db) && db->lost == 0)
        db->lost = code;
    return code;
}

static int lost_code(const struct db *db)
{
    return db->lost ? db->lost : -EIO;
}

int db_exec(struct db *db, const char *sql)
{
    return is_lost(db) ? lost_code(db) : judge(db, sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

int db_prepare(struct db *db, const char *sql, struct db_statement **ret_statement)
{
    struct db_statement *s = calloc(1, sizeof *s);
    *ret_statement = NULL;
    if (!s)
        return -ENOMEM;
    int rc = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &s->handle, NULL);
    if (rc) {
        free(s);
        return judge(db, rc);
    }
    s->db = db;
    *ret_statement = s;
    return 0;
}

void db_finalize(struct db_statement *statement)
{
    if (!statement)
        return;
    sqlite3_finalize(statement->handle);
    free(statement);
}

int db_kept(struct db *db, const char *sql, struct db_statement **ret_statement)
{
    for (size_t i = 0; i < db->kept_count; i++)
        if (db->kept[i].sql == sql) {
            *ret_statement = db->kept[i].statement;
            db_reset(*ret_statement);
            return 0;
        }
    assert(db->kept_count < sizeof db->kept / sizeof *db->kept);
    int code = db_prepare(db, sql, ret_statement);
    if (code == 0)
        db->kept[db->kept_count++] = (struct kept_statement){sql, *ret_statement};
    return code;
}

/* A bind can fail only for want of memory or by a wrong number, which is ours: the step that follows then
 * fails. */
void db_bind_i64(struct db_statement *s, int parameter, int64_t value)
{
    sqlite3_bind_int64(s->handle, parameter, value);
}

void db_bind_u64(struct db_statement *s, int parameter, uint64_t value)
{
    sqlite3_bind_int64(s->handle, parameter, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

void db_bind_text(struct db_statement *s, int parameter, const char *text)
{
    sqlite3_bind_text(s->handle, parameter, text, -1, SQLITE_STATIC);
}

void db_bind_text_n(struct db_statement *s, int parameter, const void *text, size_t size)
{
    sqlite3_bind_text64(s->handle, parameter, size ? text : "", size, SQLITE_STATIC, SQLITE_UTF8);
}

void db_bind_bytes(struct db_statement *s, int parameter, const void *data, size_t size)
{
    sqlite3_bind_blob64(s->handle, parameter, size ? data : "", size, SQLITE_STATIC);
}

void db_bind_null(struct db_statement *s, int parameter)
{
    sqlite3_bind_null(s->handle, parameter);
}

int db_step(struct db_statement *s)
{
    if (is_lost(s->db))
        return lost_code(s->db);
    int rc = sqlite3_step(s->handle);
    return rc == SQLITE_ROW ? 1 : judge(s->db, rc);
}

void db_reset(struct db_statement *s)
{
    sqlite3_reset(s->handle);
}

int db_run(struct db_statement *s)
{
    int code = db_step(s);
    db_reset(s);
    return code > 0 ? 0 : code;
}

struct db_value db_value(struct db_statement *s, int column)
{
    int type = sqlite3_column_type(s->handle, column);
    struct db_value value = {.kind = DB_NULL, .data = ""};
    if (type == SQLITE_NULL)
        return value;
    if (type == SQLITE_INTEGER) {
        value.kind = DB_INTEGER;
        value.number = sqlite3_column_int64(s->handle, column);
        return value;
    }
    value.kind = type == SQLITE_BLOB ? DB_BYTES : DB_OTHER;
    value.data = db_bytes(s, column, &value.size);
    return value;
}

bool db_is_null(struct db_statement *s, int column)
{
    return sqlite3_column_type(s->handle, column) == SQLITE_NULL;
}

bool db_is_blob(struct db_statement *s, int column)
{
    return sqlite3_column_type(s->handle, column) == SQLITE_BLOB;
}

bool db_is_number(struct db_statement *s, int column)
{
    int type = sqlite3_column_type(s->handle, column);
    return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}

int64_t db_i64(struct db_statement *s, int column)
{
    return sqlite3_column_int64(s->handle, column);
}

uint64_t db_u64(struct db_statement *s, int column)
{
    int64_t value = sqlite3_column_int64(s->handle, column);
    return value < 0 ? 0 : (uint64_t)value;
}

const char *db_text(struct db_statement *s, int column)
{
    const unsigned char *text = sqlite3_column_text(s->handle, column);
    return text ? (const char *)text : "";
}

const void *db_bytes(struct db_statement *s, int column, size_t *ret_size)
{
    const void *data = sqlite3_column_blob(s->handle, column);
    *ret_size = (size_t)sqlite3_column_bytes(s->handle, column);
    return data ? data : "";
}

int db_columns(struct db_statement *s)
{
    return sqlite3_column_count(s->handle);
}

const char *db_column_name(struct db_statement *s, int column)
{
    return sqlite3_column_name(s->handle, column);
}

bool db_has_table(struct db *db, const char *name)
{
    struct db_statement *s;
    if (db_prepare(db, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1", &s))
        return false;
    db_bind_text(s, 1, name);
    bool there = db_step(s) == 1;
    db_finalize(s);
    return there;
}

int64_t db_last_id(struct db *db)
{
    return sqlite3_last_insert_rowid(db->handle);
}

int64_t db_changes(struct db *db)
{
    return sqlite3_changes64(db->handle);
}

int db_state(struct db *db, struct db_state *ret)
{
    uint64_t version = 0;
    int code = db_number(db, "PRAGMA data_version", 0, 0, &version);
    *ret = (struct db_state){sqlite3_get_autocommit(db->handle) ? sqlite3_total_changes64(db->handle) : -1,
                             (int64_t)version};
    return code;
}

int db_begin(struct db *db)
{
    db->begun = db->begun && !is_lost(db);
    int code = db_exec(db, "BEGIN IMMEDIATE");
    if (code == 0) {
        db->begun = true;
        db->lost = 0;
    }
    return code;
}

int db_commit(struct db *db)
{
    int code = db_exec(db, "COMMIT");
    if (code == 0)
        db->begun = false;
    return code;
}

void db_rollback(struct db *db)
{
    if (!sqlite3_get_autocommit(db->handle))
        (void)db_exec(db, "ROLLBACK");
    db->begun = false;
}

int db_last_code(struct db *db)
{
    int code = is_lost(db) ? lost_code(db) : code_of(db->handle, sqlite3_errcode(db->handle));
    return code ? code : -EINVAL;
}

int db_backup(struct db *db, const char *path, struct why *why)
{
    sqlite3 *target = NULL;
    int rc = sqlite3_open_v2(path, &target, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    sqlite3_backup *backup = rc == SQLITE_OK ? sqlite3_backup_init(target, "main", db->handle, "main") : NULL;
    if (backup) {
        rc = sqlite3_backup_step(backup, -1);
        (void)sqlite3_backup_finish(backup);
    }
    bool done = backup && rc == SQLITE_DONE;
    int code = done ? 0 : code_of(target, rc == SQLITE_OK ? SQLITE_ERROR : rc);
    if (!done)
        why_set(why, code, "%s: the copy failed: %s", path,
                target ? sqlite3_errmsg(target) : "out of memory");
    sqlite3_close(target);
    return code;
}

void db_sort_on_disk(struct db *db, bool on)
{
    (void)db_exec(db, on ? "PRAGMA temp_store = 1" : "PRAGMA temp_store = 2"); /* as it was, at worst */
}

void db_interrupt(struct db *db)
{
    sqlite3_interrupt(db->handle);
}

int db_exec_two(struct db *db, const char *sql, uint64_t one, uint64_t two)
{
    uint64_t passed_over = 0;
    return db_number(db, sql, one, two, &passed_over);
}

int db_number(struct db *db, const char *sql, uint64_t one, uint64_t two, uint64_t *ret)
{
    struct db_statement *s;
    int code = db_prepare(db, sql, &s);
    if (code)
        return code;
    db_bind_u64(s, 1, one);
    db_bind_u64(s, 2, two);
    code = db_step(s);
    if (code == 1)
        *ret = db_u64(s, 0);
    while (code == 1)
        code = db_step(s);
    db_finalize(s);
    return code;
}
