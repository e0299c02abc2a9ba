/*
 * search: everything that is found in one piece of memory: its bytes as they are, and the runs of UTF-16 in
 * it. What is found depends on the memory, [from, to) and `offset` alone.
 */
#ifndef KVALI_PLUGINS_FEATURES_SEARCH_H
#define KVALI_PLUGINS_FEATURES_SEARCH_H

#include "plugins/features/hits.h"

#include "engine/base/why.h"

struct search;

/* Takes the tables of `folder`. */
int search_new(const char *folder, struct search **ret_search, struct why *why);
void search_free(struct search *search);

/* A piece of a stream. */
struct piece {
    const uint8_t *data;
    size_t size;     /* below 1 GiB */
    size_t from, to; /* what begins in these is wanted; the rest is there to be looked into */
    uint64_t offset; /* of data[0] in the stream */
};

/* Calls `each` for what was found, in order of offset; each place and kind once. 0, what `each` answered,
 * -ENOMEM, -EIO. */
typedef int search_each(void *context, const struct occurrence *occurrence);
int search_piece(struct search *search, const struct piece *piece, search_each *each, void *context);

#endif
