/*
 * seal_check: do the seals of a case hold, and is what they cover as it was? The part of verify that is about
 * seals.
 */
#ifndef KVALI_CASES_SEAL_CHECK_H
#define KVALI_CASES_SEAL_CHECK_H

#include "cases/seal.h"
#include "cases/trouble.h"

/* `ca` and `tsa` are PEM files of roots for signers and for time stamps; NULL: who signed is told, and not
 * judged. */
struct seal_trust {
    const char *ca, *tsa;
    const char *crl; /* PEM file of revocation lists, beside those that seals keep; may be NULL. Wants `ca` */
};

struct seals {
    uint32_t count;
    struct seal newest;      /* all zero when there is none, or it cannot be read */
    uint64_t covered;        /* ledger records that the newest covers */
    bool went_on;            /* the ledger tells of work after the newest: the caller says so */
    size_t files, uncovered; /* files that the newest covers, and files of the folder that it does not */
    struct trouble chain, signatures, manifest;
    struct buf signers; /* a line for each seal: who, when, with what, stamped by whom */
    char last_signer[SHA256_HEX_SIZE]; /* certificate of the last seal that was looked at */
    struct buf remarks; /* what a seal does not cover now */
};

/* Numbers, what each says of the one before, and of the ledger. Then went_on can be told. */
void seals_check_chain(const char *folder, struct seals *seals);
void seals_check_signatures(const char *folder, const struct seal_trust *trust, struct seals *seals);
void seals_check_manifest(const char *folder, struct seals *seals);
void seals_finish(struct seals *seals);

#endif
