/*
 * index: the words of a case's documents, for `kvali search`: index.db beside case.db.
 *
 * Its table `words` is an FTS5 index without content; `page` says for each of its rows which attempt at which
 * stream it is from, and keeps the text, packed, for excerpts. Text is folded before it is indexed and before
 * it is asked for (engine/base/fold.h), so the tokenizer of SQLite 3.40, which knows no Mtavruli, need not
 * know it.
 *
 * case.db alone says what counts: a page counts when its attempt is the chosen one of its stream. index.db is
 * committed before case.db, so a chosen attempt's pages are there whatever happens; pages that a kill left
 * without one are cleared away when a run opens the index next, before it makes new attempts.
 */
#ifndef KVALI_CASES_INDEX_H
#define KVALI_CASES_INDEX_H

#include "cases/casefile.h"
#include "engine/base/why.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    INDEX_PAGE_MAX = 1 << 20
}; /* bytes of text in one page; words of a query stand together in one page */

struct index;

/* For a run: makes it when it is not there, clears away what does not count. */
int index_open(struct casefile *cf, struct index **ret_index, struct why *why);
/* What is not committed is lost. */
void index_close(struct index *index);
const char *index_error(const struct index *index);

/* Text of a stream, in order: UTF-8. A page is written when it is full, when `last` is set, or when another
 * stream of this attempt begins. -EINVAL: it is no UTF-8. */
int index_add(struct index *index, uint64_t attempt, uint64_t stream, const void *text, size_t size,
              bool last);
int index_commit(struct index *index);

/* A page that another index has, as it is stored there. -EUCLEAN: its text cannot be unpacked. */
struct index_page {
    uint64_t stream, attempt, number, size;
    const void *packed;
    size_t packed_size;
};
int index_take(struct index *index, const struct index_page *page);

struct index_query {
    const char
        *words; /* words, "phrases", prefixes*, AND, OR, NOT, (groups); words alone are joined by AND */
    const char *exhibit; /* label; NULL: all */
};
/* One page in which the words stand. Text is UTF-8 as it was extracted, not made safe. */
struct index_hit {
    const char *exhibit, *path;
    uint64_t stream, page; /* page of the stream, from 0 */
    bool deleted;
    const char *before, *text, *after; /* around the first of the words */
};
/* In the order of exhibit, path and page. *ret_missing: contents with text that is not in the index. -ENOENT:
 * there is no index; -EINVAL and `why`: the query is none. `each` returns negative to end. */
int index_search(struct casefile *cf, const struct index_query *query,
                 int (*each)(void *context, const struct index_hit *hit), void *context,
                 uint64_t *ret_missing, struct why *why);

#endif
