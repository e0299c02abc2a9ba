/*
 * names: the words in which enumerations stand in the database and in views, and the states of streams and
 * tasks.
 */
#ifndef KVALI_CASES_NAMES_H
#define KVALI_CASES_NAMES_H

/* t_stream.status, t_expand.status, t_scan.status (GIVEN_UP only there) */
enum work_status { WORK_PENDING, WORK_DONE, WORK_PARTIAL, WORK_FAILED, WORK_VOID, WORK_GIVEN_UP };

/* t_attempt.status of attempts that can be chosen. */
#define SQL_CHOSEN "('done', 'partial', 'failed')"

/* SQL expressions of one operand. */
#define SQL_KIND_WORD(x)                                                                                     \
    "CASE " x                                                                                                \
    " WHEN 0 THEN 'image' WHEN 1 THEN 'raw' WHEN 2 THEN 'file' WHEN 3 THEN 'ads' WHEN 4 THEN 'meta' "        \
    "WHEN 5 THEN 'slack' WHEN 6 THEN 'free' WHEN 7 THEN 'child' WHEN 8 THEN 'carved' END"
#define SQL_TYPE_WORD(x)                                                                                     \
    "CASE " x                                                                                                \
    " WHEN 0 THEN 'file' WHEN 1 THEN 'folder' WHEN 2 THEN 'link' WHEN 3 THEN 'fifo' WHEN 4 THEN 'chardev' "  \
    "WHEN 5 THEN 'blockdev' WHEN 6 THEN 'socket' WHEN 7 THEN 'whiteout' WHEN 8 THEN 'virtual' ELSE "         \
    "'unknown' END"
#define SQL_ACCOUNT_WORD(x)                                                                                  \
    "CASE " x " WHEN 0 THEN 'share' WHEN 1 THEN 'live' WHEN 2 THEN 'slack' WHEN 3 THEN 'structures' WHEN 4 " \
              "THEN 'deleted' "                                                                              \
    "WHEN 5 THEN 'free' WHEN 6 THEN 'outside' WHEN 7 THEN 'raw' WHEN 8 THEN 'table' WHEN 9 THEN "            \
    "'allocated' END"
/* Of the content of t_stream s that is in the evidence: s itself, or what it was found in. Before its last '>' stand the steps to
 * the medium that places in it are of (engine/evidence/image_layer.h). Most contents are in nothing, and a recursion for each of
 * them takes long; a case from somebody may say that contents lie in each other: UNION ends there. */
#define SQL_OUTER_LOCATOR                                                                                    \
    "(CASE WHEN s.parent IS NULL THEN s.locator ELSE (WITH RECURSIVE up(parent, locator) AS "                 \
    "(SELECT s.parent, s.locator UNION SELECT t.parent, t.locator FROM up JOIN t_stream t ON t.id = "    \
    "up.parent) SELECT locator FROM up WHERE parent IS NULL) END)"
#define SQL_STATUS_WORD(x)                                                                                   \
    "CASE " x " WHEN 0 THEN 'pending' WHEN 1 THEN 'done' WHEN 2 THEN 'partial' WHEN 3 THEN 'failed' END"

#endif
