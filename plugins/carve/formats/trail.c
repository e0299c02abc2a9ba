/* trail: see trail.h. */
#include "plugins/carve/formats/trail.h"

void trail_note(struct trail *trail, uint64_t offset, unsigned bits)
{
    trail->at[trail->count % TRAIL_KEPT] = offset;
    trail->bits[trail->count % TRAIL_KEPT] = (uint8_t)(bits < 255 ? bits : 255);
    trail->count++;
    trail->total_bits += bits;
}

uint64_t trail_sure(const struct trail *trail, uint64_t floor)
{
    unsigned bits = 0;

    for (uint64_t back = 1; back <= trail->count && back <= TRAIL_KEPT; back++) {
        size_t slot = (size_t)((trail->count - back) % TRAIL_KEPT);

        bits += trail->bits[slot];
        if (bits >= TRAIL_SURE_BITS)
            return trail->at[slot] > floor ? trail->at[slot] : floor;
    }
    return floor;
}
