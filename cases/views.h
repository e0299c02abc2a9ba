/*
 * views: the stable views file, match, fault, note, exhibit, run, run_loaded, volume, finding (documented in
 * README.md). Those that show records are remade when a record type becomes known; columns whose plugin has
 * never run are NULL.
 */
#ifndef KVALI_CASES_VIEWS_H
#define KVALI_CASES_VIEWS_H

#include "cases/db.h"
#include "engine/scan/record.h"

/* Drops and makes all views for the record tables that are there. Inside the caller's transaction. */
int views_make(struct db *db);

/* Makes the table of a record type, or checks that it is the same as before: -EPROTO. `ret_table` (64 bytes)
 * is its name. */
int record_table_make(struct db *db, const char *plugin, uint32_t plugin_version,
                      const struct record_type *type, char ret_table[64]);

#endif
