/*
 * supervisor: the state of one run, shared by supervisor.c (the loop), intake.c (what workers say), blame.c (what to do
 * when one dies) and startup.c (zygote, plugins, evidence). Private to these.
 */
#ifndef KVALI_JOB_SUPERVISOR_H
#define KVALI_JOB_SUPERVISOR_H

#include "cases/queue.h"
#include "cases/writer.h"
#include "engine/base/buf.h"
#include "engine/job/job.h"
#include "engine/job/process.h"

enum { JOBS_MAX = 256, PLUGINS_MAX = 32 };

enum worker_state { WORKER_NONE, WORKER_STARTING, WORKER_IDLE, WORKER_EXPANDING, WORKER_SCANNING };
enum worker_kill { KILL_NONE, KILL_HUNG, KILL_TAMPER, KILL_STOP };

/* A stream of the attempt in hand: the stream itself (0) or a descendant. */
struct substream {
    uint64_t id;      /* in the case */
    uint64_t ordinal; /* of its next record */
    uint64_t said;    /* notes, limits and failures */
    bool ended;
};

struct worker_slot {
    enum worker_state state;
    struct process_worker process;
    uint32_t number; /* of this instance; never used twice in a run */
    enum worker_kill kill;
    char alarm[160]; /* KILL_HUNG, KILL_TAMPER: what it did */

    struct task_expand expand;
    struct task_stream batch[WIRE_BATCH_MAX];
    size_t batch_count, batch_next; /* streams before batch_next have ended */
    bool in_stream;                 /* BEGIN came, END did not */
    uint64_t attempt;
    uint64_t faults; /* rows of this attempt that make it partial */
    uint64_t makers; /* later pass: plugins that find contents in the one in hand, as bits */
    uint64_t strangers; /* later pass: contents that turned up and that the case does not have */
    struct substream *subs;
    size_t sub_count, sub_capacity;

    uint64_t beat, weight; /* the last values seen */
    double folder_seconds; /* allowance_folder of the folders of this walk */
    int64_t beat_time, task_time;
    uint64_t child_bytes;
};

struct plugin_known {
    char *name;
    uint32_t version;
    struct record_type **types;
    size_t type_count;
    bool content_only;
};

struct exhibit_state {
    uint64_t id;
    bool ready;      /* open in the zygote */
    uint64_t stored; /* bytes that its medium can hold, holes left out; 0: a folder, or not open */
    bool failed;     /* told, in this run */
    bool told;       /* its facts are in the case */
    bool refused;    /* it is another image than the one that was opened before */
    uint32_t deaths; /* zygotes that died while they opened it */
};

struct supervisor {
    struct casefile *cf;
    const struct job_options *options;
    struct writer *writer;
    struct process_zygote zygote;
    bool stale;      /* a worker crashed: the next one comes from a fresh zygote */
    bool registered; /* all plugins are known */
    uint64_t run;
    uint64_t looking; /* plugins of a later pass, as bits; 0: it is the first */
    uint32_t next_number;

    struct plugin_known plugins[PLUGINS_MAX];
    size_t plugin_count, plugins_seen; /* seen: told by the zygote now starting */
    uint64_t words_max; /* records and notes of one stream; 0: not asked for yet. For intake.c */
    size_t loaded_count, loaded_seen;
    struct exhibit *exhibits;
    struct exhibit_state *exhibit_states;
    size_t exhibit_count;
    char *versions, *sandbox_zygote, *sandbox_worker;
    struct buf loaded_lines; /* the same as lines of the configuration */
    struct buf loaded; /* what the plugins loaded: JSON objects with a comma between, for the ledger */

    struct worker_slot *workers;
    size_t worker_count;
    int epoll;

    int64_t started, flushed, last_tick;
    int64_t crash_hour;     /* start of the hour that crash_count counts */
    uint32_t crash_count;
    struct {
        int64_t time;
        uint64_t bytes;
    } samples[64]; /* for the rate */
    size_t sample_count;
    struct job_result result;
    struct why *why;
    int failure; /* negative errno that ends the run */
    bool unwritten; /* because the case could not be written */
};

/* Ends the run with `code`; the first reason stays. Returns the code. */
int supervisor_fail(struct supervisor *s, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Turns a writer's code into supervisor_fail. Returns the code. */
int supervisor_written(struct supervisor *s, int code);
/* supervisor.c: hands out tasks and takes what comes back until there is no more to do, or it is told to stop. */
int supervisor_loop(struct supervisor *s);
/* Ends all workers, as stopped, and the zygote, unless that may wait for the next run. */
void supervisor_stop(struct supervisor *s);

/* standby.c. Takes over a zygote that waits for just this run; false: there is none. */
bool standby_take(struct supervisor *s);
/* A zygote is started: its packets are kept from now on ... */
void standby_begin(struct supervisor *s);
void standby_hear(struct supervisor *s, const uint8_t *packet, size_t size);
/* ... and told once more, after standby_take, until `each` returns what is not 0: that is returned. */
int standby_repeat(struct supervisor *s, int (*each)(struct supervisor *s, const uint8_t *packet, size_t size));
/* Lets the zygote of a run that went well wait for the next one; false: it may not. */
bool standby_give(struct supervisor *s);
/* Tells how far it is; `phase` NULL: what the queue says. */
void supervisor_progress(struct supervisor *s, int64_t now, const char *phase);
/* Writes what the kernel granted zygote and workers into the run's row. */
int supervisor_sandbox(struct supervisor *s);
/* Ends all other workers that scan, as lost: what they were given may be void now, and be found and given again while
 * they are still at it. */
void supervisor_stop_scans(struct supervisor *s, const struct worker_slot *but);
void supervisor_event(struct supervisor *s, const char *event, const char *key, const char *value, const char *key2,
                      uint64_t number);

/* startup.c: starts a zygote and takes what it says up to ZYGOTE_READY. */
int startup(struct supervisor *s);
int startup_worker(struct supervisor *s, struct worker_slot *worker);
void startup_forget(struct supervisor *s);

/* later.c: what is different in a later pass. Is it one? */
bool later(const struct supervisor *s);
/* Once the plugins are known: which pass it is. */
int later_begin(struct supervisor *s);
/* Writes the SPAREs of a content and the end of its STREAM. */
int later_spares(struct supervisor *s, struct worker_slot *worker, const struct task_stream *task);
/* A child that turned up, and its end; *ret_id 0: the case has none there, and what is said of it is dropped. */
int later_child(struct supervisor *s, struct worker_slot *worker, uint64_t parent, const char *path, uint64_t *ret_id);
int later_child_end(struct supervisor *s, struct worker_slot *worker, const struct substream *sub, uint64_t size);
/* Before the attempt at a content ends: what was not found again. */
int later_end(struct supervisor *s, struct worker_slot *worker);
/* Nothing is in hand: is there more to do? */
int later_more(struct supervisor *s, bool *ret_more);
/* part.c: is it a part of a plan? */
bool part(const struct supervisor *s);
/* Once the zygote is ready: what findings depend on, as lines (malloc'ed). */
int part_configuration(struct supervisor *s, char **ret_text);
/* Is it what the plan says? */
int part_check(struct supervisor *s);

/* Is the name in the list with ',' between? */
bool plugin_listed(const char *names, const char *name);
/* The names of plugins of a list with ',' between, as bits. */
uint64_t plugin_mask(const struct supervisor *s, const char *names);

/* intake.c: one packet of a worker. 0; -EPROTO: it is not what this worker may say now (worker->alarm says why); other codes: ours. */
int intake(struct supervisor *s, struct worker_slot *worker, const uint8_t *packet, size_t size);

/* blame.c: a worker has died with this wait status; what it had in hand is settled and the slot is free. */
int blame(struct supervisor *s, struct worker_slot *worker, int status, long peak_kib);

/* task.c: gives an idle worker something to do; *ret_given false when there is nothing now. */
int task_give(struct supervisor *s, struct worker_slot *worker, bool *ret_given);
void task_drop(struct worker_slot *worker);
struct exhibit_state *exhibit_state(struct supervisor *s, uint64_t id);

#endif
