/*
 * batch_run: works a batch (cases/batch.h) off: starts `kvali process` for one task after the other, watches
 * room on disk and in memory, tries again what failed, and writes the summary. Tasks are processes of their
 * own: what one does to itself the others do not notice. A task ends (SIGTERM) with this process, and is then
 * as if it had been stopped by hand.
 */
#ifndef KVALI_CLI_BATCH_RUN_H
#define KVALI_CLI_BATCH_RUN_H

#include "cases/batch.h"

#include <signal.h>
#include <sys/types.h>

struct batch_limits {
    uint64_t jobs;    /* tasks at once */
    uint64_t workers; /* of each */
    uint64_t disk;    /* free bytes that stay on the disks of cases and of temporary files */
    uint64_t memory;  /* free bytes of memory that stay */
    uint64_t tries;   /* that a task may fail */
    uint64_t wait;    /* seconds before it is tried again, times its tries */
};

struct batch_wish {
    struct batch_limits limits;
    const char *tmp;    /* for temporary files of tasks */
    const char *notify; /* a program that is run when something happens; NULL */
    const char *cross;  /* index over cases that finished cases are added to; NULL */
    const char *watch;  /* folder in which manifests appear; NULL: end when all is done */
    bool triage;        /* for manifests from there */
    bool quiet;
    volatile sig_atomic_t *stop;
};

/* Returns when all tasks have ended, or when stop is set: -EINTR, and what was running is queued again.
 * -EBUSY: another process works this batch off. The figures of free disk and memory are the system's, or, for
 * tests, those of the file that KVALI_TEST_ROOM names: two numbers of bytes. */
int batch_run(struct batch *batch, const struct batch_wish *wish, struct why *why);

/* batch_process.c: when a process began, in the system's ticks; 0: there is none. */
uint64_t batch_start_time(pid_t pid);
/* Starts a program that writes into the file `log`. `bound`: it ends with this process. */
pid_t batch_spawn(const char *const *argv, const char *log, bool bound);

/* The last line of a task's log: what `kvali` said why it failed; "" when it said nothing. */
void batch_last_words(const struct batch *batch, const struct batch_task *task, char *ret, size_t size);

/* batch_room.c: bytes that are free where a folder is or would be, and of memory; UINT64_MAX when that is not
 * known. */
uint64_t batch_free_disk(const char *folder);
uint64_t batch_free_memory(void);

/* batch_report.c: writes FOLDER/summary.html and summary.json, by rename; prints the same to a terminal.
 * `state` is a word about the whole ("running", "paused: ..."). */
int batch_report_write(struct batch *batch, const char *state, struct why *why);
int batch_report_print(struct batch *batch, bool json);
/* Fills contents, faults, alerts and digest of a task that has ended from its case; false when it cannot be read. */
bool batch_report_learn(struct batch_task *task);

#endif
