/*
 * verify: is the case what it was when kvali last wrote it? The ledger's chain, the seals with their signatures and all
 * that they cover, every artefact that the ledger names, the database's own soundness, one chosen attempt for every stream
 * that is done, and the findings' digest against the ledger's last and the newest seal's.
 */
#ifndef KVALI_CASES_VERIFY_H
#define KVALI_CASES_VERIFY_H

#include "engine/base/hash.h"
#include "engine/base/why.h"
#include "cases/seal_check.h"

#include <stdbool.h>
#include <stdint.h>

enum verify_step {
    VERIFY_LEDGER,    /* every record carries the hash of the one before */
    VERIFY_SEALS,     /* each seal names the one before, and covers the ledger's beginning as it is */
    VERIFY_SIGNATURES, /* each seal is signed; what is stamped is stamped for this signature */
    VERIFY_SEALED,    /* every file that the newest seal covers is as it was */
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
    uint32_t seals;
    uint64_t sealed_records;        /* of the ledger: what the newest seal covers */
    char seal[SHA256_HEX_SIZE];     /* of the newest seal's file, "" without */
    bool unfinished; /* the last run was interrupted or a run is going on: the findings step was not
                        applicable */
};

/* Calls `report` for each step with its outcome and words, several lines when several things are wrong; when it is sound
 * they are remarks or "". `trust` NULL: no roots. 0 also when the case is not sound: result->sound. Negative: it could not
 * be looked at. */
int case_verify(const char *folder, const struct seal_trust *trust,
                void (*report)(void *context, enum verify_step step, bool sound, const char *words),
                void *context, struct verify_result *ret_result, struct why *why);

#endif
