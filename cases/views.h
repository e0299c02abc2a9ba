/*
 * views: the stable views file, match, fault, note, exhibit, image_hash, run, run_loaded, volume, stream,
 * account, overwritten, carved, finding (documented in README.md). Those that show records are remade when a record type becomes known; the
 * columns of a plugin that has never run are NULL.
 */
#ifndef KVALI_CASES_VIEWS_H
#define KVALI_CASES_VIEWS_H

#include "cases/db.h"
#include "engine/base/buf.h"

/* Drops and makes all views for the record tables that are there. Inside the caller's transaction. */
int views_make(struct db *db);

/* Appends the SELECT that the view `finding` is made of. We open cases with trusted_schema off, and then
 * SQLite lets no view call json_object: a statement of ours says it in a WITH of its own. */
int views_finding(struct db *db, struct buf *sql);

#endif
