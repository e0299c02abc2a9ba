/*
 * reader: a window over the pieces of one candidate. Sequential reading fills it in large steps; a look far
 * ahead or back fills it anew.
 */
#include "plugins/carve/reader.h"

#include "engine/base/bytes.h"

#include <stdlib.h>
#include <string.h>

enum {
    WINDOW = 256 * 1024,
    STEP_FIRST = 512, /* most candidates are judged by their beginning */
    CALL_COST = 16,   /* so that calls without progress end too */
};

struct reader {
    reader_read *read;
    void *context;
    struct reader_piece pieces[READER_PIECES_MAX];
    size_t piece_count;
    uint64_t size, budget;
    uint64_t window_at; /* offset in the object of window[0] */
    size_t filled, step;
    uint8_t window[WINDOW];
};

struct reader *reader_new(reader_read *read, void *context)
{
    struct reader *reader = calloc(1, sizeof *reader);

    if (reader != NULL) {
        reader->read = read;
        reader->context = context;
    }
    return reader;
}

void reader_free(struct reader *reader)
{
    free(reader);
}

void reader_aim(struct reader *reader, const struct reader_piece *pieces, size_t count, uint64_t budget)
{
    if (count > READER_PIECES_MAX)
        count = READER_PIECES_MAX;
    memcpy(reader->pieces, pieces, count * sizeof pieces[0]);
    reader->piece_count = count;
    reader->size = 0;
    for (size_t i = 0; i < count; i++)
        reader->size = u64_add_saturating(reader->size, pieces[i].size);
    reader->budget = budget;
    reader->window_at = 0;
    reader->filled = 0;
    reader->step = STEP_FIRST;
}

bool reader_is_trial(const struct reader *reader)
{
    return reader->piece_count > 1;
}

uint64_t reader_size(const struct reader *reader)
{
    return reader->size;
}

uint64_t reader_budget(const struct reader *reader)
{
    return reader->budget;
}

bool reader_spent(const struct reader *reader)
{
    return reader->budget == 0;
}

bool reader_spend(struct reader *reader, uint64_t cost)
{
    reader->budget = reader->budget > cost ? reader->budget - cost : 0;
    return reader->budget > 0;
}

/* Reads on from `offset` of the object, piece by piece; how much came. */
static size_t read_pieces(struct reader *reader, uint64_t offset, uint8_t *data, size_t size)
{
    uint64_t begin = 0;
    size_t done = 0;

    for (size_t i = 0; i < reader->piece_count && done < size; i++) {
        const struct reader_piece *piece = &reader->pieces[i];
        uint64_t at = offset + done;

        if (at >= begin && at - begin < piece->size) {
            uint64_t inside = at - begin, left = piece->size - inside;
            size_t want = left < size - done ? (size_t)left : size - done;
            int64_t got = reader->read(reader->context, piece->offset + inside, data + done, want);

            done += got > 0 ? (size_t)got : 0;
            if (got < (int64_t)want)
                break;
        }
        begin = u64_add_saturating(begin, piece->size);
    }
    return done;
}

/* Moves the window so that it holds [offset, offset + size), size at most READER_AT_MAX. */
static bool aim_window(struct reader *reader, uint64_t offset, size_t size)
{
    size_t keep = 0, want;

    if (offset >= reader->window_at && offset - reader->window_at < reader->filled) {
        keep = reader->filled - (size_t)(offset - reader->window_at);
        memmove(reader->window, reader->window + (offset - reader->window_at), keep);
    } else if (offset != reader->window_at + reader->filled) {
        reader->step = STEP_FIRST;
    }
    reader->window_at = offset;
    reader->filled = keep;
    want = keep + reader->step;
    want = want < size ? size : want;
    want = want > WINDOW ? WINDOW : want;
    want = reader->size - offset < want ? (size_t)(reader->size - offset) : want;
    if (want > keep) {
        if (!reader_spend(reader, want - keep))
            return false;
        reader->filled += read_pieces(reader, offset + keep, reader->window + keep, want - keep);
        reader->step = reader->step * 2 < WINDOW / 2 ? reader->step * 2 : WINDOW / 2;
    }
    return reader->filled >= size;
}

const uint8_t *reader_at(struct reader *reader, uint64_t offset, size_t size)
{
    if (size == 0 || size > READER_AT_MAX || !u64_range_fits(offset, size, reader->size) ||
        !reader_spend(reader, CALL_COST))
        return NULL;
    if ((offset < reader->window_at || offset + size > reader->window_at + reader->filled) &&
        !aim_window(reader, offset, size))
        return NULL;
    return reader->window + (offset - reader->window_at);
}

size_t reader_span(struct reader *reader, uint64_t offset, const uint8_t **ret_data)
{
    const uint8_t *data = reader_at(reader, offset, 1);

    if (data == NULL)
        return 0;
    *ret_data = data;
    return reader->filled - (size_t)(offset - reader->window_at);
}

bool reader_u8(struct reader *reader, uint64_t offset, uint8_t *ret)
{
    const uint8_t *p = reader_at(reader, offset, 1);

    if (p != NULL)
        *ret = p[0];
    return p != NULL;
}

/* `count` bytes as a number, the first of them the most significant. */
static bool number_be(struct reader *reader, uint64_t offset, size_t count, uint64_t *ret)
{
    const uint8_t *p = reader_at(reader, offset, count);

    *ret = 0;
    for (size_t i = 0; p != NULL && i < count; i++)
        *ret = *ret << 8 | p[i];
    return p != NULL;
}

static bool number_le(struct reader *reader, uint64_t offset, size_t count, uint64_t *ret)
{
    const uint8_t *p = reader_at(reader, offset, count);

    *ret = 0;
    for (size_t i = count; p != NULL && i > 0; i--)
        *ret = *ret << 8 | p[i - 1];
    return p != NULL;
}

/* reader_le16 and its kin: the number when all of it is there. */
#define NUMBER(order, bits)                                                                                  \
    bool reader_##order##bits(struct reader *reader, uint64_t offset, uint##bits##_t *ret)                   \
    {                                                                                                        \
        uint64_t n;                                                                                          \
                                                                                                             \
        if (!number_##order(reader, offset, bits / 8, &n))                                                   \
            return false;                                                                                    \
        *ret = (uint##bits##_t)n;                                                                            \
        return true;                                                                                         \
    }
NUMBER(le, 16)
NUMBER(le, 32)
NUMBER(le, 64)
NUMBER(be, 16)
NUMBER(be, 32)
NUMBER(be, 64)

bool reader_is(struct reader *reader, uint64_t offset, const void *bytes, size_t size)
{
    const uint8_t *p = reader_at(reader, offset, size);

    return p != NULL && memcmp(p, bytes, size) == 0;
}

uint64_t reader_find(struct reader *reader, uint64_t offset, uint64_t limit, const void *bytes, size_t size)
{
    if (size == 0 || size > 64)
        return UINT64_MAX;
    while (offset < limit && u64_range_fits(offset, size, reader->size)) {
        const uint8_t *data, *found;
        size_t span;

        if (reader_at(reader, offset, size) == NULL)
            return UINT64_MAX;
        span = reader_span(reader, offset, &data);
        found = memmem(data, span, bytes, size);
        if (found != NULL)
            return offset + (uint64_t)(found - data) < limit ? offset + (uint64_t)(found - data) : UINT64_MAX;
        offset += span - size + 1;
    }
    return UINT64_MAX;
}

bool reader_is_all(struct reader *reader, uint64_t offset, uint64_t size, uint8_t byte)
{
    if (!u64_range_fits(offset, size, reader->size))
        return false;
    while (size > 0) {
        const uint8_t *data;
        size_t span = reader_span(reader, offset, &data);

        if (span == 0)
            return false;
        span = span < size ? span : (size_t)size;
        if (data[0] != byte || memcmp(data, data + 1, span - 1) != 0)
            return false;
        offset += span;
        size -= span;
    }
    return true;
}
