/*
 * digest: the one SHA-256 over all findings of a case, in an order and form that do not depend on how they
 * were found: exhibits by label; volumes, entries, streams, chosen records, notes and faults by address; no
 * ids, times of processing, hosts or paths of evidence. Format in digest.c's head.
 */
#ifndef KVALI_CASES_DIGEST_H
#define KVALI_CASES_DIGEST_H

#include "cases/casefile.h"

/* `dump` (may be NULL) is called with every canonical line, for `kvali digest --lines`. */
int case_digest(struct casefile *cf, void (*dump)(void *context, const char *line, size_t size),
                void *context, char ret[SHA256_HEX_SIZE], struct why *why);

#endif
