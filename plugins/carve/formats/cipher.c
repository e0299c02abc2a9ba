/*
 * cipher: see cipher.h.
 */
#include "plugins/carve/formats/cipher.h"

#include <string.h>

enum {
    BLOCK = 16,
    SAMPLE = 512,
    DISTINCT_MIN = 180, /* 512 random bytes have 221.5 +- 5 different values; text some 60 */
};

static bool is_equal(const uint8_t *p)
{
    return memcmp(p, p + 1, BLOCK - 1) == 0;
}

static unsigned distinct(const uint8_t *p)
{
    bool seen[256] = {false};
    unsigned count = 0;

    for (size_t i = 0; i < SAMPLE; i++) {
        count += !seen[p[i]];
        seen[p[i]] = true;
    }
    return count;
}

uint64_t cipher_end(struct reader *reader, uint64_t offset, uint64_t limit)
{
    limit = limit < reader_size(reader) ? limit : reader_size(reader);
    while (offset < limit && limit - offset >= BLOCK) {
        size_t size = limit - offset < SAMPLE ? (size_t)(limit - offset) / BLOCK * BLOCK : SAMPLE;
        const uint8_t *p = reader_at(reader, offset, size);

        if (p == NULL)
            return offset;
        for (size_t i = 0; i < size; i += BLOCK) {
            if (is_equal(p + i))
                return offset + i;
        }
        if (size == SAMPLE && distinct(p) < DISTINCT_MIN)
            return offset;
        offset += size;
    }
    return offset;
}
