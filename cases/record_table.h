/*
 * record_table: a table for each record type, made from the plugin's own description.
 */
#ifndef KVALI_CASES_RECORD_TABLE_H
#define KVALI_CASES_RECORD_TABLE_H

#include "cases/db.h"
#include "engine/scan/record.h"

enum { RECORD_TABLE_SIZE = 80 }; /* "rec_", a plugin's name, '_', a type's name, NUL */

/* Makes the table of a record type (1), or finds that it is there and the same as before (0); -EPROTO when it
 * is another. `ret_table` is its name. Inside the caller's transaction. */
int record_table_make(struct db *db, const char *plugin, uint32_t plugin_version,
                      const struct record_type *type, char ret_table[RECORD_TABLE_SIZE]);

/* Calls `each` with the name of every record table. A negative return ends. */
int record_tables_each(struct db *db, int (*each)(void *context, const char *table), void *context);

#endif
