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

/* The same beside other work: a thread of its own reads the findings by a connection of its own. Between begin and end no finding may
 * change; what is derived from them (link.h, histogram.h), the ledger and files may. Whatever the thread fails at,
 * case_digest_end does anew in the caller's, so that NULL, which begin gives when there is no thread, is taken as well.
 * case_digest_end also frees; `cf` is begin's. */
struct digest_task;
struct digest_task *case_digest_begin(struct casefile *cf);
int case_digest_end(struct digest_task *task, struct casefile *cf, char ret[SHA256_HEX_SIZE], struct why *why);

/* Appends a script for sqlite3, which prints the lines that are hashed: `sqlite3 -readonly case.db < script | sha256sum`.
 * It names the record types that the case has now. */
int case_digest_script(struct casefile *cf, struct buf *script, struct why *why);

#endif
