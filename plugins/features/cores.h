/*
 * cores: the pieces of text that stand in features or beside them, all looked for at once by Hyperscan:
 * prefixes, words of context, top-level domains that count alone.
 */
#ifndef KVALI_PLUGINS_FEATURES_CORES_H
#define KVALI_PLUGINS_FEATURES_CORES_H

#include "plugins/features/finder.h"

#include "engine/base/why.h"

struct cores;

/* Compiles what the tables and the program name; borrows the tables. -ENOMEM, -EINVAL. */
int cores_new(const struct tables *tables, struct cores **ret_cores, struct why *why);
void cores_free(struct cores *cores);

/* Places where a core was seen; in order of their ends. */
struct seen {
    uint32_t core, end;
};
struct seen_list {
    struct seen *items; /* owned */
    size_t count, capacity;
};
/* 0, -ENOMEM, or -EIO: the search failed. `list` is emptied first; positions count from `data`. */
int cores_search(const struct cores *cores, const uint8_t *data, size_t size, struct seen_list *list);

/* Words of context among what was seen, as places of `text`, whose byte `shift` the search began at. `ret`
 * has room for list->count; their number. */
size_t cores_places(const struct cores *cores, const struct seen_list *list, const struct text *text,
                    size_t shift, struct place *ret);
/* Calls the examiner of one. */
void cores_examine(const struct cores *cores, const struct seen *seen, struct finder *finder,
                   const struct text *text, size_t shift);

#endif
