/*
 * merge_private: what merge.c (parts) and merge_end.c (when all are in) share.
 */
#ifndef KVALI_CASES_MERGE_PRIVATE_H
#define KVALI_CASES_MERGE_PRIVATE_H

#include "cases/merge.h"

enum { PATH_SIZE = 4096 };

struct merge {
    struct casefile *cf;
    struct db *db;
    struct index *index; /* of documents' words; NULL until the case has one */
    char plan[SHA256_HEX_SIZE], configuration[SHA256_HEX_SIZE];
    uint64_t run; /* that listed */
    char unpacked[PATH_SIZE];
    char **told; /* SHA-256 of the parts that the ledger has */
    size_t told_count;
};

/* What the database says, as the reason. */
int merge_failed(struct merge *m, int code, struct why *why);

#endif
