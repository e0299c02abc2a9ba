/*
 * worker_replay: gives back the bytes of streams that lie inside another one. They have no locator: the
 * stream around them is scanned again by the plugins that found them (engine/scan/scanner.h,
 * scanner_capture), and what turns up under a wanted address is sent. The worker's side of WANT and REPLAY
 * (wire.h).
 */
#ifndef KVALI_JOB_WORKER_REPLAY_H
#define KVALI_JOB_WORKER_REPLAY_H

#include "engine/job/wire.h"
#include "engine/scan/scanner.h"

struct replay {
    struct wire *wire;                                                            /* borrowed */
    void (*at)(void *context, uint32_t stream, uint32_t plugin, uint64_t offset); /* the heart beats */
    void *context;
    struct replay_want {
        char *path;
        uint64_t offset, size;
        uint32_t number; /* in order of arrival */
        bool found;
    } * wants;
    size_t count, capacity, found;
    struct replay_want *now; /* being sent */
    uint64_t position;       /* in it */
};

/* Takes one WANT. -EPROTO, -ENOMEM. */
int replay_want(struct replay *replay, struct bytes *message);

/* Scans `source` (NULL: it could not be opened, nothing is scanned) as the rest of a REPLAY message after the
 * locator describes it, until all wants are found, and forgets the wants. 0, also when some were not found;
 * -EPROTO: the message is malformed; the code of the socket, or of the scan. */
int replay_run(struct replay *replay, struct scanner *scanner, struct bytes *message, uint64_t size,
               const struct source *source);

#endif
