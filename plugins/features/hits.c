/* hits: a table by kind and normal form. */
#include "plugins/features/hits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { TOTAL_MAX = 1000000, CHUNK = 64 * 1024, POOLED = 64, ALIGNMENT = 16 };

struct hit_chunk {
    struct hit_chunk *next;
    size_t used, size;
    _Alignas(ALIGNMENT) uint8_t bytes[];
};

/* Two halves of the product, so that every bit of both counts. */
static uint64_t mixed(uint64_t a, uint64_t b)
{
    unsigned __int128 product = (unsigned __int128)a * b;

    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t hash_of(const struct hits *hits, enum feature_kind kind, const uint8_t *data, size_t size)
{
    uint64_t hash = mixed(hits->seed ^ (uint64_t)kind, UINT64_C(0x9e3779b97f4a7c15) ^ size), part;

    for (; size > 0; data += part, size -= part) {
        uint64_t bytes = 0;

        part = size < sizeof bytes ? size : sizeof bytes;
        memcpy(&bytes, data, part);
        hash = mixed(hash ^ bytes, hits->seed ^ UINT64_C(0xd6e8feb86659fd93));
    }
    return hash;
}

static const uint8_t *normal_of(const struct hit *hit)
{
    return hit->bytes + hit->value_size;
}

static struct hit_chunk *chunk_new(struct hit_pool *pool, size_t size)
{
    struct hit_chunk *chunk = size <= CHUNK && pool != NULL ? pool->chunks : NULL;

    if (chunk != NULL) {
        pool->chunks = chunk->next;
        pool->count--;
        return chunk;
    }
    size = size < CHUNK ? CHUNK : size;
    chunk = malloc(sizeof *chunk + size);
    if (chunk != NULL)
        chunk->size = size;
    return chunk;
}

static void chunk_free(struct hit_pool *pool, struct hit_chunk *chunk)
{
    if (pool == NULL || chunk->size != CHUNK || pool->count == POOLED) {
        free(chunk);
        return;
    }
    chunk->next = pool->chunks;
    pool->chunks = chunk;
    pool->count++;
}

void hit_pool_finish(struct hit_pool *pool)
{
    for (struct hit_chunk *next; pool->chunks != NULL; pool->chunks = next) {
        next = pool->chunks->next;
        free(pool->chunks);
    }
    pool->count = 0;
}

/* Many small pieces that go together. */
static void *take(struct hits *hits, size_t size)
{
    struct hit_chunk *chunk = hits->chunks;

    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (chunk == NULL || chunk->size - chunk->used < size) {
        chunk = chunk_new(hits->pool, size);
        if (chunk == NULL)
            return NULL;
        chunk->next = hits->chunks;
        chunk->used = 0;
        hits->chunks = chunk;
    }
    chunk->used += size;
    return chunk->bytes + chunk->used - size;
}

static int grow_buckets(struct hits *hits)
{
    size_t count = hits->bucket_count > 0 ? 4 * hits->bucket_count : 256;
    struct hit **buckets = calloc(count, sizeof buckets[0]);

    if (buckets == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < hits->count; i++) {
        struct hit *hit = hits->items[i], **bucket = &buckets[hit->hash & (count - 1)];

        hit->next = *bucket;
        *bucket = hit;
    }
    free(hits->buckets);
    hits->buckets = buckets;
    hits->bucket_count = count;
    return 0;
}

static struct hit *find(const struct hits *hits, const struct occurrence *o, uint64_t hash)
{
    struct hit *hit = hits->bucket_count == 0 ? NULL : hits->buckets[hash & (hits->bucket_count - 1)];

    while (hit != NULL && (hit->hash != hash || hit->kind != o->kind || hit->normal_size != o->normal_size ||
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

static struct hit *hit_new(struct hits *hits, const struct occurrence *o, uint64_t hash)
{
    struct hit *hit = take(hits, sizeof *hit + o->value_size + o->normal_size + o->detail_size +
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
                        .hash = hash,
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

static int add_new(struct hits *hits, const struct occurrence *o, uint64_t hash)
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
    hit = hit_new(hits, o, hash);
    if (hit == NULL)
        return -ENOMEM;
    bucket = &hits->buckets[hash & (hits->bucket_count - 1)];
    hit->next = *bucket;
    *bucket = hit;
    hits->items[hits->count++] = hit;
    hits->kinds[o->kind]++;
    return 0;
}

int hits_add(struct hits *hits, const struct occurrence *o, uint64_t limit)
{
    uint64_t hash = hash_of(hits, o->kind, o->normal, o->normal_size);
    struct hit *hit = find(hits, o, hash);

    if (hit == NULL) {
        if (hits->kinds[o->kind] < limit && hits->count < TOTAL_MAX)
            return add_new(hits, o, hash);
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
    for (struct hit_chunk *chunk = hits->chunks, *next; chunk != NULL; chunk = next) {
        next = chunk->next;
        chunk_free(hits->pool, chunk);
    }
    free(hits->items);
    free(hits->buckets);
    *hits = (struct hits){.pool = hits->pool};
}
