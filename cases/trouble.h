/*
 * trouble: what is wrong, in as many lines as there are things wrong (the first few of them).
 */
#ifndef KVALI_CASES_TROUBLE_H
#define KVALI_CASES_TROUBLE_H

#include "engine/base/buf.h"

enum { TROUBLES_MAX = 50 };

struct trouble {
    struct buf text; /* lines with LF between */
    size_t count;
};

void trouble_add(struct trouble *trouble, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The lines, and how many more there are; "" for none. Borrowed until the next call. */
const char *trouble_text(struct trouble *trouble);
void trouble_finish(struct trouble *trouble);

#endif
