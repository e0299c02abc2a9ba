/*
 * tsk_free: the unallocated blocks of a file system as one run of bytes, in the order of their addresses. Its
 * places are what the locators of free space name (locator.h), so the list is made the same way each time: by
 * the block walk of libtsk, which reads the allocation maps and no content.
 */
#include "engine/base/bytes.h"
#include "engine/evidence/tsk/tsk_private.h"

#include <errno.h>
#include <stdlib.h>

struct tsk_free {
    struct extent *items;
    size_t count, room;
    uint64_t size;
    bool whole; /* the walk came to its end */
};

struct making {
    struct tsk_free *free_space;
    const TSK_FS_INFO *info;
    uint64_t limit; /* bytes that the image has */
    int code;
};

static int add(struct tsk_free *free_space, uint64_t physical, uint64_t size)
{
    struct extent *last = free_space->count > 0 ? &free_space->items[free_space->count - 1] : NULL;

    if (last && last->physical + last->size == physical) {
        last->size += size;
    } else {
        if (free_space->count == free_space->room) {
            size_t room = free_space->room ? free_space->room * 2 : 64;
            struct extent *items = realloc(free_space->items, room * sizeof *items);
            if (!items)
                return -ENOMEM;
            free_space->items = items;
            free_space->room = room;
        }
        free_space->items[free_space->count++] = (struct extent){free_space->size, size, physical};
    }
    free_space->size += size;
    return 0;
}

static TSK_WALK_RET_ENUM on_block(const TSK_FS_BLOCK *block, void *context)
{
    struct making *making = context;
    uint64_t size = making->info->block_size;
    uint64_t physical =
        u64_add_saturating((uint64_t)making->info->offset, u64_mul_saturating(block->addr, size));

    if (physical >= making->limit)
        return TSK_WALK_STOP;
    if (size > making->limit - physical)
        size = making->limit - physical;
    making->code = add(making->free_space, physical, size);
    return making->code < 0 ? TSK_WALK_STOP : TSK_WALK_CONT;
}

static void on_read(void *context, uint64_t what)
{
    (void)what;
    image_alive(context);
}

/* Reading the allocation maps is a sign of life, also where a stream is being opened and no expand task done.
 * False: they could not be read to the end. */
static bool walk(struct tsk_filesystem *filesystem, struct making *making)
{
    TSK_FS_INFO *info = filesystem->info;
    struct tsk_medium *medium = filesystem->medium;
    const struct found_sink reading = {.at = on_read, .context = medium->image}, *sink = medium->sink;
    bool whole;

    if (!sink)
        medium->sink = &reading;
    tsk_error_reset();
    whole = tsk_fs_block_walk(info, info->first_block, info->last_block_act,
                              TSK_FS_BLOCK_WALK_FLAG_UNALLOC | TSK_FS_BLOCK_WALK_FLAG_AONLY, on_block,
                              making) == 0;
    medium->sink = sink;
    return whole;
}

int tsk_free_of(struct tsk_filesystem *filesystem, const struct tsk_free **ret_free)
{
    struct making making = {.info = filesystem->info, .limit = (uint64_t)filesystem->medium->base.size};

    if (!filesystem->free_space) {
        making.free_space = calloc(1, sizeof *making.free_space);
        if (!making.free_space)
            return -ENOMEM;
        making.free_space->whole = walk(filesystem, &making);
        if (making.code < 0) {
            tsk_free_drop(making.free_space);
            return making.code;
        }
        filesystem->free_space = making.free_space;
    }
    *ret_free = filesystem->free_space;
    return 0;
}

int tsk_free_open(struct image *image, const struct locator *locator, struct tsk_filesystem **ret_filesystem,
                  const struct extent **ret_extents, size_t *ret_count, struct why *why)
{
    struct tsk_filesystem *filesystem;
    const struct tsk_free *free_space;
    int code = tsk_filesystem_acquire(image, locator, &filesystem, why);

    if (code < 0)
        return code;
    code = tsk_free_of(filesystem, &free_space);
    if (code < 0) {
        tsk_filesystem_release(filesystem);
        return why_set(why, code, "no memory for the list of free space");
    }
    *ret_filesystem = filesystem;
    *ret_extents = tsk_free_extents(free_space, ret_count);
    return 0;
}

void tsk_free_close(struct tsk_filesystem *filesystem)
{
    tsk_filesystem_release(filesystem);
}

void tsk_free_drop(struct tsk_free *free_space)
{
    if (!free_space)
        return;
    free(free_space->items);
    free(free_space);
}

uint64_t tsk_free_size(const struct tsk_free *free_space)
{
    return free_space->size;
}

bool tsk_free_is_whole(const struct tsk_free *free_space)
{
    return free_space->whole;
}

const struct extent *tsk_free_extents(const struct tsk_free *free_space, size_t *ret_count)
{
    *ret_count = free_space->count;
    return free_space->items;
}
