/*
 * merge: folds what hosts found in the parts of a plan into the case.
 *
 * One transaction a part: its runs, attempts and everything that its chosen attempts say, under new numbers,
 * and the state of its contents, of those only that are still pending here. So a part counts once, whatever
 * order they come in, how often one comes, and wherever a merge was killed. A part's ledger lines come as one
 * ledger record "part" before that. Nothing of a part is taken in before its SHA-256, its plan, its
 * configuration, its contents and its tables were compared with what this case has.
 */
#ifndef KVALI_CASES_MERGE_H
#define KVALI_CASES_MERGE_H

#include "cases/casefile.h"
#include "cases/part.h"

#include <stdint.h>

enum merge_end { MERGE_TAKEN, MERGE_KNOWN, MERGE_REFUSED };

struct merge;
/* `scratch_folder`: local, parts are unpacked there. -ENOENT: the case has no plan. */
int merge_begin(struct casefile *cf, const char *scratch_folder, struct merge **ret_merge, struct why *why);
void merge_free(struct merge *merge);

/* One file. *ret_end MERGE_REFUSED: `why` says why, and the case is as it was. A negative return is a failure
 * of this host. */
int merge_part(struct merge *merge, const char *path, enum merge_end *ret_end, struct part_header *ret_header,
               struct why *why);

struct merge_result {
    uint64_t pending; /* contents that no part has told of yet, and listings that a run began */
    uint64_t faults, streams_done;
    char digest[SHA256_HEX_SIZE]; /* "" while something is pending */
};
/* When nothing is pending any more: verifies images, links findings, keeps rules, and writes the ledger
 * record "merge" with the findings' digest; once. */
int merge_end(struct merge *merge, struct merge_result *ret_result, struct why *why);

#endif
