/* views_private: parts of views_make in files of their own. */
#ifndef KVALI_CASES_VIEWS_PRIVATE_H
#define KVALI_CASES_VIEWS_PRIVATE_H

#include "cases/db.h"
#include "cases/names.h"
#include "engine/base/buf.h"

/* Of all passes: what counts is what a chosen attempt said, and a later pass chooses its own. */
#define OF_ANY_PASS(alias)                                                                                             \
    " JOIN t_attempt a ON a.id = " alias ".attempt AND a.status IN " SQL_CHOSEN " JOIN t_stream s ON s.id = " alias    \
    ".stream JOIN t_exhibit x ON x.id = s.exhibit"

/* feature, histogram, histogram_exhibit, shared_feature: empty while no run had the plugin features. */
int views_feature(struct db *db);

/* Appends what stands behind FROM for the letters of all programs, as `m`; false: no plugin that reads letters has run. */
bool views_letters(struct db *db, struct buf *ret_from);
/* encrypted: what plugins and file systems say is encrypted. */
int views_encrypted(struct db *db);

#endif
