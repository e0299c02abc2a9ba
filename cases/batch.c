/*
 * batch: see batch.h.
 */
#include "cases/batch.h"

#include "engine/base/when.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct batch {
    char *folder;
    struct db *db;
};

static const char schema[] =
    "PRAGMA application_id = 0x6b766271; PRAGMA user_version = 1;" /* "kvbq" */
    "CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS manifest(sha256 TEXT PRIMARY KEY, path TEXT NOT NULL, time INTEGER NOT NULL, "
    "problem TEXT) "
    "STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS task(id INTEGER PRIMARY KEY, folder TEXT NOT NULL, exhibit TEXT NOT NULL, "
    "evidence TEXT NOT "
    "NULL, arguments TEXT NOT NULL, formats TEXT NOT NULL, triage INTEGER NOT NULL, priority INTEGER NOT "
    "NULL, deadline INTEGER "
    "NOT NULL, evidence_bytes INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'queued', tries INTEGER NOT NULL "
    "DEFAULT 0, "
    "wait_until INTEGER NOT NULL DEFAULT 0, started INTEGER NOT NULL DEFAULT 0, ended INTEGER NOT NULL "
    "DEFAULT 0, pid INTEGER "
    "NOT NULL DEFAULT 0, pid_start INTEGER NOT NULL DEFAULT 0, seconds INTEGER NOT NULL DEFAULT 0, contents "
    "INTEGER NOT NULL "
    "DEFAULT 0, faults INTEGER NOT NULL DEFAULT 0, alerts INTEGER NOT NULL DEFAULT 0, digest TEXT NOT NULL "
    "DEFAULT '', message "
    "TEXT NOT NULL DEFAULT '', UNIQUE (folder, exhibit, evidence)) STRICT;";

static const char *const words[] = {"queued", "running", "waiting", "done", "faults", "failed", "cancelled"};

const char *batch_state_word(enum batch_state state)
{
    return words[state];
}

bool batch_state_is_end(enum batch_state state)
{
    return state >= BATCH_DONE;
}

static enum batch_state state_of(const char *word)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i], word) == 0)
            return (enum batch_state)i;
    return BATCH_FAILED;
}

/* ------------------------------------------------------------------ opening */

/* The folder and those above it. */
static int make_folders(const char *folder)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s", folder);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        if (mkdir(path, 0750) && errno != EEXIST)
            return -errno;
        *slash = '/';
    }
    return mkdir(path, 0750) && errno != EEXIST ? -errno : 0;
}

int batch_open(const char *folder, struct batch **ret_batch, struct why *why)
{
    char path[PATH_MAX + 16];
    struct batch *batch = calloc(1, sizeof *batch);
    int code = batch && (batch->folder = strdup(folder)) ? make_folders(folder) : -ENOMEM;
    if (code)
        why_set(why, code, "%s: %s", folder, strerror(-code));
    snprintf(path, sizeof path, "%s/queue.db", folder);
    if (code == 0)
        code = db_open(path, DB_CREATE, &batch->db, why);
    if (code == 0 && !db_has_table(batch->db, "task")) {
        code = db_exec(batch->db, schema);
        if (code)
            why_set(why, code, "%s: %s", path, db_error(batch->db));
    }
    if (code) {
        batch_close(batch);
        return code;
    }
    *ret_batch = batch;
    return 0;
}

void batch_close(struct batch *batch)
{
    if (!batch)
        return;
    db_close(batch->db);
    free(batch->folder);
    free(batch);
}

const char *batch_folder(const struct batch *batch)
{
    return batch->folder;
}

const char *batch_error(struct batch *batch)
{
    return db_error(batch->db);
}

/* ------------------------------------------------------------------ tasks */

void batch_task_finish(struct batch_task *task)
{
    free(task->folder);
    free(task->exhibit);
    free(task->evidence);
    free(task->arguments);
    free(task->formats);
    free(task->message);
    free(task->digest);
    *task = (struct batch_task){0};
}

void batch_tasks_free(struct batch_task *tasks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        batch_task_finish(&tasks[i]);
    free(tasks);
}

#define TASK_COLUMNS                                                                                         \
    "id, folder, exhibit, evidence, arguments, formats, message, digest, triage, priority, deadline, "       \
    "state, tries, wait_until, "                                                                             \
    "started, ended, pid, pid_start, seconds, evidence_bytes, contents, faults, alerts"

static int fill(struct db_statement *s, struct batch_task *ret)
{
    *ret = (struct batch_task){
        .id = db_u64(s, 0),
        .folder = strdup(db_text(s, 1)),
        .exhibit = strdup(db_text(s, 2)),
        .evidence = strdup(db_text(s, 3)),
        .arguments = strdup(db_text(s, 4)),
        .formats = strdup(db_text(s, 5)),
        .message = strdup(db_text(s, 6)),
        .digest = strdup(db_text(s, 7)),
        .triage = db_i64(s, 8),
        .priority = db_i64(s, 9),
        .deadline = db_i64(s, 10),
        .state = state_of(db_text(s, 11)),
        .tries = db_u64(s, 12),
        .wait_until = db_i64(s, 13),
        .started = db_i64(s, 14),
        .ended = db_i64(s, 15),
        .pid = db_u64(s, 16),
        .pid_start = db_u64(s, 17),
        .seconds = db_u64(s, 18),
        .evidence_bytes = db_u64(s, 19),
        .contents = db_u64(s, 20),
        .faults = db_u64(s, 21),
        .alerts = db_u64(s, 22),
    };
    bool whole = ret->folder && ret->exhibit && ret->evidence && ret->arguments && ret->formats &&
                 ret->message && ret->digest;
    return whole ? 0 : -ENOMEM;
}

int batch_tasks(struct batch *batch, struct batch_task **ret_tasks, size_t *ret_count)
{
    struct batch_task *tasks = NULL;
    struct db_statement *s;
    size_t count = 0;
    int code = db_prepare(
        batch->db, "SELECT " TASK_COLUMNS " FROM task ORDER BY triage DESC, priority DESC, deadline, id", &s);
    if (code)
        return code;
    while ((code = db_step(s)) == 1) {
        struct batch_task *more = reallocarray(tasks, count + 1, sizeof *more);
        if (more)
            tasks = more;
        code = more ? fill(s, &tasks[count++]) : -ENOMEM;
        if (code)
            break;
    }
    db_finalize(s);
    if (code) {
        batch_tasks_free(tasks, count);
        return code;
    }
    *ret_tasks = tasks;
    *ret_count = count;
    return 0;
}

int batch_task_put(struct batch *batch, const struct batch_task *task)
{
    struct db_statement *s;
    int code = db_prepare(batch->db,
                          "UPDATE task SET state = iif(state = 'cancelled', state, ?2), tries = ?3, "
                          "wait_until = ?4, started = ?5, "
                          "ended = ?6, pid = ?7, pid_start = ?8, seconds = ?9, contents = ?10, faults = ?11, "
                          "alerts = ?12, digest = "
                          "?13, message = ?14 WHERE id = ?1",
                          &s);
    if (code)
        return code;
    db_bind_u64(s, 1, task->id);
    db_bind_text(s, 2, batch_state_word(task->state));
    db_bind_u64(s, 3, task->tries);
    db_bind_i64(s, 4, task->wait_until);
    db_bind_i64(s, 5, task->started);
    db_bind_i64(s, 6, task->ended);
    db_bind_u64(s, 7, task->pid);
    db_bind_u64(s, 8, task->pid_start);
    db_bind_u64(s, 9, task->seconds);
    db_bind_u64(s, 10, task->contents);
    db_bind_u64(s, 11, task->faults);
    db_bind_u64(s, 12, task->alerts);
    db_bind_text(s, 13, task->digest);
    db_bind_text(s, 14, task->message);
    code = db_run(s);
    db_finalize(s);
    return code;
}

int batch_cancel(struct batch *batch, uint64_t id)
{
    return db_exec_two(batch->db,
                       "UPDATE task SET state = 'cancelled', message = 'cancelled by hand' WHERE (id = ?1 OR "
                       "?1 = 0) AND ?2 = ?2 "
                       "AND state IN ('queued', 'running', 'waiting')",
                       id, 0);
}

int batch_retry(struct batch *batch, uint64_t id, uint64_t *ret_count)
{
    int code =
        db_exec_two(batch->db,
                    "UPDATE task SET state = 'queued', message = '', tries = 0, wait_until = 0, ended = 0 "
                    "WHERE (id = ?1 OR ?1 = 0) AND ?2 = ?2 AND state IN ('failed', 'cancelled')",
                    id, 0);
    *ret_count += code ? 0 : (uint64_t)db_changes(batch->db);
    return code;
}

static int one_text(struct db *db, const char *sql, uint64_t number, const char *text, struct buf *ret)
{
    struct db_statement *s;
    int code = db_prepare(db, sql, &s);
    if (code)
        return code;
    db_bind_u64(s, 1, number);
    db_bind_text(s, 2, text);
    while ((code = db_step(s)) == 1)
        buf_text(ret, db_text(s, 0));
    db_finalize(s);
    return code ? code : buf_failed(ret) ? -ENOMEM : 0;
}

int batch_is_cancelled(struct batch *batch, uint64_t id, bool *ret_cancelled)
{
    struct buf state = {0};
    int code = one_text(batch->db, "SELECT state FROM task WHERE id = ?1 AND ?2 IS NULL", id, NULL, &state);
    *ret_cancelled = code == 0 && strcmp(buf_cstr(&state), "cancelled") == 0;
    buf_finish(&state);
    return code;
}

int batch_set_paused(struct batch *batch, bool paused)
{
    return db_exec(batch->db, paused ? "INSERT OR REPLACE INTO meta VALUES ('paused', '1')"
                                     : "DELETE FROM meta WHERE key = 'paused'");
}

int batch_paused(struct batch *batch, bool *ret_paused)
{
    struct buf value = {0};
    int code = one_text(batch->db, "SELECT value FROM meta WHERE key = 'paused' AND ?1 = ?1 AND ?2 IS NULL",
                        0, NULL, &value);
    *ret_paused = code == 0 && value.size > 0;
    buf_finish(&value);
    return code;
}

int batch_set_lang(struct batch *batch, const char *lang)
{
    struct db_statement *s;
    int code = db_prepare(batch->db, "INSERT OR REPLACE INTO meta VALUES ('lang', ?1)", &s);
    if (code)
        return code;
    db_bind_text(s, 1, lang);
    code = db_run(s);
    db_finalize(s);
    return code;
}

int batch_lang(struct batch *batch, struct buf *ret)
{
    return one_text(batch->db, "SELECT value FROM meta WHERE key = 'lang' AND ?1 = ?1 AND ?2 IS NULL", 0,
                    NULL, ret);
}

/* ------------------------------------------------------------------ manifests */

struct taking {
    struct batch *batch;
    bool triage;
    size_t added;
};

static int insert(struct batch *batch, const struct batch_task *task, const char *folder, bool triage,
                  size_t *added)
{
    struct db_statement *s;
    int code = db_prepare(
        batch->db,
        "INSERT INTO task(folder, exhibit, evidence, arguments, formats, triage, priority, deadline, "
        "evidence_bytes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO UPDATE SET arguments = "
        "excluded.arguments, formats = excluded.formats, priority = excluded.priority, deadline = "
        "excluded.deadline, "
        "evidence_bytes = excluded.evidence_bytes, state = 'queued', tries = 0, wait_until = 0, ended = 0, "
        "message = '' "
        "WHERE state IN ('queued', 'failed', 'cancelled') AND (arguments, formats, priority, deadline) <> "
        "(excluded.arguments, excluded.formats, excluded.priority, excluded.deadline)",
        &s);
    if (code)
        return code;
    db_bind_text(s, 1, folder);
    db_bind_text(s, 2, task->exhibit);
    db_bind_text(s, 3, task->evidence);
    db_bind_text(s, 4, task->arguments);
    db_bind_text(s, 5, triage ? "" : task->formats);
    db_bind_u64(s, 6, triage);
    db_bind_i64(s, 7, task->priority);
    db_bind_i64(s, 8, task->deadline);
    db_bind_u64(s, 9, task->evidence_bytes);
    code = db_run(s);
    db_finalize(s);
    *added += code == 0 && db_changes(batch->db) > 0;
    return code;
}

static int take_row(void *context, struct batch_row *row)
{
    struct taking *t = context;
    char folder[PATH_MAX + 16];
    bool triage = row->triage_said ? row->wants_triage : t->triage;
    snprintf(folder, sizeof folder, "%s.triage", row->task.folder);
    int code = triage ? insert(t->batch, &row->task, folder, true, &t->added) : 0;
    return code ? code : insert(t->batch, &row->task, row->task.folder, false, &t->added);
}

static int no_row(void *context, struct batch_row *row)
{
    (void)context;
    (void)row;
    return 0;
}

int batch_manifest(struct batch *batch, const char *path, bool triage, size_t *ret_added, struct why *why)
{
    struct taking taking = {batch, triage, 0};
    int code =
        batch_manifest_read(path, no_row, NULL, why); /* all of it is checked before any of it is queued */
    if (code)
        return code;
    code = db_begin(batch->db);
    if (code == 0)
        code = batch_manifest_read(path, take_row, &taking, why);
    if (code == 0)
        code = db_commit(batch->db);
    if (code) {
        if (why && !why->text[0])
            why_set(why, code, "%s/queue.db: %s", batch->folder, db_error(batch->db));
        db_rollback(batch->db);
        return code;
    }
    *ret_added = taking.added;
    return 0;
}

int batch_manifest_new(struct batch *batch, const char *sha256, bool *ret_new)
{
    struct buf path = {0};
    int code =
        one_text(batch->db, "SELECT path FROM manifest WHERE sha256 = ?2 AND ?1 = ?1", 0, sha256, &path);
    *ret_new = code == 0 && path.size == 0;
    buf_finish(&path);
    return code;
}

int batch_manifest_told(struct batch *batch, const char *sha256, const char *path, const char *problem)
{
    struct db_statement *s;
    int code = db_prepare(batch->db, "INSERT OR REPLACE INTO manifest VALUES (?1, ?2, ?3, ?4)", &s);
    if (code)
        return code;
    db_bind_text(s, 1, sha256);
    db_bind_text(s, 2, path);
    db_bind_i64(s, 3, when_now());
    db_bind_text(s, 4, problem);
    code = db_run(s);
    db_finalize(s);
    return code;
}

int batch_problems(struct batch *batch, struct buf *ret)
{
    return one_text(batch->db,
                    "SELECT problem || char(10) FROM manifest WHERE problem IS NOT NULL AND ?1 = ?1 AND ?2 "
                    "IS NULL ORDER BY path",
                    0, NULL, ret);
}
