/*
 * tar: tape archives with the mark "ustar": POSIX (ustar, pax) and GNU [POSIX.1-2017, pax; GNU tar manual,
 * Basic Tar Format]. Header after header, each with its checksum, to two blocks of zeros.
 *
 * The end: archives are written in records of 20 blocks by GNU tar, bsdtar and Python, zeros behind the two
 * blocks fill the last one up. So when only zeros follow up to the end of the record, they belong to it; when
 * something else does, it ends behind the two blocks (as Go and BusyBox write it). Those, with zeros of
 * somebody else behind them, come out up to 9 KiB longer than they were.
 *
 * Complete at best: headers have checksums, data has none, and a part of an archive that begins with a header
 * is an archive. Of those whose headers all agreed, one in four was no true file in measurement.
 */
#include "plugins/carve/format.h"

#include "engine/base/bytes.h"

#include <string.h>

enum {
    BLOCK = 512,
    RECORD = 20 * BLOCK,
    PAX_MAX = 32 * 1024,
    AT_SIZE = 124,
    AT_CHECKSUM = 148,
    AT_TYPE = 156,
    AT_MAGIC = 257,
    AT_EXTENDED = 482,       /* GNU's sparse files: more of their map follows */
    AT_EXTENDED_AGAIN = 504, /* the same in the blocks that do */
};

struct header {
    uint64_t size;
    char type;
    bool extended;
};

/* Octal digits, or base 256 when the first byte's upper bit is set; false: neither. */
static bool number(const uint8_t *p, size_t width, uint64_t *ret)
{
    uint64_t n = 0;
    size_t i = 0;

    if (p[0] == 0x80) {
        for (i = 1; i < width; i++) {
            if (n >> 56 != 0)
                return false;
            n = n << 8 | p[i];
        }
        *ret = n;
        return true;
    }
    while (i < width && p[i] == ' ')
        i++;
    for (; i < width && p[i] >= '0' && p[i] <= '7'; i++)
        n = n << 3 | (uint64_t)(p[i] - '0');
    *ret = n;
    return i == width || p[i] == 0 || p[i] == ' ';
}

/* The sum of all bytes, the checksum's own taken as spaces; old ones added them as signed. */
static bool checksum_is_right(const uint8_t *p)
{
    uint64_t stored, sum = 0;
    int64_t with_sign = 0;

    for (size_t i = 0; i < BLOCK; i++) {
        uint8_t c = i >= AT_CHECKSUM && i < AT_CHECKSUM + 8 ? ' ' : p[i];

        sum += c;
        with_sign += (int8_t)c;
    }
    return number(p + AT_CHECKSUM, 8, &stored) && (stored == sum || (int64_t)stored == with_sign);
}

static bool read_header(struct reader *reader, uint64_t at, struct header *ret)
{
    const uint8_t *p = reader_at(reader, at, BLOCK);

    if (p == NULL || memcmp(p + AT_MAGIC, "ustar", 5) != 0 || !number(p + AT_SIZE, 12, &ret->size) ||
        !checksum_is_right(p))
        return false;
    ret->type = (char)p[AT_TYPE];
    ret->extended = ret->type == 'S' && p[AT_EXTENDED] != 0;
    return true;
}

/* The size that a pax header at `at` gives to the next file, or `otherwise`. */
static uint64_t pax_size(struct reader *reader, uint64_t at, uint64_t size, uint64_t otherwise)
{
    const uint8_t *p = size > 0 && size <= PAX_MAX ? reader_at(reader, at, (size_t)size) : NULL, *found;
    const uint8_t *end = p + size;
    uint64_t n = 0;

    found = p != NULL ? memmem(p, (size_t)size, " size=", 6) : NULL;
    if (found == NULL)
        return otherwise;
    for (found += 6; found < end && *found >= '0' && *found <= '9' && n < UINT64_MAX / 16; found++)
        n = n * 10 + (uint64_t)(*found - '0');
    return n;
}

/* Hard links, symbolic links, devices, folders and pipes have no data, whatever size they name, unless a
 * header stands where the data would end and none where it would begin. */
static bool has_data(struct reader *reader, const struct header *header, uint64_t data)
{
    struct header next;

    if (header->type < '1' || header->type > '6')
        return true;
    return header->type == '1' && !read_header(reader, data, &next) && !reader_is_all(reader, data, BLOCK, 0);
}

/* Behind the end mark at `at`. */
static enum carve_grade finish(struct reader *reader, uint64_t at, struct carved *ret)
{
    uint64_t end = at + 2 * BLOCK, left = (RECORD - end % RECORD) % RECORD;

    return carved_whole(ret, CARVE_COMPLETE,
                        left > 0 && reader_is_all(reader, end, left, 0) ? end + left : end);
}

static enum carve_grade examine_tar(struct reader *reader, struct carved *ret)
{
    uint64_t at = 0, good = 0, override = UINT64_MAX, count = 0;
    struct header header;

    while (read_header(reader, at, &header)) {
        uint64_t data = at + BLOCK;
        uint8_t more = header.extended ? 1 : 0;

        for (; more != 0; data += BLOCK) {
            if (!reader_u8(reader, data + AT_EXTENDED_AGAIN, &more))
                return carved_partial(ret, at, "the map of a sparse file: the data ends here");
        }
        good = data;
        if (header.type == 'x')
            override = pax_size(reader, data, header.size, UINT64_MAX);
        else if (header.type != 'L' && header.type != 'K' && override != UINT64_MAX) {
            header.size = override;
            override = UINT64_MAX;
        }
        if (header.size > UINT64_MAX / 2)
            break;
        at = data + (has_data(reader, &header, data) ? (header.size + BLOCK - 1) / BLOCK * BLOCK : 0);
        count++;
    }
    if (count == 0)
        return CARVE_NONE;
    if (reader_is_all(reader, at, 2 * (uint64_t)BLOCK, 0))
        return finish(reader, at, ret);
    return carved_partial(ret, good < reader_size(reader) ? good : reader_size(reader),
                          "no header and no end follows the data of its member %llu at byte %llu",
                          (unsigned long long)count, (unsigned long long)at);
}

static const struct carve_format tar_format = {"tar", examine_tar};
const struct carve_format *const carve_tar[] = {&tar_format, NULL};
