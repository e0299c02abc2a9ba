/*
 * merge_private: what merge.c (parts), merge_check.c (is one to be believed?) and merge_end.c (when all are
 * in) share.
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
/* 1 and "path: what" in `why`: this part is refused. */
int merge_refuse(struct why *why, const char *path, const char *what);
/* The same for what the database said in `words` when it gave `code`; but `code`, and the case is named, when
 * the damage is there and the part is whole. */
int merge_blame(struct merge *m, int code, const char *path, const char *what, const char *words,
                struct why *why);

/* 0; 1: the part is refused; or a failure. The second wants the part's database attached as `part`. */
int merge_check_header(const struct merge *m, const char *path, const struct part_header *header,
                       struct why *why);
int merge_check_inside(struct merge *m, const char *path, uint64_t part, struct why *why);

#endif
