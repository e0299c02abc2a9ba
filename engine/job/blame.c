/*
 * blame: a worker has died. The wait status says how, the black box says at what; together they decide what is left out
 * when the work is done again:
 *
 *   stopped by the supervisor       nothing is to blame: the same work again, however often
 *   killed from outside (SIGKILL)   nothing is to blame: the same work again, at most LOST_MAX times
 *   crashed, hung, out of memory    in a plugin: that stream without that plugin; in the engine: the stream once more, then given up;
 *                                   while it opens a content as a medium: the same content, as a file alone;
 *                                   in a walk: that folder or inode is left out
 *   SIGSYS or a protocol error      tampering: besides, everything that this worker instance produced is void
 */
#include "engine/job/supervisor.h"

#include "engine/base/log.h"
#include "engine/base/when.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* NOBODY: the worker number of attempts that the supervisor itself ends; none of them can be voided. */
enum { NOBODY = 0, LOST_MAX = 5, SKIPS_MAX = 64, ENGINE_TRIES = 2, CRASHES_AN_HOUR = 1000 };
#define HOUR (INT64_C(3600) * 1000000000)

struct death {
    enum attempt_end end;
    enum fault_kind kind;
    char how[192]; /* in words */
};

static const char *signal_words(int signal)
{
    switch (signal) {
    case SIGSEGV:
        return "it touched memory that is not its own (SIGSEGV)";
    case SIGABRT:
        return "it aborted (SIGABRT)";
    case SIGBUS:
        return "it touched memory that is not there (SIGBUS)";
    case SIGFPE:
        return "it divided by zero (SIGFPE)";
    case SIGILL:
        return "it ran an illegal instruction (SIGILL)";
    default:
        return NULL;
    }
}

static struct death judge(struct supervisor *s, const struct worker_slot *worker, int status, long peak_kib)
{
    uint64_t memory = settings_number(s->options->settings, "limit.memory");
    struct death death = {.end = ATTEMPT_CRASHED, .kind = FAULT_CRASH};
    int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    const char *words = signal_words(signal);
    if (worker->kill == KILL_HUNG) {
        death = (struct death){.end = ATTEMPT_HUNG, .kind = FAULT_HANG};
        snprintf(death.how, sizeof death.how, "%s", worker->alarm);
    } else if (worker->kill == KILL_TAMPER) {
        death = (struct death){.end = ATTEMPT_TAMPERED, .kind = FAULT_TAMPER};
        snprintf(death.how, sizeof death.how, "%s", worker->alarm);
    } else if (signal == SIGSYS) {
        death = (struct death){.end = ATTEMPT_TAMPERED, .kind = FAULT_TAMPER};
        snprintf(death.how, sizeof death.how, "it made a system call that no parser makes (SIGSYS)");
    } else if (worker->kill == KILL_STOP) {
        death.end = ATTEMPT_STOPPED;
    } else if (signal == SIGKILL) {
        death = (struct death){.end = ATTEMPT_LOST, .kind = FAULT_CRASH};
        snprintf(death.how, sizeof death.how, "it was killed from outside, again and again (SIGKILL)");
    } else if (signal && (uint64_t)peak_kib * 1024 > memory / 10 * 8) {
        death = (struct death){.end = ATTEMPT_MEMORY, .kind = FAULT_MEMORY};
        snprintf(death.how, sizeof death.how, "it used all of its memory (%ld MiB)", peak_kib / 1024);
    } else if (signal) {
        if (words)
            snprintf(death.how, sizeof death.how, "%s", words);
        else
            snprintf(death.how, sizeof death.how, "it died of signal %d", signal);
    } else {
        snprintf(death.how, sizeof death.how, "it ended by itself with code %d", WEXITSTATUS(status));
    }
    return death;
}

static void count(struct supervisor *s, const struct death *death)
{
    switch ((int)death->end) {
    case ATTEMPT_LOST:
        s->result.lost++;
        break;
    case ATTEMPT_HUNG:
        s->result.hung++;
        break;
    case ATTEMPT_TAMPERED:
        s->result.tampered++;
        break;
    default:
        s->result.crashed++;
    }
}

/* ------------------------------------------------------------------ a walk */

static int blame_expand(struct supervisor *s, struct worker_slot *worker, const struct death *death)
{
    uint64_t at = atomic_load(&worker->process.box->at);
    struct task_expand *task = &worker->expand;
    if (death->end == ATTEMPT_STOPPED || (death->end == ATTEMPT_LOST && task->lost < LOST_MAX))
        return writer_attempt_end(s->writer, worker->attempt, death->end, NULL);
    bool known = at != UINT64_MAX && task->skip_count < SKIPS_MAX;
    for (size_t i = 0; i < task->skip_count; i++)
        known = known && task->skip[i] != at; /* left out already, and it died there again */
    if (known) {
        int code = writer_attempt_end(s->writer, worker->attempt, death->end, NULL);
        return code ? code : writer_expand_skip(s->writer, task->id, at, death->kind);
    }
    char detail[256];
    snprintf(detail, sizeof detail, "the parser died while it listed this volume: %s", death->how);
    struct found_fault fault = {
        .kind = death->kind,
        .volume = task->volume,
        .path = "",
        .stage = "walk",
        .plugin = "",
        .offset = at,
        .effect = "the listing is incomplete; what was listed before is kept",
        .detail = detail,
    };
    int code = writer_attempt_end(s->writer, worker->attempt, death->end, NULL);
    const struct attempt_at again = {.run = s->run, .expand = task->id, .worker = NOBODY};
    uint64_t attempt = 0;
    if (code == 0)
        code = writer_attempt_begin(s->writer, &again, &attempt);
    if (code == 0)
        code = writer_fault(s->writer, attempt, task->exhibit, 0, &fault);
    return code ? code : writer_attempt_end(s->writer, attempt, ATTEMPT_FAILED, NULL);
}

/* ------------------------------------------------------------------ a stream */

/* The stream that was being worked on: the one that is begun, or else what the black box names. */
static struct task_stream *stream_in_hand(struct worker_slot *worker)
{
    uint64_t id = atomic_load(&worker->process.box->task);
    for (size_t i = worker->batch_next; i < worker->batch_count; i++)
        if (worker->batch[i].id == id)
            return &worker->batch[i];
    return worker->batch_next < worker->batch_count ? &worker->batch[worker->batch_next] : NULL;
}

static int fault_of_stream(struct supervisor *s, const struct task_stream *task, uint64_t attempt, const struct death *death,
                           const char *plugin, uint64_t offset, uint32_t child, const char *effect)
{
    char detail[256];
    if (child)
        snprintf(detail, sizeof detail, "%s; in a stream inside this one (number %u)", death->how, child);
    else
        snprintf(detail, sizeof detail, "%s", death->how);
    struct found_fault fault = {
        .kind = death->kind,
        .volume = "",
        .path = task->path,
        .stage = "scan",
        .plugin = plugin,
        .offset = offset,
        .size = 0,
        .effect = effect,
        .detail = detail,
    };
    supervisor_event(s, "fault", "path", task->path, fault_kind_name(death->kind), offset);
    return writer_fault(s->writer, attempt, task->exhibit, task->id, &fault);
}

/* The stream is given up: an attempt without records is chosen, and says why. */
static int give_up(struct supervisor *s, const struct task_stream *task, const struct death *death, uint64_t offset)
{
    const struct attempt_at at = {.run = s->run, .stream = task->id, .size = task->size, .worker = NOBODY};
    uint64_t attempt;
    int code = writer_attempt_begin(s->writer, &at, &attempt);
    if (code == 0)
        code = fault_of_stream(s, task, attempt, death, "", offset, 0, "content not examined: reading it killed the parser twice");
    return code ? code : writer_attempt_end(s->writer, attempt, ATTEMPT_FAILED, NULL);
}

/* It has died while it opened the content as a medium (worker_inside.c). */
static int leave_medium_out(struct supervisor *s, const struct task_stream *task, const struct death *death)
{
    int code = fault_of_stream(s, task, 0, death, "", UINT64_MAX, 0,
                               "this content was not opened as a medium: what lies inside is not read; it was examined as a file");
    return code ? code : writer_stream_without(s->writer, task->id, WIRE_MEDIUM_NAME);
}

static int leave_plugin_out(struct supervisor *s, const struct task_stream *task, const struct death *death,
                            const struct blackbox *box, const char *plugin)
{
    int code = fault_of_stream(s, task, 0, death, plugin, atomic_load(&box->at), atomic_load(&box->stream),
                               death->end == ATTEMPT_TAMPERED
                                   ? "all that this worker produced was discarded and done again; this plugin was left out here"
                                   : "this plugin was left out for this content; the others examined it");
    return code ? code : writer_stream_without(s->writer, task->id, plugin);
}

static int blame_stream(struct supervisor *s, struct worker_slot *worker, const struct death *death)
{
    struct task_stream *task = stream_in_hand(worker);
    const struct blackbox *box = worker->process.box;
    uint32_t plugin = atomic_load(&box->plugin);
    int code = 0;
    if (!task)
        return 0;
    bool begun = worker->in_stream && worker->subs[0].id == task->id;
    if (worker->in_stream && !begun)
        code = writer_attempt_end(s->writer, worker->attempt, ATTEMPT_LOST, NULL);
    const struct attempt_at at = {.run = s->run, .stream = task->id, .size = task->size, .worker = worker->number};
    if (code == 0 && !begun)
        code = writer_attempt_begin(s->writer, &at, &worker->attempt);
    if (code == 0)
        code = writer_attempt_end(s->writer, worker->attempt, death->end, NULL);
    if (code || death->end == ATTEMPT_STOPPED || (death->end == ATTEMPT_LOST && task->lost < LOST_MAX))
        return code;
    if (plugin == BLACKBOX_MEDIUM)
        return leave_medium_out(s, task, death);
    if (plugin < s->plugin_count)
        return leave_plugin_out(s, task, death, box, s->plugins[plugin].name);
    if (task->tries + 1 < ENGINE_TRIES)
        return 0; /* pending again */
    return give_up(s, task, death, atomic_load(&box->at));
}

/* ------------------------------------------------------------------ the whole */

static void say(struct supervisor *s, const struct worker_slot *worker, const struct death *death)
{
    const char *path = "";
    if (worker->state == WORKER_SCANNING && worker->batch_next < worker->batch_count)
        path = worker->batch[worker->batch_next].path;
    else if (worker->state == WORKER_EXPANDING)
        path = worker->expand.volume;
    if (death->end != ATTEMPT_LOST)
        log_warn("worker %u: %s%s%s; its work is done again", worker->number, death->how, *path ? ": at " : "", path);
    supervisor_event(s, "worker-died", "how", death->how, "worker", worker->number);
}

static int crash_storm(struct supervisor *s)
{
    int64_t now = when_monotonic();
    if (now - s->crash_hour > HOUR) {
        s->crash_hour = now;
        s->crash_count = 0;
    }
    if (++s->crash_count <= CRASHES_AN_HOUR)
        return 0;
    return supervisor_fail(s, -ECHILD, "workers died more than %d times within an hour: something is wrong beyond single files; "
                                       "what was done is kept, `kvali run` goes on", CRASHES_AN_HOUR);
}

int blame(struct supervisor *s, struct worker_slot *worker, int status, long peak_kib)
{
    struct death death = judge(s, worker, status, peak_kib);
    int code = 0;
    if (death.end != ATTEMPT_STOPPED) {
        count(s, &death);
        say(s, worker, &death);
    }
    if (worker->state == WORKER_EXPANDING)
        code = blame_expand(s, worker, &death);
    else if (worker->state == WORKER_SCANNING)
        code = blame_stream(s, worker, &death);
    if (death.end == ATTEMPT_TAMPERED)
        supervisor_stop_scans(s, worker);
    if (code == 0 && death.end == ATTEMPT_TAMPERED)
        code = writer_void_worker(s->writer, s->run, worker->number);
    task_drop(worker);
    process_finish_worker(&worker->process);
    free(worker->subs);
    *worker = (struct worker_slot){.state = WORKER_NONE, .process.wire.fd = -1};
    if (death.end != ATTEMPT_LOST && death.end != ATTEMPT_STOPPED) {
        s->stale = true; /* forked workers share one address layout: a fresh exec takes that from an attacker */
        if (code == 0)
            code = crash_storm(s);
    }
    return supervisor_written(s, code);
}
