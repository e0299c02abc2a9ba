/*
 * sqlite_queue: see sqlite_queue.h. Two binary heaps, one for this sweep and one for the next.
 */
#include "plugins/carve/formats/sqlite_queue.h"

#include <stdlib.h>

static bool heap_push(struct sqlite_heap *heap, uint64_t item)
{
    size_t i = heap->count;

    if (i == heap->room) {
        size_t room = heap->room * 2 + 64;
        uint64_t *items = realloc(heap->items, room * sizeof items[0]);

        if (items == NULL)
            return false;
        heap->items = items;
        heap->room = room;
    }
    for (; i > 0 && heap->items[(i - 1) / 2] > item; i = (i - 1) / 2)
        heap->items[i] = heap->items[(i - 1) / 2];
    heap->items[i] = item;
    heap->count++;
    return true;
}

static uint64_t heap_pop(struct sqlite_heap *heap)
{
    uint64_t least = heap->items[0], last = heap->items[--heap->count];
    size_t i = 0;

    for (size_t child = 1; child < heap->count; child = 2 * i + 1) {
        if (child + 1 < heap->count && heap->items[child + 1] < heap->items[child])
            child++;
        if (heap->items[child] >= last)
            break;
        heap->items[i] = heap->items[child];
        i = child;
    }
    heap->items[i] = last;
    return least;
}

void sqlite_queue_finish(struct sqlite_queue *queue)
{
    free(queue->now.items);
    free(queue->later.items);
}

bool sqlite_queue_push(struct sqlite_queue *queue, uint32_t page, uint32_t extra)
{
    return heap_push(page > queue->at ? &queue->now : &queue->later, (uint64_t)page << 32 | extra);
}

bool sqlite_queue_pop(struct sqlite_queue *queue, uint32_t *ret_page, uint32_t *ret_extra)
{
    uint64_t item;

    if (queue->now.count == 0) {
        struct sqlite_heap empty = queue->now;

        queue->now = queue->later;
        queue->later = empty;
    }
    if (queue->now.count == 0)
        return false;
    item = heap_pop(&queue->now);
    queue->at = *ret_page = (uint32_t)(item >> 32);
    *ret_extra = (uint32_t)item;
    return true;
}
