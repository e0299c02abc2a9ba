/*
 * plan_private: what plan.c (the cut) and plan_read.c (reading what was cut) share.
 */
#ifndef KVALI_CASES_PLAN_PRIVATE_H
#define KVALI_CASES_PLAN_PRIVATE_H

#include "cases/plan.h"

/* A part's contents as rows, whose text is its digest; ?1 is its number. */
#define PART_LINES(streams, exhibits, part)                                                                  \
    "SELECT x.label, s.id, s.locator, s.path, s.extension, s.kind, s.deleted, s.size, s.disk, s.without, "   \
    "s.tries, s.lost FROM " streams " JOIN " exhibits " x ON x.id = s.exhibit WHERE " part                   \
    " = ?1 ORDER BY x.label, s.disk, s.locator"

/* SHA-256 of what PART_LINES gives. */
int plan_part_sha256(struct db *db, const char *sql, uint64_t part, char ret[SHA256_HEX_SIZE]);
/* Of everything in plan.db but its id. */
int plan_sha256(struct db *db, char ret[SHA256_HEX_SIZE]);

#endif
