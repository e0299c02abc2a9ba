/*
 * read: bytes of single contents for show and export, and questions to kvali-worker. The evidence is opened and read by a
 * sandboxed worker as in a run; the supervisor's side only passes bytes on.
 */
#include "engine/job/job.h"

#include "engine/base/text.h"
#include "engine/job/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OPEN_SECONDS = 3600, READ_SECONDS = 300, ANSWER_MAX = 16 << 20 };

static int send_setup(struct process_zygote *zygote, const struct settings *settings, const struct job_read *reads, size_t count)
{
    struct wire *wire = &zygote->wire;
    struct buf *out = wire_begin(wire, WIRE_SETUP);
    buf_u32le(out, WIRE_VERSION);
    settings_write(settings, out);
    wire_end(wire);
    for (size_t i = 0; i < count; i++) {
        if (i && strcmp(reads[i].exhibit_path, reads[i - 1].exhibit_path) == 0)
            continue; /* contents come grouped by exhibit; the first one's index is the exhibit's number */
        out = wire_begin(wire, WIRE_EXHIBIT);
        buf_u64le(out, i);
        buf_string(out, reads[i].exhibit_path);
        buf_string(out, reads[i].exhibit_type);
        wire_end(wire);
    }
    wire_begin(wire, WIRE_OPEN);
    wire_end(wire);
    return wire_flush(wire);
}

static int take_reason(struct bytes *payload, struct why *why)
{
    int code = -(int)bytes_u32le(payload);
    const char *reason = bytes_string(payload);
    if (bytes_failed(payload) || code >= 0)
        return why_set(why, -EPROTO, "kvali-worker said what it may not say");
    return why_set(why, code, "%s", reason);
}

static int wait_ready(struct process_zygote *zygote, uint8_t *packet, struct why *why)
{
    for (;;) {
        int64_t size = process_receive(zygote->wire.fd, packet, OPEN_SECONDS);
        struct bytes bytes, payload;
        enum wire_type type;
        if (size <= 0)
            return why_set(why, -ECHILD, "kvali-worker ended while it opened the evidence");
        bytes_init(&bytes, packet, (size_t)size);
        while (wire_next(&bytes, &type, &payload)) {
            if (type == WIRE_FATAL)
                return take_reason(&payload, why);
            if (type == WIRE_IMAGE_FAILED) {
                bytes_u64le(&payload);
                return take_reason(&payload, why);
            }
            if (type == WIRE_ZYGOTE_READY)
                return 0;
        }
    }
}

struct reading {
    const struct job_read *read;
    bool ended;
    int code;
    uint64_t unread;
    char reason[256];
};

static int take(struct reading *reading, enum wire_type type, struct bytes *payload)
{
    if (type == WIRE_DATA) {
        size_t size;
        const uint8_t *data = bytes_blob(payload, &size);
        return data ? reading->read->each(reading->read->context, data, size) : -EPROTO;
    }
    if (type == WIRE_READ_END) {
        reading->unread = bytes_u64le(payload);
        reading->code = -(int)bytes_u32le(payload);
        const char *reason = bytes_string(payload);
        reading->ended = true;
        snprintf(reading->reason, sizeof reading->reason, "%s", reason ? reason : "");
        return bytes_failed(payload) || !text_is_utf8(reading->reason, strlen(reading->reason)) ? -EPROTO : 0;
    }
    return type == WIRE_WORKER_READY ? 0 : -EPROTO;
}

static int read_one(struct process_worker *worker, const struct job_read *read, uint64_t exhibit, uint8_t *packet,
                    struct reading *reading)
{
    struct buf *out = wire_begin(&worker->wire, WIRE_READ);
    buf_u64le(out, exhibit);
    buf_string(out, read->locator);
    buf_u64le(out, read->offset);
    buf_u64le(out, read->size);
    wire_end(&worker->wire);
    int code = wire_flush(&worker->wire);
    *reading = (struct reading){.read = read};
    while (code == 0 && !reading->ended) {
        int64_t size = process_receive(worker->wire.fd, packet, READ_SECONDS);
        struct bytes bytes, payload;
        enum wire_type type;
        if (size <= 0)
            return size == -ETIMEDOUT ? -ETIMEDOUT : -ECHILD;
        bytes_init(&bytes, packet, (size_t)size);
        while (code == 0 && wire_next(&bytes, &type, &payload))
            code = take(reading, type, &payload);
    }
    return code;
}

static int read_all(struct process_zygote *zygote, const struct job_options *options, const struct job_read *reads,
                    size_t count, int (*done)(void *, size_t, int, uint64_t, const char *), void *context, struct why *why)
{
    static uint8_t packet[WIRE_PACKET_MAX];
    struct process_worker worker = {.wire.fd = -1};
    bool alive = false;
    int code = 0;
    uint64_t exhibit = 0;
    for (size_t i = 0; code == 0 && i < count; i++) {
        if (i && strcmp(reads[i].exhibit_path, reads[i - 1].exhibit_path) != 0)
            exhibit = i;
        if (!alive) {
            code = process_fork_worker(zygote, (uint32_t)i, options->spool_folder, &worker, why);
            if (code)
                return code;
            alive = true;
        }
        struct reading reading;
        int result = read_one(&worker, &reads[i], exhibit, packet, &reading);
        if (result) { /* it died, hung or lied, or the receiver had enough: this worker is done with */
            kill(worker.pid, SIGKILL);
            waitpid(worker.pid, NULL, 0);
            process_finish_worker(&worker);
            alive = false;
            snprintf(reading.reason, sizeof reading.reason, "%s",
                     result == -ECHILD ? "the parser died while reading this content" : strerror(-result));
        } else {
            result = reading.code;
        }
        if (done)
            code = done(context, i, result, reading.unread, reading.reason);
        else if (result)
            code = why_set(why, result, "%s", reading.reason[0] ? reading.reason : strerror(-result));
    }
    if (alive) {
        kill(worker.pid, SIGKILL);
        waitpid(worker.pid, NULL, 0);
        process_finish_worker(&worker);
    }
    return code;
}

int job_read(const struct job_options *options, const struct job_read *reads, size_t count,
             int (*done)(void *context, size_t index, int code, uint64_t unread, const char *reason), void *context,
             struct why *why)
{
    static uint8_t packet[WIRE_PACKET_MAX];
    struct process_zygote zygote = {.errors = -1, .wire.fd = -1};
    struct settings settings;
    struct buf copy = {0};
    struct bytes bytes;
    /* The run's settings, but without plugins: nothing is scanned. */
    settings_write(options->settings, &copy);
    bytes_init(&bytes, copy.data, copy.size);
    int code = settings_init(&settings);
    if (code == 0)
        code = settings_read(&settings, &bytes);
    if (code == 0)
        code = settings_set(&settings, "plugins", "", why);
    buf_finish(&copy);
    if (code == 0)
        code = process_start_zygote(options->worker_program, &zygote, why);
    if (code == 0 && send_setup(&zygote, &settings, reads, count))
        code = why_set(why, -ECHILD, "kvali-worker does not answer");
    if (code == 0)
        code = wait_ready(&zygote, packet, why);
    if (code == 0)
        code = read_all(&zygote, options, reads, count, done, context, why);
    process_stop_zygote(&zygote);
    settings_finish(&settings);
    return code;
}

int job_ask(const char *worker_program, const char *argument, char **ret_text, struct why *why)
{
    int out[2];
    if (pipe2(out, O_CLOEXEC))
        return why_set(why, -errno, "no pipe: %s", strerror(errno));
    pid_t pid = fork();
    if (pid == 0) {
        char *const argv[] = {(char *)"kvali-worker", (char *)argument, NULL};
        if (dup2(out[1], 1) >= 0)
            execv(worker_program, argv);
        _exit(127);
    }
    close(out[1]);
    struct buf buf = {0};
    char block[4096];
    ssize_t size;
    while (pid > 0 && buf.size < ANSWER_MAX && (size = read(out[0], block, sizeof block)) > 0)
        buf_append(&buf, block, (size_t)size);
    close(out[0]);
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0 || buf_failed(&buf)) {
        buf_finish(&buf);
        return why_set(why, -ENOEXEC, "%s: it does not run", worker_program);
    }
    *ret_text = buf_steal(&buf);
    return *ret_text ? 0 : why_set(why, -ENOMEM, "out of memory");
}
