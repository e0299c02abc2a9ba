/*
 * ledger: ledger.jsonl, the append-only, hash-chained record of everything done.
 *
 * One JSON object a line, UTF-8, LF, keys sorted, no floats (RFC 8785 restricted). Every record has v, seq,
 * time, type, actor and prev: the SHA-256 of the line before including its LF, 64 zeros for the first.
 * Written with O_APPEND and fsync'ed record by record. Anyone can check it with sha256sum. What is hashed is
 * the bytes as stored. A last line without LF (a crash while writing) or with zeros in it (a power cut) is never
 * cut unsaid: it is moved to ledger.partial-<n> and a `recovered` record names its SHA-256.
 */
#ifndef KVALI_CASES_LEDGER_H
#define KVALI_CASES_LEDGER_H

#include "engine/base/hash.h"
#include "engine/base/why.h"

#include <stdbool.h>
#include <stdint.h>

enum { LEDGER_VERSION = 1 };

struct ledger;

/* What Jansson asks for and does not get it takes for a text that is no JSON: `end`, which does not return, is called then. */
void ledger_need_memory(void (*end)(void));

/* How many records a ledger had at a time when all of them were on the medium, and the SHA-256 of the last. */
struct ledger_known {
    uint64_t count;
    char head[SHA256_HEX_SIZE];
};

/* Opens for append after checking the whole chain (-EUCLEAN and `why` with the line where it breaks). Creates
 * the file when `create`. The caller holds the case's lock. `actor` is who acts: "login@host". `known` may be
 * NULL. What it knows of was whole: when such a line is gone, changed or cut off, no crash did it, and nothing
 * is moved aside (-EUCLEAN). */
int ledger_open(const char *path, bool create, const char *actor, const struct ledger_known *known,
                struct ledger **ret_ledger, struct why *why);
void ledger_close(struct ledger *ledger);

/* Appends one record of `type` ("case", "exhibit", "run-begin", "run-end", "artifact", "verification",
 * "recovered" ...). `fields` is the text of one JSON object whose members are added (not v, seq, time, type,
 * actor, prev). On disk when it returns 0. */
int ledger_append(struct ledger *ledger, const char *type, const char *fields, struct why *why);

/* The SHA-256 of the last line, and how many records there are. */
const char *ledger_head(const struct ledger *ledger);
uint64_t ledger_count(const struct ledger *ledger);

struct ledger_record {
    uint64_t line; /* from 1 */
    const char *type, *time, *actor;
    const char *json; /* the whole line without LF */
    const char *hash; /* of the line with it, in hex: what the next record carries */
};
/* Walks a ledger read-only. `each` (may be NULL) is called for every good record in order, a negative return
 * ends. 0 when the whole chain holds; -EUCLEAN with `why` naming line and cause; -ENOENT, -EIO. */
int ledger_walk(const char *path, int (*each)(void *context, const struct ledger_record *record),
                void *context, uint64_t *ret_count, char ret_head[SHA256_HEX_SIZE], struct why *why);

/* One member of a record as text (strings as they are, numbers and others as JSON); false when absent. */
bool ledger_member(const struct ledger_record *record, const char *key, char *ret, size_t ret_size);

/* Calls `each` for every file that a record names: the one of "path", "sha256" and "size", and those of the list
 * "files". What is missing is "" and UINT64_MAX. A negative return ends. 0, or -EUCLEAN when it names none. */
int ledger_files(const struct ledger_record *record,
                 int (*each)(void *context, const char *path, const char *sha256, uint64_t size), void *context);

#endif
