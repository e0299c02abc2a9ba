/*
 * supervisor: the loop of a run. One thread: it waits for workers' packets and deaths, writes what they found, hands out
 * the next tasks, and watches the clock. It never opens evidence.
 */
#include "engine/job/supervisor.h"

#include "engine/base/json.h"
#include "engine/base/log.h"
#include "engine/base/when.h"
#include "engine/job/allowance.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)
#define FLUSH_AFTER (2 * SECOND) /* what a kill loses at most, and is done again */
enum { TICK_MS = 100, PACKETS_A_TURN = 64, DRAIN_MAX = 4096 };

int supervisor_fail(struct supervisor *s, int code, const char *format, ...)
{
    if (s->failure)
        return s->failure;
    char text[sizeof s->why->text];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    s->failure = code;
    return why_set(s->why, code, "%s", text);
}

int supervisor_written(struct supervisor *s, int code)
{
    if (code == 0 || s->failure)
        return code ? s->failure : 0;
    const char *words = writer_error(s->writer);
    s->unwritten = true;
    return supervisor_fail(s, code, "%s: the case cannot be written: %s", casefile_folder(s->cf),
                           words && *words ? words : strerror(-code));
}

void supervisor_event(struct supervisor *s, const char *event, const char *key, const char *value, const char *key2,
                      uint64_t number)
{
    if (!s->options->event)
        return;
    struct buf buf = {0};
    struct json json;
    json_init(&json, &buf);
    json_object_open(&json, NULL);
    json_when(&json, "time", when_now());
    json_text(&json, "event", event);
    if (key)
        json_text(&json, key, value);
    if (key2)
        json_u64(&json, key2, number);
    json_object_close(&json);
    if (!buf_failed(&buf))
        s->options->event(s->options->context, buf_cstr(&buf));
    buf_finish(&buf);
}

/* ------------------------------------------------------------------ workers' deaths */

/* False: it is dead, or dies for another reason already. */
static bool kill_worker(struct worker_slot *worker, enum worker_kill reason)
{
    if (worker->state == WORKER_NONE || worker->kill != KILL_NONE)
        return false;
    worker->kill = reason;
    kill(worker->process.pid, SIGKILL);
    return true;
}

/* The next packet of a worker. 1: it was taken; 0: there is none now; -EPIPE: none will come; -EPROTO: the worker tampers,
 * and its alarm says how; or what ends the run. */
static int hear(struct supervisor *s, struct worker_slot *worker)
{
    static uint8_t packet[WIRE_PACKET_MAX];
    int64_t size = wire_receive(worker->process.wire.fd, packet, true, NULL);
    if (size == -EMSGSIZE) {
        snprintf(worker->alarm, sizeof worker->alarm, "a packet that is too large");
        return -EPROTO;
    }
    if (size <= 0)
        return size ? 0 : -EPIPE;
    int code = intake(s, worker, packet, (size_t)size);
    return code ? code : 1;
}

static void drain(struct supervisor *s, struct worker_slot *worker)
{
    int code = 1;
    for (int i = 0; i < DRAIN_MAX && code == 1 && worker->kill == KILL_NONE && !s->failure; i++)
        code = hear(s, worker);
    if (code == -EPROTO && !s->failure)
        worker->kill = KILL_TAMPER;
}

static int reap(struct supervisor *s)
{
    for (size_t i = 0; i < s->worker_count; i++) {
        struct worker_slot *worker = &s->workers[i];
        int status;
        struct rusage usage;
        if (worker->state == WORKER_NONE || wait4(worker->process.pid, &status, WNOHANG, &usage) != worker->process.pid)
            continue;
        drain(s, worker); /* what it sent before it died counts */
        int code = s->failure ? s->failure : blame(s, worker, status, usage.ru_maxrss);
        if (code)
            return code;
    }
    return 0;
}

/* ------------------------------------------------------------------ the clock */

/* Bytes that the medium on which a content lies can hold; 0: not known. */
static uint64_t medium(const struct supervisor *s, const struct task_stream *stream)
{
    for (size_t i = 0; i < s->exhibit_count; i++)
        if (s->exhibit_states[i].id == stream->exhibit)
            return s->exhibit_states[i].stored;
    return 0;
}

/* Bytes of a content that can be more than a hole. */
static uint64_t stored(const struct supervisor *s, const struct task_stream *stream)
{
    uint64_t most = medium(s, stream);
    return most > 0 && most < stream->size ? most : stream->size;
}

static int64_t allowed_pause(const struct supervisor *s, const struct worker_slot *worker)
{
    const struct blackbox *box = worker->process.box;
    uint64_t hang = settings_number(s->options->settings, "limit.hang");
    double seconds = (double)hang;
    if (worker->state == WORKER_EXPANDING)
        return allowance_silence(hang, worker->weight);
    if (worker->weight) /* a key is derived */
        seconds += allowance_folder(worker->weight);
    if (atomic_load(&box->plugin) < BLACKBOX_MEDIUM && worker->batch_next < worker->batch_count)
        seconds += (double)(stored(s, &worker->batch[worker->batch_next]) / ALLOWANCE_SLOW_BYTES);
    return seconds < 86400 ? (int64_t)(seconds * (double)SECOND) : 86400 * SECOND;
}

static int64_t allowed_time(const struct supervisor *s, const struct worker_slot *worker)
{
    uint64_t seconds = settings_number(s->options->settings, "limit.stream_seconds");
    if (worker->state == WORKER_EXPANDING)
        return allowance_walk(seconds, worker->folder_seconds);
    if (worker->batch_next >= worker->batch_count)
        return allowance_content(seconds, 0, 0, false, 0);
    const struct task_stream *stream = &worker->batch[worker->batch_next];
    return allowance_content(seconds, stream->size, medium(s, stream), stream->kind == STREAM_IMAGE, worker->child_bytes);
}

/* Folders that are read between two looks are not seen; they took no time either. */
static void weigh(struct worker_slot *worker, uint64_t weight)
{
    if (weight == worker->weight)
        return;
    worker->weight = weight;
    worker->folder_seconds += allowance_folder(weight);
}

void supervisor_stop_scans(struct supervisor *s, const struct worker_slot *but)
{
    for (size_t i = 0; i < s->worker_count; i++)
        if (&s->workers[i] != but && s->workers[i].state == WORKER_SCANNING)
            kill_worker(&s->workers[i], KILL_STOP);
}

/* A time that counts against a worker, moved by what was stalled; never past now. */
static int64_t forgiven(int64_t time, int64_t stall, int64_t now)
{
    return time + stall < now ? time + stall : now;
}

static void forgive(struct supervisor *s, int64_t stall, int64_t now)
{
    for (size_t i = 0; i < s->worker_count; i++) {
        struct worker_slot *worker = &s->workers[i];
        worker->beat_time = forgiven(worker->beat_time, stall, now);
        worker->task_time = forgiven(worker->task_time, stall, now);
    }
}

static void watch(struct supervisor *s, int64_t now)
{
    for (size_t i = 0; i < s->worker_count; i++) {
        struct worker_slot *worker = &s->workers[i];
        if (worker->state == WORKER_NONE || worker->state == WORKER_IDLE)
            continue;
        weigh(worker, atomic_load(&worker->process.box->weight)); /* before the beat: see found_weigh in worker.c */
        uint64_t beat = atomic_load(&worker->process.box->beat);
        if (beat != worker->beat) {
            worker->beat = beat;
            worker->beat_time = now;
        }
        bool silent = now - worker->beat_time > allowed_pause(s, worker);
        if (!silent && now - worker->task_time <= allowed_time(s, worker))
            continue;
        if (kill_worker(worker, KILL_HUNG))
            snprintf(worker->alarm, sizeof worker->alarm, "%s", silent ? "it made no progress within its time (limit.hang)"
                                                                       : "it was not done within its time (limit.stream_seconds)");
    }
}

/* Bytes that workers have read of streams not yet ended. */
static uint64_t bytes_in_hand(const struct supervisor *s)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < s->worker_count; i++) {
        const struct worker_slot *worker = &s->workers[i];
        if (worker->state != WORKER_SCANNING || worker->batch_next >= worker->batch_count)
            continue;
        uint64_t done = atomic_load(&worker->process.box->done), size = worker->batch[worker->batch_next].size;
        sum = u64_add_saturating(sum, done < size ? done : size);
    }
    return sum;
}

/* Bytes a second over the samples kept (the last half minute). */
static double sample_rate(struct supervisor *s, int64_t now, uint64_t bytes)
{
    size_t kept = sizeof s->samples / sizeof *s->samples;
    if (s->sample_count == 0 || now - s->samples[s->sample_count - 1].time > SECOND / 2) {
        if (s->sample_count == kept)
            memmove(s->samples, s->samples + 1, (--s->sample_count) * sizeof *s->samples);
        s->samples[s->sample_count].time = now;
        s->samples[s->sample_count++].bytes = bytes;
    }
    double seconds = (double)(now - s->samples[0].time) / (double)SECOND;
    return seconds > 0 && bytes > s->samples[0].bytes ? (double)(bytes - s->samples[0].bytes) / seconds : 0;
}

void supervisor_progress(struct supervisor *s, int64_t now, const char *phase)
{
    struct queue_counts counts;
    if (!s->options->progress || queue_counts(s->cf, &counts))
        return;
    uint64_t done = counts.bytes_done + bytes_in_hand(s), known = counts.bytes_done + counts.bytes_pending;
    struct job_progress progress = {
        .phase = phase ? phase : s->options->list_only ? "listing" : counts.expands_pending ? "listing and scanning" : "scanning",
        .streams_done = counts.streams_done,
        .streams_known = counts.streams_done + counts.streams_pending,
        .bytes_done = done < known ? done : known,
        .bytes_known = known,
        .faults = counts.faults,
        .rate = sample_rate(s, now, done),
        .eta = -1,
        .elapsed = (now - s->started) / SECOND,
    };
    if (counts.expands_pending == 0 && progress.rate > 0)
        progress.eta = (int64_t)((double)(known - progress.bytes_done) / progress.rate);
    for (size_t i = 0; i < s->worker_count; i++)
        progress.workers += s->workers[i].state == WORKER_SCANNING || s->workers[i].state == WORKER_EXPANDING;
    s->options->progress(s->options->context, &progress);
}

static int tick(struct supervisor *s)
{
    int64_t now = when_monotonic();
    if (now - s->last_tick < SECOND / 10)
        return 0;
    int64_t stall = allowance_stall(s->last_tick, now);
    s->last_tick = now;
    if (stall)
        forgive(s, stall, now);
    watch(s, now);
    process_drain_errors(&s->zygote);
    supervisor_progress(s, now, NULL);
    if (now - s->flushed < FLUSH_AFTER)
        return 0;
    s->flushed = now;
    return supervisor_written(s, writer_flush(s->writer));
}

/* ------------------------------------------------------------------ the loop */

/* Keeps as many workers as there is work for. *ret_busy: is anything in hand? */
static int feed(struct supervisor *s, bool *ret_busy)
{
    bool more = true;
    *ret_busy = false;
    for (size_t i = 0; i < s->worker_count; i++) {
        struct worker_slot *worker = &s->workers[i];
        if (worker->state == WORKER_IDLE && more && worker->kill == KILL_NONE) {
            int code = task_give(s, worker, &more);
            if (code)
                return code;
        } else if (worker->state == WORKER_NONE && more) {
            struct queue_counts counts;
            int code = queue_counts(s->cf, &counts);
            if (code)
                return supervisor_written(s, code);
            uint64_t streams = s->options->list_only ? 0 : counts.streams_pending;
            if (counts.expands_pending + streams > 0)
                code = startup_worker(s, worker);
            if (code)
                return code;
        }
        *ret_busy = *ret_busy || (worker->state != WORKER_NONE && worker->state != WORKER_IDLE);
    }
    return 0;
}

static void listen_once(struct supervisor *s)
{
    struct epoll_event events[16];
    int count = epoll_wait(s->epoll, events, 16, TICK_MS);
    for (int i = 0; i < count; i++) {
        struct worker_slot *worker = events[i].data.ptr;
        if (worker->state == WORKER_NONE || worker->kill != KILL_NONE)
            continue;
        int code = 1;
        for (int n = 0; n < PACKETS_A_TURN && code == 1; n++)
            code = hear(s, worker);
        if (code == -EPIPE) /* it has died: reap takes it from here */
            epoll_ctl(s->epoll, EPOLL_CTL_DEL, worker->process.wire.fd, NULL);
        else if (code == -EPROTO && !s->failure)
            kill_worker(worker, KILL_TAMPER);
    }
}

int supervisor_loop(struct supervisor *s)
{
    bool busy = true;
    while (busy && !s->failure) {
        if (*s->options->stop) {
            s->result.interrupted = true;
            return 0;
        }
        int code = feed(s, &busy);
        if (code)
            return code;
        if (busy)
            listen_once(s);
        else if (later(s))
            code = later_more(s, &busy);
        if (code)
            return code;
        code = reap(s);
        if (code == 0)
            code = tick(s);
        if (code)
            return code;
    }
    return s->failure;
}

void supervisor_stop(struct supervisor *s)
{
    for (size_t i = 0; i < s->worker_count; i++)
        kill_worker(&s->workers[i], KILL_STOP);
    for (size_t i = 0; i < s->worker_count; i++) {
        struct worker_slot *worker = &s->workers[i];
        if (worker->state == WORKER_NONE)
            continue;
        while (waitpid(worker->process.pid, NULL, 0) < 0 && errno == EINTR)
            ;
        if (worker->attempt && (worker->in_stream || worker->state == WORKER_EXPANDING) && !s->failure)
            supervisor_written(s, writer_attempt_end(s->writer, worker->attempt, ATTEMPT_STOPPED, NULL));
        task_drop(worker);
        process_finish_worker(&worker->process);
        free(worker->subs);
        worker->state = WORKER_NONE;
    }
    if (!standby_give(s))
        process_stop_zygote(&s->zygote);
}
