/*
 * jpeg_scan: reads the entropy-coded data of one scan of a JPEG picture [ITU-T T.81, annexes F and G]:
 * Huffman codes, baseline, extended sequential, progressive and lossless. No pixel comes out: it only tells
 * whether the data is what the headers promise, to the last block, and where it stops to be.
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_JPEG_SCAN_H
#define KVALI_PLUGINS_CARVE_FORMATS_JPEG_SCAN_H

#include "plugins/carve/reader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JPEG_FAST_BITS = 11, JPEG_COMPONENTS_MAX = 4, JPEG_TABLES = 4 };

/* What a code of an AC coefficient does together with the bits of the value behind it: only their number
 * counts. And what the code behind that does, where it is known from the same bits. From the lowest bit:
 * 6 bits: how many bits both codes and their values have (the count of a shift, which takes its lowest six)
 * 5: how many the first code and its value have; 0: a longer code, or none
 * 6: coefficients that the first passes; JPEG_BLOCK_ENDS: all that are left; 4: bits of its value
 * 6 and 4: the same of the second; 0: it is not known */
typedef uint32_t jpeg_step;

enum { JPEG_BLOCK_ENDS = 63, JPEG_LONG_STEPS = 2048 };

struct jpeg_huffman {
    bool set;
    uint16_t fast[1 << JPEG_FAST_BITS]; /* length << 8 | symbol; 0: a longer code, or none */
    jpeg_step step[1 << JPEG_FAST_BITS];
    jpeg_step long_step[JPEG_LONG_STEPS]; /* of 16 bits, less limit[JPEG_FAST_BITS]: codes that are longer */
    uint32_t limit[17]; /* first code that is longer than this length, left-aligned in 16 bits */
    int32_t offset[17]; /* code + offset = index of its symbol */
    uint8_t symbols[256];
};

struct jpeg_component {
    uint8_t id, h, v, quantiser;
    uint32_t blocks_wide, blocks_high; /* that hold picture: of a scan of this component alone */
    uint32_t stride;                   /* blocks a row, with those that fill up an MCU */
    uint64_t *known; /* progressive: a bit for each coefficient that is not zero, a word a block */
    int32_t dc;
    bool seen; /* a scan with its DC coefficients was whole */
};

struct jpeg_frame {
    uint16_t width, height;  /* height 0: told by a DNL marker later */
    uint8_t precision, h, v; /* h, v: the largest sampling factors */
    bool progressive, lossless;
    size_t count;
    struct jpeg_component components[JPEG_COMPONENTS_MAX];
};

struct jpeg_scan {
    size_t count;
    uint8_t component[JPEG_COMPONENTS_MAX];                                       /* index in the frame */
    const struct jpeg_huffman *dc[JPEG_COMPONENTS_MAX], *ac[JPEG_COMPONENTS_MAX]; /* NULL: not needed */
    const uint16_t *quanta[JPEG_COMPONENTS_MAX]; /* 64, in the order of the coefficients; 0: not known */
    uint8_t first, last, high, low;              /* Ss Se Ah Al */
    uint32_t interval;                           /* MCUs between restart markers; 0: none */
    bool lenient; /* coefficients may be larger than any picture's: only the codes must be right */
};

enum jpeg_scan_end {
    JPEG_WHOLE, /* all blocks, and a marker behind them */
    JPEG_EXTRA, /* all blocks, and then something else than a marker */
    JPEG_SHORT, /* a marker comes before the last block */
    JPEG_WRONG, /* what is no code, or makes no coefficient */
    JPEG_CUT,   /* the data ends */
};

struct jpeg_scan_result {
    enum jpeg_scan_end how;
    uint64_t end;  /* WHOLE, SHORT: of the marker; else: where it went wrong */
    uint64_t good; /* up to here the data surely belongs to this scan */
    uint64_t mcus, mcus_wanted;
    bool too_large; /* WRONG by a coefficient that no picture has, not by a code */
};

/* False: these counts of codes by length are not those of a prefix code. `symbols` are as many as the counts'
 * sum, at most 256. */
bool jpeg_huffman_build(struct jpeg_huffman *huffman, const uint8_t counts[16], const uint8_t *symbols);

/* Reads the scan whose data begins at `offset`. */
void jpeg_scan_read(struct reader *reader, uint64_t offset, struct jpeg_frame *frame,
                    const struct jpeg_scan *scan, struct jpeg_scan_result *ret);

/* Without reading codes: the first marker at or behind `offset` that is not a restart; UINT64_MAX: none. */
uint64_t jpeg_scan_skip(struct reader *reader, uint64_t offset);

#endif
