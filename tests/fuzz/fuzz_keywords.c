/*
 * fuzz_keywords: the input is a list of keywords and, behind its first empty line, evidence. A list of any
 * bytes is read; and what is found does not depend on where a window begins.
 */
#include "plugins/keywords/search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct found {
    struct hit hits[4096];
    size_t count;
};

static void gave_up(void *context, uint32_t pattern, uint64_t offset)
{
    (void)context, (void)pattern, (void)offset;
}

static void look(struct search *search, const uint8_t *data, size_t size, size_t block, struct found *found)
{
    struct search_marks marks = {0};

    found->count = 0;
    for (size_t at = 0; at < size; at += block) {
        size_t begin = size - at < block ? size - at : block;
        size_t all = size - at - begin < SEARCH_AHEAD ? size - at : begin + SEARCH_AHEAD;
        struct search_window window = {data + at, begin, all,
                                       at,        data,  at < SEARCH_BEFORE ? at : SEARCH_BEFORE};
        const struct hit *hits;
        size_t count;

        window.before = data + at - window.before_size;
        if (keyword_search_window(search, &marks, &window, gave_up, NULL, &hits, &count) < 0)
            abort();
        for (size_t i = 0; i < count && found->count < 4096; i++)
            found->hits[found->count++] = hits[i];
    }
    keyword_search_marks_finish(&marks);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct found whole, parts;
    const uint8_t *rest = size > 1 ? memmem(data, size, "\n\n", 2) : NULL;
    size_t list_size = rest != NULL ? (size_t)(rest - data) + 1 : size < 4096 ? size : 4096;
    char path[] = "/tmp/fuzz-keywords-XXXXXX";
    int fd = mkstemp(path);
    struct search *search;
    struct why why = {{0}};

    if (fd < 0 || write(fd, data, list_size) != (ssize_t)list_size)
        abort();
    close(fd);
    if (keyword_search_new(path, &search, &why) == 0) {
        look(search, data, size, size + 1, &whole);
        look(search, data, size, 61, &parts);
        if (whole.count != parts.count ||
            memcmp(whole.hits, parts.hits, whole.count * sizeof whole.hits[0]) != 0)
            abort();
        keyword_search_free(search);
    }
    unlink(path);
    return 0;
}
