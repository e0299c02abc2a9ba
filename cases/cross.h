/*
 * cross: an index over cases, which a lab makes if it wants one: what several of its cases have in common. Of
 * each case it holds the SHA-256 of contents (of 512 bytes and more, those of known sets left out) and what
 * the plugin features found that belongs to a person, a device or an account; with one place each. A case is
 * in it as it was when it was added last.
 */
#ifndef KVALI_CASES_CROSS_H
#define KVALI_CASES_CROSS_H

#include "cases/casefile.h"

#include <stdint.h>

struct cross;
/* `make`: makes it when it is not there. -ENOENT, -EUCLEAN. */
int cross_open(const char *path, bool make, struct cross **ret_cross, struct why *why);
void cross_close(struct cross *cross);

/* Takes the case in, in place of what the index had of it. *ret_values: how many different values it has. */
int cross_add(struct cross *cross, struct casefile *cf, uint64_t *ret_values, struct why *why);

/* One value in one case. Text is escaped (engine/base/text.h). */
struct cross_hit {
    const char *kind, *value, *number, *folder, *exhibit, *path;
    uint64_t cases;    /* that have the value */
    uint64_t contents; /* of this case that have it */
};
/* Values that more than one case has, in the order of kind, value and case number; `kind`, `value` (NULL:
 * all) choose. With a `value` also what only one case has. A negative return of `each` ends. */
int cross_find(struct cross *cross, const char *kind, const char *value,
               int (*each)(void *context, const struct cross_hit *hit), void *context, struct why *why);

#endif
