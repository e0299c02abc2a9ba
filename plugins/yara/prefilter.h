/*
 * prefilter: which strings of a rule set may match a content, at a fraction of what libyara's own search
 * costs with thousands of rules.
 *
 * Sound, not complete: a string that may not match does not. A plain string is sought by its first bytes, a
 * hex string by some that it surely has, any other by the short pieces ("atoms") that libyara itself chose to
 * seek it by, read from the automaton of the compiled rules; what has only pieces of less than three bytes
 * may always match.
 */
#ifndef KVALI_PLUGINS_YARA_PREFILTER_H
#define KVALI_PLUGINS_YARA_PREFILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yara.h>

struct prefilter; /* opaque */
struct scan;

enum { PREFILTER_PIECE_MAX = 16 };

/* Bytes that every match of a string has; size 0: none are known. */
struct prefilter_piece {
    uint8_t bytes[PREFILTER_PIECE_MAX];
    uint8_t size;
};

/* For the strings of `rules`, which must live as long, with a piece for each of them. 0, -ENOMEM. */
int prefilter_new(YR_RULES *rules, const struct prefilter_piece *pieces, struct prefilter **ret);
void prefilter_free(struct prefilter *prefilter);

/* What is known of a content: for each string of the rules, by its index there, whether it may match (not 0);
 * and which these are, but for those that may match in any content. Valid until the next search. */
struct prefilter_answer {
    const uint8_t *may;
    const uint32_t *strings;
    size_t count;
};

/* Of no content in particular. */
void prefilter_nothing(const struct prefilter *prefilter, struct prefilter_answer *ret);
/* Searches `data`. Gives signs of life to `scan` (NULL: to nobody). False: it cannot be told. */
bool prefilter_scan(struct prefilter *prefilter, struct scan *scan, const uint8_t *data, size_t size,
                    struct prefilter_answer *ret);

#endif
