/*
 * compare: what differs between the findings of two cases, one by one, and why: other evidence, other rules,
 * another configuration, another version. What none of these explains should not be there: the same evidence,
 * settings and versions give the same findings.
 */
#ifndef KVALI_CASES_COMPARE_H
#define KVALI_CASES_COMPARE_H

#include "cases/casefile.h"

enum compare_cause { CAUSE_EVIDENCE, CAUSE_RULES, CAUSE_CONFIGURATION, CAUSE_VERSION, CAUSE_NONE, CAUSES };
const char *compare_cause_name(enum compare_cause cause); /* "evidence" ...; CAUSE_NONE: "not explained" */

/* Something that the two cases were made with and that differs; "" where a case does not have it. */
struct compare_fact {
    enum compare_cause cause;
    const char *what, *first, *second;
};

enum compare_side { ONLY_FIRST, ONLY_SECOND, BOTH_DIFFER, SIDES };
struct compare_item {
    enum compare_side side;
    const char *part;    /* "entry", "record yara.match" ... */
    const char *key;     /* what it is about: exhibit, address ... with blanks between */
    const char *changes; /* BOTH_DIFFER: "size: 3 | 4; ..."; else "" */
    enum compare_cause cause;
};

struct compare_result {
    uint64_t same, items[SIDES], causes[CAUSES];
};

/* Tells the facts first, then the items in the order of the digest. Memory does not grow with the findings.
 */
int case_compare(struct casefile *first, struct casefile *second,
                 void (*fact)(void *context, const struct compare_fact *fact),
                 void (*item)(void *context, const struct compare_item *item), void *context,
                 struct compare_result *ret_result, struct why *why);

#endif
