/*
 * supervisor: the loop of a run. One thread: it waits for workers' packets and deaths, writes what they found, hands out
 * the next tasks, and watches the clock. It never opens evidence.
 */
#include "engine/job/supervisor.h"

#include "cases/digest.h"
#include "cases/histogram.h"
#include "cases/kept.h"
#include "cases/link.h"
#include "cases/pass.h"
#include "engine/base/json.h"
#include "engine/base/log.h"
#include "engine/base/version.h"
#include "engine/base/when.h"
#include "engine/job/allowance.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND INT64_C(1000000000)
enum { TICK_MS = 100, PACKETS_A_TURN = 64, DRAIN_MAX = 4096 };
/* The slowest that a parser may be without being taken for hung, beyond the fixed times. */
#define SLOW_BYTES_A_SECOND (UINT64_C(2) << 20)

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

static void kill_worker(struct worker_slot *worker, enum worker_kill reason)
{
    if (worker->state == WORKER_NONE || worker->kill != KILL_NONE)
        return;
    worker->kill = reason;
    kill(worker->process.pid, SIGKILL);
}

static void too_large(struct worker_slot *worker)
{
    snprintf(worker->alarm, sizeof worker->alarm, "a packet that is too large");
    worker->kill = KILL_TAMPER;
}

static void drain(struct supervisor *s, struct worker_slot *worker)
{
    static uint8_t packet[WIRE_PACKET_MAX];
    for (int i = 0; i < DRAIN_MAX && worker->kill == KILL_NONE && !s->failure; i++) {
        int64_t size = wire_receive(worker->process.wire.fd, packet, true, NULL);
        if (size == -EMSGSIZE)
            too_large(worker);
        if (size <= 0)
            return;
        if (intake(s, worker, packet, (size_t)size) == -EPROTO && !s->failure)
            worker->kill = KILL_TAMPER;
    }
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

static int64_t allowed_pause(const struct supervisor *s, const struct worker_slot *worker)
{
    const struct blackbox *box = worker->process.box;
    uint64_t hang = settings_number(s->options->settings, "limit.hang");
    double seconds = (double)hang;
    if (worker->state == WORKER_EXPANDING)
        return allowance_silence(hang, worker->weight);
    if (worker->weight) /* a key is derived */
        seconds += allowance_folder(worker->weight);
    if (atomic_load(&box->plugin) != BLACKBOX_ENGINE && worker->batch_next < worker->batch_count)
        seconds += (double)(worker->batch[worker->batch_next].size / SLOW_BYTES_A_SECOND);
    return seconds < 86400 ? (int64_t)(seconds * (double)SECOND) : 86400 * SECOND;
}

static int64_t allowed_time(const struct supervisor *s, const struct worker_slot *worker)
{
    uint64_t seconds = settings_number(s->options->settings, "limit.stream_seconds");
    if (worker->state == WORKER_EXPANDING)
        return allowance_walk(seconds, worker->folder_seconds);
    if (worker->batch_next < worker->batch_count)
        seconds += (worker->batch[worker->batch_next].size + worker->child_bytes) / SLOW_BYTES_A_SECOND;
    return seconds < 864000 ? (int64_t)seconds * SECOND : 864000 * SECOND;
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
        if (now - worker->beat_time > allowed_pause(s, worker) || now - worker->task_time > allowed_time(s, worker))
            kill_worker(worker, KILL_HUNG);
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

static void report_progress(struct supervisor *s, int64_t now, const char *phase)
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
    s->last_tick = now;
    watch(s, now);
    process_drain_errors(&s->zygote);
    report_progress(s, now, NULL);
    if (now - s->flushed < SECOND)
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
    static uint8_t packet[WIRE_PACKET_MAX];
    struct epoll_event events[16];
    int count = epoll_wait(s->epoll, events, 16, TICK_MS);
    for (int i = 0; i < count; i++) {
        struct worker_slot *worker = events[i].data.ptr;
        if (worker->state == WORKER_NONE || worker->kill != KILL_NONE)
            continue;
        for (int n = 0; n < PACKETS_A_TURN; n++) {
            int64_t size = wire_receive(worker->process.wire.fd, packet, true, NULL);
            if (size == 0) /* it has died: reap takes it from here */
                epoll_ctl(s->epoll, EPOLL_CTL_DEL, worker->process.wire.fd, NULL);
            if (size == -EMSGSIZE) {
                kill_worker(worker, KILL_TAMPER);
                too_large(worker);
            }
            if (size <= 0)
                break;
            int code = intake(s, worker, packet, (size_t)size);
            if (code == -EPROTO && !s->failure)
                kill_worker(worker, KILL_TAMPER);
            if (code)
                break;
        }
    }
}

static int loop(struct supervisor *s)
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

static void stop_workers(struct supervisor *s)
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
    process_stop_zygote(&s->zygote);
}

/* ------------------------------------------------------------------ begin and end */

static void settings_to_json(const struct settings *settings, struct json *json)
{
    json_object_open(json, "settings");
    for (size_t i = 0; i < settings->count; i++)
        json_text(json, settings->items[i].key, settings->items[i].value);
    json_object_close(json);
}

static void write_host(struct json *json, const char *key)
{
    struct utsname name;
    json_object_open(json, key);
    if (uname(&name) == 0) {
        json_text(json, "node", name.nodename);
        json_text(json, "system", name.sysname);
        json_text(json, "release", name.release);
        json_text(json, "machine", name.machine);
    }
    json_u64(json, "processors", (uint64_t)sysconf(_SC_NPROCESSORS_ONLN));
    json_object_close(json);
}

static void write_versions(struct json *json, const char *key, const char *worker)
{
    json_object_open(json, key);
    json_text(json, "kvali", kvali_version());
    json_text(json, "commit", kvali_commit());
    json_text(json, "database", db_version());
    json_raw(json, "worker", worker ? worker : "{}");
    json_object_close(json);
}

static int begin_run(struct supervisor *s)
{
    struct buf settings = {0}, host = {0}, versions = {0};
    struct json json;
    char sha256[SHA256_HEX_SIZE];
    settings_sha256(s->options->settings, sha256);
    json_init(&json, &settings);
    json_object_open(&json, NULL);
    settings_to_json(s->options->settings, &json);
    json_object_close(&json);
    json_init(&json, &host);
    write_host(&json, NULL);
    json_init(&json, &versions);
    write_versions(&json, NULL, NULL);
    int code = buf_failed(&settings) || buf_failed(&host) || buf_failed(&versions) ? -ENOMEM : 0;
    if (code == 0)
        code = writer_run_begin(s->writer, buf_cstr(&settings), sha256, buf_cstr(&versions), buf_cstr(&host), &s->run);
    buf_finish(&settings);
    buf_finish(&host);
    buf_finish(&versions);
    if (code == 0)
        code = later(s) ? writer_run_pass(s->writer, s->run, 0) : link_forget(s->cf);
    if (code == 0)
        code = histogram_forget(s->cf);
    return supervisor_written(s, code);
}

/* The ledger's record of the run, once plugins, versions, evidence and sandbox are known. */
static int ledger_begin(struct supervisor *s)
{
    struct buf buf = {0}, loaded = {0};
    struct json json;
    char sha256[SHA256_HEX_SIZE];
    settings_sha256(s->options->settings, sha256);
    json_init(&json, &buf);
    json_object_open(&json, NULL);
    json_u64(&json, "run", s->run);
    json_u64(&json, "pass", s->result.pass);
    json_text(&json, "pass_plugins", s->options->pass);
    if (!part(s))
        settings_to_json(s->options->settings, &json);
    json_text(&json, "settings_sha256", sha256);
    write_versions(&json, "versions", s->versions);
    write_host(&json, "host");
    json_array_open(&json, "plugins");
    for (size_t i = 0; i < s->plugin_count; i++) {
        json_object_open(&json, NULL);
        json_text(&json, "name", s->plugins[i].name);
        json_u64(&json, "version", s->plugins[i].version);
        json_object_close(&json);
    }
    json_array_close(&json);
    buf_printf(&loaded, "[%s]", buf_cstr(&s->loaded));
    if (part(s)) { /* thousands of parts come into one ledger, and the plan's listing has all of it */
        hash_sha256_hex(loaded.data, loaded.size, sha256);
        json_text(&json, "loaded_sha256", sha256);
    } else {
        json_raw(&json, "loaded", buf_cstr(&loaded));
    }
    json_text(&json, "sandbox_zygote", s->sandbox_zygote);
    json_u64(&json, "jobs", s->worker_count);
    json_object_close(&json);
    bool full = buf_failed(&buf) || buf_failed(&loaded) || buf_failed(&s->loaded);
    int code = full ? supervisor_fail(s, -ENOMEM, "out of memory")
                    : ledger_append(casefile_ledger(s->cf), "run-begin", buf_cstr(&buf), s->why);
    buf_finish(&buf);
    buf_finish(&loaded);
    return code ? (s->failure = code) : 0;
}

static int note_plugins(struct supervisor *s)
{
    struct buf names = {0};
    for (size_t i = 0; i < s->plugin_count; i++)
        buf_printf(&names, "%s%s", i ? "," : "", s->plugins[i].name);
    int code = buf_failed(&names) ? -ENOMEM : pass_first(s->cf, s->run, buf_cstr(&names));
    buf_finish(&names);
    s->result.pass = 1;
    return supervisor_written(s, code);
}

static int ledger_end(struct supervisor *s, const char *status)
{
    struct queue_counts counts = {0};
    struct buf buf = {0};
    struct json json;
    int code = casefile_counts_again(s->cf); /* an exhibit that did not open is a fault of the view's alone */
    if (code == 0)
        code = queue_counts(s->cf, &counts);
    if (supervisor_written(s, code))
        return code;
    s->result.streams_done = counts.streams_done;
    s->result.faults = counts.faults;
    json_init(&json, &buf);
    json_object_open(&json, NULL);
    json_u64(&json, "run", s->run);
    json_u64(&json, "pass", s->result.pass);
    json_text(&json, "status", status);
    json_u64(&json, "streams_done", counts.streams_done);
    json_u64(&json, "streams_pending", counts.streams_pending);
    json_u64(&json, "bytes_done", counts.bytes_done);
    json_u64(&json, "faults", counts.faults);
    json_u64(&json, "workers_crashed", s->result.crashed);
    json_u64(&json, "workers_hung", s->result.hung);
    json_u64(&json, "workers_lost", s->result.lost);
    json_u64(&json, "workers_tampered", s->result.tampered);
    json_text(&json, "sandbox_worker", s->sandbox_worker);
    if (s->result.digest[0])
        json_text(&json, "digest", s->result.digest);
    json_object_close(&json);
    code = buf_failed(&buf) ? supervisor_fail(s, -ENOMEM, "out of memory")
                            : ledger_append(casefile_ledger(s->cf), "run-end", buf_cstr(&buf), s->why);
    buf_finish(&buf);
    return code ? (s->failure = code) : 0;
}

static int verify_images(struct supervisor *s)
{
    for (size_t i = 0; i < s->exhibit_count; i++) {
        if (!s->exhibit_states[i].ready)
            continue;
        int code = casefile_verify_image(s->cf, s->exhibits[i].id, s->why);
        if (code)
            return s->failure = code;
    }
    return 0;
}

static int end_run(struct supervisor *s)
{
    const char *status = s->result.interrupted ? "interrupted" : s->options->list_only ? "listed" : "done";
    bool whole = !s->result.interrupted && !s->options->list_only && !part(s);
    report_progress(s, when_monotonic(), "summing up");
    int code = supervisor_written(s, writer_run_end(s->writer, s->run, status));
    if (code == 0)
        code = supervisor_written(s, writer_flush(s->writer));
    if (code == 0 && later(s))
        code = supervisor_written(s, pass_end(s->cf));
    if (code == 0 && whole && !later(s))
        code = verify_images(s);
    if (code == 0 && whole && !later(s)) {
        code = link_findings(s->cf, s->why);
        if (code)
            return s->failure = code;
    }
    if (code == 0 && whole) {
        code = histogram_count(s->cf, s->why);
        if (code)
            return s->failure = code;
    }
    if (code == 0 && whole) {
        code = kept_rules(s->cf, s->run, settings_text(s->options->settings, "yara.rules"), s->why);
        if (code)
            return s->failure = code;
    }
    if (code == 0 && !part(s) && !s->options->list_only) {
        code = case_digest(s->cf, NULL, NULL, s->result.digest, s->why);
        if (code)
            return s->failure = code;
    }
    if (code == 0)
        code = ledger_end(s, status);
    supervisor_event(s, "run-end", "status", status, "faults", s->result.faults);
    return code;
}

static int prepare(struct supervisor *s)
{
    uint32_t jobs = s->options->jobs ? s->options->jobs : (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
    s->worker_count = jobs < 1 ? 1 : jobs > JOBS_MAX ? JOBS_MAX : jobs;
    s->workers = calloc(s->worker_count, sizeof *s->workers);
    int code = casefile_exhibits(s->cf, &s->exhibits, &s->exhibit_count);
    if (code)
        return supervisor_fail(s, code, "%s: the exhibits cannot be read", casefile_folder(s->cf));
    s->exhibit_states = calloc(s->exhibit_count + 1, sizeof *s->exhibit_states);
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!s->workers || !s->exhibit_states || s->epoll < 0)
        return supervisor_fail(s, -ENOMEM, "out of memory");
    for (size_t i = 0; i < s->worker_count; i++)
        s->workers[i].process.wire.fd = -1;
    for (size_t i = 0; i < s->exhibit_count; i++)
        s->exhibit_states[i].id = s->exhibits[i].id;
    if (s->exhibit_count == 0)
        return supervisor_fail(s, -ENODATA, "%s: the case has no exhibits: `kvali add` adds one", casefile_folder(s->cf));
    code = writer_new(s->cf, &s->writer, s->why);
    if (code)
        return s->failure = code;
    if (s->options->again)
        code = supervisor_written(s, queue_reset(s->cf));
    return code;
}

int job_run(struct casefile *cf, const struct job_options *options, struct job_result *ret_result, struct why *why)
{
    struct supervisor s = {.cf = cf, .options = options, .epoll = -1, .why = why, .zygote = {.errors = -1, .wire.fd = -1}};
    s.started = s.flushed = s.crash_hour = when_monotonic();
    int code = prepare(&s);
    if (code == 0)
        code = begin_run(&s);
    if (code == 0)
        code = startup(&s);
    if (code == 0)
        code = later(&s) ? later_begin(&s) : note_plugins(&s);
    if (code == 0 && part(&s))
        code = part_check(&s);
    if (code == 0 && options->list_only)
        code = part_configuration(&s, &s.result.configuration);
    if (code == 0)
        code = ledger_begin(&s);
    if (code == 0)
        code = loop(&s);
    stop_workers(&s);
    if (code == -EINTR) {
        s.result.interrupted = true;
        s.failure = code = 0;
    }
    if (code == 0 && s.run)
        code = end_run(&s);
    else if (s.writer && s.run && writer_run_end(s.writer, s.run, "failed") == 0)
        (void)writer_flush(s.writer); /* the reason that ended the run is what is told */
    writer_free(s.writer);
    exhibits_free(s.exhibits, s.exhibit_count);
    free(s.exhibit_states);
    free(s.workers);
    startup_forget(&s);
    if (s.epoll >= 0)
        close(s.epoll);
    if (code == 0)
        *ret_result = s.result;
    else
        free(s.result.configuration);
    return code;
}
