/*
 * job: a run over a case: the supervisor's side. It starts kvali-worker, hands out what the case's queue holds, checks
 * what comes back, writes it, and survives whatever the workers do.
 */
#ifndef KVALI_JOB_JOB_H
#define KVALI_JOB_JOB_H

#include "cases/casefile.h"
#include "engine/base/settings.h"
#include "engine/base/why.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct job_progress {
    const char *phase; /* "opening evidence", "listing and scanning", "scanning", "summing up" */
    uint64_t streams_done, streams_known, bytes_done, bytes_known;
    uint64_t faults;
    double rate;          /* bytes per second over the last half minute */
    int64_t eta;          /* seconds, -1 while it cannot be told (still listing) */
    uint32_t workers;     /* at work */
    int64_t elapsed;      /* seconds */
};

/* A rule of severity JOB_SEVERE or more, an alerting hash set or a keyword that was found in a content, or a volume that no key
 * opens: seen at once, and only then in the case. Work that is done again after a worker's death tells of it again. */
enum { JOB_SEVERE = 75 };
struct job_found {
    const char *kind; /* "rule", "hash set", "keyword", "encrypted" */
    const char *name; /* UTF-8 of name_size bytes; it may be a lab's or a rule author's, and is not escaped. "encrypted": with
                         what, and what would open it */
    size_t name_size;
    const char *path; /* of the content, or of the one that it lies in; of a volume exhibit and key */
    bool inside;
};

/* A key to try for encrypted volumes. It is given to kvali-worker, and kept nowhere. */
enum job_key_kind { JOB_KEY_PASSWORD, JOB_KEY_RECOVERY, JOB_KEY_FILE, JOB_KEY_MASTER }; /* as enum key_kind of the worker */
enum { JOB_KEY_MAX = 32 * 1024, JOB_KEYS_MAX = 256 };
struct job_key {
    char *exhibit; /* label; NULL: for all */
    enum job_key_kind kind;
    void *data;
    size_t size; /* at most JOB_KEY_MAX */
};

/* kvali-worker, set up and with the evidence open, from the end of one run to the beginning of the next in the same process:
 * for several parts of a plan. A run with other settings or exhibits, and one after a crash, starts its own. */
struct job_standby;
struct job_standby *job_standby_new(void);
void job_standby_free(struct job_standby *standby);

struct job_options {
    struct job_key *keys; /* in the order in which they are tried */
    size_t key_count;
    const char *worker_program; /* path of kvali-worker */
    const struct settings *settings;
    uint32_t jobs;              /* 0: one a core */
    const char *spool_folder;   /* where unlinked spool files are made */
    bool again;                 /* do streams that are done already once more */
    const char *pass;           /* a later pass (cases/pass.h): the plugins whose records it keeps, ',' between, sorted;
                                 * NULL: the first one. `settings` name these and those that found contents in contents */
    bool list_only; /* list all volumes and folders and examine no content: what a plan (cases/plan.h) is made of */
    const char *configuration; /* a part of a plan: findings must depend on just this (job_result.configuration of the
                                * listing), and images be those that were listed; nothing is listed. NULL: no part */
    struct job_standby *standby; /* kvali-worker that may go on from run to run, borrowed; NULL: none does */
    volatile sig_atomic_t *stop; /* becomes non-zero: end cleanly, keep what is done */
    void (*progress)(void *context, const struct job_progress *progress); /* five times a second; may be NULL */
    void (*found)(void *context, const struct job_found *found); /* may be NULL */
    void (*event)(void *context, const char *json); /* one JSON object for each thing that happens; may be NULL */
    void *context;
};

struct job_result {
    uint32_t exhibits_opened, exhibits_failed;
    uint64_t streams_done, faults; /* in the case now */
    uint64_t crashed, hung, lost, tampered; /* workers in this run */
    bool interrupted;
    uint64_t pass; /* which one it was */
    char digest[SHA256_HEX_SIZE];
    char *configuration; /* what findings depend on, a line each; with list_only, and the caller frees it. Else NULL */
    char failure[512]; /* why the last exhibit that did not open did not */
};

/* Does all that is pending. -ENOEXEC: `configuration` is not what this host would look with, `why` names the first
 * difference. 0 also when exhibits did not open or faults were recorded: the result says so. Negative: the environment
 * (-ENOSPC, -ENOMEM, -EIO), the sandbox (-ENOTSUP), the settings (-EINVAL, -ENOENT); what was done until then is kept. */
int job_run(struct casefile *cf, const struct job_options *options, struct job_result *ret_result, struct why *why);

/* A content that others lie in, as a run's plugins saw it. They have no locator: it is scanned again, by the plugins that
 * found them and with the settings of that run, until they turn up. */
struct job_root {
    const char *path, *extension;
    uint32_t kind; /* enum stream_kind */
    bool deleted;
    const char *plugins; /* that found streams in it, ',' between */
    const char *lab_plugins; /* the files of the lab's own that the run was given, to be named when one is missing */
};

/* Reads bytes of one content without touching the case: for show and export. `each` gets them in order, a negative return ends. `size` UINT64_MAX:
 * to the end. `ret_unread` counts bytes for which zeros stand. */
struct job_read {
    const char *exhibit_path, *exhibit_type, *locator;
    uint64_t offset, size;
    int (*each)(void *context, const void *data, size_t size);
    void *context;
    const struct job_root *root; /* NULL: the content that `locator` opens; else that is the root's locator ... */
    const char *path;            /* ... and this the address of what is wanted inside it */
};
/* `count` contents by one worker, those of one exhibit and of one root together. `done` (may be NULL) is called once for
 * each, after its bytes, with its index, result code, unread bytes, and a reason; contents inside others come in the order
 * in which they are found, -ENOPKG: a plugin that found it is not there, -ESTALE: it was not found again. With a code of
 * 0 the reason is a remark or empty. A `done` that returns non-zero ends it all. `options->settings` are those of the run
 * that found what lies inside others, but for lab.plugins: a lab's own plugins are those that are given now. */
int job_read(const struct job_options *options, const struct job_read *reads, size_t count,
             int (*done)(void *context, size_t index, int code, uint64_t unread, const char *reason), void *context,
             struct why *why);

/* Runs kvali-worker with one argument, or two (`more` may be NULL), and returns what it prints (malloc'ed). */
int job_ask(const char *worker_program, const char *argument, const char *more, char **ret_text, struct why *why);

#endif
