/*
 * worker: the process that parses evidence. kvali-worker is exec'ed by the supervisor as a zygote (zygote_main), which sets
 * up plugins, narrows itself, opens the evidence and forks workers (worker_main).
 */
#ifndef KVALI_JOB_WORKER_H
#define KVALI_JOB_WORKER_H

#include "engine/evidence/image_layer.h"
#include "engine/job/sandbox.h"
#include "engine/scan/scanner.h"

struct zygote_exhibit {
    uint64_t id;
    char *path;
    enum image_type type;
    struct image *image; /* NULL: could not be opened */
    struct keys keys;
};

struct zygote {
    int control; /* socket to the supervisor */
    struct settings settings;
    struct scanner *scanner; /* NULL when no plugin is wanted (reading only) */
    const struct plugin *plugins[SCANNER_PLUGINS_MAX];
    size_t plugin_count;
    struct zygote_exhibit *exhibits;
    size_t exhibit_count;
    int supervisor; /* pid */
};

/* Runs as zygote until the supervisor closes `control`. Returns the exit code. In a forked worker it does not return. */
int zygote_main(int control);

/* In the forked worker: takes over its three descriptors, closes the sandbox, does tasks until its socket closes, and exits. */
_Noreturn void worker_main(struct zygote *zygote, int socket, int blackbox, int spool);

/* {"libtsk":"4.11.1", ...} of everything the worker links, appended as a JSON object. */
void worker_versions(struct buf *buf);

#endif
