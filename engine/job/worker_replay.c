/* worker_replay: see worker_replay.h. The wants are sorted by address, so that each child costs one search.
 */
#include "engine/job/worker_replay.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int replay_want(struct replay *replay, struct bytes *message)
{
    const char *path = bytes_string(message);
    uint64_t offset = bytes_u64le(message), size = bytes_u64le(message);
    if (bytes_failed(message) || replay->count >= UINT32_MAX)
        return -EPROTO;
    if (replay->count == replay->capacity) {
        size_t capacity = replay->capacity * 2 + 16;
        struct replay_want *more = reallocarray(replay->wants, capacity, sizeof *more);
        if (!more)
            return -ENOMEM;
        replay->wants = more;
        replay->capacity = capacity;
    }
    char *copy = strdup(path);
    if (!copy)
        return -ENOMEM;
    replay->wants[replay->count] =
        (struct replay_want){.path = copy, .offset = offset, .size = size, .number = (uint32_t)replay->count};
    replay->count++;
    return 0;
}

static void forget(struct replay *replay)
{
    for (size_t i = 0; i < replay->count; i++)
        free(replay->wants[i].path);
    free(replay->wants);
    replay->wants = NULL;
    replay->count = replay->capacity = replay->found = 0;
    replay->now = NULL;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct replay_want *)a)->path, ((const struct replay_want *)b)->path);
}

static int find_path(const void *path, const void *want)
{
    return strcmp(path, ((const struct replay_want *)want)->path);
}

static bool on_wants(void *context, const struct stream_info *info)
{
    struct replay *replay = context;
    struct replay_want *want = bsearch(info->path, replay->wants, replay->count, sizeof *want, find_path);
    if (!want || want->found)
        return false;
    want->found = true;
    replay->found++;
    replay->now = want;
    replay->position = 0;
    buf_u32le(wire_begin(replay->wire, WIRE_FOUND), want->number);
    wire_end(replay->wire);
    return true;
}

/* What of these bytes lies in [offset, offset + size) of the want, in packets. */
static int on_bytes(void *context, const void *data, size_t size)
{
    enum { PART = WIRE_PACKET_MAX / 2 };
    struct replay *replay = context;
    const struct replay_want *want = replay->now;
    uint64_t begin = replay->position, end = u64_add_saturating(want->offset, want->size);
    size_t from = want->offset <= begin          ? 0
                  : want->offset - begin >= size ? size
                                                 : (size_t)(want->offset - begin);
    size_t to = end <= begin ? 0 : end - begin >= size ? size : (size_t)(end - begin);
    replay->position += size;
    while (from < to) {
        size_t part = to - from < PART ? to - from : PART;
        buf_blob(wire_begin(replay->wire, WIRE_DATA), (const uint8_t *)data + from, part);
        wire_end(replay->wire);
        int code = wire_flush(replay->wire);
        if (code)
            return code;
        replay->at(replay->context, 0, UINT32_MAX, begin + from);
        from += part;
    }
    return 0;
}

static int on_end(void *context, enum scan_status status)
{
    struct replay *replay = context;
    struct buf *out = wire_begin(replay->wire, WIRE_READ_END);
    buf_u64le(out, 0);
    buf_u32le(out, 0);
    buf_string(out, status == SCAN_WHOLE     ? ""
                    : status == SCAN_PARTIAL ? "some of the bytes that it was made from could not be read"
                                             : "it is not whole: a limit or damage ended it early");
    wire_end(replay->wire);
    replay->now = NULL;
    int code = wire_flush(replay->wire);
    return code ? code : replay->found == replay->count ? -ECANCELED : 0;
}

static void on_at(void *context, uint32_t stream, uint32_t plugin, uint64_t offset)
{
    const struct replay *replay = context;
    replay->at(replay->context, stream, plugin, offset);
}

int replay_run(struct replay *replay, struct scanner *scanner, struct bytes *message, uint64_t size,
               const struct source *source)
{
    struct scan_capture capture = {on_wants, on_bytes, on_end, on_at, replay};
    struct scan_result result = {0};
    struct stream_info info = {.path = bytes_string(message), .owner = "", .size = size};
    info.name = bytes_string(message);
    info.extension = bytes_string(message);
    info.kind = (enum stream_kind)bytes_u32le(message);
    info.deleted = bytes_u8(message);
    uint64_t without = bytes_u64le(message);
    int code = bytes_failed(message) || (unsigned)info.kind >= STREAM_KINDS ? -EPROTO : 0;
    if (code == 0 && source && replay->count) {
        qsort(replay->wants, replay->count, sizeof *replay->wants, by_path);
        code = scanner_capture(scanner, &info, source, without, &capture, &result);
    }
    forget(replay);
    return code == -ECANCELED ? 0 : code ? code : result.error;
}
