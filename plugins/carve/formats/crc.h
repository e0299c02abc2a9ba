/*
 * crc: cyclic redundancy checks whose most significant bit goes first, 8 to 32 bits wide (Ogg, FLAC, MPEG
 * transport streams). zlib's CRC-32 runs the other way round: that is reader_crc32.
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_CRC_H
#define KVALI_PLUGINS_CARVE_FORMATS_CRC_H

#include "plugins/carve/reader.h"

#include <stddef.h>
#include <stdint.h>

struct crc {
    uint32_t table[4][256];
    unsigned shift; /* 32 - width */
};

/* `width` 8 to 32; `polynomial` without its highest term. Costs some microseconds. */
void crc_init(struct crc *crc, unsigned width, uint32_t polynomial);
/* Goes on from `state`, which begins as the initial value, shifted to the top by crc_begin. */
uint32_t crc_add(const struct crc *crc, uint32_t state, const uint8_t *data, size_t size);
uint32_t crc_begin(const struct crc *crc, uint32_t initial);
uint32_t crc_value(const struct crc *crc, uint32_t state);
/* Over [offset, offset + size) of the object, from the state on; false when it is not all there. */
bool crc_reader(const struct crc *crc, struct reader *reader, uint64_t offset, uint64_t size,
                uint32_t *state);

#endif
