/*
 * bytes: a bounded reader over hostile memory, field by field, never by casting.
 *
 * All reading goes through bytes_take, the one place that compares a length with what remains. The byte
 * orders are those that the formats' specifications name (for example [MS-DTYP] little-endian, RFC 1700
 * big-endian).
 */
#include "engine/base/bytes.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

/* So that taking nothing from a reader over nothing is not taken for a failure. */
static const uint8_t nothing[1];

void bytes_init(struct bytes *bytes, const void *data, size_t size)
{
    assert(data != NULL || size == 0);
    *bytes = (struct bytes){.data = data != NULL ? data : nothing, .size = size};
}

size_t bytes_left(const struct bytes *bytes)
{
    return bytes->failed ? 0 : bytes->size - bytes->offset;
}

bool bytes_failed(const struct bytes *bytes)
{
    return bytes->failed;
}

void bytes_fail(struct bytes *bytes)
{
    bytes->failed = true;
}

void bytes_seek(struct bytes *bytes, size_t offset)
{
    if (offset > bytes->size)
        bytes->failed = true;
    if (!bytes->failed)
        bytes->offset = offset;
}

void bytes_skip(struct bytes *bytes, size_t size)
{
    (void)bytes_take(bytes, size);
}

const uint8_t *bytes_take(struct bytes *bytes, size_t size)
{
    const uint8_t *taken;

    if (bytes->failed || size > bytes->size - bytes->offset) {
        bytes->failed = true;
        return NULL;
    }
    /* A struct bytes that is all zero has no memory to point into. */
    taken = bytes->data != NULL ? bytes->data + bytes->offset : nothing;
    bytes->offset += size;
    return taken;
}

/* Of numbers, of which a record has a dozen, what is there is copied as one word. */
static uint64_t take_le(struct bytes *bytes, size_t size)
{
    const uint8_t *p = bytes_take(bytes, size);
    uint64_t value = 0;

    if (p != NULL)
        memcpy(&value, p, size);
    return le64toh(value);
}

static uint64_t take_be(struct bytes *bytes, size_t size)
{
    const uint8_t *p = bytes_take(bytes, size);
    uint64_t value = 0;

    for (size_t i = 0; p != NULL && i < size; i++)
        value = value << 8 | p[i];
    return value;
}

uint8_t bytes_u8(struct bytes *bytes)
{
    return (uint8_t)take_le(bytes, 1);
}

uint16_t bytes_u16le(struct bytes *bytes)
{
    return (uint16_t)take_le(bytes, 2);
}

uint32_t bytes_u32le(struct bytes *bytes)
{
    return (uint32_t)take_le(bytes, 4);
}

uint64_t bytes_u64le(struct bytes *bytes)
{
    return take_le(bytes, 8);
}

int64_t bytes_i64le(struct bytes *bytes)
{
    return (int64_t)take_le(bytes, 8);
}

uint16_t bytes_u16be(struct bytes *bytes)
{
    return (uint16_t)take_be(bytes, 2);
}

uint32_t bytes_u32be(struct bytes *bytes)
{
    return (uint32_t)take_be(bytes, 4);
}

uint64_t bytes_u64be(struct bytes *bytes)
{
    return take_be(bytes, 8);
}

const uint8_t *bytes_blob(struct bytes *bytes, size_t *ret_size)
{
    size_t size = bytes_u32le(bytes);
    const uint8_t *data = bytes_take(bytes, size);

    *ret_size = data != NULL ? size : 0;
    return data;
}

const char *bytes_string(struct bytes *bytes)
{
    size_t size;
    const uint8_t *data = bytes_blob(bytes, &size);

    if (data == NULL)
        return NULL;
    if (size == 0 || memchr(data, '\0', size) != data + size - 1) {
        bytes->failed = true;
        return NULL;
    }
    return (const char *)data;
}

uint64_t u64_add_saturating(uint64_t a, uint64_t b)
{
    uint64_t sum;

    return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

uint64_t u64_mul_saturating(uint64_t a, uint64_t b)
{
    uint64_t product;

    return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

bool u64_range_fits(uint64_t offset, uint64_t size, uint64_t limit)
{
    return offset <= limit && size <= limit - offset;
}
