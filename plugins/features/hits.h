/*
 * hits: what was found in one stream: each value of a kind once, with where it was first seen and how often.
 */
#ifndef KVALI_PLUGINS_FEATURES_HITS_H
#define KVALI_PLUGINS_FEATURES_HITS_H

#include "plugins/features/finder.h"

enum encoding { ENCODING_UTF8, ENCODING_UTF16LE, ENCODING_UTF16BE };

enum { HIT_OFFSETS = 8, CONTEXT_SIZE = 32 };

struct hit {
    enum feature_kind kind;
    enum feature_rank rank; /* the best of all */
    enum encoding encoding; /* of the first */
    uint64_t offset, size;  /* of the first, in the stream */
    uint64_t count;
    uint64_t more[HIT_OFFSETS]; /* the next ones' offsets */
    size_t value_size, normal_size, detail_size, before_size, behind_size;
    struct hit *next; /* in its bucket */
    uint64_t hash;
    uint8_t bytes[]; /* value, normal form, detail, what stands before, what stands behind */
};

/* One occurrence on its way in; pointers are borrowed. */
struct occurrence {
    enum feature_kind kind;
    enum feature_rank rank;
    enum encoding encoding;
    uint64_t offset, size;
    const uint8_t *value, *normal, *detail, *before, *behind;
    size_t value_size, normal_size, detail_size, before_size, behind_size;
};

/* Memory that streams which are done leave to those that follow. */
struct hit_pool {
    struct hit_chunk *chunks;
    size_t count;
};
void hit_pool_finish(struct hit_pool *pool);

struct hits {
    struct hit_pool *pool; /* borrowed; NULL: none */
    struct hit **items;    /* in the order in which they were first seen */
    size_t count, capacity;
    struct hit **buckets;
    size_t bucket_count;
    struct hit_chunk *chunks; /* what the hits lie in, the newest first */
    size_t kinds[FEATURE_KINDS];
    uint64_t
        dropped[FEATURE_KINDS]; /* occurrences of values that came when there were `limit` of that kind */
    uint64_t seed; /* of the hash, so that nobody can aim at one bucket; results do not depend on it */
};

/* Counts one more. Values past `limit` of a kind are dropped, and counted in `dropped`. 0, -ENOMEM. */
int hits_add(struct hits *hits, const struct occurrence *occurrence, uint64_t limit);
void hits_finish(struct hits *hits);

#endif
