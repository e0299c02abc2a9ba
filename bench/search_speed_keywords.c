/* search_speed: keywords. */
#include "bench/search_speed.h"

#include "plugins/keywords/search.h"

#include <stdio.h>
#include <stdlib.h>

struct bench {
    struct search *search;
    struct search_marks marks;
    const struct hit *hits;
    size_t count;
};

void *speed_keywords_new(const char *list)
{
    struct bench *bench = calloc(1, sizeof *bench);
    struct why why = {""};

    if (bench == NULL || keyword_search_new(list, &bench->search, &why) < 0) {
        fprintf(stderr, "search_speed: %s\n", why.text);
        exit(2);
    }
    return bench;
}

static void gave_up(void *context, uint32_t pattern, uint64_t offset)
{
    (void)context, (void)pattern, (void)offset;
}

void speed_keywords_search(void *context, const struct speed_block *block)
{
    struct bench *bench = context;
    const size_t ahead = block->ahead < SEARCH_AHEAD ? block->ahead : SEARCH_AHEAD,
                 before = block->behind < SEARCH_BEFORE ? block->behind : SEARCH_BEFORE;
    const struct search_window window = {block->data,   block->size,          block->size + ahead,
                                         block->offset, block->data - before, before};

    if (keyword_search_window(bench->search, &bench->marks, &window, gave_up, NULL, &bench->hits,
                              &bench->count) < 0)
        abort();
}

void speed_keywords_add(void *context, struct speed_sum *sum)
{
    const struct bench *bench = context;

    for (size_t i = 0; i < bench->count; i++) {
        const struct hit *hit = &bench->hits[i];

        speed_add(sum, &hit->offset, sizeof hit->offset);
        speed_add(sum, &hit->pattern, sizeof hit->pattern);
        speed_add(sum, &hit->size, sizeof hit->size);
        sum->count++;
    }
}
