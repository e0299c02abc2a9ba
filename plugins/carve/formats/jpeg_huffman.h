/*
 * jpeg_huffman: the Huffman codes of a JPEG picture as tables that tell of many bits at once what they are
 * [ITU-T T.81, annex C].
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_JPEG_HUFFMAN_H
#define KVALI_PLUGINS_CARVE_FORMATS_JPEG_HUFFMAN_H

#include <stdbool.h>
#include <stdint.h>

/* What a code of an AC coefficient does together with the bits of the value behind it: only their number
 * counts. And what the code behind that does, where it is known from the same bits. From the lowest bit:
 * 6 bits: how many bits both codes and their values have (the count of a shift, which takes its lowest six)
 * 5: how many the first code and its value have; 0: a longer code, or none
 * 6: coefficients that the first passes; JPEG_BLOCK_ENDS: all that are left; 4: bits of its value
 * 6 and 4: the same of the second; 0: it is not known */
typedef uint32_t jpeg_step;

enum { JPEG_FAST_BITS = 11, JPEG_BLOCK_ENDS = 63, JPEG_LONG_STEPS = 2048 };

struct jpeg_huffman {
    bool set;
    uint16_t fast[1 << JPEG_FAST_BITS]; /* length << 8 | symbol; 0: a longer code, or none */
    jpeg_step step[1 << JPEG_FAST_BITS];
    jpeg_step long_step[JPEG_LONG_STEPS]; /* of 16 bits, less limit[JPEG_FAST_BITS]: codes that are longer */
    uint32_t limit[17]; /* first code that is longer than this length, left-aligned in 16 bits */
    int32_t offset[17]; /* code + offset = index of its symbol */
    uint8_t symbols[256];
};

/* False: these counts of codes by length are not those of a prefix code. `symbols` are as many as the counts'
 * sum, at most 256. */
bool jpeg_huffman_build(struct jpeg_huffman *huffman, const uint8_t counts[16], const uint8_t *symbols);

/* A code of `length` bits for an AC coefficient in a sequential picture, its bits those of the value with it;
 * 0: none has it. */
jpeg_step jpeg_step_of(unsigned length, uint8_t symbol);

static inline unsigned both_bits(jpeg_step step)
{
    return step & 63;
}

static inline unsigned first_bits(jpeg_step step)
{
    return step >> 6 & 31;
}

static inline unsigned first_advance(jpeg_step step)
{
    return step >> 11 & 63;
}

static inline unsigned first_size(jpeg_step step)
{
    return step >> 17 & 15;
}

static inline unsigned second_advance(jpeg_step step)
{
    return step >> 21 & 63;
}

static inline unsigned second_size(jpeg_step step)
{
    return step >> 27 & 15;
}

#endif
