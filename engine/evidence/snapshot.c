/*
 * snapshot: holds a content of a snapshot against the same one of the volume.
 */
#include "engine/evidence/snapshot.h"

#include "engine/base/bytes.h"
#include "engine/evidence/image_layer.h"
#include "engine/evidence/locator.h"
#include "engine/evidence/stream.h"

#include <errno.h>
#include <string.h>

/* More than this is not read only to compare it. */
#define COMPARED_MAX (UINT64_C(64) << 20)

struct pair {
    struct image *snapshot;
    struct stream *then, *now;
    uint64_t offset; /* of the volume in the image around */
    uint64_t compared;
};

static bool compare(struct pair *pair, uint64_t offset, uint64_t size)
{
    uint8_t then[4096], now[4096];
    struct ranges bad = {0};
    bool same = size <= COMPARED_MAX - pair->compared;

    pair->compared += same ? size : 0;
    while (same && size > 0) {
        size_t piece = size < sizeof then ? (size_t)size : sizeof then;

        same = stream_read_at(pair->then, offset, then, piece, &bad) == (int64_t)piece &&
               stream_read_at(pair->now, offset, now, piece, &bad) == (int64_t)piece &&
               memcmp(then, now, piece) == 0;
        offset += piece;
        size -= piece;
    }
    same = same && bad.count == 0;
    ranges_finish(&bad);
    return same;
}

/* The next piece: both lie in one place of which the snapshot keeps nothing, or they are compared: it keeps
 * blocks of 16 KiB, and one that changed has others' bytes in it. 0: they differ. */
static uint64_t same_piece(struct pair *pair, uint64_t offset, uint64_t size)
{
    uint64_t then_size = 0, now_size = 0;
    uint64_t then = stream_physical(pair->then, offset, &then_size);
    uint64_t now = stream_physical(pair->now, offset, &now_size), piece = size;

    if (then_size > 0 && then_size < piece)
        piece = then_size;
    if (now_size > 0 && now_size < piece)
        piece = now_size;
    if (then != UINT64_MAX && u64_add_saturating(then, pair->offset) == now &&
        image_through(pair->snapshot, then, piece))
        return piece;
    return (then == UINT64_MAX) == (now == UINT64_MAX) && compare(pair, offset, piece) ? piece : 0;
}

static bool same_bytes(struct pair *pair)
{
    uint64_t size = stream_size(pair->then), offset = 0, piece = 1;

    if (size != stream_size(pair->now))
        return false;
    for (; offset < size && piece > 0; offset += piece)
        piece = same_piece(pair, offset, size - offset);
    return piece > 0;
}

/* What lies behind the content's end is examined with it. */
static bool same_slack(struct pair *pair)
{
    struct pair slack = {.snapshot = pair->snapshot, .offset = pair->offset};
    bool same = stream_slack(pair->then, &slack.then) == 0 && stream_slack(pair->now, &slack.now) == 0 &&
                (slack.then == NULL) == (slack.now == NULL);

    if (same && slack.then)
        same = same_bytes(&slack);
    stream_close(slack.then);
    stream_close(slack.now);
    return same;
}

int snapshot_link(struct image *image, const struct found_entry *entry, struct buf *ret_locator)
{
    struct image *around;
    struct pair pair = {.snapshot = image};
    struct locator locator;
    struct why why;
    bool same = false;

    if (!entry->locator[0] ||
        (entry->flags & (ENTRY_NAME_DELETED | ENTRY_CONTENT_DELETED | ENTRY_NO_METADATA)) ||
        locator_parse(entry->locator, &locator) < 0 || locator.kind != LOCATOR_FS_CONTENT ||
        !image_around(image, &around, &pair.offset))
        return 0;
    locator.offset = u64_add_saturating(locator.offset, pair.offset);
    buf_clear(ret_locator);
    locator_print(ret_locator, &locator);
    if (buf_failed(ret_locator))
        return -ENOMEM;
    if (stream_open(image, entry->locator, &pair.then, &why) == 0 &&
        stream_open(around, buf_cstr(ret_locator), &pair.now, &why) == 0)
        same =
            stream_is_live(pair.then) && stream_is_live(pair.now) && same_bytes(&pair) && same_slack(&pair);
    stream_close(pair.then);
    stream_close(pair.now);
    return same;
}
