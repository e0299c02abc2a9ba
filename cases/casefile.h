/*
 * casefile: a case folder: case.db, ledger.jsonl, exports/, reports/, lock.
 *
 * One process at a time writes (flock on `lock`); any number read. Never linked into a worker.
 */
#ifndef KVALI_CASES_CASEFILE_H
#define KVALI_CASES_CASEFILE_H

#include "cases/db.h"
#include "cases/ledger.h"
#include "engine/base/hash.h"
#include "engine/base/why.h"

#include <stdbool.h>
#include <stdint.h>

enum casefile_mode { CASEFILE_READ, CASEFILE_WRITE, CASEFILE_LEDGER };

struct casefile;

/* Makes the folder (parents must exist) with an empty database of the current schema and the ledger's first
 * record. `number` is the case number as the lab writes it, NULL for the folder's name; `examiner` NULL for
 * the login name. -EEXIST when there is a case already, or the ledger of one whose database is gone; -EBUSY: another makes it. Leaves
 * nothing behind when it fails, and what a kill leaves is no case. */
int casefile_create(const char *folder, const char *number, const char *examiner, struct why *why);

/* CASEFILE_WRITE takes the lock (-EBUSY: another run holds it; `why` names its pid and host) and clears away
 * what an interrupted run left half done (attempts still open). -ENOENT: no case there; -EUCLEAN: damaged,
 * `why` says where; -EPROTO: schema of a newer kvali. CASEFILE_LEDGER takes the lock too, but writes the
 * ledger alone: not a byte of the database changes. */
int casefile_open(const char *folder, enum casefile_mode mode, struct casefile **ret_case, struct why *why);
/* After CASEFILE_WRITE the database remembers the ledger's length and head, so that verify can tell when its
 * end is gone. */
void casefile_close(struct casefile *cf);

/* Does for the database what casefile_close does, so that its bytes lie in case.db alone and stay as they
 * are, and closes it. The ledger can still be written; only casefile_close may follow otherwise. -EBUSY:
 * somebody else reads it. */
int casefile_freeze(struct casefile *cf, struct why *why);

/* What it remembers; a count of 0 when it remembers nothing. */
int casefile_remembered(struct db *db, struct ledger_known *ret);

/* Does somebody write the case now? `ret_holder` is who took the lock last, "pid N on HOST", in
 * any case ("": nobody is named). FREE on a network file system whose locks do not reach other hosts says
 * nothing of those: `ret_elsewhere` is set when the last holder was on another host. */
enum casefile_lock { CASEFILE_FREE, CASEFILE_HELD, CASEFILE_UNKNOWN };
enum casefile_lock casefile_holder(const char *folder, char ret_holder[256], bool *ret_elsewhere);

struct db *casefile_db(struct casefile *cf);
/* What case_digest gave last, and of which state of the database; for digest.c. */
struct casefile_digest {
    char hex[SHA256_HEX_SIZE]; /* "": nothing yet */
    struct db_state state;
};
struct casefile_digest *casefile_digest(struct casefile *cf);
struct ledger *casefile_ledger(struct casefile *cf); /* NULL in CASEFILE_READ */
const char *casefile_folder(const struct casefile *cf);
const char *casefile_number(const struct casefile *cf);

/* Exhibits. `label` is the investigator's number ("EX-1"); unique. `path` is kept absolute. `type` is the
 * image type's name. Writes the ledger too. A second add of the same label and path is no error and gives the
 * same id; the same label with another path is -EEXIST. */
int casefile_add_exhibit(struct casefile *cf, const char *label, const char *path, const char *type,
                         uint64_t *ret_id, struct why *why);

/* Compares the hashes that somebody stored for the exhibit's image with those of the image as it was read,
 * once it was read whole: columns of the exhibit, and a ledger record "verification" with result match,
 * mismatch, partial (some bytes could not be read) or nothing-stored. Does nothing where the image was not
 * read yet, or was verified before. */
int casefile_verify_image(struct casefile *cf, uint64_t exhibit, struct why *why);

/* What an interrupted run left open is cleared away; casefile_open does it. */
int casefile_clear_open(struct casefile *cf);

/* The case's totals in memory, which the writer keeps true; and a fresh count. */
struct queue_counts;
int casefile_counts(struct casefile *cf, struct queue_counts **ret_counts);
int casefile_counts_again(struct casefile *cf);
/* Which pass (pass.h) queue and writer are about; 1 until it is set. Counts anew. */
int casefile_set_pass(struct casefile *cf, uint64_t pass);
uint64_t casefile_pass(const struct casefile *cf);

struct exhibit {
    uint64_t id;
    char *label, *path, *type;
    bool opened; /* an earlier run opened it: its image facts are known */
};
/* All exhibits in order of id; free with exhibits_free. */
int casefile_exhibits(struct casefile *cf, struct exhibit **ret_exhibits, size_t *ret_count);
void exhibits_free(struct exhibit *exhibits, size_t count);

#endif
