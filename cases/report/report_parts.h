/*
 * report_parts: the files that belong to a report and stand beside it in a folder of its own:
 * reports/report-0001-files/.
 *
 * They are written into a folder with another name (.partial) and get theirs all at once, when the last one
 * is on the disk.
 */
#ifndef KVALI_CASES_REPORT_REPORT_PARTS_H
#define KVALI_CASES_REPORT_REPORT_PARTS_H

#include "cases/report/report_out.h"
#include "engine/base/why.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PART_NAME_MAX = 64, PARTS_MAX = 20000 };

struct report_part {
    char name[PART_NAME_MAX];
    char sha256[SHA256_HEX_SIZE];
    uint64_t size;
};

struct report_parts {
    int reports;   /* the folder of reports; borrowed */
    char name[64]; /* of their folder in it */
    int folder;    /* -1 until the first part */
    bool done;     /* they have their name */
    struct report_part *items;
    size_t count;
};

void report_parts_init(struct report_parts *parts, int reports, const char *name);
/* Frees; unless the parts are done and to be kept, it takes them away. */
void report_parts_finish(struct report_parts *parts, bool keep);

/* Begins the part `name` (our own: letters, digits, '-', '.') and makes `out` lead to it. To be closed, also
 * after an error of what is written: `error` is that, and comes back. */
int report_parts_open(struct report_parts *parts, const char *name, struct report_out *out, struct why *why);
int report_parts_close(struct report_parts *parts, struct report_out *out, int error, struct why *why);

/* All are there: gives the folder its name. Nothing to do when there are none. */
int report_parts_done(struct report_parts *parts, struct why *why);

#endif
