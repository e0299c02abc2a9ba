/*
 * field: numbers in bytes that an examiner has at hand (from reader_at), whatever their alignment. The caller
 * knows that the bytes are there.
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_FIELD_H
#define KVALI_PLUGINS_CARVE_FORMATS_FIELD_H

#include <stdbool.h>
#include <stdint.h>

static inline uint16_t field_le16(const uint8_t *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint16_t field_be16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t field_le32(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline uint32_t field_be32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t field_le64(const uint8_t *p)
{
    return field_le32(p) | (uint64_t)field_le32(p + 4) << 32;
}

static inline uint64_t field_be64(const uint8_t *p)
{
    return (uint64_t)field_be32(p) << 32 | field_be32(p + 4);
}

/* For formats that come in both byte orders. */
static inline uint16_t field_u16(const uint8_t *p, bool big)
{
    return big ? field_be16(p) : field_le16(p);
}

static inline uint32_t field_u32(const uint8_t *p, bool big)
{
    return big ? field_be32(p) : field_le32(p);
}

static inline uint64_t field_u64(const uint8_t *p, bool big)
{
    return big ? field_be64(p) : field_le64(p);
}

#endif
