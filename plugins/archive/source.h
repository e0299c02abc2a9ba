/*
 * source: the bytes of an archive, read through scan_read, with an end to how often they may be read again.
 */
#ifndef KVALI_ARCHIVE_SOURCE_H
#define KVALI_ARCHIVE_SOURCE_H

#include "engine/plugin.h"

struct source_bytes {
    struct scan *scan;
    uint64_t base, size; /* where the archive begins in the stream, and how many bytes follow from there */
    uint64_t read;       /* in all */
    uint64_t budget;     /* that may be */
    int error;           /* the first that came: -EIO, -EDQUOT when the budget is used up */
};

void source_init(struct source_bytes *source, struct scan *scan, uint64_t base, uint64_t size);
/* Bytes at `offset` of the archive: how many came (less at its end only), or negative. */
int64_t source_read(struct source_bytes *source, uint64_t offset, void *data, size_t size);

#endif
