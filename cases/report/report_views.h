/*
 * report_views: walks one view of the case, for the formats that are tables of views.
 */
#ifndef KVALI_CASES_REPORT_REPORT_VIEWS_H
#define KVALI_CASES_REPORT_REPORT_VIEWS_H

#include "cases/report/report_formats.h"

/* Calls `head` once, before the first row, and `row` for each row, in the order of the database: the same for
 * the same case. */
struct view_table {
    void (*head)(struct buf *buf, struct db_statement *s); /* NULL: none */
    void (*row)(struct buf *buf, struct db_statement *s);
};
int report_view(struct report_out *out, const struct report_from *from, const struct view_table *table);

#endif
