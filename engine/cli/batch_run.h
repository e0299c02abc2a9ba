/*
 * batch_run: works a batch (cases/batch.h) off: starts `kvali process` for one task after the other, watches
 * room on disk and in memory, tries again what failed, and writes the summary. Tasks are processes of their
 * own: what one does to itself the others do not notice. A task ends (SIGTERM) with this process, and is then
 * as if it had been stopped by hand.
 */
#ifndef KVALI_CLI_BATCH_RUN_H
#define KVALI_CLI_BATCH_RUN_H

#include "cases/batch.h"
#include "cases/report/report_labels.h"

#include <signal.h>
#include <sys/types.h>

struct batch_limits {
    uint64_t jobs;    /* tasks at once */
    uint64_t workers; /* of each */
    uint64_t disk;    /* free bytes that stay on the disks of cases and of temporary files */
    uint64_t memory;  /* free bytes of memory that stay */
    uint64_t memory_most, tmp_most, disk_most; /* bytes that this batch may use at once; 0: no limit */
    uint64_t tries;                            /* that a task may fail */
    uint64_t wait;                             /* seconds before it is tried again, times its tries */
};

struct batch_wish {
    struct batch_limits limits;
    const char *tmp;    /* for temporary files of tasks */
    const char *notify; /* a program that is run when something happens; NULL */
    const char *cross;  /* index over cases that finished cases are added to; NULL */
    const char *watch;  /* folder in which manifests appear; NULL: end when all is done */
    bool triage;        /* for manifests from there */
    bool quiet;
    enum report_lang lang; /* of the summary's page */
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

/* batch_watch.c: takes the manifests in wish->watch that were neither taken nor refused; adds to how many
 * those are. */
int batch_watch(struct batch *batch, const struct batch_wish *wish, size_t *ret_taken, size_t *ret_refused);

/* A task's processes come one after the other. */
enum batch_step { STEP_PROCESS, STEP_REPORT, STEP_CROSS };
pid_t batch_spawn_step(const char *self, const char *folder, const struct batch_wish *wish,
                       const struct batch_task *task, enum batch_step step, uint64_t workers);

/* The last line of a task's log: what `kvali` said why it failed; "" when it said nothing. */
void batch_last_words(const struct batch *batch, const struct batch_task *task, char *ret, size_t size);

/* batch_room.c: bytes that are free where a folder is or would be, and of memory; UINT64_MAX when that is not
 * known. */
uint64_t batch_free_disk(const char *folder);
uint64_t batch_free_memory(void);
/* Why a task may not run now, because too little is free; NULL: it may. One that is to begin wants a quarter
 * more, or it would stop at once again. */
const char *batch_no_room(const struct batch_limits *limits, const char *folder, const char *tmp,
                          bool begins);

/* batch_use.c: what the batch itself uses, in bytes. Memory is counted by the share that each process has of
 * its pages (Pss), or, where the system does not tell that, as if they shared nothing. Temporary files are
 * unlinked ones that a task has open. */
struct batch_use {
    uint64_t memory, tmp, disk;
};
/* Adds what a task's processes use to memory and tmp: those of its process group. */
void batch_use_add(pid_t group, struct batch_use *use);
/* The folders of all cases of the queue, as they lie on the disk. */
int batch_use_disk(struct batch *batch, uint64_t *ret);
/* Which limit is passed: one of these three, or NULL. A task begins below three quarters of each. */
extern const char batch_over_memory[], batch_over_tmp[], batch_over_disk[];
const char *batch_over(const struct batch_limits *limits, const struct batch_use *use, bool begins);

/* Tasks that get fewer workers than the others, for as long as this process lives. */
struct batch_fewer;
/* That of a task, made if need be; NULL without memory. */
uint64_t *batch_fewer(struct batch_fewer **list, uint64_t task);
uint64_t batch_workers(const struct batch_fewer *list, uint64_t task, uint64_t otherwise);
void batch_fewer_free(struct batch_fewer *list);

/* batch_report.c: writes FOLDER/summary.html, in a language, and summary.json, by rename; prints the same to
 * a terminal. `state` is a word about the whole ("running", "waiting"), `room` what it waits for, NULL for
 * nothing. */
struct batch_stand {
    const char *state, *room;
    enum report_lang lang;
};
int batch_report_write(struct batch *batch, const struct batch_stand *stand, struct why *why);
int batch_report_print(struct batch *batch, bool json);
/* Fills contents, faults, alerts and digest of a task that has ended from its case; false when it cannot be
 * read. */
bool batch_report_learn(struct batch_task *task);

#endif
