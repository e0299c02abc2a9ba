/*
 * worker_private: what the files of the worker share: worker.c (tasks, scanning, reading), worker_batch.c (the streams
 * of a task), worker_sink.c (what a scan says), worker_expand.c (walking) and worker_inside.c (media inside of files).
 */
#ifndef KVALI_JOB_WORKER_PRIVATE_H
#define KVALI_JOB_WORKER_PRIVATE_H

#include "engine/evidence/found.h"
#include "engine/job/blackbox.h"
#include "engine/job/wire.h"
#include "engine/job/worker.h"
#include "engine/job/worker_replay.h"

struct task_stream_in {
    uint64_t id, exhibit, size, without, silent, barren;
    char *locator, *path, *name, *extension;
    uint32_t kind;
    bool deleted, later; /* later: one more pass over what is known */
    char **spares;       /* addresses that only silent plugins look at, sorted */
    size_t spare_count;
};

struct worker {
    struct zygote *zygote;
    struct wire wire;
    struct blackbox *box;
    struct task_stream_in batch[WIRE_BATCH_MAX];
    size_t batch_count;
    const struct task_stream_in *task; /* being scanned */
    char **spares;                     /* of the next STREAM */
    size_t spare_count, spare_capacity;
    struct replay replay;
};

/* The opened image of an exhibit; NULL: it is not open. */
struct image *worker_image(const struct worker *worker, uint64_t exhibit);
/* Writes into the black box what is being worked on. */
void worker_beat(struct worker *worker, uint32_t stream, uint32_t plugin, uint64_t at);
int worker_flush_when_full(struct worker *worker);
/* Says that the run needs a key; -ENOKEY. */
int worker_locked(struct worker *worker, const char *locator, const struct why *why);
void worker_send_fault(struct worker *worker, const struct found_fault *fault);

/* worker_batch.c: takes in a SPARE and a STREAM (-EPROTO, -ENOMEM), and frees what was taken. */
int worker_batch_spare(struct worker *worker, struct bytes *message);
int worker_batch_add(struct worker *worker, struct bytes *message);
void worker_batch_clear(struct worker *worker);

/* worker_sink.c: where the scan of worker->task says what it finds. */
struct scan_sink worker_sink(struct worker *worker);
/* Two of its functions, for what is said besides. */
int worker_note(void *context, uint32_t stream, uint32_t plugin, uint64_t offset, const char *text);
void worker_at(void *context, uint32_t stream, uint32_t plugin, uint64_t offset);

/* An EXPAND task: walks, reports what it finds, and EXPANDED. -EPROTO, -ENOMEM, or the socket's code. */
int worker_expand(struct worker *worker, struct bytes *task);

/* worker_inside.c: when the content is a virtual disk or an encrypted container, tells of the volume that it is. */
struct stream;
int worker_inside(struct worker *worker, const struct task_stream_in *task, struct stream *stream);

#endif
