/*
 * range: ordered, merged, bounded lists of byte ranges.
 *
 * A list that would pass RANGES_MAX lets a neighbour grow over what is added and over the gap between: it
 * then says too much rather than too little, and `coarse` tells.
 */
#include "engine/base/range.h"

#include "engine/base/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint64_t range_end(const struct range *range)
{
    return range->offset + range->size;
}

void ranges_finish(struct ranges *ranges)
{
    if (ranges == NULL)
        return;
    free(ranges->items);
    *ranges = (struct ranges){0};
}

void ranges_clear(struct ranges *ranges)
{
    ranges->count = 0;
    ranges->coarse = false;
}

/* The first range that ends at or after `offset`: the first that something beginning there can touch. */
static size_t find_touching(const struct ranges *ranges, uint64_t offset)
{
    size_t low = 0, high = ranges->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (range_end(&ranges->items[middle]) < offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int make_room(struct ranges *ranges)
{
    if (ranges->count < ranges->capacity)
        return 0;
    size_t capacity = ranges->capacity == 0 ? 8 : ranges->capacity * 2;
    struct range *items = realloc(ranges->items, capacity * sizeof(*items));
    if (items == NULL)
        return -ENOMEM;
    ranges->items = items;
    ranges->capacity = capacity;
    return 0;
}

/* The list is full: the range that the new one lies before, or the last, grows over it. */
static void grow_neighbour(struct ranges *ranges, size_t at, uint64_t offset, uint64_t end)
{
    struct range *items = ranges->items;
    if (at == ranges->count)
        at--;
    uint64_t first = offset < items[at].offset ? offset : items[at].offset;
    uint64_t last = end > range_end(&items[at]) ? end : range_end(&items[at]);
    items[at] = (struct range){first, last - first};
    ranges->coarse = true;
}

int ranges_add(struct ranges *ranges, uint64_t offset, uint64_t size)
{
    if (size == 0)
        return 0;
    uint64_t end = u64_add_saturating(offset, size);
    size_t first = find_touching(ranges, offset), past = first;
    while (past < ranges->count && ranges->items[past].offset <= end)
        past++;
    if (first == past) { /* touches nothing */
        if (ranges->count >= RANGES_MAX) {
            grow_neighbour(ranges, first, offset, end);
            return 0;
        }
        int status = make_room(ranges);
        if (status < 0)
            return status;
        struct range *place = ranges->items + first;
        memmove(place + 1, place, (ranges->count - first) * sizeof(*place));
        *place = (struct range){offset, end - offset};
        ranges->count++;
        return 0;
    }
    struct range *merged = ranges->items + first;
    uint64_t from = offset < merged->offset ? offset : merged->offset;
    uint64_t to = range_end(&ranges->items[past - 1]);
    *merged = (struct range){from, (end > to ? end : to) - from};
    memmove(merged + 1, ranges->items + past, (ranges->count - past) * sizeof(*merged));
    ranges->count -= past - first - 1;
    return 0;
}

const struct range *ranges_next(const struct ranges *ranges, uint64_t offset)
{
    size_t at = find_touching(ranges, offset);
    if (at < ranges->count && range_end(&ranges->items[at]) == offset)
        at++;
    return at < ranges->count ? &ranges->items[at] : NULL;
}

uint64_t ranges_bytes(const struct ranges *ranges)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < ranges->count; i++)
        sum = u64_add_saturating(sum, ranges->items[i].size);
    return sum;
}
