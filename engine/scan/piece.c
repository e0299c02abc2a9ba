/*
 * piece: reads the pieces one after the other through the pass that they lie in, so that a carved object is
 * never copied, and a range of it that the medium does not give is known as one.
 */
#include "engine/scan/piece.h"

#include <errno.h>
#include <string.h>

int pieces_init(struct pieces *pieces, const struct pass *parent, const struct scan_piece *items,
                size_t count, uint64_t most)
{
    *pieces = (struct pieces){.parent = parent};
    if (count > SCAN_PIECES_MAX)
        return -EINVAL;
    for (size_t i = 0; i < count; i++) {
        struct scan_piece piece = items[i];

        if (!u64_range_fits(piece.offset, piece.size, pass_reach(parent)))
            return -EINVAL;
        piece.size = piece.size < most - pieces->size ? piece.size : most - pieces->size;
        if (piece.size > 0)
            pieces->items[pieces->count++] = piece;
        pieces->size += piece.size;
    }
    return 0;
}

void pieces_finish(struct pieces *pieces)
{
    ranges_finish(&pieces->bad);
    ranges_finish(&pieces->met);
}

/* The piece that holds `offset`; *ret_inside is the place in it. */
static const struct scan_piece *find(const struct pieces *pieces, uint64_t offset, uint64_t *ret_inside)
{
    for (size_t i = 0; i < pieces->count; i++) {
        if (offset < pieces->items[i].size) {
            *ret_inside = offset;
            return &pieces->items[i];
        }
        offset -= pieces->items[i].size;
    }
    return NULL;
}

/* What of the ranges met, in the parent's offsets, lies in [from, from + size), as ranges of this stream from
 * `offset` on. */
static int map_met(const struct pieces *pieces, uint64_t from, uint64_t size, uint64_t offset,
                   struct ranges *bad)
{
    int code = 0;

    for (size_t i = 0; i < pieces->met.count && code == 0; i++) {
        uint64_t begin = pieces->met.items[i].offset,
                 end = u64_add_saturating(begin, pieces->met.items[i].size);

        begin = begin < from ? from : begin;
        end = end > from + size ? from + size : end;
        if (begin < end)
            code = ranges_add(bad, offset + (begin - from), end - begin);
    }
    return code;
}

static int64_t pieces_read_at(void *context, uint64_t offset, void *data, size_t size, struct ranges *bad)
{
    struct pieces *pieces = context;
    size_t done = 0;

    while (done < size) {
        uint64_t inside;
        const struct scan_piece *piece = find(pieces, offset + done, &inside);
        size_t want;
        int64_t got;
        int code;

        if (piece == NULL)
            break;
        want = piece->size - inside < size - done ? (size_t)(piece->size - inside) : size - done;
        ranges_clear(&pieces->met);
        got = pass_read_at(pieces->parent, piece->offset + inside, (uint8_t *)data + done, want,
                           bad ? &pieces->met : NULL);
        if (got <= 0)
            return done > 0 ? (int64_t)done : got == 0 ? -EIO : got;
        code = bad ? map_met(pieces, piece->offset + inside, (uint64_t)got, offset + done, bad) : 0;
        if (code < 0)
            return code;
        done += (size_t)got;
    }
    return (int64_t)done;
}

static int64_t pieces_read(void *context, void *data, size_t size)
{
    struct pieces *pieces = context;
    int64_t got = pieces_read_at(pieces, pieces->position, data, size, &pieces->bad);

    if (got > 0)
        pieces->position += (uint64_t)got;
    return got;
}

static const struct ranges *pieces_bad(void *context)
{
    return &((struct pieces *)context)->bad;
}

static uint64_t pieces_physical(void *context, uint64_t offset, uint64_t *ret_size)
{
    const struct pieces *pieces = context;
    uint64_t inside, physical;
    const struct scan_piece *piece = find(pieces, offset, &inside);

    if (piece == NULL)
        return UINT64_MAX;
    physical = pass_physical(pieces->parent, piece->offset + inside, ret_size);
    if (physical != UINT64_MAX && *ret_size > piece->size - inside)
        *ret_size = piece->size - inside;
    return physical;
}

struct source pieces_source(struct pieces *pieces)
{
    return (struct source){.read = pieces_read,
                           .bad = pieces_bad,
                           .read_at = pieces_read_at,
                           .reach = pieces->size,
                           .physical = pieces_physical,
                           .context = pieces};
}

struct child_runs source_runs(const struct source *source, struct found_run *room)
{
    struct child_runs runs = {.items = room};
    uint64_t offset = 0;

    while (source->physical != NULL && offset < source->reach) {
        uint64_t size = 0, physical = source->physical(source->context, offset, &size);

        if (physical == UINT64_MAX || size == 0)
            return (struct child_runs){.items = room};
        size = size < source->reach - offset ? size : source->reach - offset;
        if (runs.count > 0 && room[runs.count - 1].offset + room[runs.count - 1].size == physical) {
            room[runs.count - 1].size += size;
        } else if (runs.count == FOUND_RUNS_MAX) {
            runs.cut = true;
            return runs;
        } else {
            room[runs.count++] = (struct found_run){physical, size};
        }
        offset += size;
    }
    return runs;
}
