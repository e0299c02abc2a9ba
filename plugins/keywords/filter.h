/*
 * filter: finds the places where one of many words might stand, at a cost that hardly depends on how many
 * there are.
 *
 * Of each word, in each writing, one rare piece is kept (window.h): six bytes, or eight where a letter takes
 * more than one byte; less where there is no more, or where its letters have too many forms. At each place of
 * the evidence, or, where the processor can, at each that the gate (gate.h) lets through, four bytes are
 * hashed and looked up in a map of bits that fits the second-level cache; the few that are set are looked up
 * exactly. Bit 5 of every byte is left out, so ASCII's cases are one.
 */
#ifndef KVALI_KEYWORDS_FILTER_H
#define KVALI_KEYWORDS_FILTER_H

#include "plugins/keywords/program.h"

enum { FILTER_LOOK = 8 }; /* bytes that are read from a place on */

struct filter;

int filter_new(struct filter **ret_filter);
void filter_free(struct filter *filter);

/* A word in one writing. `program`'s root is flat (program_word made it). -EINVAL: there is no piece of it
 * that is certain, -ENOMEM. */
int filter_add(struct filter *filter, uint32_t pattern, const struct program *program,
               const struct writing *writing);
/* Forgets patterns from this number on. */
void filter_drop(struct filter *filter, uint32_t pattern);
/* After the last. */
int filter_compile(struct filter *filter);

/* Calls `found` for each place in [0, size) where a piece stands, with `base` added; the word begins
 * `back_least` to `back_most` bytes before it. FILTER_LOOK bytes behind `size` can be read. */
typedef void filter_found(void *context, uint32_t pattern, size_t place, uint32_t back_least,
                          uint32_t back_most);
void filter_search(const struct filter *filter, const uint8_t *data, size_t size, size_t base,
                   filter_found *found, void *context);

#endif
