/*
 * flac_frame: one frame of FLAC [RFC 9639, 9].
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_FLAC_FRAME_H
#define KVALI_PLUGINS_CARVE_FORMATS_FLAC_FRAME_H

#include "plugins/carve/formats/crc.h"

enum { FLAC_HEAD_MAX = 16 };

struct flac_head {
    size_t size;       /* of the head with its CRC-8 */
    unsigned block;    /* samples in the frame */
    unsigned channels; /* 1 to 8 */
    unsigned mode;     /* 0: independent; 1: left and side, 2: side and right, 3: mid and side */
    unsigned bits;     /* a sample; 0: as in STREAMINFO */
    bool variable;     /* number counts samples, else frames */
    uint64_t number;
};

/* The head at `p`, of which `size` bytes (at most FLAC_HEAD_MAX are needed) are there: false when its values
 * or its CRC-8 (`crc8`: polynomial 0x07) are not legal. */
bool flac_head(const uint8_t *p, size_t size, const struct crc *crc8, struct flac_head *ret);
/* Where the frame at `offset` ends by its own content (the samples are read and not kept), behind its CRC-16;
 * 0: its content is not legal, or not all there. `bits` of a sample, from STREAMINFO. At most `most` bytes.
 */
uint64_t flac_frame_end(struct reader *reader, uint64_t offset, const struct flac_head *head, unsigned bits,
                        uint64_t most);

#endif
