/*
 * views: the stable views file, match, fault, note, exhibit, image_hash, run, run_loaded, volume, stream,
 * finding (documented in README.md). Those that show records are remade when a record type becomes known; the
 * columns of a plugin that has never run are NULL.
 */
#ifndef KVALI_CASES_VIEWS_H
#define KVALI_CASES_VIEWS_H

#include "cases/db.h"

/* Drops and makes all views for the record tables that are there. Inside the caller's transaction. */
int views_make(struct db *db);

#endif
