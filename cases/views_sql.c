/*
 * views_sql: from lists of columns to CREATE VIEW.
 *
 * A time is shown twice: as RFC 3339 text in UTC, exactly as when_format writes it, and as <name>_ns. Times
 * before 1970 are negative and SQL's division cuts towards zero, so the second is taken one lower where a
 * fraction is left.
 */
#include "cases/views_private.h"

#include <errno.h>

static void put_when(struct buf *sql, const struct view_column *c)
{
    const char *x = c->sql;
    buf_printf(
        sql, "strftime('%%Y-%%m-%%dT%%H:%%M:%%S', %s / 1000000000 - (%s %% 1000000000 < 0), 'unixepoch') || ",
        x, x);
    buf_printf(sql, "CASE WHEN %s %% 1000000000 = 0 THEN '' ", x);
    buf_printf(sql, "WHEN %s %% 1000000 = 0 THEN printf('.%%03d', (%s / 1000000 %% 1000 + 1000) %% 1000) ", x,
               x);
    buf_printf(sql, "WHEN %s %% 1000 = 0 THEN printf('.%%06d', (%s / 1000 %% 1000000 + 1000000) %% 1000000) ",
               x, x);
    buf_printf(sql, "ELSE printf('.%%09d', (%s %% 1000000000 + 1000000000) %% 1000000000) END || 'Z' AS %s, ",
               x, c->name);
    buf_printf(sql, "%s AS %s_ns", x, c->name);
}

bool views_put_columns(struct buf *sql, const struct view_column *columns, bool comma, bool present)
{
    for (const struct view_column *c = columns; c->form != END; c++, comma = true) {
        if (comma)
            buf_text(sql, ", ");
        if (!present)
            buf_printf(sql, "NULL AS %s", c->name);
        else if (c->form == WHEN)
            put_when(sql, c);
        else if (c->form == BIT)
            buf_printf(sql, "(e.flags & %s) <> 0 AS %s", c->sql, c->name);
        else
            buf_printf(sql, "%s AS %s", c->sql, c->name);
    }
    return comma;
}

int views_exec(struct db *db, struct buf *sql)
{
    int code = buf_failed(sql) ? -ENOMEM : db_exec(db, buf_cstr(sql));
    buf_finish(sql);
    return code;
}

int views_make_plain(struct db *db, const char *name, const struct view_column *columns, const char *from)
{
    struct buf sql = {0};
    buf_printf(&sql, "CREATE VIEW %s AS SELECT ", name);
    views_put_columns(&sql, columns, false, true);
    buf_printf(&sql, " FROM %s", from);
    return views_exec(db, &sql);
}

int views_make_over(struct db *db, const char *name, const char *table, const struct view_column *columns, const char *from)
{
    struct buf sql = {0};
    if (table && db_has_table(db, table))
        return views_make_plain(db, name, columns, from);
    buf_printf(&sql, "CREATE VIEW %s AS SELECT ", name);
    views_put_columns(&sql, columns, false, false);
    buf_text(&sql, " WHERE 0");
    return views_exec(db, &sql);
}
