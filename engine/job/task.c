/*
 * task: what an idle worker does next: expand tasks first (they find work for the others), then batches of streams in
 * disk order, whole images before all because they take longest.
 */
#include "engine/job/supervisor.h"

#include "engine/base/when.h"

#include <errno.h>
#include <string.h>

#define BATCH_BYTES (UINT64_C(32) << 20)

struct exhibit_state *exhibit_state(struct supervisor *s, uint64_t id)
{
    for (size_t i = 0; i < s->exhibit_count; i++)
        if (s->exhibit_states[i].id == id)
            return &s->exhibit_states[i];
    return NULL;
}

static bool exhibit_ready(void *context, uint64_t id)
{
    const struct exhibit_state *exhibit = exhibit_state(context, id);
    return exhibit && exhibit->ready;
}

static bool expand_busy(void *context, uint64_t id)
{
    const struct supervisor *s = context;
    for (size_t i = 0; i < s->worker_count; i++)
        if (s->workers[i].state == WORKER_EXPANDING && s->workers[i].expand.id == id)
            return true;
    return false;
}

static bool stream_busy(void *context, uint64_t id)
{
    const struct supervisor *s = context;
    for (size_t i = 0; i < s->worker_count; i++) {
        const struct worker_slot *worker = &s->workers[i];
        for (size_t b = worker->batch_next; worker->state == WORKER_SCANNING && b < worker->batch_count; b++)
            if (worker->batch[b].id == id)
                return true;
    }
    return false;
}

void task_drop(struct worker_slot *worker)
{
    if (worker->state == WORKER_EXPANDING)
        task_expand_finish(&worker->expand);
    for (size_t i = 0; i < worker->batch_count; i++)
        task_stream_finish(&worker->batch[i]);
    worker->batch_count = worker->batch_next = worker->sub_count = 0;
    worker->in_stream = false;
    worker->attempt = 0;
    worker->faults = worker->strangers = 0;
    worker->child_bytes = 0;
}

static void begin(struct worker_slot *worker, enum worker_state state)
{
    worker->state = state;
    worker->beat = atomic_load(&worker->process.box->beat);
    worker->beat_time = worker->task_time = when_monotonic();
    worker->weight = 0;
    worker->folder_seconds = 0;
}

static int give_expand(struct supervisor *s, struct worker_slot *worker)
{
    begin(worker, WORKER_EXPANDING);
    const struct attempt_at at = {.run = s->run, .expand = worker->expand.id, .worker = worker->number};
    int code = writer_attempt_begin(s->writer, &at, &worker->attempt);
    if (code)
        return supervisor_written(s, code);
    struct wire *wire = &worker->process.wire;
    struct buf *out = wire_begin(wire, WIRE_EXPAND);
    buf_u64le(out, worker->expand.exhibit);
    buf_string(out, worker->expand.locator);
    buf_string(out, worker->expand.volume);
    buf_string(out, worker->expand.root);
    buf_u32le(out, (uint32_t)worker->expand.skip_count);
    for (size_t i = 0; i < worker->expand.skip_count; i++) {
        buf_u64le(out, worker->expand.skip[i]);
        buf_u32le(out, worker->expand.skip_kinds[i]);
    }
    wire_end(wire);
    wire_flush(wire); /* a worker that is gone shows as the end of its socket */
    return 0;
}

/* What a later pass says of a content, behind what every pass does. */
static void put_later(const struct supervisor *s, const struct worker_slot *worker, struct buf *out)
{
    bool is_later = later(s);
    buf_u8(out, is_later);
    buf_u64le(out, is_later ? worker->makers & ~s->looking : 0);
    buf_u64le(out, is_later ? ~worker->makers : 0);
}

/* The plugins that do not see the stream, as bits, and WIRE_WITHOUT_MEDIUM. */
static uint64_t without(const struct supervisor *s, const struct worker_slot *worker, const struct task_stream *task)
{
    uint64_t others = later(s) ? ~(s->looking | worker->makers) : 0;
    uint64_t medium = plugin_listed(task->without, WIRE_MEDIUM_NAME) ? WIRE_WITHOUT_MEDIUM : 0;
    return plugin_mask(s, task->without) | others | medium;
}

static int give_streams(struct supervisor *s, struct worker_slot *worker)
{
    begin(worker, WORKER_SCANNING);
    struct wire *wire = &worker->process.wire;
    for (size_t i = 0; i < worker->batch_count; i++) {
        const struct task_stream *task = &worker->batch[i];
        int code = later(s) ? later_spares(s, worker, task) : 0;
        if (code)
            return code;
        struct buf *out = wire_begin(wire, WIRE_STREAM);
        buf_u64le(out, task->id);
        buf_u64le(out, task->exhibit);
        buf_string(out, task->locator);
        buf_string(out, task->path);
        buf_string(out, task->name);
        buf_string(out, task->extension);
        buf_u32le(out, task->kind);
        buf_u8(out, task->deleted);
        buf_u64le(out, task->size);
        buf_u64le(out, without(s, worker, task));
        put_later(s, worker, out);
        wire_end(wire);
    }
    wire_begin(wire, WIRE_GO);
    wire_end(wire);
    wire_flush(wire);
    return 0;
}

/* Towards the end the batches get smaller, so that all workers finish together. */
static size_t batch_size(struct supervisor *s)
{
    struct queue_counts counts;
    if (queue_counts(s->cf, &counts))
        return 1;
    uint64_t share = counts.streams_pending / (s->worker_count * 4);
    return share < 1 ? 1 : share > WIRE_BATCH_MAX ? WIRE_BATCH_MAX : (size_t)share;
}

int task_give(struct supervisor *s, struct worker_slot *worker, bool *ret_given)
{
    size_t count = 0;
    struct queue_filter filter = {exhibit_ready, expand_busy, s};
    *ret_given = true;
    int code = queue_expands(s->cf, &filter, &worker->expand, 1, &count);
    if (code)
        return supervisor_written(s, code);
    if (count)
        return give_expand(s, worker);
    if (s->options->list_only) {
        *ret_given = false;
        return 0;
    }
    filter.busy = stream_busy;
    code = queue_streams(s->cf, &filter, worker->batch, s->plugin_count ? batch_size(s) : 0, BATCH_BYTES, &count);
    if (code)
        return supervisor_written(s, code);
    worker->batch_count = count;
    worker->batch_next = 0;
    if (count)
        return give_streams(s, worker);
    *ret_given = false;
    return 0;
}
