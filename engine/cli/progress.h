/*
 * progress: a run on the terminal: one line that renews itself; a plain line now and then when standard error
 * is not a terminal; and the events file.
 */
#ifndef KVALI_CLI_PROGRESS_H
#define KVALI_CLI_PROGRESS_H

#include "engine/base/why.h"
#include "engine/job/job.h"

#include <stdio.h>

enum { PROGRESS_NAMES = 64, PROGRESS_NAME_SIZE = 160 };

struct progress {
    FILE *events; /* NULL: none */
    bool quiet, terminal;
    int64_t shown; /* when the last line was written */
    uint64_t found;
    char names[PROGRESS_NAMES][PROGRESS_NAME_SIZE]; /* that were shown */
    size_t name_count;                              /* PROGRESS_NAMES + 1: and there are more */
};

int progress_init(struct progress *progress, const char *events_path, bool quiet, struct why *why);
/* Clears the line, closes the events file. */
void progress_finish(struct progress *progress);

/* For struct job_options; `context` is the struct progress. */
void progress_show(void *context, const struct job_progress *now);
void progress_event(void *context, const char *json);
/* The first finding of each name is a line, the others are counted. Each goes to the events file. */
void progress_found(void *context, const struct job_found *found);

/* "1.4 GB", "230 MB/s" without the "/s"; decimal units as disks are sold in. Returns `ret`. */
const char *progress_bytes(double bytes, char *ret, size_t size);

#endif
