/* search_speed: features, collected as the plugin collects them, for each block anew. */
#include "bench/search_speed.h"

#include "engine/plugin.h"
#include "plugins/features/search.h"

#include <stdio.h>
#include <stdlib.h>

struct bench {
    struct search *search;
    struct hit_pool pool;
    struct hits hits;
};

void *speed_features_new(const char *tables)
{
    struct bench *bench = calloc(1, sizeof *bench);
    struct why why = {""};

    if (bench == NULL || search_new(tables, &bench->search, &why) < 0) {
        fprintf(stderr, "search_speed: %s\n", why.text);
        exit(2);
    }
    bench->hits.pool = &bench->pool;
    return bench;
}

static int on_each(void *context, const struct occurrence *occurrence)
{
    return hits_add(context, occurrence, UINT64_MAX);
}

void speed_features_search(void *context, const struct speed_block *block)
{
    struct bench *bench = context;
    const struct piece piece = {block->data - block->behind, block->behind + block->size + block->ahead,
                                block->behind, block->behind + block->size, block->offset - block->behind};

    hits_finish(&bench->hits);
    if (search_piece(bench->search, &piece, on_each, &bench->hits) < 0)
        abort();
}

void speed_features_add(void *context, struct speed_sum *sum)
{
    const struct bench *bench = context;

    for (size_t i = 0; i < bench->hits.count; i++) {
        const struct hit *hit = bench->hits.items[i];

        speed_add(sum, &hit->kind, sizeof hit->kind);
        speed_add(sum, &hit->rank, sizeof hit->rank);
        speed_add(sum, &hit->encoding, sizeof hit->encoding);
        speed_add(sum, &hit->offset, sizeof hit->offset);
        speed_add(sum, &hit->count, sizeof hit->count);
        speed_add(sum, hit->more, sizeof hit->more);
        speed_add(sum, hit->bytes,
                  hit->value_size + hit->normal_size + hit->detail_size + hit->before_size +
                      hit->behind_size);
        sum->count += hit->count;
    }
}
