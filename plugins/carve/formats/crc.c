/*
 * crc: four bytes a step (Kounavis and Berry's slicing), the register kept at the top of 32 bits whatever its
 * width.
 */
#include "plugins/carve/formats/crc.h"
#include "plugins/carve/formats/field.h"

void crc_init(struct crc *crc, unsigned width, uint32_t polynomial)
{
    crc->shift = 32 - width;
    polynomial <<= crc->shift;
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t state = i << 24;

        for (int bit = 0; bit < 8; bit++)
            state = (state << 1) ^ (state >> 31 ? polynomial : 0);
        crc->table[0][i] = state;
    }
    for (int k = 1; k < 4; k++) {
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t state = crc->table[k - 1][i];

            crc->table[k][i] = (state << 8) ^ crc->table[0][state >> 24];
        }
    }
}

uint32_t crc_begin(const struct crc *crc, uint32_t initial)
{
    return initial << crc->shift;
}

uint32_t crc_value(const struct crc *crc, uint32_t state)
{
    return state >> crc->shift;
}

uint32_t crc_add(const struct crc *crc, uint32_t state, const uint8_t *data, size_t size)
{
    for (; size >= 4; data += 4, size -= 4) {
        state ^= field_be32(data);
        state = crc->table[3][state >> 24] ^ crc->table[2][state >> 16 & 255] ^
                crc->table[1][state >> 8 & 255] ^ crc->table[0][state & 255];
    }
    for (; size > 0; data++, size--)
        state = (state << 8) ^ crc->table[0][(state >> 24) ^ *data];
    return state;
}

bool crc_reader(const struct crc *crc, struct reader *reader, uint64_t offset, uint64_t size, uint32_t *state)
{
    while (size > 0) {
        const uint8_t *data;
        size_t span = reader_span(reader, offset, &data);

        if (span == 0)
            return false;
        span = span < size ? span : (size_t)size;
        *state = crc_add(crc, *state, data, span);
        offset += span;
        size -= span;
    }
    return true;
}
