/*
 * labels: the different texts of a set's rows, each once, with a number from 1. Private to engine/hashset.
 */
#ifndef KVALI_HASHSET_LABELS_H
#define KVALI_HASHSET_LABELS_H

#include "engine/base/buf.h"

#include <stddef.h>
#include <stdint.h>

/* Texts that are numbered from 1, found by their hash. */
struct labels {
    struct buf text;
    uint64_t *starts; /* count + 1 */
    uint32_t *slots, count, slot_count;
    size_t capacity;
    uint64_t lost;
    struct buf scratch; /* the text that is being put together */
    unsigned parts;
};

/* All zero is an empty table. */
void labels_finish(struct labels *labels);
/* Adds one part of the label that is being put together, escaped; a TAB stands between parts. What is longer
 * than a part may be (4,096 bytes) ends there. */
void labels_part(struct labels *labels, const char *text, size_t size);
/* The number of the label put together, which is then forgotten; 0 and one more `lost` when the table is full
 * (64 MiB). */
uint32_t labels_number(struct labels *labels);

#endif
