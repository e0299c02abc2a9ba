/*
 * part: the file CASE/parts/NNNNNN.part, in which a host gives back what it found in one part of a plan.
 *
 * Two lines of text, then an SQLite database up to the end: "kvali-part 1"; a JSON object with plan, part,
 * sha256 and size of the database, the configuration's SHA-256, the version of kvali, node, actor and times.
 * The database is the case that the host worked in, with its ledger's lines (t_part_ledger) and documents'
 * text (t_part_page) beside. It is written under another name and renamed, so a part is there whole or not at
 * all.
 */
#ifndef KVALI_CASES_PART_H
#define KVALI_CASES_PART_H

#include "cases/casefile.h"

#include <stdint.h>

enum { PART_VERSION = 1, PART_NAME_SIZE = 32 };

/* The two tables that a part has beside those of a case, as SQLite writes them down. */
#define PART_LEDGER_SQL "CREATE TABLE t_part_ledger(line TEXT NOT NULL) STRICT"
#define PART_PAGE_SQL                                                                                        \
    "CREATE TABLE t_part_page(id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, attempt INTEGER NOT NULL, "   \
    "number INTEGER NOT NULL, size INTEGER NOT NULL, packed BLOB NOT NULL) STRICT"

struct part_header {
    uint64_t part, size;
    char plan[SHA256_HEX_SIZE], sha256[SHA256_HEX_SIZE], configuration[SHA256_HEX_SIZE];
    char kvali[64], node[256], actor[256], finished[40];
};

/* "000012.part" */
const char *part_name(uint64_t number, char ret[PART_NAME_SIZE]);

/* Reads and checks what stands before the database. -EBADMSG: it is no part, or damaged; -EPROTO: of another
 * kvali's form; -ENOENT, -EIO. */
int part_read(const char *path, struct part_header *ret_header, struct why *why);
/* Copies the database to `to` (made anew) and checks size and SHA-256. -EBADMSG: damaged or cut short. */
int part_unpack(const char *path, const char *to, struct part_header *ret_header, struct why *why);

/* Is the part there, whole as far as its first lines and its length tell, and of this plan? */
bool part_is_there(const char *folder, const char *plan, uint64_t number);

/* Puts the work case in `scratch` (closed) into CASE/parts of `folder`: written, synced, renamed. */
int part_publish(const char *scratch, const char *folder, const char *plan, uint64_t number,
                 const char *configuration_sha256, struct why *why);

#endif
