/*
 * order: see order.h. Keys are digests, so they spread evenly: one distribution by the next bits leaves
 * groups of a few, which are then put in order by insertion. Groups that turn out large are divided in place,
 * one byte a level; so where somebody made keys not to spread, the depth is still bounded by the width of an
 * entry.
 */
#include "engine/hashset/order.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { STEP_MAX = 64, SMALL = 24, BITS_MAX = 12, FEW = 64, GROUP = 8 };

#define INLINE static inline __attribute__((always_inline))

INLINE uint64_t be64(const uint8_t *data)
{
    uint64_t value;

    memcpy(&value, data, sizeof value);
    return __builtin_bswap64(value);
}

/* Entries that are the same in their first `skip` bytes, of which eight are looked at first. */
INLINE bool is_before(const uint8_t *a, const uint8_t *b, size_t step, size_t skip)
{
    uint64_t x = be64(a + skip), y = be64(b + skip);

    return x != y ? x < y : memcmp(a, b, step) < 0;
}

INLINE void insertion(uint8_t *data, size_t count, size_t step, size_t skip)
{
    uint8_t t[STEP_MAX];

    if (skip + sizeof(uint64_t) > step)
        skip = step - sizeof(uint64_t);
    for (size_t i = 1; i < count; i++) {
        uint8_t *at = data + i * step;

        if (!is_before(at, at - step, step, skip))
            continue;
        memcpy(t, at, step);
        do {
            memcpy(at, at - step, step);
            at -= step;
        } while (at > data && is_before(t, at - step, step, skip));
        memcpy(at, t, step);
    }
}

INLINE void swap_entries(uint8_t *a, uint8_t *b, size_t step)
{
    uint8_t t[STEP_MAX];

    memcpy(t, a, step);
    memcpy(a, b, step);
    memcpy(b, t, step);
}

struct span {
    uint8_t *data;
    size_t count;
    size_t level;
};

/* Puts every entry into the part of its byte `level`; start[i] to start[i + 1] are then those with byte i. */
INLINE void divide(const struct span *span, size_t step, size_t start[257])
{
    size_t next[256];
    uint8_t *data = span->data;
    const size_t level = span->level;

    memset(start, 0, 257 * sizeof start[0]);
    for (size_t i = 0; i < span->count; i++)
        start[data[i * step + level] + 1]++;
    for (size_t i = 0; i < 256; i++) {
        next[i] = start[i];
        start[i + 1] += start[i];
    }
    for (size_t part = 0; part < 256; part++) {
        while (next[part] < start[part + 1]) {
            uint8_t *entry = data + next[part] * step;
            uint8_t byte = entry[level];

            if (byte == part)
                next[part]++;
            else
                swap_entries(entry, data + next[byte]++ * step, step);
        }
    }
}

/* The stack holds at most 255 waiting parts a level, for the one taken from it is divided next. */
INLINE void radix(uint8_t *data, size_t count, size_t level, size_t step, struct span *stack)
{
    size_t depth = 0, start[257];

    stack[depth++] = (struct span){data, count, level};
    while (depth > 0) {
        struct span span = stack[--depth];

        if (span.level >= step)
            continue;
        if (span.count <= SMALL) {
            insertion(span.data, span.count, step, span.level);
            continue;
        }
        divide(&span, step, start);
        for (size_t i = 0; i < 256; i++) {
            if (start[i + 1] - start[i] > 1)
                stack[depth++] =
                    (struct span){span.data + start[i] * step, start[i + 1] - start[i], span.level + 1};
        }
    }
}

/* The bits that entries are distributed by: the first of the bytes behind `level`. */
INLINE size_t group_of(const uint8_t *entry, size_t level, unsigned bits)
{
    uint32_t value;

    memcpy(&value, entry + level + 1, sizeof value);
    return (size_t)(__builtin_bswap32(value) >> (32 - bits));
}

/* So many that a group has a few entries; where that is too many to be done at once, one byte. */
static unsigned bits_for(size_t count)
{
    unsigned bits = 1;

    while (bits < BITS_MAX && count >> bits > GROUP)
        bits++;
    return count >> bits > 2 * GROUP ? 8 : bits;
}

/* Copies every entry to its group's place; ends[g] is then where group g ends. */
INLINE void distribute(const struct order_piece *pieces, size_t count, size_t step, size_t level,
                       unsigned bits, uint32_t *ends, uint8_t *ret)
{
    uint32_t sum = 0;

    for (size_t p = 0; p < count; p++)
        for (size_t i = 0; i < pieces[p].count; i++)
            ends[group_of(pieces[p].data + i * step, level, bits)]++;
    for (size_t g = 0; g < (size_t)1 << bits; g++) {
        uint32_t mine = ends[g];

        ends[g] = sum;
        sum += mine;
    }
    for (size_t p = 0; p < count; p++) {
        for (size_t i = 0; i < pieces[p].count; i++) {
            const uint8_t *entry = pieces[p].data + i * step;

            memcpy(ret + step * ends[group_of(entry, level, bits)]++, entry, step);
        }
    }
}

INLINE void by_groups(const struct order_piece *pieces, size_t count, size_t step, size_t level,
                      unsigned bits, uint8_t *ret, struct span *stack)
{
    uint32_t ends[1 << BITS_MAX] = {0}, start = 0;
    size_t known = level + 1 + bits / 8; /* bytes that are the same in a group */

    distribute(pieces, count, step, level, bits, ends, ret);
    for (size_t g = 0; g < (size_t)1 << bits; g++) {
        size_t some = ends[g] - start;

        if (some > SMALL)
            radix(ret + step * start, some, known, step, stack);
        else if (some > 1)
            insertion(ret + step * start, some, step, known);
        start = ends[g];
    }
}

static void in_one(const struct order_piece *pieces, size_t count, size_t step, size_t level, uint8_t *ret,
                   struct span *stack)
{
    size_t used = 0;

    for (size_t p = 0; p < count; p++) {
        memcpy(ret + used * step, pieces[p].data, pieces[p].count * step);
        used += pieces[p].count;
    }
    radix(ret, used, level, step, stack);
}

int order_entries(const struct order_piece *pieces, size_t count, size_t step, unsigned level, uint8_t *ret)
{
    struct span *stack = malloc((256 * step + 1) * sizeof stack[0]);
    size_t all = 0;

    if (stack == NULL)
        return -ENOMEM;
    for (size_t p = 0; p < count; p++)
        all += pieces[p].count;
    /* The usual widths as constants, so that copies become a few registers. */
    if (all < FEW || all > UINT32_MAX || level + 1 + sizeof(uint32_t) > step)
        in_one(pieces, count, step, level, ret, stack);
    else if (step == 20)
        by_groups(pieces, count, 20, level, bits_for(all), ret, stack);
    else if (step == 24)
        by_groups(pieces, count, 24, level, bits_for(all), ret, stack);
    else if (step == 36)
        by_groups(pieces, count, 36, level, bits_for(all), ret, stack);
    else
        by_groups(pieces, count, step, level, bits_for(all), ret, stack);
    free(stack);
    return 0;
}
