/*
 * report_out: where a format's bytes go: a buffer that is emptied into a file and hashed on the way.
 */
#ifndef KVALI_CASES_REPORT_REPORT_OUT_H
#define KVALI_CASES_REPORT_REPORT_OUT_H

#include "engine/base/buf.h"
#include "engine/base/hash.h"

#include <stdint.h>

struct report_out {
    struct buf buf; /* formats append here */
    int fd;         /* borrowed; -1: nothing is written and everything stays in `buf` */
    int error;      /* of the first write that failed */
    uint64_t size;  /* bytes that left the buffer */
    struct hash_sha256 *hash;
};

/* -ENOMEM. */
int report_out_init(struct report_out *out, int fd);
void report_out_finish(struct report_out *out);

/* After each row: writes when enough has come together. Returns 0 or the first error, so that a loop can end.
 */
int report_out_row(struct report_out *out);
/* Writes what is left. 0, or the first error (also -ENOMEM of the buffer). */
int report_out_end(struct report_out *out);
/* Of all that was written; once, after report_out_end. */
void report_out_sha256(struct report_out *out, char ret[SHA256_HEX_SIZE]);

#endif
