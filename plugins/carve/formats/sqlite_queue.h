/*
 * sqlite_queue: the pages of a database that are still to be looked at, each with a number that its reader
 * wants. They come out ascending; one that lies before the last that came out waits for the next sweep
 * through the file.
 */
#ifndef KVALI_PLUGINS_CARVE_FORMATS_SQLITE_QUEUE_H
#define KVALI_PLUGINS_CARVE_FORMATS_SQLITE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sqlite_heap {
    uint64_t *items; /* page << 32 | extra */
    size_t count, room;
};

struct sqlite_queue { /* all zero: empty */
    struct sqlite_heap now, later;
    uint32_t at;
};

void sqlite_queue_finish(struct sqlite_queue *queue);
/* False: no memory. */
bool sqlite_queue_push(struct sqlite_queue *queue, uint32_t page, uint32_t extra);
/* False: it is empty. */
bool sqlite_queue_pop(struct sqlite_queue *queue, uint32_t *ret_page, uint32_t *ret_extra);

#endif
