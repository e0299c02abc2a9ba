/*
 * verify: is the case what it was when kvali last wrote it? The ledger's chain, every artefact that the
 * ledger names, the database's own soundness, one chosen attempt for every stream that is done, and the
 * findings' digest against the ledger's last.
 */
#ifndef KVALI_CASES_VERIFY_H
#define KVALI_CASES_VERIFY_H

#include "engine/base/hash.h"
#include "engine/base/why.h"

#include <stdbool.h>
#include <stdint.h>

enum verify_step {
    VERIFY_LEDGER,    /* every record carries the hash of the one before */
    VERIFY_ARTIFACTS, /* every file that the ledger names is there, with its size and SHA-256 */
    VERIFY_DATABASE,  /* case.db is sound */
    VERIFY_ATTEMPTS,  /* every stream has exactly the rows of its chosen attempt */
    VERIFY_FINDINGS,  /* the findings are those whose digest the last run wrote into the ledger */
    VERIFY_STEPS,
};
const char *verify_step_name(enum verify_step step); /* in words */

struct verify_result {
    bool sound; /* all steps */
    uint64_t records, artifacts;
    char head[SHA256_HEX_SIZE];   /* of the ledger */
    char digest[SHA256_HEX_SIZE]; /* of the findings now */
    bool unfinished; /* the last run was interrupted or a run is going on: the findings step was not
                        applicable */
};

/* Calls `report` for each step with its outcome and, when it is not sound, why. 0 also when the case is not
 * sound: result->sound. Negative: it could not be looked at. */
int case_verify(const char *folder,
                void (*report)(void *context, enum verify_step step, bool sound, const char *words),
                void *context, struct verify_result *ret_result, struct why *why);

#endif
