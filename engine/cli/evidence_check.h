/*
 * evidence_check: evidence that is at hand, held against what a case says of it: the image's SHA-256, and a
 * sample of files read again. It is read by a sandboxed worker, as `show` does: this program never parses it.
 */
#ifndef KVALI_CLI_EVIDENCE_CHECK_H
#define KVALI_CLI_EVIDENCE_CHECK_H

#include "cases/trouble.h"
#include "engine/cli/job_cli.h"

struct evidence_check {
    char exhibit[256];
    struct trouble trouble; /* what is not as the case says */
    uint64_t bytes;         /* of the image, read */
    bool image;             /* it has an image hash, and it was read whole */
    char sha256[SHA256_HEX_SIZE], wanted[SHA256_HEX_SIZE];
    uint64_t unread;
    size_t files; /* of the sample, compared */
};

/* `exhibit` NULL: the one whose path or file name is that of `path`, or the only one. `sample` files at most.
 * 0 also when something differs: ret->trouble. -ENOENT: no such exhibit; else why nothing could be read. */
int evidence_check(struct casefile *cf, const struct options *options, const char *path, const char *exhibit,
                   size_t sample, struct evidence_check *ret, struct why *why);

/* Writes what was found into the ledger, as a record "verification". */
int evidence_record(struct casefile *cf, const struct evidence_check *check, const char *path,
                    struct why *why);

#endif
