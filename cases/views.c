/*
 * views: made from tables of columns, because their shape depends on which record tables exist.
 */
#include "cases/views.h"

#include "cases/views_private.h"

#include "cases/names.h"
#include "engine/base/buf.h"

#include <stdlib.h>
#include <string.h>

/* A record as json_object, from "name:kind,name:kind". SQLite takes at most 127 arguments: RECORD_FIELDS_MAX
 * needs 64. */
static void put_json(struct buf *sql, const char *fields)
{
    char *copy = strdup(fields), *save = NULL;
    bool comma = false;
    buf_text(sql, "json_object(");
    for (char *field = copy ? strtok_r(copy, ",", &save) : NULL; field; field = strtok_r(NULL, ",", &save)) {
        char *kind = strchr(field, ':');
        if (!kind)
            continue;
        *kind++ = 0;
        buf_printf(sql, "%s'%s', ", comma ? ", " : "", field);
        if (strcmp(kind, "bytes") == 0)
            buf_printf(sql, "CASE WHEN r.\"%s\" IS NOT NULL THEN lower(hex(r.\"%s\")) END", field, field);
        else if (strcmp(kind, "json") == 0)
            buf_printf(sql, "json(r.\"%s\")", field);
        else
            buf_printf(sql, "r.\"%s\"", field);
        comma = true;
    }
    buf_text(sql, ")");
    if (!copy)
        sql->failed = true;
    free(copy);
}

int views_finding(struct db *db, struct buf *sql)
{
    struct db_statement *s;
    bool any = false;
    int code = db_prepare(
        db, "SELECT plugin, name, version, fields, table_name FROM t_record_type ORDER BY plugin, name", &s);
    if (code)
        return code;
    while ((code = db_step(s)) == 1) {
        buf_printf(
            sql,
            "%sSELECT x.label AS exhibit, s.path AS path, '%s' AS plugin, '%s' AS type, %lld AS version, "
            "r.ordinal AS ordinal, ",
            any ? " UNION ALL " : "", db_text(s, 0), db_text(s, 1), (long long)db_i64(s, 2));
        put_json(sql, db_text(s, 3));
        buf_printf(sql,
                   " AS data, r.attempt AS attempt, r.stream AS stream, a.pass AS pass, a.run AS run FROM \"%s\" r" OF_ANY_PASS("r"),
                   db_text(s, 4));
        any = true;
    }
    db_finalize(s);
    if (!any)
        buf_text(
            sql,
            "SELECT NULL AS exhibit, NULL AS path, NULL AS plugin, NULL AS type, NULL AS version, NULL AS "
            "ordinal, NULL AS data, NULL AS attempt, NULL AS stream, NULL AS pass, NULL AS run WHERE 0");
    return code;
}

static int make_finding(struct db *db)
{
    struct buf sql = {0};
    buf_text(&sql, "CREATE VIEW finding AS ");
    int code = views_finding(db, &sql);
    int made = views_exec(db, &sql);
    return code ? code : made;
}

static int make_all(struct db *db)
{
    int code = db_exec(db, "DROP VIEW IF EXISTS file; DROP VIEW IF EXISTS match; DROP VIEW IF EXISTS carved; "
                           "DROP VIEW IF EXISTS picture; DROP VIEW IF EXISTS keyword; DROP VIEW IF EXISTS known; DROP VIEW IF EXISTS same_content; "
                           "DROP VIEW IF EXISTS member; DROP VIEW IF EXISTS message; "
                           "DROP VIEW IF EXISTS finding");
    if (code == 0)
        code = views_case(db);
    if (code == 0)
        code = views_file(db);
    if (code == 0)
        code = views_records(db);
    if (code == 0)
        code = views_encrypted(db);
    if (code == 0)
        code = views_feature(db);
    return code ? code : make_finding(db);
}

/* All of them, or those that there were. */
int views_make(struct db *db)
{
    int code = db_exec(db, "SAVEPOINT views");
    if (code)
        return code;
    code = make_all(db);
    if (code)
        (void)db_exec(db, "ROLLBACK TO views");
    int released = db_exec(db, "RELEASE views");
    return code ? code : released;
}
