/* views_private: parts of views_make in files of their own. */
#ifndef KVALI_CASES_VIEWS_PRIVATE_H
#define KVALI_CASES_VIEWS_PRIVATE_H

#include "cases/db.h"
#include "cases/names.h"
#include "engine/base/buf.h"

#include <stdbool.h>

/* Of all passes: what counts is what a chosen attempt said, and a later pass chooses its own. */
#define OF_ANY_PASS(alias)                                                                                             \
    " JOIN t_attempt a ON a.id = " alias ".attempt AND a.status IN " SQL_CHOSEN " JOIN t_stream s ON s.id = " alias    \
    ".stream JOIN t_exhibit x ON x.id = s.exhibit"

enum view_form {
    PLAIN,
    WHEN, /* nanoseconds or NULL: <name> and <name>_ns */
    BIT,  /* of e.flags; `sql` is the mask */
    END,
};

/* Lists of these end with END. */
struct view_column {
    const char *name, *sql;
    enum view_form form;
};

/* hex(NULL) is an empty text, not NULL. */
#define HEX(x) "CASE WHEN " x " IS NOT NULL THEN lower(hex(" x ")) END"

/* views_sql.c: from columns to SQL. With `present` false every column is NULL; returns whether a comma is due before what follows. */
bool views_put_columns(struct buf *sql, const struct view_column *columns, bool comma, bool present);
/* Runs it and frees it. */
int views_exec(struct db *db, struct buf *sql);
int views_make_plain(struct db *db, const char *name, const struct view_column *columns, const char *from);
/* Over a record table that may not be there yet: then it has no rows. `table` NULL: it is not there. */
int views_make_over(struct db *db, const char *name, const char *table, const struct view_column *columns,
                    const char *from);

/* file: entries and what stands inside others, with what record tables have one row a stream of. */
int views_file(struct db *db);
/* exhibit, image_hash, run, run_loaded, volume, account, overwritten, fault, pass, note, stream: what kvali itself keeps. */
int views_case(struct db *db);
/* match, keyword, carved, picture, known, same_content, member, message: what plugins say. */
int views_records(struct db *db);

/* feature, histogram, histogram_exhibit, shared_feature: empty while no run had the plugin features. */
int views_feature(struct db *db);
/* For histogram.c: makes t_value where it is not there; fills it, which must be empty, by SQL alone. */
int views_feature_table(struct db *db);
int views_feature_count(struct db *db);

/* Appends what stands behind FROM for the letters of all programs, as `m`; false: no plugin that reads letters has run. */
bool views_letters(struct db *db, struct buf *ret_from);
/* encrypted: what plugins and file systems say is encrypted. */
int views_encrypted(struct db *db);

#endif
