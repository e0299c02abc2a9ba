/* hits: a table by kind and normal form. */
#include "plugins/features/hits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TOTAL_MAX = 1000000 };

static uint64_t hash_of(const struct hits *hits, enum feature_kind kind, const uint8_t *data, size_t size)
{
    uint64_t hash = hits->seed ^ (uint64_t)kind * UINT64_C(0x9e3779b97f4a7c15);

    for (; size > 0; data++, size--) {
        hash = (hash ^ *data) * UINT64_C(0x100000001b3);
        hash ^= hash >> 29;
    }
    return hash;
}

static const uint8_t *normal_of(const struct hit *hit)
{
    return hit->bytes + hit->value_size;
}

static int grow_buckets(struct hits *hits)
{
    size_t count = hits->bucket_count > 0 ? 4 * hits->bucket_count : 256;
    struct hit **buckets = calloc(count, sizeof buckets[0]);

    if (buckets == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < hits->count; i++) {
        struct hit *hit = hits->items[i];
        struct hit **bucket =
            &buckets[hash_of(hits, hit->kind, normal_of(hit), hit->normal_size) & (count - 1)];

        hit->next = *bucket;
        *bucket = hit;
    }
    free(hits->buckets);
    hits->buckets = buckets;
    hits->bucket_count = count;
    return 0;
}

static struct hit *find(const struct hits *hits, const struct occurrence *o)
{
    struct hit *hit =
        hits->bucket_count == 0
            ? NULL
            : hits->buckets[hash_of(hits, o->kind, o->normal, o->normal_size) & (hits->bucket_count - 1)];

    while (hit != NULL && (hit->kind != o->kind || hit->normal_size != o->normal_size ||
                           memcmp(normal_of(hit), o->normal, o->normal_size) != 0))
        hit = hit->next;
    return hit;
}

static uint8_t *append(uint8_t *to, const uint8_t *data, size_t size)
{
    if (size > 0)
        memcpy(to, data, size);
    return to + size;
}

static struct hit *hit_new(const struct occurrence *o)
{
    struct hit *hit = calloc(1, sizeof *hit + o->value_size + o->normal_size + o->detail_size +
                                    o->before_size + o->behind_size);
    uint8_t *to;

    if (hit == NULL)
        return NULL;
    *hit = (struct hit){.kind = o->kind,
                        .rank = o->rank,
                        .encoding = o->encoding,
                        .offset = o->offset,
                        .size = o->size,
                        .count = 1,
                        .value_size = o->value_size,
                        .normal_size = o->normal_size,
                        .detail_size = o->detail_size,
                        .before_size = o->before_size,
                        .behind_size = o->behind_size};
    to = append(hit->bytes, o->value, o->value_size);
    to = append(to, o->normal, o->normal_size);
    to = append(to, o->detail, o->detail_size);
    to = append(to, o->before, o->before_size);
    append(to, o->behind, o->behind_size);
    return hit;
}

static int add_new(struct hits *hits, const struct occurrence *o)
{
    struct hit *hit, **bucket;

    if (hits->count >= hits->bucket_count && grow_buckets(hits) < 0)
        return -ENOMEM;
    if (hits->count == hits->capacity) {
        size_t capacity = hits->capacity > 0 ? 2 * hits->capacity : 64;
        struct hit **items = reallocarray(hits->items, capacity, sizeof items[0]);

        if (items == NULL)
            return -ENOMEM;
        hits->items = items;
        hits->capacity = capacity;
    }
    hit = hit_new(o);
    if (hit == NULL)
        return -ENOMEM;
    bucket = &hits->buckets[hash_of(hits, o->kind, o->normal, o->normal_size) & (hits->bucket_count - 1)];
    hit->next = *bucket;
    *bucket = hit;
    hits->items[hits->count++] = hit;
    hits->kinds[o->kind]++;
    return 0;
}

int hits_add(struct hits *hits, const struct occurrence *o, uint64_t limit)
{
    struct hit *hit = find(hits, o);

    if (hit == NULL) {
        if (hits->kinds[o->kind] < limit && hits->count < TOTAL_MAX)
            return add_new(hits, o);
        hits->dropped[o->kind]++;
        return 0;
    }
    if (hit->count <= HIT_OFFSETS)
        hit->more[hit->count - 1] = o->offset;
    hit->count++;
    if (o->rank > hit->rank)
        hit->rank = o->rank;
    return 0;
}

void hits_finish(struct hits *hits)
{
    for (size_t i = 0; i < hits->count; i++)
        free(hits->items[i]);
    free(hits->items);
    free(hits->buckets);
    *hits = (struct hits){.items = NULL};
}
