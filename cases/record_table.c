/*
 * record_table: the primary key holds a stream's records together in the order they came, so that reading
 * them, and deleting an attempt, is one range of the table.
 */
#include "cases/record_table.h"

#include "engine/base/buf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *word, *column;
} kinds[] = {
    [FIELD_U64] = {"u64", "INTEGER"},  [FIELD_I64] = {"i64", "INTEGER"}, [FIELD_TEXT] = {"text", "TEXT"},
    [FIELD_BYTES] = {"bytes", "BLOB"}, [FIELD_JSON] = {"json", "TEXT"},  [FIELD_WHEN] = {"when", "INTEGER"},
};

/* 1: known, and the same. */
static int known(struct db *db, const char *plugin, const struct record_type *type, const char *fields)
{
    struct db_statement *s;
    int code =
        db_prepare(db, "SELECT version, fields FROM t_record_type WHERE plugin = ?1 AND name = ?2", &s);
    if (code)
        return code;
    db_bind_text(s, 1, plugin);
    db_bind_text(s, 2, type->name);
    code = db_step(s);
    if (code == 1 && (db_u64(s, 0) != type->version || strcmp(db_text(s, 1), fields) != 0))
        code = -EPROTO;
    db_finalize(s);
    return code;
}

static int make_table(struct db *db, const struct record_type *type, const char *table)
{
    struct buf sql = {0};
    buf_printf(
        &sql,
        "CREATE TABLE \"%s\" (stream INTEGER NOT NULL, attempt INTEGER NOT NULL, ordinal INTEGER NOT NULL",
        table);
    for (size_t i = 0; i < type->field_count; i++)
        buf_printf(&sql, ", \"%s\" %s", type->fields[i].name, kinds[type->fields[i].kind].column);
    buf_text(&sql, ", PRIMARY KEY (stream, attempt, ordinal)) STRICT, WITHOUT ROWID");
    int code = buf_failed(&sql) ? -ENOMEM : db_exec(db, buf_cstr(&sql));
    buf_finish(&sql);
    return code;
}

static int remember(struct db *db, const char *plugin, uint32_t plugin_version,
                    const struct record_type *type, const char *fields, const char *table)
{
    struct db_statement *s;
    int code = db_prepare(db,
                          "INSERT INTO t_record_type VALUES (?1, ?2, ?3, ?4, ?5, ?6) "
                          "ON CONFLICT DO UPDATE SET plugin_version = ?3",
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

/* `plugin` has record.h's form of a name, so that it can stand in SQL. */
static bool is_name(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && length <= RECORD_NAME_MAX && name[0] >= 'a' && name[0] <= 'z' &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == length;
}

int record_table_make(struct db *db, const char *plugin, uint32_t plugin_version,
                      const struct record_type *type, char ret_table[RECORD_TABLE_SIZE])
{
    struct buf fields = {0};
    if (!is_name(plugin) || !record_type_is_valid(type))
        return -EINVAL;
    if (strcmp(plugin, type->name) == 0)
        snprintf(ret_table, RECORD_TABLE_SIZE, "rec_%s", plugin);
    else
        snprintf(ret_table, RECORD_TABLE_SIZE, "rec_%s_%s", plugin, type->name);
    for (size_t i = 0; i < type->field_count; i++)
        buf_printf(&fields, "%s%s:%s", i ? "," : "", type->fields[i].name, kinds[type->fields[i].kind].word);
    int code = buf_failed(&fields) ? -ENOMEM : known(db, plugin, type, buf_cstr(&fields));
    bool made = code == 0;
    if (made)
        code = make_table(db, type, ret_table);
    if (code >= 0)
        code = remember(db, plugin, plugin_version, type, buf_cstr(&fields), ret_table);
    buf_finish(&fields);
    return code ? code : made;
}

int record_tables_each(struct db *db, int (*each)(void *context, const char *table), void *context)
{
    struct db_statement *s;
    int code = db_prepare(db, "SELECT table_name FROM t_record_type ORDER BY plugin, name", &s);
    if (code)
        return code;
    while ((code = db_step(s)) == 1) {
        code = each(context, db_text(s, 0));
        if (code < 0)
            break;
    }
    db_finalize(s);
    return code;
}
