/*
 * worker_sink: what a scan of one content says, put on the wire. In a later pass some plugins take part in
 * silence, and some contents are spared.
 */
#include "engine/job/worker_private.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* In a later pass the plugins that found streams take part so that these are found again; what they say
 * stands in the case. */
static bool is_silent(const struct worker *worker, uint32_t plugin)
{
    return plugin < 64 && (worker->task->silent >> plugin & 1) != 0;
}

static int on_record(void *context, uint32_t stream, uint32_t plugin, uint32_t type, const void *data,
                     size_t size)
{
    struct worker *worker = context;
    if (is_silent(worker, plugin))
        return 0;
    struct buf *out = wire_begin(&worker->wire, WIRE_RECORD);
    buf_u32le(out, stream);
    buf_u32le(out, plugin);
    buf_u32le(out, type);
    buf_append(out, data, size);
    wire_end(&worker->wire);
    return worker_flush_when_full(worker);
}

static int on_text(struct worker *worker, enum wire_type type, uint32_t stream, uint32_t plugin,
                   uint64_t offset, const char *text)
{
    if (is_silent(worker, plugin))
        return 0;
    struct buf *out = wire_begin(&worker->wire, type);
    buf_u32le(out, stream);
    buf_u32le(out, plugin);
    buf_u64le(out, offset);
    buf_string(out, text);
    wire_end(&worker->wire);
    return worker_flush_when_full(worker);
}

int worker_note(void *context, uint32_t stream, uint32_t plugin, uint64_t offset, const char *text)
{
    return on_text(context, WIRE_NOTE, stream, plugin, offset, text);
}

static int on_limited(void *context, uint32_t stream, uint32_t plugin, uint64_t offset, const char *text)
{
    return on_text(context, WIRE_LIMITED, stream, plugin, offset, text);
}

static int on_failed(void *context, uint32_t stream, uint32_t plugin, uint64_t offset, int code)
{
    struct worker *worker = context;
    if (is_silent(worker, plugin))
        return 0;
    struct buf *out = wire_begin(&worker->wire, WIRE_FAILED);
    buf_u32le(out, stream);
    buf_u32le(out, plugin);
    buf_u64le(out, offset);
    buf_u32le(out, (uint32_t)-code);
    wire_end(&worker->wire);
    return worker_flush_when_full(worker);
}

static int on_child_begin(void *context, uint32_t parent, uint32_t stream, const struct stream_info *info,
                          uint32_t plugin, const struct child *child, const struct child_runs *runs)
{
    struct worker *worker = context;
    struct buf *out = wire_begin(&worker->wire, WIRE_CHILD);
    buf_u32le(out, parent);
    buf_u32le(out, stream);
    buf_string(out, info->path);
    buf_blob(out, child->name, child->name_size);
    buf_u32le(out, child->kind);
    buf_u8(out, child->deleted);
    buf_u64le(out, child->offset);
    buf_u32le(out, plugin);
    buf_u8(out, runs->cut);
    buf_u32le(out, (uint32_t)runs->count);
    for (size_t i = 0; i < runs->count; i++) {
        buf_u64le(out, runs->items[i].offset);
        buf_u64le(out, runs->items[i].size);
    }
    wire_end(&worker->wire);
    return worker_flush_when_full(worker);
}

static int on_child_end(void *context, uint32_t stream, enum scan_status status, uint64_t size)
{
    struct worker *worker = context;
    struct buf *out = wire_begin(&worker->wire, WIRE_CHILD_END);
    buf_u32le(out, stream);
    buf_u32le(out, status);
    buf_u64le(out, size);
    wire_end(&worker->wire);
    return worker_flush_when_full(worker);
}

void worker_at(void *context, uint32_t stream, uint32_t plugin, uint64_t offset)
{
    struct worker *worker = context;
    if (stream == 0 && plugin == BLACKBOX_ENGINE)
        atomic_store_explicit(&worker->box->done, offset, memory_order_relaxed);
    worker_beat(worker, stream, plugin, offset);
}

static int compare_path(const void *path, const void *spare)
{
    return strcmp(path, *(char *const *)spare);
}

/* What equals a content that is looked at elsewhere is spared the plugins that are not silent. */
static uint64_t on_spared(void *context, const struct stream_info *info)
{
    const struct task_stream_in *task = ((struct worker *)context)->task;
    bool spared = task->spare_count &&
                  bsearch(info->path, task->spares, task->spare_count, sizeof *task->spares, compare_path);
    return spared ? ~task->silent : 0;
}

struct scan_sink worker_sink(struct worker *worker)
{
    struct scan_sink sink = {.record = on_record,
                             .note = worker_note,
                             .limited = on_limited,
                             .failed = on_failed,
                             .child_begin = on_child_begin,
                             .child_end = on_child_end,
                             .at = worker_at,
                             .context = worker};
    if (worker->task->later) {
        sink.lazy = true;
        sink.barren = worker->task->barren;
        sink.spared = on_spared;
    }
    return sink;
}
