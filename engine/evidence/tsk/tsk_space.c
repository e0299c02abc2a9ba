/*
 * tsk_space: what each block of a file system belongs to. While the walk goes on, the blocks of every content
 * are marked: by a live file, or by a deleted one. At its end they are held against the allocation map, and
 * every byte has one owner:
 *
 *  - allocated and marked: live, content and slack behind its end
 *  - allocated, not marked: structures, what the file system keeps for itself or what no listed file leads to
 *  - unallocated and marked: deleted, content that a deleted file's metadata still names
 *  - unallocated, not marked: free
 *
 * Free space (deleted content in it or not) and structures are then reported as streams.
 */
#include "engine/base/bytes.h"
#include "engine/evidence/image_layer.h"
#include "engine/evidence/tsk/tsk_private.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define FREE_STEP  (UINT64_C(64) << 20) /* a stream of free space */
#define KEPT_STEP  (UINT64_C(16) << 10) /* a snapshot keeps blocks of this size */
#define BLOCKS_MAX (UINT64_C(1) << 36)

struct tsk_space {
    struct tsk_filesystem *filesystem;
    uint64_t blocks, size;    /* whole blocks within the volume and the image; bytes in a block */
    uint64_t *live, *deleted; /* a bit a block */
    uint64_t slack;
    uint64_t limit; /* of a container: where its volume ends */
};

/* ------------------------------------------------------------------ sets of blocks */

/* Sets `count` bits from `first` on; how many of them were not set before. */
static uint64_t mark(uint64_t *bits, uint64_t first, uint64_t count)
{
    uint64_t fresh = 0;

    while (count > 0) {
        uint64_t word = first / 64, low = first % 64;
        uint64_t take = count < 64 - low ? count : 64 - low;
        uint64_t mask = (take == 64 ? UINT64_MAX : (UINT64_C(1) << take) - 1) << low;

        fresh += (uint64_t)__builtin_popcountll(mask & ~bits[word]);
        bits[word] |= mask;
        first += take;
        count -= take;
    }
    return fresh;
}

static uint64_t count_marked(const uint64_t *bits, uint64_t first, uint64_t count)
{
    uint64_t marked = 0;

    for (; count > 0 && first % 64 != 0; first++, count--)
        marked += bits[first / 64] >> (first % 64) & 1;
    for (; count >= 64; first += 64, count -= 64)
        marked += (uint64_t)__builtin_popcountll(bits[first / 64]);
    for (; count > 0; first++, count--)
        marked += bits[first / 64] >> (first % 64) & 1;
    return marked;
}

/* ------------------------------------------------------------------ while the walk goes on */

uint64_t tsk_space_bytes(const TSK_FS_INFO *info, uint64_t limit)
{
    uint64_t begin = (uint64_t)info->offset, end = u64_add_saturating(begin, tsk_filesystem_size(info)),
             blocks;

    end = end < limit ? end : limit;
    if (info->block_pre_size != 0 || info->block_post_size != 0 || info->block_size == 0 || end <= begin)
        return 0; /* YAFFS2: blocks with spare bytes between them */
    blocks = (end - begin) / info->block_size;
    return (blocks < BLOCKS_MAX ? blocks : BLOCKS_MAX) * info->block_size;
}

int tsk_space_new(struct tsk_filesystem *filesystem, uint64_t limit, struct tsk_space **ret_space)
{
    struct tsk_space *space = calloc(1, sizeof *space);
    uint64_t bytes = tsk_space_bytes(filesystem->info, limit);

    if (!space)
        return -ENOMEM;
    space->filesystem = filesystem;
    space->size = filesystem->info->block_size;
    space->blocks = bytes > 0 ? bytes / space->size : 0;
    space->live = calloc((size_t)(space->blocks / 64 + 1), sizeof *space->live);
    space->deleted = calloc((size_t)(space->blocks / 64 + 1), sizeof *space->deleted);
    if (!space->live || !space->deleted) {
        tsk_space_free(space);
        return -ENOMEM;
    }
    *ret_space = space;
    return 0;
}

void tsk_space_free(struct tsk_space *space)
{
    if (!space)
        return;
    free(space->live);
    free(space->deleted);
    free(space);
}

/* Marks the blocks that an extent touches; the bytes of them that were not marked before. */
static uint64_t mark_extent(struct tsk_space *space, const struct extent *extent, bool live)
{
    uint64_t begin = (uint64_t)space->filesystem->info->offset, first, last;

    if (extent->physical == EXTENT_HOLE || extent->physical < begin || extent->size == 0 ||
        space->blocks == 0)
        return 0;
    first = (extent->physical - begin) / space->size;
    last = (u64_add_saturating(extent->physical - begin, extent->size) - 1) / space->size;
    if (first >= space->blocks)
        return 0;
    if (last >= space->blocks)
        last = space->blocks - 1;
    return mark(live ? space->live : space->deleted, first, last - first + 1) * space->size;
}

static void take_attribute(struct tsk_space *space, const TSK_FS_ATTR *attribute, bool live)
{
    const TSK_FS_INFO *info = space->filesystem->info;
    uint64_t size = attribute->size > 0 ? (uint64_t)attribute->size : 0;
    uint64_t allocated = 0, fresh = 0, used;
    struct tsk_runs runs;
    struct extent extent;

    tsk_runs_init(&runs, info, attribute, UINT64_MAX);
    while (tsk_runs_next(&runs, &extent)) {
        fresh += mark_extent(space, &extent, live);
        if (extent.physical != EXTENT_HOLE)
            allocated = u64_add_saturating(allocated, extent.size);
    }
    /* Slack is told only where content lies as it is: without holes, and not compressed. */
    used = tsk_slack_begin(attribute);
    if (live && fresh > 0 && fresh == allocated && tsk_runs_plain(info, attribute) && used < allocated &&
        size <= allocated)
        space->slack += allocated - used;
}

void tsk_space_take(struct tsk_space *space, TSK_FS_FILE *file)
{
    int count;

    if (!file->meta || space->blocks == 0 || file->meta->type == TSK_FS_META_TYPE_VIRT_DIR)
        return;
    count = tsk_fs_file_attr_getsize(file);
    for (int i = 0; i < count; i++) {
        const TSK_FS_ATTR *attribute = tsk_fs_file_attr_get_idx(file, i);
        if (attribute && (attribute->flags & TSK_FS_ATTR_NONRES))
            take_attribute(space, attribute, (file->meta->flags & TSK_FS_META_FLAG_ALLOC) != 0);
    }
    tsk_error_reset();
}

void tsk_space_take_run(struct tsk_space *space, const struct found_run *run, bool live)
{
    (void)mark_extent(space, &(struct extent){0, run->size, run->offset}, live);
}

/* ------------------------------------------------------------------ at its end */

struct closing {
    struct tsk_task *task;
    struct tsk_space *space;
    const struct tsk_free *free_space;
    const char *volume, *place; /* place: "<image>/<volume>" */
    struct buf path, locator;
    struct found_run runs[FOUND_RUNS_MAX];
};

static int account(const struct closing *closing, enum account_kind kind, uint64_t bytes)
{
    return tsk_task_account(closing->task, closing->volume, kind, bytes);
}

/* A stream of this file system's space. */
static int emit(struct closing *closing, enum stream_kind kind, const char *name, uint64_t offset,
                uint64_t size, size_t run_count, bool cut)
{
    struct found_entry entry;

    tsk_entry_blank(&entry);
    buf_clear(&closing->path);
    buf_printf(&closing->path, "%s/%s@0x%" PRIx64, closing->place, name, offset);
    entry.volume = closing->volume;
    entry.path = buf_cstr(&closing->path);
    entry.name = strrchr(entry.path, '/') + 1;
    entry.name_size = strlen(entry.name);
    entry.size = size;
    entry.allocated_size = size;
    entry.locator = buf_cstr(&closing->locator);
    entry.kind = kind;
    entry.runs = closing->runs;
    entry.run_count = run_count;
    entry.runs_cut = cut;
    entry.disk = run_count > 0 ? closing->runs[0].offset : UINT64_MAX;
    if (buf_failed(&closing->path) || buf_failed(&closing->locator))
        return -ENOMEM;
    return closing->task->sink->entry(closing->task->sink->context, &entry);
}

/* The runs of [offset, offset + size) of the free space; `*at` is the extent that holds its begin, and moves
 * on. */
static size_t take_runs(struct closing *closing, uint64_t offset, uint64_t size, size_t *at, bool *ret_cut)
{
    size_t count, taken = 0;
    const struct extent *extents = tsk_free_extents(closing->free_space, &count);

    *ret_cut = false;
    for (uint64_t end = offset + size; *at < count && extents[*at].offset < end; (*at)++) {
        uint64_t from = extents[*at].offset > offset ? extents[*at].offset : offset;
        uint64_t to =
            extents[*at].offset + extents[*at].size < end ? extents[*at].offset + extents[*at].size : end;

        if (taken == FOUND_RUNS_MAX)
            *ret_cut = true;
        else
            closing->runs[taken++] =
                (struct found_run){extents[*at].physical + (from - extents[*at].offset), to - from};
        if (to == end && to < extents[*at].offset + extents[*at].size)
            break;
    }
    return taken;
}

static int emit_free(struct closing *closing)
{
    const struct tsk_filesystem *filesystem = closing->space->filesystem;
    struct locator locator = {.kind = LOCATOR_FREE, .offset = filesystem->offset, .block = filesystem->block};
    uint64_t total = tsk_free_size(closing->free_space);
    size_t at = 0;
    int code = 0;

    memcpy(locator.type, filesystem->type, sizeof locator.type);
    for (uint64_t offset = 0; offset < total && code == 0; offset += FREE_STEP) {
        bool cut;
        size_t count;

        locator.start = offset;
        locator.size = total - offset < FREE_STEP ? total - offset : FREE_STEP;
        buf_clear(&closing->locator);
        locator_print(&closing->locator, &locator);
        count = take_runs(closing, offset, locator.size, &at, &cut);
        code = emit(closing, STREAM_FREE, "free", offset, locator.size, count, cut);
    }
    return code;
}

/* The runs that were gathered, as one stream. */
static int emit_runs(struct closing *closing, enum stream_kind kind, const char *name, size_t count, uint64_t bytes)
{
    uint64_t begin = (uint64_t)closing->space->filesystem->info->offset;

    if (count == 0)
        return 0;
    buf_clear(&closing->locator);
    buf_text(&closing->locator, "runs@");
    for (size_t i = 0; i < count; i++)
        buf_printf(&closing->locator, "%s%" PRIu64 "+%" PRIu64, i > 0 ? "," : "", closing->runs[i].offset,
                   closing->runs[i].size);
    return emit(closing, kind, name, closing->runs[0].offset - begin, bytes, count, false);
}

/* Of a snapshot's free space only what the snapshot keeps: the rest is the volume's, whatever lies there now. */
static int emit_kept(struct closing *closing)
{
    size_t extents, count = 0;
    const struct extent *extent = tsk_free_extents(closing->free_space, &extents);
    uint64_t bytes = 0;
    int code = 0;

    for (size_t i = 0; i < extents && code == 0; i++) {
        uint64_t end = extent[i].physical + extent[i].size;
        for (uint64_t at = extent[i].physical, next; at < end && code == 0; at = next) {
            struct found_run *last = count > 0 ? &closing->runs[count - 1] : NULL;

            next = (at / KEPT_STEP + 1) * KEPT_STEP < end ? (at / KEPT_STEP + 1) * KEPT_STEP : end;
            if (image_through(closing->task->image, at, next - at))
                continue;
            if (last && last->offset + last->size == at && bytes < FREE_STEP) {
                last->size += next - at;
            } else {
                if (count == LOCATOR_RUNS_MAX || bytes >= FREE_STEP) {
                    code = emit_runs(closing, STREAM_FREE, "free", count, bytes);
                    count = 0;
                    bytes = 0;
                }
                closing->runs[count++] = (struct found_run){at, next - at};
            }
            bytes += next - at;
        }
    }
    return code == 0 ? emit_runs(closing, STREAM_FREE, "free", count, bytes) : code;
}

/* Goes through the blocks that are neither marked nor free, run by run. */
static int list_structures(struct closing *closing, const uint64_t *owned, uint64_t *ret_bytes)
{
    const struct tsk_space *space = closing->space;
    uint64_t begin = (uint64_t)space->filesystem->info->offset, bytes = 0;
    size_t count = 0;
    int code = 0;

    *ret_bytes = 0;
    for (uint64_t block = 0; block < space->blocks && code == 0; block++) {
        uint64_t physical = begin + block * space->size;

        if (owned[block / 64] == UINT64_MAX) {
            block |= 63;
            continue;
        }
        if (owned[block / 64] >> (block % 64) & 1)
            continue;
        *ret_bytes += space->size;
        if (image_through(closing->task->image, physical, space->size))
            continue; /* a snapshot's, and the volume's own */
        if (count > 0 && closing->runs[count - 1].offset + closing->runs[count - 1].size == physical) {
            closing->runs[count - 1].size += space->size;
        } else {
            if (count == LOCATOR_RUNS_MAX) {
                code = emit_runs(closing, STREAM_META, "structures", count, bytes);
                count = 0;
                bytes = 0;
            }
            closing->runs[count++] = (struct found_run){physical, space->size};
        }
        bytes += space->size;
    }
    return code == 0 ? emit_runs(closing, STREAM_META, "structures", count, bytes) : code;
}

/* Counts free space with and without a deleted owner, marks it as owned, and says when live files lie in it.
 */
static int count_free(struct closing *closing, uint64_t *ret_deleted, uint64_t *ret_free)
{
    struct tsk_space *space = closing->space;
    uint64_t begin = (uint64_t)space->filesystem->info->offset, conflict = 0;
    size_t count;
    const struct extent *extents = tsk_free_extents(closing->free_space, &count);

    *ret_deleted = *ret_free = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t first = (extents[i].physical - begin) / space->size, blocks = extents[i].size / space->size,
                 named;

        if (extents[i].physical < begin || first >= space->blocks)
            continue;
        blocks = blocks < space->blocks - first ? blocks : space->blocks - first;
        named = count_marked(space->deleted, first, blocks);
        *ret_deleted += named * space->size;
        *ret_free += (blocks - named) * space->size;
        conflict += (blocks - mark(space->live, first, blocks)) * space->size;
    }
    if (conflict == 0)
        return 0;
    return tsk_task_fault(
        closing->task,
        &(struct found_fault){.kind = FAULT_DAMAGED,
                              .volume = closing->volume,
                              .stage = "walk",
                              .offset = begin,
                              .size = conflict,
                              .effect = "these bytes are in a live file and in free space too",
                              .detail = "live files lie in blocks that the allocation map calls free"});
}

/* `live` holds live blocks; afterwards those of free space too. */
static int close_space(struct closing *closing)
{
    struct tsk_space *space = closing->space;
    uint64_t live, freed, deleted, structures;
    int code = count_free(closing, &deleted, &freed);

    if (code < 0)
        return code;
    live = count_marked(space->live, 0, space->blocks) * space->size - deleted - freed;
    if (space->slack > live)
        space->slack = live;
    code = list_structures(closing, space->live, &structures);
    if (code == 0)
        code = image_is_snapshot(closing->task->image) ? emit_kept(closing) : emit_free(closing);
    if (code == 0)
        code = account(closing, ACCOUNT_LIVE, live - space->slack);
    if (code == 0)
        code = account(closing, ACCOUNT_SLACK, space->slack);
    if (code == 0)
        code = account(closing, ACCOUNT_STRUCTURES, structures);
    if (code == 0)
        code = account(closing, ACCOUNT_DELETED, deleted);
    return code == 0 ? account(closing, ACCOUNT_FREE, freed) : code;
}

/* The volumes of an APFS container share its blocks: only free and not free is told. */
static int close_pool(struct closing *closing)
{
    const struct tsk_filesystem *filesystem = closing->space->filesystem;
    uint64_t size = u64_mul_saturating(filesystem->pool->num_blocks, filesystem->pool->block_size);
    uint64_t limit =
        closing->space->limit > filesystem->offset ? closing->space->limit - filesystem->offset : 0;
    uint64_t freed = tsk_free_size(closing->free_space);
    int code = emit_free(closing);

    size = size < limit ? size : limit;
    if (code == 0)
        code = account(closing, ACCOUNT_FREE, freed < size ? freed : size);
    return code == 0 ? account(closing, ACCOUNT_ALLOCATED, freed < size ? size - freed : 0) : code;
}

static int close_any(struct tsk_space *space, struct tsk_task *task, const char *volume,
                     int (*work)(struct closing *closing))
{
    struct closing *closing = calloc(1, sizeof *closing);
    struct buf place = {0};
    int code;

    if (!closing)
        return -ENOMEM;
    buf_printf(&place, "%s/%s", image_name(task->image), volume);
    *closing = (struct closing){.task = task, .space = space, .volume = volume, .place = buf_cstr(&place)};
    code = buf_failed(&place) ? -ENOMEM : tsk_free_of(space->filesystem, &closing->free_space);
    if (code == 0 && !tsk_free_is_whole(closing->free_space)) {
        char words[256];
        code = tsk_task_fault(task, &(struct found_fault){.kind = FAULT_DAMAGED,
                                                          .volume = volume,
                                                          .stage = "walk",
                                                          .offset = (uint64_t)space->filesystem->info->offset,
                                                          .effect = "free space is listed only in part",
                                                          .detail = tsk_words(words, sizeof words)});
    }
    if (code == 0)
        code = work(closing);
    buf_finish(&closing->path);
    buf_finish(&closing->locator);
    buf_finish(&place);
    free(closing);
    return code;
}

int tsk_space_close(struct tsk_space *space, struct tsk_task *task, const char *volume)
{
    return space->blocks > 0 ? close_any(space, task, volume, close_space) : 0;
}

int tsk_space_close_pool(struct tsk_filesystem *filesystem, struct tsk_task *task,
                         const struct tsk_slot *slot)
{
    struct tsk_space space = {.filesystem = filesystem, .limit = slot->offset + slot->present};

    return close_any(&space, task, slot->key, close_pool);
}
