/* front: see front.h. */
#include "engine/hashset/front.h"

#include "engine/hashset/format.h"
#include "engine/hashset/scratch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 256 << 10, SLOT = 4 };

/* A file that is written front to back, and read so afterwards. */
struct side {
    int fd, error;
    uint8_t *piece;
    size_t used;
    uint64_t size;
};

struct front {
    struct side index, filter;
    uint64_t count, slot, blocks, block;
    uint32_t bits, fold; /* of the index as it was made; by how many bits it is made smaller */
    uint64_t blocks_left;
    uint8_t now[HASHSET_BLOCK]; /* the filter's block number `block` */
};

static int side_init(struct side *side, const char *folder)
{
    side->fd = unlinked_file(folder);
    if (side->fd < 0)
        return side->fd;
    side->piece = malloc(PIECE);
    return side->piece != NULL ? 0 : -ENOMEM;
}

static void side_finish(struct side *side)
{
    if (side->fd >= 0)
        close(side->fd);
    free(side->piece);
}

static void side_flush(struct side *side)
{
    if (side->error == 0)
        side->error = write_all(side->fd, side->piece, side->used, side->size);
    side->size += side->used;
    side->used = 0;
}

/* `size` divides PIECE. */
static uint8_t *side_room(struct side *side, size_t size)
{
    if (side->used == PIECE)
        side_flush(side);
    side->used += size;
    return side->piece + side->used - size;
}

static void put_slot(struct side *side, uint32_t value)
{
    uint8_t *at = side_room(side, SLOT);

    at[0] = (uint8_t)value;
    at[1] = (uint8_t)(value >> 8);
    at[2] = (uint8_t)(value >> 16);
    at[3] = (uint8_t)(value >> 24);
}

/* A number of blocks that can be halved a few times, where that costs a sixteenth at most. */
static uint64_t blocks_for(uint64_t most)
{
    uint64_t blocks = layout_filter_blocks(most), unit = 1;

    while (unit < 64 && unit * 32 <= blocks)
        unit *= 2;
    return (blocks + unit - 1) / unit * unit;
}

int front_new(uint64_t most, const char *folder, struct front **ret_front)
{
    struct front *front = calloc(1, sizeof *front);
    int rc;

    if (front == NULL)
        return -ENOMEM;
    front->index.fd = front->filter.fd = -1;
    front->bits = layout_index_bits(most);
    front->blocks = blocks_for(most);
    rc = side_init(&front->index, folder);
    if (rc == 0)
        rc = side_init(&front->filter, folder);
    if (rc < 0)
        front_free(front);
    else
        *ret_front = front;
    return rc;
}

void front_free(struct front *front)
{
    if (front == NULL)
        return;
    side_finish(&front->index);
    side_finish(&front->filter);
    free(front);
}

static void next_block(struct front *front)
{
    memcpy(side_room(&front->filter, HASHSET_BLOCK), front->now, HASHSET_BLOCK);
    memset(front->now, 0, HASHSET_BLOCK);
    front->block++;
}

/* A slot has the number of the first entry that belongs to it or to a later one. */
static void take(struct front *front, const uint8_t *key)
{
    uint64_t prefix = key_prefix(key), second = key_prefix(key + 8), slot = key_slot(prefix, front->bits),
             block = key_block(prefix, front->blocks);

    for (; front->slot <= slot; front->slot++)
        put_slot(&front->index, (uint32_t)front->count);
    while (front->block < block)
        next_block(front);
    for (uint32_t i = 0; i < FILTER_HASHES; i++)
        front->now[key_bit(second, i) >> 3] |= (uint8_t)(1U << (key_bit(second, i) & 7));
    front->count++;
}

void front_take(struct front *front, const uint8_t *entries, size_t count, size_t step)
{
    for (size_t i = 0; i < count; i++)
        take(front, entries + i * step);
}

int front_end(struct front *front, uint32_t *ret_index_bits)
{
    for (; front->slot <= UINT64_C(1) << front->bits; front->slot++)
        put_slot(&front->index, (uint32_t)front->count);
    while (front->block < front->blocks)
        next_block(front);
    side_flush(&front->index);
    side_flush(&front->filter);
    front->fold = front->bits - layout_index_bits(front->count);
    front->blocks_left = front->blocks;
    while (front->blocks_left % 2 == 0 && front->blocks_left / 2 >= layout_filter_blocks(front->count))
        front->blocks_left /= 2;
    *ret_index_bits = front->bits - front->fold;
    return front->index.error < 0 ? front->index.error : front->filter.error;
}

int front_index(struct front *front, void (*put)(void *context, const void *data, size_t size), void *context)
{
    struct side *side = &front->index;
    uint64_t every = SLOT * (UINT64_C(1) << front->fold), next = 0;

    for (uint64_t offset = 0; offset < side->size; offset += PIECE) {
        size_t some = side->size - offset < PIECE ? (size_t)(side->size - offset) : PIECE;
        int rc = read_all(side->fd, side->piece, some, offset);

        if (rc < 0)
            return rc;
        if (front->fold == 0)
            put(context, side->piece, some);
        for (; front->fold > 0 && next < offset + some; next += every)
            put(context, side->piece + (next - offset), SLOT);
    }
    return 0;
}

/* A block of a filter with half as many is two neighbours laid over each other. */
int front_filter(struct front *front, void (*put)(void *context, const void *data, size_t size),
                 void *context)
{
    struct side *side = &front->filter;
    uint64_t group = front->blocks / front->blocks_left, held = 0;
    uint8_t sum[HASHSET_BLOCK] = {0};

    for (uint64_t offset = 0; offset < side->size; offset += PIECE) {
        size_t some = side->size - offset < PIECE ? (size_t)(side->size - offset) : PIECE;
        int rc = read_all(side->fd, side->piece, some, offset);

        if (rc < 0)
            return rc;
        if (group == 1)
            put(context, side->piece, some);
        for (size_t at = 0; group > 1 && at < some; at += HASHSET_BLOCK) {
            for (size_t i = 0; i < HASHSET_BLOCK; i++)
                sum[i] |= side->piece[at + i];
            if (++held < group)
                continue;
            put(context, sum, sizeof sum);
            memset(sum, 0, sizeof sum);
            held = 0;
        }
    }
    return 0;
}
