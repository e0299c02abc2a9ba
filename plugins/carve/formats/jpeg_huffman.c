/* jpeg_huffman: see jpeg_huffman.h. */
#include "plugins/carve/formats/jpeg_huffman.h"

#include <string.h>

/* A code of an AC coefficient in a sequential picture, its bits those of the value with it; 0: none has it.
 */
jpeg_step jpeg_step_of(unsigned length, uint8_t symbol)
{
    unsigned run = symbol >> 4, size = symbol & 15, bits = length + size;
    unsigned advance = symbol == 0 ? JPEG_BLOCK_ENDS : run + 1;

    if (symbol != 0 && size == 0 && run != 15)
        return 0;
    return bits | bits << 6 | advance << 11 | size << 17;
}

/* The step and the one behind it. */
static jpeg_step join(jpeg_step step, jpeg_step second)
{
    return (step + first_bits(second)) | first_advance(second) << 21 | first_size(second) << 27;
}

/* Where the bits of an index hold a second code, the step takes it as well. */
static void join_steps(struct jpeg_huffman *huffman)
{
    for (uint32_t i = 0; i < 1u << JPEG_FAST_BITS; i++) {
        jpeg_step step = huffman->step[i];
        uint16_t entry;

        if (step == 0 || first_bits(step) >= JPEG_FAST_BITS || first_advance(step) == JPEG_BLOCK_ENDS)
            continue;
        entry = huffman->fast[i << first_bits(step) & ((1u << JPEG_FAST_BITS) - 1)];
        if (entry != 0 && first_bits(step) + (entry >> 8) <= JPEG_FAST_BITS)
            huffman->step[i] = join(step, jpeg_step_of(entry >> 8, (uint8_t)entry));
    }
}

/* A code that is longer than the indices of the fast tables. */
static void put_long_step(struct jpeg_huffman *huffman, unsigned length, uint32_t code, uint8_t symbol)
{
    unsigned shift = 16 - length;

    for (uint32_t k = code << shift; k < (code + 1) << shift; k++) {
        uint32_t i = k - huffman->limit[JPEG_FAST_BITS];

        if (i < JPEG_LONG_STEPS)
            huffman->long_step[i] = jpeg_step_of(length, symbol);
    }
}

static void put_short_step(struct jpeg_huffman *huffman, unsigned length, uint32_t code, uint8_t symbol)
{
    unsigned shift = JPEG_FAST_BITS - length;

    for (uint32_t k = code << shift; k < (code + 1) << shift; k++) {
        huffman->fast[k] = (uint16_t)(length << 8 | symbol);
        huffman->step[k] = jpeg_step_of(length, symbol);
    }
}

bool jpeg_huffman_build(struct jpeg_huffman *huffman, const uint8_t counts[16], const uint8_t *symbols)
{
    uint32_t code = 0, index = 0;

    memset(huffman, 0, sizeof *huffman);
    for (unsigned length = 1; length <= 16; length++, code <<= 1) {
        huffman->offset[length] = (int32_t)index - (int32_t)code;
        for (unsigned i = 0; i < counts[length - 1]; i++, code++, index++) {
            if (index >= 256 || code >= 1u << length)
                return false;
            huffman->symbols[index] = symbols[index];
            (length <= JPEG_FAST_BITS ? put_short_step : put_long_step)(huffman, length, code,
                                                                        symbols[index]);
        }
        huffman->limit[length] = code << (16 - length);
    }
    join_steps(huffman);
    huffman->set = index > 0;
    return index > 0;
}
