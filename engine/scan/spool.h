/*
 * spool: the bytes of streams that are being scanned, kept while plugins want to look at them in one piece.
 *
 * A store grows in memory first; when all stores together hold more than the budget, the one that is growing
 * moves to the spool file and goes on there. The file is cut into chunks, so that a stream and the children
 * inside it can grow by turns; whatever chunks a store has, store_map shows them as one contiguous piece of
 * any size.
 */
#ifndef KVALI_SCAN_SPOOL_H
#define KVALI_SCAN_SPOOL_H

#include <stddef.h>
#include <stdint.h>

enum { SPOOL_REUSE_MAX = 16 };

struct spool {
    int fd;          /* borrowed; -1: memory only */
    uint64_t limit;  /* bytes in all stores together; also the size that the file never exceeds */
    uint64_t budget; /* of these in memory */
    uint64_t kept, in_memory;
    uint8_t *used;                /* a bit a chunk */
    uint32_t chunk_count, lowest; /* no chunk below `lowest` is free */
    uint32_t taken, highest;      /* chunks in use; chunks that the file holds */
    struct {
        uint8_t *data;
        size_t capacity;
    } reuse[SPOOL_REUSE_MAX]; /* small buffers of stores that were closed */
    size_t reuse_count;
};

/* 0 or -ENOMEM. */
int spool_init(struct spool *spool, uint64_t limit, uint64_t budget);
void spool_finish(struct spool *spool);

struct store {
    struct spool *spool;
    uint64_t size; /* bytes kept */
    uint8_t *data; /* while in memory */
    size_t capacity;
    uint32_t *chunks; /* once in the file */
    size_t chunk_count, chunk_capacity;
    uint8_t *map;
    size_t map_size;
};

void store_init(struct store *store, struct spool *spool);
/* Gives back memory and chunks. A store that is all zero is allowed. */
void store_finish(struct store *store);

/* -ENOSPC: a limit or the disk is full; -ENOMEM, -EIO. What fitted before that is kept and counted in size.
 */
int store_append(struct store *store, const void *data, size_t size);

/* All of it, valid until store_finish; no append after this. -ENOMEM. */
int store_map(struct store *store, const uint8_t **ret_data);

#endif
