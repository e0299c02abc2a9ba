/*
 * jpeg_after: what cameras put behind the EOI of a JPEG picture, and say so: the further pictures of a
 * multi-picture file [CIPA DC-007], and the blocks of Samsung's phones.
 */
#include "plugins/carve/formats/jpeg.h"
#include "plugins/carve/formats/tiffdir.h"

#include "engine/base/bytes.h"

enum {
    GAP_MAX = 1024 * 1024, /* bytes between the pictures of one file */
    BLOCKS_AFTER_MAX = 64 * 1024 * 1024,
};

/* A further picture at `at`: its end, or 0 when there is no whole one of this size. */
static uint64_t further(struct reader *reader, uint64_t at, uint64_t size)
{
    struct carved carved = {.grade = CARVE_NONE};

    jpeg_check(reader, at, 0, 0, &carved);
    return carved.grade >= CARVE_COMPLETE && carved.size - at <= size &&
                   u64_range_fits(at, size, reader_size(reader))
               ? at + size
               : 0;
}

/* The entries of the multi-picture index are 16 bytes: attributes, size, offset from the index's byte order
 * mark, and links; the first is the main picture. */
static void take_further(struct reader *reader, uint64_t index, uint64_t index_size, struct carved *ret)
{
    struct tiffdir dir;
    struct tiffdir_entry entry, word = {.type = 4, .count = 1, .size = 4};

    if (index == 0 || !tiffdir_open(&dir, reader, index, index_size) ||
        !tiffdir_find(&dir, dir.first, 0xb002, &entry))
        return;
    for (uint64_t i = 1; i < entry.size / 16 && i <= CARVED_PARTS_MAX; i++) {
        uint64_t size, at, end;

        word.at = entry.at + 16 * i + 4;
        if (!tiffdir_number(&dir, &word, 0, &size))
            return;
        word.at += 4;
        if (!tiffdir_number(&dir, &word, 0, &at) || at == 0)
            return;
        at += index;
        end = at >= ret->size && at - ret->size <= GAP_MAX ? further(reader, at, size) : 0;
        if (end == 0) {
            ret->grade = CARVE_COMPLETE; /* the main picture is; what else there was is not */
            return;
        }
        carved_part(ret, at, size, "jpg");
        ret->size = ret->good = end;
    }
}

/* Samsung's phones put blocks of data behind the picture: each two zeros, a type, the length of a name, the
 * name, the data; then "SEFH", a version, the number of blocks, for each two zeros, its type, its distance
 * back from "SEFH" and its size; then the length of all this and "SEFT". The first block begins at the
 * picture's end. */
static void take_samsung(struct reader *reader, struct carved *ret)
{
    uint64_t eoi = ret->size, head, first = 0, end;
    const uint8_t *p = reader_at(reader, eoi, 8);
    uint32_t count, length, back;

    if (p == NULL || p[0] != 0 || p[1] != 0 || p[3] > 0x0f || p[4] == 0 || p[5] != 0 || p[6] != 0 ||
        p[7] != 0)
        return;
    head = reader_find(reader, eoi, eoi + BLOCKS_AFTER_MAX, "SEFH", 4);
    if (head == UINT64_MAX || !reader_le32(reader, head + 8, &count) || count == 0 || count > 256)
        return;
    end = head + 12 + 12 * (uint64_t)count;
    for (uint32_t i = 0; i < count; i++) {
        if (!reader_le32(reader, head + 12 + 12 * i + 4, &back))
            return;
        first = back > first ? back : first;
    }
    if (first == head - eoi && reader_le32(reader, end, &length) && length == end - head &&
        reader_is(reader, end + 4, "SEFT", 4))
        ret->size = ret->good = end + 8;
}

void jpeg_after(struct reader *reader, uint64_t index, uint64_t index_size, struct carved *ret)
{
    if (index > 0)
        take_further(reader, index, index_size, ret);
    if (ret->grade == CARVE_VALIDATED)
        take_samsung(reader, ret);
}
