/*
 * grams: which known ssdeep hashes can be near to one at all. Two hashes score above 0 only when, at the same
 * block size, they have seven characters in a row in common, or are the same; so an index of all runs of
 * seven finds every one that is to be compared, and few others.
 */
#ifndef KVALI_PLUGINS_SSDEEP_GRAMS_H
#define KVALI_PLUGINS_SSDEEP_GRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct grams {
    uint32_t *starts, *items, *seen, now; /* seen[item] is the number of the question that met it last */
    unsigned bits;
    size_t count;
};

/* Is this "blocksize:hash:hash" with hashes that libfuzzy may have made? */
bool grams_is_hash(const char *text);

/* Hash number i is `text(context, i)`, which is one. 0 or -ENOMEM. */
int grams_make(struct grams *grams, size_t count, const char *(*text)(const void *context, size_t i),
               const void *context);
void grams_finish(struct grams *grams);
/* Each known hash that may be near to this one, once, in no order. */
void grams_ask(struct grams *grams, const char *hash, void (*each)(void *context, size_t item),
               void *context);

#endif
