/*
 * keywords: how fast a list of keywords is searched for in one file.
 *
 *     keywords LIST FILE [BLOCK]
 *
 * Prints processor seconds of the search alone (reading is not counted), MB/s, and hits.
 */
#include "plugins/keywords/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void gave_up(void *context, uint32_t pattern, uint64_t offset)
{
    (void)context, (void)pattern, (void)offset;
}

int main(int argc, char **argv)
{
    size_t block = argc > 3 ? strtoul(argv[3], NULL, 0) : 1 << 20, filled, count;
    uint8_t *data = malloc(block + SEARCH_AHEAD), before[SEARCH_BEFORE];
    struct search_marks marks = {0};
    struct search *search;
    struct why why = {{0}};
    uint64_t offset = 0, hits = 0;
    double begin = now(), spent = 0, set_up;
    FILE *file = argc > 2 ? fopen(argv[2], "re") : NULL;
    const struct hit *list;

    if (file == NULL || data == NULL || keyword_search_new(argv[1], &search, &why) < 0) {
        fprintf(stderr, "keywords LIST FILE [BLOCK]: %s\n", why.text);
        return 2;
    }
    set_up = now() - begin;
    filled = fread(data, 1, block + SEARCH_AHEAD, file);
    while (filled > 0) {
        size_t size = filled < block ? filled : block, rest = filled - size;
        struct search_window window = {data, size, filled, offset, before, offset > 0 ? SEARCH_BEFORE : 0};

        begin = now();
        if (keyword_search_window(search, &marks, &window, gave_up, NULL, &list, &count) < 0)
            return 1;
        spent += now() - begin;
        hits += count;
        if (size >= SEARCH_BEFORE)
            memcpy(before, data + size - SEARCH_BEFORE, SEARCH_BEFORE);
        memmove(data, data + size, rest);
        offset += size;
        filled = rest + fread(data + rest, 1, block, file);
    }
    printf("%zu keywords, %zu patterns, set up in %.2f s; %.1f MB in %.2f s: %.0f MB/s; %llu hits\n",
           keyword_search_list(search)->count, keyword_search_pattern_count(search), set_up, (double)offset / 1e6, spent,
           (double)offset / 1e6 / spent, (unsigned long long)hits);
    keyword_search_marks_finish(&marks);
    keyword_search_free(search);
    free(data);
    return 0;
}
