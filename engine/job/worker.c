/*
 * worker: does the tasks that the supervisor sends: expand an exhibit, scan a batch of streams, give back
 * bytes. It holds one socket, the black box page, the spool and the evidence; it can neither open, nor
 * connect, nor start anything.
 */
#include "engine/job/worker_private.h"

#include "engine/base/text.h"
#include "engine/evidence/image_layer.h"
#include "engine/evidence/stream.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

/* A stream without one block on the medium (NTFS $BadClus:$Bad) is not read when it is larger: every byte is
 * zero. */
#define HOLE_READ_MAX (UINT64_C(1) << 30)
/* What is found or recorded reaches the supervisor at least this often, so that little is lost by a crash. */
enum { FLUSH_BYTES = 32 * 1024 };

struct image *worker_image(const struct worker *worker, uint64_t exhibit)
{
    for (size_t i = 0; i < worker->zygote->exhibit_count; i++)
        if (worker->zygote->exhibits[i].id == exhibit)
            return worker->zygote->exhibits[i].image;
    return NULL;
}

void worker_beat(struct worker *worker, uint32_t stream, uint32_t plugin, uint64_t at)
{
    struct blackbox *box = worker->box;
    atomic_store_explicit(&box->stream, stream, memory_order_relaxed);
    atomic_store_explicit(&box->plugin, plugin, memory_order_relaxed);
    atomic_store_explicit(&box->at, at, memory_order_relaxed);
    atomic_fetch_add_explicit(&box->beat, 1, memory_order_release);
}

static void on_alive(void *context)
{
    struct worker *worker = context;
    atomic_fetch_add_explicit(&worker->box->beat, 1, memory_order_release);
}

/* The watchdog is told as of a folder that takes ten minutes: a key is derived within seconds, unless the machine has other
 * things to do. */
static void on_busy(void *context, bool is_busy)
{
    enum { NAMES = 420000 };
    struct worker *worker = context;
    if (is_busy)
        atomic_store(&worker->box->weight, NAMES);
    on_alive(context);
    if (!is_busy)
        atomic_store(&worker->box->weight, 0);
}

int worker_flush_when_full(struct worker *worker)
{
    return wire_pending(&worker->wire) > FLUSH_BYTES ? wire_flush(&worker->wire) : 0;
}

void worker_send_fault(struct worker *worker, const struct found_fault *fault)
{
    found_fault_write(wire_begin(&worker->wire, WIRE_FAULT), fault);
    wire_end(&worker->wire);
}

/* What a key opened when it was found, and none opens now: this run cannot go on. */
int worker_locked(struct worker *worker, const char *locator, const struct why *why)
{
    struct buf text = {0};
    struct buf *out = wire_begin(&worker->wire, WIRE_FATAL);
    size_t steps = image_layers_size(locator);
    buf_printf(&text, "%.*s: %s", steps > 0 ? (int)steps - 1 : (int)strlen(locator), locator, why->text);
    buf_u32le(out, ENOKEY);
    buf_string(out, buf_cstr(&text));
    buf_finish(&text);
    wire_end(&worker->wire);
    wire_flush(&worker->wire);
    return -ENOKEY;
}

/* ------------------------------------------------------------------ scan: the source */

static int64_t source_read(void *context, void *data, size_t size)
{
    return stream_read(context, data, size);
}

static const struct ranges *source_bad(void *context)
{
    return stream_bad(context);
}

static int64_t source_read_at(void *context, uint64_t offset, void *data, size_t size, struct ranges *bad)
{
    return stream_read_at(context, offset, data, size, bad);
}

static uint64_t source_physical(void *context, uint64_t offset, uint64_t *ret_size)
{
    return stream_physical(context, offset, ret_size);
}

static struct source source_of(struct stream *stream)
{
    return (struct source){.read = source_read,
                           .bad = source_bad,
                           .read_at = source_read_at,
                           .reach = stream_reach(stream),
                           .physical = source_physical,
                           .context = stream};
}

/* The slack behind a content, which is to be closed before it; NULL: none. */
static int add_slack(struct stream *stream, struct stream **ret_slack, struct source *source,
                     struct source *behind)
{
    int code = stream_slack(stream, ret_slack);
    if (code == 0 && *ret_slack) {
        *behind = source_of(*ret_slack);
        source->slack = behind;
    }
    return code;
}

/* ------------------------------------------------------------------ scan: one stream */

/* One fault row for every range that could not be read. */
static void send_unreadable(struct worker *worker, const char *path, const struct stream *stream)
{
    const struct ranges *bad = stream_bad(stream);
    for (size_t i = 0; bad && i < bad->count; i++) {
        char detail[160];
        uint64_t physical = stream_physical(stream, bad->items[i].offset, NULL);
        if (physical == UINT64_MAX)
            snprintf(detail, sizeof detail, "the medium or its container did not give these bytes");
        else
            snprintf(detail, sizeof detail,
                     "the medium or its container did not give these bytes (image offset %" PRIu64 ")",
                     physical);
        worker_send_fault(worker,
                          &(struct found_fault){
                              .kind = FAULT_UNREADABLE,
                              .volume = "",
                              .path = path,
                              .stage = "read",
                              .plugin = "",
                              .offset = bad->items[i].offset,
                              .size = bad->items[i].size,
                              .effect = "zeros stand for them; hashes of this content cover the zeros",
                              .detail = detail,
                          });
    }
}

/* The slack behind a content is a child with an address of its own. */
static int send_unreadable_slack(struct worker *worker, const char *path, const struct stream *slack)
{
    struct buf address = {0};
    buf_printf(&address, "%s!/slack", path);
    int code = buf_failed(&address) ? -ENOMEM : 0;
    if (code == 0)
        send_unreadable(worker, buf_cstr(&address), slack);
    buf_finish(&address);
    return code;
}

static void send_end(struct worker *worker, const struct task_stream_in *task,
                     const struct scan_result *result)
{
    struct buf *out = wire_begin(&worker->wire, WIRE_END);
    buf_u64le(out, task->id);
    buf_u32le(out, result->status);
    buf_u64le(out, result->read);
    buf_u64le(out, result->unread);
    buf_u32le(out, (uint32_t)-result->error);
    buf_u32le(out, result->uniform ? result->byte : 256);
    buf_u64le(out, result->slack);
    buf_u8(out, result->slack_uniform);
    wire_end(&worker->wire);
}

static void send_not_opened(struct worker *worker, const struct task_stream_in *task, int code,
                            const struct why *why)
{
    worker_send_fault(worker, &(struct found_fault){
                                  .kind = code == -EACCES ? FAULT_DENIED : FAULT_DAMAGED,
                                  .volume = "",
                                  .path = task->path,
                                  .stage = "open",
                                  .plugin = "",
                                  .offset = UINT64_MAX,
                                  .size = task->size,
                                  .effect = "content not read",
                                  .detail = why->text[0] ? why->text : strerror(-code),
                              });
    send_end(worker, task, &(struct scan_result){.status = SCAN_CUT, .error = code});
}

static void send_read_error(struct worker *worker, const struct task_stream_in *task,
                            const struct scan_result *result)
{
    worker_send_fault(worker, &(struct found_fault){
                                  .kind = FAULT_DAMAGED,
                                  .volume = "",
                                  .path = task->path,
                                  .stage = "read",
                                  .plugin = "",
                                  .offset = result->read,
                                  .size = task->size > result->read ? task->size - result->read : 0,
                                  .effect = "the rest of the content was not read; hashes cover what was",
                                  .detail = "the file system's structures do not lead to these bytes",
                              });
}

/* Passwords are for what lies in contents, too: encrypted archives. */
static const char *get_password(const void *context, size_t number)
{
    const struct key *key = keys_password(context, number);

    return key ? (const char *)key->data : NULL;
}

static void digest_password(const void *context, size_t number, const char *salt, char ret[SCAN_PASSWORD_DIGEST])
{
    static_assert((int)SCAN_PASSWORD_DIGEST == (int)KEY_DIGEST_SIZE, "what plugins get has the key's size");
    const struct key *key = keys_password(context, number);

    if (key)
        key_digest(key, salt, ret);
}

static void set_passwords(struct worker *worker, const struct image *image)
{
    scanner_set_passwords(worker->zygote->scanner,
                          &(struct scan_passwords){get_password, digest_password, image_keys(image)});
}

static int scan_opened(struct worker *worker, const struct task_stream_in *task, struct stream *stream)
{
    char owner[STREAM_OWNER_SIZE];
    struct stream_info info = {
        .path = task->path,
        .name = task->name,
        .extension = task->extension,
        .owner = owner,
        .kind = (enum stream_kind)task->kind,
        .deleted = task->deleted,
        .size = stream_size(stream),
    };
    struct scan_sink sink = worker_sink(worker);
    struct source source = source_of(stream), behind;
    stream_owner(stream, owner, sizeof owner);
    struct stream *slack;
    struct scan_result result = {0};
    int code = add_slack(stream, &slack, &source, &behind);
    if (code)
        return code;
    if (!task->later && task->kind == STREAM_FILE && !(task->without & WIRE_WITHOUT_MEDIUM))
        code = worker_inside(worker, task, stream);
    if (code) {
        stream_close(slack);
        return code;
    }
    if (stream_is_hole(stream) && info.size > HOLE_READ_MAX) {
        char text[128];
        snprintf(text, sizeof text,
                 "no block of it lies on the medium: its %" PRIu64 " zero bytes were not read", info.size);
        worker_note(worker, 0, BLACKBOX_ENGINE, 0, text);
    } else {
        set_passwords(worker, worker_image(worker, task->exhibit));
        code = scanner_scan(worker->zygote->scanner, &info, &source, task->without, &sink, &result);
    }
    if (code == 0) {
        send_unreadable(worker, task->path, stream);
        if (slack)
            code = send_unreadable_slack(worker, task->path, slack);
    }
    stream_close(slack);
    if (code)
        return code;
    if (result.error)
        send_read_error(worker, task, &result);
    send_end(worker, task, &result);
    return worker_flush_when_full(worker);
}

static int scan_one(struct worker *worker, const struct task_stream_in *task)
{
    struct why why = {{0}};
    struct stream *stream;
    struct image *image = worker_image(worker, task->exhibit);
    atomic_store(&worker->box->done, 0);
    atomic_store(&worker->box->task, task->id);
    worker->task = task;
    worker_beat(worker, 0, BLACKBOX_ENGINE, 0);
    buf_u64le(wire_begin(&worker->wire, WIRE_BEGIN), task->id);
    wire_end(&worker->wire);
    int code = image ? stream_open(image, task->locator, &stream, &why)
                     : why_set(&why, -ENODEV, "the evidence is not open");
    if (code == -ENOKEY)
        return worker_locked(worker, task->locator, &why);
    if (code) {
        send_not_opened(worker, task, code, &why);
        return worker_flush_when_full(worker);
    }
    code = scan_opened(worker, task, stream);
    stream_close(stream);
    return code;
}

static int scan_batch(struct worker *worker)
{
    int code = worker->zygote->scanner ? 0 : -EPROTO;
    for (size_t i = 0; code == 0 && i < worker->batch_count; i++)
        code = scan_one(worker, &worker->batch[i]);
    worker_batch_clear(worker);
    if (code)
        return code;
    wire_begin(&worker->wire, WIRE_DONE);
    wire_end(&worker->wire);
    return wire_flush(&worker->wire);
}

/* ------------------------------------------------------------------ read */

static int send_bytes(struct worker *worker, struct stream *stream, uint64_t offset, uint64_t size)
{
    static uint8_t block[WIRE_PACKET_MAX / 2];
    uint64_t position = 0, end = u64_add_saturating(offset, size);
    while (position < end) {
        int64_t got = stream_read(stream, block, sizeof block);
        if (got <= 0)
            return (int)got;
        uint64_t skip = position < offset ? offset - position : 0;
        uint64_t take = (uint64_t)got < end - position ? (uint64_t)got : end - position;
        worker_beat(worker, 0, BLACKBOX_ENGINE, position);
        if (skip < take) {
            buf_blob(wire_begin(&worker->wire, WIRE_DATA), block + skip, (size_t)(take - skip));
            wire_end(&worker->wire);
            int code = wire_flush(&worker->wire);
            if (code)
                return code;
        }
        position += (uint64_t)got;
    }
    return 0;
}

static int do_read(struct worker *worker, struct bytes *task)
{
    uint64_t exhibit = bytes_u64le(task);
    const char *locator = bytes_string(task);
    uint64_t offset = bytes_u64le(task), size = bytes_u64le(task);
    struct image *image = worker_image(worker, exhibit);
    if (bytes_failed(task))
        return -EPROTO;
    struct why why = {{0}};
    struct stream *stream = NULL;
    uint64_t unread = 0;
    int code = image ? stream_open(image, locator, &stream, &why)
                     : why_set(&why, -ENODEV, "the evidence is not open");
    if (code == 0) {
        code = send_bytes(worker, stream, offset, size);
        unread = ranges_bytes(stream_bad(stream));
        stream_close(stream);
    }
    struct buf *out = wire_begin(&worker->wire, WIRE_READ_END);
    buf_u64le(out, unread);
    buf_u32le(out, (uint32_t)-code);
    buf_string(out, why.text);
    wire_end(&worker->wire);
    return wire_flush(&worker->wire);
}

/* ------------------------------------------------------------------ replay */

static int do_replay(struct worker *worker, struct bytes *task)
{
    struct why why = {{0}};
    struct stream *stream = NULL;
    struct image *image = worker_image(worker, bytes_u64le(task));
    const char *locator = bytes_string(task);
    if (bytes_failed(task) || !worker->zygote->scanner)
        return -EPROTO;
    int code = image ? stream_open(image, locator, &stream, &why)
                     : why_set(&why, -ENODEV, "the evidence is not open");
    struct stream *slack = NULL;
    struct source source, behind;
    if (code == 0) {
        source = source_of(stream);
        code = add_slack(stream, &slack, &source, &behind);
    }
    worker->replay.wire = &worker->wire;
    worker->replay.at = worker_at;
    worker->replay.context = worker;
    if (image)
        set_passwords(worker, image);
    int result = replay_run(&worker->replay, worker->zygote->scanner, task, code ? 0 : stream_size(stream),
                            code ? NULL : &source);
    stream_close(slack);
    stream_close(stream);
    if (result == -EPROTO)
        return result;
    struct buf *out = wire_begin(&worker->wire, WIRE_REPLAYED);
    buf_u32le(out, (uint32_t) - (code ? code : result));
    buf_string(out, why.text);
    wire_end(&worker->wire);
    return wire_flush(&worker->wire);
}

/* ------------------------------------------------------------------ the loop */

static int do_message(struct worker *worker, enum wire_type type, struct bytes *payload)
{
    switch ((int)type) {
    case WIRE_EXPAND:
        return worker_expand(worker, payload);
    case WIRE_SPARE:
        return worker_batch_spare(worker, payload);
    case WIRE_STREAM:
        return worker_batch_add(worker, payload);
    case WIRE_GO:
        return scan_batch(worker);
    case WIRE_READ:
        return do_read(worker, payload);
    case WIRE_WANT:
        return replay_want(&worker->replay, payload);
    case WIRE_REPLAY:
        return do_replay(worker, payload);
    default:
        return -EPROTO;
    }
}

static int work(struct worker *worker)
{
    static uint8_t packet[WIRE_PACKET_MAX];
    for (;;) {
        int64_t size = wire_receive(worker->wire.fd, packet, false, NULL);
        if (size <= 0)
            return size < 0; /* the end of the connection is the end of the work */
        struct bytes bytes, payload;
        enum wire_type type;
        bytes_init(&bytes, packet, (size_t)size);
        while (wire_next(&bytes, &type, &payload))
            if (do_message(worker, type, &payload))
                return 1;
        if (bytes_failed(&bytes))
            return 1;
    }
}

static int close_in(struct worker *worker, struct why *why)
{
    const struct zygote *zygote = worker->zygote;
    const char **folders = calloc(zygote->exhibit_count + 1, sizeof *folders);
    size_t count = 0;
    if (!folders)
        return why_set(why, -ENOMEM, "out of memory");
    for (size_t i = 0; i < zygote->exhibit_count; i++) {
        struct image *image = zygote->exhibits[i].image;
        if (!image)
            continue;
        if (image_info(image)->type == IMAGE_FOLDER)
            folders[count++] = zygote->exhibits[i].path;
        image_set_alive(image, on_alive, worker);
        image_set_busy(image, on_busy, worker);
        int code = image_reopen(image, why);
        if (code) {
            free(folders);
            return code;
        }
    }
    struct sandbox_options options = {
        .readable = folders,
        .readable_count = count,
        .folder = count > 0,
        .weak = strcmp(settings_text(&zygote->settings, "sandbox"), "weak") == 0,
        .memory = settings_number(&zygote->settings, "limit.memory"),
        .spool = settings_number(&zygote->settings, "limit.spool"),
        .parent = zygote->supervisor,
    };
    struct sandbox_state state = {0};
    int code = sandbox_worker(&options, &state, why);
    free(folders);
    if (code)
        return code;
    char words[512];
    sandbox_describe(&state, words, sizeof words);
    struct buf *out = wire_begin(&worker->wire, WIRE_WORKER_READY);
    buf_string(out, words);
    buf_u8(out, state.missing[0] == 0);
    wire_end(&worker->wire);
    return wire_flush(&worker->wire);
}

void worker_main(struct zygote *zygote, int socket, int blackbox, int spool)
{
    static struct worker worker;
    struct why why = {{0}};
    worker.zygote = zygote;
    wire_init(&worker.wire, socket);
    worker.box = mmap(NULL, sizeof *worker.box, PROT_READ | PROT_WRITE, MAP_SHARED, blackbox, 0);
    close(blackbox);
    if (worker.box == MAP_FAILED)
        _exit(2);
    atomic_store(&worker.box->plugin, BLACKBOX_ENGINE);
    prctl(PR_SET_NAME, "kvali-worker");
    if (zygote->scanner)
        scanner_set_spool(zygote->scanner, spool);
    int code = close_in(&worker, &why);
    if (code) {
        struct buf *out = wire_begin(&worker.wire, WIRE_FATAL);
        buf_u32le(out, (uint32_t)-code);
        buf_string(out, why.text);
        wire_end(&worker.wire);
        wire_flush(&worker.wire);
        _exit(2);
    }
    _exit(work(&worker));
}
