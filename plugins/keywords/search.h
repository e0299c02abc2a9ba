/*
 * search: all keywords in all their writings, ready to be looked for. Words go through filter.h, regular
 * expressions through Hyperscan [Wang et al., NSDI 2019]; both only say where to look, and program_match
 * decides.
 */
#ifndef KVALI_KEYWORDS_SEARCH_H
#define KVALI_KEYWORDS_SEARCH_H

#include "plugins/keywords/list.h"

enum {
    SEARCH_AHEAD = PROGRAM_WIDTH_MAX + 256, /* bytes behind a hit's first that may be needed */
    SEARCH_BEFORE = 8,                      /* bytes before it */
};

/* One keyword in one writing. */
struct pattern {
    uint32_t keyword;
    const struct writing *writing;
    uint32_t least, most; /* bytes of a hit */
    struct sieve sieve;
};

struct search;

/* `paths`: files, ':' between. Lines that cannot be searched for are left out and are complaints of their
 * file. */
int keyword_search_new(const char *paths, struct search **ret_search, struct why *why);
void keyword_search_free(struct search *search);

const struct list *keyword_search_list(const struct search *search);
const struct writings *keyword_search_writings(const struct search *search);
const struct pattern *keyword_search_pattern(const struct search *search, uint32_t index);
size_t keyword_search_pattern_count(const struct search *search);
/* Why a keyword is not searched for in a writing; NULL when it is, "" when that goes without saying. Static
 * or in `room`. */
const char *keyword_search_left_out(const struct search *search, const struct keyword *keyword,
                                    const struct writing *writing, char room[128]);

struct hit {
    uint64_t offset; /* of data[0] */
    uint32_t pattern, size;
};

/* Where to look on with each regular expression: kept with the stream. */
struct search_marks {
    struct mark {
        uint32_t pattern; /* plus 1; 0: free */
        uint64_t next;    /* first place in the stream that was not tried */
    } * items;
    size_t count, capacity;
};
void keyword_search_marks_finish(struct search_marks *marks);

struct search_window {
    const uint8_t *data;
    size_t begin; /* hits that begin in [0, begin) are wanted */
    size_t size;  /* all bytes: as many as SEARCH_AHEAD behind `begin`, or to the stream's end */
    uint64_t offset;
    const uint8_t *before; /* the bytes before data[0], which end at before + before_size */
    size_t before_size;    /* up to SEARCH_BEFORE */
};

/* The hits in a window, in the order of place and pattern, valid until the next call; none twice. `gave_up`
 * is called for a pattern that took too long at a place. 0 or -ENOMEM, -EIO. */
int keyword_search_window(struct search *search, struct search_marks *marks,
                          const struct search_window *window,
                          void (*gave_up)(void *context, uint32_t pattern, uint64_t offset), void *context,
                          const struct hit **ret_hits, size_t *ret_count);

/* Does this pattern match at data[at]? The length, or 0. */
size_t keyword_search_match(struct search *search, const struct search_window *window, uint32_t pattern,
                            size_t at);

#endif
