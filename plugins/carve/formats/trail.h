/*
 * trail: how far content surely belongs to an object when its checks are weak. A check that random bytes pass
 * with probability 2^-n is evidence of n bits. What lies before a check is sure once the checks from there on
 * carry enough bits together, so that a break that a few checks passed by chance is not taken for content.
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_TRAIL_H
#define KVALI_PLUGINS_CARVE_FORMATS_TRAIL_H

#include <stddef.h>
#include <stdint.h>

enum { TRAIL_KEPT = 32, TRAIL_SURE_BITS = 24 };

struct trail {
    uint64_t at[TRAIL_KEPT]; /* a ring */
    uint8_t bits[TRAIL_KEPT];
    uint64_t count;
    uint64_t total_bits;
};

/* The bytes that end at `offset` passed a check of `bits` bits. In ascending order. */
void trail_note(struct trail *trail, uint64_t offset, unsigned bits);
/* The offset up to which the bytes are sure; `floor` when the checks do not carry that far. */
uint64_t trail_sure(const struct trail *trail, uint64_t floor);

#endif
