/* overwritten: which live contents own blocks that deleted ones had. */
#ifndef KVALI_CASES_OVERWRITTEN_H
#define KVALI_CASES_OVERWRITTEN_H

#include "cases/db.h"

/* Fills t_deleted and t_overwritten, which are empty, inside the caller's transaction. Places are compared
 * within one medium: an exhibit's own, or that of an image inside of it (engine/evidence/image_layer.h). What
 * was voided counts for nothing. 0 or -errno; -E2BIG: the file systems say of their places what cannot be, so
 * that there would be no end of owners, and nothing is said of any. */
int overwritten_fill(struct db *db);

#endif
