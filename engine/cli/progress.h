/*
 * progress: a run on the terminal: one line that renews itself; a plain line now and then when standard error
 * is not a terminal; and the events file.
 */
#ifndef KVALI_CLI_PROGRESS_H
#define KVALI_CLI_PROGRESS_H

#include "engine/base/why.h"
#include "engine/job/job.h"

#include <stdio.h>

struct progress {
    FILE *events; /* NULL: none */
    bool quiet, terminal;
    int64_t shown; /* when the last line was written */
};

int progress_init(struct progress *progress, const char *events_path, bool quiet, struct why *why);
/* Clears the line, closes the events file. */
void progress_finish(struct progress *progress);

/* For struct job_options; `context` is the struct progress. */
void progress_show(void *context, const struct job_progress *now);
void progress_event(void *context, const char *json);

/* "1.4 GB", "230 MB/s" without the "/s"; decimal units as disks are sold in. Returns `ret`. */
const char *progress_bytes(double bytes, char *ret, size_t size);

#endif
