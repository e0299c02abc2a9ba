/*
 * views: made from code because their shape depends on which record tables exist. Times are shown as RFC 3339
 * UTC; strftime works on whole seconds, rounded towards the past, so that times before 1970 come out right.
 */
#include "cases/views.h"

#include "cases/names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ns since 1970 as text; the fraction only when there is one. */
#define SQL_WHEN(x)                                                                                          \
    "CASE WHEN " x " IS NULL THEN NULL ELSE strftime('%Y-%m-%dT%H:%M:%S', "                                  \
    "(" x " - ((" x " % 1000000000) + 1000000000) % 1000000000) / 1000000000, 'unixepoch') || "              \
    "CASE WHEN " x " % 1000000000 = 0 THEN '' ELSE printf('.%09d', ((" x                                     \
    " % 1000000000) + 1000000000) % 1000000000) END || 'Z' END"

/* hex(NULL) is an empty text, not NULL. */
#define HEX(x) "CASE WHEN " x " IS NOT NULL THEN lower(hex(" x ")) END"

#define FLAG(bit) "(e.flags & " bit ") <> 0"

static const char file_head[] =
    "CREATE VIEW file AS SELECT x.label AS exhibit, e.path AS path, "
    "CAST(e.name AS TEXT) AS name, e.name AS name_bytes, e.volume AS volume, e.inode AS inode, e.sequence AS "
    "sequence, "
    "e.parent_inode AS parent_inode, e.attribute AS attribute, " SQL_TYPE_WORD(
        "e.type") " AS type, " SQL_KIND_WORD("e.kind") " AS kind, e.size AS size, e.allocated AS "
                                                       "allocated_size, "
                                                       "(e.flags & 3) = 0 AS live, (e.flags & 1) <> 0 AS "
                                                       "deleted, (e.flags & 2) <> 0 AS "
                                                       "content_deleted, " FLAG("4") " AS reallocated, " FLAG("8") " AS orphan, " FLAG("16") " AS unnamed, " FLAG("32") " AS resident, " FLAG(
                                                           "64") " AS compressed, " FLAG("128") " AS "
                                                                                                "sparse,"
                                                                                                " " FLAG("25"
                                                                                                         "6") " AS encrypted, " FLAG("512") " AS metadata, " FLAG("1024") " AS time_out_of_range, " FLAG("2048") " AS no_metadata, "
                                                                                                                                                                                                                 "e.mode AS mode, e.uid AS uid, e.gid AS gid, e.links AS links, " SQL_WHEN("e.modified") " AS modified, " SQL_WHEN("e.accessed") " AS accessed, " SQL_WHEN(
                                                                                                                                                                                                                     "e.changed") " AS changed, " SQL_WHEN("e.born") " AS born, " SQL_WHEN("e.removed") " AS deleted_at, "
                                                                                                                                                                                                                                                                                                        "e.modified AS modified_ns, e.accessed AS accessed_ns, e.changed AS changed_ns, e.born AS born_ns, e.removed AS deleted_at_ns, " SQL_WHEN("e.name_modified") " AS name_modified, " SQL_WHEN("e.name_accessed") " AS name_accessed, " SQL_WHEN("e.name_changed") " AS name_changed, " SQL_WHEN(
                                                                                                                                                                                                                                                                                                            "e.name_born") " AS name_born, "
                                                                                                                                                                                                                                                                                                                           "e.raw_times AS raw_times, e.target AS target, s.runs AS runs, s.runs_cut AS runs_cut, s.size AS content_size, " SQL_STATUS_WORD(
                                                                                                                                                                                                                                                                                                                               "s.status") " AS status, s.read AS bytes_read, s.unread AS bytes_unread, s.without AS without_plugins, "
                                                                                                                                                                                                                                                                                                                                           "s.locator AS locator, s.id AS stream, s.attempt AS attempt";

/* Columns from record tables: what to select when the table is there, and the same as NULLs when not. */
static const struct {
    const char *table, *alias, *columns, *nulls;
} joins[] = {
    {"rec_digest", "d",
     HEX("d.md5") " AS md5, " HEX("d.sha1") " AS sha1, " HEX("d.sha256") " AS sha256, " HEX("d.xxh3") " AS xxh3, "
     "d.unread = 0 AS hash_complete",
     "NULL AS md5, NULL AS sha1, NULL AS sha256, NULL AS xxh3, NULL AS hash_complete"},
    {"rec_filetype", "t",
     "t.mime AS mime, t.description AS description, t.extension_expected AS extension_expected, t.mismatch "
     "AS mismatch",
     "NULL AS mime, NULL AS description, NULL AS extension_expected, NULL AS mismatch"},
    {"rec_entropy", "n", "n.entropy AS entropy", "NULL AS entropy"},
};

static const char *const plain_views[] = {
    "CREATE VIEW exhibit AS SELECT label AS exhibit, id, path, name, type, size, sector_size, segments, "
    "details, unsupported, damage, "
    "failed, md5, sha1, sha256, unread AS bytes_unread, verification, " SQL_WHEN(
        "verified_at") " AS verified_at, " SQL_WHEN("added") " AS added FROM t_exhibit",

    "CREATE VIEW image_hash AS SELECT x.label AS exhibit, h.algorithm, h.hex, h.source, h.result FROM "
    "t_image_hash h "
    "JOIN t_exhibit x ON x.id = h.exhibit",

    "CREATE VIEW run AS SELECT id, " SQL_WHEN("started") " AS started, " SQL_WHEN(
        "ended") " AS ended, status, settings, "
                 "settings_sha256, versions, host, sandbox FROM t_run",

    "CREATE VIEW run_loaded AS SELECT run, plugin, kind, name, sha256, count, problem FROM t_run_loaded",

    "CREATE VIEW volume AS SELECT x.label AS exhibit, v.key, v.parent, v.partition_table, v.type, v.label, "
    "v.offset, v.size, v.filesystem, "
    "v.content, v.block_size, v.block_count, v.fs_size, v.serial, v.time_note, v.expand, v.raw, "
    "CASE v.use WHEN 0 THEN 'allocated' WHEN 1 THEN 'gap' ELSE 'table' END AS use FROM t_volume v JOIN "
    "t_exhibit x ON x.id = v.exhibit",

    "CREATE VIEW fault AS SELECT x.label AS exhibit, CASE WHEN f.path = '' AND s.path IS NOT NULL THEN "
    "s.path ELSE f.path END AS path, "
    "f.volume, f.stage, f.plugin, f.offset, f.size, f.kind, f.effect, f.detail, f.attempt, f.stream "
    "FROM t_fault f JOIN t_exhibit x ON x.id = f.exhibit LEFT JOIN t_stream s ON s.id = f.stream "
    "LEFT JOIN t_attempt a ON a.id = f.attempt WHERE f.attempt IS NULL OR a.status IN ('done', 'partial', "
    "'failed')",

    "CREATE VIEW note AS SELECT x.label AS exhibit, s.path, n.plugin, n.offset, n.text, n.attempt, n.stream "
    "FROM t_note n "
    "JOIN t_stream s ON s.id = n.stream AND s.attempt = n.attempt JOIN t_exhibit x ON x.id = s.exhibit",

    "CREATE VIEW stream AS SELECT x.label AS exhibit, s.id, s.path, " SQL_KIND_WORD(
        "s.kind") " AS kind, s.deleted, s.size, s.locator, " SQL_STATUS_WORD("s.status") " AS status, s.read "
                                                                                         "AS bytes_read, "
                                                                                         "s.unread AS "
                                                                                         "bytes_unread, "
                                                                                         "s.without AS "
                                                                                         "without_plugins, "
                                                                                         "s.tries, "
                                                                                         "s.parent, "
                                                                                         "s.plugin, "
                                                                                         "s.child_offset, "
                                                                                         "s.runs, s.attempt "
                                                                                         "FROM t_stream s "
                                                                                         "JOIN t_exhibit x "
                                                                                         "ON x.id = "
                                                                                         "s.exhibit",
};

static const char *const names[] = {"file",       "match", "fault",  "note",   "exhibit", "image_hash",
                                    "run_loaded", "run",   "volume", "stream", "finding"};

static bool has_table(struct db *db, const char *name)
{
    struct db_statement *s;
    if (db_prepare(db, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1", &s))
        return false;
    db_bind_text(s, 1, name);
    bool there = db_step(s) == 1;
    db_finalize(s);
    return there;
}

static int exec_buf(struct db *db, struct buf *sql)
{
    int code = buf_failed(sql) ? -ENOMEM : db_exec(db, buf_cstr(sql));
    buf_finish(sql);
    return code;
}

/* Rows: one an entry; and child streams, which no file system names, as entries of their own. */
static int make_file(struct db *db)
{
    struct buf sql = {0};
    buf_text(&sql, file_head);
    for (size_t i = 0; i < sizeof joins / sizeof *joins; i++)
        buf_printf(&sql, ", %s", has_table(db, joins[i].table) ? joins[i].columns : joins[i].nulls);
    buf_text(&sql, " FROM (SELECT exhibit, path, name, volume, inode, sequence, parent_inode, attribute, "
                   "type, kind, size, allocated, flags, "
                   "mode, uid, gid, links, modified, accessed, changed, born, removed, name_modified, "
                   "name_accessed, name_changed, "
                   "name_born, raw_times, target, stream FROM t_entry UNION ALL "
                   "SELECT exhibit, path, name, '', 0, 0, 0, '', 0, kind, size, 0, deleted * 3, 0, 0, 0, 0, "
                   "NULL, NULL, NULL, NULL, NULL, "
                   "NULL, NULL, NULL, NULL, '', '', id FROM t_stream WHERE parent IS NOT NULL) e "
                   "JOIN t_exhibit x ON x.id = e.exhibit LEFT JOIN t_stream s ON s.id = e.stream");
    for (size_t i = 0; i < sizeof joins / sizeof *joins; i++)
        if (has_table(db, joins[i].table))
            buf_printf(&sql, " LEFT JOIN %s %s ON %s.stream = s.id AND %s.attempt = s.attempt",
                       joins[i].table, joins[i].alias, joins[i].alias, joins[i].alias);
    return exec_buf(db, &sql);
}

static int make_match(struct db *db)
{
    if (!has_table(db, "rec_yara_match"))
        return db_exec(db, "CREATE VIEW match AS SELECT NULL AS exhibit, NULL AS path, NULL AS rule, NULL AS "
                           "namespace, NULL AS tags, "
                           "NULL AS meta, NULL AS strings, NULL AS string_count, NULL AS severity, NULL AS "
                           "attempt, NULL AS stream WHERE 0");
    return db_exec(db, "CREATE VIEW match AS SELECT x.label AS exhibit, s.path, m.rule, m.namespace, m.tags, "
                       "m.meta, m.strings, "
                       "m.string_count, m.severity, m.attempt, m.stream FROM rec_yara_match m JOIN t_stream "
                       "s ON s.id = m.stream AND "
                       "s.attempt = m.attempt JOIN t_exhibit x ON x.id = s.exhibit");
}

/* "name:kind,name:kind" as json_object arguments. */
static void json_arguments(struct buf *sql, const char *fields)
{
    char *copy = strdup(fields), *save = NULL;
    bool first = true;
    for (char *field = copy ? strtok_r(copy, ",", &save) : NULL; field; field = strtok_r(NULL, ",", &save)) {
        char *kind = strchr(field, ':');
        if (!kind)
            continue;
        *kind++ = 0;
        const char *form = strcmp(kind, "bytes") == 0  ? "lower(hex(r.\"%s\"))"
                           : strcmp(kind, "json") == 0 ? "json(r.\"%s\")"
                                                       : "r.\"%s\"";
        buf_printf(sql, "%s'%s', ", first ? "" : ", ", field);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        buf_printf(sql, form, field);
#pragma GCC diagnostic pop
        first = false;
    }
    free(copy);
}

static int make_finding(struct db *db)
{
    struct db_statement *s;
    struct buf sql = {0};
    int code = db_prepare(
        db, "SELECT plugin, name, version, fields, table_name FROM t_record_type ORDER BY plugin, name", &s);
    if (code)
        return code;
    buf_text(&sql, "CREATE VIEW finding AS ");
    bool any = false;
    while ((code = db_step(s)) == 1) {
        buf_printf(&sql,
                   "%sSELECT x.label AS exhibit, s.path AS path, '%s' AS plugin, '%s' AS type, %lld AS "
                   "version, r.ordinal AS ordinal, "
                   "json_object(",
                   any ? " UNION ALL " : "", db_text(s, 0), db_text(s, 1), (long long)db_i64(s, 2));
        json_arguments(&sql, db_text(s, 3));
        buf_printf(&sql,
                   ") AS data, r.attempt AS attempt, r.stream AS stream FROM %s r JOIN t_stream s ON s.id = "
                   "r.stream AND "
                   "s.attempt = r.attempt JOIN t_exhibit x ON x.id = s.exhibit",
                   db_text(s, 4));
        any = true;
    }
    db_finalize(s);
    if (!any)
        buf_text(&sql, "SELECT NULL AS exhibit, NULL AS path, NULL AS plugin, NULL AS type, NULL AS version, "
                       "NULL AS ordinal, NULL AS data, "
                       "NULL AS attempt, NULL AS stream WHERE 0");
    int made = exec_buf(db, &sql);
    return code ? code : made;
}

int views_make(struct db *db)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < sizeof names / sizeof *names; i++) {
        char sql[64];
        snprintf(sql, sizeof sql, "DROP VIEW IF EXISTS \"%s\"", names[i]);
        code = db_exec(db, sql);
    }
    for (size_t i = 0; code == 0 && i < sizeof plain_views / sizeof *plain_views; i++)
        code = db_exec(db, plain_views[i]);
    if (code == 0)
        code = make_file(db);
    if (code == 0)
        code = make_match(db);
    return code ? code : make_finding(db);
}

/* ------------------------------------------------------------------ record tables */

static const char *kind_word(enum field_kind kind)
{
    static const char *const words[] = {"u64", "i64", "text", "bytes", "json", "when"};
    return words[kind];
}

static const char *column_type(enum field_kind kind)
{
    static const char *const types[] = {"INTEGER", "INTEGER", "TEXT", "BLOB", "TEXT", "INTEGER"};
    return types[kind];
}

static int known_as(struct db *db, const char *plugin, const struct record_type *type, const char *fields)
{
    struct db_statement *s;
    int code =
        db_prepare(db, "SELECT version, fields FROM t_record_type WHERE plugin = ?1 AND name = ?2", &s);
    if (code)
        return code;
    db_bind_text(s, 1, plugin);
    db_bind_text(s, 2, type->name);
    code = db_step(s);
    if (code == 1 && ((uint64_t)db_i64(s, 0) != type->version || strcmp(db_text(s, 1), fields) != 0))
        code = -EPROTO;
    db_finalize(s);
    return code;
}

static int make_table(struct db *db, const struct record_type *type, const char *table)
{
    struct buf sql = {0};
    buf_printf(&sql,
               "CREATE TABLE %s (stream INTEGER NOT NULL, attempt INTEGER NOT NULL, ordinal INTEGER NOT NULL",
               table);
    for (size_t i = 0; i < type->field_count; i++)
        buf_printf(&sql, ", \"%s\" %s", type->fields[i].name, column_type(type->fields[i].kind));
    buf_text(&sql, ", PRIMARY KEY (stream, attempt, ordinal)) STRICT, WITHOUT ROWID");
    return exec_buf(db, &sql);
}

static int remember(struct db *db, const char *plugin, uint32_t plugin_version,
                    const struct record_type *type, const char *fields, const char *table)
{
    struct db_statement *s;
    int code = db_prepare(db,
                          "INSERT INTO t_record_type VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE "
                          "SET plugin_version = ?3",
                          &s);
    if (code)
        return code;
    db_bind_text(s, 1, plugin);
    db_bind_text(s, 2, type->name);
    db_bind_u64(s, 3, plugin_version);
    db_bind_u64(s, 4, type->version);
    db_bind_text(s, 5, fields);
    db_bind_text(s, 6, table);
    code = db_run(s);
    db_finalize(s);
    return code;
}

int record_table_make(struct db *db, const char *plugin, uint32_t plugin_version,
                      const struct record_type *type, char ret_table[64])
{
    struct buf fields = {0};
    if (strcmp(plugin, type->name) == 0)
        snprintf(ret_table, 64, "rec_%s", plugin);
    else
        snprintf(ret_table, 64, "rec_%s_%s", plugin, type->name);
    for (size_t i = 0; i < type->field_count; i++)
        buf_printf(&fields, "%s%s:%s", i ? "," : "", type->fields[i].name, kind_word(type->fields[i].kind));
    int code = known_as(db, plugin, type, buf_cstr(&fields));
    if (code == 0)
        code = make_table(db, type, ret_table);
    if (code >= 0)
        code = remember(db, plugin, plugin_version, type, buf_cstr(&fields), ret_table);
    buf_finish(&fields);
    return code;
}
