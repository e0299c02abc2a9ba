/*
 * batch: a lab's backlog: FOLDER/queue.db, what is to be done to which exhibit, and how it went. It survives
 * whatever happens to the process that works it off (engine/cli/batch.h): a task that was running is done
 * again, and its case goes on from what is done.
 *
 * An exhibit is one task, or two: a first look (profile triage) in a case of its own beside, CASE.triage, and
 * then the case.
 */
#ifndef KVALI_CASES_BATCH_H
#define KVALI_CASES_BATCH_H

#include "cases/db.h"
#include "engine/base/buf.h"
#include "engine/base/hash.h"
#include "engine/base/why.h"

#include <stdbool.h>
#include <stdint.h>

enum batch_state {
    BATCH_QUEUED,
    BATCH_RUNNING,
    BATCH_WAITING,
    BATCH_DONE,
    BATCH_FAULTS,
    BATCH_FAILED,
    BATCH_CANCELLED
};
const char *batch_state_word(enum batch_state state);
bool batch_state_is_end(enum batch_state state);

/* One task. Lists have an LF behind each member. All text is malloc'ed; batch_task_finish. */
struct batch_task {
    uint64_t id;
    char *folder;    /* of the case that it makes */
    char *exhibit;   /* "": EX-1 ... */
    char *evidence;  /* list of absolute paths */
    char *arguments; /* list, for `kvali process` */
    char *formats;   /* list, for `kvali report` besides html and json */
    char *message;   /* why it waits or failed */
    char *digest;    /* of the findings, once it is done */
    bool triage;
    int64_t priority, deadline; /* deadline in ns UTC, INT64_MAX: none */
    enum batch_state state;
    uint64_t tries;                     /* that failed */
    int64_t wait_until, started, ended; /* ns UTC; 0: not yet */
    uint64_t pid, pid_start; /* of a running one: /proc/PID/stat's start time, since pids come again */
    uint64_t seconds;        /* at work in all tries */
    uint64_t evidence_bytes, contents, faults, alerts;
};
void batch_task_finish(struct batch_task *task);

struct batch;
/* Makes the folder and the queue when they are not there. */
int batch_open(const char *folder, struct batch **ret_batch, struct why *why);
void batch_close(struct batch *batch);
const char *batch_folder(const struct batch *batch);
const char *batch_error(struct batch *batch);

/* Reads a manifest, checks all of it, and queues what is not queued yet; the same exhibit of the same case is
 * queued once. One that was queued with something else and has not begun, or has failed or was cancelled, is
 * queued again as it is said now. TOML: [[exhibit]] tables, keys before the first are defaults for all; CSV:
 * a line with the keys' names first, lists with
 * ';' between. *ret_added says how many tasks are new or changed. -EINVAL: `why` names file, exhibit and key.
 */
int batch_manifest(struct batch *batch, const char *path, bool triage, size_t *ret_added, struct why *why);
/* For a watched folder: is there a manifest with these bytes that was taken or refused already? Then `false`
 * in *ret_new. */
int batch_manifest_new(struct batch *batch, const char *sha256, bool *ret_new);
int batch_manifest_told(struct batch *batch, const char *sha256, const char *path, const char *problem);

/* All tasks in the order in which they are to be done: triage before full, priority, deadline, number. */
int batch_tasks(struct batch *batch, struct batch_task **ret_tasks, size_t *ret_count);
void batch_tasks_free(struct batch_task *tasks, size_t count);
/* Writes state, message, digest, times, pid and counts of a task; one that was cancelled meanwhile stays so.
 */
int batch_task_put(struct batch *batch, const struct batch_task *task);
/* Cancels what has not ended (id 0: all). A running one is stopped by who runs it. */
int batch_cancel(struct batch *batch, uint64_t id);
/* Queues what has failed or was cancelled again (id 0: all), as if it had never been tried; its case goes on.
 * *ret_count says how many that are. */
int batch_retry(struct batch *batch, uint64_t id, uint64_t *ret_count);
int batch_is_cancelled(struct batch *batch, uint64_t id, bool *ret_cancelled);

int batch_set_paused(struct batch *batch, bool paused);
int batch_paused(struct batch *batch, bool *ret_paused);

/* In which language the page is: the word, appended; nothing when none was set. */
int batch_set_lang(struct batch *batch, const char *lang);
int batch_lang(struct batch *batch, struct buf *ret);

/* Refused manifests, "PATH: problem" with an LF each. */
int batch_problems(struct batch *batch, struct buf *ret);

/* batch_manifest.c */
struct batch_row {
    struct batch_task task;
    bool triage_said, wants_triage;
};
int batch_manifest_read(const char *path, int (*each)(void *context, struct batch_row *row), void *context,
                        struct why *why);

#endif
