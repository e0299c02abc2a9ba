/*
 * digest: the one SHA-256 over all findings of a case, in an order and form that do not depend on how they
 * were found: exhibits by label; volumes, entries, streams, chosen records, notes and faults by address; no
 * ids, times of processing, hosts or paths of evidence. Format in findings.c's head.
 */
#ifndef KVALI_CASES_DIGEST_H
#define KVALI_CASES_DIGEST_H

#include "cases/casefile.h"
#include "engine/base/buf.h"

/* `dump` (may be NULL) is called with every canonical line, for `kvali digest --lines`. */
int case_digest(struct casefile *cf, void (*dump)(void *context, const char *line, size_t size),
                void *context, char ret[SHA256_HEX_SIZE], struct why *why);

/* Appends a script for sqlite3, which prints the lines that are hashed: `sqlite3 -readonly case.db < script | sha256sum`.
 * It names the record types that the case has now. */
int case_digest_script(struct casefile *cf, struct buf *script, struct why *why);

#endif
