/*
 * order: entries of one width put in bytewise order, in the processor's cache. Private to engine/hashset.
 */
#ifndef KVALI_HASHSET_ORDER_H
#define KVALI_HASHSET_ORDER_H

#include <stddef.h>
#include <stdint.h>

/* Entries that lie one after the other. */
struct order_piece {
    const uint8_t *data;
    size_t count;
};

/* The entries of all pieces into `ret`, in order. They have `step` bytes (at most 64), of which those up to
 * and with number `level` are the same in all. -ENOMEM. */
int order_entries(const struct order_piece *pieces, size_t count, size_t step, unsigned level, uint8_t *ret);

#endif
