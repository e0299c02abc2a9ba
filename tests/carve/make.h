/*
 * make: bytes of a sample, put one after the other, for tests of carving formats.
 */
#ifndef KVALI_TESTS_CARVE_MAKE_H
#define KVALI_TESTS_CARVE_MAKE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MAKE_MOST = 256 * 1024 };

static uint8_t made[MAKE_MOST];
static size_t made_size;

static inline void put(const void *data, size_t size)
{
    if (size > sizeof made - made_size)
        abort();
    memcpy(made + made_size, data, size);
    made_size += size;
}

static inline void put_text(const char *text)
{
    put(text, strlen(text));
}

/* `size` bytes of one number, the most significant first. */
static inline void put_be(uint64_t n, size_t size)
{
    for (size_t i = size; i-- > 0;)
        put(&(uint8_t){(uint8_t)(n >> (8 * i))}, 1);
}

static inline void put_le(uint64_t n, size_t size)
{
    for (size_t i = 0; i < size; i++)
        put(&(uint8_t){(uint8_t)(i < 8 ? n >> (8 * i) : 0)}, 1);
}

static inline void put_all(uint8_t byte, size_t size)
{
    for (size_t i = 0; i < size; i++)
        put(&byte, 1);
}

/* Bytes without a run of equal ones, none of them 0 or 0xff. */
static inline void put_noise(size_t size)
{
    static uint32_t x = 1;

    for (size_t i = 0; i < size; i++) {
        x = x * 1664525 + 1013904223;
        put(&(uint8_t){(uint8_t)(1 + (x >> 24) % 254)}, 1);
    }
}

static inline void set_be32(size_t at, size_t n)
{
    for (size_t i = 0; i < 4; i++)
        made[at + i] = (uint8_t)(n >> (24 - 8 * i));
}

static inline void set_le32(size_t at, size_t n)
{
    for (size_t i = 0; i < 4; i++)
        made[at + i] = (uint8_t)(n >> (8 * i));
}

/* A CRC whose most significant bit goes first, as the formats' specifications write it down. */
static inline uint32_t slow_crc(uint32_t polynomial, unsigned width, uint32_t crc, const uint8_t *data,
                                size_t size)
{
    for (size_t i = 0; i < size; i++) {
        crc ^= (uint32_t)data[i] << (width - 8);
        for (int bit = 0; bit < 8; bit++)
            crc = (crc << 1) ^ ((crc >> (width - 1) & 1) != 0 ? polynomial : 0);
    }
    return width == 32 ? crc : crc & ((UINT32_C(1) << width) - 1);
}

#endif
