/*
 * reassemble: the second piece is found before or behind the first, at blocks, and only what is whole in the
 * end counts. The format here is made up: "FRAG", the object's size, and bytes that tell their own place.
 */
#include "plugins/carve/reassemble.h"

#include <criterion/criterion.h>
#include <string.h>

enum { BLOCK = 4096, STREAM = 200 * BLOCK, OBJECT = 10 * BLOCK + 77, HEAD = 8 };

static uint8_t stream[STREAM];
static unsigned looks, examined;

static uint8_t byte_at(uint64_t i)
{
    return (uint8_t)(i * 31 + i / 256 * 7);
}

static enum carve_grade examine(struct reader *reader, struct carved *ret)
{
    uint32_t size;
    const uint8_t *p;

    examined++;
    if (!reader_is(reader, 0, "FRAG", 4) || !reader_le32(reader, 4, &size))
        return CARVE_NONE;
    for (uint64_t i = HEAD; i < size; i++) {
        p = reader_at(reader, i, 1);
        if (p == NULL || *p != byte_at(i)) {
            ret->broken = i + 1;
            carved_partial(ret, i, "not its byte");
            ret->good = i > BLOCK ? i - BLOCK : HEAD; /* it does not know quite so well */
            return ret->grade;
        }
    }
    return carved_whole(ret, CARVE_VALIDATED, size);
}

static bool continues(struct reader *reader, const struct carved *carved, uint64_t split)
{
    const uint8_t *p = reader_at(reader, split, 1);

    (void)carved;
    looks++;
    return p != NULL && *p == byte_at(split);
}

static const struct carve_format frag = {"frag", examine, continues};

static int64_t stream_read(void *context, uint64_t offset, void *data, size_t size)
{
    size_t left = offset < STREAM ? STREAM - (size_t)offset : 0;

    (void)context;
    size = size < left ? size : left;
    memcpy(data, stream + offset, size);
    return (int64_t)size;
}

/* The object's bytes [from, to) at a place of the stream. */
static void put(size_t at, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++)
        stream[at + (i - from)] = i < 4   ? (uint8_t) "FRAG"[i]
                                  : i < 8 ? (uint8_t)(OBJECT >> (8 * (i - 4)))
                                          : byte_at(i);
}

static bool seek(uint64_t start, uint64_t reach, uint64_t *effort, struct reassembly *ret)
{
    struct reader *reader = reader_new(stream_read, NULL);
    const struct reader_piece piece = {start, STREAM - start};
    struct carved broken = {.grade = CARVE_NONE};
    bool found;

    reader_aim(reader, &piece, 1, UINT64_C(1) << 30);
    cr_assert_eq(examine(reader, &broken), CARVE_PARTIAL);
    looks = examined = 0;
    found = reassemble(reader, &frag, &broken, start, reach, OBJECT, effort, ret);
    reader_free(reader);
    return found;
}

static void begin(void)
{
    uint32_t x = 99;

    for (size_t i = 0; i < STREAM; i++) {
        x = x * 1664525 + 1013904223;
        stream[i] = (uint8_t)(x >> 24);
    }
}

TestSuite(reassemble, .init = begin);

Test(reassemble, the_second_piece_lies_behind_a_gap)
{
    uint64_t effort = UINT64_C(1) << 30;
    struct reassembly whole;

    put(20 * BLOCK, 0, 4 * BLOCK);
    put(90 * BLOCK, 4 * BLOCK, OBJECT);
    cr_assert(seek(20 * BLOCK, STREAM, &effort, &whole));
    cr_assert_eq(whole.carved.size, OBJECT);
    cr_assert_eq(whole.pieces[0].offset, 20 * BLOCK);
    cr_assert_eq(whole.pieces[0].size, 4 * BLOCK);
    cr_assert_eq(whole.pieces[1].offset, 90 * BLOCK);
    cr_assert_eq(whole.pieces[1].size, OBJECT - 4 * BLOCK);
    cr_assert_lt(effort, UINT64_C(1) << 30, "what was read is taken off");
    cr_assert_lt(examined * 20, looks, "the quick look refuses most");
}

Test(reassemble, the_second_piece_lies_before_the_first)
{
    uint64_t effort = UINT64_C(1) << 30;
    struct reassembly whole;

    put(60 * BLOCK, 0, 7 * BLOCK);
    put(33 * BLOCK, 7 * BLOCK, OBJECT);
    cr_assert(seek(60 * BLOCK, STREAM, &effort, &whole));
    cr_assert_eq(whole.pieces[1].offset, 33 * BLOCK);
}

Test(reassemble, blocks_are_as_small_as_where_it_begins_says)
{
    uint64_t effort = UINT64_C(1) << 30;
    struct reassembly whole;

    put(20 * BLOCK + 512, 0, 3 * BLOCK + 1024);
    put(50 * BLOCK + 1536, 3 * BLOCK + 1024, OBJECT);
    cr_assert(seek(20 * BLOCK + 512, STREAM, &effort, &whole));
    cr_assert_eq(whole.pieces[0].size, 3 * BLOCK + 1024);
}

Test(reassemble, nothing_is_found_where_the_second_piece_is_not_whole)
{
    uint64_t effort = UINT64_C(1) << 30;
    struct reassembly whole;

    put(20 * BLOCK, 0, 4 * BLOCK);
    put(90 * BLOCK, 4 * BLOCK, OBJECT - 1);
    stream[90 * BLOCK + OBJECT - 1 - 4 * BLOCK] = (uint8_t)~byte_at(OBJECT - 1);
    cr_assert_not(seek(20 * BLOCK, STREAM, &effort, &whole));
}

Test(reassemble, it_does_not_go_beyond_the_reach_the_effort_or_what_is_aligned)
{
    uint64_t effort = UINT64_C(1) << 30, little = 20000;
    struct reassembly whole;

    put(20 * BLOCK, 0, 4 * BLOCK);
    put(90 * BLOCK, 4 * BLOCK, OBJECT);
    cr_assert_not(seek(20 * BLOCK, 90 * BLOCK, &effort, &whole));
    cr_assert_not(seek(20 * BLOCK, STREAM, &little, &whole));
    cr_assert_eq(little, 0);
    put(20 * BLOCK + 3, 0, 4 * BLOCK);
    cr_assert_not(seek(20 * BLOCK + 3, STREAM, &effort, &whole), "no file system begins a file there");
    cr_assert_eq(looks, 0);
}
