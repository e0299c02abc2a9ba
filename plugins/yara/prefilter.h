/*
 * prefilter: which strings of a rule set may match a content, and around where, at a fraction of what
 * libyara's own search costs with thousands of rules (literals.h, Hyperscan).
 */
#ifndef KVALI_PLUGINS_YARA_PREFILTER_H
#define KVALI_PLUGINS_YARA_PREFILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yara.h>

struct prefilter; /* opaque */
struct scan;

/* For the strings of `rules`, which must live as long. 0, -ENOMEM. */
int prefilter_new(const YR_RULES *rules, struct prefilter **ret);
void prefilter_free(struct prefilter *prefilter);

/* Matches of a string with some of its literals, which were found, lie within these bytes of the content. */
struct prefilter_hit {
    uint64_t begin, end;
    uint32_t string;
};

enum prefilter_may {
    MAY_NOT,
    MAY_MATCH,
    MAY_ASK, /* prefilter_may_match knows better */
};

/* What is known of a content: for each string of the rules, by its index there, whether it may match; which
 * of those that have windows do; and each place where a literal of these stands, in no order. `many`: there
 * are more places than are told. Valid until the next search. */
struct prefilter_answer {
    const uint8_t *may;
    const uint32_t *strings;
    size_t count;
    const struct prefilter_hit *hits;
    size_t hit_count;
    bool many;
};

/* Of no content in particular: what does not depend on the content. */
void prefilter_nothing(const struct prefilter *prefilter, struct prefilter_answer *ret);
/* Are all matches of the string around the hits? */
bool prefilter_has_windows(const struct prefilter *prefilter, uint32_t string);
/* Searches `data`. Gives signs of life to `scan` (NULL: to nobody). False: it cannot be told. */
bool prefilter_scan(struct prefilter *prefilter, struct scan *scan, const uint8_t *data, size_t size,
                    struct prefilter_answer *ret);

/* May the string match the content searched last, whose data must still be there? For MAY_ASK this takes a
 * look at the content. */
bool prefilter_may_match(struct prefilter *prefilter, uint32_t string);

#endif
