/*
 * range: lists of byte ranges: what could not be read, where a stream lies in the image.
 */
#ifndef KVALI_BASE_RANGE_H
#define KVALI_BASE_RANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
    uint64_t offset, size;
};

/* Ordered, merged, bounded: past RANGES_MAX the last range grows to cover what follows and `coarse` says so.
 */
enum { RANGES_MAX = 4096 };
struct ranges {
    struct range *items;
    size_t count, capacity;
    bool coarse;
};

void ranges_finish(struct ranges *ranges);
void ranges_clear(struct ranges *ranges);
/* Adds [offset, offset + size), merging with what touches it. -ENOMEM. */
int ranges_add(struct ranges *ranges, uint64_t offset, uint64_t size);
/* The first range that ends past `offset`, NULL when there is none. Borrowed until the next change. */
const struct range *ranges_next(const struct ranges *ranges, uint64_t offset);
uint64_t ranges_bytes(const struct ranges *ranges);

#endif
