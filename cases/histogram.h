/*
 * histogram: how often each value of plugins/features stands in each exhibit. Derived: counted once at the
 * end of a run (t_value), because counting millions of rows takes seconds; the views histogram,
 * histogram_exhibit and shared_feature read it, and count themselves while it is empty. The findings' digest
 * leaves it out.
 */
#ifndef KVALI_CASES_HISTOGRAM_H
#define KVALI_CASES_HISTOGRAM_H

#include "cases/casefile.h"

/* What is counted is not true while findings change, or when a run was interrupted. 0, -EIO, -ENOSPC ... */
int histogram_forget(struct casefile *cf);
/* Counts, in one transaction. `why` says what failed. */
int histogram_count(struct casefile *cf, struct why *why);
/* So does this, with so many bytes for the values; histogram_count has HISTOGRAM_MEMORY. What it gives does not depend on it. */
int histogram_count_within(struct casefile *cf, size_t memory, struct why *why);

/* About half a million values of 30 bytes. */
enum { HISTOGRAM_MEMORY = 64 * 1024 * 1024 };

#endif
