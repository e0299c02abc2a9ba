/*
 * tsk_runs: the run list of an attribute as extents of the image.
 *
 * The order is that of tsk_fs_attr_walk, which icat uses: run after run as the list has them, `skiplen` bytes
 * left out at the front. Sparse and filler runs are holes.
 */
#include "engine/base/bytes.h"
#include "engine/evidence/tsk/tsk_private.h"

enum { EMPTY_RUNS_MAX = 1 << 20 };

void tsk_runs_init(struct tsk_runs *runs, const TSK_FS_INFO *info, const TSK_FS_ATTR *attribute,
                   uint64_t limit)
{
    *runs = (struct tsk_runs){
        .info = info,
        .run = attribute->flags & TSK_FS_ATTR_NONRES ? attribute->nrd.run : NULL,
        .skip = attribute->nrd.skiplen,
        .limit = limit,
    };
}

static uint64_t physical(const struct tsk_runs *runs, uint64_t skipped)
{
    const TSK_FS_ATTR_RUN *run = runs->run;
    uint64_t at;

    if (run->flags & (TSK_FS_ATTR_RUN_FLAG_SPARSE | TSK_FS_ATTR_RUN_FLAG_FILLER))
        return EXTENT_HOLE;
    at = u64_mul_saturating(run->addr, runs->info->block_size);
    at = u64_add_saturating(u64_add_saturating(at, skipped), (uint64_t)runs->info->offset);
    return at > INT64_MAX ? INT64_MAX : at; /* no image reaches there; not to be mistaken for a hole */
}

bool tsk_runs_next(struct tsk_runs *runs, struct extent *ret_extent)
{
    while (runs->run && runs->position < runs->limit) {
        uint64_t size = u64_mul_saturating(runs->run->len, runs->info->block_size);
        uint64_t skipped = runs->skip < size ? runs->skip : size;
        uint64_t left = runs->limit - runs->position;

        runs->skip -= skipped;
        size -= skipped;
        if (size == 0 && ++runs->empty > EMPTY_RUNS_MAX)
            return false;
        if (size > 0) {
            *ret_extent = (struct extent){
                .offset = runs->position,
                .size = size < left ? size : left,
                .physical = physical(runs, skipped),
            };
            runs->position += ret_extent->size;
        }
        runs->run = runs->run->next;
        if (size > 0)
            return true;
    }
    return false;
}

uint64_t tsk_slack_begin(const TSK_FS_ATTR *attribute)
{
    uint64_t size = attribute->size > 0 ? (uint64_t)attribute->size : 0;
    uint64_t written = attribute->nrd.initsize > 0 ? (uint64_t)attribute->nrd.initsize : 0;

    return written < size ? written : size;
}

bool tsk_runs_plain(const TSK_FS_INFO *info, const TSK_FS_ATTR *attribute)
{
    return (attribute->flags & TSK_FS_ATTR_NONRES) && !(attribute->flags & TSK_FS_ATTR_COMP) &&
           !attribute->r && !attribute->w && !(info->flags & TSK_FS_INFO_FLAG_ENCRYPTED) &&
           info->block_pre_size == 0 && info->block_post_size == 0 && info->block_size > 0;
}
