/*
 * tsk_map: numbers to numbers by open addressing. Keys are inodes and hashes that evidence chooses, so the
 * walk over a crowded table is kept short by growing at three quarters and by mixing the key (the finaliser
 * of SplitMix64).
 */
#include "engine/evidence/tsk/tsk_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { CAPACITY_MIN = 64 };

static uint64_t mix(uint64_t key)
{
    key ^= key >> 30;
    key *= 0xbf58476d1ce4e5b9U;
    key ^= key >> 27;
    key *= 0x94d049bb133111ebU;
    return key ^ (key >> 31);
}

void tsk_map_finish(struct tsk_map *map)
{
    free(map->items);
    *map = (struct tsk_map){0};
}

void tsk_map_clear(struct tsk_map *map)
{
    /* A table that one huge folder grew is not wiped again for each small one that follows. */
    if (map->capacity > CAPACITY_MIN && map->count < map->capacity / 16) {
        tsk_map_finish(map);
        return;
    }
    if (map->capacity > 0)
        memset(map->items, 0, map->capacity * sizeof *map->items);
    map->count = 0;
}

/* Where the key is, or where it would go. */
static struct tsk_map_item *slot(const struct tsk_map *map, uint64_t key)
{
    size_t at = (size_t)mix(key) & (map->capacity - 1);

    while (map->items[at].value != 0 && map->items[at].key != key)
        at = (at + 1) & (map->capacity - 1);
    return &map->items[at];
}

uint64_t tsk_map_get(const struct tsk_map *map, uint64_t key)
{
    return map->capacity > 0 ? slot(map, key)->value : 0;
}

static int grow(struct tsk_map *map)
{
    struct tsk_map larger = {.capacity = map->capacity ? map->capacity * 2 : CAPACITY_MIN,
                             .count = map->count};

    larger.items = calloc(larger.capacity, sizeof *larger.items);
    if (!larger.items)
        return -ENOMEM;
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->items[i].value != 0)
            *slot(&larger, map->items[i].key) = map->items[i];
    }
    free(map->items);
    *map = larger;
    return 0;
}

int tsk_map_set(struct tsk_map *map, uint64_t key, uint64_t value)
{
    struct tsk_map_item *item;

    if (map->count + 1 > map->capacity / 4 * 3) {
        int code = grow(map);
        if (code < 0)
            return code;
    }
    item = slot(map, key);
    if (item->value == 0)
        map->count++;
    *item = (struct tsk_map_item){key, value};
    return 0;
}

bool tsk_map_has_bit(const struct tsk_map *map, uint64_t number)
{
    return (tsk_map_get(map, number / 64) >> (number % 64) & 1) != 0;
}

int tsk_map_set_bit(struct tsk_map *map, uint64_t number)
{
    uint64_t bits = tsk_map_get(map, number / 64);
    uint64_t bit = (uint64_t)1 << (number % 64);

    return bits & bit ? 0 : tsk_map_set(map, number / 64, bits | bit);
}
