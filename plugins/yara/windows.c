/*
 * windows: see windows.h.
 *
 * libyara 4.2 goes over the blocks of an iterator once to search them, asks for the size of the file, and
 * then over them again for each number that a condition reads and each module [libyara/scanner.c,
 * yr_scanner_scan_mem_blocks; exec.c]. So the iterator gives the windows first and the whole content behind.
 */
#include "plugins/yara/windows.h"

#include <errno.h>
#include <stdlib.h>

void windows_finish(struct windows *windows)
{
    free(windows->items);
    *windows = (struct windows){.items = NULL};
}

void windows_clear(struct windows *windows)
{
    windows->count = 0;
}

int windows_add(struct windows *windows, uint64_t begin, uint64_t end)
{
    if (windows->count == windows->capacity) {
        size_t capacity = windows->capacity * 2 + 64;
        struct window *items = reallocarray(windows->items, capacity, sizeof items[0]);

        if (items == NULL)
            return -ENOMEM;
        windows->items = items;
        windows->capacity = capacity;
    }
    windows->items[windows->count++] = (struct window){begin, end};
    return 0;
}

static int compare_windows(const void *a, const void *b)
{
    const struct window *one = a, *two = b;

    return (one->begin > two->begin) - (one->begin < two->begin);
}

void windows_merge(struct windows *windows)
{
    size_t kept = 0;

    if (windows->count > 1)
        qsort(windows->items, windows->count, sizeof windows->items[0], compare_windows);
    for (size_t i = 0; i < windows->count; i++) {
        const struct window *window = &windows->items[i];

        if (kept == 0 || window->begin > windows->items[kept - 1].end)
            windows->items[kept++] = *window;
        else if (window->end > windows->items[kept - 1].end)
            windows->items[kept - 1].end = window->end;
    }
    windows->count = kept;
}

/* ------------------------------------------------------------------ libyara's iterator */

struct pass {
    const struct windows *windows;
    size_t at;
    bool searched;
    const uint8_t *data;
    size_t size;
    YR_MEMORY_BLOCK block;
};

static const uint8_t *fetch(YR_MEMORY_BLOCK *block)
{
    const struct pass *pass = block->context;

    return pass->data + block->base;
}

static YR_MEMORY_BLOCK *block_of(struct pass *pass, uint64_t begin, uint64_t end)
{
    pass->block =
        (YR_MEMORY_BLOCK){.base = begin, .size = (size_t)(end - begin), .context = pass, .fetch_data = fetch};
    return &pass->block;
}

static YR_MEMORY_BLOCK *next_window(YR_MEMORY_BLOCK_ITERATOR *iterator)
{
    struct pass *pass = iterator->context;
    const struct window *window;

    if (pass->searched || pass->at == pass->windows->count)
        return NULL;
    window = &pass->windows->items[pass->at++];
    return block_of(pass, window->begin, window->end);
}

static YR_MEMORY_BLOCK *first_window(YR_MEMORY_BLOCK_ITERATOR *iterator)
{
    struct pass *pass = iterator->context;

    pass->at = 0;
    return pass->searched ? block_of(pass, 0, pass->size) : next_window(iterator);
}

static uint64_t size_of(YR_MEMORY_BLOCK_ITERATOR *iterator)
{
    struct pass *pass = iterator->context;

    pass->searched = true;
    return pass->size;
}

int windows_scan(const struct windows *windows, YR_SCANNER *scanner, const uint8_t *data, size_t size)
{
    struct pass pass = {.windows = windows, .data = data, .size = size};
    YR_MEMORY_BLOCK_ITERATOR iterator = {.context = &pass,
                                         .first = first_window,
                                         .next = next_window,
                                         .file_size = size_of,
                                         .last_error = ERROR_SUCCESS};

    return yr_scanner_scan_mem_blocks(scanner, &iterator);
}
