/*
 * reassemble: every place for the second piece, nearest first, and for each every block at which the first
 * may end. The format's own quick look refuses nearly all of them; the examiner judges the others from the
 * object's first byte.
 */
#include "plugins/carve/reassemble.h"

#include "engine/base/bytes.h"

enum {
    BLOCK_MAX = 4096,
    BLOCK_MIN = 512,
    FORWARD = 2048, /* blocks between the pieces */
    BACK = 512,     /* blocks before the first piece in which the second may begin */
    SPLITS = 1024,  /* blocks at which the first may end */
};

struct trying {
    struct reader *reader;
    const struct carve_format *format;
    const struct carved *broken;
    uint64_t start, reach, max, block;
    uint64_t *effort;
    struct reassembly *ret;
};

/* The first piece is `split` bytes long; the second begins at `at` of the stream. */
static bool try_at(struct trying *t, uint64_t split, uint64_t at)
{
    uint64_t end = at < t->start ? t->start : t->reach; /* not into its own first piece */
    uint64_t rest = end - at < t->max - split ? end - at : t->max - split;
    const struct reader_piece pieces[] = {{t->start, split}, {at, rest}};
    struct carved carved = {.grade = CARVE_NONE};
    bool whole;

    reader_aim(t->reader, pieces, REASSEMBLE_PIECES, *t->effort);
    whole = t->format->continues(t->reader, t->broken, split) &&
            t->format->examine(t->reader, &carved) == CARVE_VALIDATED && carved.size > split;
    *t->effort = reader_budget(t->reader);
    if (!whole)
        return false;
    t->ret->carved = carved;
    t->ret->pieces[0] = pieces[0];
    t->ret->pieces[1] = (struct reader_piece){at, carved.size - split};
    return true;
}

/* All blocks at which the first piece may end, from the last that may be whole on backwards. */
static bool try_splits(struct trying *t, uint64_t at)
{
    uint64_t last = (t->start + t->broken->broken) / t->block,
             first = (t->start + t->broken->good) / t->block;

    if (first * t->block < t->start + t->broken->good)
        first++;
    for (uint64_t n = last, tried = 0; n >= first && n * t->block > t->start && tried < SPLITS;
         n--, tried++) {
        uint64_t split = n * t->block - t->start;

        if (split >= t->max || *t->effort == 0)
            continue;
        /* Behind the first piece without a gap it went on already, and was broken. */
        if (at != n * t->block && (at < t->start || at > n * t->block) && try_at(t, split, at))
            return true;
    }
    return false;
}

bool reassemble(struct reader *reader, const struct carve_format *format, const struct carved *broken,
                uint64_t start, uint64_t reach, uint64_t max, uint64_t *effort, struct reassembly *ret)
{
    struct trying t = {reader, format, broken, start, reach, max, BLOCK_MAX, effort, ret};
    uint64_t from;

    if (format->continues == NULL || broken->broken == 0 || broken->broken < broken->good ||
        start % BLOCK_MIN != 0)
        return false;
    while (start % t.block != 0)
        t.block /= 2;
    from = (start + broken->good) / t.block;
    for (uint64_t n = 1; n <= FORWARD + BACK && *effort > 0; n++) {
        bool back = n > FORWARD;
        uint64_t blocks = back ? n - FORWARD : n;
        uint64_t at = back ? start - blocks * t.block : (from + blocks) * t.block;

        if (back ? blocks * t.block > start : at >= reach)
            continue;
        if (try_splits(&t, at))
            return true;
    }
    return false;
}
