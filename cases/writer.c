/*
 * writer: runs and records. One transaction is open most of the time; writer_flush commits it. The
 * order of statements is the order in which things came, so that whatever is committed is a prefix of the
 * run.
 */
#include "cases/writer_private.h"

#include "cases/crashpoint.h"
#include "cases/index.h"
#include "cases/names.h"
#include "cases/record_table.h"
#include "cases/views.h"
#include "engine/base/when.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const sql[SQL_COUNT_ALL] = {
    [SQL_ATTEMPT_NEW] = "INSERT INTO t_attempt(id, run, stream, expand, worker, pass, status) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    [SQL_ATTEMPT_STATUS] = "UPDATE t_attempt SET status = ?2 WHERE id = ?1",
    [SQL_ATTEMPT_VOID] = "SELECT status = 'void' FROM t_attempt WHERE id = ?1",
    [SQL_STREAM_END] = "UPDATE t_stream SET status = ?2, attempt = ?3, read = ?4, unread = ?5, uniform = ?6, slack = ?7, "
                       "slack_uniform = ?8 WHERE id = ?1",
    [SQL_CHILDREN_END] =
        "WITH RECURSIVE family(id) AS (SELECT id FROM t_stream WHERE parent = ?2 AND found = ?1 UNION "
        "SELECT s.id FROM t_stream s JOIN family f ON s.parent = f.id) "
        "UPDATE t_stream SET attempt = ?1 WHERE id IN family",
    [SQL_EXPAND_END] = "UPDATE t_expand SET status = ?2, attempt = ?3 WHERE id = ?1",
    [SQL_STREAM_TRY] = "UPDATE t_stream SET tries = tries + ?2, lost = lost + ?3 WHERE id = ?1",
    [SQL_SCAN_END] = "UPDATE t_scan SET status = ?3, attempt = ?4, read = ?5, unread = ?6 WHERE pass = ?1 AND stream = ?2",
    [SQL_SCAN_TRY] = "UPDATE t_scan SET tries = tries + ?3, lost = lost + ?4 WHERE pass = ?1 AND stream = ?2",
    [SQL_CHILD_FIND] = "SELECT s.id FROM t_stream s JOIN t_stream p ON p.id = s.parent AND p.exhibit = s.exhibit "
                       "WHERE s.parent = ?1 AND s.locator = 'child/' || ?2 AND s.attempt IS NOT NULL",
    [SQL_CHILD_SEEN] = "INSERT INTO temp.seen(attempt, stream) VALUES (?1, ?2)",
    [SQL_CHILD_KNOWN_SIZE] = "SELECT size FROM t_stream WHERE id = ?1",
    [SQL_EXPAND_TRY] = "UPDATE t_expand SET tries = tries + ?2, lost = lost + ?3 WHERE id = ?1",
    [SQL_VOLUME] = "INSERT INTO t_volume(exhibit, key, parent, partition_table, type, label, offset, size, "
                   "filesystem, content, block_size, "
                   "block_count, fs_size, serial, time_note, expand, raw, use, found) VALUES (?1, ?2, ?3, "
                   "?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
                   "?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19) ON CONFLICT DO NOTHING",
    [SQL_ENTRY] =
        "INSERT INTO t_entry(exhibit, path, name, volume, type, kind, flags, inode, sequence, parent_inode, "
        "size, allocated, mode, "
        "uid, gid, links, modified, accessed, changed, born, removed, name_modified, name_accessed, "
        "name_changed, name_born, "
        "raw_times, target, attribute, stream, found) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
        "?12, ?13, ?14, ?15, "
        "?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30) ON CONFLICT DO NOTHING",
    [SQL_STREAM_ADD] = "INSERT INTO t_stream(exhibit, locator, path, extension, kind, deleted, size, disk, "
                       "runs, runs_cut, found) VALUES (?1, ?2, "
                       "?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING",
    [SQL_STREAM_REVIVE] = "UPDATE t_stream SET status = 0, path = ?3, extension = ?4, kind = ?5, deleted = ?6, size = ?7, "
                          "disk = ?8, runs = ?9, runs_cut = ?10, found = ?11 WHERE exhibit = ?1 AND locator = ?2 AND status = 4",
    [SQL_STREAM_FIND] = "SELECT id, status FROM t_stream WHERE exhibit = ?1 AND locator = ?2",
    [SQL_EXPAND_ADD] =
        "INSERT INTO t_expand(exhibit, locator, volume, found, root) VALUES (?1, ?2, ?3, ?4, ?5) ON "
        "CONFLICT DO UPDATE SET status = 0, volume = excluded.volume, root = excluded.root, found = excluded.found WHERE "
        "status = 4",
    [SQL_ACCOUNT] = "INSERT OR REPLACE INTO t_account(exhibit, volume, what, bytes, found) VALUES (?1, ?2, ?3, ?4, ?5)",
    [SQL_CHILD] = "INSERT INTO t_stream(exhibit, locator, path, extension, kind, deleted, size, disk, "
                  "status, parent, plugin, child_offset, name, runs, runs_cut, "
                  "found) SELECT exhibit, 'child/' || ?3, ?3, ?4, ?5, ?6, 0, disk, 1, ?2, ?7, ?8, ?9, ?10, ?11, ?1 "
                  "FROM t_stream WHERE id = ?2",
    [SQL_CHILD_SIZE] = "UPDATE t_stream SET size = ?2, read = ?2, status = ?3 WHERE id = ?1",
    [SQL_NOTE] = "INSERT INTO t_note(stream, attempt, plugin, offset, text) VALUES (?1, ?2, ?3, ?4, ?5)",
    [SQL_FAULT] = "INSERT INTO t_fault(exhibit, stream, attempt, kind, volume, path, stage, plugin, offset, "
                  "size, effect, detail, pass) VALUES (?1, ?2, "
                  "?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
};

int writer_open(struct writer *writer)
{
    if (writer->open)
        return 0;
    int code = db_begin(writer->db);
    writer->open = code == 0;
    return code;
}

struct db_statement *writer_sql(struct writer *writer, enum writer_sql which)
{
    struct db_statement **s = &writer->statements[which];
    if (!*s && db_prepare(writer->db, sql[which], s))
        return NULL;
    db_reset(*s);
    return *s;
}

int writer_new(struct casefile *cf, struct writer **ret_writer, struct why *why)
{
    struct writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return why_set(why, -ENOMEM, "out of memory");
    writer->cf = cf;
    writer->db = casefile_db(cf);
    int code = casefile_counts(cf, &writer->counts);
    if (code) {
        free(writer);
        return why_set(why, code, "%s: %s", casefile_folder(cf), db_error(casefile_db(cf)));
    }
    *ret_writer = writer;
    return 0;
}

void writer_undo(struct writer *writer)
{
    if (writer->open)
        db_rollback(writer->db);
    writer->open = false;
    writer->held_count = 0; /* what they are at may be gone */
}

void writer_free(struct writer *writer)
{
    if (!writer)
        return;
    for (size_t i = 0; i < SQL_COUNT_ALL; i++)
        db_finalize(writer->statements[i]);
    for (size_t p = 0; p < WRITER_PLUGINS_MAX; p++)
        for (size_t t = 0; t < WRITER_TYPES_MAX; t++)
            db_finalize(writer->plugins[p].inserts[t]);
    writer_undo(writer);
    free(writer->held);
    index_close(writer->index);
    free(writer);
}

/* Keeps what the index says about a failure, for writer_error. */
static int indexed(struct writer *writer, int code)
{
    if (code < 0)
        why_set(&writer->index_why, code, "index.db: %s", index_error(writer->index));
    return code;
}

int writer_flush(struct writer *writer)
{
    int code = writer_attempts_open(writer);
    if (code || !writer->open)
        return code;
    crash_point("commit-before");
    /* The index first: what the case counts must be in it. */
    if (writer->index)
        code = indexed(writer, index_commit(writer->index));
    crash_point("commit-between");
    if (code == 0)
        code = db_commit(writer->db);
    if (code == 0)
        writer->open = false;
    crash_point("commit-after");
    return code;
}

const char *writer_error(struct writer *writer)
{
    return *writer->index_why.text ? writer->index_why.text : db_error(writer->db);
}

/* ------------------------------------------------------------------ runs */

int writer_run_begin(struct writer *writer, const char *settings_json, const char *settings_sha256,
                     const char *versions_json, const char *host_json, uint64_t *ret_run)
{
    struct db_statement *s;
    int code = writer_open(writer);
    if (code == 0)
        code = db_prepare(writer->db,
                          "INSERT INTO t_run(started, status, settings, settings_sha256, versions, host) "
                          "VALUES (?1, 'running', ?2, "
                          "?3, ?4, ?5)",
                          &s);
    if (code)
        return code;
    db_bind_i64(s, 1, when_now());
    db_bind_text(s, 2, settings_json);
    db_bind_text(s, 3, settings_sha256);
    db_bind_text(s, 4, versions_json);
    db_bind_text(s, 5, host_json);
    code = db_run(s);
    db_finalize(s);
    if (code == 0)
        *ret_run = (uint64_t)db_last_id(writer->db);
    return code;
}

static int update_run(struct writer *writer, const char *statement, uint64_t run, const char *text,
                      int64_t number)
{
    struct db_statement *s;
    int code = writer_open(writer);
    if (code == 0)
        code = db_prepare(writer->db, statement, &s);
    if (code)
        return code;
    db_bind_u64(s, 1, run);
    db_bind_text(s, 2, text);
    db_bind_i64(s, 3, number);
    code = db_run(s);
    db_finalize(s);
    return code;
}

int writer_run_pass(struct writer *writer, uint64_t run, uint64_t pass)
{
    return update_run(writer, "UPDATE t_run SET pass = ?3 WHERE id = ?1 AND ?2 IS NULL", run, NULL, (int64_t)pass);
}

int writer_run_end(struct writer *writer, uint64_t run, const char *status)
{
    int code = writer_open(writer);
    if (code == 0 && (strcmp(status, "done") == 0 || strcmp(status, "listed") == 0))
        code = clear_void(writer->db);
    if (code)
        return code;
    return update_run(writer, "UPDATE t_run SET status = ?2, ended = ?3 WHERE id = ?1", run, status,
                      when_now());
}

int writer_run_versions(struct writer *writer, uint64_t run, const char *json)
{
    return update_run(writer, "UPDATE t_run SET versions = ?2 WHERE id = ?1 AND ?3 = 0", run, json, 0);
}

int writer_run_sandbox(struct writer *writer, uint64_t run, const char *json)
{
    return update_run(writer, "UPDATE t_run SET sandbox = ?2 WHERE id = ?1 AND ?3 = 0", run, json, 0);
}

int writer_run_loaded(struct writer *writer, uint64_t run, const char *plugin, const char *kind,
                      const char *name, const char *sha256, uint64_t count, const char *problem)
{
    struct db_statement *s;
    int code = writer_open(writer);
    if (code == 0)
        code = db_prepare(writer->db, "INSERT INTO t_run_loaded VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)", &s);
    if (code)
        return code;
    db_bind_u64(s, 1, run);
    db_bind_text(s, 2, plugin);
    db_bind_text(s, 3, kind);
    db_bind_text(s, 4, name);
    db_bind_text(s, 5, sha256);
    db_bind_u64(s, 6, count);
    db_bind_text(s, 7, problem);
    code = db_run(s);
    db_finalize(s);
    return code;
}

/* ------------------------------------------------------------------ plugins and records */

static int prepare_insert(struct writer *writer, const struct record_type *type, const char *table,
                          struct db_statement **ret)
{
    struct buf text = {0};
    buf_printf(&text, "INSERT INTO %s VALUES (?1, ?2, ?3", table);
    for (size_t i = 0; i < type->field_count; i++)
        buf_printf(&text, ", ?%zu", i + 4);
    buf_text(&text, ")");
    int code = buf_failed(&text) ? -ENOMEM : db_prepare(writer->db, buf_cstr(&text), ret);
    buf_finish(&text);
    return code;
}

/* The text of documents has no table in the case: it goes to index.db. Its form is that of plugins/text. */
static bool is_words(const char *plugin, const struct record_type *type)
{
    return strcmp(plugin, "text") == 0 && strcmp(type->name, "page") == 0 && type->field_count == 2 &&
           type->fields[0].kind == FIELD_U64 && type->fields[1].kind == FIELD_BYTES;
}

static int learn_words(struct writer *writer, struct writer_plugin_tables *tables, size_t index)
{
    tables->words = (uint32_t)index + 1;
    return writer->index ? 0 : index_open(writer->cf, &writer->index, &writer->index_why);
}

/* 1 when the table is new: the views do not show it yet. */
static int learn_type(struct writer *writer, struct writer_plugin_tables *tables, size_t index,
                      const char *plugin, uint32_t version, const struct record_type *type)
{
    char table[RECORD_TABLE_SIZE];
    struct db_statement *insert;
    int made = record_table_make(writer->db, plugin, version, type, table);
    int code = made < 0 ? made : prepare_insert(writer, type, table, &insert);
    if (code)
        return code;
    db_finalize(tables->inserts[index]);
    tables->inserts[index] = insert;
    tables->fields[index].count = type->field_count;
    for (size_t f = 0; f < type->field_count; f++)
        tables->fields[index].kinds[f] = (uint8_t)type->fields[f].kind;
    return made;
}

int writer_plugin(struct writer *writer, uint32_t index, const char *name, uint32_t version,
                  struct record_type *const *types, size_t type_count)
{
    if (index >= WRITER_PLUGINS_MAX || type_count > WRITER_TYPES_MAX)
        return -E2BIG;
    bool any = false;
    int code = writer_open(writer);
    for (size_t t = 0; code == 0 && t < type_count; t++) {
        if (is_words(name, types[t])) {
            code = learn_words(writer, &writer->plugins[index], t);
            continue;
        }
        int made = learn_type(writer, &writer->plugins[index], t, name, version, types[t]);
        code = made < 0 ? made : 0;
        any = any || made == 1;
    }
    return code == 0 && any ? views_make(writer->db) : code;
}

static void bind_value(struct db_statement *s, int parameter, enum field_kind kind, const struct value *value)
{
    if (!value->present || (kind == FIELD_WHEN && value->as.i64 == WHEN_NONE)) {
        db_bind_null(s, parameter);
        return;
    }
    switch (kind) {
    case FIELD_U64:
        db_bind_u64(s, parameter, value->as.u64);
        break;
    case FIELD_I64:
    case FIELD_WHEN:
        db_bind_i64(s, parameter, value->as.i64);
        break;
    case FIELD_TEXT:
    case FIELD_JSON:
        db_bind_text_n(s, parameter, value->as.bytes.data, value->as.bytes.size);
        break;
    case FIELD_BYTES:
        db_bind_bytes(s, parameter, value->as.bytes.data, value->as.bytes.size);
        break;
    }
}

int writer_record(struct writer *writer, uint64_t attempt, uint64_t stream, uint32_t plugin, uint32_t type,
                  uint64_t ordinal, const struct value *values)
{
    int code = writer_open(writer);
    if (code)
        return code;
    assert(plugin < WRITER_PLUGINS_MAX && type < WRITER_TYPES_MAX);
    struct writer_plugin_tables *tables = &writer->plugins[plugin];
    struct db_statement *s = tables->inserts[type];
    if (tables->words == type + 1) {
        if (!values[0].present || !values[1].present)
            return -EBADMSG;
        code = index_add(writer->index, attempt, stream, values[1].as.bytes.data, values[1].as.bytes.size,
                         values[0].as.u64 != 0);
        return code == -EINVAL ? -EBADMSG : indexed(writer, code);
    }
    if (!s)
        return db_last_code(writer->db);
    db_bind_u64(s, 1, stream);
    db_bind_u64(s, 2, attempt);
    db_bind_u64(s, 3, ordinal);
    for (size_t i = 0; i < tables->fields[type].count; i++)
        bind_value(s, (int)i + 4, (enum field_kind)tables->fields[type].kinds[i], &values[i]);
    return db_run(s);
}
