/* report_views: see report_views.h. */
#include "cases/report/report_views.h"

#include "cases/views.h"

#include <errno.h>
#include <string.h>

/* The view `finding` cannot be asked by its name here: views.h says why. `name` is one of the database's own,
 * checked. */
static int select_of(struct db *db, const char *name, struct buf *sql)
{
    if (strcmp(name, "finding") == 0)
        return views_finding(db, sql);
    buf_printf(sql, "SELECT * FROM \"%s\"", name);
    return 0;
}

int report_view(struct report_out *out, const struct report_from *from, const struct view_table *table)
{
    struct db *db = casefile_db(from->cf);
    struct db_statement *s = NULL;
    struct buf sql = {0};
    int code = select_of(db, from->view, &sql);
    if (code == 0)
        code = buf_failed(&sql) ? -ENOMEM : db_prepare(db, buf_cstr(&sql), &s);
    buf_finish(&sql);
    if (code == 0 && table->head)
        table->head(&out->buf, s);
    while (code == 0 && (code = db_step(s)) == 1) {
        table->row(&out->buf, s);
        code = report_out_row(out);
    }
    db_finalize(s);
    return code;
}
