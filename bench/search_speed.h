/* search_speed: what the parts for features and for keywords share; their plugins' headers do not go into one
 * file. */
#ifndef KVALI_BENCH_SEARCH_SPEED_H
#define KVALI_BENCH_SEARCH_SPEED_H

#include <stddef.h>
#include <stdint.h>

/* A block as the engine gives it: `behind` bytes before data[0] and `ahead` behind data[size - 1] are there.
 */
struct speed_block {
    const uint8_t *data;
    size_t size, behind, ahead;
    uint64_t offset;
};

struct speed_sum {
    uint64_t hash, count;
};
/* FNV-1a. */
void speed_add(struct speed_sum *sum, const void *data, size_t size);

/* The search, which is measured, and afterwards what it found added up, which is not. */
void *speed_features_new(const char *tables);
void speed_features_search(void *context, const struct speed_block *block);
void speed_features_add(void *context, struct speed_sum *sum);
void *speed_keywords_new(const char *list);
void speed_keywords_search(void *context, const struct speed_block *block);
void speed_keywords_add(void *context, struct speed_sum *sum);

#endif
