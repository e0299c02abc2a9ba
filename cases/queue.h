/*
 * queue: what is still to do. The database is the queue: nothing is kept beside it but what is in hand.
 */
#ifndef KVALI_CASES_QUEUE_H
#define KVALI_CASES_QUEUE_H

#include "cases/casefile.h"
#include "engine/plugin.h"

struct task_expand {
    uint64_t id, exhibit;
    char *locator, *volume, *root; /* root: what addresses begin with, "": the exhibit's name */
    uint64_t *skip;       /* values of `at` to leave out */
    uint32_t *skip_kinds; /* enum fault_kind of each */
    size_t skip_count;
    uint32_t tries; /* attempts that were not chosen, lost ones not counted */
    uint32_t lost;
};

struct task_stream {
    uint64_t id, exhibit;
    char *locator, *path, *name, *extension;
    enum stream_kind kind;
    bool deleted;
    uint64_t size, disk;
    char *without; /* plugins to leave out, ',' between */
    uint32_t tries, lost;
};

/* `ready` is called with an exhibit's id: false leaves its work out (its evidence is not open). `busy` is
 * called with the id of a task: true for what is in hand already. */
struct queue_filter {
    bool (*ready)(void *context, uint64_t exhibit);
    bool (*busy)(void *context, uint64_t id);
    void *context;
};
/* Up to `max` pending expand tasks. */
int queue_expands(struct casefile *cf, const struct queue_filter *filter, struct task_expand *ret_tasks,
                  size_t max, size_t *ret_count);
/* Pending streams of the case's pass in disk order, whole images first; stops when `max` or `max_bytes` is reached (at least
 * one). The batch lies in one exhibit. */
int queue_streams(struct casefile *cf, const struct queue_filter *filter, struct task_stream *ret_tasks,
                  size_t max, uint64_t max_bytes, size_t *ret_count);
void task_expand_finish(struct task_expand *task);
void task_stream_finish(struct task_stream *task);

struct queue_counts {
    uint64_t expands_pending, streams_pending, streams_done, bytes_pending, bytes_done, faults;
};
/* Totals for progress; cheap enough to ask once a second (kept by the writer in memory after the first call).
 */
int queue_counts(struct casefile *cf, struct queue_counts *ret_counts);

/* The same of one pass from the database. */
int queue_count(struct db *db, uint64_t pass, struct queue_counts *ret_counts);

/* Makes every stream pending again (run --again): all records, notes and faults of contents go, and all later
 * passes, in one transaction, after a ledger record "discard". */
int queue_reset(struct casefile *cf);

#endif
